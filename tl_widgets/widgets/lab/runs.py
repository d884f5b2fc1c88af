"""LabRun, and RunsView: the table of runs, from which to restore a run or compare two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ipywidgets import HTML, Button, Dropdown, VBox

from tl_widgets.core.html import Markup
from tl_widgets.core.model_name import ModelName, heading_of
from tl_widgets.core.numbers import count_text, interval_text, number_text, percent
from tl_widgets.core.translation import _, ngettext
from tl_widgets.data.archives import printable
from tl_widgets.plots.labels import Score, chance_level, scores_of
from tl_widgets.plots.race import race_chart
from tl_widgets.plots.racers import Race, Racer
from tl_widgets.records.comparison import Comparison, History
from tl_widgets.records.provenance import NO_EDITS, Origin
from tl_widgets.widgets.shared.fields import STYLE, SureButton, row
from tl_widgets.widgets.shared.html import empty, note, table
from tl_widgets.widgets.shared.picture import Picture
from tl_widgets.widgets.shared.settings import LabSettings, differences

_TITLES = {
    "n_per_class": _("images per class"),
    "kernel_sizes": _("kernel sizes"),
    "control": _("control model"),
    "fine_tune_blocks": _("fine-tuned blocks"),
}


@dataclass(frozen=True)
class LabRun:
    """A run of a Lab.

    Attributes:
        number: from 1.
        settings: the settings that it used.
        result: the comparison, without models.
        source: name of the record that it was loaded from; "" for a run of this Lab.
    """

    number: int
    settings: LabSettings
    result: Comparison
    source: str = ""

    @property
    def title(self) -> str:
        """The title in a menu."""
        scores = scores_of(self.result) if self.result.runs else {}
        shares = [percent(scores[name].accuracy) for name in (ModelName.SCRATCH, ModelName.TRANSFER) if name in scores]
        if len(shares) == 2:
            shares = [_("{scratch} against {transfer}", scratch=shares[0], transfer=shares[1])]
        loaded = _(" (loaded)") if self.source else ""
        return _(
            "Run {n}{loaded}: {result}", n=self.number, loaded=loaded, result=shares[0] if shares else _("stopped")
        )


class RunsView(VBox):
    """The table of runs, a menu to restore the settings of one, and the curves of two.

    Args:
        restore: called with the settings to restore.
        forget: called to forget all runs.
    """

    def __init__(self, restore: Callable[[LabSettings], None], forget: Callable[[], None]) -> None:
        self._runs: tuple[LabRun, ...] = ()
        self._restore = restore
        self._table, self._kept = HTML(), HTML()
        self.run_menu = Dropdown(description=_("Run"), style=STYLE)
        self.overlay_menu = Dropdown(description=_("Overlay with"), style=STYLE)
        self.restore_button = Button(description=_("Restore its settings"), icon="undo")
        self.restore_button.on_click(lambda _: self._restore_chosen())
        self.forget_button = SureButton(
            _("Forget all runs"),
            _("Empty the list, and delete what is kept of these runs"),
            lambda: ngettext("Really forget {n} run?", "Really forget {n} runs?", len(self._runs)),
            forget,
        )
        self._figure = Picture(reports_size=True)
        self._row = row(self.run_menu, self.restore_button, self.overlay_menu, self.forget_button)
        for menu in (self.run_menu, self.overlay_menu):
            menu.observe(self._overlay, "value")
        self._figure.observe(self._overlay, "size")
        super().__init__([self._table, self._row, self._kept, self._figure])
        self.show(())

    def show_kept(self, sentences: str) -> None:
        """Say where the runs are kept."""
        self._kept.value = note(sentences)

    def show(self, runs: tuple[LabRun, ...]) -> None:
        """Show these runs and choose the newest."""
        self._runs = runs
        self.forget_button.reset()
        self._row.layout.display = "" if runs else "none"
        if not runs:
            self._table.value, self._figure.markup = empty(_("No run yet: every run will have a row here.")), ""
            return
        self._table.value = _table(runs)
        options = [(run.title, run.number) for run in runs]
        chosen = self.overlay_menu.value
        with self.hold_trait_notifications():
            self.run_menu.options = options
            self.run_menu.value = runs[-1].number
            self.overlay_menu.options = [(_("none"), 0), *options]
            self.overlay_menu.value = chosen if self._find(chosen or 0) else 0

    def _find(self, number_: int) -> LabRun | None:
        return next((run for run in self._runs if run.number == number_), None)

    def _restore_chosen(self) -> None:
        run = self._find(self.run_menu.value)
        if run is not None:
            self._restore(run.settings)

    def _overlay(self, _: dict[str, Any]) -> None:
        first, second = self._find(self.run_menu.value), self._find(self.overlay_menu.value)
        if first is None or second is None or first is second:
            self._figure.markup = ""
            return
        width = min(max(self._figure.size[0] // 20 * 20, 300), 640) if self._figure.size else 640
        self._figure.markup = overlay(first, second, width=width)


def _table(runs: tuple[LabRun, ...]) -> str:
    columns = differences([run.settings for run in runs])
    if len({run.result.dataset.origin.edits if run.result.dataset.origin else NO_EDITS for run in runs}) > 1:
        columns[_("changes to the images")] = [_edits_text(run.result.dataset.origin) for run in runs]
    names = [_TITLES.get(name, name.replace("_", " ")) for name in columns]
    shown = [
        ModelName.SCRATCH,
        ModelName.TRANSFER,
        *([ModelName.FINE_TUNED] if any(run.result.fine_tuned for run in runs) else []),
    ]
    head = [_("Run"), *names, *(heading_of(name) for name in shown), _("Parameters trained"), _("Seconds")]
    rows = []
    for i, run in enumerate(runs):
        scores = scores_of(run.result) if run.result.runs else {}
        done = [model for model in run.result.runs if model.name in shown]
        reached = [_score(run.result, name, scores) for name in shown]
        values = [_value(name, column[i]) for name, column in columns.items()]
        params = Markup("<br>").join(
            _(
                "{trainable} of {total}",
                trainable=count_text(model.params.trainable),
                total=count_text(model.params.total),
            )
            for model in done
        )
        cost = Markup("<br>").join(number_text(model.seconds.total, ".1f") for model in done)
        loaded = (
            Markup(_(" <small>loaded from {source}</small>")).format(source=printable(run.source)) if run.source else ""
        )
        rows.append([Markup("{}{}").format(run.number, loaded), *values, *reached, params, cost])
    numeric = range(len(head) - 2, len(head))
    return table(_("Runs: the settings that differ, and the results"), head, rows, numeric=numeric)


def _edits_text(origin: Origin | None) -> str:
    """Return what was changed in a learner's images, in a few words."""
    if origin is None or not origin.edits:
        return _("none")
    edits = origin.edits
    parts = [_("{folder} is called {name}", folder=folder, name=name) for folder, name in edits.renamed]
    parts += [_("without {folder}", folder=folder) for folder in edits.dropped]
    if edits.left_out:
        parts.append(_("{n_left_out} left out", n_left_out=count_text(len(edits.left_out))))
    if edits.groups:
        parts.append(_("groups: {groups}", groups=edits.groups))
    if edits.together:
        parts.append(_("{n_together} sets kept together", n_together=count_text(len(edits.together))))
    return ", ".join(parts)


def _value(name: str, value: Any) -> str:
    if value is None:
        return _("random") if name == "weights" else _("all")
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        return number_text(value)
    return str(value)


def _score(result: Comparison, name: str, scores: dict[str, Score]) -> str:
    if name not in scores:
        return _("stopped") if name in result.config.model_names else ""
    score = scores[name]
    part, accuracies = score.parts
    seeds = ""
    if accuracies:
        n = len(accuracies)
        seeds = ngettext("; {n} fold", "; {n} folds", n) if part == "fold" else ngettext("; {n} seed", "; {n} seeds", n)
    return Markup("<b>{}</b> <small>({}{})</small>").format(
        percent(score.accuracy), interval_text(score.interval), seeds
    )


def overlay(first: LabRun, second: LabRun, *, width: int = 640) -> str:
    """Return the validation curves of two runs as HTML, the first solid and the second as its ghost."""
    histories = [{result.name: result.history for result in run.result.runs} for run in (first, second)]
    scores = scores_of(first.result)
    racers = tuple(
        Racer(name, histories[0].get(name, History()), ghost=histories[1].get(name, History()), score=scores.get(name))
        for name in ModelName
        if name in histories[0] or name in histories[1]
    )
    text = _(
        "Run {first_number}; run {second_number} is dashed.", first_number=first.number, second_number=second.number
    )
    return race_chart(Race(racers, chance=chance_level(first.result.runs), note=text), width=width, height=250)
