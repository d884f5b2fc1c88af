"""LabScreen, the widgets of a Lab other than its controls, and how they change.

From top to bottom: the images and presets, the buttons and the controls that matter most, the stage (both networks
and their race) or another tab in its place, the result in a few words, and the images on which the models disagree.
Every part has a fixed height, so nothing moves when something appears: see layout.css.
"""

from __future__ import annotations

from collections.abc import Callable

from ipywidgets import HTML, Button, Checkbox, HBox, Tab, VBox, Widget

from tl_widgets.core.config import Config
from tl_widgets.core.events import Cancel, Event, is_cancelled, raise_if_cancelled
from tl_widgets.core.html import Markup
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import interval_text
from tl_widgets.core.translation import _, ngettext
from tl_widgets.data.dataset import ImageDataset, Images
from tl_widgets.data.folds import answered_images
from tl_widgets.data.memmap_images import IndexedImages
from tl_widgets.plots.labels import baseline_name, baseline_text, chance_level, scores_of
from tl_widgets.records.comparison import Comparison, RunResult
from tl_widgets.widgets.lab.answers import AnswersStrip
from tl_widgets.widgets.lab.code import CodeView
from tl_widgets.widgets.lab.outcome import OutcomeView
from tl_widgets.widgets.lab.panel import ControlPanel
from tl_widgets.widgets.lab.predictions import PredictionsView
from tl_widgets.widgets.lab.presets import PresetBar
from tl_widgets.widgets.lab.runs import LabRun, RunsView
from tl_widgets.widgets.lab.save import Load, SaveView
from tl_widgets.widgets.lab.stage import Stage
from tl_widgets.widgets.lab.try_picture import TryView
from tl_widgets.widgets.shared.app import AppScreen
from tl_widgets.widgets.shared.fields import STYLE
from tl_widgets.widgets.shared.html import empty, note, page_file, style
from tl_widgets.widgets.shared.live import ProgressView
from tl_widgets.widgets.shared.settings import LabSettings
from tl_widgets.widgets.shared.source import DataSource
from tl_widgets.widgets.shared.views import LedgerView, confusion_tables, verdict

# The controls that are in view all the time.
FRONT = ("dataset", "n_per_class", "epochs", "image_size")


class LabScreen(AppScreen[ProgressView]):
    """The widgets of a Lab; `images`, the tab for a learner's own, is None if the data set is given.

    The app decides; the screen only displays.
    """

    def __init__(
        self,
        panel: ControlPanel,
        source: DataSource,
        restore: Callable[[LabSettings], None],
        forget: Callable[[], None],
        load: Load,
        images: Widget | None = None,
        presets: PresetBar | None = None,
    ) -> None:
        super().__init__(_("Train both"), ProgressView(), _(" The last finished result is still shown below."))
        self.reset_button = Button(description=_("Reset"), icon="undo", tooltip=_("Undo all changes of the controls"))
        self.reset_button.add_class("tlw-undo")
        self.live_tick = Checkbox(
            False,
            description=_("Live"),
            tooltip=_("Train and test the transfer model again at every change: to learn from, not a result"),
            indent=False,
            style=STYLE,
        )
        self.outcome = OutcomeView(panel.problem, self.message, self.progress, self.advice)
        self.stage = Stage(panel, source)
        self.curves = self.stage.curves
        self.ledger, self.confusion, self.result = LedgerView(source=source), HTML(), HTML()
        self.predictions = PredictionsView()
        self.code, self.runs = CodeView(source), RunsView(restore, forget)
        self.trial, self.save = TryView(), SaveView(load)
        views = {
            _("Curves"): self.stage,
            _("Result"): self.result,
            _("Predictions"): self.predictions,
            _("Confusion"): self.confusion,
            _("Layers"): self.ledger,
            _("Runs"): self.runs,
            _("Code"): self.code,
            _("Try a picture"): self.trial,
            _("Save"): self.save,
            **({_("My pictures"): images} if images is not None else {}),
        }
        self.tabs = Tab(list(views.values()), titles=list(views), selected_index=0)
        self.tabs.add_class("tlw-views")
        self.strip = AnswersStrip(self._look_at, lambda: self.show_tab(_("Try a picture")), self._open_camera)
        self.outcome.details_button.on_click(lambda _unused: self.show_tab(_("Result")))
        self._tested: tuple[Comparison, Images | IndexedImages] | None = None
        self._n_live = self._n_changed = 0
        css = HTML(style() + f"<style>{page_file('lab/layout.css')}</style>")
        css.add_class("tlw-css")
        self._presets = presets
        self.show_nothing()
        top = self._top(panel, images is not None)
        self.children = [css, top, self._bar(panel), self.tabs, self.outcome, self.strip, self.state_mark]

    def show_nothing(self) -> None:
        """Show no run and no result."""
        self.has_result = False
        self.confusion.value = empty(_("After training: which class each model takes for which."))
        self.result.value = empty(_("After training: who won, by how much, and how sure that is."))
        self.message.value = ""
        self.progress.clear()
        self.curves.clear()
        self.outcome.clear()
        self.strip.show(None, None)
        self.runs.show(())
        self.release()

    def _top(self, panel: ControlPanel, has_images: bool) -> Widget:
        """Return the row of the images and the presets."""
        parts = [widget for name, widget in panel.front_controls.items() if name == "dataset"]
        parts.append(panel.thumbnails)
        if has_images:
            self.own_button = Button(
                description=_("My pictures"), icon="plus", tooltip=_("Train on pictures of your own")
            )
            self.own_button.on_click(lambda _unused: self.show_tab(_("My pictures")))
            parts.append(self.own_button)
        if self._presets is not None:
            parts.append(self._presets)
        row = HBox(parts)
        row.add_class("tlw-top")
        return row

    def _bar(self, panel: ControlPanel) -> Widget:
        """Return the row of the buttons and the controls that are in view all the time."""
        fields = [widget for name, widget in panel.front_controls.items() if name != "dataset"]
        switches = VBox([self.live_tick, self.stage.more_button])
        switches.add_class("tlw-switches")
        row = HBox([self.run_button, self.stop_button, *fields, switches, self.reset_button])
        row.add_class("tlw-controls")
        return row

    def show_settings(self, settings: LabSettings, n_changed: int = 0) -> None:
        """Update the networks and the script to the settings, of which some differ from the first or the preset's."""
        self.stage.show_settings(settings)
        self.ledger.show_settings(settings)
        self.code.show_settings(settings)
        undo = ngettext("Undo {n} change", "Undo {n} changes", n_changed)
        self.reset_button.description = undo if n_changed else _("Reset")
        self._n_changed = n_changed
        self.reset_button.disabled = not n_changed or self.state == "running"

    def show_hint(self, text: str) -> None:
        """Say below the result what can be done next, until the next change."""
        self.outcome.live_line.value = note(text)

    def show_tab(self, title: str) -> None:
        """Switch to a tab."""
        self.tabs.selected_index = self.tabs.titles.index(title)

    def show_curves_tab(self) -> None:
        """Switch to the curves, which show training in progress."""
        self.show_tab(_("Curves"))

    def show_running(self, running: bool) -> None:
        """Enable or disable the buttons; switch to the curves when training starts."""
        super().show_running(running)
        for widget in (self.live_tick, self.runs.restore_button, self.runs.forget_button):
            widget.disabled = running
        self.reset_button.disabled = running or not self._n_changed
        if self._presets is not None:
            self._presets.show_enabled(not running)
        self.trial.enabled = self.save.enabled = not running
        self.outcome.show_running(running)
        self.curves.show_status(_("Getting ready …") if running else "")
        if running:
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
            note=_curves_note(settings.config),
            baseline=baseline_name(labels, dataset.class_names),
            images=f"{settings.dataset} {settings.classes}",
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
            self.outcome.live_line.value = Markup('<p class="tlw-live">{}</p>').format(text)

    def show_runs(self, runs: tuple[LabRun, ...], comparison: Comparison) -> None:
        """Show the curves of a run, and the table of all runs."""
        self.throttle.flush()
        self.curves.show(comparison.runs, scores_of(comparison) if comparison.runs else {})
        self.runs.show(runs)

    def show_loaded(self, run: LabRun) -> None:
        """Prepare the curves of a loaded run, whose images may not be available."""
        runs = run.result.runs
        n_epochs = max(1, *(len(result.history.accuracy) for result in runs))
        names, backbone = tuple(result.name for result in runs), run.result.config.backbone
        start = next((result.fine_tuning.start for result in runs if result.fine_tuning), 0)
        chance = chance_level(runs)
        note = _curves_note(run.result.config)
        self.curves.start(
            names,
            n_epochs=n_epochs,
            backbone=backbone,
            chance=chance,
            fine_tuning_start=start,
            note=note,
            baseline=baseline_text(runs),
            images=f"{run.settings.dataset} {run.settings.classes}",
        )

    def show_result(self, run: LabRun, comparison: Comparison, dataset: ImageDataset | None) -> None:
        """Show the result of a finished run.

        Args:
            run: provides its number and source.
            comparison: the result, with its models if they are in memory.
            dataset: the images; None if they are not available.
        """
        self.show_outcome(run, comparison)
        self.show_answers(run, comparison, dataset)

    def show_again(self, run: LabRun, runs: tuple[LabRun, ...], greeting: str) -> None:
        """Show a run that was taken up; `show_answers` follows when its images are loaded."""
        self.show_loaded(run)
        self.show_runs(runs, run.result)
        self.show_outcome(run, run.result)
        self.show_hint(greeting)

    def show_outcome(self, run: LabRun, comparison: Comparison) -> None:
        """Show who won, which needs no images."""
        self.has_result = True
        stopped = (
            _("Stopped; the finished folds count.") if comparison.folds else _("Stopped; the finished repeats count.")
        )
        lead = _("Loaded.") if run.source else stopped if comparison.stopped else ""
        self.progress.clear()
        self.outcome.live_line.value = ""  # it was about another run
        self.outcome.show(comparison, run.number, lead)
        self.result.value = verdict(comparison, run.number, run.source)

    def show_answers(self, run: LabRun, comparison: Comparison, dataset: ImageDataset | None) -> None:
        """Show what the models answered, and let them answer more if they are in memory; see `show_result`."""
        images = None if dataset is None else answered_images(comparison, dataset)
        self.strip.show(comparison, images, run.number)
        self.predictions.show(comparison, images, run.number)
        self.show_models(comparison, dataset)
        self.confusion.value = confusion_tables(comparison, run.number)

    def show_models(self, comparison: Comparison, dataset: ImageDataset | None) -> None:
        """Let the models of a comparison answer, if they are in memory, and be saved."""
        images = None if dataset is None else answered_images(comparison, dataset)
        self._tested = None if images is None else (comparison, images)
        self.trial.show(comparison)
        self.save.show(comparison, dataset)

    def _look_at(self, row: int) -> None:
        """Show one test image closely."""
        if self._tested is not None:
            self.predictions.look_at(*self._tested, row)
            self.show_tab(_("Predictions"))

    def _open_camera(self) -> None:
        """Show the camera, whose photographs both models answer."""
        self.show_tab(_("Try a picture"))
        self.trial.open_camera()

    def release(self) -> None:
        """Release models and images."""
        self._tested = None
        self.trial.show(None)
        self.save.show(None, None)
        self.predictions.show(None, None)

    def show_empty_stop(self) -> None:
        """Show that the run was stopped before training began."""
        self.show_stopped(())

    def show_stopped(self, runs: tuple[RunResult, ...]) -> None:
        """Show that the run was stopped, with the models trained until then."""
        self.throttle.flush()
        self.outcome.show_last_run(is_charted=False)
        text = _("Stopped.") if runs else _("Stopped before training began.")
        if self.has_result:
            self.progress.fail(text + self.earlier_result_text)  # bars would push that result out of sight
        else:
            self.progress.finish(text, runs)

    def show_failed(self, text: str) -> None:
        """Show that a run ended without a result."""
        self.outcome.live_line.value = ""
        self.outcome.show_last_run(is_charted=False)
        self.progress.fail(text)

    def show_live(
        self,
        runs: tuple[RunResult, ...],
        run: RunResult,
        *,
        now: str,
        outdated: str,
        cancel: Cancel,
        same_run: int | None = None,
    ) -> None:
        """Draw the curves of `runs` and describe `run`, the transfer model that Live mode has trained.

        Args:
            runs: the models to draw.
            run: the one that was trained.
            now: the settings that differ from the last run's, in a few words.
            outdated: the earlier settings that the network from scratch was trained with; "" if they are the same.
            cancel: set if the result is outdated.
            same_run: number of the run that trained the same with the same settings; None if there is none.

        Raises:
            CancelledError: `cancel` was set.
        """
        assert run.test_accuracy is not None
        assert run.test_accuracy_ci95 is not None
        self.throttle.flush()
        self.curves.show(
            runs,
            scores_of(runs),
            outdated=_("trained with {outdated}: press Train both", outdated=outdated) if outdated else "",
        )
        raise_if_cancelled(cancel)
        self.message.value = ""  # from an earlier training that failed or was stopped
        self.progress.clear()
        self._n_live += 1
        self.outcome.show_live(run, run.test_accuracy, now, same_run)
        advice = "" if same_run else _(" Press “Train both” to compare both with these settings.")
        self.outcome.live_line.value = Markup(
            _(
                '<p class="tlw-live" data-live="{n_live}">Live trained only transfer, in {train} ms (95% '
                "interval: {test_accuracy_ci95}).{advice}</p>"
            )
        ).format(
            n_live=self._n_live,
            train=round(1000 * run.seconds.train),
            test_accuracy_ci95=interval_text(run.test_accuracy_ci95),
            advice=advice,
        )


def _curves_note(config: Config) -> str:
    """Return what the curves show if there are several seeds or folds, else ""."""
    if config.folds > 1:
        return _("While training: the first fold. Then: means over the folds.")
    return _("The curves are those of seed {seed}.", seed=config.seed) if config.repeats > 1 else ""
