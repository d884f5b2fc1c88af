"""A mistake about the model's output and loss: a sigmoid with from_logits=True."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tl_widgets.setup_checks.mistake import Check, Finding, Mistake, Subject

if TYPE_CHECKING:
    from tl_widgets.setup_checks.setup import Setup
    from tl_widgets.setup_checks.trial import Trial
    from tl_widgets.setup_checks.two_ways import TwoWays


def _sigmoid_from_logits(trial: Trial) -> TwoWays:
    """Measure a written-out sigmoid on "Is it the last class?", which suits any data."""
    import numpy as np

    from tl_widgets.setup_checks.two_ways import compare_answers

    frozen, splits = trial.frozen(), (trial.dataset.train, trial.dataset.test)
    train, test = (frozen.read(s, on_event=trial.on_event, cancel=trial.cancel).values for s in splits)
    labels, truth = ((split.labels == trial.dataset.n_classes - 1).astype(np.int64) for split in splits)
    right = _predicted(trial, train, labels, test, from_logits=False)
    wrong = _predicted(trial, train, labels, test, from_logits=True)
    return compare_answers(right == truth, wrong == truth)


def _predicted(trial: Trial, features: Any, labels: Any, test: Any, *, from_logits: bool) -> Any:
    """Return a head's predictions for the features `test`, after training in Keras."""
    import keras
    import numpy as np

    from tl_widgets.backbones.keras_compat import Adam
    from tl_widgets.training.learners import batches, predicted_classes

    trial.raise_if_cancelled()
    config, started = trial.config, time.perf_counter()
    way = "wrong" if from_logits else "right"
    dense = keras.layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(seed=config.seed))
    # Keras undoes a sigmoid that is a layer's activation, but can't recognize one that is written out.
    sigmoid = keras.layers.Lambda(lambda logits: 1 / (1 + keras.ops.exp(-logits)))
    model = keras.Sequential([keras.layers.Input(features.shape[1:]), dense, sigmoid])
    model.compile(Adam(config.learning_rate), keras.losses.BinaryCrossentropy(from_logits=from_logits))
    for epoch in range(config.epochs):
        for indices in batches(len(features), config.batch_size, seed=config.seed, epoch=epoch):
            trial.raise_if_cancelled()
            model.train_on_batch(features[indices], labels[indices])
        trial.report(way, epoch + 1, config.epochs, time.perf_counter() - started)
    return predicted_classes(np.asarray(model.predict_on_batch(test)))


def _find(setup: Setup) -> Iterator[Finding]:
    """Find a model that ends with the sigmoid or softmax that its loss applies again."""
    loss = setup.loss
    if loss is not None and loss.kind and loss.from_logits and loss.activation != "linear":
        yield Finding(
            f"The model ends with {loss.activation} and the loss is told from_logits=True: leave out one of the two.",
            "sigmoid_from_logits",
        )


SIGMOID_FROM_LOGITS = Mistake(
    "sigmoid_from_logits",
    wrong="the model ends with a sigmoid and the loss has from_logits=True, which applies another",
    right="the loss takes probabilities, as the model gives them",
    why="To this loss, no answer looks more certain than 73%, and where the model is confident and wrong, almost no "
    "gradient is left. Keras on TensorFlow detects a layer's own sigmoid, warns and undoes it; it cannot detect one "
    "that is written out, as here, and on other backends it undoes none.",
    hides="Where both classes are equally frequent and easy to tell apart, the order of the answers survives.",
    measure=_sigmoid_from_logits,
    check=Check(Subject.LOSS, _find),
    figure="accuracy on the test images, on the question: is it the last class or not",
    n_per_class=10,
    place=80,
)
