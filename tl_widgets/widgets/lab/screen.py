"""Everything of a Lab that is on the screen beside its controls, and how each piece of news changes it."""

from __future__ import annotations

from collections.abc import Callable

from ipywidgets import HTML, Button, Checkbox, HBox, Tab, Widget

from tl_widgets.core.events import Cancel, Event, is_cancelled, raise_if_cancelled
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import interval_text, percent
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.plots.labels import chance_level
from tl_widgets.records.comparison import Comparison, RunResult
from tl_widgets.widgets.lab.code import CodeView
from tl_widgets.widgets.lab.predictions import PredictionsView
from tl_widgets.widgets.lab.runs import LabRun, RunsView
from tl_widgets.widgets.lab.save import Load, SaveView
from tl_widgets.widgets.lab.try_picture import TryView
from tl_widgets.widgets.shared.app import AppScreen
from tl_widgets.widgets.shared.fields import STYLE
from tl_widgets.widgets.shared.html import empty, escape
from tl_widgets.widgets.shared.live import CurvesView, ProgressView
from tl_widgets.widgets.shared.settings import LabSettings
from tl_widgets.widgets.shared.source import DataSource
from tl_widgets.widgets.shared.views import FigureView, LedgerView, verdict

_TITLE = (
    '<h3 class="tlw-heading">Transfer learning lab</h3>'
    '<p class="tlw-lead">Two models, the same images: one starts from nothing, the other from what it learned '
    "elsewhere. Choose, train, and compare.</p>"
)
_STUDIES = (
    '<p class="tlw-note">One run is one number. How much data, how much time, which backbone, what goes wrong: '
    "<code>tl_widgets.StudyLab()</code> in a new cell measures it with many models.</p>"
)


class LabScreen(AppScreen[ProgressView]):
    """The widgets of a Lab. It decides nothing: the app calls its methods.

    Args:
        panel: the controls, which stand on top.
        source: where the images come from.
        restore: called with the settings of a run to go back to.
        load: called with the name and the bytes of a record to bring back.
        images: the tab of a learner's own images; None for a Lab whose data set is given.
    """

    def __init__(
        self,
        panel: Widget,
        source: DataSource,
        restore: Callable[[LabSettings], None],
        load: Load,
        images: Widget | None = None,
    ) -> None:
        super().__init__("Train both", ProgressView(), " The last finished result is still shown below.")
        self.reset_button = Button(description="Reset", icon="undo", tooltip="Put the controls back")
        text = "Live: train the transfer head again at every change"
        self.live_tick = Checkbox(False, description=text, indent=False, style=STYLE)
        actions = HBox([self.run_button, self.stop_button, self.reset_button, self.live_tick])
        actions.add_class("tlw-actions")
        self.live_line, self.verdict = HTML(), HTML()
        self.verdict.add_class("tlw-outcome")
        self.curves, self.ledger, self.confusion = CurvesView(), LedgerView(source=source), FigureView()
        self.predictions = PredictionsView()
        self.confusion.value = empty("After training: which class each model takes for which.")
        self.code, self.runs = CodeView(source), RunsView(restore)
        self.trial, self.save = TryView(), SaveView(load)
        views = {
            **({"Images": images} if images is not None else {}),
            "Curves": self.curves,
            "Parameters": self.ledger,
            "Predictions": self.predictions,
            "Confusion": self.confusion,
            "Code": self.code,
            "Runs": self.runs,
            "Try a picture": self.trial,
            "Save": self.save,
        }
        # Before anything is trained, the parameters are what there is to see.
        self.tabs = Tab(list(views.values()), titles=list(views), selected_index=list(views).index("Parameters"))
        self.tabs.add_class("tlw-tabs")
        self._n_live = 0
        top = [HTML(_TITLE), panel, actions, self.progress, self.message]
        self.children = [*top, self.verdict, self.live_line, self.tabs, HTML(_STUDIES), self.state_mark]

    def show_settings(self, settings: LabSettings) -> None:
        """Bring parameters and script to the settings."""
        self.ledger.show_settings(settings)
        self.code.show_settings(settings)

    def show_curves_tab(self) -> None:
        """Turn to the curves, where training is to be seen."""
        self.tabs.selected_index = self.tabs.titles.index("Curves")

    def show_running(self, running: bool) -> None:
        """Enable and disable the buttons; turn to the curves when training starts."""
        super().show_running(running)
        for widget in (self.reset_button, self.live_tick, self.runs.restore_button):
            widget.disabled = running
        self.trial.enabled = self.save.enabled = not running
        if running:
            self.live_line.value = ""
            self.show_curves_tab()

    def start(self, names: tuple[str, ...], settings: LabSettings, dataset: ImageDataset, n_epochs: int) -> None:
        """Prepare the curves.

        Args:
            names: of the models.
            settings: of the run.
            dataset: its images.
            n_epochs: of the longest curve but a fine-tuned model's, which goes on from there.
        """
        tuning = settings.config.fine_tuning if ModelName.FINE_TUNED in names else None
        labels = dataset.test.labels.tolist()
        chance = max(labels.count(label) for label in set(labels)) / len(labels)
        self.curves.start(
            names,
            n_epochs=n_epochs + (tuning.epochs if tuning else 0),
            backbone=settings.config.backbone,
            chance=chance,
            fine_tuning_start=n_epochs if tuning else 0,
            seed=settings.config.seed if settings.config.repeats > 1 else None,
        )

    def hear(self, event: Event) -> None:
        """Take an event; draw at most seven times a second."""
        if self.curves.note(event):
            self.throttle.offer("curves", self.curves.draw)
        super().hear(event)

    def hear_live(self, event: Event, cancel: Cancel) -> None:
        """Take an event of Live mode; training itself takes no time worth a word."""
        if event.phase in ("download", "decode", "features"):
            self.throttle.offer("live", lambda: self.say_live(event.text, cancel))

    def say_live(self, text: str, cancel: Cancel) -> None:
        """Say what Live mode does, unless it was told to stop: a line that waited comes late."""
        if not is_cancelled(cancel):
            self.live_line.value = f'<p class="tlw-live">{escape(text)}</p>'

    def show_runs(self, runs: tuple[LabRun, ...], comparison: Comparison) -> None:
        """Show the curves of a run that came to train something, and its row in the table."""
        self.throttle.flush()
        self.curves.show(comparison.runs)
        self.runs.show(runs)

    def show_loaded(self, run: LabRun) -> None:
        """Prepare the curves of a run whose images need not be here."""
        runs = run.result.runs
        n_epochs = max(1, *(len(each.history.accuracy) for each in runs))
        names, backbone = tuple(each.name for each in runs), run.result.config.backbone
        start = next((each.fine_tuning.start for each in runs if each.fine_tuning), 0)
        chance = chance_level(runs)
        seed = run.result.config.seed if run.result.repeats else None
        self.curves.start(
            names, n_epochs=n_epochs, backbone=backbone, chance=chance, fine_tuning_start=start, seed=seed
        )

    def show_result(self, run: LabRun, comparison: Comparison, dataset: ImageDataset | None) -> None:
        """Show what a finished run found.

        Args:
            run: its row in the table.
            comparison: its result, with the models where there are any.
            dataset: its images; None where they are not here.
        """
        from tl_widgets.plots.classes import confusion_columns
        from tl_widgets.plots.comparison import alt_text, plot_confusion

        self.has_result = True
        how = (
            "Loaded."
            if run.source
            else "Stopped: the repeats that were done are shown."
            if comparison.stopped
            else "Done."
        )
        self.progress.finish(how, comparison.runs)
        self.verdict.value = verdict(comparison, run.number, run.source)
        self.predictions.show(comparison, None if dataset is None else dataset.test.images)
        self.trial.show(comparison)
        self.save.show(comparison, dataset)
        width = 420 * confusion_columns(len(comparison.runs))
        self.confusion.show(plot_confusion(comparison), alt_text(comparison, "confusion"), width)

    def forget(self) -> None:
        """Let go of models and images."""
        self.trial.show(None)
        self.save.show(None, None)
        self.predictions.show(None, None)

    def show_empty_stop(self) -> None:
        """Say that Stop came before training began."""
        self.show_stopped(())

    def show_stopped(self, runs: tuple[RunResult, ...]) -> None:
        """Say that somebody pressed Stop.

        Args:
            runs: what was trained until then.
        """
        self.throttle.flush()
        text = "Stopped." if runs else "Stopped before training began."
        self.progress.finish(text + self.still_there, runs)

    def show_failed(self, text: str) -> None:
        """Show that nothing came of a run."""
        self.live_line.value = ""
        self.progress.fail(text)

    def show_live(self, runs: tuple[RunResult, ...], run: RunResult, note: str, cancel: Cancel) -> None:
        """Show a transfer model that Live mode has trained.

        Args:
            runs: whose curves to draw.
            run: the new one.
            note: a sentence about the curves, or nothing.
            cancel: set while the curves were drawn, nothing more is said.

        Raises:
            CancelledError: it was.
        """
        assert run.test_accuracy is not None
        assert run.test_accuracy_ci95 is not None
        self.throttle.flush()
        self.curves.show(runs)
        raise_if_cancelled(cancel)
        if self.message.value:  # of a training that failed before
            self.message.value = ""
            self.progress.clear()
        self._n_live += 1
        more = f" {escape(note)}" if note else ""
        self.live_line.value = (
            f'<p class="tlw-live" data-live="{self._n_live}">Live: {escape(run.backbone)} with a new head answers '
            f"<b>{percent(run.test_accuracy)}</b> of {len(run.labels)} test images correctly "
            f"(95% interval {interval_text(run.test_accuracy_ci95)}). "
            f"Trained in {1000 * run.seconds.train:.0f} ms.{more} “Train both” makes it a run.</p>"
        )
