"""TransferLab, which holds the app's state and responds to actions. Its widgets are in `screen` and `panel`."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.core.arguments import checked
from tl_widgets.core.config import Config
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.events import Cancel, Event, raise_if_cancelled
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.translation import _
from tl_widgets.data.archives import printable
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.experiments.comparison import RunCache, compare_config, retrain_transfer
from tl_widgets.records.comparison import Comparison, RunResult
from tl_widgets.widgets.images.view import ImagesView, LabActions
from tl_widgets.widgets.lab.changes import has_one_test, same_images, values_text
from tl_widgets.widgets.lab.kept import KeptRuns
from tl_widgets.widgets.lab.outcome import on_paper
from tl_widgets.widgets.lab.panel import ControlPanel
from tl_widgets.widgets.lab.presets import PRESETS, Preset, PresetBar, preset_hint
from tl_widgets.widgets.lab.restore import read_record, restore
from tl_widgets.widgets.lab.runs import LabRun
from tl_widgets.widgets.lab.screen import FRONT, LabScreen
from tl_widgets.widgets.lab.seconds import Estimator
from tl_widgets.widgets.shared.app import App, require_own_dataset
from tl_widgets.widgets.shared.costs import has_local_weights
from tl_widgets.widgets.shared.html import alert
from tl_widgets.widgets.shared.settings import CONTROLS, LIVE, LabSettings, differences
from tl_widgets.widgets.shared.source import DataSource
from tl_widgets.widgets.shared.threads import LatestRequest, Run
from tl_widgets.widgets.shared.turns import training_lock, wait_for_tensorflow
from tl_widgets.widgets.shared.views import thumbnails


class TransferLab(App[LabScreen, Comparison]):
    """Set the controls, press a button, and watch both models learn.

    In a notebook, make `TransferLab()` the last line of a cell. From code:

        lab = TransferLab()
        comparison = lab.run(wait=True).result  # in a notebook: await lab.run().done()
        print(comparison.verdict.text)

    Attributes:
        panel: the controls.
        images: the tab for the learner's own pictures; None if the data set is given.
        taken_up: brings images and models of the last run that an earlier kernel kept; None if there is none.

    Args:
        dataset: your own images; None offers the built-in data sets.
        settings: initial settings: `LabSettings`, or the JSON text from `lab.settings.to_json()`.
        show: names of the controls to show; None shows all. The names are the keys of `lab.settings.values`, and
            "blocks".
        lock: names of controls that are shown but cannot be changed.

    Raises:
        InputError: an argument is not allowed.
    """

    _text, _busy = _("TransferLab: two models on the same images"), _("The Lab is training")

    def __init__(
        self,
        dataset: ImageDataset | None = None,
        *,
        settings: LabSettings | str | None = None,
        show: Collection[str] | None = None,
        lock: Collection[str] = (),
    ) -> None:
        require_own_dataset(dataset, "TransferLab", "settings=LabSettings(dataset=...)")
        if settings is not None and not isinstance(settings, LabSettings):
            settings = LabSettings.from_json(settings)
        source = DataSource(dataset)
        self._cache = RunCache()
        self._kept = KeptRuns()
        self._runs = self._kept.runs
        self._estimator = Estimator(source, self._runs)
        self._result: Comparison | None = None
        self.taken_up: Run[None] | None = None
        self._live_training = LatestRequest(self._retrain)
        self.panel = ControlPanel(settings, show=show, lock=lock, source=source, front=FRONT)
        self._base_settings = self._last_settings = self.panel.settings
        self._preset = ""  # its title, if the base settings are a preset's
        # A lesson that gives the data set doesn't offer others.
        gives_choice = dataset is None and (show is None or "dataset" in show) and "dataset" not in lock
        self.images = ImagesView(source, self._image_actions()) if gives_choice else None
        # A preset sets any control, so it has no place in a lesson that hides or locks some.
        presets = PresetBar(PRESETS, self._choose_preset) if show is None and not lock else None
        screen = LabScreen(self.panel, source, self.restore, self._forget, self._load, self.images, presets)
        super().__init__(screen, source)
        screen.reset_button.on_click(lambda _: self.restore(self._base_settings))
        self.panel.follow(self._settings_changed)
        is_kept = self._kept.open(self._place, dataset)
        screen.runs.show_kept(self._kept.about)
        last_settings = self._kept.settings(self.settings, show) if settings is None and not lock else None
        with suppress(InputError):  # images that have to come first, or are gone
            self.panel.settings = last_settings or self.panel.settings
        if is_kept:
            self.live = True
            self.taken_up = Run(lambda cancel: self._take_up(last_settings, cancel))
            self._kept.wait(0.5)  # seconds; usually all is there from the start
        screen.live_tick.observe(lambda change: self._switch_live(change["new"]), "value")
        self.panel.show_thumbnails()

    @property
    def settings(self) -> LabSettings:
        """The settings of the controls; assigning to it updates them.

        Raises:
            InputError: on assignment, if the Lab is training or the settings are not allowed.
        """
        return self.panel.settings

    @settings.setter
    @checked
    def settings(self, settings: LabSettings) -> None:
        self._require_idle(_("change its settings"))
        self.panel.settings = settings

    @property
    def result(self) -> Comparison | None:
        """The last comparison that finished; None before the first."""
        return self._result

    @property
    def runs(self) -> tuple[LabRun, ...]:
        """Every run with its settings, including stopped ones and those that earlier kernels kept."""
        return tuple(self._runs)

    @property
    def live(self) -> bool:
        """Whether Live mode is on, which retrains the transfer model at every change of a head control."""
        return bool(self.screen.live_tick.value)

    @live.setter
    def live(self, is_on: bool) -> None:
        self.screen.live_tick.value = is_on

    def run(self, *, wait: bool = False) -> Run[Comparison]:
        """Train both models in the background, or return the run that is already in progress.

        Args:
            wait: return only when the run has ended, for scripts; in a notebook, use `await lab.run().done()`.

        Returns:
            The run. It has the methods `done` (to await), `wait` and `stop`, and the attribute `result`.
        """
        if not self.is_running:
            self._live_training.stop()
        settings = self.settings
        return self._start(lambda cancel: self._compare(settings, cancel), wait=wait)

    def stop(self) -> None:
        """Stop the run and Live mode's training within one batch. Earlier results stay."""
        self._live_training.stop()
        super().stop()

    def _take_up(self, settings: LabSettings | None, cancel: Cancel) -> None:
        """Show the runs that an earlier kernel kept, then images and models of the last one; runs in a thread."""
        self._kept.take_up(cancel)
        self.screen.runs.show(self.runs)
        self.screen.runs.show_kept(self._kept.about)
        run = next((run for run in reversed(self._runs) if run.result.is_whole), None)
        if run is None or self.is_running:
            return
        self._result = run.result
        self.screen.show_again(run, self.runs, self._kept.greeting)
        dataset, before = None, self.settings
        with suppress(InputError):
            dataset = restore(run.result, self._source, before, cancel).dataset
            if settings is not None and self.settings == before:
                self.settings = settings  # now with the learner's own images
        if self._result is not run.result:
            return
        self.screen.show_answers(run, run.result, dataset)
        self.paper.show((run.result.verdict.text,), on_paper(run.result))
        if self._kept.has_models and self._is_here(run.settings):
            self.screen.trial.show_loading()
            comparison = self._kept.with_models(run.result, dataset, self._cache, cancel) or run.result
            if self._result is run.result:
                self._result = comparison
                self.screen.show_models(comparison, dataset)
                self._show_cost()

    def _forget(self) -> None:
        """Delete what is kept of this Lab's runs, and start afresh."""
        if self.is_running:
            return
        self.live = False
        self._kept.forget()
        self._result = None
        self.paper.clear()
        self.screen.show_nothing()
        self.screen.runs.show_kept(self._kept.about)
        self._show_seconds(self.settings)

    def _release(self) -> None:
        super()._release()
        if self.taken_up is not None:
            self.taken_up.stop()
        self.screen.release()
        if self.images is not None:
            self.images.release()
        self._cache = RunCache()
        if self._result is not None:
            self._result = self._result.without_models()

    def _settings_changed(self, settings: LabSettings) -> None:
        before, self._last_settings = self._last_settings, settings
        changed = set(differences([before, settings]))
        self.screen.show_settings(settings, len(differences([self._base_settings, settings])))
        self._show_seconds(settings)
        if changed & {"dataset", "classes"}:
            self.panel.show_thumbnails()
        if changed:
            self.screen.outcome.live_line.value = ""  # it was about other settings
            self._kept.keep_settings(settings)
        if self.live and changed & LIVE and not self.is_running and self._is_here(settings):
            self._live_training.submit(settings)

    def _is_here(self, settings: LabSettings) -> bool:
        """Return whether a run needs no download, which only a press may start."""
        weights_here = settings.config.weights != "imagenet" or has_local_weights(
            find_backbone(settings.config.backbone)
        )
        return weights_here and not self._source.facts(settings).n_bytes

    def _show_seconds(self, settings: LabSettings) -> None:
        seconds = self._estimator.seconds(settings, cache=self._cache)
        advice = self._estimator.advice(settings, self.panel.changeable)
        self.panel.show_seconds(seconds, advice)
        kept = self._estimator.kept(settings, self._cache)
        n_models = len(settings.config.model_names) * settings.config.repeats
        self.screen.show_seconds(seconds, advice, kept=kept, n_models=n_models)
        if self.images is not None:
            self.images.show_cost()

    @property
    def _timed(self) -> tuple[Config, int, RunCache]:
        return self.settings.config, self.settings.image_size, self._cache

    def _show_cost(self) -> None:
        self._show_seconds(self.settings)

    def _image_actions(self) -> LabActions:
        return LabActions(
            settings=lambda: self.settings,
            seconds=lambda facts: self._estimator.seconds_on(self.settings, facts),
            use=self._use_images,
            train=self.run,
            fold=lambda n: self.panel.change({"folds": n, "repeats": 1}),
            try_picture=lambda: self.screen.show_tab(_("Try a picture")),
        )

    def _use_images(self, name: str) -> None:
        """Choose a learner's images; runs in the tab's thread."""
        self._require_idle(_("use the images"))
        self.panel.choose_dataset(name)
        self.panel.show_thumbnails()  # the name may be the same, with other images

    @checked
    def restore(self, settings: LabSettings) -> None:
        """Set the controls, for example to the settings of an earlier run; show an error on the screen.

        Args:
            settings: the settings to restore. During a run, nothing happens.
        """
        if self.is_running:
            return
        run = next((run for run in self._runs if run.settings is settings), None)
        if run is not None and run.result.dataset.origin is not None:
            self._source.bring_back(settings.dataset, run.result.dataset.origin.edits)
        try:
            self.panel.settings = settings
            self.screen.message.value = ""
        except InputError as error:  # a loaded run whose images are not here
            self.screen.message.value = alert(str(error))

    def _choose_preset(self, preset: Preset) -> None:
        """Set the controls to a preset; what is changed afterwards counts as different from it."""
        settings = preset.settings(self.settings)
        if self.is_running or (self._source.own is not None and "dataset" in preset.values):
            return
        self._base_settings, self._preset = settings, preset.title
        self.restore(settings)
        self.screen.show_curves_tab()
        self.screen.show_hint(preset_hint(preset, settings.dataset))

    def _load(self, name: str, data: bytes, cancel: Cancel) -> tuple[str, ...]:
        """Restore a record's settings, add its result to the list of runs, and return messages about it.

        Raises:
            InputError: the data is not a record, or the Lab is training; nothing changes.
        """
        comparison = read_record(name, data)
        restored = restore(comparison, self._source, self.settings, cancel)
        self.settings = restored.settings
        run = self._kept.add(restored.record_settings, comparison, name)
        self._result = comparison
        self.screen.show_loaded(run)
        self.screen.show_runs(self.runs, comparison)
        self.screen.show_result(run, comparison, restored.dataset)
        self.paper.show((comparison.verdict.text,), on_paper(comparison))
        text = _("Loaded {name} as run {n}, with its settings.", name=printable(name), n=run.number)
        return text, *restored.notes

    def _show_running(self, running: bool) -> None:
        self.panel.enabled = not running
        if self.images is not None:
            self.images.enabled = not running
        super()._show_running(running)

    def _after_run(self) -> None:
        self.panel.show_what_is_here()  # even a run that failed may have downloaded something

    def _compare(self, settings: LabSettings, cancel: Cancel) -> Comparison:
        config, screen = settings.config, self.screen
        names = config.model_names
        screen.progress.start(names)
        with self._training_session(cancel, lambda: self._source.load(settings, screen.on_event, cancel)) as dataset:
            if not self.panel.thumbnails.value:  # the data set was downloaded just now
                self.panel.thumbnails.value = thumbnails(dataset)
            screen.start(names, settings, dataset, config.epochs)
            comparison = compare_config(dataset, config, on_event=screen.on_event, cancel=cancel, cache=self._cache)
        self._add_run(settings, comparison, dataset)
        return comparison

    def _add_run(self, settings: LabSettings, comparison: Comparison, dataset: ImageDataset) -> None:
        """Add a run to the list and show it."""
        if comparison.runs:
            run = self._kept.add(settings, comparison)
            self.screen.show_runs(self.runs, comparison)
            self.screen.runs.show_kept(self._kept.about)
        if not comparison.is_whole:
            self.screen.show_stopped(comparison.runs)
        else:
            is_first = self._result is None
            self._result = comparison
            self.screen.show_result(run, comparison, dataset)
            self.paper.show((comparison.verdict.text,), on_paper(comparison))
            self._show_seconds(settings)
            if is_first:
                self.live = True  # from now on, a change shows its effect at once
                self.screen.show_hint(_("Live is on: move a slider, and the transfer model is trained again at once."))

    def _switch_live(self, is_on: bool) -> None:
        if is_on:
            self.screen.show_curves_tab()
            if not (self._runs and self._runs[-1].settings == self.settings):  # otherwise it would train the same again
                self._live_training.submit(self.settings)
        else:
            self._live_training.stop()
            self.screen.outcome.live_line.value = ""

    def _retrain(self, settings: LabSettings, cancel: Cancel) -> None:
        """Retrain the transfer model's head; runs in Live mode's thread."""
        screen = self.screen

        def on_event(event: Event) -> None:
            screen.on_live_event(event, cancel)

        try:
            with training_lock(cancel, lambda: None):
                wait_for_tensorflow(cancel, lambda: screen.show_live_text(_("loading TensorFlow"), cancel))
                dataset = self._source.load(settings, on_event, cancel)
                # A separate cache, because these runs must not evict those of the last comparison.
                cache = RunCache(backbones=self._cache.backbones)
                run = retrain_transfer(dataset, settings.config, cache=cache, on_event=on_event, cancel=cancel)
                raise_if_cancelled(cancel)
                if run.stopped:
                    return
                last = next((item for item in reversed(self._runs) if not (item.result.stopped or item.source)), None)
                scratch = last.result.scratch if last is not None else None
                shown: tuple[RunResult, ...] = (run,)
                changed = {} if last is None else differences([last.settings, settings])
                outdated: list[str] = []
                if last is not None and scratch is not None and same_images(last.result, dataset, run):
                    shown = (scratch, run)
                    outdated = [name for name in changed if not CONTROLS[name].transfer_only]
                n_epochs = max(len(item.history.accuracy) for item in shown)
                screen.start((ModelName.SCRATCH, ModelName.TRANSFER), settings, dataset, n_epochs)
                preset = self._preset if settings == self._base_settings else ""
                screen.show_live(
                    shown,
                    run,
                    now=values_text({name: values[1] for name, values in changed.items()}, preset, transfer=True),
                    outdated=values_text({name: changed[name][0] for name in outdated}),
                    cancel=cancel,
                    same_run=last.number if last is not None and not changed and has_one_test(last.result) else None,
                )
        except CancelledError:
            raise
        except Exception as error:
            raise_if_cancelled(cancel)  # outdated, and the screen may already show a run
            screen.show_error(error)
