"""What every mistake is measured with: images, backbone, training, and two numbers with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.backbones.family import Backbone
from tl_widgets.backbones.weights import resolve_weights
from tl_widgets.core.config import Config
from tl_widgets.core.errors import CancelledError
from tl_widgets.core.events import Cancel, Event, OnEvent, seconds_left
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.models.builders import build_scratch, frozen_layers, stack_head
from tl_widgets.records.comparison import RunResult
from tl_widgets.records.intervals import wilson_interval
from tl_widgets.records.seeds import mean_of_shares
from tl_widgets.records.verdict import pair_answers
from tl_widgets.setup_checks.mistakes.mistake import TwoWays
from tl_widgets.training.features import FrozenPart
from tl_widgets.training.loop import train


@dataclass(eq=False)
class Lesson:
    """One call of `what_goes_wrong`.

    Attributes:
        dataset: the images.
        config: backbone, epochs and seed; all else as everywhere.
        on_event: hears of each phase, epoch and batch.
        cancel: stops within one batch.
    """

    dataset: ImageDataset
    config: Config
    on_event: OnEvent
    cancel: Cancel | None

    @property
    def entry(self) -> Backbone:
        """The backbone's record in the catalogue."""
        return find_backbone(self.config.backbone)

    def layers(self) -> tuple[keras.layers.Layer, ...]:
        """Preprocessing (none where the backbone does it), backbone, global average."""
        weights = resolve_weights(self.entry, "imagenet", on_event=self.on_event, cancel=self.cancel)
        return frozen_layers(self.entry, self.dataset.image_shape, weights, seed=self.config.seed)

    def transfer(self, *layers: keras.layers.Layer) -> keras.Sequential:
        """A new head over these layers."""
        return stack_head(layers, self.dataset.image_shape, self.dataset.n_classes, seed=self.config.seed)

    def frozen(self) -> FrozenPart:
        """The backbone as a function of images."""
        frozen = FrozenPart.of(self.transfer(*self.layers()))
        assert frozen is not None
        return frozen

    def scratch(self, units: int = Config().scratch.dense_units) -> keras.Sequential:
        """The network from scratch with so many hidden units."""
        data = self.dataset
        return build_scratch(data.image_shape, data.n_classes, dense_units=units, seed=self.config.seed)

    def run(self, model: keras.Model, way: str, learning_rate: float = Config.learning_rate) -> RunResult:
        """Train and test a model.

        Args:
            model: of `transfer` or `scratch`.
            way: "right" or "wrong", for the listener.
            learning_rate: of Adam.

        Raises:
            CancelledError: Stop came before its test.
        """
        how: dict[str, Any] = {"epochs": self.config.epochs, "seed": self.config.seed, "learning_rate": learning_rate}
        run = train(model, self.dataset, name=way, on_event=self.on_event, cancel=self.cancel, **how)
        if not run.labels:
            raise CancelledError("stopped")
        return run

    def say(self, way: str, epoch: int, n_epochs: int, seconds: float) -> None:
        """Tell the listener of an epoch of a training that is not `train`'s."""
        text = f"training: epoch {epoch} of {n_epochs}"
        event = Event("train", text, way, n_done=epoch, n_total=n_epochs, epoch=epoch, n_epochs=n_epochs)
        self.on_event(replace(event, seconds=seconds, seconds_left=seconds_left(seconds, epoch, n_epochs)))


def two_runs(right: RunResult, wrong: RunResult) -> TwoWays:
    """Two models that were tested on the same images."""
    labels = np.asarray(right.labels)
    return two_answers(np.asarray(right.predictions) == labels, np.asarray(wrong.predictions) == labels)


def two_answers(right: NDArray[np.bool_], wrong: NDArray[np.bool_]) -> TwoWays:
    """Two sets of answers to the same images: bool (n,), which of them are true."""
    n, paired = len(right), pair_answers(right, wrong)
    n_right, n_wrong = int(right.sum()), int(wrong.sum())
    intervals = wilson_interval(n_right, n), wilson_interval(n_wrong, n)
    return TwoWays(n_right / n, n_wrong / n, n, n, "images", *intervals, paired.ci95, paired.p_value)


def two_means(right: Sequence[float], wrong: Sequence[float], *, n_images: int) -> TwoWays:
    """Two accuracies over the same seeds, paired, each measured on so many images."""
    means = [mean_of_shares(values, n_images=n_images) for values in (right, wrong)]
    pairs = [a - b for a, b in zip(right, wrong, strict=True)]
    difference = mean_of_shares(pairs, n_images=n_images, low=-1.0)
    ends = means[0].ci95, means[1].ci95
    return TwoWays(means[0].mean, means[1].mean, len(right), len(wrong), "seeds", *ends, difference.ci95)
