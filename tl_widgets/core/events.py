"""Progress events and cancellation. Uses the standard library only."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from tl_widgets.core.errors import CancelledError

Phase = Literal["decode", "download", "load", "features", "train", "evaluate", "study", "save", "done"]


@dataclass(frozen=True)
class Event:
    """A progress event of a running step.

    Attributes:
        phase: the current phase. "decode" reads image files, "download" fetches files, "load" imports TensorFlow and
            builds models, "features" runs a frozen backbone; "train" and "evaluate" follow. "done" comes once for
            each model and once at the end. "study" counts the points of a study of many models, and "save" the files
            that are written.
        text: the progress as a sentence without a period, such as "reading the frozen backbone's features: 120 of 300
            images".
        model: a `ModelName`, or the backbone's name in a study of backbones; "" if the event concerns all models.
        n_done: how many of `n_total` are finished, in the unit of the phase (images, bytes, batches, ...).
        n_total: 0 if unknown.
        epoch: number of finished epochs, during training.
        n_epochs: number of all epochs, during training.
        metrics: loss, accuracy, val_loss and val_accuracy after each epoch; empty otherwise.
        seconds: seconds that this model has spent in the phase. While models train in turn, only its own turns count.
        seconds_left: estimated seconds until the phase ends, including the turns of other models; None if unknown.
        point: what a study has just measured, in the class that its result holds; None for all other events.
    """

    phase: Phase
    text: str
    model: str = ""
    n_done: int = 0
    n_total: int = 0
    epoch: int = 0
    n_epochs: int = 0
    metrics: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    seconds_left: float | None = None
    point: object = None


OnEvent = Callable[[Event], None]
Cancel = threading.Event


def ignore(event: Event) -> None:
    """Ignore the event: the default for `on_event`."""


def is_cancelled(cancel: Cancel | None) -> bool:
    """Return whether cancellation was requested."""
    return cancel is not None and cancel.is_set()


def raise_if_cancelled(cancel: Cancel | None) -> None:
    """Raise `CancelledError` when `cancel` is set."""
    if is_cancelled(cancel):
        raise CancelledError("stopped")


def seconds_left(seconds: float, n_done: int, n_total: int) -> float | None:
    """Estimate the remaining seconds; None before the first item is done."""
    return seconds / n_done * (n_total - n_done) if n_done and n_total else None
