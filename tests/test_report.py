"""The report as one page, and everything of a comparison in one folder that plain Keras reads."""

import html
import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from helpers import own_dataset

from tl_widgets import (
    Comparison,
    InputError,
    ScratchSpec,
    compare,
    load_dataset,
    predict,
    save_comparison,
    to_report,
)
from tl_widgets.core.config import FineTuningSpec
from tl_widgets.export.saving import require_room_for_models, save_models
from tl_widgets.export.script import save_backbone

pytestmark = pytest.mark.usefixtures("tiny_default")

SMALL = ScratchSpec(filters=(4, 4), kernel_sizes=(3, 3), dense_units=8)
EVIL = '<img src=x onerror="alert(1)"></script>&amp;'


@pytest.fixture(scope="module")
def textures():
    return load_dataset("textures", image_size=32, n_per_class=4)


@pytest.fixture(scope="module")
def four(textures):
    return compare(textures, scratch=SMALL, epochs=2, control=True, fine_tuning=FineTuningSpec(epochs=1))


@pytest.fixture(scope="module")
def two_classes():
    dataset = own_dataset(f"mine {EVIL}", (EVIL, "b"), f"my disk {EVIL}")
    return compare(dataset, scratch=SMALL, epochs=2), dataset


class Tags(HTMLParser):
    """Every element with its attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def words(page):
    return html.unescape(re.sub(r"<[^>]+>", " ", page.split("<body>")[1]))


# The page


def test_the_report_says_what_was_found(four, textures):
    page = to_report(four, dataset=textures)
    text = re.sub(r"\s+", " ", words(page))
    assert four.verdict.text in text
    for run in four.runs:
        low, high = run.test_accuracy_ci95
        figures = f"{100 * run.test_accuracy:.1f}% {100 * low:.1f} to {100 * high:.1f} {run.n_right} of 90"
        assert figures in text
        assert f"{run.params.trainable:,}" in text
    for said in (textures.source, textures.fingerprint, "learning_rate 0.001", "scratch.filters 4, 4", "12 training"):
        assert said in text
    for said in (four.environment.tensorflow, four.transfer.weights_sha256, "One split, made once", "add up to 1"):
        assert said in text
    assert "The control's answers are shown but don't count" in text


def test_the_page_is_valid_and_loads_and_runs_nothing(two_classes):
    comparison, dataset = two_classes
    page = to_report(comparison, dataset=dataset)
    html5lib = pytest.importorskip("bleach._vendor.html5lib")  # JupyterLab brings it
    html5lib.HTMLParser(strict=True).parse(page)
    tags = Tags(page).found
    assert {tag for tag, _ in tags} & {"script", "link", "iframe", "object", "embed", "form", "base"} == set()
    assert not [name for _, attrs in tags for name in attrs if name.startswith("on")]
    for tag, attrs in tags:
        for name in ("src", "href", "srcset"):
            assert attrs.get(name, "data:image/png;base64,").startswith("data:image/png;base64,"), tag
        assert tag != "img" or attrs["alt"].strip()
    assert "url(" not in page
    assert "@import" not in page
    policy = next(attrs["content"] for tag, attrs in tags if attrs.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert len([tag for tag, _ in tags if tag == "h1"]) == 1


def test_outside_text_stays_text(two_classes):
    comparison, dataset = two_classes
    page = to_report(comparison, dataset=dataset)
    assert EVIL not in page
    assert words(page).count(EVIL) > 5
    # A record that somebody else made, with markup wherever a text may stand.
    record = json.loads(comparison.to_json())
    record["verdict"]["text"] = record["environment"]["python"] = EVIL
    record["transfer"]["backbone"] = record["transfer"]["weights"] = EVIL
    record["scratch"]["diagnoses"] = [{"kind": EVIL, "text": EVIL, "advice": EVIL}]
    page = to_report(Comparison.from_json(json.dumps(record)))
    assert EVIL not in page
    assert not [tag for tag, attrs in Tags(page).found if tag == "script" or "onerror" in attrs]


def test_galleries_need_the_images_and_the_right_ones(four, textures):
    page = to_report(four)
    assert "Disagreements" not in page
    assert "Test images worth a look" in to_report(four, dataset=textures)
    with pytest.raises(InputError, match="not the ones that were compared"):
        to_report(four, dataset=load_dataset("textures", image_size=32, n_per_class=5))
    with pytest.raises(InputError, match="must be a Comparison"):
        to_report(four.scratch)
    with pytest.raises(InputError, match="no trained model"):
        to_report(replace(four, scratch=None, transfer=None, control=None, fine_tuned=None))


def test_a_record_gives_the_same_report_without_the_use_of_models(four, textures):
    again = to_report(Comparison.from_json(four.to_json()), dataset=textures)
    use = r"<section>\n<h2>Using the models.*?</section>\n"
    assert again == re.sub(use, "", to_report(four, dataset=textures), flags=re.DOTALL)


def test_repeats_have_a_row_for_each_seed(textures):
    comparison = compare(textures, scratch=SMALL, epochs=1, repeats=2)
    text = re.sub(r"\s+", " ", words(to_report(comparison)))
    for point in comparison.repeats.points:
        assert f"{point.seed} {100 * point.scratch:.1f}% {100 * point.transfer:.1f}%" in text
    assert f"everything else on this page is from seed {comparison.config.seed}" in text


# The folder

LOAD = """
import json, sys
from pathlib import Path
import keras, numpy as np
assert not any(name.startswith("tl_widgets") for name in sys.modules)
found = {}
for name in sys.argv[1:]:
    images = np.load(Path(name).parent / "images.npy")
    assert images.dtype == np.uint8
    model = keras.models.load_model(name, compile=False, safe_mode=True)
    found[name] = [np.asarray(model(kind, training=False)).tolist() for kind in (images, images.astype("float32"))]
    assert not any("Lambda" == type(layer).__name__ for layer in model._flatten_layers())
print(json.dumps(found))
"""


@pytest.mark.slow
def test_saved_models_answer_the_same_in_plain_keras(four, textures, two_classes, tmp_path):
    heard = []
    files = save_comparison(four, tmp_path / "run", dataset=textures, on_event=heard.append)
    names = ["record.json", "report.html", "transfer_learning.py", "efficientnetlite0.keras"]
    names += ["scratch.keras", "transfer.keras", "control.keras", "fine_tuned.keras"]
    assert [file.name for file in files] == names
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == sorted(names)
    assert [event.n_done for event in heard] == list(range(8))
    assert Comparison.from_json(files[0].read_text()) == four
    assert files[1].read_text() == to_report(four, dataset=textures)
    (tmp_path / "two").mkdir()
    two, two_images = two_classes
    assert [path.name for path in save_models(two, tmp_path / "two")] == ["scratch.keras", "transfer.keras"]

    images = {"run": textures.test.images[:5], "two": two_images.test.images[:3]}
    for folder, uint8 in images.items():
        np.save(tmp_path / folder / "images.npy", uint8)
    models = [f"run/{name}" for name in names[4:]] + ["two/scratch.keras", "two/transfer.keras"]
    done = subprocess.run(
        [sys.executable, "-c", LOAD, *models], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    for folder, comparison in (("run", four), ("two", two)):
        answers = [answer for image in images[folder] for answer in predict(comparison, image).answers]
        for run in comparison.runs:
            here = np.array([answer.probabilities for answer in answers if answer.model == run.name])
            if folder == "two":
                here = here[:, 1:]  # two classes are one number
            for there in found[f"{folder}/{run.name.replace('-', '_')}.keras"]:
                np.testing.assert_allclose(there, here, atol=1e-5)


def test_nothing_is_written_over_and_nothing_is_left_behind(four, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "file").write_text("mine")
    for taken in ("there", "file"):
        with pytest.raises(InputError, match="won't be overwritten"):
            save_comparison(four, tmp_path / taken)
    with pytest.raises(InputError, match="There is no folder"):
        save_comparison(four, tmp_path / "no" / "run")
    assert (tmp_path / "file").read_text() == "mine"
    assert not list((tmp_path / "there").iterdir())
    with pytest.raises(InputError, match=r"Nothing was saved in /proc/run: .*\. Give a folder that can be written"):
        save_comparison(four, "/proc/run")  # read-only for everybody, root too
    with pytest.raises(InputError, match="models were not saved"):
        save_models(four, "/proc/run")
    with pytest.raises(InputError, match="models of this result are gone"):
        save_models(Comparison.from_json(four.to_json()), tmp_path / "models")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "there"]


def test_a_record_can_be_saved_without_models(four, tmp_path):
    files = save_comparison(Comparison.from_json(four.to_json()), tmp_path / "run")
    assert [path.name for path in files][:3] == ["record.json", "report.html", "transfer_learning.py"]
    assert len(files) == 4


def test_a_disk_that_is_full_in_the_middle_is_a_sentence_and_leaves_nothing(four, tmp_path, monkeypatch):
    resource = pytest.importorskip("resource", reason="no limits on files' sizes")
    monkeypatch.chdir(tmp_path)
    files = save_models(four, "whole")
    sizes = {file.name: file.stat().st_size for file in files}
    full = (sizes["scratch.keras"] + sizes["transfer.keras"]) // 2
    assert sizes["scratch.keras"] < full < sizes["transfer.keras"]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for save, said in (
        (save_comparison, f"Nothing was saved in {tmp_path}/run: "),
        (save_models, "Cannot write run/transfer.keras: "),
    ):
        resource.setrlimit(resource.RLIMIT_FSIZE, (full, hard))
        try:
            with pytest.raises(InputError, match=f"^{re.escape(said)}") as error:
                save(four, "run")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(error.value).endswith("Written: scratch.keras.")
    assert [path.name for path in Path("run").iterdir()] == ["scratch.keras"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "whole"]


def test_a_disk_that_fills_while_a_backbone_is_written_is_a_sentence_and_leaves_nothing(tmp_path):
    resource = pytest.importorskip("resource", reason="no limits on files' sizes")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    save_backbone(tmp_path / "old.keras")
    n_bytes = (tmp_path / "old.keras").stat().st_size
    (tmp_path / "old.keras").write_text("the last one")
    for share in (0, 0.1, 0.5, 0.9):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(share * n_bytes), hard))
        try:
            with pytest.raises(InputError, match=r"old\.keras was not written"):
                save_backbone(tmp_path / "old.keras")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert (tmp_path / "old.keras").read_text() == "the last one"
        assert len(list(tmp_path.iterdir())) == 1


def test_too_little_room_is_said_before_anything_is_written(four, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: (10**9, 10**9 - 10**6, 10**6))
    with pytest.raises(InputError, match=r"it takes about \d+ MB, and 1 MB are free"):
        save_comparison(four, tmp_path / "run")
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match=r"The models can't be saved: they take about \d+ MB, and 1 MB are free"):
        require_room_for_models(tmp_path / "models", 10**6)
