"""The page of statistics: the content for the template `statistics.html.jinja`. It names no student."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import mean, median, quantiles

from tl_widgets.assignments.description import Question
from tl_widgets.assignments.grading import Graded, Grades
from tl_widgets.assignments.marking import Given, Mark
from tl_widgets.assignments.plan import LETTERS
from tl_widgets.core.html import Markup, join
from tl_widgets.core.numbers import number_text, percent
from tl_widgets.core.text import listed
from tl_widgets.core.translation import _, ngettext
from tl_widgets.core.version import __version__
from tl_widgets.export.pages import render
from tl_widgets.plots.svg import label, picture, tag
from tl_widgets.plots.svg_axes import ticks

_MOST_ROWS = 40
_MOST_BARS = 20
_WIDTH, _HEIGHT = 720.0, 230.0
_KINDS = {
    "number": _("a number"),
    "choice": _("a choice"),
    "prediction": _("a prediction"),
    "measured": _("a number from the run"),
    "text": _("a text, graded by hand"),
}


@dataclass(frozen=True)
class _Table:
    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: Sequence[int] = ()


def statistics_page(grades: Grades) -> str:
    """Return the statistics as one HTML page that needs no network, no script and no other file."""
    description, graded = grades.description, grades.graded
    points = [line.points or 0.0 for line in graded]
    tried = [line.check for line in graded if line.check]
    checks = [check for check in tried if check.agrees is not None]
    return render(
        "tl_widgets.assignments",
        "statistics.html.jinja",
        title=ngettext("What {n:,} student answered", "What {n:,} students answered", len(graded)),
        assignment=description.title,
        version=__version__,
        headline=_headline(grades),
        notes_of_page=list(_notes(grades)),
        histogram=_histogram(points, description.points) if points else None,
        questions=_questions(grades),
        misconceptions=_misconceptions(grades),
        surprises=_surprises(grades),
        predictions=list(_predictions(grades)),
        texts=[(_called(grades, asked), asked) for asked in description.question if asked.kind == "text"],
        not_graded=_not_graded(grades),
        n_checked=len(checks),
        n_agree=sum(check.agrees is True for check in checks),
        check_texts=[check.text for check in tried if not check.agrees],
        most_different=max((check.n_different for check in checks if check.agrees), default=0),
        versions=_versions(graded),
    )


def _headline(grades: Grades) -> str:
    """Return how many were graded, and how many points they have, in a sentence or three."""
    points = [line.points or 0.0 for line in grades.graded]
    n_lines, most = len(grades.lines), grades.description.points
    if not points:
        return _("None of {n_lines} students and files could be graded.", n_lines=n_lines)
    middle = _(
        "The mean is {mean:.1f} of {most:g} points, the median {median:g}.",
        mean=mean(points),
        most=most,
        median=median(points),
    )
    graded = _("{n} of {n_lines} students and files were graded.", n=len(points), n_lines=n_lines)
    if len(points) < 4:
        return f"{graded} {middle}"
    low, _middle, high = quantiles(points, n=4, method="inclusive")
    half = _("Half of the students have {low:g} to {high:g}.", low=low, high=high)
    return f"{graded} {middle} {half}"


def _notes(grades: Grades) -> Iterator[str]:
    if n := sum(line.waits for line in grades.graded):
        yield _("Students who wait for points by hand: {n}. The points here don't count those yet.", n=n)
    if n := sum(line.status == "missing" for line in grades.lines):
        yield _("Students on the list who handed in nothing: {n}.", n=n)
    if n := sum(not line.is_listed for line in grades.lines):
        yield _("Names that aren't on the list: {n}.", n=n)
    if n := sum(len(line.files) > 1 for line in grades.lines):
        yield _("Students with several files, of which one counts: {n}.", n=n)
    if n := sum(bool(line.owner) for line in grades.lines):
        yield _("Files in a folder with another student's name: {n}. The spreadsheet says which.", n=n)


def _histogram(points: Sequence[float], most: float) -> Markup:
    """Draw how many students have how many points."""
    n_bars = int(most) + 1 if float(most).is_integer() and most < _MOST_BARS else _MOST_BARS
    width = most / (n_bars - 1) if most else 1.0
    counts = Counter(min(n_bars - 1, int(value / width + 0.5)) for value in points)
    highest = max(counts.values())
    left, top, bottom = 40.0, 18.0, _HEIGHT - 40.0
    step = (_WIDTH - left) / n_bars
    parts = []
    for tick in ticks(0, highest, 5, whole=True):
        y = bottom - (bottom - top) * tick / highest
        parts.append(tag("line", x1=left, x2=_WIDTH, y1=y, y2=y, stroke="currentColor", stroke_opacity=0.15))
        parts.append(label(left - 6, y + 4, number_text(tick), "end"))
    for i in range(n_bars):
        x, height = left + i * step, (bottom - top) * counts[i] / highest
        if counts[i]:
            shape = {"x": x + step * 0.1, "y": bottom - height, "width": step * 0.8, "height": height}
            parts.append(tag("rect", **shape, fill="var(--accent)"))
            parts.append(label(x + step / 2, bottom - height - 4, str(counts[i])))
        parts.append(label(x + step / 2, bottom + 15, number_text(i * width, ".3g")))
    parts.append(tag("line", x1=left, x2=_WIDTH, y1=bottom, y2=bottom, stroke="currentColor"))
    parts.append(label(left + (_WIDTH - left) / 2, _HEIGHT - 6, _("points")))
    words = ", ".join(_("{points:.3g} points: {n}", points=i * width, n=counts[i]) for i in sorted(counts))
    return picture(
        join(parts),
        _WIDTH,
        _HEIGHT,
        text=_("Number of students by points. {words}.", words=words),
        name=_("Points"),
        interactive=False,
        standalone=False,
    )


def _called(grades: Grades, asked: Question) -> str:
    """Return a question as the students know it: by its number and its title."""
    number = grades.description.question.index(asked) + 1
    return f"{number}. {' '.join(asked.title.split()) or asked.name}"


def _marks(grades: Grades, asked: Question) -> list[Mark]:
    return [item for line in grades.graded for item in line.marks if item.question == asked.name]


def _bar(share: float) -> Markup:
    """Return a share as a number with a bar."""
    return Markup('<span class="share"><span class="bar"><i style="width:{}%"></i></span> {}</span>').format(
        round(100 * share), percent(share, 0)
    )


def _questions(grades: Grades) -> _Table:
    rows = []
    for asked in grades.description.question:
        marks = _marks(grades, asked)
        answered = [item for item in marks if item.answer]
        right = [item.is_right for item in answered if item.is_right is not None]
        given = [item.points for item in marks if item.points is not None]
        rows.append([
            _called(grades, asked),
            _KINDS[asked.kind],
            f"{len(answered)}",
            _bar(sum(right) / len(right)) if right and asked.kind != "prediction" else "",
            _("{mean:.2f} of {most:g}", mean=mean(given), most=asked.points)
            if given
            else _("none yet of {most:g}", most=asked.points),
        ])  # fmt: skip
    head = [_("Question"), _("Kind"), _("Answers"), _("Right"), _("Mean points")]
    return _Table(_("Question by question"), head, rows, (2, 4))


def _misconceptions(grades: Grades) -> _Table | None:
    """Return how often each known misconception occurs, the most frequent first."""
    rows = []
    for asked in grades.description.question:
        marks = _marks(grades, asked)
        n_answers = sum(bool(item.answer) for item in marks)
        found = Counter(item.misconception for item in marks if item.misconception)
        for why, n in found.items():
            answers = Counter(item.answer for item in marks if item.misconception == why)
            first = answers.most_common(1)[0][0]
            option = f"{first}) {asked.options[LETTERS.index(first)].text}" if asked.options else _examples(answers)
            rows.append((n / n_answers, [f"{n}", _bar(n / n_answers), _called(grades, asked), option, why]))
    rows.sort(key=lambda row: -row[0])
    head = [_("Students"), _("of those who answered"), _("Question"), _("Answer"), _("What is behind it")]
    shown = [row for _share, row in rows]
    return _Table(_("Misconceptions, the most frequent first"), head, shown, (0,)) if rows else None


def _examples(answers: Counter[str]) -> str:
    return listed([*(answer for answer, _n in answers.most_common(3)), *(["..."] if len(answers) > 3 else [])])


def _surprises(grades: Grades) -> _Table | None:
    """Return wrong numbers that several students gave and that the description doesn't explain."""
    rows = []
    for asked in grades.description.question:
        if asked.kind == "prediction":
            continue
        wrong = [item.answer for item in _marks(grades, asked) if item.is_right is False and not item.misconception]
        rows += [(n, [f"{n}", _called(grades, asked), answer]) for answer, n in Counter(wrong).items() if n > 1]
    rows.sort(key=lambda row: -row[0])
    shown = [row for _n, row in rows[:_MOST_ROWS]]
    head = [_("Students"), _("Question"), _("Answer")]
    return _Table(_("Wrong numbers that several students gave"), head, shown, (0,)) if rows else None


def _predictions(grades: Grades) -> Iterator[_Table]:
    for asked in grades.description.question:
        if asked.kind != "prediction":
            continue
        pairs = [(given, item) for line in grades.graded for given, item in _given(line, asked)]
        n = len(pairs) or 1
        rows = []
        for letter, option in zip(LETTERS, asked.options, strict=False):
            chosen = [item for given, item in pairs if given.text == letter]
            came = [item.is_right for item in chosen if item.is_right is not None]
            true = _("{n} of {n_all}", n=sum(came), n_all=len(came)) if came else ""
            rows.append([f"{len(chosen)}", _bar(len(chosen) / n), option.text, true])
        head = [_("Students"), _("Share"), _("Prediction"), _("Came true")]
        yield _Table(f"{_called(grades, asked)}: {asked.text}", head, rows, (0, 3))
        if asked.reasons:
            rows = []
            for letter, reason in zip(LETTERS, asked.reasons, strict=False):
                n_chosen = sum(given.because == letter for given, _ in pairs)
                rows.append([f"{n_chosen}", _bar(n_chosen / n), reason.text, reason.why[:1].upper() + reason.why[1:]])
            head = [_("Students"), _("Share"), _("Because"), _("About it")]
            yield _Table(_("{name}: the reasons", name=_called(grades, asked)), head, rows, (0,))


def _given(line: Graded, asked: Question) -> Iterator[tuple[Given, Mark]]:
    answers = {given.question: given for given in line.submission.answers} if line.submission else {}
    for item in line.marks:
        if item.question == asked.name and item.answer and (given := answers.get(asked.name)):
            yield given, item


def _not_graded(grades: Grades) -> _Table | None:
    notes: Counter[str] = Counter()
    for line in grades.lines:
        if line.status in ("rejected", "unreadable"):
            notes[line.notes[0]] += len(line.files)
    rows = [[f"{n}", note] for note, n in notes.most_common(_MOST_ROWS)]
    return _Table(_("Why files weren't graded"), [_("Files"), _("Reason")], rows, (0,)) if rows else None


def _versions(graded: Sequence[Graded]) -> _Table | None:
    counts: Counter[str] = Counter()
    for line in graded:
        if (handed_in := line.submission) is not None:
            tensorflow = f", TensorFlow {handed_in.run.environment.tensorflow}" if handed_in.run else ""
            counts[f"tl_widgets {handed_in.tl_widgets}, Python {handed_in.python}{tensorflow}"] += 1
    rows = [[f"{n}", text] for text, n in counts.most_common(_MOST_ROWS)]
    return _Table(_("What the students used"), [_("Students"), _("Versions")], rows, (0,)) if rows else None
