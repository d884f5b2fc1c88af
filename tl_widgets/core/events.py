"""What a long step tells whoever watches it, and how that one stops it. A leaf: stdlib only."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from tl_widgets.core.errors import CancelledError

Phase = Literal["decode", "download", "load", "features", "train", "evaluate", "study", "save", "done"]


@dataclass(frozen=True)
class Event:
    """One piece of news from a running step.

    Attributes:
        phase: what is being done. "decode" reads image files, "download" fetches, "load" imports
            TensorFlow and builds models, "features" runs a frozen backbone, then "train",
            "evaluate" and, once for every model and once for the whole, "done". "study" counts the
            points of a study of many models, "save" the files that are written.
        text: the same in words, a sentence without a full stop ("reading the frozen backbone's
            features: 120 of 300 images").
        model: a `ModelName`; in a study of backbones the backbone's
            name; "" where it concerns all of them.
        n_done: how many of `n_total` are finished (images, bytes, batches: the unit of the phase).
        n_total: 0 where it is not known.
        epoch: epochs finished, while training.
        n_epochs: epochs asked for, while training.
        metrics: after each epoch: loss, accuracy, val_loss, val_accuracy; empty otherwise.
        seconds: since the phase of this model began.
        seconds_left: an estimate of what remains of the phase; None while unknown.
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


OnEvent = Callable[[Event], None]
Cancel = threading.Event


def ignore(event: Event) -> None:
    """The listener of whoever does not want to listen."""


def is_cancelled(cancel: Cancel | None) -> bool:
    """Whether Stop was pressed."""
    return cancel is not None and cancel.is_set()


def raise_if_cancelled(cancel: Cancel | None) -> None:
    """Raise `CancelledError` when `cancel` is set."""
    if is_cancelled(cancel):
        raise CancelledError("stopped")


def seconds_left(seconds: float, n_done: int, n_total: int) -> float | None:
    """What remains at the pace so far, in seconds; None before the first piece is done."""
    return seconds / n_done * (n_total - n_done) if n_done and n_total else None
