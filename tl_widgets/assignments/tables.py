"""The spreadsheets of an assignment: the grades, and the texts to grade by hand."""

from __future__ import annotations

from collections.abc import Mapping

from tl_widgets.assignments.grading import Graded, Grades
from tl_widgets.assignments.marking import Mark
from tl_widgets.assignments.spreadsheet import NOT_HERE, PointsByHand, to_csv

BY_HAND = "by hand"


def grades_csv(grades: Grades) -> str:
    """Return the grades as CSV: one line for each student, one column for each question."""
    questions = [asked.name for asked in grades.description.question]
    head = ["student", "points", "of", "status", *questions, "reasons", "notes", "run again", "submitted", "files"]
    return to_csv(head, (_row(grades, line) for line in grades.lines))


def _row(grades: Grades, line: Graded) -> list[str]:
    marks = {item.question: item for item in line.marks}
    worth = {asked.name: asked.points for asked in grades.description.question}
    cells = [_points(marks.get(name)) for name in worth]
    lost = [item for item in line.marks if item.points is not None and item.points < worth[item.question]]
    return [
        line.student,
        "" if line.points is None else f"{line.points:g}",
        f"{grades.description.points:g}",
        line.status,
        *cells,
        " ".join(f"{item.question}: {item.reason}" for item in lost),
        " ".join(line.notes),
        "" if line.check is None else line.check.text,
        line.submission.made if line.submission else "",
        ", ".join(line.files),
    ]


def _points(item: Mark | None) -> str:
    if item is None:
        return ""
    return BY_HAND if item.points is None else f"{item.points:g}"


def by_hand_csv(grades: Grades, points: Mapping[tuple[str, str], PointsByHand]) -> str | None:
    """Return the texts to grade by hand as CSV; None if the assignment has none.

    Points that were given before are kept, also those of students whose files aren't here now, but not for a new text.
    """
    texts = {asked.name: asked for asked in grades.description.question if asked.kind == "text"}
    if not texts:
        return None
    rows, left = [], dict(points)
    for line in grades.graded:
        for item in line.marks:
            if item.question in texts and item.answer:
                given = left.pop((line.key, item.question), None)
                shown = f"{given.points:g}" if given and given.fits(item.answer) else ""
                rows.append([line.student, item.question, shown, f"{texts[item.question].points:g}", item.answer])
    rows += [[student, name, f"{given.points:g}", "", NOT_HERE] for (student, name), given in left.items()]
    return to_csv(["student", "question", "points", "of", "answer"], rows)
