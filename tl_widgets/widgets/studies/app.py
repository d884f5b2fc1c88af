"""StudyLab, the app for all studies. It holds the state; `StudyScreen` shows it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from tl_widgets.core.arguments import checked
from tl_widgets.core.config import Config
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel
from tl_widgets.core.html import Markup
from tl_widgets.core.paths import user_path
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.experiments.comparison import RunCache
from tl_widgets.studies.registry import STUDIES
from tl_widgets.studies.study import Plan, StudyResult
from tl_widgets.widgets.shared.app import App, require_own_dataset
from tl_widgets.widgets.shared.files import file_link
from tl_widgets.widgets.shared.html import error_alert
from tl_widgets.widgets.shared.source import DataSource
from tl_widgets.widgets.shared.threads import Run
from tl_widgets.widgets.studies.cards import static_cards
from tl_widgets.widgets.studies.files import load_study, save_study
from tl_widgets.widgets.studies.findings import Finding, Findings, guess_of
from tl_widgets.widgets.studies.form import StudyForm, first_settings
from tl_widgets.widgets.studies.guess import GuessBox
from tl_widgets.widgets.studies.own_model import OwnModelView
from tl_widgets.widgets.studies.screen import StudyScreen
from tl_widgets.widgets.studies.seconds import StudyEstimator, images_of
from tl_widgets.widgets.studies.settings import StudySettings

_PATIENCE = 60  # seconds that a run waits for the earlier results to be read


class StudyLab(App[StudyScreen, StudyResult]):
    """Choose a question, press Run, and read the answer: a figure and sentences.

    In a notebook, end a cell with `StudyLab()` to show it. `StudyLab("data")` offers only that study. From code:

        lab = StudyLab("data", values={"sizes": (2, 10), "epochs": 5})
        curve = lab.run(wait=True).result  # in a notebook: await lab.run().done()
        print(*curve.sentences)

    Attributes:
        form: the controls.
        own_model: the panel that checks a model of yours; None in an app for one study.
        taken_up: reads what an earlier kernel kept; None if there is nothing.

    Args:
        study: the only study to offer: "data", "time", ... (as in `tl-widgets study NAME`); all studies if None.
        dataset: your own images; the built-in data sets if None.
        values: initial values of the study's controls, by name (`lab.settings.values` shows all names).

    Raises:
        InputError: an argument is not allowed.
    """

    _text = _("StudyLab: experiments with many models")
    _busy = _("The study is running")

    def __init__(
        self,
        study: str | None = None,
        dataset: ImageDataset | None = None,
        *,
        values: Mapping[str, Any] | None = None,
    ) -> None:
        require_own_dataset(dataset, "StudyLab", 'values={"dataset": ...}')
        source = DataSource(dataset)
        first = first_settings(next(iter(STUDIES)) if study is None else study, source).with_values(values or {})
        self._studies = tuple(STUDIES) if study is None else (study,)
        self._card = first.study
        self._estimator = StudyEstimator(source)
        self.form = StudyForm(first, self._studies, source, self._estimator)
        self.own_model = OwnModelView(source) if study is None else None
        self.taken_up: Run[None] | None = None
        guess_box = GuessBox(self._show_guess, self._reveal)
        self._findings = Findings(self._studies, guess_box)
        screen = StudyScreen(self.form, guess_box, self._studies, self.own_model, self._forget)
        super().__init__(screen, source)
        self.paper.show(
            (_("{text}. They need a running kernel: run this cell.", text=self._text),), static_cards(self._studies)
        )
        screen.go_on_button.on_click(lambda _: self.go_on())
        screen.save_button.on_click(lambda _: self._save())
        screen.load_button.on_click(lambda _: self._load_typed())
        screen.list_records()
        self.form.follow(self._settings_changed)
        if self._findings.open(self._place, dataset):
            self.taken_up = Run(lambda cancel: self._take_up(first if values is None else None, cancel))
        screen.show_kept(self._findings.about)

    @property
    def settings(self) -> StudySettings:
        """The study and the values of its controls; assign to it to change them.

        Raises:
            InputError: on assignment, if a study is running or this app does not offer the new one.
        """
        return self.form.settings

    @settings.setter
    @checked
    def settings(self, settings: StudySettings) -> None:
        self._require_idle(_("change its settings"))
        if settings.study not in self._studies:
            raise InputError(
                _(
                    "This app offers {studies}; the settings are for {study}.",
                    studies=", ".join(self._studies),
                    study=settings.study,
                )
            )
        self.form.settings = settings

    @property
    def result(self) -> Any:
        """The result that was measured or loaded last; None before the first."""
        return self._findings.last

    def run(self, *, wait: bool = False) -> Run[StudyResult]:
        """Run the study in the background; if a study is running, return its run.

        Args:
            wait: whether to return only when the study has ended, for scripts. In a notebook, use
                `await lab.run().done()` instead.

        Returns:
            The run, with `await run.done()`, `run.wait()`, `run.stop()` and `run.result`.
        """
        return self._measure(None, wait)

    def go_on(self, *, wait: bool = False) -> Run[StudyResult]:
        """Resume the stopped study that is shown, and measure what it lacks.

        It may come from a record. The controls must have the same values as before; you may add backbones.

        Args:
            wait: as in `run`.

        Returns:
            The run; if a study is running, the run of that one.

        Raises:
            InputError: no stopped study is shown that can be resumed.
        """
        unfinished = self._unfinished
        if unfinished is None and not self.is_running:
            raise InputError(_("There is no stopped study to resume. Only “Which backbone?” can be resumed."))
        return self._measure(unfinished, wait)

    @property
    def _unfinished(self) -> StudyResult | None:
        """The result from which the chosen study could resume, or None."""
        finding = self._findings.shown.get(self.settings.study)
        can_go_on = finding is not None and STUDIES[finding.study].can_go_on and finding.result.stopped
        return finding.result if finding is not None and can_go_on else None

    def _measure(self, resume: StudyResult | None, wait: bool) -> Run[StudyResult]:
        settings, plan = self.settings, self.form.plan
        return self._start(lambda cancel: self._work(settings, plan, resume, cancel), wait=wait)

    def load(self, path: str | Path) -> StudyResult:
        """Load a record and show its result.

        Args:
            path: path of the JSON file that Save or `tl-widgets study NAME` wrote.

        Returns:
            The result.

        Raises:
            InputError: the file cannot be read, it is not a record of a study in this app, or a study is running.
        """
        self._require_idle(_("load a record"))
        path = user_path(path, _("The record"))
        study, result = load_study(path, self._studies)
        figure = self.screen.figure_of(study, result, STUDIES[study].draw(result))
        self.form.choose(study)
        self._findings.add_record(Finding(study, result, source=path.name, figure=figure))
        self._show(study)
        self._put_on_paper(study)
        return result

    def _take_up(self, first: StudySettings | None, cancel: Cancel) -> None:
        """Show what an earlier kernel kept; runs in a thread.

        Args:
            first: the settings in whose place those of the newest result may be set; None to leave them.
            cancel: stops reading.
        """
        last = self._findings.take_up(self.form, cancel)
        with suppress(InputError):  # a run has started
            if last is not None and self.settings == first:
                self.settings = last
        if not self.is_running:
            self._show_card(self.settings.study)
            if self.settings.study in self._findings.shown:
                self._put_on_paper(self.settings.study)
        self.screen.show_kept(self._findings.about)

    def _forget(self) -> None:
        """Delete what is kept, and start afresh."""
        if self.is_running or (self.taken_up is not None and self.taken_up.is_running):
            return
        self._findings.forget()
        self.screen.show_nothing()
        self.screen.show_kept(self._findings.about)
        self.paper.clear()
        self._show_go_on()

    def _release(self) -> None:
        super()._release()
        if self.taken_up is not None:
            self.taken_up.stop()
        if self.own_model is not None:
            self.own_model.release()
        self._findings.release()

    def _settings_changed(self, settings: StudySettings) -> None:
        self._show_seconds(settings)
        self.screen.suggest_name(settings.study)
        self._show_go_on()
        self.screen.guess.ask(guess_of(settings))
        is_other, self._card = settings.study != self._card, settings.study
        if is_other:
            self.screen.progress.clear()
            self.screen.message.value = ""
            self.screen.tabs.selected_index = 0  # an empty figure or file form would not say what the card is about
        self._show_card(settings.study)

    def _show_card(self, study: str) -> None:
        """Show what the chosen card has: its result, a result that waits for the guess, or nothing yet."""
        if study in self._findings.waiting:
            self.screen.hide_result()
        elif study in self._findings.shown:
            self._show(study)
            self._show_guess()
        else:
            self.screen.show_nothing()

    def _show_guess(self) -> None:
        """Draw the guess on the chart: on that of the result if it is about this, otherwise on empty axes."""
        study, guess = self.settings.study, guess_of(self.settings)
        finding = self._findings.shown.get(study)
        if finding is None or (guess is not None and finding.subject not in ("", guess.subject)):
            self.screen.stage.draw()
        else:
            self.screen.stage.draw(finding.result, with_guess=bool(finding.subject))

    def _work(self, settings: StudySettings, plan: Plan, resume: StudyResult | None, cancel: Cancel) -> StudyResult:
        """Measure and show the result, in the run's thread."""
        screen, study = self.screen, STUDIES[settings.study]
        if self.taken_up is not None:
            self.taken_up.wait(_PATIENCE)
        screen.start(plan.n_models, tuple(study.points(resume)) if resume is not None else ())
        started = time.monotonic()
        with self._training_session(cancel, lambda: self._load_images(settings, cancel)) as dataset:
            if resume is None:
                result = study.measure(settings.arguments, dataset, screen.on_event, cancel)
            else:
                result = study.go_on(resume, settings.arguments, dataset, screen.on_event, cancel)
        if not result.stopped and resume is None:
            self._estimator.add_run(settings, time.monotonic() - started)
        try:
            figure = screen.figure_of(settings.study, result, study.draw(result))
        except InputError:
            if not result.stopped:
                raise
            screen.show_empty_stop()  # too early for a figure
            self._show_card(settings.study)
            return result
        screen.finish(_end_text(settings.study, result))
        self._findings.keep(settings, result)
        screen.show_kept(self._findings.about)
        self._show_measured(settings, Finding(settings.study, result, figure=figure))
        return result

    def _after_run(self) -> None:
        self._show_cost()

    @property
    def _timed(self) -> tuple[Config, int, RunCache]:
        settings = self.settings
        config = Config(backbone=settings.values.get("backbone", Config.backbone))
        return config, images_of(settings, self._source).image_size, RunCache()

    def _show_cost(self) -> None:
        self.form.show_cost()
        self._show_seconds(self.settings)

    def _show_go_on(self) -> None:
        unfinished, seconds = self._unfinished, self._estimator.seconds(self.settings)
        if unfinished is not None and seconds is not None:
            n = self.form.plan.n_models
            seconds *= max(0, n - len(STUDIES[self.settings.study].points(unfinished))) / n
        self.screen.show_go_on(unfinished is not None, seconds)

    def _show_seconds(self, settings: StudySettings) -> None:
        self.screen.show_seconds(self._estimator.seconds(settings), self._estimator.advice(settings))

    def _show_running(self, running: bool) -> None:
        super()._show_running(running)
        if not running:
            self.screen.stage.start()  # a run that failed has left its points on the chart
            self._show_guess()

    def _load_images(self, settings: StudySettings, cancel: Cancel) -> ImageDataset | None:
        """Return the images; None if the study brings its own."""
        if STUDIES[settings.study].brings_images and self._source.own is None:
            return None
        return self._source.load(images_of(settings, self._source), self.screen.on_event, cancel)

    def _show_measured(self, settings: StudySettings, finding: Finding) -> None:
        """Show what a run measured, unless the learner's guess has to come first."""
        if not self._findings.add(settings, finding):
            self.screen.hide_result()
            return
        self._show(finding.study)
        self._put_on_paper(finding.study)
        if not self.screen.stage.has_chart:
            self.screen.show_figure()

    def _show(self, name: str) -> None:
        """Show the result of a study."""
        finding, study = self._findings.shown[name], STUDIES[name]
        if not finding.figure:  # of an earlier kernel
            figure = self.screen.figure_of(name, finding.result, study.draw(finding.result))
            finding = self._findings.shown[name] = replace(finding, figure=figure)
        self.screen.show_finding(finding)
        self._show_go_on()

    def _put_on_paper(self, name: str) -> None:
        finding, study = self._findings.shown[name], STUDIES[name]
        sentences = dict.fromkeys([study.headline(finding.result), *study.sentences(finding.result)])
        self.paper.show((study.question, *sentences), finding.figure)

    def _reveal(self) -> None:
        """Show the result that waited for a guess, once the guess is kept."""
        waiting = self._findings.waiting.get(self.settings.study)
        if waiting is None:
            self._show_guess()
            return
        settings, finding = waiting
        guess = guess_of(settings)
        if guess is not None and self.screen.guess.kept_guess(guess) is not None:
            self._findings.keep(settings, finding.result)
            self._show_measured(settings, finding)

    def _save(self) -> None:
        finding = self._findings.shown.get(self.settings.study)
        if finding is None:
            return
        message = self.screen.file_message
        try:
            record, figure = save_study(finding.study, finding.result, self.screen.file.value.strip())
        except Exception as error:
            message.value = error_alert(error)
            return
        message.value = Markup(
            _(
                '<p class="tlw-note" role="status">Saved {record} and {figure}. Read it with: '
                "<code>tl_widgets.{name}.from_json(...)</code></p>"
            )
        ).format(record=file_link(record), figure=file_link(figure), name=type(finding.result).__name__)
        self.screen.list_records()

    def _load_typed(self) -> None:
        screen, name = self.screen, self.screen.record.value.strip()
        screen.file_message.value = ""
        try:
            if not name:
                raise InputError(_("Type or choose the name of a record first: the .json that Save wrote."))
            self.load(name)
        except Exception as error:
            screen.file_message.value = error_alert(error)


def _end_text(study: str, result: StudyResult) -> str:
    if not result.stopped:
        return _("Done.")
    more = _(" “Go on” measures the rest.") if STUDIES[study].can_go_on else ""
    return _("Stopped. This is what was measured so far.{more}", more=more)
