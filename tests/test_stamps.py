"""stamps: installed, downloaded or missing, with the real photographs where they are installed."""

import csv
import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from helpers import page
from hosted_server import STAMPS_ROOT, serve, server, stamp, stamps as stamps_archive
from PIL import Image

from tl_widgets import list_datasets, load_dataset
from tl_widgets.cli.main import main
from tl_widgets.core.config import Config
from tl_widgets.core.errors import InputError
from tl_widgets.data.catalogue import default_dataset, find_dataset
from tl_widgets.data.datasets import stamps as declaration
from tl_widgets.data.datasets.stamps import STAMPS_CLASSES, STAMPS_FILES
from tl_widgets.data.hosted import fetch_dataset
from tl_widgets.data.quality import check_dataset
from tl_widgets.experiments.comparison import summarize
from tl_widgets.export.script import script_for
from tl_widgets.widgets.shared.settings import LabSettings
from tl_widgets.widgets.shared.source import DataSource

__all__ = ["serve", "server"]  # fixtures

SPLITS = ("train", "validation", "test")


@pytest.fixture
def installed(tmp_path_factory, monkeypatch):
    """A folder laid out like Tux Paint's, with small pictures."""
    folder = tmp_path_factory.mktemp("tuxpaint") / "stamps"
    for i, file in enumerate(STAMPS_FILES):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(stamp(i))
    monkeypatch.setenv("TL_WIDGETS_STAMPS", str(folder))
    return folder


def test_the_list_has_each_file_once_and_no_drawing():
    rows = [*csv.DictReader(Path(declaration.__file__).with_name("stamps.csv").read_text().splitlines())]
    assert len(rows) == len(STAMPS_FILES) == 163
    assert STAMPS_CLASSES == ("birds", "flowers", "fruit and vegetables", "mammals")
    for row in rows:
        assert re.fullmatch(r"(animals|plants|food)(/[\w-]+)+\.png", row["file"])
        assert not {"cartoon", "toys", "plastic"} & {*row["file"].split("/")}
    in_folders = [(row["class"], row["file"].rpartition("/")[2].lower()) for row in rows]
    assert len({*in_folders}) == len(rows)  # no two files have one name, on any file system


def test_the_real_photographs(stamps):
    dataset, info = load_dataset("stamps", image_size=64), find_dataset("stamps")
    assert info.offline
    assert not dataset.report.skipped
    assert not dataset.report.duplicates
    for split, name in enumerate(SPLITS):
        counts = np.bincount(getattr(dataset, name).labels)
        assert counts.tolist() == [sizes[split] for sizes in info.sizes]
    assert len(dataset.test) >= 39
    for name in SPLITS:
        images = getattr(dataset, name).images
        # A wide object has white above and below, a tall one at its sides: nothing is cut off.
        edges = np.concatenate(
            [images[:, [0, -1]].reshape(len(images), -1), images[:, :, [0, -1]].reshape(len(images), -1)], 1
        )
        assert (edges > 250).mean() > 0.8
        colors = images.reshape(len(images), -1, 3).std(axis=1).mean(axis=1)
        assert (colors > 10).all()  # no empty picture
    assert check_dataset(dataset) == ()


def test_the_first_command_uses_the_real_photographs(stamps, here, tiny_default, capsys):
    assert main(["compare", "--epochs", "1", "--image-size", "32"]) == 0
    assert "stamps: 98 training, 24 validation and 41 test images" in capsys.readouterr().out
    assert sorted(path.name for path in here.iterdir()) == ["tl-widgets-stamps.json", "tl-widgets-stamps.png"]


def test_installed_stamps_are_used_without_a_download(installed, server, home):
    dataset = load_dataset("stamps", image_size=24)
    assert server.requests == []
    assert [path.name for path in (home / "datasets").iterdir()] == ["stamps.zip"]
    assert "GPL-2" in dataset.source
    again = load_dataset("stamps", image_size=24, seed=0)
    other = load_dataset("stamps", image_size=24, seed=1)
    assert again.fingerprint == dataset.fingerprint != other.fingerprint


def test_both_ways_give_the_same_pixels(installed, serve, monkeypatch, tmp_path):
    first = load_dataset("stamps", image_size=24)
    monkeypatch.setenv("TL_WIDGETS_STAMPS", str(tmp_path / "none"))
    monkeypatch.setenv("TL_WIDGETS_HOME", str(tmp_path / "other"))
    serve("stamps")
    events = []
    assert load_dataset("stamps", image_size=24, on_event=events.append).fingerprint == first.fingerprint
    assert "download" in {event.phase for event in events}


def test_the_whole_object_is_kept_with_its_transparency(installed):
    with zipfile.ZipFile(fetch_dataset(find_dataset("stamps"))) as archive:
        assert b"GNU General Public License" in archive.read("LICENSE.txt")
        for i, (file, name) in enumerate(STAMPS_FILES.items()):
            square = Image.open(io.BytesIO(archive.read(f"{name}/{file.rpartition('/')[2]}")))
            assert (square.size, square.mode) == ((9, 9), "RGBA")
            original = np.asarray(Image.open(io.BytesIO(stamp(i))))
            pixels = np.asarray(square)
            np.testing.assert_array_equal(pixels[1:7], original)
            assert not pixels[[0, 7, 8], :, 3].any()


@pytest.mark.parametrize("mode", ["P", "L", "LA", "RGB"])
def test_other_kinds_of_png(installed, mode):
    for i, file in enumerate(STAMPS_FILES):
        (installed / file).write_bytes(stamp(i, mode))
    assert len(load_dataset("stamps", image_size=24).test) == 41


def test_an_incomplete_installation_is_none(installed, serve, server):
    (installed / next(iter(STAMPS_FILES))).unlink()
    serve("stamps")
    assert not find_dataset("stamps").offline
    load_dataset("stamps", image_size=24)
    assert len(server.requests) == 1


def test_a_damaged_installation_is_named(installed, home):
    file = installed / next(iter(STAMPS_FILES))
    file.write_bytes(file.read_bytes()[:60])
    with pytest.raises(InputError, match=r"stamps is not the data set: it is damaged"):
        load_dataset("stamps")
    assert not any((home / "datasets").iterdir())


def test_an_archive_without_a_listed_file(serve, home):
    serve("stamps", stamps_archive(left_out=("animals/birds/crow.png",)))
    with pytest.raises(InputError, match=r"it has no animals/birds/crow\.png"):
        load_dataset("stamps")
    assert not any((home / "datasets").iterdir())


def test_members_beside_the_listed_ones_are_not_read(serve, tmp_path):
    hostile = [f"{STAMPS_ROOT}../../hostile.png", "/tmp/hostile.png", f"x/{STAMPS_ROOT}animals/birds/crow.png"]
    serve("stamps", stamps_archive(more=[(name, b"hostile") for name in hostile]))
    with zipfile.ZipFile(fetch_dataset(find_dataset("stamps"))) as archive:
        assert len(archive.namelist()) == 1 + len(STAMPS_FILES)
        assert not [name for name in archive.namelist() if "hostile" in name]


def test_missing_it_is_named_with_three_ways_to_get_it(serve, server):
    serve("stamps")
    server.fault = "404"
    with pytest.raises(InputError) as error:
        load_dataset("stamps")
    for words in (
        "three ways",
        "tuxpaint-stamps-default",
        "tuxpaint.org",
        "`tl-widgets fetch stamps`",
        "copy stamps.zip",
    ):
        assert words in str(error.value)


def test_it_is_the_default_where_it_is_installed(installed, home, monkeypatch):
    assert default_dataset() == "stamps"
    assert load_dataset(image_size=24).name == "stamps"
    facts = DataSource().facts(LabSettings("stamps"))
    assert (facts.n_train, facts.n_validation, facts.n_test, facts.n_bytes) == (98, 24, 41, 0)
    monkeypatch.setenv("TL_WIDGETS_STAMPS", str(home / "none"))
    assert default_dataset() == "stamps"  # the copy is enough
    monkeypatch.setenv("TL_WIDGETS_HOME", str(home / "other"))
    assert default_dataset() == "textures"
    assert load_dataset(image_size=24).name == "textures"


def test_a_lab_starts_with_it(installed, here):
    from tl_widgets import TransferLab

    lab = TransferLab()
    try:
        assert lab.settings == LabSettings("stamps")
        assert "tuxpaint.org/stamps; GPL-2." in page(lab)
        lab.panel.control("dataset").value = "textures"
        assert "GPL-2" not in page(lab)
    finally:
        lab.close()


def test_a_folder_called_stamps_is_used_only_when_it_is_asked_for(installed, here, tiny_default, capsys):
    for name in ("a", "b"):
        (here / "stamps" / name).mkdir(parents=True)
        for i in range(5):
            Image.fromarray(np.full((40, 40, 3), 40 * i + (name == "b"), np.uint8)).save(
                here / "stamps" / name / f"{i}.png"
            )
    small = ["--epochs", "1", "--image-size", "32", "--quiet"]
    for words, n_classes in (([], 4), (["stamps"], 2)):
        assert main(["compare", *words, *small]) == 0
        record = Path("tl-widgets-stamps.json").read_text()
        assert len(re.search(r'"class_names": \[(.*?)\]', record, re.DOTALL)[1].split(",")) == n_classes


def test_where_nothing_can_be_written_it_is_not_offered(installed, home, monkeypatch):
    (home / "file").write_text("")
    monkeypatch.setenv("TL_WIDGETS_HOME", str(home / "file" / "home"))
    assert not find_dataset("stamps").offline
    assert default_dataset() == "textures"


def test_doctor_fetch_and_datasets_know_it(installed, capsys):
    assert main(["datasets"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^stamps +216 +yes +4 +98 +24 +41", out, re.MULTILINE)
    assert "GPL-2" in out
    assert main(["fetch", "stamps"]) == 0
    assert find_dataset("stamps").path.is_file()


@pytest.mark.parametrize(
    ("platform", "folder"),
    [
        ("linux", "/usr/share/tuxpaint/stamps"),
        ("win32", "C:/Program Files/TuxPaint/data/stamps"),
        ("darwin", "/Library/Application Support/TuxPaint/stamps"),
    ],
)
def test_where_tux_paints_installers_put_stamps(monkeypatch, platform, folder):
    monkeypatch.delenv("TL_WIDGETS_STAMPS")
    monkeypatch.setenv("ProgramFiles", "C:/Program Files")
    assert folder in [path.as_posix() for path in declaration.stamps_folders(platform)]


def test_the_script_loads_the_same_images(installed):
    dataset = load_dataset("stamps", image_size=24, seed=3)
    script = script_for(summarize(dataset), Config())
    text = script[: script.index("# From scratch:")].replace("import keras\n", "")
    found = {}
    exec(compile(text.replace("keras.utils.set_random_seed(SEED)", ""), "script", "exec"), found)
    for part in SPLITS:
        np.testing.assert_array_equal(found[f"x_{part}"], np.asarray(getattr(dataset, part).images))


def test_its_place_is_before_the_other_downloads():
    assert [info.name for info in list_datasets()][3] == "stamps"
