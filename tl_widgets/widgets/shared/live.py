"""Views of training in progress, drawn from events: the phase, progress bars and curves."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from ipywidgets import HTML

from tl_widgets.core.events import Event
from tl_widgets.core.model_name import find_model, heading_of
from tl_widgets.core.numbers import duration_text
from tl_widgets.core.translation import _, in_english
from tl_widgets.records.comparison import RunResult
from tl_widgets.widgets.shared.html import escape, progress

UPDATES_PER_SECOND = 7  # Jupyter drops messages above about 1,000 a second, and nobody can read even 7


class ProgressView(HTML):
    """The phase as text, and a progress bar for each model."""

    def __init__(self) -> None:
        super().__init__()
        self._text, self._latest = "", dict[str, Event]()
        self._fetch: Event | None = None
        self._repeat: Event | None = None
        self._left: float | None = None  # seconds

    def start(self, models: tuple[str, ...]) -> None:
        """Show an empty bar for each model."""
        self._latest = {model: Event("load", _("waiting"), model, 0, 1) for model in models}
        self._repeat = None
        self.show_text(_("getting ready"))

    def add_event(self, event: Event) -> None:
        """Record an event; `draw` shows it."""
        name = f"{model.heading}: " if (model := find_model(event.model)) else ""
        self._text = f"{name}{event.text}"
        self._fetch = event if event.phase in ("download", "decode") else None
        self._repeat = event if event.phase == "study" else self._repeat
        self._left = event.seconds_left if event.phase != "done" else None
        if event.model in self._latest:
            self._latest[event.model] = event

    def show_text(self, text: str) -> None:
        """Show the name of a new phase."""
        self._text, self._left = text, None
        self.draw()

    def draw(self) -> None:
        """Show the current progress."""
        # What is left is for all models together, so it stands in the line above, once.
        latest = {name: replace(event, seconds_left=None) for name, event in self._latest.items()}
        bars = "".join(progress(heading_of(name), *event_numbers(event)) for name, event in latest.items())
        if self._repeat is not None:
            # The line above says what the repeat is doing; next to the bar there is no room.
            repeat = replace(self._repeat, text=self._repeat.text.split(":")[0])
            is_fold = "fold" in in_english(self._repeat.text)
            bars += progress(_("Folds") if is_fold else _("Repeats"), *event_numbers(repeat))
        if self._fetch is not None:
            left = self._fetch.seconds_left
            text = _("about {left} left", left=duration_text(left)) if left else ""
            bars = progress(_("Fetching"), self._fetch.n_done, self._fetch.n_total, text) + bars
        is_said = self._repeat is not None or self._fetch is not None or not self._latest
        phase = self._text
        if self._left and not is_said:
            phase += _(" · about {left} left", left=duration_text(self._left))
        self.value = f'<p class="tlw-phase">{escape(phase)}</p>{bars}'

    def finish(self, text: str, runs: tuple[RunResult, ...]) -> None:
        """Show the outcome, and the trained models as done or stopped, also cached ones, which send no events."""
        self._fetch = self._repeat = None
        self._latest = {}
        for run in runs:
            status = _("stopped") if run.stopped else _("done")
            n_done = 0 if run.stopped else 1
            self._latest[run.name] = Event("done", status, run.name, n_done, 1, seconds=run.seconds.total)
        self.show_text(text)

    def clear(self) -> None:
        """Show nothing."""
        self._text, self._latest, self._fetch, self._repeat = "", {}, None, None
        self.value = ""

    def fail(self, text: str) -> None:
        """Show that the run ended without a result."""
        self._latest, self._fetch, self._repeat = {}, None, None
        self.show_text(text)


def event_numbers(event: Event) -> tuple[int, int, str]:
    """Return what a progress bar shows of an event: done, total, text."""
    # `epoch` counts those that are done; while the next one goes on, the event has no metrics yet.
    epoch = min(event.epoch + (not event.metrics), event.n_epochs)
    descriptions = {
        "train": _("epoch {epoch} of {n_epochs}", epoch=epoch, n_epochs=event.n_epochs),
        "features": _("features {n_done} of {n_total}", n_done=event.n_done, n_total=event.n_total),
        "evaluate": _("testing {n_done} of {n_total}", n_done=event.n_done, n_total=event.n_total),
    }
    parts = [descriptions.get(event.phase, event.text)]
    if event.seconds:
        parts.append(duration_text(event.seconds))
    if event.phase != "done" and event.seconds_left:
        parts.append(_("about {seconds_left} left", seconds_left=duration_text(event.seconds_left)))
    return event.n_done, event.n_total, " · ".join(parts)


class Throttle:
    """Limits drawing to `UPDATES_PER_SECOND`, longest-waiting view first; `flush` draws the rest."""

    def __init__(self) -> None:
        self._waiting: dict[str, Callable[[], None]] = {}
        self._last = 0.0

    def offer(self, name: str, draw: Callable[[], None]) -> None:
        """Draw now if enough time has passed, otherwise later; replace a waiting drawing of the same name."""
        self._waiting[name] = draw
        if time.monotonic() - self._last >= 1 / UPDATES_PER_SECOND:
            self._waiting.pop(next(iter(self._waiting)))()
            # Measured after drawing, so the time for drawing does not shorten the pause.
            self._last = time.monotonic()

    def flush(self) -> None:
        """Draw everything that still waits."""
        while self._waiting:
            self._waiting.pop(next(iter(self._waiting)))()
