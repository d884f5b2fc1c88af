"""What goes wrong: the mistakes that fill the forums, each measured beside the right way."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tl_widgets.backbones import build_preprocessing, find_backbone
from tl_widgets.data import ImageDataset, Split
from tl_widgets.errors import CancelledError, InputError
from tl_widgets.events import Cancel, Event, OnEvent, ignore, raise_if_cancelled
from tl_widgets.experiments import environment, summarize
from tl_widgets.features import FrozenPart
from tl_widgets.fine_tuning import cut_backbone
from tl_widgets.head import LinearHead
from tl_widgets.mistake_results import MISTAKES, MistakeStudy
from tl_widgets.models import build_scratch, frozen_layers, stack_head
from tl_widgets.results import RunResult
from tl_widgets.scores import count_right
from tl_widgets.settings import Config
from tl_widgets.training import train
from tl_widgets.weights import resolve_weights


def what_goes_wrong(
    dataset: ImageDataset,
    *,
    mistake: str,
    backbone: str = Config.backbone,
    epochs: int = 5,
    seed: int = 0,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> MistakeStudy:
    """Make a common mistake on purpose, and measure it beside the right way.

    Args:
        dataset: images and their split; small ones show it as well.
        mistake: a name in `tl_widgets.mistake_results.MISTAKES`.
        backbone: a name in the catalogue (`list_backbones`), with ImageNet weights.
        epochs: passes over the training images.
        seed: decides initial weights, the order of the images, and labels drawn by lot.
        on_event: hears of each phase, epoch and batch.
        cancel: set from any thread, it stops within one batch.

    Raises:
        InputError: there is no such mistake, or the images do not fit.
        CancelledError: Stop came before both ways were measured.
        WeightsUnavailableError: the weights are neither on this machine nor to be had.
    """
    if mistake not in MISTAKES:
        raise InputError(f"There is no mistake {mistake!r}; there are {', '.join(MISTAKES)}.")
    raise_if_cancelled(cancel)
    lesson = _Lesson(dataset, Config(backbone=backbone, epochs=epochs, seed=seed), on_event, cancel)
    right, wrong = getattr(lesson, mistake)()
    on_event(Event("done", "done", n_done=1, n_total=1))
    return MistakeStudy(summarize(dataset), mistake, float(right), float(wrong), environment())


class _Lesson:
    """One call of `what_goes_wrong`; each mistake is a method that returns (right, wrong)."""

    def __init__(self, dataset: ImageDataset, config: Config, on_event: OnEvent, cancel: Cancel | None) -> None:
        self.dataset, self.config, self.on_event, self.cancel = dataset, config, on_event, cancel
        self.entry = find_backbone(config.backbone)

    def _layers(self) -> tuple[keras.layers.Layer, ...]:
        weights = resolve_weights(self.entry, "imagenet", on_event=self.on_event, cancel=self.cancel)
        return frozen_layers(self.entry, self.dataset.image_shape, weights, seed=self.config.seed)

    def _transfer(self, *layers: keras.layers.Layer) -> keras.Sequential:
        return stack_head(layers, self.dataset.image_shape, self.dataset.n_classes, seed=self.config.seed)

    def _run(self, model: keras.Model, name: str, learning_rate: float = Config.learning_rate) -> RunResult:
        config = self.config
        how: dict[str, Any] = {"epochs": config.epochs, "seed": config.seed, "learning_rate": learning_rate}
        run = train(model, self.dataset, name=name, on_event=self.on_event, cancel=self.cancel, **how)
        if run.test_accuracy is None:
            raise CancelledError("stopped")
        return run

    def _accuracy(self, model: keras.Model, name: str, learning_rate: float = Config.learning_rate) -> float:
        accuracy = self._run(model, name, learning_rate).test_accuracy
        assert accuracy is not None
        return accuracy

    def _with_pixels(self, change: Callable[..., tuple[keras.layers.Layer, ...]]) -> tuple[float, float]:
        """Right, and with the layers before the backbone changed."""
        layers = self._layers()
        before, rest = layers[:-2], layers[-2:]
        right = self._accuracy(self._transfer(*layers), "right")
        return right, self._accuracy(self._transfer(*change(*before), *rest), "wrong")

    def raw_pixels(self) -> tuple[float, float]:
        if self.entry.preprocess_mode == "builtin_0_255":
            raise InputError(f"{self.entry.name} takes raw pixels: choose another backbone for this mistake.")
        return self._with_pixels(lambda *_: ())

    def rescaled_twice(self) -> tuple[float, float]:
        return self._with_pixels(lambda *before: (keras.layers.Rescaling(1 / 255), *before))

    def wrong_preprocessing(self) -> tuple[float, float]:
        if self.entry.preprocess_mode == "caffe":
            raise InputError(f"{self.entry.name} is prepared so: choose another backbone for this mistake.")
        other = build_preprocessing(find_backbone("ResNet50"))
        assert other is not None
        return self._with_pixels(lambda *_: (other,))

    def batch_norm_training(self) -> tuple[float, float]:
        layers = self._layers()
        norms = [one for one in layers[-2].layers if isinstance(one, keras.layers.BatchNormalization)]
        if not norms:
            raise InputError(f"{self.entry.name} has no BatchNormalization: choose another backbone for this mistake.")
        right = self._accuracy(self._transfer(*layers), "right")
        layers[-2].trainable = True
        for layer in layers[-2].layers:
            layer.trainable = layer in norms
        return right, self._accuracy(self._transfer(*layers), "wrong")

    def trainable_without_compile(self) -> tuple[float, float]:
        return self._moved(compile_again=True), self._moved(compile_again=False)

    def _moved(self, *, compile_again: bool) -> float:
        """Share of the unfrozen weight arrays that two batches move."""
        raise_if_cancelled(self.cancel)
        layers, train_split = self._layers(), self.dataset.train
        model, backbone = self._transfer(*layers), layers[-2]
        images, labels = np.asarray(train_split.images[:8]), train_split.labels[:8]
        loss = "binary_crossentropy" if model.output_shape[-1] == 1 else "sparse_categorical_crossentropy"
        model.compile(keras.optimizers.Adam(1e-3), loss)
        model.train_on_batch(images, labels)
        cut_backbone(backbone, 1)  # unfreezes its last block, which is quicker than all of it
        if compile_again:
            model.compile(keras.optimizers.Adam(1e-3), loss)
        weights = backbone.trainable_weights
        before = [weight.numpy() for weight in weights]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some versions of Keras warn of the very mistake
            for _ in range(2):
                raise_if_cancelled(self.cancel)
                model.train_on_batch(images, labels)
        pairs = zip(weights, before, strict=True)
        return float(np.mean([not np.array_equal(weight.numpy(), old) for weight, old in pairs]))

    def leaky_split(self) -> tuple[float, float]:
        frozen = FrozenPart.of(self._transfer(*self._layers()))
        assert frozen is not None
        seen = frozen.read(self.dataset.train, on_event=self.on_event, cancel=self.cancel).values
        labels = np.random.default_rng(self.config.seed).integers(0, 2, len(seen))
        return self._by_lot(seen, labels, reshuffle=False), self._by_lot(seen, labels, reshuffle=True)

    def _by_lot(self, seen: Any, labels: Any, *, reshuffle: bool) -> float:
        """Validation accuracy of a head on labels drawn by lot; enough epochs to know the images by heart."""
        n, seed = len(seen), self.config.seed
        pool = tf.data.Dataset.range(n).shuffle(n, seed=seed, reshuffle_each_iteration=reshuffle)
        start = np.zeros((seen.shape[1], 1), np.float32), np.zeros(1, np.float32)
        head = LinearHead(*start, learning_rate=1e-2, dropout=0.0, seed=seed)
        for _ in range(60):
            raise_if_cancelled(self.cancel)
            for chosen in pool.take(n * 7 // 10).batch(16).as_numpy_iterator():
                head.fit_batch(seen[chosen], labels[chosen])
        held = np.array(list(pool.skip(n * 7 // 10).as_numpy_iterator()))
        return count_right(head.probabilities(seen[held]), labels[held]) / len(held)

    def training_accuracy(self) -> tuple[float, float]:
        run = self._run(self._scratch(64), "scratch")
        split = self.dataset.train
        answers = np.asarray(run.model.predict(split.images[:], verbose=0))
        assert run.test_accuracy is not None
        return run.test_accuracy, count_right(answers, split.labels) / len(split)

    def _scratch(self, units: int) -> keras.Sequential:
        return build_scratch(self.dataset.image_shape, self.dataset.n_classes, dense_units=units, seed=self.config.seed)

    def sigmoid_from_logits(self) -> tuple[float, float]:
        return self._sigmoid(from_logits=False), self._sigmoid(from_logits=True)

    def _sigmoid(self, *, from_logits: bool) -> float:
        """Test accuracy on the first two classes with a head that Keras trains."""
        frozen = FrozenPart.of(self._transfer(*self._layers()))
        assert frozen is not None
        splits = [_first_two(split) for split in (self.dataset.train, self.dataset.test)]
        seen, tested = (frozen.read(s, on_event=self.on_event, cancel=self.cancel).values for s in splits)
        start = keras.initializers.GlorotUniform(seed=self.config.seed)
        dense = keras.layers.Dense(1, kernel_initializer=start)
        # Keras undoes a sigmoid that it sees as a layer's activation; what it cannot see is not undone.
        model = keras.Sequential([keras.layers.Input(seen.shape[1:]), dense, keras.layers.Lambda(_own_sigmoid)])
        model.compile(keras.optimizers.Adam(1e-3), keras.losses.BinaryCrossentropy(from_logits=from_logits))
        for epoch in range(self.config.epochs):
            raise_if_cancelled(self.cancel)
            order = np.random.default_rng([self.config.seed, epoch]).permutation(len(seen))
            for start_at in range(0, len(order), 16):
                chosen = order[start_at : start_at + 16]
                model.train_on_batch(seen[chosen], splits[0].labels[chosen])
        return count_right(model.predict(tested, verbose=0), splits[1].labels) / len(tested)

    def bottleneck(self) -> tuple[float, float]:
        return self._accuracy(self._scratch(64), "right"), self._accuracy(self._scratch(6), "wrong")

    def learning_rate(self) -> tuple[float, float]:
        return self._accuracy(self._scratch(64), "right"), self._accuracy(self._scratch(64), "wrong", 0.1)


def _own_sigmoid(logits: Any) -> Any:
    return 1 / (1 + keras.ops.exp(-logits))


def _first_two(split: Split) -> Split:
    rows = np.flatnonzero(split.labels < 2)
    return replace(split, images=split.images[rows], labels=split.labels[rows])
