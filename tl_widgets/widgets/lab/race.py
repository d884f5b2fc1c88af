"""RaceView, the curves of all models, epoch by epoch, while they train and afterwards."""

from __future__ import annotations

import math
from dataclasses import replace

from tl_widgets.core.events import Event
from tl_widgets.core.html import Markup, join
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.translation import _
from tl_widgets.plots.labels import Score
from tl_widgets.plots.race import race_chart
from tl_widgets.plots.race_classes import class_chart
from tl_widgets.plots.racers import Race, Racer
from tl_widgets.records.comparison import History, RunResult
from tl_widgets.widgets.shared.picture import Picture

_CHARTS = {"accuracy": _("accuracy"), "loss": _("loss"), "per class": _("per class")}
_SIZE = 600, 272  # CSS pixels, where the page has not said how much room there is
_BUTTONS = 28  # CSS pixels above the chart


class RaceView(Picture):
    """The chart of the race, with a choice of what it shows. The curves of the last run stay as ghosts."""

    def __init__(self) -> None:
        super().__init__(reports_size=True)
        self._chart = "accuracy"
        self.on_click(self._choose)
        self.clear()
        self.observe(lambda _: self.draw(), "size")

    def clear(self) -> None:
        """Show no curves."""
        self._images = ""
        self._race = Race((Racer(ModelName.SCRATCH), Racer(ModelName.TRANSFER)))
        self.draw()

    def start(
        self,
        names: tuple[str, ...],
        *,
        n_epochs: int,
        backbone: str,
        chance: float,
        fine_tuning_start: int = 0,
        note: str = "",
        baseline: str = _("chance"),
        images: str = "",
    ) -> None:
        """Start without curves; those that are shown now become ghosts if they are of the same images.

        Args:
            names: the models.
            n_epochs: length of the longest curve.
            backbone: its name.
            chance: accuracy of guessing, 0..1.
            fine_tuning_start: epochs of the frozen stage, if a model is fine-tuned after it.
            note: a remark below the chart.
            baseline: what `chance` is called.
            images: what the models learn from; curves of other images can't be compared.
        """
        last = {racer.name: racer.history for racer in self._race.racers} if images == self._images else {}
        self._images = images
        racers = tuple(Racer(name, ghost=last.get(name, History())) for name in names)
        self._race = Race(racers, n_epochs, chance, backbone, fine_tuning_start, self._race.status, note, baseline)

    def show_status(self, text: str) -> None:
        """Say what is going on, where there is no curve yet; "" says how to start."""
        self._race = replace(self._race, status=text)
        self.draw()

    def add_event(self, event: Event) -> bool:
        """Record an event; return whether the chart shows it."""
        if event.phase != "train" or not event.metrics:
            has_curve = any(racer.history.loss for racer in self._race.racers)
            self._race = replace(self._race, status="" if event.phase == "done" else event.text)
            return not has_curve
        racers = tuple(
            replace(racer, history=self._longer(racer, event)) if racer.name == event.model else racer
            for racer in self._race.racers
        )
        self._race = replace(self._race, racers=racers)
        return True

    def _longer(self, racer: Racer, event: Event) -> History:
        old = racer.history
        if racer.name == ModelName.FINE_TUNED and not old.loss:
            # A cached transfer model has sent no events. Then the curve starts without its frozen stage.
            unknown = (math.nan,) * self._race.fine_tuning_start
            frozen = next((r.history for r in self._race.racers if r.name == ModelName.TRANSFER), History())
            old = frozen if frozen.loss else History(unknown, unknown, unknown, unknown)
        return replace(old, **{name: (*getattr(old, name), value) for name, value in event.metrics.items()})

    def show(self, runs: tuple[RunResult, ...], scores: dict[str, Score], *, outdated: str = "") -> None:
        """Show the curves of results, since a cached run sends no events.

        Args:
            runs: the models; the others get no curve.
            scores: of the tested models.
            outdated: why the curve of the network from scratch belongs to earlier settings, as a clause.
        """
        results = {run.name: run for run in runs}
        racers = []
        for racer in self._race.racers:
            run = results.get(racer.name)
            if run is not None:
                is_same = racer.ghost == run.history
                racer = replace(
                    racer,
                    history=run.history,
                    ghost=History() if is_same else racer.ghost,
                    score=scores.get(run.name),
                    per_class=run.per_class if run.labels else (),
                    outdated=outdated if run.name == ModelName.SCRATCH else "",
                )
            racers.append(racer)
        self._race = replace(self._race, racers=tuple(racers), status="")
        self.draw()

    def draw(self) -> None:
        """Show the current state."""
        with self.drawing:
            width, height = _SIZE
            if self.size:
                width = min(max(self.size[0] // 20 * 20, 300), 640)
                height = min(max(self.size[1] - _BUTTONS, 200), height)
            if self._chart == "per class":
                chart = class_chart(self._race, width=width, height=height)
            else:
                chart = race_chart(self._race, self._chart, width=width, height=height)  # type: ignore[arg-type]
            buttons = [
                Markup('<span data-click="chart:{}" aria-pressed="{}">{}</span>').format(
                    name, str(name == self._chart).lower(), label
                )
                for name, label in _CHARTS.items()
            ]
            self.markup = Markup(
                _('<div class="tlw-charts" role="group" aria-label="What the chart shows">{buttons}</div>{chart}')
            ).format(buttons=join(buttons), chart=chart)

    def _choose(self, key: str) -> None:
        self._chart = key.removeprefix("chart:")
        self.draw()
