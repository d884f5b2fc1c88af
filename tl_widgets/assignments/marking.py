"""Points for one answer, with the reason and the misconception behind it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from tl_widgets.assignments.description import Question, formula_names
from tl_widgets.assignments.formula import evaluate
from tl_widgets.assignments.plan import LETTERS, Blank, Variant
from tl_widgets.assignments.questions.numbers import as_number, is_near
from tl_widgets.core.errors import InputError
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _, localized
from tl_widgets.records.comparison import Comparison

MOST_LETTERS = 5_000


@dataclass(frozen=True)
class Given:
    """An answer that a student gave.

    Attributes:
        question: The name of the question.
        number: The answer to a number or a measured question.
        text: The letter of a choice or a prediction, or a text.
        because: The letter of a prediction's reason.
        before_run: Whether it was given before the models were trained.
    """

    question: str
    number: float | None = None
    text: str = ""
    because: str = ""
    before_run: bool = True


@dataclass(frozen=True)
class Mark:
    """What an answer is worth.

    Attributes:
        question: The name of the question.
        points: None until it is graded by hand.
        reason: Why, as a sentence.
        misconception: What is behind a wrong answer, as a sentence; "" if that isn't known.
        answer: The answer, for people.
        is_right: Whether the answer is right, or the prediction came true; None where that can't be said.
    """

    question: str
    points: float | None
    reason: str
    misconception: str = ""
    answer: str = ""
    is_right: bool | None = None


def read_answer(blank: Blank, answer: object, because: object = "", *, before_run: bool = True) -> Given:
    """Return an answer as it is kept.

    Raises:
        InputError: It isn't an answer to such a question; the message says what one is.
    """
    if blank.kind in ("number", "measured"):
        return Given(blank.name, number=as_number(answer), before_run=before_run)
    if blank.kind == "text":
        if not isinstance(answer, str) or len(answer) > MOST_LETTERS:
            value = shown(answer, 60)
            raise InputError(
                _("The answer is a text of at most {n:,} letters; received {value}.", n=MOST_LETTERS, value=value)
            )
        return Given(blank.name, text=answer.encode("utf-8", "replace").decode(), before_run=before_run)
    letter = _letter(_("The answer"), answer, blank.n_options)
    reason = _letter("because", because, blank.n_reasons) if blank.n_reasons else ""
    return Given(blank.name, text=letter, because=reason, before_run=before_run)


def _letter(what: str, answer: object, n_options: int) -> str:
    letter = answer.strip(" .()\n\t").lower() if isinstance(answer, str) else ""
    if len(letter) != 1 or letter not in LETTERS[:n_options]:
        last = LETTERS[n_options - 1]
        raise InputError(
            _(
                '{what} is one letter from "a" to "{last}"; received {value}.',
                what=what,
                last=last,
                value=shown(answer, 60),
            )
        )
    return letter


def mark(asked: Question, given: Given | None, variant: Variant, run: Comparison | None) -> Mark:
    """Return what an answer is worth.

    Args:
        asked: The question.
        given: The answer; None if there is none.
        variant: What the student was given.
        run: The student's run, for measured questions and predictions.
    """
    try:
        # A file may hold an answer of another kind than the question's.
        answer = None if given is None else given.number if asked.kind in ("number", "measured") else given.text
        if given is None or answer is None or answer == "":
            return Mark(asked.name, 0.0, _("No answer."))
        given = read_answer(asked.blank, answer, given.because, before_run=given.before_run)
    except InputError as error:
        return Mark(asked.name, 0.0, str(error))
    if asked.kind == "text":
        return Mark(asked.name, None, _("To be graded by hand."), answer=given.text)
    if asked.kind == "choice":
        option = asked.options[LETTERS.index(given.text)]
        if option.is_right:
            return Mark(asked.name, asked.points, _("Right."), answer=given.text, is_right=True)
        return Mark(asked.name, 0.0, option.why, option.why, given.text, is_right=False)
    if asked.kind == "prediction":
        return _mark_prediction(asked, given, variant, run)
    return _mark_number(asked, given, variant, run)


def _mark_prediction(asked: Question, given: Given, variant: Variant, run: Comparison | None) -> Mark:
    came_true = None
    if asked.outcome and run is not None:
        with suppress(InputError):  # it can't be computed from this run: an accuracy of 0 is no divisor
            outcome = evaluate(asked.outcome, formula_names(variant, run))
            distances = [abs(value - outcome) for value in asked.values]
            came_true = distances.index(min(distances)) == LETTERS.index(given.text)
    answer = f"{given.text}, {given.because}" if given.because else given.text
    if given.before_run:
        return Mark(asked.name, asked.points, _("Predicted before the run."), answer=answer, is_right=came_true)
    return Mark(asked.name, 0.0, _("Predicted after the run, when the result was known."), answer=answer)


def _mark_number(asked: Question, given: Given, variant: Variant, run: Comparison | None) -> Mark:
    value = given.number or 0.0
    answer = number_text(value)
    if asked.kind == "measured" and run is None:
        return Mark(asked.name, 0.0, _("There is no run to compare it with."), answer=answer)
    names = formula_names(variant, run if asked.kind == "measured" else None)
    try:
        right = evaluate(asked.right, names)
    except InputError as error:
        return Mark(asked.name, 0.0, _("The right answer can't be computed: {why}.", why=error), answer=answer)
    if is_near(value, right, asked.tolerance, asked.within):
        return Mark(asked.name, asked.points, _("Right."), answer=answer, is_right=True)
    for wrong in asked.wrong:
        with suppress(InputError):  # it can't be computed from this run
            other = evaluate(wrong.value, names)
            within = asked.within
            if within is not None and abs(other) < abs(right):
                within *= abs(other / right)  # else a share would be near each small number of percentage points
            if not is_near(value, other, asked.tolerance, within):
                continue
            return Mark(asked.name, wrong.points, wrong.why, wrong.why, answer, is_right=False)
    reason = _("The answer is {answer}; {right} is right.", answer=answer, right=number_text(right))
    return Mark(asked.name, 0.0, reason, answer=answer, is_right=False)


def number_text(value: float) -> str:
    """Return a number with as many digits as a reader wants: "3,843", "0.9111"."""
    form = ",.0f" if value.is_integer() else ",.4g" if abs(value) < 1000 else ",.1f"
    return localized(format(value, form))
