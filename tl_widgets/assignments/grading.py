"""Grading what students handed in: one result for each student, whatever the other files hold."""

from __future__ import annotations

import difflib
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal

from tl_widgets.assignments.collecting import HandedIn
from tl_widgets.assignments.description import Description
from tl_widgets.assignments.marking import Mark, mark
from tl_widgets.assignments.plan import student_key
from tl_widgets.assignments.rerun import Check
from tl_widgets.assignments.spreadsheet import PointsByHand, plain_cell, student_in_cell
from tl_widgets.assignments.submission import Submission, from_signed_json
from tl_widgets.core.errors import InputError
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _

Status = Literal["graded", "rejected", "unreadable", "missing"]


@dataclass(frozen=True)
class Graded:
    """A line of the spreadsheet: one student, or one file that names none.

    Attributes:
        student: Name or number; "" for a file that can't be read.
        files: The names of the student's files, the one that counts first.
        status: "graded"; "rejected" if the signature doesn't fit or the run isn't the student's own; "unreadable"; or
            "missing" for a student of the list who handed nothing in.
        marks: One for each question; empty unless it was graded.
        notes: What the teacher should know, as sentences.
        is_listed: Whether the student is on the teacher's list; true without a list.
        owner: The other student whose name the folder of the file has; "" if there is none.
        submission: What was handed in.
        check: What running it again showed; None if it wasn't in the sample.
    """

    student: str
    files: tuple[str, ...]
    status: Status
    marks: tuple[Mark, ...] = ()
    notes: tuple[str, ...] = ()
    is_listed: bool = True
    owner: str = ""
    submission: Submission | None = None
    check: Check | None = None

    @property
    def key(self) -> str:
        """The student in a form that survives a spreadsheet."""
        return student_in_cell(plain_cell(self.student))

    @property
    def points(self) -> float | None:
        """The points so far; None if it wasn't graded."""
        return sum(item.points or 0.0 for item in self.marks) if self.status == "graded" else None

    @property
    def waits(self) -> bool:
        """Whether an answer is still to be graded by hand."""
        return any(item.points is None for item in self.marks)


@dataclass(frozen=True)
class Grades:
    """All results of an assignment.

    Attributes:
        description: The assignment.
        lines: The results, students first, by name.
    """

    description: Description
    lines: tuple[Graded, ...] = field(default=())

    @property
    def graded(self) -> tuple[Graded, ...]:
        """The lines with points."""
        return tuple(line for line in self.lines if line.status == "graded")


def grade(description: Description, files: Iterable[HandedIn], students: Sequence[str] = ()) -> Grades:
    """Grade files.

    Args:
        description: The assignment, with its answers.
        files: What was handed in.
        students: The names or numbers of all students; empty if they aren't known.
    """
    graded = [_grade_file(description, file) for file in files]
    names = _Names(students or [line.student for line in graded if line.status == "graded"])
    by_student: dict[str, list[Graded]] = {}
    unnamed: list[Graded] = []
    for line in graded:
        owned = replace(line, owner=names.owner(line))
        (by_student.setdefault(student_key(line.student), []) if line.student else unnamed).append(owned)
    lines = [_merged(found) for found in by_student.values()]
    if students:
        missing = {key: name for key, name in names.by_key.items() if key not in by_student}
        lines = [line if student_key(line.student) in names.by_key else _unlisted(line, missing) for line in lines]
        lines += [Graded(student, (), "missing", notes=(_("Nothing was handed in under this name."),))
                  for student in missing.values()]  # fmt: skip
    lines.sort(key=lambda line: student_key(line.student))
    unnamed.sort(key=lambda line: line.files)
    return Grades(description, (*lines, *unnamed))


class _Names:
    """The names of a class, to find the owners of folders; `by_key` has them by `student_key`."""

    def __init__(self, names: Iterable[str]) -> None:
        self.by_key = {student_key(name): name for name in names if name}
        # A number may be anything in a folder's name.
        self._by_words = {_words(name): name for name in self.by_key.values() if re.search(r"[^\W\d_]", name)}
        self._owners: dict[str, tuple[str, ...]] = {}

    def owner(self, line: Graded) -> str:
        """Return whose name the folder of a file has, as learning platforms name folders; "" if it's the student's."""
        folder = _words(line.files[0].rpartition("/")[0])
        if folder not in self._owners:
            self._owners[folder] = tuple(words for words in self._by_words if words in folder)
        owners = self._owners[folder]
        return "" if not owners or _words(line.student) in folder else self._by_words[max(owners, key=len)]


def _words(text: str) -> str:
    words = " ".join(re.findall(r"[^\W_]+", student_key(text)))
    return f" {words} "


def _unlisted(line: Graded, missing: Mapping[str, str]) -> Graded:
    """Return the line of a student who isn't on the list, with the most similar name of those who are missing."""
    line = replace(line, is_listed=False)
    near = difflib.get_close_matches(student_key(line.student), missing, n=1, cutoff=0.75)
    if not near:
        return _with_note(line, _("This name isn't on the list."))
    return _with_note(
        line, _("This name isn't on the list. Is it {name}, whose file is missing?", name=missing[near[0]])
    )


def _grade_file(description: Description, file: HandedIn) -> Graded:
    try:
        if file.text is None:
            raise InputError(file.problem)
        submission, is_signed = from_signed_json(file.text, description.plan)
    except InputError as error:
        return Graded("", (file.name,), "unreadable", notes=(str(error),))
    except Exception as error:  # whatever a file holds, it must not cost others their grades
        note = _("It can't be read ({why}).", why=f"{type(error).__name__}: {shown(str(error), 80)}")
        return Graded("", (file.name,), "unreadable", notes=(note,))
    line = Graded(submission.student, (file.name,), "rejected", submission=submission)
    if submission.digest != description.plan.digest:
        note = _("It belongs to another version of this assignment: the notebook was made from another description.")
        return _with_note(line, note)
    if not is_signed:
        note = _("It was changed after submit() wrote it: its signature doesn't fit. Ask for the notebook.")
        return _with_note(line, note)
    try:
        contents = description.plan.contents
        if contents is not None and submission.run is not None and submission.folder != contents.fingerprint:
            text = _("Its images aren't the ones in {folder}, which was changed after it was handed out.",
                     folder=description.images["folder"])  # fmt: skip
            return _with_note(line, text)
        variant = description.plan.variant(submission.student)
        problem = variant.problem(submission.run) if submission.run is not None else ""
        if problem:
            return _with_note(_with_note(line, problem), _("It may be somebody else's run."))
        given = {answer.question: answer for answer in submission.answers}
        marks = tuple(mark(asked, given.get(asked.name), variant, submission.run) for asked in description.question)
    except Exception as error:  # as above
        note = _("It can't be graded ({why}).", why=f"{type(error).__name__}: {shown(str(error), 80)}")
        return _with_note(line, note)
    line = replace(line, status="graded", marks=marks)
    is_missing = description.plan.has_run and submission.run is None
    return _with_note(line, _("The run is missing.")) if is_missing else line


def _with_note(line: Graded, note: str) -> Graded:
    return replace(line, notes=(*line.notes, note))


def _merged(found: Sequence[Graded]) -> Graded:
    """Return one line for a student's files: the newest that can be graded counts."""
    first, *rest = sorted(found, key=lambda line: (line.status == "graded", not line.owner, _made(line)), reverse=True)
    if first.owner:
        note = _("It's in a folder with the name of {student}. Ask whose work it is.", student=first.owner)
        first = _with_note(first, note)
    if not rest:
        return first
    n_graded = sum(line.status == "graded" for line in found)
    files = (*first.files, *(name for line in rest for name in line.files))
    line = replace(first, files=files)
    if not n_graded:
        return _with_note(line, _("{n} files have this name, and none can be graded.", n=len(found)))
    note = _(
        "{n} files have this name; the newest that can be graded counts: {file}.", n=len(found), file=first.files[0]
    )
    line = _with_note(line, note)
    if others := [other.owner for other in rest if other.owner and not first.owner]:
        line = _with_note(line, _("The one in a folder with the name of {student} doesn't count.", student=others[0]))
    if n_graded == len(found):
        return line
    why = next(other.notes[0] for other in rest if other.status != "graded")
    return _with_note(line, _("About another one: {why}", why=why))


def _made(line: Graded) -> datetime:
    assert line.submission is not None
    made = datetime.fromisoformat(line.submission.made)
    return made if made.tzinfo else made.replace(tzinfo=UTC)


def choose_sample(grades: Grades, n: int, seed: int) -> tuple[Graded, ...]:
    """Return the lines whose runs are run again."""
    lines = [line for line in grades.graded if line.submission and line.submission.run]
    return tuple(random.Random(seed).sample(lines, min(n, len(lines))))  # noqa: S311 - a sample, no secret


def with_checks(grades: Grades, checks: Mapping[str, Check]) -> Grades:
    """Return the grades with what running a sample again showed, by `Graded.key`."""
    lines = tuple(replace(line, check=checks.get(line.key)) if line.student else line for line in grades.lines)
    return replace(grades, lines=lines)


def with_points_by_hand(grades: Grades, points: Mapping[tuple[str, str], PointsByHand]) -> Grades:
    """Return the grades with points for texts, by `Graded.key` and the question's name.

    A text that a student has changed since then waits for points again.

    Raises:
        InputError: An answer has more points than it can have.
    """
    most = {asked.name: asked.points for asked in grades.description.question}

    def filled(line: Graded, item: Mark) -> Mark:
        given = points.get((line.key, item.question))
        if item.points is not None or given is None or not given.fits(item.answer):
            return item
        value = given.points
        if not 0 <= value <= most[item.question]:
            text = _(
                "Graded by hand: {student} has {value:g} points for {question}, which can have 0 to {most:g}.",
                student=shown(line.student, 60), value=value, question=item.question, most=most[item.question],
            )  # fmt: skip
            raise InputError(text)
        return replace(item, points=value, reason=_("Graded by hand."))

    lines = tuple(replace(line, marks=tuple(filled(line, item) for item in line.marks)) for line in grades.lines)
    return replace(grades, lines=lines)
