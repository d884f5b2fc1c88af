"""What the cells of an assignment's notebook call: no widgets, and sentences in place of stack traces."""

from __future__ import annotations

import platform
import textwrap
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from os import PathLike
from typing import Any

from tl_widgets.assignments.description import Question
from tl_widgets.assignments.marking import Given, mark, number_text, read_answer
from tl_widgets.assignments.plan import Plan, Variant
from tl_widgets.assignments.submission import Submission, require_student, to_signed_json
from tl_widgets.core.errors import InputError
from tl_widgets.core.files import write_text
from tl_widgets.core.numbers import size_text
from tl_widgets.core.paths import user_path
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _, ngettext
from tl_widgets.core.version import __version__
from tl_widgets.records.codec import from_plain
from tl_widgets.records.comparison import Comparison

_COLUMNS = 88


class Task:
    """One student's assignment, as their notebook holds it.

    Args:
        plan: What the notebook knows.
        student: Name or number; empty until the student has written it.

    Attributes:
        plan: The same.
        given: The answers so far, by the questions' names.
        run: The student's run, without its models; None before `record`.
    """

    def __init__(self, plan: Plan, student: object) -> None:
        self.plan = plan
        self._student = student
        self.given: dict[str, Given] = {}
        self.run: Comparison | None = None

    @property
    def student(self) -> str:
        """The student's name or number.

        Raises:
            InputError: It's still missing.
        """
        return require_student(self._student)

    @property
    def variant(self) -> Variant:
        """What this student was given."""
        return self.plan.variant(self.student)

    @property
    def images(self) -> Mapping[str, Any]:
        """The arguments of `load_dataset` for this student."""
        return self.variant.images

    @property
    def settings(self) -> Mapping[str, Any]:
        """The arguments of `compare` for this student."""
        return self.variant.settings

    def __repr__(self) -> str:
        try:
            calls = "".join(f"\n  {call}" for call in self.variant.calls)
            return _("{assignment} for {student}", assignment=self.plan.name, student=self.student) + calls
        except InputError as error:
            return str(error)

    def take_over(self, before: Task) -> None:
        """Keep the answers and the run of an earlier task of this kernel where they still fit, and print which."""
        asked = [blank for blank in self.plan.questions if blank in before.plan.questions]
        self.given = {blank.name: before.given[blank.name] for blank in asked if blank.name in before.given}
        if self.given:
            _say(_("Your answers are kept: {names}.", names=", ".join(self.given)))
        if dropped := [name for name in before.given if name not in self.given]:
            _say(_("This version no longer asks for {names}, or asks in another way.", names=", ".join(dropped)))
        if before.run is not None:
            with suppress(InputError):  # without a name nobody can say whose run it is
                if self.plan.contents != before.plan.contents or self.variant.problem(before.run):
                    return _say(_("Your run isn't kept, because it has other images or settings. Train again."))
            self.run = before.run
            _say(_("The run is kept."))
        return None

    @property
    def _folder(self) -> str:
        contents = self.plan.contents
        return "" if contents is None or self.run is None else contents.fingerprint

    def answer(self, question: str, answer: object = ..., because: object = "") -> None:
        """Keep an answer, and print what was kept.

        Args:
            question: The name of the question.
            answer: A number, a letter or a text. Without one, nothing is kept.
            because: The letter of the reason, for a prediction that asks for one.
        """
        blank = next((blank for blank in self.plan.questions if blank.name == question), None)
        if blank is None:
            names = ", ".join(blank.name for blank in self.plan.questions)
            return _say(_("There is no question {name}; there are {names}.", name=shown(question, 60), names=names))
        if answer is ... or answer is None:
            return _say(_("{question}: no answer yet.", question=question))
        try:
            given = read_answer(blank, answer, because, before_run=self.run is None)
        except InputError as error:
            return _say(_("{question}: not kept. {problem}", question=question, problem=error))
        before = self.given.get(question)
        if before is not None and replace(before, before_run=given.before_run) == given:
            given = before  # the cell ran again
        if before is not None and blank.kind == "prediction" and before.before_run and not given.before_run:
            return _say(_("{question}: what you predicted before the run counts. {answer}",
                          question=question, answer=_described(before)))  # fmt: skip
        self.given[question] = given
        late = blank.kind == "prediction" and not given.before_run
        _say(_("{question}: kept. {answer}", question=question, answer=_described(given)))
        return _say(_("It comes after the run, so it counts as no prediction.")) if late else None

    def record(self, result: object) -> None:
        """Keep the result of the run, without its models.

        Args:
            result: What `compare` returned.
        """
        if not isinstance(result, Comparison):
            return _say(_("Not kept: give the result of compare(...); received {value}.", value=shown(result, 60)))
        try:
            if problem := self.plan.folder_problem:
                return _say(_("Not kept. {problem}", problem=problem))
            if problem := self.variant.problem(result):
                advice = _("Run the cell with compare(dataset, **task.settings) as it was.")
                return _say(_("Not kept. {problem} {advice}", problem=problem, advice=advice))
        except InputError as error:
            return _say(str(error))
        self.run = result.without_models()
        return _say(_("The run is kept."))

    def submit(self, folder: str | PathLike[str] = ".") -> None:
        """Write the file to hand in, and print its name and what is missing.

        Args:
            folder: Where to write it.
        """
        try:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            answers = tuple(self.given[blank.name] for blank in self.plan.questions if blank.name in self.given)
            submission = Submission(self.plan.name, self.plan.digest, self.student, now, answers,
                                    platform.python_version(), __version__, self._folder, self.run)  # fmt: skip
            text = to_signed_json(submission, self.plan)
            path = user_path(folder, "folder") / submission.file_name
            write_text(path, text)
        except InputError as error:
            return _say(_("Nothing was written. {problem}", problem=error))
        _say(_("Hand in this file: {file} ({size})", file=path, size=size_text(max(1_000, len(text)), kilobytes=True)))
        missing = [blank.name for blank in self.plan.questions if blank.name not in self.given]
        if missing:
            names = ", ".join(missing)
            _say(_("Without an answer: {names}. You can answer, and run this cell again.", names=names))
        if self.plan.has_run and self.run is None:
            _say(_("The run is missing: run the cells that train the models, and this cell again."))
        return None


_tasks: dict[str, Task] = {}  # of this kernel, by the assignment's name


def begin(student: object, plan: str) -> Task:
    """Return the assignment of a student, with the answers so far if its cell runs again.

    Args:
        student: Name or number, as the teacher knows it.
        plan: What the notebook knows of the assignment, as JSON.

    Raises:
        InputError: The plan was changed.
    """
    task = Task(Plan.from_json(plan), student)
    if problem := task.plan.folder_problem:
        _say(problem)
    if before := _tasks.get(task.plan.name):
        task.take_over(before)
    _tasks[task.plan.name] = task
    return task


def points(task: Task, question: Mapping[str, Any]) -> float:
    """Return what a student's answer is worth, and print why; for nbgrader and otter-grader.

    Args:
        task: The student's assignment.
        question: The question with its right answer, with the fields of `Question`.

    Raises:
        InputError: The question isn't one.
    """
    asked = from_plain(Question, dict(question))
    try:
        result = mark(asked, task.given.get(asked.name), task.variant, task.run)
    except InputError as error:
        _say(f"{asked.name}: {error}")
        return 0.0
    _say(f"{asked.name}: {result.reason}")
    return result.points or 0.0


def _described(given: Given) -> str:
    if given.number is not None:
        return _("Your answer is {answer}.", answer=number_text(given.number))
    if given.because:
        return _("Your answer is {answer}, because {reason}.", answer=given.text, reason=given.because)
    if len(given.text) == 1:
        return _("Your answer is {answer}.", answer=given.text)
    return ngettext("Your answer has {n:,} letter.", "Your answer has {n:,} letters.", len(given.text))


def _say(text: str) -> None:
    """Print a sentence in short lines."""
    print(textwrap.fill(text, _COLUMNS, break_long_words=False, break_on_hyphens=False))  # noqa: T201 - a cell's output
