"""Findings, the results that StudyLab has: those it shows, those that wait for a guess, those of earlier kernels."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel
from tl_widgets.core.kept_files import time_text
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.records.comparison import Comparison
from tl_widgets.studies.guess import Guess
from tl_widgets.studies.registry import STUDIES
from tl_widgets.studies.study import StudyResult
from tl_widgets.widgets.studies.form import StudyForm
from tl_widgets.widgets.studies.guess import GuessBox
from tl_widgets.widgets.studies.kept import KeptStudies
from tl_widgets.widgets.studies.settings import StudySettings


@dataclass(frozen=True)
class Finding:
    """A result as its card shows it.

    Attributes:
        study: the study's name.
        subject: what the guess was about when it was measured; "" for a record.
        guess: a sentence that compares it with the learner's guess, or "".
        source: name of the file that it was read from, or "".
        time: when an earlier kernel measured it, in words, or "".
        figure: the figure as HTML; "" if it isn't drawn yet.
    """

    study: str
    result: StudyResult
    subject: str = ""
    guess: str = ""
    source: str = ""
    time: str = ""
    figure: str = ""


class Findings:
    """The results of a StudyLab.

    Attributes:
        last: the result that was measured or loaded last; None before the first.
        shown: what each card shows, by study.
        waiting: what was measured, but the guess comes first; by study.

    Args:
        studies: names of the studies that the app offers.
        guess: the box with the learner's guesses.
    """

    def __init__(self, studies: Collection[str], guess: GuessBox) -> None:
        self._guess, self._kept = guess, KeptStudies(studies)
        self.last: StudyResult | None = None
        self.shown: dict[str, Finding] = {}
        self.waiting: dict[str, tuple[StudySettings, Finding]] = {}

    def add(self, settings: StudySettings, finding: Finding) -> bool:
        """Add what was measured; return False if the learner has to guess before it can be shown."""
        guess, box = guess_of(settings), self._guess
        self.last = finding.result
        self.waiting.pop(finding.study, None)
        if guess is not None:
            if guess.is_required and box.kept_guess(guess) is None:
                self.waiting[finding.study] = (settings, finding)
                self.shown.pop(finding.study, None)
                return False
            box.close_subject(guess)
        # The result of a stopped study does not answer the guess.
        sentence = box.sentence(guess, finding.result) if guess and not finding.result.stopped else ""
        self.shown[finding.study] = replace(finding, guess=sentence, subject=guess.subject if guess else "")
        return True

    def add_record(self, finding: Finding) -> None:
        """Add what was read from a record."""
        self.waiting.pop(finding.study, None)
        self.last, self.shown[finding.study] = finding.result, finding

    def open(self, place: str, own: ImageDataset | None) -> bool:
        """Look for what earlier kernels kept; see `KeptStudies.open`."""
        return self._kept.open(place, own)

    @property
    def about(self) -> str:
        """Where the results are kept, and which can't be used, in sentences."""
        return self._kept.about

    def keep(self, settings: StudySettings, result: StudyResult) -> None:
        """Keep a result for the next kernel, with the learner's guess if there is one yet."""
        guess = guess_of(settings)
        self._kept.add(settings, result, self._guess.place(guess) if guess is not None else None)

    def take_up(self, form: StudyForm, cancel: Cancel) -> StudySettings | None:
        """Add what earlier kernels kept, and let the form remember the settings; return those of the newest.

        Raises:
            CancelledError: `cancel` was set.
        """
        now, last = datetime.now().astimezone(), None
        for kept in self._kept.last_results(cancel):
            if kept.study in self.shown or kept.study in self.waiting:
                continue  # it was measured again meanwhile
            finding = Finding(kept.study, kept.result, time=time_text(kept.time, now))
            if kept.settings is None:
                self.add_record(finding)
                continue
            with suppress(InputError):  # images that are gone
                last = form.remember(kept.settings)
            if (guess := guess_of(kept.settings)) is not None and kept.guess is not None:
                self._guess.take_up(guess, kept.guess)
            self.add(kept.settings, finding)
        return last

    def forget(self) -> None:
        """Forget all results and guesses, and delete what is kept."""
        self._kept.forget()
        self._guess.forget()
        self.last, self.shown, self.waiting = None, {}, {}

    def release(self) -> None:
        """Release models; the last result stays readable."""
        self.shown, self.waiting = {}, {}
        if isinstance(self.last, Comparison):
            self.last = self.last.without_models()


def guess_of(settings: StudySettings) -> Guess | None:
    """Return the question that the learner answers first, or None."""
    return STUDIES[settings.study].guess(settings.arguments)
