"""Progress of a study: one bar for all models, and one for the current step."""

from __future__ import annotations

import time

from ipywidgets import HTML

from tl_widgets.core.events import Event, seconds_left
from tl_widgets.core.model_name import find_model, word_of
from tl_widgets.core.numbers import duration_text
from tl_widgets.core.translation import _
from tl_widgets.widgets.shared.html import escape, progress
from tl_widgets.widgets.shared.live import event_numbers

_FINE = 100  # parts of a model's share of the bar
_STEPS = ("download", "decode", "features", "train", "evaluate")


class StudyProgress(HTML):
    """Two bars and a line of text, drawn from events."""

    def __init__(self) -> None:
        super().__init__()
        self.clear()

    def clear(self) -> None:
        """Show nothing."""
        self._text, self._n_models, self._n_done = "", 0, 0
        self._study: Event | None = None
        self._step: Event | None = None
        self._shares: dict[str, float] = {}
        self.value = ""

    def start(self, n_models: int) -> None:
        """Start a study that will train this many models."""
        self.clear()
        self._n_models, self._started = n_models, time.monotonic()
        self.show_text(_("getting ready"))

    def add_event(self, event: Event) -> None:
        """Store an event; `draw` shows it."""
        if event.phase == "study":
            self._study, self._step = event, None
        elif event.phase == "done":
            self._step = None
            # Studies with many points report their own count; in the others, each model reports when it is done.
            self._n_done = min(self._n_done + bool(event.model), self._n_models)
            self._shares.pop(event.model, None)
            return
        else:
            if event.phase == "train" and event.n_total:
                self._shares[event.model] = event.n_done / event.n_total  # models train in turn
            self._step = event if event.phase in _STEPS else None
        self._text = event.text

    def show_text(self, text: str) -> None:
        """Show another line of text."""
        self._text = text
        self.draw()

    def draw(self) -> None:
        """Show the current progress."""
        bars = progress(_("Whole study"), *self._study_numbers()) if self._n_models else ""
        if self._step is not None:
            model = find_model(self._step.model)
            name = word_of(self._step.model).replace("_", " ")
            label = model.heading if model else name[:1].upper() + name[1:] or _("This step")
            bars += progress(label, *event_numbers(self._step))
        self.value = f'<p class="tlw-phase">{escape(self._text)}</p>{bars}'

    def _study_numbers(self) -> tuple[int, int, str]:
        if self._study is not None:
            n_done, n_total, left = self._study.n_done, self._study.n_total, self._study.seconds_left
            at = n_done * _FINE
        else:
            n_total, n_done = self._n_models, self._n_done
            at = min(round((n_done + sum(self._shares.values())) * _FINE), n_total * _FINE)
            left = seconds_left(time.monotonic() - self._started, at, n_total * _FINE)
        parts = [
            _("{n_done} of {n_total}", n_done=n_done, n_total=n_total),
            duration_text(time.monotonic() - self._started),
        ]
        if left:
            parts.append(_("about {left} left", left=duration_text(left)))
        return at, n_total * _FINE, " · ".join(parts)

    def finish(self, text: str) -> None:
        """Show how the run ended and how long it took."""
        elapsed = duration_text(time.monotonic() - self._started)
        self.clear()
        self.show_text(_("{text} It took {elapsed}.", text=text, elapsed=elapsed))
