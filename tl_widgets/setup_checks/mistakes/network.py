"""Mistakes that keep a network from learning: a bottleneck, too large steps, the output applied twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tl_widgets.core.config import Config
from tl_widgets.core.translation import _, ngettext
from tl_widgets.setup_checks.mistake import Check, Finding, Mistake, Subject

if TYPE_CHECKING:
    from tl_widgets.records.verdict import TwoWays
    from tl_widgets.setup_checks.setup import Setup
    from tl_widgets.setup_checks.trial import Trial

_NARROW = 8
_HIGHEST_RATE, _HIGHEST_SGD_RATE = 0.03, 0.45
_HIGHEST_FINE_TUNING_RATE = 1e-3
_HIGHEST_RAW_RATE = 0.01
_LOWEST_RATE = {True: 1e-6, False: 1e-5}  # of adaptive optimizers and of others
_STEPS = (0, 10, 100, 1_000, 10_000)  # a schedule may warm up


def _bottleneck(trial: Trial) -> TwoWays:
    """Measure the article's hidden layer, Dense(6, relu)."""
    from tl_widgets.records.verdict import compare_runs

    return compare_runs(trial.run(trial.scratch(), "right"), trial.run(trial.scratch(6), "wrong"))


def _learning_rate(trial: Trial) -> TwoWays:
    """Measure a network from scratch with Adam's usual rate and 100 times that."""
    from tl_widgets.records.verdict import compare_runs

    right = trial.run(trial.scratch(), "right")
    return compare_runs(right, trial.run(trial.scratch(), "wrong", learning_rate=100 * Config.learning_rate))


def _find_bottleneck(setup: Setup) -> Iterator[Finding]:
    """Find a narrow layer that everything must pass."""
    import math

    import keras

    ends = {output.layer for output in setup.outputs}
    n_classes = max((output.n_units for output in setup.outputs), default=0)
    for node in setup.nodes:
        layer = node.operation
        if layer.name in ends or len(setup.answers_shape) != 2:
            continue
        wide = max(64, n_classes)
        is_dense, n = isinstance(layer, keras.layers.Dense), _n_values(node)
        is_narrow = is_dense and n <= _NARROW
        if is_narrow and _is_relu(setup, node) and _all_pass(setup, node):
            yield Finding(
                _(
                    "All must pass the {n} ReLU units of {layer_name}, which easily die: give it {wide}.",
                    n=n,
                    layer_name=layer.name,
                    wide=wide,
                ),
                "bottleneck",
                where=_("layer {layer_name}", layer_name=layer.name),
                code=f'keras.layers.Dense({wide}, activation="relu")',
            )
            return
        is_pooled = isinstance(layer, keras.layers.GlobalAveragePooling2D | keras.layers.GlobalMaxPooling2D)
        if (is_dense or is_pooled) and n_classes > 2 and 0 < n < math.log2(n_classes) and _all_pass(setup, node):
            yield Finding(
                ngettext(
                    "All must pass the {n} value of {layer}, which are too few to tell {n_classes} classes apart: "
                    "give it {wide}.",
                    "All must pass the {n} values of {layer}, which are too few to tell {n_classes} classes apart: "
                    "give it {wide}.",
                    n,
                    layer=layer.name,
                    n_classes=n_classes,
                    wide=wide,
                ),
                "bottleneck",
                where=_("layer {layer_name}", layer_name=layer.name),
                code=f'keras.layers.Dense({wide}, activation="relu")' if is_dense else _("more filters before it"),
            )
            return


def _n_values(node: Any) -> int:
    """Return how many values a call outputs for each image; 0 if that depends on the image."""
    import math

    shape = node.outputs[0].shape[1:] if node.outputs else ()
    return 0 if None in shape or not shape else math.prod(shape)


def _is_relu(setup: Setup, node: Any) -> bool:
    """Return whether a Dense layer's activation, or each layer after it, is a ReLU."""
    import keras

    def is_relu(layer: Any) -> bool:
        return isinstance(layer, keras.layers.ReLU) or getattr(layer, "activation", None) is keras.activations.relu

    if is_relu(node.operation):
        return True
    ids = {id(tensor) for tensor in node.outputs}
    takers = [other.operation for other in setup.nodes if any(id(t) in ids for t in other.arguments.keras_tensors)]
    return bool(takers) and all(is_relu(taker) and not isinstance(taker, keras.layers.Dense) for taker in takers)


def _all_pass(setup: Setup, node: Any) -> bool:
    """Return whether all paths pass this call; a skip connection bypasses one."""
    reached = {id(tensor) for tensor in setup.graph.inputs}
    for other in setup.nodes:
        if other is not node and any(id(tensor) in reached for tensor in other.arguments.keras_tensors):
            reached |= {id(tensor) for tensor in other.outputs}
    return not any(id(tensor) in reached for tensor in setup.graph.outputs)


def _find_rate(setup: Setup) -> Iterator[Finding]:
    """Find a learning rate that is too high for a network or a pretrained backbone, or that does nothing."""
    import keras

    optimizer, backbone = setup.optimizer, setup.backbone
    if optimizer is None:
        return
    rates = _rates(optimizer)
    rate, name = max(rates), type(optimizer).__name__
    kinds = keras.optimizers
    is_adaptive = isinstance(optimizer, kinds.Adam | kinds.RMSprop | kinds.Adamax | kinds.Nadam)
    is_sgd = isinstance(optimizer, kinds.SGD)
    momentum = float(getattr(optimizer, "momentum", 0) or 0) if is_sgd else 0.0
    is_tuned = backbone is not None and backbone.is_pretrained and not backbone.is_frozen
    where = "compile(optimizer=)"
    effective = rate / (1 - min(momentum, 0.99))
    highest = _HIGHEST_RATE if is_adaptive else 1.05 if not is_sgd or _is_forgiving(setup) else _HIGHEST_SGD_RATE
    if name == "Adadelta" and rate < 0.05:
        yield Finding(
            _("Adadelta is meant to run with a learning rate of 1, and has {rate:g}: it hardly moves.", rate=rate),
            "learning_rate",
            where=where,
            code="keras.optimizers.Adadelta(1.0)",
            is_certain=False,
        )
    elif not rate >= 0 or effective > highest:
        yield Finding(
            _(
                "The learning rate of {name} is {rate:g}; {value} is usual, and 100 times as much often "
                "ends at chance.",
                name=name,
                rate=rate,
                value="0.01" if is_sgd else "0.001",
            ),
            "learning_rate",
            where=where,
            code=f"keras.optimizers.{name}({'1e-2' if is_sgd else '1e-3'})",
        )
    elif is_tuned and is_adaptive and rate >= _HIGHEST_FINE_TUNING_RATE:
        yield Finding(
            _(
                "The pretrained backbone is trained at a learning rate of {rate:g}, which destroys what "
                "it has learned: train the head first, then fine-tune at 1e-5 to 1e-4.",
                rate=rate,
            ),
            "learning_rate",
            where=where,
            code=f"keras.optimizers.{name}(1e-5)",
        )
    elif is_sgd and rate >= _HIGHEST_RAW_RATE and _gets_raw_pixels(setup):
        yield Finding(
            _(
                "Raw pixels go into a network without normalization, and SGD's learning rate is "
                "{rate:g}: the first steps are hundreds of times too large, and kill its ReLU units or "
                "give NaN. Scale the pixels.",
                rate=rate,
            ),
            "learning_rate",
            where=_("the first layer"),
            code="keras.layers.Rescaling(1 / 255)",
            is_certain=False,
        )
    elif rate < (1e-8 if is_tuned else _LOWEST_RATE[is_adaptive]):
        yield Finding(
            _(
                "The learning rate of {name} is {rate:g}, which changes next to nothing in any "
                "reasonable number of epochs.",
                name=name,
                rate=rate,
            ),
            "learning_rate",
            where=where,
            code=f"keras.optimizers.{name}({'1e-2' if is_sgd else '1e-3'})",
        )
    elif len(rates) > 1 and rates[1] < 1e-6 * rate:
        yield Finding(
            _(
                "The schedule of the learning rate falls from {first:g} to {last:.1g} within {n_steps} "
                "steps, so the training ends before it has begun.",
                first=rate,
                last=rates[1],
                n_steps=_STEPS[1],
            ),
            "learning_rate",
            where=where,
            is_certain=False,
        )
    elif _is_new(setup) and _gets_raw_pixels(setup, low=0):
        yield Finding(
            _(
                "Raw pixels of 0 to 255 go into a network without normalization, so its first answers "
                "are far too large: it learns later, and may stay at chance. Scale the pixels."
            ),
            where=_("the first layer"),
            code="keras.layers.Rescaling(1 / 255)",
            is_certain=False,
        )


def _is_new(setup: Setup) -> bool:
    """Return whether all weights are random: what was trained on raw pixels copes with them."""
    is_random = setup.backbone is None or setup.backbone.is_random
    return is_random and (setup.history is not None or int(setup.optimizer.iterations) == 0)


def _is_forgiving(setup: Setup) -> bool:
    """Return whether large steps do no harm: BatchNormalization follows them, or only a head is trained."""
    import keras

    from tl_widgets.backbones.keras_compat import all_layers

    layers = all_layers(setup.model)
    weighted = [layer for layer in layers if hasattr(layer, "kernel") and layer.trainable_weights]
    return len(weighted) <= 1 or any(isinstance(layer, keras.layers.BatchNormalization) for layer in layers)


def _rates(optimizer: Any) -> list[float]:
    """Return the learning rate at a few steps, or the only one."""
    from tl_widgets.backbones.keras_compat import learning_rate_schedule

    schedule = learning_rate_schedule(optimizer)
    return [float(schedule(step)) for step in _STEPS] if schedule is not None else [float(optimizer.learning_rate)]


def _gets_raw_pixels(setup: Setup, low: float = -256) -> bool:
    """Return whether a network that trains from scratch, without normalization, gets pixels of `low` to 255."""
    import keras

    from tl_widgets.backbones.keras_compat import all_layers

    reached = setup.first_layer if setup.images_fit else None
    norms = (keras.layers.BatchNormalization, keras.layers.LayerNormalization, keras.layers.GroupNormalization)
    if reached is None or any(isinstance(layer, norms) for layer in all_layers(setup.model)):
        return False
    is_frozen = setup.backbone is not None and setup.backbone.is_frozen
    is_raw = reached.values.min() >= low and reached.values.max() > 50
    return bool(is_raw) and bool(reached.layer.trainable) and not is_frozen


BOTTLENECK = Mistake(
    "bottleneck",
    label=_("Bottleneck"),
    wrong=_("a hidden layer of 6 ReLU units stands before the answer"),
    right=_("the hidden layer has 64 units"),
    why=_(
        "Everything the network knows must pass through 6 numbers; a unit that answers 0 to every image "
        "never learns again."
    ),
    hides=_(
        "For two classes 6 numbers are enough as long as some of the units stay alive; with another seed they may not."
    ),
    measure=_bottleneck,
    check=Check(Subject.BOTTLENECKS, _find_bottleneck),
    image_size=32,
    n_per_class=20,
    epochs=5,
    uses_backbone=False,
    place=90,
)

LEARNING_RATE = Mistake(
    "learning_rate",
    label=_("Learning rate"),
    wrong=_("the learning rate is 100 times too high, 0.1"),
    right=_("the learning rate is 0.001"),
    why=_("Each step overshoots, and ReLU units that a large step pushes below 0 for every image never come back."),
    hides=_("A head alone, without hidden ReLU units, forgives a high rate more than a whole network does."),
    measure=_learning_rate,
    check=Check(Subject.RATE, _find_rate),
    image_size=32,
    n_per_class=20,
    epochs=5,
    uses_backbone=False,
    place=100,
)


def _sigmoid_from_logits(trial: Trial) -> TwoWays:
    """Measure a written-out sigmoid on "Is it the last class?", which suits any data."""
    import numpy as np

    from tl_widgets.records.verdict import compare_answers

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


def _find_twice_applied(setup: Setup) -> Iterator[Finding]:
    """Find a model that ends with the sigmoid or softmax that its loss applies again."""
    for output in setup.outputs:
        if output.kind and output.from_logits and output.activation in ("sigmoid", "softmax"):
            yield Finding(
                _(
                    "The model ends with {activation} and the loss is told from_logits=True: leave out one of the two.",
                    activation=output.activation,
                ),
                "sigmoid_from_logits",
                where=output.where,
                code=f"keras.losses.{output.loss}()",
            )


SIGMOID_FROM_LOGITS = Mistake(
    "sigmoid_from_logits",
    label=_("Sigmoid from logits"),
    wrong=_("the model ends with a sigmoid and the loss has from_logits=True, which applies another"),
    right=_("the loss takes probabilities, as the model gives them"),
    why=_(
        "To this loss, no answer looks more certain than 73%, and where the model is confident and "
        "wrong, almost no gradient is left. Keras on TensorFlow detects a layer's own sigmoid, warns and "
        "undoes it; it cannot detect one that is written out, as here, and on other backends it undoes "
        "none."
    ),
    hides=_("Where both classes are equally frequent and easy to tell apart, the order of the answers survives."),
    measure=_sigmoid_from_logits,
    check=Check(Subject.LOSS, _find_twice_applied),
    figure=_("accuracy on the test images, on the question: is it the last class or not"),
    n_per_class=10,
    place=80,
)
