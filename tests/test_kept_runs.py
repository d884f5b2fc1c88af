"""What a Lab keeps beside the notebook, and takes up in the next kernel: without a browser, with hand-made runs."""

import json
import os
import re
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from helpers import SMALL, own_dataset, page, wait_until
from test_hostile_models import record

from tl_widgets import Comparison, TransferLab
from tl_widgets.core import kept_files
from tl_widgets.core.kept_files import FOLDER
from tl_widgets.experiments import model_store
from tl_widgets.widgets.lab.kept import KeptRuns, time_text
from tl_widgets.widgets.shared import cells

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
    """A function that makes the Lab of a cell as a new kernel does."""
    labs = []

    def run(cell="cell-1", *args, **kwargs):
        monkeypatch.setattr(cells, "current_cell", lambda: (cell, str(len(labs))))
        labs.append(TransferLab(*args, **kwargs))
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
    kept = reader.read()
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
    (notebook.parent / FOLDER).write_text("somebody's")
    kept = taken_up()
    kept.add(SMALL, RESULT)
    kept.keep_settings(SMALL)
    assert "gone when the kernel ends, because they can't be kept" in kept.about
    assert len(kept.runs) == 1
    assert (notebook.parent / FOLDER).read_text() == "somebody's"


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
