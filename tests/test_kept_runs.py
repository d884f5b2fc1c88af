"""What the apps keep beside the notebook and take up in the next kernel: without a browser, with hand-made results."""

import json
import os
import re
import threading
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from helpers import SMALL, own_dataset, page, wait_until
from test_hostile_models import record

from tl_widgets import Comparison, Config, StudyLab, TransferLab
from tl_widgets.core import kept_files
from tl_widgets.core.kept_files import FOLDER, KeptFiles, time_text
from tl_widgets.data.catalogue import find_dataset
from tl_widgets.experiments import model_store
from tl_widgets.records.comparison import Environment, Seconds
from tl_widgets.records.verdict import TwoWays
from tl_widgets.studies.learning_curve.result import CurvePoint, LearningCurve
from tl_widgets.studies.mistake.result import MistakeStudy
from tl_widgets.studies.registry import STUDIES
from tl_widgets.widgets.lab.kept import KeptRuns
from tl_widgets.widgets.shared import cells
from tl_widgets.widgets.studies.kept import KeptStudies
from tl_widgets.widgets.studies.settings import StudySettings

pytestmark = pytest.mark.usefixtures("tiny_default")
RESULT = Comparison.from_json(json.dumps(record()))


@pytest.fixture
def notebook(here, monkeypatch):
    """The notebook that the kernel belongs to, and its folder."""
    path = here / "day 1.ipynb"
    path.touch()
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    return path


@pytest.fixture
def run_cell(notebook, monkeypatch):
    """A function that makes the app of a cell as a new kernel does."""
    labs = []

    def run(cell="cell-1", *args, app=TransferLab, **kwargs):
        monkeypatch.setattr(cells, "current_cell", lambda: (cell, str(len(labs))))
        labs.append(app(*args, **kwargs))
        return labs[-1]

    yield run
    for lab in labs:
        lab.close()
        if lab.taken_up is not None:
            assert lab.taken_up.finished.wait(30)


def taken_up(place="cell", own=None):
    kept = KeptRuns()
    if kept.open(place, own):
        kept.take_up()
    return kept


def files(notebook):
    return sorted((notebook.parent / FOLDER).rglob("*.json"))


def seeds(kept):
    return [run.settings.config.seed for run in kept.runs]


def seed(n):
    return SMALL.with_values({"seed": n})


# Files


def test_two_kernels_beside_each_other_lose_nothing(notebook):
    one, other = taken_up(), taken_up()
    for n, kept in enumerate((one, other, one)):
        kept.add(seed(n), RESULT)
    both = taken_up()
    assert seeds(both) == [0, 1, 2]
    assert [run.number for run in both.runs] == [1, 2, 3]  # two of them were counted as run 1
    assert both.runs[0].result == RESULT
    assert len(files(notebook)) == 3


def test_a_run_that_another_kernel_deletes_meanwhile_is_no_problem(notebook):
    for n in range(3):
        taken_up().add(seed(n), RESULT)
    reader = taken_up()._files
    kept = reader.read(str)
    next(kept)
    files(notebook)[1].unlink()
    assert len(list(kept)) == 1
    assert reader.problems == []


def test_what_belongs_to_another_lab_is_left_to_it(notebook, monkeypatch):
    mine = own_dataset()
    taken_up("cell", mine).add(seed(5), RESULT)
    assert seeds(taken_up("cell", mine)) == [5]
    assert not taken_up("cell").runs
    assert not taken_up("cell", own_dataset("others")).runs
    assert not taken_up("other cell", mine).runs
    monkeypatch.setenv("JPY_SESSION_NAME", str(notebook.with_name("day 2.ipynb")))
    assert not taken_up("cell", mine).runs  # day 1 is still there
    notebook.unlink()  # it is called day 2 now
    assert seeds(taken_up("cell", mine)) == [5]
    assert [path.parent.parent.name for path in files(notebook)] == ["day 2.ipynb"]


@pytest.mark.parametrize(
    ("name", "value"), [("JPY_SESSION_NAME", ""), ("JPY_SESSION_NAME", "console-1"), ("TL_WIDGETS_NO_KEEPING", "1")]
)
def test_without_a_notebook_or_where_it_is_turned_off_nothing_is_kept(notebook, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    kept = taken_up()
    kept.add(SMALL, RESULT)
    kept.keep_settings(SMALL)
    assert "gone when the kernel ends" in kept.about
    assert len(kept.runs) == 1
    assert list(notebook.parent.iterdir()) == [notebook]


def test_a_folder_that_is_write_protected_is_replaced_by_the_home(notebook, home, monkeypatch):
    monkeypatch.setattr(kept_files, "can_write", lambda folder: folder != notebook.parent)
    taken_up().add(seed(4), RESULT)
    assert seeds(taken_up()) == [4]
    assert not (notebook.parent / FOLDER).exists()
    assert str(home / "kept") in taken_up().about


def test_what_cannot_be_written_is_said_and_costs_nothing_else(notebook):
    kept = taken_up()
    (notebook.parent / FOLDER).write_text("somebody's")
    kept.add(SMALL, RESULT)
    kept.keep_settings(SMALL)
    assert "gone when the kernel ends, because they can't be kept" in kept.about
    assert len(kept.runs) == 1
    assert (notebook.parent / FOLDER).read_text() == "somebody's"
    assert "because nothing can be written beside the notebook" in taken_up().about


def rewritten(path, change):
    """A file with another content under a name with the right checksum, as only somebody who means it writes one."""
    data = change(path.read_text()).encode()
    path.unlink()
    time = path.name.partition("-")[0]
    (path.parent / f"{time}-{kept_files._checksum(data)}.json").write_bytes(data)


def changed(**values):
    return lambda text: json.dumps({**json.loads(text), **values})


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.write_text(path.read_text()[:1000]), "isn't what was written"),
        (lambda path: path.write_bytes(b""), "isn't what was written"),
        (lambda path: rewritten(path, lambda _: "[" * 100_000), "nested too deeply"),
        (lambda path: rewritten(path, lambda _: "\0"), "isn't valid JSON"),
        (
            lambda path: rewritten(path, changed(record=json.loads("[" * 700 + "]" * 700))),
            "nested too deeply|not a rec",
        ),
        (lambda path: rewritten(path, changed(number=-1)), "isn't a run of a Lab"),
        (lambda path: rewritten(path, changed(number=True, source=3)), "isn't a run of a Lab"),
        (lambda path: rewritten(path, changed(record={"format": 1})), "is not a record"),
        (lambda path: rewritten(path, changed(settings={"format": 1, "epochs": "x"})), "settings of a Lab"),
        (lambda path: (path.unlink(), path.mkdir()), "is a folder"),
        (lambda path: (path.unlink(), os.mkfifo(path)), "no ordinary file"),
    ],
)
def test_a_file_that_cannot_be_used_is_set_aside_with_a_sentence(notebook, spoil, said):
    for n in range(2):
        taken_up().add(seed(n), RESULT)
    spoil(files(notebook)[0])
    kept = taken_up()
    assert seeds(kept) == [1]
    assert re.search(said, kept.about)
    assert ".unreadable" in kept.about
    assert "see the tab Runs" in kept.greeting
    assert len(list((notebook.parent / FOLDER).rglob("*.unreadable"))) == 1
    assert "can't be used" not in taken_up().about  # once is enough


def test_a_run_of_a_newer_version_stays_where_it_is(notebook):
    taken_up().add(SMALL, RESULT)
    rewritten(files(notebook)[0], changed(format=99))
    for _ in range(2):
        kept = taken_up()
        assert not kept.runs
        assert "newer version" in kept.about
    assert len(files(notebook)) == 1


def test_the_oldest_go_if_they_are_too_many_or_too_large(notebook, monkeypatch):
    monkeypatch.setattr(kept_files, "MOST_FILES", 3)
    kept = taken_up()
    for n in range(5):
        kept.add(seed(n), RESULT)
    assert seeds(taken_up()) == [2, 3, 4]
    assert taken_up().runs[-1].number == 5
    size = files(notebook)[0].stat().st_size
    monkeypatch.setattr(kept_files, "MOST_BYTES", 2 * size + 100)
    kept.add(seed(5), RESULT)
    assert seeds(taken_up()) == [4, 5]
    monkeypatch.setattr(kept_files, "MOST_BYTES_OF_ALL", 2 * size + 100)
    taken_up("other").add(seed(6), RESULT)
    assert seeds(taken_up()) == [5]
    assert seeds(taken_up("other")) == [6]


def texts(files):
    return [text for _, text in files.read(str)]


def test_files_that_others_put_there_stay(notebook, monkeypatch):
    victim = notebook.parent / "mine"
    victim.mkdir()
    for name in ("thesis.txt", "settings.json"):
        (victim / name).write_text("mine")
    kept = KeptFiles("app")
    kept.add("1")
    folder = kept._folder
    for name in ("0.txt", ".hidden"):
        (folder / name).mkdir() if name == ".hidden" else (folder / name).write_text("x" * 1000)
    (folder / "settings.json").symlink_to(victim / "settings.json")
    kept.keep_settings("ours")
    gone = folder.parent.parent / "gone.ipynb"
    gone.mkdir()
    (gone / folder.name).symlink_to(victim)
    monkeypatch.setattr(kept_files, "MOST_BYTES_OF_ALL", 100)
    kept = KeptFiles("app")
    assert kept.settings() == "ours"
    assert kept.add("2")
    assert texts(kept) == ["1", "2"]
    kept.forget()
    assert sorted(path.name for path in folder.iterdir()) == [".hidden", "0.txt"]
    KeptFiles("other app")._folder.symlink_to(victim)
    kept = KeptFiles("other app")
    kept.forget()
    assert "nothing can be written beside the notebook" in kept.about
    assert {path.read_text() for path in victim.iterdir()} == {"mine"}
    assert len(list(victim.iterdir())) == 2


def test_a_clock_that_was_wrong_changes_no_order_and_loses_nothing(notebook, monkeypatch):
    monkeypatch.setattr(kept_files, "MOST_FILES", 2)
    kept = KeptFiles("app")
    kept.add("first")
    (path,) = files(notebook)
    path.rename(path.with_name(f"20990101T000000000000-{path.name.partition('-')[2]}"))
    kept.add("second")
    kept.add("third")
    assert texts(kept) == ["second", "third"]
    for time in ("99991231T235959999999", "00010101T000000000000", "20261332T000000000000"):
        path.with_name(f"{time}-{kept_files._checksum(b'x')}.json").write_text("x")
    assert "third" in texts(kept)
    assert kept.add("fourth")


def test_what_is_too_large_to_be_read_again_is_not_kept(notebook, monkeypatch):
    monkeypatch.setattr(kept_files, "MOST_BYTES", 1000)
    kept = KeptFiles("app")
    assert kept.add("x" * 1001) == ""
    assert "only runs up to" in kept.about
    assert not files(notebook)
    for n in range(5):  # that somebody has put there
        data = b"y" * 400 + str(n).encode()
        path = kept._folder / f"2026010{n + 1}T000000000000-{kept_files._checksum(data)}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    assert [text[-1] for text in texts(kept)] == ["3", "4"]


def test_times_are_said_as_people_say_them():
    now = datetime(2026, 11, 26, 9, 30)
    assert time_text(now.replace(hour=8, minute=5), now) == "today, 08:05"
    assert time_text(now - timedelta(days=2), now) == "Tuesday, 09:30"
    assert time_text(now - timedelta(days=7), now) == "2026-11-19, 09:30"
    assert time_text(now + timedelta(days=1), now) == "2026-11-27, 09:30"


# The Lab


def run_and_wait(run_cell):
    """The Lab of a new kernel, when all has come that there is."""
    lab = run_cell()
    assert lab.taken_up.finished.wait(60)
    return lab


def test_the_next_kernel_shows_the_runs_and_the_result_again(run_cell, notebook):
    lab = run_cell()
    lab.settings = SMALL
    lab.run(wait=True)
    lab.panel.control("epochs").value = 2
    lab.stop()
    lab.run(wait=True)
    lab.panel.control("seed").value = 3
    result, settings = lab.result, lab.settings
    assert "without images" in page(lab.screen.runs)

    again = run_and_wait(run_cell)  # the same cell, which also closes the first Lab
    assert [run.settings for run in again.runs] == [SMALL, SMALL.with_values({"epochs": 2})]
    assert again.settings == settings
    assert again.result == result
    assert again.state == "idle"
    assert again.live
    assert "Here again: 2 runs, the last from today, " in again.screen.outcome.live_line.value
    assert "Run 2: textures" in again.screen.outcome.headline.value
    assert "after 2 of 2 epochs" in again.screen.curves.markup
    assert "90 test images; the models" in page(again.screen.predictions)
    assert result.verdict.text in again.paper._content
    assert run_cell("cell-1", settings=SMALL).settings == SMALL  # what the cell says goes first
    assert not run_cell("cell-2").runs
    assert not run_cell("cell-1", own_dataset()).runs
    text = "".join(path.read_text() for path in notebook.parent.rglob("*.json"))
    assert "base64" not in text


def test_controls_that_the_cell_no_longer_shows_stay_as_they_are(run_cell):
    lab = run_cell()
    lab.settings = lab.settings.with_values(
        {"seed": 7, "epochs": 3, "filters": (4, 8, 8, 8), "kernel_sizes": (3, 3, 3, 3)}
    )
    assert run_cell().settings == lab.settings
    first = run_cell("cell-2").settings
    assert run_cell("cell-1", show=["epochs"]).settings == first.with_values({"epochs": 3})


def test_the_models_of_the_last_run_answer_again_and_need_not_be_trained(run_cell, home, monkeypatch):
    settings = SMALL.with_values({"control": True, "fine_tune_blocks": 1})
    lab = run_cell(settings=SMALL)
    lab.run(wait=True)
    lab.settings = settings
    lab.run(wait=True)
    result = lab.result
    (stored,) = (home / "models").iterdir()  # those of the last run only
    again = run_and_wait(run_cell)
    pixels = np.zeros((3, 32, 32, 3), np.float32)
    for run, before in zip(again.result.runs, result.runs, strict=True):
        np.testing.assert_allclose(run.model(pixels), before.model(pixels), atol=1e-6)
        assert run == before
    again.panel.control("seed").value = 1
    assert "kept)" not in again.screen.run_button.description
    again.panel.control("seed").value = 0
    assert again.screen.run_button.description.endswith(" (kept)")
    again.panel.control("filters").value = 6
    assert again.screen.run_button.description.endswith(" (3 kept)")
    assert again.screen.run_button.tooltip.endswith(": Transfer, Control (random weights), Fine-tuned")
    with monkeypatch.context() as patch:
        patch.setattr(model_store, "answers_again", lambda *_: 1 / 0)
        assert "models of this result are gone" in page(run_and_wait(run_cell).screen.trial)
    with np.load(stored) as arrays:
        others = {name: -array for name, array in arrays.items()}
    np.savez(stored, **others)  # weights of other models
    assert run_and_wait(run_cell).result == result
    worn = run_and_wait(run_cell)
    assert worn.result.scratch.model is None
    assert "models of this result are gone" in page(worn.screen.trial)
    stored.write_bytes(stored.read_bytes()[:5000])
    assert run_and_wait(run_cell).result.scratch.model is None
    monkeypatch.setattr(model_store, "MAX_BYTES_OF_ONE", 100)
    again = run_and_wait(run_cell)
    again.settings = SMALL
    again.run(wait=True)
    assert not list((home / "models").iterdir())
    assert len(run_and_wait(run_cell).runs) == 3


def test_forgetting_starts_afresh(run_cell, notebook):
    lab = run_cell()

    def shown(lab):
        screen = lab.screen
        parts = screen.result, screen.confusion, screen.outcome, screen.strip, screen.predictions, screen.runs
        return [page(part) for part in (*parts, screen.trial, screen.save, screen.curves)]

    first = shown(lab)
    lab._kept.add(SMALL, RESULT)
    lab = run_and_wait(run_cell)
    view = lab.screen.runs
    assert len(lab.runs) == 1
    view.forget_button.click()
    assert view.forget_button.description == "Really forget 1 run?"
    assert len(lab.runs) == 1
    view.forget_button.click()
    assert lab.runs == ()
    assert lab.result is None
    assert shown(lab) == first
    assert not (notebook.parent / FOLDER).exists()
    assert not run_cell().runs


def test_pictures_of_ones_own_come_again_with_their_settings(run_cell, notebook):
    from helpers import fill

    for i, name in enumerate(("cat", "dog")):
        fill(Path("pets") / name, 12, start=20 * i)
    lab = run_cell()
    lab.images.intake.menu.value = lab.images.intake.menu.options[1][1]
    lab.images.intake.open_button.click()
    lab.images.last_run.wait(60)
    lab.images.use_button.click()
    lab.images.last_run.wait(60)
    lab.settings = lab.settings.with_values({"epochs": 2, "image_size": 32, "filters": (4,), "kernel_sizes": (3,)})
    lab.run(wait=True)
    again = run_cell()
    assert again.taken_up.finished.wait(60)
    wait_until(lambda: again.settings == lab.settings)
    assert again.settings.dataset == "pets"
    assert "test images; the models" in page(again.screen.predictions)


# StudyLab

SUMMARY = find_dataset("textures").summary(image_size=32)
ENVIRONMENT = Environment("3", "2", "3", "1", 2)
POINTS = tuple(
    CurvePoint(arm, n, 0, least + n / 20, Seconds())
    for arm, least in (("scratch", 0.3), ("transfer", 0.6))
    for n in (2, 4)
)
CURVE = LearningCurve(SUMMARY, Config(), (2, 4), (0,), ("scratch", "transfer"), 0.33, POINTS, (), False, ENVIRONMENT)
MISTAKE = MistakeStudy(SUMMARY, "trainable_without_compile", "", 2, 0, TwoWays(1.0, 0.0, 9, 9, "weights"), ENVIRONMENT)
OF_CURVE = StudySettings("data", {"image_size": 32, "sizes": (2, 4), "seeds": (0,), "epochs": 3})
OF_MISTAKE = StudySettings("mistake", {"mistake": "trainable_without_compile"})


@pytest.fixture
def run_studies(run_cell, monkeypatch):
    """A function that makes the StudyLab of a cell as a new kernel does; its studies give hand-made results."""
    for name, result in (("data", CURVE), ("mistake", MISTAKE)):
        monkeypatch.setattr(STUDIES[name], "measure", lambda *_, result=result: result)

    def run(*args, **kwargs):
        lab = run_cell("cell-1", *args, app=StudyLab, **kwargs)
        if lab.taken_up is not None:
            assert lab.taken_up.finished.wait(60)
        return lab

    return run


def measured(lab, settings):
    lab.settings = settings
    lab.run(wait=True)


def test_the_next_kernel_shows_the_last_result_of_each_study(run_studies, notebook):
    lab = run_studies()
    assert "A new kernel shows the last result of each study again" in page(lab)
    measured(lab, OF_CURVE.with_values({"epochs": 2}))
    measured(lab, OF_MISTAKE)  # waits for a guess
    lab.form.choose("data")
    lab.screen.guess.field.value = "3×"
    lab.screen.guess.button.click()  # too late
    measured(lab, OF_CURVE)

    again = run_studies()
    assert again.settings == OF_CURVE
    assert again.result == CURVE
    assert again.state == "idle"
    line = again.screen.outcome.headline.value
    assert CURVE.headline in line
    assert re.search(r"textures, 32 pixels; measured today, \d\d:\d\d", line)
    assert '<img alt="Line chart of test accuracy' in again.screen.figure.value
    assert CURVE.headline in again.paper._html
    again.form.choose("mistake")
    assert again.settings == OF_MISTAKE
    assert "The result is ready. Keep your guess" in page(again)
    again.screen.guess.field.value = "ruined (more than 30 points)"
    again.screen.guess.button.click()
    assert "and that is right" in again.screen.outcome.headline.value

    third = run_studies()
    assert third.settings == OF_MISTAKE
    assert "and that is right" in third.screen.outcome.headline.value
    assert third.screen.guess.field.disabled
    assert third.screen.guess.field.value == "ruined (more than 30 points)"
    assert MISTAKE.headline in third.paper._html
    third.form.choose("data")
    assert CURVE.headline in third.screen.outcome.headline.value
    only = run_studies("data", values={"epochs": 9})  # what the cell says goes first
    assert only.settings.values["epochs"] == 9
    assert CURVE.headline in only.screen.outcome.headline.value
    assert run_studies(None, own_dataset()).result is None
    assert not list(notebook.parent.rglob("*.unreadable"))


def test_forgetting_all_results_starts_afresh(run_studies, notebook):
    first = page(run_studies())
    lab = run_studies()
    measured(lab, OF_MISTAKE)
    measured(lab, OF_CURVE)
    lab = run_studies()
    assert "Nothing is measured yet" not in lab.screen.stage.chart.markup
    lab.screen.forget_button.click()
    assert lab.screen.forget_button.description == "Really forget?"
    assert lab.result == CURVE
    lab.screen.forget_button.click()
    assert lab.screen.forget_button.description == "Forget all results"
    assert lab.result is None
    assert not (notebook.parent / FOLDER).exists()
    lab.settings = run_studies().settings
    assert page(lab) == first


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"study": 3}, "isn't a result of a study"),
        ({"study": "data", "record": {}}, "can be shown here"),
        ({"record": {**json.loads(CURVE.to_json()), "chance": 7}}, "chance"),
        ({"format": 99}, "newer version"),
        ({"study": "of a package that isn't here"}, None),
        ({"guess": "x", "values": {"epochs": "many", "x": [{}]}}, ""),
        ({"guess": 10**30, "values": [1]}, ""),
        ({"guess": True, "values": {"dataset": "//elsewhere/share"}}, ""),
    ],
)
def test_a_result_that_somebody_changed(notebook, change, said):
    kept = KeptStudies(STUDIES)
    kept.open("app", None)
    for settings, result in ((OF_MISTAKE, MISTAKE), (OF_CURVE, CURVE)):
        kept.add(settings, result, 1)
    rewritten(files(notebook)[-1], changed(**change))
    kept = KeptStudies(STUDIES)
    assert kept.open("app", None)
    found = kept.last_results(threading.Event())
    assert found[0].result == MISTAKE
    assert found[0].settings == OF_MISTAKE
    assert [(item.result, item.settings) for item in found[1:]] == [(CURVE, None)] * (said == "")
    assert (said or "beside the notebook") in kept.about
