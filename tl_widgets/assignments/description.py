"""Descriptions of assignments: what a teacher writes, in TOML, with the questions and their answers."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isfinite
from os import PathLike
from pathlib import Path
from typing import Any

from tl_widgets.assignments.formula import evaluate
from tl_widgets.assignments.handed_out import Contents, read_contents
from tl_widgets.assignments.plan import LETTERS, Blank, Plan, QuestionKind, Variant
from tl_widgets.assignments.questions.predictions import PREDICTIONS
from tl_widgets.assignments.questions.quizzes import QUESTIONS, Option
from tl_widgets.assignments.run_figures import example_of_run, names_of_run
from tl_widgets.core.config import ImageSettings
from tl_widgets.core.errors import InputError
from tl_widgets.core.paths import read_user_file
from tl_widgets.core.text import printable, shown
from tl_widgets.core.translation import _
from tl_widgets.records.codec import from_plain
from tl_widgets.records.comparison import Comparison

_MOST_BYTES = 1_000_000


@dataclass(frozen=True)
class Wrong:
    """A wrong number that has a reason.

    Attributes:
        value: The number, or a formula.
        why: The misconception behind it, as a sentence to the student.
        points: What it is still worth.
    """

    value: str
    why: str
    points: float = 0.0


@dataclass(frozen=True)
class Question:
    """A question with its answer.

    Attributes:
        name: A word for the notebook, the spreadsheet and the statistics.
        kind: "number", "choice", "prediction" (made before the run), "measured" (a number from the student's own run)
            or "text" (graded by hand).
        text: The question, in Markdown.
        points: What the right answer is worth; for a prediction, what it is worth to have made one in time.
        right: The number, or a formula: of a number from the student's settings, of a measured one from the run too.
        tolerance: How far a number may be off, as a share; by default 1%, and whole numbers above 50 must be exact.
        within: How far a number may be off, in its own unit.
        wrong: Wrong numbers that have a reason.
        options: The answers to choose from.
        reasons: The reasons to choose from, of a prediction.
        outcome: A formula of the run that says what became true, for the statistics of a prediction.
        values: The number that each option of a prediction stands for: the nearest to the outcome became true.
        model_answer: An answer to a text that deserves all points.
        checklist: What an answer to a text needs.
        title: The heading in the notebook; "Question 1" and so on without it.
    """

    name: str
    kind: QuestionKind
    text: str
    points: float = 1.0
    right: str = ""
    tolerance: float | None = None
    within: float | None = None
    wrong: tuple[Wrong, ...] = ()
    options: tuple[Option, ...] = ()
    reasons: tuple[Option, ...] = ()
    outcome: str = ""
    values: tuple[float, ...] = ()
    model_answer: str = ""
    checklist: tuple[str, ...] = ()
    title: str = ""

    @property
    def blank(self) -> Blank:
        """The question as the notebook knows it."""
        return Blank(self.name, self.kind, len(self.options), len(self.reasons))


@dataclass(frozen=True)
class Description:
    """An assignment.

    Attributes:
        name: Letters, digits and hyphens; becomes part of file names.
        title: The heading of the notebook.
        question: The questions, in their order.
        text: What stands below the heading, in Markdown.
        images, run, own: What is fixed, and what each student gets of their own; see `Plan`.
        contents, base: What the folder of `images` holds, and where it lies.
    """

    name: str
    title: str
    question: tuple[Question, ...]
    text: str = ""
    images: dict[str, Any] = field(default_factory=dict)
    run: dict[str, Any] | None = None
    own: dict[str, Any] = field(default_factory=dict)
    contents: Contents | None = field(default=None, compare=False)  # not written by the teacher
    base: Path = field(default=Path(), compare=False)

    @cached_property
    def plan(self) -> Plan:
        """What the students' notebook knows."""
        questions = tuple(asked.blank for asked in self.question)
        return Plan(self.name, questions, self.images, self.run, self.own, self.contents, self.base)

    @property
    def points(self) -> float:
        """What all right answers are worth."""
        return sum(asked.points for asked in self.question)


def read_description(path: str | PathLike[str]) -> Description:
    """Read a description from its file.

    Raises:
        InputError: It can't be read, or something in it can't be; the message says where.
    """
    data = read_user_file(path, "DESCRIPTION", _MOST_BYTES)
    try:
        return parse_description(data.decode("utf-8-sig"), Path(path).parent)
    except UnicodeDecodeError:
        raise InputError(_("{file} isn't text in UTF-8. Save it as UTF-8.", file=printable(str(path)))) from None
    except InputError as error:
        raise InputError(f"{printable(str(path))}: {error}") from None


def parse_description(text: str, base: Path = Path()) -> Description:
    """Read a description from its text.

    Args:
        text: The description.
        base: Where a folder of images lies.

    Raises:
        InputError: Something in it can't be; the message says where.
    """
    try:
        plain = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(_("This isn't TOML: {why}.", why=error)) from None
    questions = plain.get("question")
    if isinstance(questions, list):
        plain["question"] = [_filled(item) for item in questions]
    for table in ("images", "own"):
        if not isinstance(plain.get(table, {}), dict):
            raise InputError(_("{name} must be a table: [{name}].", name=table))
    try:
        description = from_plain(Description, plain)
    except InputError as error:
        raise InputError(f"{error}."[:1].upper() + f"{error}."[1:]) from None
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,59}", description.name):
        name = shown(description.name)
        raise InputError(_("name is {name}; use at most 60 small letters, digits and hyphens.", name=name))
    if "folder" in description.images:
        contents = read_contents(base, description.images["folder"], _smallest_size(description))
        description = replace(description, contents=contents, base=base)
    description.plan.check()
    _check_questions(description)
    return description


def _smallest_size(description: Description) -> int:
    """Return the smallest image size that a student can get: there, most images look alike."""
    sizes = description.own.get("image_size", description.images.get("image_size"))
    numbers = [size for size in (sizes if isinstance(sizes, list) else [sizes]) if type(size) is int]
    return min(numbers, default=ImageSettings().image_size)


def _filled(question: Any) -> Any:
    """Return a question of TOML as the codec takes it: the tutorial's texts filled in, formulas as text."""
    if not isinstance(question, dict):
        return question
    full = dict(question)
    for key, kind, bank in (("quiz", "choice", QUESTIONS), ("tutorial", "prediction", PREDICTIONS)):
        if (name := full.pop(key, None)) is not None:
            if not isinstance(name, str) or name not in bank:
                names = ", ".join(bank)
                raise InputError(
                    _("There is no {kind} {name}; there are {names}.", kind=key, name=shown(name), names=names)
                )
            full = {"name": name, "kind": kind, **(_quiz(name) if key == "quiz" else _prediction(name)), **full}
    wrong = full.get("wrong", [])
    if isinstance(wrong, list):
        full["wrong"] = [{**item, "value": _formula(item.get("value"))} if isinstance(item, dict) else item
                         for item in wrong]  # fmt: skip
    return full if "right" not in full else {**full, "right": _formula(full["right"])}


def _formula(value: Any) -> Any:
    return repr(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _quiz(name: str) -> dict[str, Any]:
    asked = QUESTIONS[name]
    options = [{"text": option.text, "why": option.why, "is_right": option.is_right} for option in asked.options]
    return {"text": asked.text, "options": options}


def _prediction(name: str) -> dict[str, Any]:
    asked = PREDICTIONS[name]
    filled: dict[str, Any] = {
        "text": asked.text,
        "options": [{"text": text, "why": ""} for text in asked.answers],
        "reasons": [{"text": text, "why": why} for text, why in asked.reasons.items()],
    }
    if name == "who_wins":  # scratch, transfer, too close to call
        filled |= {"outcome": "winner", "values": [-1, 1, 0]}
    return filled


def _check_questions(description: Description) -> None:
    if not description.question:
        raise InputError(_("It has no questions: write at least one [[question]]."))
    names = [asked.name for asked in description.question]
    for number, asked in enumerate(description.question, 1):
        problem = "" if re.fullmatch(r"[a-z][a-z0-9_]{0,39}", asked.name) else (
            _("its name must be a word of small letters, digits and underscores")
        )  # fmt: skip
        if not problem and names.count(asked.name) > 1:
            problem = _("another question has the same name")
        problem = problem or _problem(asked, description)
        if problem:
            text = _("Question {n} ({name}): {problem}.", n=number, name=shown(asked.name, 60), problem=problem)
            raise InputError(text)
    kinds = [asked.kind for asked in description.question]
    if "prediction" in kinds and "measured" in kinds[: len(kinds) - kinds[::-1].index("prediction")]:
        raise InputError(_("A prediction comes after a measured question. Ask for it before anything is measured."))


def _problem(asked: Question, description: Description) -> str:
    """Return what is wrong with a question, as a clause; "" if nothing is."""
    if not 0 <= asked.points <= 1000:
        return _("its points must be 0 to 1,000; received {value:g}", value=asked.points)
    if any(allowed is not None and not 0 <= allowed <= 1e12 for allowed in (asked.tolerance, asked.within)):
        return _("tolerance and within can't be negative or infinite")
    if asked.tolerance is not None and asked.tolerance >= 1:
        return _("its tolerance is a share below 1, such as 0.05 for 5%")
    if any(not 0 <= wrong.points <= asked.points for wrong in asked.wrong):
        return _("a wrong answer is worth more points than the right one")
    if asked.kind in ("choice", "prediction") and not 2 <= len(asked.options) <= len(LETTERS):
        return _("it needs 2 to {most} options", most=len(LETTERS))
    if asked.kind == "choice" and sum(option.is_right for option in asked.options) != 1:
        return _("exactly one of its options must have is_right = true")
    if asked.kind == "choice" and any(not option.why for option in asked.options if not option.is_right):
        return _("each wrong option needs a why: the misconception behind it")
    if len(asked.reasons) > len(LETTERS):
        return _("it has more than {most} reasons", most=len(LETTERS))
    if asked.outcome and len(asked.values) != len(asked.options):
        return _("its outcome needs values, one number for each option")
    if not all(map(isfinite, asked.values)):
        return _("its values must be numbers")
    if asked.kind == "measured" and not description.plan.has_run:
        return _("it is measured by a run, and there is no table [run]")
    if asked.kind in ("number", "measured") and not asked.right:
        return _("it needs right: a number, or a formula in quotes")
    return _formula_problem(asked, description)


def _formula_problem(asked: Question, description: Description) -> str:
    variant = description.plan.variant("")
    names = dict(variant.names)
    if asked.kind != "number" and variant.config is not None:
        names |= example_of_run(variant.config.model_names)
    for formula in filter(None, (asked.right, asked.outcome, *(wrong.value for wrong in asked.wrong))):
        try:
            evaluate(formula, names)
        except InputError as error:
            return str(error)
    return ""


def formula_names(variant: Variant, run: Comparison | None) -> Mapping[str, float]:
    """Return what formulas may use."""
    return {**variant.names, **(names_of_run(run) if run else {})}
