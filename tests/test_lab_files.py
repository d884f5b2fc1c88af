"""Pictures, saving and records in the Lab, without a browser: everything goes in and out through files."""

import gc
import json
import os
import pickle
import threading
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import SMALL, own_dataset, page
from test_hostile_models import HOSTILE, Bomb, places, record
from test_report import EVIL

from tl_widgets import Comparison, ExportReport, InputError, TransferLab, compare
from tl_widgets.experiments.prediction import Answer, Prediction
from tl_widgets.records.comparison import RunResult
from tl_widgets.records.parameters import ParameterCount
from tl_widgets.widgets import LabSettings
from tl_widgets.widgets.lab.answers import AnswersStrip
from tl_widgets.widgets.lab.export import exported_html
from tl_widgets.widgets.lab.predictions import IMAGES_PER_PAGE, PredictionsView
from tl_widgets.widgets.lab.try_picture import _prediction_html

pytestmark = pytest.mark.usefixtures("here", "tiny_default")


def noise(n=40):
    return np.random.default_rng(0).integers(0, 256, (n, n, 3), np.uint8)


def write_picture(name):
    from PIL import Image

    Image.fromarray(noise()).save(name, "PNG")


def load(lab, name, data=None):
    """Load a record; what the Lab says."""
    assert lab.screen.save.stop_button.layout.display == "none"
    lab.screen.save.load(name, data).wait(60)
    return page(lab.screen.save).rpartition("No code in it is run.</p>")[2].strip()


# Try a picture


def test_a_picture_gets_every_models_probabilities(make_lab):
    lab = make_lab(settings=SMALL.with_values({"control": True}))
    trial = lab.screen.trial
    assert "After training" in page(trial)
    lab.run(wait=True)
    assert trial.enabled
    write_picture(f"{EVIL[:20]}.png".replace("/", ""))
    (name,) = (path.name for path in Path().glob("*.png"))
    trial.file.value = f"  {name} "
    trial.try_pictures([(trial.file.value.strip(), None), ("up.png", Path(name).read_bytes()), ("", None)]).wait(60)
    shown = trial._result.value
    assert shown.count('<section class="tlw-picture"') == 2
    assert "<img src=x" not in shown
    assert shown.count("%</span>") + shown.count("%</b></span>") == 2 * 3 * 3
    for model in ("From scratch", "Transfer", "Control (random weights)"):
        assert shown.count(f'<th scope="col">{model}</th>') == 2
    assert "Give the name of a file beside the notebook" in shown
    assert "A probability only compares" in shown
    assert trial._status.value == ""


def test_many_classes_show_the_most_probable_and_a_lost_model_says_so():
    names = tuple(f"class {i}" for i in range(30))
    one, other = np.full(30, 0.01), np.full(30, 0.02)
    one[7], other[21] = 0.71, 0.42
    answers = (Answer("scratch", tuple(one)), Answer("transfer", tuple(other)))
    shown = _prediction_html(Prediction("x", names, noise(), noise(), 40, 40, answers))
    assert shown.count('<th scope="row">') == 8
    assert '<th scope="row">class 7</th>' in shown
    assert "<b>42.0%</b>" in shown
    assert "the other 22 classes a lower probability" in shown
    assert "From scratch says class 7; Transfer says class 21." in shown
    lost = (Answer("scratch", (float("nan"),) * 30), answers[1])
    shown = _prediction_html(Prediction("x", names, noise(), noise(), 40, 40, lost))
    assert "no number" in shown
    assert "its training diverged" in shown


# Galleries


def many(n=60):
    """Two models that disagree on every third image; the second is wrong on every fifth, ever less sure."""
    labels = tuple(i % 2 for i in range(n))

    def run(name, wrong):
        predictions = tuple(1 - label if i in wrong else label for i, label in enumerate(labels))
        sure = [0.99 - 0.005 * i for i in range(n)]
        probabilities = tuple((p, 1 - p) if a == 0 else (1 - p, p) for p, a in zip(sure, predictions, strict=True))
        figures = {"labels": labels, "predictions": predictions, "probabilities": probabilities}
        return RunResult(name, ("a", EVIL), ParameterCount(1, 0), **figures)

    return run("scratch", range(0, n, 3)), run("transfer", range(0, n, 5))


def test_the_strip_shows_all_disagreements_or_says_how_many():
    scratch, transfer = many()
    comparison = replace(Comparison.from_json(json.dumps(record())), scratch=scratch, transfer=transfer)
    clicked = []
    strip = AnswersStrip(clicked.append, lambda: None, lambda: None)
    strip.show(comparison, np.zeros((60, 8, 8, 3), np.uint8), 3)
    assert "Run 3: they disagree on <b>24</b> of 60:" in page(strip)
    assert strip.pictures.markup.count("<img") == 24  # in two rows of small ones
    strip.pictures.size = [300, 64]
    assert "Run 3: they disagree on <b>24</b> of 60; 18 of these:" in page(strip)
    assert strip.pictures.markup.count("<img") == 18
    strip.pictures.size = [400, 300]  # on a wide page
    assert strip.pictures.markup.count("<img") == 24
    assert "tlw-many" not in strip.pictures.markup


def test_galleries_switch_and_turn_pages():
    scratch, transfer = many()
    blank = Comparison.from_json(json.dumps(record()))
    comparison = replace(blank, scratch=scratch, transfer=transfer)
    images = np.zeros((60, 8, 8, 3), np.uint8)
    view = PredictionsView()
    view.show(comparison, images)
    differ = sum(a != b for a, b in zip(scratch.predictions, transfer.predictions, strict=True))
    assert f"60 test images; the models disagree on {differ}." in page(view)
    view.choice.value = "mistakes"
    assert "wrong on 28, the most confident mistakes first. Page 1 of 2." in page(view)
    assert page(view).index('alt="Test image 1, a"') < page(view).index('alt="Test image 4, ')
    assert page(view).count("<figure>") == IMAGES_PER_PAGE
    assert view.back_button.disabled
    view.next_button.click()
    assert "Page 2 of 2" in page(view)
    assert page(view).count("<figure>") == 28 - IMAGES_PER_PAGE
    assert view.next_button.disabled
    view.choice.value = "all"
    assert "Page 1 of 3" in page(view)
    assert EVIL not in page(view)
    view.show(comparison, None)
    assert "not available" in page(view)


# Saving


def test_save_never_writes_over_and_says_what_is_wrong(make_lab, monkeypatch):
    lab = make_lab()
    save = lab.screen.save
    assert "After training" in save._saved.value
    lab.run(wait=True)
    first, second = save.save().wait(60), save.save().wait(60)
    assert (first.name, second.name) == ("transfer-learning-run", "transfer-learning-run-2")
    assert "Choose Download" not in save._saved.value
    assert '<a href="transfer-learning-run-2/record.json"' in save._saved.value
    assert "transfer-learning-run-2/transfer.keras" in save._saved.value
    assert Comparison.from_json(Path(first, "record.json").read_text()) == lab.result
    for name, said in (
        ("", "not a folder name"),
        ("no/where", "The folder no does not exist"),
        ("/proc/x", "Nothing was"),
    ):
        save.folder.value = name
        assert save.save().wait(60) is None
        assert said in save._saved.value
        assert 'role="alert"' in save._saved.value
    assert sorted(path.name for path in Path().iterdir()) == ["transfer-learning-run", "transfer-learning-run-2"]
    fields = save.export_fields
    assert (fields.model.value, fields.format.value) == ("transfer", "web")
    fields.model.value, fields.format.value, fields.int8.value = "scratch", "saved_model", True
    assert save.export().wait(60) is None
    assert "has no 8-bit integers" in save._exported.value
    fields.int8.value = False
    assert save.export().wait(60) == Path("transfer-learning-export")
    assert "same answer as the original on 90 of 90 test images" in save._exported.value
    # A page is served from its folder; on a hub it has to come to the student's computer first.
    folder = Path("transfer-learning-export")
    report = replace(ExportReport.from_json((folder / "export.json").read_text()), kind="web")
    assert f"python -m http.server --directory {folder.absolute()}</code>, and open" in exported_html(folder, report)
    monkeypatch.setenv("JUPYTERHUB_API_URL", "http://hub")
    assert f"zipfile -c {folder.absolute()}.zip {folder.absolute()}</code>" in exported_html(folder, report)


def test_a_second_click_saves_nothing_twice_and_the_buttons_come_back(make_lab, monkeypatch):
    lab = make_lab()
    lab.run(wait=True)
    save, go_on, seen = lab.screen.save, threading.Event(), []

    def slow(*_, **__):
        seen.append([each.disabled for each in (save.save_button, save.load_button, save.folder)])
        go_on.wait(60)
        raise InputError("no room")

    monkeypatch.setattr("tl_widgets.export.saving.save_comparison", slow)
    run = save.save()
    assert save.save_button.disabled
    save.save_button.click()
    save.load_button.click()
    assert "Loading" not in page(save)
    lab.screen.show_running(False)  # a training that ends meanwhile does not free them
    assert save.save_button.disabled
    go_on.set()
    run.wait(60)
    assert seen == [[True, True, True]]
    assert not save.save_button.disabled
    assert "no room" in save._saved.value


# Loading


def test_a_record_comes_back_into_another_lab(make_lab):
    settings = SMALL.with_values({"epochs": 4, "learning_rate": 0.003, "control": True})
    lab = make_lab(settings=settings)
    lab.run(wait=True)
    lab.screen.save.save().wait(60)
    other = make_lab(settings=LabSettings())
    lab.screen.trial.open_camera()
    load(lab, "transfer-learning-run/record.json")
    assert lab.screen.trial.camera.layout.display == "none"  # it belonged to the run before
    said = load(other, "transfer-learning-run/record.json")
    assert (
        said == '<div role="status"><p>Loaded transfer-learning-run/record.json as run 1, with its settings.</p></div>'
    )
    assert other.settings == settings
    assert other.result == lab.result
    assert other.result.verdict.text in other.paper._content
    assert other.runs[0].title.startswith("Run 1 (loaded): ")
    text = page(other)
    assert "Run 1, loaded from transfer-learning-run/record.json: textures" in text
    assert "90 test images; the models disagree" in text
    assert text.count("<img alt=") >= 2
    assert "The models of this result are gone" in page(other.screen.trial)
    assert not other.is_running
    # The next training is a run of its own, and can be asked again.
    other.run(wait=True)
    assert other.result.transfer.predictions == lab.result.transfer.predictions
    assert [run.source for run in other.runs] == ["transfer-learning-run/record.json", ""]
    assert "Choose pictures" in page(other.screen.trial)


def test_what_could_not_be_restored_is_said(make_lab):
    own = own_dataset()
    mine = TransferLab(own, settings=LabSettings(own.name, 32, config=SMALL.config))
    text = compare(own, scratch=SMALL.config.scratch, epochs=2, batch_size=4).to_json()
    try:
        # The same images are there: all comes back.
        said = load(mine, "r.json", text.encode())
        assert "<li>" not in said
        assert mine.settings.config.batch_size == 4
        assert "16 test images" in page(mine.screen.predictions)
        # Here they are not: the settings come back, the data set stays.
        lab = make_lab()
        said = load(lab, "r.json", text.encode())
        assert "are not built in, and this Lab does not have them" in said
        assert "&lt;i&gt;mine" in said
        assert (lab.settings.dataset, lab.settings.image_size) == ("textures", 32)
        assert lab.settings.config.batch_size == 4
        assert "not available" in page(lab.screen.predictions)
        assert "The images of this run are not here" in page(lab.screen.strip)
        # Its row can be restored as little, and says so.
        lab.screen.runs.restore_button.click()
        assert "no data set" in lab.screen.message.value
    finally:
        mine.close()


def changed_record(**changes):
    """A good record with other values, "__" for a step down."""
    found = record()
    for path, value in changes.items():
        *steps, last = path.split("__")
        parent = found
        for step in steps:
            parent = parent[step]
        parent[last] = value
    return json.dumps(found).encode()


def test_notes_on_seeds_weights_and_other_images(make_lab):
    lab = make_lab()
    said = load(lab, "r.json", changed_record(dataset__origin__seed=5, config__weights="/elsewhere/mine.h5"))
    assert "split with seed 5" in said
    assert "/elsewhere/mine.h5&#39; is not on this machine" in said
    assert "fingerprint differs" in said
    said = load(lab, "r.json", changed_record(dataset__origin__n_per_class=999))
    assert "It asks for 999 images of each class" in said
    folder = {"kind": "folder", "seed": 0, "n_per_class": None, "path": "/home/ann/photos", "folders": []}
    said = load(lab, "r.json", changed_record(dataset__origin=folder))
    assert "(the folder /home/ann/photos)" in said  # and not the built-in data set of the same name


def hostile(tmp_path):
    """What might be offered as a record."""
    good = json.dumps(record()).encode()
    bomb = pickle.dumps(Bomb(tmp_path / "made"))
    return {
        "pickle.json": bomb,
        "model.keras": b"PK\x03\x04" + bomb,
        "web.json": b"<!DOCTYPE html><script>alert(1)</script>",
        "empty.json": b"",
        "deep.json": b"[" * 100_000,
        "latin.json": '{"format": "é"}'.encode("latin-1"),
        "half.json": good[: len(good) // 2],
        "nan.json": changed_record(config__learning_rate=float("nan")),
        "epochs.json": changed_record(config__epochs="many"),
        "huge.json": changed_record(scratch__trainable_params=10**30),
        "backbone.json": changed_record(config__backbone="<script>alert(1)</script>"),
        "size.json": changed_record(dataset__image_size=100_000),
        "name.json": changed_record(scratch__name="../../evil"),
        "long.json": changed_record(dataset__name="x" * 1_000_000),
        "stopped.json": changed_record(scratch=None, transfer=None),
        "settings.json": SMALL.to_json().encode(),
    }


def test_a_hostile_record_gets_a_sentence_and_changes_nothing(make_lab, tmp_path):
    lab = make_lab()
    before = lab.settings
    lab.run(wait=True)
    good, shown = lab.result, lab.screen.result.value
    for name, data in hostile(tmp_path).items():
        said = load(lab, name, data)
        assert said.startswith('<div class="tlw-alert" role="alert">'), name
        assert "<script" not in said
        assert "went wrong unexpectedly" not in said, (name, said)
        assert "Error" not in said, (name, said)  # the names of Python's exceptions tell a learner nothing
        assert len(said) < 1000
        assert lab.settings == before
        assert lab.result is good
        assert len(lab.runs) == 1
        assert lab.screen.result.value == shown
    assert not (tmp_path / "made").exists()
    for name in ("nowhere.json", "", ".", "a\0b", "x" * 300, "a/" * 3000, "~nobody-here/x", os.devnull):
        said = load(lab, name)
        assert 'role="alert"' in said
        assert "unexpectedly" not in said, name


def test_a_record_that_is_too_large_is_not_read(make_lab, monkeypatch):
    monkeypatch.setattr("tl_widgets.widgets.lab.restore.MAX_RECORD_BYTES", 1_000)
    Path("big.json").write_bytes(b" " * 2_000)
    lab = make_lab()
    assert "is larger than the" in load(lab, "big.json", None)
    assert "a record has at most" in load(lab, "big.json", b" " * 2_000)


def test_any_record_that_is_read_can_be_shown(make_lab):
    """Every place holds the most hostile value that the reader lets pass, all at once."""
    lab = make_lab()
    n = 0
    for value in HOSTILE:
        found = record()
        for path in places(record()):
            if not path or path[0] not in ("scratch", "verdict", "environment"):
                continue
            parent = changed = json.loads(json.dumps(found))
            try:
                for key in path[:-1]:
                    parent = parent[key]
                parent[path[-1]] = value
                Comparison.from_json(json.dumps(changed))
            except (ValueError, LookupError, TypeError):  # refused, or an outer place holds the value already
                continue
            found, n = changed, n + 1
        said = load(lab, "r.json", json.dumps(found).encode())
        assert "Loaded r.json" in said, (value, said)
        assert "<script>alert" not in page(lab)
    assert n > 30


def test_a_lab_that_trains_takes_no_record(make_lab):
    lab = make_lab(settings=SMALL.with_values({"epochs": 3000, "learning_rate": 1e-4}))
    run = lab.run()
    assert lab.screen.save.load_button.disabled
    assert not lab.screen.trial.enabled
    assert "The Lab is training" in load(lab, "r.json", json.dumps(record()).encode())
    lab.stop()
    run.wait(60)
    assert lab.screen.trial.enabled


def test_a_closed_lab_lets_go_of_its_models():
    lab = TransferLab(settings=SMALL)
    lab.run(wait=True)
    model = weakref.ref(lab.result.scratch.model)
    assert model() is not None
    lab.close()
    gc.collect()
    assert model() is None
