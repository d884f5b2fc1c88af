"""StudyLab, the app for all studies. It holds the state; `StudyScreen` shows it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.records.comparison import Comparison
from tl_widgets.studies.registry import STUDIES
from tl_widgets.studies.study import Guess, Plan, StudyResult
from tl_widgets.widgets.shared.app import App, require_own_dataset
from tl_widgets.widgets.shared.html import alert, error_alert, escape
from tl_widgets.widgets.shared.source import DataSource
from tl_widgets.widgets.shared.threads import Run
from tl_widgets.widgets.studies.files import load_study, save_study
from tl_widgets.widgets.studies.form import StudyForm, first_settings, images_of
from tl_widgets.widgets.studies.guess import GuessBox
from tl_widgets.widgets.studies.screen import StudyScreen
from tl_widgets.widgets.studies.settings import StudySettings

if TYPE_CHECKING:
    from tl_widgets.studies.study import Drawing


class StudyLab(App[StudyScreen, StudyResult]):
    """Choose a question, press Run, and read the answer: a figure and sentences.

    In a notebook, end a cell with `StudyLab()` to show it. `StudyLab("data")` offers only that study. From code:

        lab = StudyLab("data", values={"sizes": (2, 10), "epochs": 5})
        curve = lab.run(wait=True).result  # in a notebook: await lab.run().done()
        print(*curve.sentences)

    Attributes:
        form: the controls.

    Args:
        study: the only study to offer: "data", "time", ... (as in `tl-widgets study NAME`); all studies if None.
        dataset: your own images; the built-in data sets if None.
        values: initial values of the study's controls, by name (`lab.settings.values` shows all names).

    Raises:
        InputError: an argument is not allowed.
    """

    _text = "StudyLab: experiments with many models"
    _busy = "The study is running"

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
        self._result: StudyResult | None = None
        self._unrevealed: tuple[StudySettings, StudyResult, Drawing] | None = None  # measured but not shown yet
        self._shown: tuple[str, StudyResult] | None = None
        self._timings: list[tuple[StudySettings, int, float]] = []
        self.form = StudyForm(first, self._studies, source)
        screen = StudyScreen(self.form, GuessBox(self._reveal), self._studies)
        super().__init__(screen, source)
        screen.go_on_button.on_click(lambda _: self.go_on())
        screen.save_button.on_click(lambda _: self._save())
        screen.load_button.on_click(lambda _: self._load_typed())
        screen.list_records()
        self.form.follow(self._settings_changed)

    @property
    def settings(self) -> StudySettings:
        """The study and the values of its controls; assign to it to change them.

        Raises:
            InputError: on assignment, if a study is running or this app does not offer the new one.
        """
        return self.form.settings

    @settings.setter
    def settings(self, settings: StudySettings) -> None:
        self._require_idle("change its settings")
        if settings.study not in self._studies:
            raise InputError(f"This app offers {', '.join(self._studies)}; the settings are for {settings.study}.")
        self.form.settings = settings

    @property
    def result(self) -> Any:
        """The result that was measured or loaded last; None before the first."""
        return self._result

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
            raise InputError("There is no stopped study to resume. Only “Which backbone?” can be resumed.")
        return self._measure(unfinished, wait)

    @property
    def _unfinished(self) -> StudyResult | None:
        """The result from which the chosen study could resume, or None."""
        if self._shown is None or not STUDIES[self.settings.study].can_go_on:
            return None
        study, result = self._shown
        return result if study == self.settings.study and result.stopped else None

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
        self._require_idle("load a record")
        study, result = load_study(Path(path), self._studies)
        drawing = STUDIES[study].draw(result)
        self.form.choose(study)
        self._unrevealed = None
        self._set_result(study, result, drawing, source=Path(path).name)
        return result

    def _release(self) -> None:
        super()._release()
        self._shown = self._unrevealed = None
        if isinstance(self._result, Comparison):
            self._result = self._result.without_models()

    def _settings_changed(self, settings: StudySettings) -> None:
        self.form.show_seconds(self._estimate(settings))
        self.screen.suggest_name(settings.study)
        self.screen.show_go_on(self._unfinished is not None)
        self.screen.guess.ask(_guess_of(settings))

    def _estimate(self, settings: StudySettings) -> float | None:
        """Estimate the seconds of a run from the last similar one, or return None."""
        n_passes = self.form.plan.n_passes
        for before, n_passes_before, seconds in reversed(self._timings):
            if before.study == settings.study and all(
                before.values.get(name) == settings.values.get(name) for name in STUDIES[before.study].cost_by
            ):
                return seconds * n_passes / n_passes_before
        return None

    def _work(self, settings: StudySettings, plan: Plan, resume: StudyResult | None, cancel: Cancel) -> StudyResult:
        """Measure and show the result, in the run's thread."""
        screen, study = self.screen, STUDIES[settings.study]
        screen.progress.start(plan.n_models)
        started = time.monotonic()
        with self._training_session(cancel, lambda: self._load_images(settings, cancel)) as dataset:
            if resume is None:
                result = study.measure(settings.arguments, dataset, screen.on_event, cancel)
            else:
                result = study.go_on(resume, settings.arguments, dataset, screen.on_event, cancel)
        if not result.stopped and resume is None:
            self._timings.append((settings, plan.n_passes, time.monotonic() - started))
            self.form.show_seconds(self._estimate(settings))
        try:
            drawing = study.draw(result)
        except InputError:
            if not result.stopped:
                raise
            screen.show_empty_stop()  # too early for a figure
            return result
        screen.finish(_end_text(settings.study, result))
        self._show_measured(settings, result, drawing)
        return result

    def _load_images(self, settings: StudySettings, cancel: Cancel) -> ImageDataset | None:
        """Return the images; None if the study brings its own."""
        if STUDIES[settings.study].brings_images and self._source.own is None:
            return None
        return self._source.load(images_of(settings, self._source), self.screen.on_event, cancel)

    def _show_measured(self, settings: StudySettings, result: StudyResult, drawing: Drawing) -> None:
        """Show what a run measured, unless the learner's guess has to come first."""
        guess = _guess_of(settings)
        self._unrevealed = None
        if guess is not None and self.screen.guess.kept_guess(guess) is None:
            self._result, self._shown, self._unrevealed = result, None, (settings, result, drawing)
            self.screen.hide_result()
            return
        # The result of a stopped study does not answer the guess.
        sentence = self.screen.guess.sentence(guess, result) if guess and not result.stopped else ""
        self._set_result(settings.study, result, drawing, guess=sentence)

    def _set_result(
        self, study: str, result: StudyResult, drawing: Drawing, *, guess: str = "", source: str = ""
    ) -> None:
        self._result, self._shown = result, (study, result)
        self.screen.show_result(study, result, drawing, guess=guess, source=source)
        self.screen.show_go_on(self._unfinished is not None)

    def _reveal(self) -> None:
        """Show the result that waited for a guess, once the guess is kept."""
        if self._unrevealed is None:
            return
        settings, result, drawing = self._unrevealed
        guess = _guess_of(settings)
        if guess is not None and self.screen.guess.kept_guess(guess) is not None:
            self._show_measured(settings, result, drawing)

    def _save(self) -> None:
        if self._shown is None:
            return
        message = self.screen.file_message
        try:
            record, figure = save_study(*self._shown, self.screen.file.value.strip())
        except Exception as error:
            known = isinstance(error, InputError | OSError)
            message.value = alert(f"It was not saved: {error}") if known else error_alert(error)
            return
        message.value = (
            f'<p class="tlw-note" role="status">Saved {escape(record.name)} and {escape(figure.name)}. Read it with: '
            f"<code>tl_widgets.{type(self._result).__name__}.from_json(...)</code></p>"
        )
        self.screen.list_records()

    def _load_typed(self) -> None:
        screen, name = self.screen, self.screen.record.value.strip()
        screen.file_message.value = ""
        try:
            if not name:
                raise InputError("Type or choose the name of a record first: the .json that Save wrote.")
            self.load(name)
        except Exception as error:
            screen.file_message.value = error_alert(error)


def _guess_of(settings: StudySettings) -> Guess | None:
    return STUDIES[settings.study].guess(settings.arguments)


def _end_text(study: str, result: StudyResult) -> str:
    if not result.stopped:
        return "Done."
    more = " “Go on” measures the rest." if STUDIES[study].can_go_on else ""
    return f"Stopped. This is what was measured so far.{more}"
