"""LabScreen, the widgets of a Lab other than its controls, and how they change."""

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
    '<p class="tlw-note">One run gives one number. How much data, how much time, which backbone, what goes wrong? '
    "Run <code>tl_widgets.StudyLab()</code> in a new cell to measure it with many models.</p>"
)


class LabScreen(AppScreen[ProgressView]):
    """The widgets of a Lab; `images`, the tab for a learner's own, is None if the data set is given.

    The app decides; the screen only displays.
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
        self.reset_button = Button(description="Reset", icon="undo", tooltip="Reset the controls")
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
        # Before training, only this tab has something to show.
        self.tabs = Tab(list(views.values()), titles=list(views), selected_index=list(views).index("Parameters"))
        self.tabs.add_class("tlw-tabs")
        self._n_live = 0
        top = [HTML(_TITLE), panel, actions, self.progress, self.message]
        self.children = [*top, self.verdict, self.live_line, self.tabs, HTML(_STUDIES), self.state_mark]

    def show_settings(self, settings: LabSettings) -> None:
        """Update the parameters and the script to the settings."""
        self.ledger.show_settings(settings)
        self.code.show_settings(settings)

    def show_curves_tab(self) -> None:
        """Switch to the curves, which show training in progress."""
        self.tabs.selected_index = self.tabs.titles.index("Curves")

    def show_running(self, running: bool) -> None:
        """Enable or disable the buttons; switch to the curves when training starts."""
        super().show_running(running)
        for widget in (self.reset_button, self.live_tick, self.runs.restore_button):
            widget.disabled = running
        self.trial.enabled = self.save.enabled = not running
        if running:
            self.live_line.value = ""
            self.show_curves_tab()

    def start(self, names: tuple[str, ...], settings: LabSettings, dataset: ImageDataset, n_epochs: int) -> None:
        """Prepare the curves; `n_epochs` are the epochs before fine-tuning."""
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

    def on_event(self, event: Event) -> None:
        """Record an event, and redraw if enough time has passed."""
        if self.curves.add_event(event):
            self.throttle.offer("curves", self.curves.draw)
        super().on_event(event)

    def on_live_event(self, event: Event, cancel: Cancel) -> None:
        """Show an event of Live mode, except training itself, which takes hardly any time."""
        if event.phase in ("download", "decode", "features"):
            self.throttle.offer("live", lambda: self.show_live_text(event.text, cancel))

    def show_live_text(self, text: str, cancel: Cancel) -> None:
        """Show what Live mode is doing, unless it was stopped while the text waited for its turn."""
        if not is_cancelled(cancel):
            self.live_line.value = f'<p class="tlw-live">{escape(text)}</p>'

    def show_runs(self, runs: tuple[LabRun, ...], comparison: Comparison) -> None:
        """Show the curves of a run, and the table of all runs."""
        self.throttle.flush()
        self.curves.show(comparison.runs)
        self.runs.show(runs)

    def show_loaded(self, run: LabRun) -> None:
        """Prepare the curves of a loaded run, whose images may not be available."""
        runs = run.result.runs
        n_epochs = max(1, *(len(result.history.accuracy) for result in runs))
        names, backbone = tuple(result.name for result in runs), run.result.config.backbone
        start = next((result.fine_tuning.start for result in runs if result.fine_tuning), 0)
        chance = chance_level(runs)
        seed = run.result.config.seed if run.result.repeats else None
        self.curves.start(
            names, n_epochs=n_epochs, backbone=backbone, chance=chance, fine_tuning_start=start, seed=seed
        )

    def show_result(self, run: LabRun, comparison: Comparison, dataset: ImageDataset | None) -> None:
        """Show the result of a finished run.

        Args:
            run: provides its number and source.
            comparison: the result, with its models if they are in memory.
            dataset: the images; None if they are not available.
        """
        from tl_widgets.plots.classes import confusion_columns
        from tl_widgets.plots.comparison import alt_text, plot_confusion

        self.has_result = True
        outcome = (
            "Loaded." if run.source else "Stopped. The finished repeats are shown." if comparison.stopped else "Done."
        )
        self.progress.finish(outcome, comparison.runs)
        self.verdict.value = verdict(comparison, run.number, run.source)
        self.predictions.show(comparison, None if dataset is None else dataset.test.images)
        self.trial.show(comparison)
        self.save.show(comparison, dataset)
        width = 420 * confusion_columns(len(comparison.runs))
        self.confusion.show(plot_confusion(comparison), alt_text(comparison, "confusion"), width)

    def release(self) -> None:
        """Release models and images."""
        self.trial.show(None)
        self.save.show(None, None)
        self.predictions.show(None, None)

    def show_empty_stop(self) -> None:
        """Show that the run was stopped before training began."""
        self.show_stopped(())

    def show_stopped(self, runs: tuple[RunResult, ...]) -> None:
        """Show that the run was stopped, with the models trained until then."""
        self.throttle.flush()
        text = "Stopped." if runs else "Stopped before training began."
        self.progress.finish(text + self.earlier_result_text, runs)

    def show_failed(self, text: str) -> None:
        """Show that a run ended without a result."""
        self.live_line.value = ""
        self.progress.fail(text)

    def show_live(self, runs: tuple[RunResult, ...], run: RunResult, note: str, cancel: Cancel) -> None:
        """Draw the curves of `runs` and describe `run`, the transfer model that Live mode has trained.

        Raises:
            CancelledError: `cancel` was set.
        """
        assert run.test_accuracy is not None
        assert run.test_accuracy_ci95 is not None
        self.throttle.flush()
        self.curves.show(runs)
        raise_if_cancelled(cancel)
        if self.message.value:  # from an earlier training that failed
            self.message.value = ""
            self.progress.clear()
        self._n_live += 1
        more = f" {escape(note)}" if note else ""
        self.live_line.value = (
            f'<p class="tlw-live" data-live="{self._n_live}">Live: {escape(run.backbone)} with a new head classifies '
            f"<b>{percent(run.test_accuracy)}</b> of {len(run.labels)} test images correctly "
            f"(95% interval {interval_text(run.test_accuracy_ci95)}). "
            f"Trained in {1000 * run.seconds.train:.0f} ms.{more} Press “Train both” to add a run.</p>"
        )
