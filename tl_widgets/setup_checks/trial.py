"""The trial, with the images, backbone and training that measure a mistake."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import keras

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.backbones.family import Backbone
from tl_widgets.backbones.weights import resolve_weights
from tl_widgets.core.config import Config
from tl_widgets.core.errors import CancelledError
from tl_widgets.core.events import Cancel, Event, OnEvent, raise_if_cancelled, seconds_left
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.models.builders import build_scratch, frozen_layers, stack_head
from tl_widgets.records.comparison import RunResult
from tl_widgets.training.features import FrozenPart
from tl_widgets.training.loop import train
from tl_widgets.training.stoppable import Stoppable


@dataclass(eq=False)
class Trial:
    """One measurement of a mistake; only `config`'s backbone, epochs and seed count."""

    dataset: ImageDataset
    config: Config
    on_event: OnEvent
    cancel: Cancel | None

    @property
    def backbone(self) -> Backbone:
        """The backbone's entry in the catalogue."""
        return find_backbone(self.config.backbone)

    def layers(self) -> tuple[keras.layers.Layer, ...]:
        """Return new layers: preprocessing (if any), backbone and global average pooling."""
        weights = resolve_weights(self.backbone, "imagenet", on_event=self.on_event, cancel=self.cancel)
        build = Stoppable(frozen_layers, self.cancel)  # a large backbone takes many seconds
        return build(self.backbone, self.dataset.image_shape, weights, seed=self.config.seed)

    def transfer(self, *layers: keras.layers.Layer) -> keras.Sequential:
        """Build a model of these layers and a new head."""
        return stack_head(layers, self.dataset.image_shape, self.dataset.n_classes, seed=self.config.seed)

    def frozen(self) -> FrozenPart:
        """Return the frozen backbone as a function of images."""
        frozen = FrozenPart.of(self.transfer(*self.layers()))
        assert frozen is not None
        return frozen

    def scratch(self, units: int = Config().scratch.dense_units) -> keras.Sequential:
        """Build the network from scratch with this number of hidden units."""
        data = self.dataset
        return build_scratch(data.image_shape, data.n_classes, dense_units=units, seed=self.config.seed)

    def run(self, model: keras.Model, way: str, learning_rate: float = Config.learning_rate) -> RunResult:
        """Train and test a model; `way` is "right" or "wrong", for events."""
        settings: dict[str, Any] = {
            "epochs": self.config.epochs,
            "seed": self.config.seed,
            "learning_rate": learning_rate,
            "validate": False,  # only the test is compared
        }
        run = train(model, self.dataset, name=way, on_event=self.on_event, cancel=self.cancel, **settings)
        if not run.labels:
            raise CancelledError("stopped")
        return run

    def raise_if_cancelled(self) -> None:
        """Raise `CancelledError` if `cancel` was set."""
        raise_if_cancelled(self.cancel)

    def report(self, way: str, epoch: int, n_epochs: int, seconds: float) -> None:
        """Send the event of an epoch, for measurements that don't train with `run`."""
        text = _("training: epoch {epoch} of {n_epochs}", epoch=epoch, n_epochs=n_epochs)
        event = Event("train", text, way, n_done=epoch, n_total=n_epochs, epoch=epoch, n_epochs=n_epochs)
        self.on_event(replace(event, seconds=seconds, seconds_left=seconds_left(seconds, epoch, n_epochs)))
