"""TransferLab: the app. It holds the state and joins the parts; what they show and do is theirs."""

from __future__ import annotations

import traceback
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from ipywidgets import HTML, Button, Checkbox, HBox, Tab, VBox

from tl_widgets.data import ImageDataset
from tl_widgets.errors import CancelledError, InputError
from tl_widgets.events import Cancel, Event
from tl_widgets.experiments import Workbench, compare, retrain_transfer
from tl_widgets.results import Comparison, RunResult, percent
from tl_widgets.widgets.cells import close_tree, take_place
from tl_widgets.widgets.code import CodeView
from tl_widgets.widgets.controls import LIVE
from tl_widgets.widgets.costs import data_facts, n_steps
from tl_widgets.widgets.head import LiveHead
from tl_widgets.widgets.html import alert, escape
from tl_widgets.widgets.live import CurvesView, ProgressView
from tl_widgets.widgets.panel import ControlPanel
from tl_widgets.widgets.runner import Run, Throttle, log, my_turn, preload_tensorflow, wait_for_tensorflow
from tl_widgets.widgets.runs import LabRun, RunsView
from tl_widgets.widgets.settings import LabSettings, differences
from tl_widgets.widgets.source import DataSource
from tl_widgets.widgets.views import FigureView, LedgerView, PredictionsView, empty, thumbnails, verdict

_TITLE = (
    '<h3 class="tlw-heading">Transfer learning lab</h3><p class="tlw-lead">Two models, the same images: one starts from '
    "nothing, the other from what it learned elsewhere. Choose, train, and compare.</p>"
)
_SHAPE = ("dataset", "image_size", "filters", "kernel_sizes", "pooling", "backbone", "batch_size", "control")


class TransferLab(VBox):
    """Move the controls, press one button, and watch both models learn.

    In a notebook, `TransferLab()` as the last line of a cell shows it. From code:

        lab = TransferLab()
        comparison = lab.run(wait=True).result   # or: await lab.run().done()
        print(comparison.verdict.text)

    Args:
        dataset: images of one's own; the built-in data sets where None.
        settings: what the controls show first: `LabSettings`, or the JSON text that `lab.settings.to_json()` made.
        show: names of the controls to show; all where None. The names are the keys of `lab.settings.values`, and
            "blocks".
        lock: names of controls that are shown and cannot be changed.

    Raises:
        InputError: an argument is not allowed.
    """

    def __init__(
        self,
        dataset: ImageDataset | None = None,
        *,
        settings: LabSettings | str | None = None,
        show: Collection[str] | None = None,
        lock: Collection[str] = (),
    ) -> None:
        if dataset is not None and not isinstance(dataset, ImageDataset):
            raise InputError(
                f"TransferLab takes an ImageDataset of your own (load_folder makes one); received {dataset!r}. For a "
                "built-in one, choose it in the Lab, or give settings=LabSettings(dataset=...)."
            )
        if isinstance(settings, str):
            settings = LabSettings.from_json(settings)
        self._source = DataSource(dataset)
        self._workbench = Workbench()
        self._runs: list[LabRun] = []
        self._result: Comparison | None = None
        self._run: Run[Comparison] | None = None
        self._throttle = Throttle()
        self.panel = ControlPanel(settings, show=show, lock=lock, dataset=dataset)
        self._first_settings = self._last_settings = self.panel.settings
        self._live_head = LiveHead(self._retrain)
        self._n_live = 0
        super().__init__(self._parts())
        self.add_class("tlw")
        self.add_class("tlw-lab")
        take_place(self)
        self.panel.follow(self._settings_changed)
        self._show_thumbnails()

    # What code and teachers use.

    @property
    def settings(self) -> LabSettings:
        """What the controls say; setting it moves them.

        Raises:
            InputError: on setting, while it trains.
        """
        return self.panel.settings

    @settings.setter
    def settings(self, settings: LabSettings) -> None:
        if self.is_running:
            raise InputError("The Lab is training: wait for the end, or stop it, before you change its settings.")
        self.panel.settings = settings

    @property
    def result(self) -> Comparison | None:
        """The last comparison that came to its end; None before the first."""
        return self._result

    @property
    def runs(self) -> tuple[LabRun, ...]:
        """Every run so far, the stopped ones too, with its settings."""
        return tuple(self._runs)

    @property
    def is_running(self) -> bool:
        """Whether both models are being trained."""
        return self._run is not None and self._run.is_running

    def run(self, *, wait: bool = False) -> Run[Comparison]:
        """Train both models in the background; a Lab that trains already goes on with that.

        Args:
            wait: come back only when it has ended, for scripts; in a notebook use `await lab.run().done()`.

        Returns:
            The run: `await run.done()`, `run.wait()`, `run.stop()`, `run.result`.
        """
        if self._run is None or not self._run.is_running:
            self._live_head.stop()
            self._show_running(True)
            settings = self.settings
            self._run = Run(lambda cancel: self._work(settings, cancel))
        if wait:
            self._run.wait()
        return self._run

    def stop(self) -> None:
        """Stop whatever goes on; it takes one batch at most. What was found before stays."""
        self._live_head.stop()
        if self._run is not None and self._run.is_running:
            self._run.stop()

    def close(self) -> None:
        """Stop, and take the Lab and all its parts away."""
        self.stop()
        close_tree(self)

    def __repr__(self) -> str:
        # A fixed text, without addresses and ids: tests of notebooks compare it.
        return "TransferLab: two models on the same images (needs a live notebook)"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:  # noqa: ARG002 - IPython's signature
        preload_tensorflow()  # while somebody looks at the controls
        return super()._repr_mimebundle_()

    # The parts.

    def _parts(self) -> list[Any]:
        self._train_button = Button(description="Train both", button_style="primary", icon="play")
        self._stop_button = Button(description="Stop", icon="stop", disabled=True)
        self._reset_button = Button(description="Reset", icon="undo", tooltip="Put the controls back")
        self._live_tick = Checkbox(
            False, description="Live: train the transfer head again at every change", indent=False, style={"description_width": "initial"}
        )
        self._train_button.on_click(lambda _: self.run())
        self._stop_button.on_click(lambda _: self.stop())
        self._reset_button.on_click(lambda _: self._restore(self._first_settings))
        self._live_tick.observe(lambda change: self._live_switched(change["new"]), "value")
        actions = HBox([self._train_button, self._stop_button, self._reset_button, self._live_tick])
        actions.add_class("tlw-actions")
        self._progress, self._message, self._live_line = ProgressView(), HTML(), HTML()
        self._verdict = HTML(empty("No result yet."))
        self._state = HTML(_state("idle"))
        self._curves, self._ledger = CurvesView(), LedgerView(dataset=self._source.own)
        self._predictions = PredictionsView(empty("After training: test images with both models' answers."))
        self._confusion = FigureView()
        self._confusion.value = empty("After training: which class each model takes for which.")
        self._code, self._runs_view = CodeView(self._source.own), RunsView(self._restore)
        views = {
            "Curves": self._curves,
            "Parameters": self._ledger,
            "Predictions": self._predictions,
            "Confusion": self._confusion,
            "Code": self._code,
            "Runs": self._runs_view,
        }
        tabs = Tab(list(views.values()), titles=list(views), selected_index=0)
        tabs.add_class("tlw-tabs")
        self._verdict.add_class("tlw-outcome")
        top = [HTML(_TITLE), self.panel, actions, self._progress, self._message]
        return [*top, self._verdict, self._live_line, tabs, self._state]

    def _settings_changed(self, settings: LabSettings) -> None:
        before, self._last_settings = self._last_settings, settings
        moved = set(differences([before, settings]))
        self._ledger.show_settings(settings)
        self._code.show_settings(settings)
        self.panel.show_seconds(self._estimate(settings))
        if "dataset" in moved:
            self._show_thumbnails()
        if self._live_tick.value and moved & LIVE and not self.is_running:
            self._live_head.want(settings)

    def _estimate(self, settings: LabSettings) -> float | None:
        """Seconds that a run would take, from the last one of the same shape."""
        facts = data_facts(settings.dataset, self._source.own)
        for run in reversed(self._runs):
            if run.result.stopped or any(run.settings.values[name] != settings.values[name] for name in _SHAPE):
                continue
            seconds = sum(each.seconds.total for each in run.result.runs)
            return seconds * n_steps(settings, facts) / n_steps(run.settings, facts)
        return None

    def _show_thumbnails(self) -> None:
        settings = self.settings

        def load(_: Cancel) -> None:
            try:
                shown = thumbnails(self._source.whole(settings))
            except (InputError, OSError) as error:
                shown = alert(str(error))
            if settings.dataset == self.settings.dataset:
                self.panel.thumbnails.value = shown

        Run(load)

    def _restore(self, settings: LabSettings) -> None:
        if not self.is_running:
            self._message.value = ""
            self.panel.settings = settings

    def _show_running(self, running: bool) -> None:
        self._stop_button.disabled = not running
        for widget in (self._train_button, self._reset_button, self._live_tick):
            widget.disabled = running
        self._runs_view.restore_button.disabled = running
        self.panel.enabled = not running
        if running:
            self._message.value = self._live_line.value = ""
            self._state.value = _state("running")

    # One run, in its thread.

    def _work(self, settings: LabSettings, cancel: Cancel) -> Comparison | None:
        state = "error"
        try:
            comparison = self._compare(settings, cancel)
            state = "stopped" if comparison.stopped else "done"
        except CancelledError:
            self._progress.fail("Stopped before training began." + self._still_there())
            state = "stopped"
            return None
        except Exception as error:
            self._show_error(error)
            return None
        else:
            return comparison
        finally:
            self._show_running(False)
            self._state.value = _state(state)  # last: whoever waits for it finds the buttons ready

    def _compare(self, settings: LabSettings, cancel: Cancel) -> Comparison:
        config = settings.config
        self._progress.start(("scratch", "transfer", "control") if config.control else ("scratch", "transfer"))
        with my_turn(cancel, lambda: self._progress.say("waiting for another Lab of this notebook to finish")):
            dataset = self._source.load(settings)
            wait_for_tensorflow(cancel, lambda: self._progress.say("loading TensorFlow"))
            self._start_curves(settings, dataset)
            comparison = compare(
                dataset,
                backbone=config.backbone,
                weights=config.weights,
                scratch=config.scratch,
                head_dropout=config.head_dropout,
                augment=config.augment,
                epochs=config.epochs,
                batch_size=config.batch_size,
                learning_rate=config.learning_rate,
                seed=config.seed,
                control=config.control,
                on_event=self._hear,
                cancel=cancel,
                workbench=self._workbench,
            )
            self._throttle.flush()
            self._show_comparison(settings, comparison, dataset)
        return comparison

    def _start_curves(self, settings: LabSettings, dataset: ImageDataset) -> None:
        config, labels = settings.config, dataset.test.labels.tolist()
        self._curves.start(
            ("scratch", "transfer", "control") if config.control else ("scratch", "transfer"),
            n_epochs=config.epochs,
            backbone=config.backbone,
            chance=max(labels.count(label) for label in set(labels)) / len(labels),
        )

    def _hear(self, event: Event) -> None:
        self._progress.note(event)
        if self._curves.note(event):
            self._throttle.offer("curves", self._curves.draw)
        self._throttle.offer("progress", self._progress.draw)

    def _show_comparison(self, settings: LabSettings, comparison: Comparison, dataset: ImageDataset) -> None:
        if comparison.runs:
            self._runs.append(LabRun(len(self._runs) + 1, settings, _without_models(comparison)))
            self._curves.show(comparison.runs)
            self._runs_view.show(self.runs)
        if comparison.stopped:
            self._progress.finish("Stopped." + self._still_there(), comparison.runs)
            return
        from tl_widgets.plots import alt_text, plot_confusion

        self._result = comparison
        self._progress.finish("Done.", comparison.runs)
        self._verdict.value = verdict(comparison)
        self._predictions.show(comparison, dataset)
        drawing = plot_confusion(comparison)
        self._confusion.show(drawing, alt_text(comparison, "confusion"), 420 * len(comparison.runs))
        self.panel.show_seconds(self._estimate(settings))

    def _still_there(self) -> str:
        return " The last finished result is still shown below." if self._result is not None else ""

    def _show_error(self, error: Exception) -> None:
        if isinstance(error, InputError):
            self._message.value = alert(str(error))
        elif isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
            log.exception("out of memory")
            sentence = "The memory ran out. Use smaller images, fewer filters or a smaller batch size."
            self._message.value = alert(sentence, traceback.format_exc())
        else:
            log.exception("the run failed")
            sentence = f"Something went wrong that should not have: {type(error).__name__}: {error}"
            self._message.value = alert(sentence, traceback.format_exc())
        self._progress.fail("Not finished." + self._still_there())

    # Live mode, in its thread.

    def _live_switched(self, is_on: bool) -> None:
        if is_on:
            self._live_head.want(self.settings)
        else:
            self._live_head.stop()
            self._live_line.value = ""

    def _retrain(self, settings: LabSettings, cancel: Cancel) -> None:
        try:
            with my_turn(cancel, lambda: None):
                wait_for_tensorflow(cancel, lambda: self._progress.say("loading TensorFlow"))
                # Runs of its own: they must not push the kept comparison's out.
                bench = Workbench(backbones=self._workbench.backbones)
                run = retrain_transfer(
                    self._source.load(settings), settings.config, workbench=bench, on_event=self._hear_live, cancel=cancel
                )
                if not run.stopped:
                    self._show_live(settings, run)
        except InputError as error:
            self._live_line.value = alert(str(error))
        except CancelledError:
            raise
        except Exception as error:
            self._show_error(error)

    def _hear_live(self, event: Event) -> None:
        if event.phase == "features":
            self._live_line.value = f'<p class="tlw-live">{escape(event.text)}</p>'

    def _show_live(self, settings: LabSettings, run: RunResult) -> None:
        scratch = self._result.scratch if self._result is not None else None
        beside = (scratch,) if scratch is not None and scratch.labels == run.labels else ()
        n_epochs = max(len(each.history.accuracy) for each in (*beside, run))
        shown = replace(settings, config=replace(settings.config, epochs=n_epochs, control=False))
        self._start_curves(shown, self._source.whole(settings))
        self._curves.show((*beside, run))
        self._n_live += 1
        assert run.test_accuracy is not None
        assert run.test_accuracy_ci95 is not None
        low, high = run.test_accuracy_ci95
        self._live_line.value = (
            f'<p class="tlw-live" data-live="{self._n_live}">Live: {escape(run.backbone)} with a new head answers '
            f"<b>{percent(run.test_accuracy)}</b> of {len(run.labels)} test images correctly (95% interval {100 * low:.0f} to "
            f"{100 * high:.0f}). Trained in {1000 * run.seconds.train:.0f} ms. “Train both” makes it a run.</p>"
        )


def _state(name: str) -> str:
    return f'<span class="tlw-state" data-state="{name}" hidden></span>'


def _without_models(comparison: Comparison) -> Comparison:
    """The record alone: a hundred runs must not keep two hundred networks in memory."""
    bare = {
        name: replace(run, model=None)
        for name in ("scratch", "transfer", "control", "fine_tuned")
        if (run := getattr(comparison, name)) is not None
    }
    return replace(comparison, **bare)
