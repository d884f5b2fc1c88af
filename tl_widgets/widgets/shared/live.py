"""What is seen while models train: phase, progress bars and curves, drawn from events."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace

from ipywidgets import HTML

from tl_widgets.core.events import Event
from tl_widgets.core.model_name import ModelName, find_model, heading_of
from tl_widgets.core.numbers import duration_text
from tl_widgets.records.comparison import History, RunResult
from tl_widgets.widgets.shared.html import empty, escape, progress

_WIDTH = 800
UPDATES_PER_SECOND = 7  # beyond about 1,000 messages a second Jupyter drops some; nobody can read 7


class ProgressView(HTML):
    """The phase in words, and one bar for each model."""

    def __init__(self) -> None:
        super().__init__()
        self._text, self._latest = "", dict[str, Event]()
        self._fetch: Event | None = None
        self._repeat: Event | None = None

    def start(self, models: tuple[str, ...]) -> None:
        """Show empty bars.

        Args:
            models: that will train.
        """
        self._latest = {model: Event("load", "waiting", model, 0, 1) for model in models}
        self._repeat = None
        self.say("getting ready")

    def note(self, event: Event) -> None:
        """Remember what an event says; `draw` shows it."""
        name = f"{model.heading}: " if (model := find_model(event.model)) else ""
        self._text = f"{name}{event.text}"
        self._fetch = event if event.phase in ("download", "decode") else None
        self._repeat = event if event.phase == "study" else self._repeat
        if event.model in self._latest:
            self._latest[event.model] = event

    def say(self, text: str) -> None:
        """Show another phase."""
        self._text = text
        self.draw()

    def draw(self) -> None:
        """Show what is known now."""
        bars = "".join(progress(heading_of(name), *event_numbers(event)) for name, event in self._latest.items())
        if self._repeat is not None:
            # What a repeat is busy with stands above; beside the bar there is no room for it.
            repeat = replace(self._repeat, text=self._repeat.text.split(":")[0])
            bars += progress("Repeats", *event_numbers(repeat))
        if self._fetch is not None:
            left = self._fetch.seconds_left
            text = f"about {duration_text(left)} left" if left else ""
            bars = progress("Fetching", self._fetch.n_done, self._fetch.n_total, text) + bars
        self.value = f'<p class="tlw-phase">{escape(self._text)}</p>{bars}'

    def finish(self, text: str, runs: tuple[RunResult, ...]) -> None:
        """Show how it ended.

        Args:
            text: in words.
            runs: the models that came to be trained; a kept one has sent no event.
        """
        self._fetch = self._repeat = None
        for run in runs:
            word = "stopped" if run.stopped else "done"
            n_done = 0 if run.stopped else 1
            self._latest[run.name] = Event("done", word, run.name, n_done, 1, seconds=run.seconds.total)
        self.say(text)

    def clear(self) -> None:
        """Show nothing."""
        self._text, self._latest, self._fetch, self._repeat = "", {}, None, None
        self.value = ""

    def fail(self, text: str) -> None:
        """Show that nothing came of it."""
        self._latest, self._fetch, self._repeat = {}, None, None
        self.say(text)


def event_numbers(event: Event) -> tuple[int, int, str]:
    """What a progress bar says of an event: (how much, of how much, in words)."""
    words = {
        "train": f"epoch {event.epoch} of {event.n_epochs}",
        "features": f"features {event.n_done} of {event.n_total}",
        "evaluate": f"testing {event.n_done} of {event.n_total}",
    }
    parts = [words.get(event.phase, event.text)]
    if event.seconds:
        parts.append(duration_text(event.seconds))
    if event.phase != "done" and event.seconds_left:
        parts.append(f"about {duration_text(event.seconds_left)} left")
    return event.n_done, event.n_total, " · ".join(parts)


class CurvesView(HTML):
    """Accuracy by epoch of all models, live."""

    def __init__(self) -> None:
        super().__init__(empty("Press “Train both”: the curves of both models appear here, epoch by epoch."))
        self.add_class("tlw-figure")
        self._histories: dict[str, History] = {}
        self._start = 0
        self._frames: dict[object, object] = {}

    def start(
        self,
        names: tuple[str, ...],
        *,
        n_epochs: int,
        backbone: str,
        chance: float,
        fine_tuning_start: int = 0,
        seed: int | None = None,
    ) -> None:
        """Begin with no curve.

        Args:
            names: the models.
            n_epochs: of the longest.
            backbone: its name.
            chance: accuracy of guessing, 0..1.
            fine_tuning_start: epochs of the frozen stage, where a fine-tuned model goes on from there.
            seed: of these curves, where they are one of several.
        """
        from tl_widgets.plots.comparison import LiveCurves

        # Laying out a figure takes longer than training a head: frames are used again.
        key = (names, n_epochs, backbone, chance, fine_tuning_start, seed)
        if key not in self._frames:
            if len(self._frames) >= 4:  # each holds 6 MB of pixels
                self._frames.clear()
            self._frames[key] = LiveCurves(
                n_epochs, names=names, backbone=backbone, chance=chance, fine_tuning_start=fine_tuning_start, seed=seed
            )
        self._curves, self._start = self._frames[key], fine_tuning_start
        self._histories = {}

    def note(self, event: Event) -> bool:
        """Add an epoch; tell whether there was one to add."""
        if event.phase != "train" or not event.metrics or not event.model:
            return False
        old = self._histories.get(event.model, self._before(event.model))
        longer = {name: (*getattr(old, name), value) for name, value in event.metrics.items()}
        self._histories[event.model] = replace(old, **longer)
        return True

    def _before(self, model: str) -> History:
        """What a curve begins with: nothing, or for a fine-tuned model the frozen stage."""
        if model != ModelName.FINE_TUNED:
            return History()
        # A transfer model that was kept has sent no event: then the curve begins in the air.
        unknown = (math.nan,) * self._start
        return self._histories.get(ModelName.TRANSFER, History(unknown, unknown, unknown, unknown))

    def show(self, runs: tuple[RunResult, ...]) -> None:
        """Show finished curves, whatever the events said (a run that was kept sends none)."""
        self._histories = {run.name: run.history for run in runs}
        self.draw()

    def draw(self) -> None:
        """Show what is known now."""
        if self._histories:
            self.value = self._curves.html(self._histories, _WIDTH)  # type: ignore[attr-defined]


class Throttle:
    """Lets at most `UPDATES_PER_SECOND` views be drawn, the ones that waited longest first; `flush` draws the rest."""

    def __init__(self) -> None:
        self._waiting: dict[str, Callable[[], None]] = {}
        self._last = 0.0

    def offer(self, name: str, draw: Callable[[], None]) -> None:
        """Draw now if it is time, else later; a newer offer of the same name takes the place of an older one."""
        self._waiting[name] = draw
        if time.monotonic() - self._last >= 1 / UPDATES_PER_SECOND:
            self._waiting.pop(next(iter(self._waiting)))()
            # After drawing: what drawing costs must not eat the pause.
            self._last = time.monotonic()

    def flush(self) -> None:
        """Draw all that still waits."""
        while self._waiting:
            self._waiting.pop(next(iter(self._waiting)))()
