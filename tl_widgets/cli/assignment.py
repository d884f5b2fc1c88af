"""`tl-widgets assignment`: make a notebook for a class, and grade what it hands in."""

from __future__ import annotations

import argparse
import secrets
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.translation import _

if TYPE_CHECKING:
    from rich.console import Console

    from tl_widgets.assignments.description import Description
    from tl_widgets.assignments.grading import Graded, Grades
    from tl_widgets.assignments.rerun import Check

_SAMPLE = 5
_MOST_LIST_BYTES = 1_000_000


def add_assignment(commands: Any) -> None:
    """Add the command `assignment` with `new`, `show` and `grade`."""
    parent = commands.add_parser("assignment", help=_("for teachers: make an assignment for a class, and grade it"))
    actions = parent.add_subparsers(dest="action", metavar="ACTION", required=True)
    new = actions.add_parser(
        "new",
        help=_("make the students' notebook"),
        description=_("Make the students' notebook from a description in TOML. It holds no answers."),
    )
    _add_description(new)
    graders = new.add_mutually_exclusive_group()
    graders.add_argument(
        "--nbgrader",
        action="store_const",
        const="nbgrader",
        dest="grader",
        default="",
        help=_(
            "the source version for nbgrader, with autograded cells that hold the answers: put it into source/NAME/, "
            "never give it to students"
        ),
    )
    graders.add_argument(
        "--otter",
        action="store_const",
        const="otter",
        dest="grader",
        default="",
        help=_(
            "the source version for otter-grader, which holds the answers: give it to otter assign, never to students"
        ),
    )
    new.add_argument("--out", type=Path, metavar="FILE", help=_("the notebook (default: NAME.ipynb)"))
    show = actions.add_parser("show", help=_("show what a student gets, and the right answers"))
    _add_description(show)
    show.add_argument("students", nargs="+", metavar="STUDENT", help=_("a student's name or number"))
    grade = actions.add_parser(
        "grade",
        help=_("grade what was handed in"),
        description=_(
            "Read the files that submit() wrote, grade them, run a sample again, and write NAME-grades.csv, "
            "NAME-by-hand.csv and NAME-statistics.html. Points that are filled into NAME-by-hand.csv count the next "
            "time."
        ),
    )
    add = grade.add_argument
    add("folder", type=Path, metavar="FOLDER", help=_("a folder, with sub-folders and zips, or a zip"))
    add(
        "--description",
        type=Path,
        metavar="FILE",
        help=_("the description (default: the one .toml in FOLDER, beside it or here)"),
    )
    add(
        "--students",
        type=Path,
        metavar="FILE",
        help=_("the names or numbers of all students, one on a line, to list who handed in nothing"),
    )
    again = _("how many runs to train again (default: {n})", n=_SAMPLE)
    add("--check", type=_count, default=_SAMPLE, metavar="N", help=again)
    add("--seed", type=_count, metavar="N", help=_("decides which runs (default: drawn anew, and printed)"))
    add("--out", type=Path, default=Path(), metavar="FOLDER", help=_("where to write (default: here)"))
    add("--quiet", action="store_true", help=_("print only the summary"))


def _add_description(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("description", type=Path, metavar="DESCRIPTION", help=_("a .toml file"))


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise argparse.ArgumentTypeError(_("{text!r} is not a whole number, 0 or more", text=text))
    return number


def run_assignment(args: Namespace) -> None:
    """Run `tl-widgets assignment`."""
    from tl_widgets.cli.progress import make_console

    console = make_console()
    {"new": _new, "show": _show, "grade": _grade}[args.action](args, console)


def _new(args: Namespace, console: Console) -> None:
    from tl_widgets.assignments.description import read_description
    from tl_widgets.assignments.notebook import to_notebook
    from tl_widgets.core.files import check_writable, require_new, write_text

    description = read_description(args.description)
    path = args.out or Path(f"{description.name}.ipynb")
    require_new(path)  # a teacher may have edited it
    check_writable(path, "--out")
    write_text(path, to_notebook(description, args.grader))
    n, points = len(description.question), description.points
    console.print(
        _("Notebook: {file} (questions: {n}, points: {points:g})", file=path, n=n, points=points), soft_wrap=True
    )
    if description.contents is not None:
        n_images, n_classes = sum(map(sum, description.contents.sizes)), len(description.contents.classes)
        text = _("Hand out {folder} with it: {n:,} images, {n_classes} classes.",
                 folder=description.images["folder"], n=n_images, n_classes=n_classes)  # fmt: skip
        console.print(text, soft_wrap=True)
    if args.grader:
        command = {"nbgrader": "nbgrader generate_assignment", "otter": "otter assign"}[args.grader]
        console.print(_("It holds the answers. {command} takes them out.", command=command), soft_wrap=True)


def _show(args: Namespace, console: Console) -> None:
    from tl_widgets.assignments.description import formula_names, read_description
    from tl_widgets.assignments.formula import evaluate
    from tl_widgets.assignments.marking import number_text
    from tl_widgets.assignments.plan import LETTERS
    from tl_widgets.assignments.submission import require_student

    description = read_description(args.description)
    for student in map(require_student, args.students):
        variant = description.plan.variant(student)
        console.print(student, soft_wrap=True)
        for call in variant.calls:
            console.print(f"  {call}", soft_wrap=True)
        for asked in description.question:
            right = asked.right
            if asked.kind == "number":
                right = number_text(evaluate(asked.right, formula_names(variant, None)))
            elif asked.kind == "choice":
                right = next(letter for letter, option in zip(LETTERS, asked.options, strict=False) if option.is_right)
            if right:
                console.print(f"  {asked.name}: {right}", soft_wrap=True)


def _grade(args: Namespace, console: Console) -> None:
    from tl_widgets.assignments.collecting import collect
    from tl_widgets.assignments.grading import grade, with_points_by_hand
    from tl_widgets.assignments.spreadsheet import read_points
    from tl_widgets.assignments.statistics import statistics_page
    from tl_widgets.assignments.tables import by_hand_csv, grades_csv
    from tl_widgets.core.files import check_writable, write_each, write_text

    started = time.monotonic()
    description = _find_description(args)
    paths = {kind: args.out / f"{description.name}-{kind}" for kind in ("grades.csv", "by-hand.csv", "statistics.html")}
    for path in paths.values():
        check_writable(path, "--out")
    by_hand = read_points(paths["by-hand.csv"]) if paths["by-hand.csv"].exists() else {}
    grades = grade(description, collect(args.folder), _students(args.students))
    grades = with_points_by_hand(grades, by_hand)
    if not grades.lines:
        text = _("There are no files in {folder}. Give the folder with what was handed in.", folder=args.folder)
        raise InputError(text)
    seconds = time.monotonic() - started
    if not args.quiet:
        console.print(_("Read and graded in {seconds:.1f} s.", seconds=seconds), soft_wrap=True)
    grades, stopped = _checked(grades, args, console)
    texts = {
        paths["grades.csv"]: grades_csv(grades),
        paths["by-hand.csv"]: by_hand_csv(grades, by_hand),
        paths["statistics.html"]: statistics_page(grades),
    }
    written = {path: text for path, text in texts.items() if text is not None}
    write_each((path, lambda path=path, text=text: write_text(path, text)) for path, text in written.items())  # type: ignore[misc]
    _summarize(grades, console, list(written))
    if stopped:
        raise CancelledError(_("stopped"))


def _find_description(args: Namespace) -> Description:
    from tl_widgets.assignments.description import read_description
    from tl_widgets.core.text import printable

    if args.description is not None:
        return read_description(args.description)
    folder = args.folder.absolute()
    # All three places: a student may have handed in a description of their own.
    places = [place for place in dict.fromkeys((folder, folder.parent, Path.cwd())) if place.is_dir()]
    files = [path for place in places for path in sorted(place.glob("*.toml")) if _may_be_description(path)]
    if len(files) > 1:
        names = ", ".join(printable(str(path)) for path in files)
        raise InputError(_("There are several descriptions: {names}. Give yours with --description FILE.", names=names))
    if files:
        return read_description(files[0])
    raise InputError(
        _(
            "There is no description (.toml) in {folder}, beside it or here. Give it with --description FILE.",
            folder=folder,
        )
    )


def _may_be_description(path: Path) -> bool:
    from tl_widgets.core.paths import read_file

    with suppress(OSError):
        return b"[[question]]" in read_file(path, _MOST_LIST_BYTES)
    return False


def _students(path: Path | None) -> Sequence[str]:
    from tl_widgets.core.paths import read_user_file

    if path is None:
        return ()
    text = read_user_file(path, "--students", _MOST_LIST_BYTES).decode("utf-8-sig", "replace")
    return list(dict.fromkeys(" ".join(line.split()) for line in text.splitlines() if line.strip()))


def _checked(grades: Grades, args: Namespace, console: Console) -> tuple[Grades, bool]:
    """Run a sample again, and return the grades with what that showed, and whether Ctrl-C stopped it."""
    from tl_widgets.assignments.grading import choose_sample, with_checks
    from tl_widgets.cli.progress import cancel_on_interrupt

    seed = secrets.randbelow(10**6) if args.seed is None else args.seed
    sample = choose_sample(grades, args.check, seed)
    checks: dict[str, Check] = {}
    if not sample:
        return grades, False
    console.print(_("Running {n} again, chosen by --seed {seed}.", n=len(sample), seed=str(seed)), soft_wrap=True)
    with cancel_on_interrupt() as cancel:
        try:
            for number, line in enumerate(sample, 1):
                checks[line.key] = _run_again(grades, line, cancel)
                if not args.quiet:
                    text = checks[line.key].text
                    console.print(
                        _("{i} of {n}, {student}: {text}", i=number, n=len(sample), student=line.student, text=text),
                        soft_wrap=True,
                    )
        except CancelledError:
            return with_checks(grades, checks), True
    return with_checks(grades, checks), False


def _run_again(grades: Grades, line: Graded, cancel: Any) -> Check:
    from tl_widgets.assignments.rerun import run_again

    assert line.submission is not None
    assert line.submission.run is not None
    return run_again(grades.description.plan.variant(line.student), line.submission.run, cancel=cancel)


def _summarize(grades: Grades, console: Console, written: Sequence[Path]) -> None:
    from statistics import mean

    points = [line.points or 0.0 for line in grades.graded]
    text = _("{n} of {n_lines} students and files were graded.", n=len(points), n_lines=len(grades.lines))
    if points:
        most = grades.description.points
        text += " " + _("The mean is {mean:.1f} of {most:g} points.", mean=mean(points), most=most)
    console.print(f"\n{text}", style="bold", soft_wrap=True)
    counts = Counter(line.status for line in grades.lines)
    n_other = sum(line.check is not None and line.check.agrees is False for line in grades.lines)
    n_waiting = sum(line.waits for line in grades.graded)
    for n, text in (
        (counts["rejected"], _("rejected: the column notes says why")),
        (counts["unreadable"], _("not a submission, or not readable")),
        (counts["missing"], _("on the list, but nothing handed in")),
        (
            sum(not line.is_listed for line in grades.lines),
            _("not on the list: the column notes suggests who it may be"),
        ),
        (
            sum(len(line.files) > 1 for line in grades.lines),
            _("with several files: the column notes says which counts"),
        ),
        (
            sum(bool(line.owner) for line in grades.lines),
            _("in a folder with another student's name: ask whose work it is"),
        ),
        (n_other, _("other numbers when run again: look at the column run again")),
        (n_waiting, _("waiting for points by hand: fill them in, and run this command again")),
    ):
        if n:
            console.print(f"  {n:4} {text}", soft_wrap=True)
    for path in written:
        console.print(_("Written: {file}", file=path), soft_wrap=True)
