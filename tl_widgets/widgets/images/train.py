"""TrainView, the middle of the tab "My pictures": what there is to train on, what it costs, and what to know before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ipywidgets import HTML, Button, Checkbox, VBox

from tl_widgets.collections.collection import ImageCollection
from tl_widgets.core.numbers import count_text, rough_duration
from tl_widgets.core.translation import _, ngettext
from tl_widgets.data.alike import find_alike
from tl_widgets.data.dataset import ImageDataset, LoadReport, first_few
from tl_widgets.data.groups import Grouping
from tl_widgets.data.quality import check_dataset
from tl_widgets.records.comparison import Diagnosis
from tl_widgets.widgets.images.gallery import Edit
from tl_widgets.widgets.images.together import TogetherView
from tl_widgets.widgets.shared.costs import DataFacts, n_train
from tl_widgets.widgets.shared.fields import STYLE
from tl_widgets.widgets.shared.html import escape
from tl_widgets.widgets.shared.settings import LabSettings
from tl_widgets.widgets.shared.source import Counts

SMALL_TEST = 30  # test images; below, chance decides too much
N_FOLDS = 5
_TEST_SHARE = 4  # a quarter of the images is for the test, unless the folder says otherwise
_SHOWN = 50  # maximum number of skipped files in a list


@dataclass(frozen=True)
class Reading:
    """A collection with the data set built from it, or the problem that prevented it.

    Attributes:
        alike: sets of files that look almost the same and may be on both sides of the split.
        groupings: usual ways to group the files.
    """

    collection: ImageCollection
    dataset: ImageDataset | None = None
    warnings: tuple[Diagnosis, ...] = ()
    problem: str = ""
    alike: tuple[tuple[str, ...], ...] = ()
    groupings: tuple[Grouping, ...] = ()

    @staticmethod
    def of(collection: ImageCollection, dataset: ImageDataset) -> Reading:
        """Check a data set that was built from a collection."""
        warnings, edits = check_dataset(dataset), collection.edits
        crosses = any(warning.kind == "near_duplicates" for warning in warnings)
        alike = find_alike(dataset) if crosses or not edits.has_groups else ()
        groupings = () if collection.has_splits else collection.groupings(alike)
        return Reading(collection, dataset, warnings, alike=alike, groupings=groupings)

    @property
    def facts(self) -> DataFacts | None:
        """The facts about the data set; None without one."""
        return Counts.of(self.dataset).facts(self.dataset.name, None) if self.dataset else None


class TrainView(VBox):
    """A button that trains on the pictures, with its cost and advice.

    Attributes:
        folds_tick: whether to cross-validate, which tests every picture; shown if the test is small.

    Args:
        train, use: called when their button is pressed.
        fold: called with the number of folds that the user chooses.
        change: receives an edit that keeps pictures together or leaves copies out.
    """

    def __init__(
        self,
        train: Callable[[], object],
        use: Callable[[], object],
        fold: Callable[[int], None],
        change: Callable[[Edit], object],
    ) -> None:
        self._is_setting = False
        self._groupings: tuple[Grouping, ...] = ()
        self.train_button = Button(description=_("Train on these"), button_style="primary", icon="play")
        self.use_button = Button(
            description=_("Use these images"), icon="check", tooltip=_("Use them, and train later")
        )
        text = _("Test every picture once, in {n_folds} folds", n_folds=N_FOLDS)
        self.folds_tick = Checkbox(False, description=text, indent=False, style=STYLE)
        self._small, self.report = HTML(), HTML()
        self._counts = HTML()
        title = HTML(_('<h4 class="tlw-title"><span aria-hidden="true">→ </span>Train</h4>'))
        self.together = TogetherView(change)
        super().__init__([
            title, self.train_button, self._counts, self.together, self._small, self.folds_tick, self.use_button,
            self.report,
        ])  # fmt: skip
        self.add_class("tlw-train")
        self.train_button.on_click(lambda _: train())
        self.use_button.on_click(lambda _: use())
        self.folds_tick.observe(lambda change: self._ticked(fold, change["new"]), "value")
        self.show(None, LabSettings(), None)
        self.report.value = _('<p class="tlw-note">Two classes with three pictures each are enough to begin.</p>')

    def show_enabled(self, enabled: bool) -> None:
        """Enable or disable the buttons."""
        self.train_button.disabled = self.use_button.disabled = self.folds_tick.disabled = not enabled
        self.together.show_enabled(enabled)

    def show(self, reading: Reading | None, settings: LabSettings, seconds: float | None) -> None:
        """Show what would be trained on with these settings, and what it costs; None for unread pictures."""
        self.train_button.description = (
            _("Train on these · {seconds}", seconds=rough_duration(seconds)) if seconds else _("Train on these")
        )
        facts = reading.facts if reading else None
        self._counts.value = _counts_html(facts, settings) if facts else ""
        n_test = facts.n_test if facts else SMALL_TEST
        is_split = reading is not None and reading.collection.has_splits
        self._small.value = _small_html(n_test, is_split) if n_test < SMALL_TEST else ""
        self.folds_tick.layout.display = "" if n_test < SMALL_TEST else "none"
        self._show_together(reading)
        self._is_setting = True
        self.folds_tick.value = settings.config.folds > 1
        self._is_setting = False

    def show_report(self, reading: Reading) -> None:
        """Show what was read and what was not."""
        self.report.value = _report_html(reading)

    def _show_together(self, reading: Reading | None) -> None:
        if reading is None:
            self.together.show(None, None, 0, ())
            return
        if reading.dataset is not None:  # otherwise, the last ones help to take back what made the split impossible
            self._groupings = reading.groupings
        n_copies = sum(len(members) - 1 for members in reading.alike)
        self.together.show(reading.collection, reading.dataset, n_copies, self._groupings)

    def _ticked(self, fold: Callable[[int], None], is_on: bool) -> None:
        if not self._is_setting:
            fold(N_FOLDS if is_on else 1)


def _counts_html(facts: DataFacts, settings: LabSettings) -> str:
    n = facts.n_train
    if settings.n_per_class is not None and settings.n_per_class <= facts.max_per_class:
        n = n_train(settings, facts)
    of_all = _(" of {n_train}", n_train=count_text(facts.n_train)) if n < facts.n_train else ""
    more = _("; <b>Images per class</b> is {n_per_class}", n_per_class=settings.n_per_class) if of_all else ""
    return _(
        "<p>{n}{of_all} to train on{more}. {n_validation} for validation, {n_test} for the final test.</p>",
        n=count_text(n),
        of_all=of_all,
        more=more,
        n_validation=count_text(facts.n_validation),
        n_test=count_text(facts.n_test),
    )


def _small_html(n_test: int, has_splits: bool) -> str:
    cure = (
        _("Put {small_test} into the test folders.", small_test=SMALL_TEST)
        if has_splits
        else _(
            "{test_share} pictures in all would give {small_test}.",
            test_share=_TEST_SHARE * SMALL_TEST,
            small_test=SMALL_TEST,
        )
    )
    few = ngettext("Only {n} test picture:", "Only {n} test pictures:", n_test)
    return _(
        '<p class="tlw-small"><b>{few}</b> one more right answer moves the result by {points:.0f} percentage points. '
        "{cure} Or train {n_folds} times, each time without another fifth of the pictures, on which that model is "
        "then tested.</p>",
        few=few,
        points=100 / n_test,
        cure=cure,
        n_folds=N_FOLDS,
    )


def _report_html(reading: Reading) -> str:
    """Return HTML that says what was read, what was not and why, with warnings about the data set."""
    if reading.dataset is None:
        return _(
            '<p class="tlw-live" role="status"><b>Not ready to train on yet.</b> {problem}</p>',
            problem=escape(reading.problem),
        )
    report = reading.dataset.report or LoadReport(0)
    lines = [_("Read {n_read} images.", n_read=count_text(report.n_read)), *map(escape, report.notes)]
    warnings = "".join(
        f"<li>{escape(issue.text)} <i>{escape(_advice(issue, reading))}</i></li>" for issue in reading.warnings
    )
    text = f'<p class="tlw-note">{" ".join(lines)}</p>'
    if warnings:
        lead = _("Before you train:")
        text = f'<div class="tlw-warnings"><b>{lead}</b><ul class="tlw-notes">{warnings}</ul></div>{text}'
    if report.duplicates:
        duplicates = first_few(
            [_("{name} equals {other}", name=name, other=other) for name, other in report.duplicates]
        )
        text += _(
            '<p class="tlw-note">Used only once, because their content is the same: {duplicates}.</p>',
            duplicates=escape(duplicates),
        )
    if report.skipped:
        items = "".join(f"<li>{escape(name)}: {escape(reason)}</li>" for name, reason in report.skipped[:_SHOWN])
        more = len(report.skipped) - _SHOWN
        items += _("<li>and {more} more</li>", more=count_text(more)) if more > 0 else ""
        text += _(
            "<details open><summary>Skipped {skipped_count}</summary><ul>{items}</ul></details>",
            skipped_count=report.skipped_count,
            items=items,
        )
    return text


def _advice(issue: Diagnosis, reading: Reading) -> str:
    if issue.kind != "near_duplicates":
        return issue.advice
    return _("Look at them. ") + (
        _("“Leave copies out” uses one of each.")
        if reading.collection.has_splits
        else _("“Leave copies out” uses one of each; “Keep together” keeps them on one side of the split.")
    )
