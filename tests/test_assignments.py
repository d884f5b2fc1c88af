"""Assignments: descriptions, what each student gets, points, signed files, and grading a class with broken files."""

import contextlib
import html
import io
import json
import re
import shutil
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import tiny
from helpers import fill
from submissions import answered, broken, made_up_run, text_of

import tl_widgets as tl
from tl_widgets.assignments import begin, task as task_module
from tl_widgets.assignments.collecting import HandedIn, collect
from tl_widgets.assignments.description import formula_names, parse_description, read_description
from tl_widgets.assignments.formula import evaluate
from tl_widgets.assignments.grading import choose_sample, grade, with_points_by_hand
from tl_widgets.assignments.marking import Given, mark
from tl_widgets.assignments.notebook import to_notebook
from tl_widgets.assignments.plan import Plan
from tl_widgets.assignments.questions.numbers import as_number
from tl_widgets.assignments.rerun import compare_runs, run_again
from tl_widgets.assignments.spreadsheet import plain_cell, read_csv, read_points
from tl_widgets.assignments.statistics import statistics_page
from tl_widgets.assignments.submission import from_signed_json, to_signed_json
from tl_widgets.assignments.tables import by_hand_csv, grades_csv
from tl_widgets.cli.main import main
from tl_widgets.core.errors import InputError

ROOT = Path(tl.__file__).parent.parent
EXAMPLES = {path.stem: path for path in (ROOT / "docs" / "teaching" / "assignments").glob("*.toml")}
SMALL = """
name = "small"
title = "A small one"
[images]
dataset = "textures"
image_size = 32
[run]
epochs = 1
filters = [4]
kernel_sizes = [3]
dense_units = 4
[own]
seed = true
images = true
n_per_class = [3, 4]
n_classes = 2
[[question]]
name = "guess"
kind = "prediction"
text = "Which is ahead?"
options = [{ text = "scratch", why = "" }, { text = "transfer", why = "" }, { text = "neither", why = "" }]
reasons = [{ text = "size", why = "No." }, { text = "features", why = "Yes." }]
outcome = "winner"
values = [-1, 1, 0]
[[question]]
name = "steps"
kind = "number"
text = "Steps?"
points = 2
right = "ceil(n_train / 4)"
wrong = [{ value = "n_train", why = "Batches, not images.", points = 1 }]
[[question]]
name = "right"
kind = "measured"
text = "How many?"
right = "transfer.n_right"
within = 0
[[question]]
name = "why"
kind = "text"
text = "Why?"
points = 3
"""


@pytest.fixture(scope="module")
def small():
    return parse_description(SMALL)


@pytest.fixture(scope="module")
def frozen():
    return read_description(EXAMPLES["frozen"])


@pytest.fixture(autouse=True)
def new_kernel():
    task_module._tasks.clear()


def rows_of(grades, tmp_path):
    """The lines of the CSV, as a spreadsheet reads them."""
    path = tmp_path / "grades.csv"
    path.write_text(grades_csv(grades), "utf-8")
    return read_csv(path)


def files(*texts):
    return [HandedIn(f"{i}.json", text) for i, text in enumerate(texts)]


# What each student gets


def test_each_student_gets_something_that_can_be_derived_again(small):
    drawn = {student: small.plan.variant(student) for student in ("Ada", "Björn", *map(str, range(60)))}
    assert small.plan.variant("  ADA ").images == drawn["Ada"].images
    assert Plan.from_json(small.plan.to_json()).variant("Björn").calls == drawn["Björn"].calls
    # Written down once: another way of drawing would give students other images than their notebooks had.
    assert drawn["Ada"].calls[0] == (
        "load_dataset(name='textures', image_size=32, n_per_class=3, classes=('grass', 'gravel'), seed=6147)"
    )
    assert drawn["Ada"].config.seed == 4638
    assert len({variant.config.seed for variant in drawn.values()}) > 55
    assert {variant.images["n_per_class"] for variant in drawn.values()} == {3, 4}
    assert len({variant.images["classes"] for variant in drawn.values()}) == 3


@pytest.mark.parametrize("formula", ["__import__('os')", "n.__class__", "(1).real", "[1][0]", "9**9**9**9", "'a' * 9",
                                     "n if n else 1", "lambda: 1", "1 / 0", "1e999", "unknown", "", "f(1)", "1" * 600,
                                     "sqrt(-1)", "True"])  # fmt: skip
def test_a_formula_is_arithmetic_and_nothing_else(formula):
    with pytest.raises(InputError):
        evaluate(formula, {"n": 3.0})


def test_formulas_compute():
    assert evaluate("ceil(n / 2) * -2 ** 2 + transfer.right % 4", {"n": 5.0, "transfer.right": 7.0}) == -9


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('name = "small"', 'name = "Small one"', "small letters"),
        ("epochs = 1", "epoch = 1", "'epoch'"),
        ("epochs = 1", "epochs = 0", "epochs must be"),
        ('"textures"', '"texture"', "Did you mean 'textures'"),
        ("n_classes = 2", "n_classes = 4", "n_classes must be 2 to 3"),
        ("n_per_class = [3, 4]", "n_per_class = [3, 400]", "n_per_class is 400; the smallest class has"),
        ('dataset = "textures"', 'folder = "../leaves"', "images.folder must be the name of a folder"),
        ('dataset = "textures"', 'folder = "leaves"', "There is no folder or zip file leaves"),
        ('dataset = "textures"', "", "[images] needs a dataset"),
        ("n_per_class = [3, 4]", "n_per_class = [3]", "list of two or more"),
        ("n_per_class = [3, 4]", 'n_per_class = [3, "many"]', "n_per_class"),
        ("n_per_class = [3, 4]", "n_per_class = [3, 4]\nepochs = 5", "list of two or more"),
        ("image_size = 32", "image_size = 32\nclasses = 5", "classes"),
        ("within = 0", "tolerance = 5", "a share below 1"),
        ('"ceil(n_train / 4)"', '"ceil(n_images / 4)"', "there is no 'n_images'"),
        ('"transfer.n_right"', '"control.n_right"', "there is no 'control.n_right'"),
        ("points = 1", "points = 5", "more points than the right one"),
        ("values = [-1, 1, 0]", "values = [-1, 1]", "one number for each option"),
        ('kind = "text"', 'kind = "essay"', "not one of"),
        ('name = "why"', 'name = "right"', "the same name"),
        ("within = 0", "witin = 0", "unknown fields: witin"),
        ("[run]", "[walk]", "unknown fields: walk"),
        ("[images]", "[images", "TOML"),
    ],
)
def test_a_mistake_in_a_description_gets_a_sentence(old, new, sentence):
    assert SMALL.count(old) >= 1
    with pytest.raises(InputError, match=re.escape(sentence)):
        parse_description(SMALL.replace(old, new, 1))


# Points


def test_points_reasons_and_misconceptions(frozen):
    variant = frozen.plan.variant("Ada")
    run = made_up_run(variant)
    asked = {question.name: question for question in frozen.question}

    def marked(name, number=None, text="", **more):
        return mark(asked[name], Given(name, number, text, **more), variant, run)

    assert marked("head", 3843.0).points == 2
    assert (marked("head", 3840.0).points, marked("head", 3840.0).misconception) == (1, "Each unit has a bias as well.")
    assert marked("head", 3844.0).reason == "The answer is 3,844; 3,843 is right."
    ahead = 100 * (run.transfer.test_accuracy - run.scratch.test_accuracy)
    assert [marked("difference", value).points for value in (ahead, ahead + 0.5, ahead / 100, -ahead, 90.0)] == [
        2, 2, 1, 1, 0,
    ]  # fmt: skip
    # A share is so small that "within 0.6" would take in 0 as well.
    assert [marked("difference", value).points for value in (0.0, ahead / 100 + 0.1)] == [0, 0]
    assert marked("transfer_right", float(run.transfer.n_right)).points == 1
    assert (marked("too_close", text="b").points, marked("too_close", text="a").points) == (2, 0)
    assert "another seed" in marked("too_close", text="a").misconception
    early, late = marked("who_wins", text="b", because="a"), marked("who_wins", text="b", because="a", before_run=False)
    assert (early.points, early.is_right, late.points) == (1, run.verdict.winner == "transfer", 0)
    assert marked("why", text="Because.").points is None
    # A file may hold an answer of another kind, or a letter that no option has.
    for name, given in (("head", Given("head", text="b")), ("too_close", Given("too_close", 3.0)),
                        ("too_close", Given("too_close", text="z")),
                        ("who_wins", Given("who_wins", text="b"))):  # fmt: skip
        assert mark(asked[name], given, variant, run).points == 0
    assert mark(asked["transfer_right"], Given("transfer_right", 9.0), variant, None).points == 0


def test_a_run_whose_outcome_cannot_be_computed_costs_no_points():
    doubt = read_description(EXAMPLES["doubt"])
    run = made_up_run(doubt.plan.variant("Ada"), accuracies=(0.5, 0.0, 0.5))
    (line,) = grade(doubt, files(text_of(answered(doubt, "Ada", run=run)))).lines
    assert (line.status, line.points) == ("graded", 8)
    assert line.marks[0].is_right is None


@pytest.mark.parametrize(
    ("text", "number"),
    [("1,234", 1234), ("-1,234.5", -1234.5), ("2,5", 2.5), ("0,911", 0.911), ("12 000", 12_000), ("−3.3", -3.3),
     ("91 %", 0.91)],
)  # fmt: skip
def test_numbers_are_read_as_people_type_them(text, number):
    assert as_number(text) == pytest.approx(number)


def test_running_begin_again_keeps_the_answers_and_the_run(small, capsys):
    def said():
        return capsys.readouterr().out.replace("\n", " ")

    nobody = begin("", small.plan.to_json())  # the name comes to mind later
    nobody.answer("guess", "b", "a")
    nobody.answer("why", "So.")
    task = begin("Ada", small.plan.to_json())
    assert "Your answers are kept: guess, why." in said()
    task.record(made_up_run(task.variant))
    task = begin("Ada", small.plan.to_json())
    assert "The run is kept." in said()
    task.answer("guess", "c", "a")
    assert "what you predicted before the run counts. Your answer is b, because a." in said()
    assert begin("", small.plan.to_json()).run
    assert begin("Björn", small.plan.to_json()).run is None
    assert "Your run isn't kept, because it has other images or settings." in said()
    questions = (small.plan.questions[0], replace(small.plan.questions[3], kind="number"))
    other = begin("Björn", replace(small.plan, questions=questions).to_json())
    assert [*other.given] == ["guess"]
    assert "This version no longer asks for why, or asks in another way." in said()


def test_the_notebook_says_what_it_kept_and_never_fails(small, tmp_path, capsys):
    task = begin("Ada", small.plan.to_json())
    run = made_up_run(task.variant)
    for given in (("steps", "2,5"), ("steps", "many"), ("guess", "q", "a"), ("guess", "B", "a"), ("size", 1), ("why",)):
        task.answer(*given)
    task.record("my result")
    task.record(replace(run, config=replace(run.config, seed=1)))
    task.record(run)
    task.answer("guess", "b", "a")  # the cell runs again: the same prediction stays one
    task.answer("right", run.transfer.n_right)
    task.submit(tmp_path)
    out = capsys.readouterr().out
    for sentence in ("steps: kept. Your answer is 2.5.", "steps: not kept. The answer is one number",
                     'guess: not kept. The answer is one letter from "a" to "c"', "There is no question 'size'",
                     "why: no answer yet.", "Not kept: give the result of compare(...)", "seed is 1, not 4638",
                     "The run is kept.", "Hand in this file:", "Without an answer: why."):  # fmt: skip
        assert sentence in out.replace("\n", " "), sentence
    assert task.given["guess"].before_run
    task.answer("guess", "c", "a")
    assert "what you predicted before the run counts" in capsys.readouterr().out
    assert task.given["guess"].text == "b"
    del task.given["guess"]
    task.answer("guess", "c)", "A.")
    assert "counts as no prediction" in capsys.readouterr().out.replace("\n", " ")
    nobody = begin("", small.plan.to_json())
    nobody.submit(tmp_path)
    assert "Write your name or student number" in capsys.readouterr().out
    assert "Write your name" in repr(nobody)
    with pytest.raises(InputError, match="Write your name"):
        _ = nobody.images


# Files


def test_a_file_comes_back_and_shows_edits(small):
    text = text_of(answered(small, "Ada"))
    assert len(text) < 20_000
    (line,) = grade(small, files(text)).lines
    assert (line.status, line.student, line.points, line.waits) == ("graded", "Ada", 4, True)
    for old, new in (('"Ada"', '"Eve"'), ('"number":', '"number":1'), ('"before_run":true', '"before_run":false')):
        edited = (
            text.replace(old, new, 1)
            if old != '"number":'
            else re.sub(r'"number":(\d)', r'"number":1\1', text, count=1)
        )
        assert edited != text
        (line,) = grade(small, files(edited)).lines
        assert (line.status, line.points) == ("rejected", None)
        assert "changed after submit() wrote it" in line.notes[0]


def test_a_run_of_somebody_else_is_found_even_if_it_is_signed(small):
    copied = answered(small, "Ada", run=made_up_run(small.plan.variant("Ada")))
    other = answered(small, "Björn")
    other.run = copied.run  # past record(), as who reads the code can
    (line,) = grade(small, files(text_of(other))).lines
    assert line.status == "rejected"
    assert "than this student was given" in line.notes[0]


def test_the_newest_file_that_can_be_graded_counts_and_the_list_finds_who_is_missing(small, tmp_path):
    def made_at(task, time):
        submission, _ = from_signed_json(text_of(task), small.plan)
        return to_signed_json(replace(submission, made=time), small.plan)

    early = made_at(answered(small, "Ada"), "2026-01-01T12:00:00+09:00")
    task = answered(small, "ada")
    task.answer("steps", 0)
    late = made_at(task, "2026-01-01T04:00:00+00:00")
    grades = grade(small, files(early, late, early.replace('"made":"20', '"made":"30')), ["Ada", "Zoe"])
    ada, zoe = rows_of(grades, tmp_path)
    assert (ada["points"], ada["submitted"]) == ("2", "2026-01-01T04:00:00+00:00")
    assert rows_of(grade(small, files(late, early)), tmp_path)[0]["points"] == "2"
    assert "3 files have this name" in ada["notes"]
    assert "About another one: It was changed" in ada["notes"]
    assert (zoe["student"], zoe["status"]) == ("Zoe", "missing")


def test_a_name_that_is_not_the_students_own_is_found_by_the_list_and_by_the_folder(small, tmp_path):
    handed_in = {
        "Ada Lovelace_1_assignsubmission_file/a.json": "Ada Lovelace",
        "Eve Moon_2_assignsubmission_file/b.json": "ada lovelace",  # newer, and in Eve's folder
        "Björn_3_assignsubmission_file/c.zip/c.json": "Bjorn Borg",
        "42_Grace Hopper/d.json": "42",  # a number, in a folder with a name
        "Hedy.json": "Hedy",
        "marks.json": "<>",
    }
    students = ["Ada Lovelace", "Eve Moon", "Björn Borg", "Grace Hopper", "42", "Hedy", "<>"]
    found = [HandedIn(name, text_of(answered(small, student))) for name, student in handed_in.items()]
    grades = grade(small, found, students)
    notes = {row["student"]: row["notes"] for row in rows_of(grades, tmp_path)}
    assert "counts: Ada Lovelace_1" in notes["Ada Lovelace"]
    assert "The one in a folder with the name of Eve Moon doesn't count." in notes["Ada Lovelace"]
    assert notes["Bjorn Borg"] == "This name isn't on the list. Is it Björn Borg, whose file is missing?"
    assert notes["Eve Moon"] == notes["Björn Borg"] == "Nothing was handed in under this name."
    assert notes["42"] == notes["Hedy"] == ""
    (eve,) = grade(small, found[1:2], students).graded
    assert eve.notes == ("It's in a folder with the name of Eve Moon. Ask whose work it is.",)
    page = html.unescape(statistics_page(grades))
    for note in ("Names that aren't on the list: 1.", "Students with several files, of which one counts: 1."):
        assert note in page
    assert "Eve" not in page


def test_twenty_broken_files_cost_nobody_else_a_result(frozen, tmp_path):
    folder = tmp_path / "class"
    for i, student in enumerate(("Ada", "Björn", "Chloé")):
        (folder / f"{student}_{i}").mkdir(parents=True)
        text = text_of(answered(frozen, student))
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, "w") as archive:
            archive.writestr("folder/a.json", text)
        (folder / f"{student}_{i}" / ["a.json", "a.zip", "b.zip"][i]).write_bytes(
            text.encode() if not i else inner.getvalue()
        )
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:  # a zip in a zip
        archive.writestr("Dmitri/hand in.zip", inner.getvalue())
    other = read_description(EXAMPLES["count"])
    bad = broken(text_of(answered(frozen, "Broken")), text_of(answered(other, "Lost")))
    for name, data in bad.items():
        (folder / name).write_bytes(data)
    (folder / "passwd.json").symlink_to("/etc/passwd")
    (folder / "Björn_1" / "damaged.zip").write_bytes(inner.getvalue()[:-30])
    (folder / "teacher's notes.txt").write_text("Björn asked for a week more.")
    (folder / "eun-ji.json.txt").write_text(text_of(answered(frozen, "Eun-ji")))  # as some platforms call it
    grades = grade(frozen, collect(folder))
    assert [line.student for line in grades.graded] == ["Ada", "Björn", "Chloé", "Eun-ji"]
    assert {line.points for line in grades.graded} == {8.0}
    named = {name.partition("/")[0] for line in grades.lines if line.status != "graded" for name in line.files}
    assert named == {*bad, "passwd.json", "Björn_1"}
    for line in grades.lines:
        assert line.status == "graded" or re.fullmatch(r"[A-Z].*\.", line.notes[0]), line
        assert not any("Traceback" in note or "Error" in note for note in line.notes)
    rows = rows_of(grades, tmp_path)
    assert not [cell for row in rows for cell in row.values() if re.match(r"[\s'\"]*[=+@\-]", cell) and cell[0] != "'"]
    page = statistics_page(grades)
    assert "<script" not in page
    assert not any(student in page for student in ("Björn", "Somebody Else"))
    HTMLParser().feed(page)


def test_a_zip_of_thousands_costs_one_line_and_an_editors_mark_none(small, tmp_path):
    good = text_of(answered(small, "Ada"))
    (tmp_path / "ada.json").write_text(good, "utf-8-sig")
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        for i in range(300):
            archive.writestr(f"{i}.json", "{}")
    some, many = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(some, "w") as archive:
        for i in range(150):
            archive.writestr(f"{i}.json", "{}")
    with zipfile.ZipFile(many, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(150):
            archive.writestr(f"{i}.zip", some.getvalue())
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("eve.zip", inner.getvalue())
        archive.writestr("damaged.zip", inner.getvalue()[:-30])
        archive.writestr("bob.json", text_of(answered(small, "Bob")))
    lines = grade(small, collect(tmp_path)).lines
    assert [line.student for line in lines] == ["Ada", "Bob", "", ""]
    assert "damaged zip" in lines[2].notes[0]
    assert "300 files" in lines[3].notes[0]
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("eve.zip", many.getvalue())
    assert len(list(collect(tmp_path))) == 202  # hers, one line on the rest, and Ada's: not 22,500


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=cmd|'/C calc'!A0", "'=cmd,'/C calc'!A0"),
        ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"), ("\t=1", "'=1"), ("\r\n=1", "'=1"),
        ('"=1', "'\"=1"), ("＝1", "'＝1"), ("a;=1", "a,=1"), ("a\n=1", "a =1"), ("O'Neill", "O'Neill"),
        ("Ada Lovelace", "Ada Lovelace"), ("\u202ea", "\\u202ea"), ("", ""),
    ],
)  # fmt: skip
def test_no_cell_becomes_a_formula(text, cell):
    assert plain_cell(text) == cell


def test_points_by_hand_survive_a_spreadsheet_that_drops_zeros(small, tmp_path):
    grades = grade(small, files(text_of(answered(small, "0042")), text_of(answered(small, "=1+1"))))
    sheet = tmp_path / "by-hand.csv"
    text = by_hand_csv(grades, {}).replace('"why",""', '"why","2"')
    sheet.write_text(text.replace('"0042"', "42"), "utf-8")  # as Excel saves it
    graded = with_points_by_hand(grades, read_points(sheet))
    assert [(line.student, line.points, line.waits) for line in graded.lines] == [
        ("0042", 6, False),
        ("=1+1", 6, False),
    ]


def test_points_by_hand_count_for_the_text_that_was_read(small, tmp_path):
    task = answered(small, "Ada")
    sheet = tmp_path / "by-hand.csv"
    sheet.write_text(by_hand_csv(grade(small, files(text_of(task))), {}).replace('"why",""', '"why","2"'), "utf-8")
    task.answer("why", "Another text.")
    (line,) = with_points_by_hand(grade(small, files(text_of(task))), read_points(sheet)).lines
    assert (line.points, line.waits) == (4, True)
    assert '"why","","3","Another text."' in by_hand_csv(grade(small, files(text_of(task))), read_points(sheet))


# Running again


def test_running_again_finds_an_invented_run(small):
    variant = small.plan.variant("Ada")
    run = made_up_run(variant, 1)
    assert compare_runs(run, run).agrees
    n = len(run.transfer.labels)

    def with_answers(n_other):
        answers = [1 - y if i < n_other else y for i, y in enumerate(run.transfer.predictions)]
        return replace(run, transfer=replace(run.transfer, predictions=tuple(answers)))

    assert compare_runs(with_answers(n // 10), run).agrees
    assert not compare_runs(with_answers(n // 10 + 1), run).agrees
    # All right, as one would invent it where the real model is right on 95%; and another version as a reason.
    perfect = made_up_run(variant, 1, (0.7, 1.0, 0.6), replace(run.environment, tensorflow="2.16.0"))
    n_wrong = len(run.transfer.labels) - run.transfer.n_right
    assert 0 < n_wrong <= n // 10
    assert not compare_runs(perfect, run).agrees
    assert "transfer has other probabilities" in compare_runs(perfect, run).text
    sure = tuple(tuple(float(i == y) for i in range(len(row)))
                 for row, y in zip(perfect.transfer.probabilities, perfect.transfer.labels, strict=True))  # fmt: skip
    certain = replace(perfect, transfer=replace(perfect.transfer, probabilities=sure))
    assert "transfer has other probabilities" in compare_runs(certain, perfect).text
    assert "made with TensorFlow 2.16.0" in compare_runs(perfect, run).text
    more = replace(run, scratch=replace(run.scratch, params=replace(run.scratch.params, trainable=1)))
    assert "number of parameters" in compare_runs(more, run).text
    grades = grade(small, files(*(text_of(answered(small, name)) for name in "ABCDEFGH")))
    first = [line.student for line in choose_sample(grades, 3, 7)]
    assert first == [line.student for line in choose_sample(grades, 3, 7)]
    assert len(choose_sample(grades, 99, 1)) == 8
    # No images were used for a made-up run.
    assert run_again(variant, run).text == "Its images aren't those that its settings give here."


def test_a_run_that_cannot_be_repeated_does_not_stop_the_others(small, monkeypatch):
    def fail(*progress):
        raise MemoryError("no room for the images")

    variant = small.plan.variant("Ada")
    monkeypatch.setattr(type(variant), "load", fail)
    check = run_again(variant, made_up_run(variant))
    assert (check.agrees, check.text) == (None, "It couldn't be run again: MemoryError: no room for the images")


@pytest.fixture
def tiny_backbone():
    with tiny.standing_in():  # for one test only: the others grade answers about the real one
        yield


@pytest.mark.usefixtures("tiny_backbone")
def test_a_class_from_the_description_to_the_grades(tmp_path, monkeypatch, capsys, home):
    """The whole way, with real training of a tiny pair: 2 s of the processor."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(SMALL)
    assert main(["assignment", "new", "small.toml"]) == 0
    assert main(["assignment", "new", "small.toml"]) == 2
    assert "small.ipynb exists already, and it won't be overwritten" in capsys.readouterr().err
    cells = [
        cell["source"] for cell in json.loads(Path("small.ipynb").read_text())["cells"] if cell["cell_type"] == "code"
    ]
    assert "ceil" not in "".join(cells)
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    for student in ("Ada", "Björn"):
        space = {}
        for cell in cells:
            cell = cell.replace('STUDENT = ""', f'STUDENT = "{student}"')
            cell = cell.replace('"guess", ..., because=...', '"guess", "b", because="b"').replace(
                '"why", ...', '"why", "So."'
            )
            exec(cell, space)
    assert sorted(path.name for path in Path().iterdir()) == ["small-ada.json", "small-björn.json"]
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    assert main(["assignment", "grade", "in", "--check", "1", "--seed", "3"]) == 0
    out = capsys.readouterr().out
    assert "Run again: 0 answers differ at most" in out
    assert "2 of 2 students and files were graded." in out
    sheet = tmp_path / "small-by-hand.csv"
    # As a German spreadsheet saves it.
    filled = [[row["student"], row["question"], "2,5", row["of"], row["answer"]] for row in read_csv(sheet)]
    text = "\n".join(";".join(row) for row in [["student", "question", "points", "of", "answer"], *filled])
    sheet.write_text(text, "utf-8-sig")
    assert main(["assignment", "grade", "in", "--check", "0", "--quiet"]) == 0
    rows = read_csv(tmp_path / "small-grades.csv")
    assert [(row["student"], row["points"], row["why"]) for row in rows] == [
        ("Ada", "3.5", "2.5"),
        ("Björn", "3.5", "2.5"),
    ]
    assert [row["points"] for row in read_csv(sheet)] == ["2.5", "2.5"]  # a teacher's work is kept
    page = (tmp_path / "small-statistics.html").read_text()
    assert "2 of 2 students" in page
    sheet.write_text(text.replace("2,5", "9"), "utf-8-sig")
    assert main(["assignment", "grade", "in", "--check", "0"]) == 2
    assert "can have 0 to 3." in capsys.readouterr().err


FOLDER = (
    SMALL.replace('dataset = "textures"', 'folder = "leaves"')
    .replace('name = "small"', 'name = "leaves"')
    .replace("n_per_class = [3, 4]", "n_per_class = [2, 3]")
)


@pytest.mark.usefixtures("tiny_backbone", "home")
def test_images_that_a_teacher_hands_out(tmp_path, monkeypatch, capsys):
    """A folder beside the notebook, from the description to the grades, with one real run: 2 s of the processor."""

    def said():
        return capsys.readouterr().out.replace("\n", " ")

    for start, name in enumerate(("birch", "elm", "oak")):
        fill(tmp_path / "leaves" / name, 6, 10 * start)
    (tmp_path / "leaves.toml").write_text(FOLDER)
    monkeypatch.chdir(tmp_path)
    assert main(["assignment", "new", "leaves.toml"]) == 0
    assert "Hand out leaves with it: 18 images, 3 classes." in said()
    sources = ["".join(cell["source"]) for cell in json.loads(Path("leaves.ipynb").read_text())["cells"]]
    student = tmp_path / "student"
    shutil.copytree("leaves", student / "leaves")
    monkeypatch.chdir(student)
    space = {}
    exec('STUDENT = "Ada"', space)
    exec(next(source for source in sources if "begin(" in source), space)
    task = space["task"]
    assert said() == ""
    assert (
        'files: ["leaves"]'
        in json.loads(to_notebook(read_description("../leaves.toml"), "otter"))["cells"][0]["source"]
    )
    assert task.images["path"] == "leaves"
    exec(next(source for source in sources if "compare(" in source), space)
    assert "The run is kept." in said()
    task.answer("right", task.run.transfer.n_right)
    (tmp_path / "in").mkdir()
    task.submit(tmp_path / "in")
    fill(student / "leaves" / "oak", 1, 90)
    task.record(space["result"])
    assert "Not kept. leaves isn't as it was handed out: it has 7 images of oak, not 6." in said()
    (student / "leaves" / "oak" / "90.png").replace(student / "leaves" / "oak" / "20.png")
    assert "images of oak were changed or renamed" in task.plan.folder_problem
    shutil.rmtree("leaves")
    begin("Ada", task.plan.to_json())
    assert "There is no folder or zip file leaves." in said()
    monkeypatch.chdir(tmp_path)
    assert main(["assignment", "grade", "in", "--check", "1"]) == 0
    out = said()
    assert "Run again: 0 answers differ at most" in out
    assert "1 of 1 students and files were graded." in out
    fill(tmp_path / "leaves" / "elm", 1, 91)
    assert main(["assignment", "grade", "in"]) == 0
    (row,) = read_csv(tmp_path / "leaves-grades.csv")
    assert (row["status"], row["notes"]) == (
        "rejected", "Its images aren't the ones in leaves, which was changed after it was handed out."
    )  # fmt: skip
    shutil.copy(tmp_path / "leaves" / "elm" / "91.png", tmp_path / "leaves" / "oak")
    assert main(["assignment", "show", "leaves.toml", "Ada"]) == 2
    assert "files that can't be used, or that are copies: elm/91.png" in capsys.readouterr().err.replace("\n", " ")


def test_a_description_that_a_student_handed_in_grades_nobody(here, capsys):
    (here / "in").mkdir()
    (here / "small.toml").write_text(SMALL)
    (here / "in" / "answers.toml").write_text(SMALL.replace("points = 2", "points = 200"))
    assert main(["assignment", "grade", "in"]) == 2
    assert "There are several descriptions" in capsys.readouterr().err


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_can_be_answered_with_all_points(name):
    description = read_description(EXAMPLES[name])
    (line,) = grade(description, files(text_of(answered(description, "Ada")))).lines
    by_hand = sum(asked.points for asked in description.question if asked.kind == "text")
    assert line.points + by_hand == description.points == 10
    variant = description.plan.variant("Ada")
    for asked in description.question:  # no wrong answer is the right one for anybody
        for student in map(str, range(20)):
            variant = description.plan.variant(student)
            run = made_up_run(variant, student) if variant.config else None
            names = formula_names(variant, run)
            if asked.kind == "number":
                right = evaluate(asked.right, names)
                assert right > 0
    assert "right" not in {key for cell in json.loads(to_notebook(description))["cells"] for key in cell["metadata"]}


# nbgrader


def test_nbgrader_generates_autogrades_and_scores(tmp_path, monkeypatch):
    """One assignment through nbgrader, from the description to the score: 5 s of the processor, no TensorFlow."""
    from nbgrader.api import Gradebook
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config

    description = read_description(EXAMPLES["count"])
    name, file = description.name, f"{description.name}.ipynb"
    (tmp_path / "source" / name).mkdir(parents=True)
    (tmp_path / "source" / name / file).write_text(to_notebook(description, "nbgrader"), "utf-8")
    config = Config()
    config.CourseDirectory.root = str(tmp_path)
    config.CourseDirectory.db_url = f"sqlite:///{tmp_path}/gradebook.db"
    config.Execute.timeout = 60
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    api = NbGraderAPI(config=config)
    done = api.generate_assignment(name)
    assert done["success"], done["log"]
    release = json.loads((tmp_path / "release" / name / file).read_text("utf-8"))
    assert "1281" not in json.dumps(release)
    assert "ceil" not in json.dumps(release)
    variant = description.plan.variant("Ada")
    asked = {question.name: question for question in description.question}
    answers = {
        "steps": evaluate(asked["steps"].right, formula_names(variant, None)),
        "first_layer": 2400,  # forgets the biases: 1 of 2 points
        "flattened": "no idea",
        "head": evaluate(asked["head"].right, formula_names(variant, None)),
        "frozen_answers": "b",
    }
    first = next(cell for cell in release["cells"] if cell["id"] == "answer-steps")
    first["source"] = ["points = lambda *_: 2\n", *first["source"]]  # grades nothing
    for cell in release["cells"]:
        source = "".join(cell["source"]).replace('STUDENT = ""', 'STUDENT = "Ada"')
        for question, answer in answers.items():
            source = source.replace(f'task.answer("{question}", ...)', f'task.answer("{question}", {answer!r})')
        cell["source"] = source
    (tmp_path / "submitted" / "ada" / name).mkdir(parents=True)
    (tmp_path / "submitted" / "ada" / name / file).write_text(json.dumps(release), "utf-8")
    done = api.autograde(name, "ada")
    assert done["success"], done["log"]
    with Gradebook(config.CourseDirectory.db_url) as gradebook:
        submission = gradebook.find_submission(name, "ada")
        scores = {grade.name: grade.auto_score for notebook in submission.notebooks for grade in notebook.grades}
        assert (submission.score, submission.max_score) == (7, 10)
    assert scores == {
        "points-steps": 2,
        "points-first-layer": 1,
        "points-flattened": 0,
        "points-head": 2,
        "points-frozen-answers": 2,
    }


def test_otter_graders_tests_add_up_to_the_points(frozen):
    """The whole of `otter assign` and `otter run` was run by hand: otter-grader isn't installed here."""
    cells = [(cell["cell_type"], cell["source"]) for cell in json.loads(to_notebook(frozen, "otter"))["cells"]]
    raw = [source for kind, source in cells if kind == "raw"]
    assert sum(source.startswith("# BEGIN QUESTION") for source in raw) == len(frozen.question)
    assert "name: 'why'\nmanual: true\npoints: 2" in "".join(raw)
    for head, points in ((3843, 2), (3840, 1), (3, 0)):
        task, got = begin("Ada", frozen.plan.to_json()), 0
        task.answer("head", head)
        for source in (source for _kind, source in cells if "def test_head" in source):
            space = {}
            exec(source, space)
            with contextlib.suppress(AssertionError):
                space["test_head_1" if "test_head_1" in space else "test_head_2"](task)
                got += float(re.search(r"^points: (.*)$", source, re.MULTILINE)[1])
        assert got == points


def test_nbgrader_takes_model_answers_out_and_leaves_a_cell_that_runs(frozen):
    import nbformat
    from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions

    notebook = nbformat.reads(to_notebook(frozen, "nbgrader"), 4)
    assert "million varied" in str(notebook)
    for step in (ClearSolutions(), ClearHiddenTests()):
        notebook, _ = step.preprocess(notebook, {})
    assert "million varied" not in str(notebook)
    assert "feature_width" not in str(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            compile(cell.source, "cell", "exec")
            assert "raise" not in cell.source or '"""\n# YOUR CODE HERE' in cell.source
