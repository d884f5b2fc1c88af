"""A data set is one object: two are declared here, registered, and used everywhere that a data set is used."""

import re
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hosted_server import pets, serve, server
from test_codegen import assert_same_images, loading_of

from tl_widgets import Comparison, list_datasets, load_dataset
from tl_widgets.cli.main import main
from tl_widgets.core.errors import InputError
from tl_widgets.data.catalogue import BuiltInDataset, find_dataset, get_dataset, register, unregister
from tl_widgets.data.hosted import HostedDataset, HostedFile

__all__ = ["serve", "server"]  # fixtures
pytestmark = pytest.mark.usefixtures("tiny_default", "toys")


def read_toy(image_size, seed):
    """Forty images of noise, dark and bright by turns; the split is fixed."""
    shape = (image_size, image_size, 3)
    dark = [np.random.default_rng(i).integers(0, 100, shape, np.uint8) for i in range(40)]
    images = np.stack([image + np.uint8(100 * (i % 2)) for i, image in enumerate(dark)])
    return images, np.arange(40) % 2, (np.arange(20), np.arange(20, 28), np.arange(28, 40))


SCRIPT = """
shape = SIZE, SIZE, 3
dark = [np.random.default_rng(i).integers(0, 100, shape, np.uint8) for i in range(40)]
images = np.stack([image + np.uint8(100 * (i % 2)) for i, image in enumerate(dark)])
labels = np.arange(40) % 2
x_train, y_train = images[:20], labels[:20]
x_validation, y_validation = images[20:28], labels[20:28]
x_test, y_test = images[28:], labels[28:]
"""

TOY = BuiltInDataset(
    name="toy",
    shows="Noise, dark or bright.",
    class_names=("dark", "bright"),
    sizes=((10, 4, 6),) * 2,
    source="random numbers",
    license="free of any",
    default_size=40,
    read=read_toy,
    script_imports=(),
    script=lambda image_size: SCRIPT,
)


def repack_toy(files, sink):
    with zipfile.ZipFile(files[0]) as archive:
        for name in archive.namelist():
            if found := re.fullmatch(r"cats_and_dogs_filtered/train/(cats|dogs)/(.+)", name):
                sink.add(*found.groups(), archive.read(name))


TOY_DOWNLOAD = HostedDataset(
    name="toy_download",
    shows="A download.",
    class_names=("cats", "dogs"),
    sizes=((3, 1, 2),) * 2,
    source="a server beside the test",
    license="free of any",
    files=(HostedFile("https://example.org/toy.zip", 1, None),),
    repack=repack_toy,
    folders=(("", ""),),
)


@pytest.fixture
def toys():
    register(TOY)
    register(TOY_DOWNLOAD)
    yield
    unregister("toy")
    unregister("toy_download")


def test_it_is_listed_last_and_only_while_it_is_registered(capsys):
    assert [info.name for info in list_datasets()][-2:] == ["toy", "toy_download"]
    assert main(["datasets"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert re.search("toy built in yes 2 20 8 12", out)
    assert "toy: Noise, dark or bright. From random numbers; free of any." in out
    unregister("toy")
    assert get_dataset("toy") is None
    with pytest.raises(InputError, match="no data set 'toy'"):
        load_dataset("toy")


@pytest.mark.parametrize("name", ["", "Toy", "../toy", "a toy"])
def test_a_name_that_is_none_of_a_file_is_refused(name):
    with pytest.raises(InputError, match="lowercase letters"):
        register(replace(TOY, name=name))


def test_it_loads_like_any_other():
    dataset = load_dataset("toy", image_size=20, n_per_class=3)
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (6, 8, 12)
    assert dataset.source == "random numbers; free of any"
    assert_same_images(dataset)
    assert find_dataset("toy").choose(("bright", "dark")) == TOY


def test_the_terminal_compares_on_it_and_writes_record_script_and_report(here, capsys):
    assert main(["compare", "toy", "--epochs", "1", "--script", "toy.py", "--report", "toy.html"]) == 0
    assert "toy: 20 training, 8 validation and 12 test images of 40 x 40 pixels in 2 classes" in capsys.readouterr().out
    record = Comparison.from_json((here / "tl-widgets-toy.json").read_text())
    assert (record.dataset.name, record.dataset.class_names) == ("toy", ("dark", "bright"))
    assert (record.dataset.source, record.dataset.origin.kind) == ("random numbers; free of any", "built-in")
    report = (here / "toy.html").read_text("utf-8")
    assert "random numbers; free of any" in report
    found = loading_of((here / "toy.py").read_text("utf-8"))
    np.testing.assert_array_equal(found["x_test"], load_dataset("toy", image_size=40).test.images)


def test_the_lab_offers_it_and_trains_on_it(make_lab):
    lab = make_lab()
    menu = lab.panel.control("dataset")
    assert {name: text for text, name in menu.options}["toy"] == "toy"
    menu.value = "toy"
    lab.run(wait=True)
    assert (lab.result.dataset.name, lab.result.dataset.class_names) == ("toy", ("dark", "bright"))


def test_a_download_is_fetched_checked_and_read_like_a_folder(serve, home, capsys):
    serve("toy_download", pets())
    assert main(["fetch", "toy_download"]) == 0
    assert str(home / "datasets" / "toy_download.zip") in capsys.readouterr().out
    dataset = load_dataset("toy_download", image_size=24)
    assert dataset.class_names == ("cats", "dogs")
    assert_same_images(dataset)
    main(["doctor"])
    out = capsys.readouterr().out
    assert re.search(r"ok +toy +built in", out)
    assert re.search(r"ok +toy_download", out)
