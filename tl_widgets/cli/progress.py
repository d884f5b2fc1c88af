"""Progress as bars or plain lines, and Ctrl-C, which stops a step."""

from __future__ import annotations

import math
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from tl_widgets.cli.output import escaped_lines
from tl_widgets.core.events import Cancel, Event, OnEvent, ignore
from tl_widgets.core.model_name import word_of
from tl_widgets.core.numbers import percent
from tl_widgets.core.translation import _, localized

_SECONDS_BETWEEN_LINES = 2.0
_PLAIN_WIDTH = 160  # output to a file or another program isn't folded
_PHASE_LABELS = {
    "decode": _("reading images"),
    "download": _("downloading"),
    "load": _("starting"),
    "features": _("reading features"),
    "train": _("training"),
    "evaluate": _("testing"),
    "study": _("measuring"),
    "save": _("saving"),
}
_SHOW_CURSOR = b"\x1b[?25h"


def make_console() -> Console:
    """Return the console for results: standard output, with markup taken literally."""
    console = _Console(markup=False, emoji=False, highlight=False)
    return console if console.is_terminal else _Console(markup=False, emoji=False, highlight=False, width=_PLAIN_WIDTH)


class _Console(Console):
    """A console that shows control characters in names escaped, so no name can move the cursor."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(escaped_lines(text), **options)


@contextmanager
def show_events(console: Console, *, quiet: bool = False) -> Iterator[OnEvent]:
    """Yield a function that shows the events it receives."""
    if quiet:
        yield ignore
    elif not console.is_terminal:
        yield _Lines(console)
    else:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=16),
            TextColumn("{task.fields[note]}", markup=False),
        )
        with Progress(*columns, console=console, refresh_per_second=8) as progress:
            yield _Bars(progress)


@contextmanager
def cancel_on_interrupt() -> Iterator[Cancel]:
    """Yield an event that Ctrl-C sets; a second Ctrl-C ends the process at once."""
    cancel = threading.Event()
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN or threading.current_thread() is not threading.main_thread():
        yield cancel
        return
    screen = os.dup(2)  # stderr is redirected while TensorFlow is imported

    def on_interrupt(_signal: int, _frame: FrameType | None) -> None:
        # Not print: the signal may interrupt one, and print isn't reentrant.
        if cancel.is_set():
            if sys.stdout.isatty():
                _tell(1, _SHOW_CURSOR)
            _tell(screen, b"tl-widgets: stopped at once\n")
            os._exit(130)
        cancel.set()
        _tell(screen, b"\nstopping; Ctrl-C again stops at once\n")

    signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield cancel
    finally:
        signal.signal(signal.SIGINT, before)
        os.close(screen)


def _tell(screen: int, text: bytes) -> None:
    """Write to a terminal, but don't wait for one that nobody reads."""
    with suppress(OSError, ValueError):  # it is full or closed
        if os.name != "posix" or select.select([], [screen], [], 0)[1]:
            os.write(screen, text)


def _seconds(event: Event) -> str:
    text = localized(f"{event.seconds:.1f} s")
    return (
        _("{text}, {seconds_left:.0f} s left", text=text, seconds_left=event.seconds_left)
        if event.seconds_left
        else text
    )


class _Lines:
    """A line when a phase of a model begins and ends, and every two seconds between."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._printed_at: dict[tuple[str, str], float] = {}

    def __call__(self, event: Event) -> None:
        if event.phase == "done":
            return
        key, now = (event.model, event.phase), time.monotonic()
        # An epoch ends after its validation, not after its last batch.
        finished = event.n_done >= event.n_total and (event.phase != "train" or bool(event.metrics))
        if event.phase == "evaluate" and not event.n_done:
            return
        due = now - self._printed_at.get(key, -math.inf) >= _SECONDS_BETWEEN_LINES
        if event.n_total and not finished and not due:
            return
        self._printed_at[key] = now
        parts = [f"{word_of(event.model)}: {event.text}" if event.model else event.text]
        if event.seconds:
            parts.append(_seconds(event))
        if "val_accuracy" in event.metrics:
            parts.append(
                _("validation accuracy {val_accuracy}", val_accuracy=percent(event.metrics["val_accuracy"], 0))
            )
        self._console.print(", ".join(parts), soft_wrap=True)


class _Bars:
    """One bar for each phase of each model."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[tuple[str, str], TaskID] = {}

    def __call__(self, event: Event) -> None:
        if event.phase == "done":
            return
        key = (event.model, event.phase)
        if key not in self._tasks:
            self._finish_before(event.model)
            label = _PHASE_LABELS[event.phase]
            title = f"{word_of(event.model)}: {label}" if event.model else label
            self._tasks[key] = self._progress.add_task(title, total=None, note="")
        total = event.n_total or None
        self._progress.update(self._tasks[key], total=total, completed=event.n_done, note=self._note(event))

    def _note(self, event: Event) -> str:
        if event.phase == "study":
            return _(
                "{n_done} of {n_total}, {seconds}", n_done=event.n_done, n_total=event.n_total, seconds=_seconds(event)
            )
        if event.phase == "train":
            return _(
                "epoch {epoch}/{n_epochs}, {seconds}",
                epoch=event.epoch,
                n_epochs=event.n_epochs,
                seconds=_seconds(event),
            )
        return _seconds(event) if event.n_total else event.text.split(",")[0]  # leaves room for the bar

    def _finish_before(self, model: str) -> None:
        """Fill the bars of the model's earlier phases, and of those that concern all models."""
        for (of_model, phase), task in self._tasks.items():
            # A study continues while features are read, and models train in turn.
            if phase != "study" and of_model in (model, ""):
                total = self._progress.tasks[task].total or 1
                self._progress.update(task, total=total, completed=total)
