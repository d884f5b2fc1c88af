"""Data sets by name from a local server: small archives of the same layout, and everything that goes wrong."""

import dataclasses
import gzip
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import urllib.error
import zipfile

import numpy as np
import pytest
from helpers import PACKAGE_PARENT
from hosted_server import cifar_member, flowers, idx, jpeg, packed, pets, serve, server, tar_of

from tl_widgets import list_datasets, load_dataset
from tl_widgets.core import download
from tl_widgets.core.config import Config
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.data import hosted
from tl_widgets.data.catalogue import find_dataset
from tl_widgets.data.datasets.downloads import (
    CIFAR10_CLASSES,
    CIFAR10_MEMBERS,
    FASHION_MNIST_CLASSES,
    FLOWERS_CLASSES,
)
from tl_widgets.data.hosted import HostedDataset, fetch_dataset
from tl_widgets.experiments.comparison import summarize
from tl_widgets.export.script import script_for

__all__ = ["serve", "server"]  # fixtures

HOSTED = [info for info in list_datasets() if isinstance(info, HostedDataset)]
NAMES = [info.name for info in HOSTED]


def left(home):
    """Everything below the folder of data sets."""
    return sorted(path.name for path in (home / "datasets").rglob("*")) if (home / "datasets").exists() else []


def test_records_state_what_is_published():
    for record in HOSTED:
        for file in record.files:
            assert file.url.startswith("https://")
            assert file.sha256 is None or len(file.sha256) == 64
    assert [one.name for one in HOSTED if any(file.sha256 is None for file in one.files)] == ["cats_and_dogs"]
    infos = {info.name: info for info in list_datasets()}
    assert {name for name, info in infos.items() if info.n_bytes} == set(NAMES)
    assert infos["cifar10"].n_bytes == 170_052_171
    assert [name for name, info in infos.items() if info.offline] == ["textures", "faces", "digits"]


@pytest.mark.parametrize("name", NAMES)
def test_a_data_set_is_fetched_once_and_loaded_like_a_folder(serve, server, home, name):
    record, events = serve(name), []
    dataset = load_dataset(name, image_size=32, on_event=events.append)
    assert left(home) == [f"{name}.zip"]
    assert {event.phase for event in events} == {"download", "decode"}
    assert sum(event.n_done == event.n_total for event in events if event.phase == "download") == len(record.files)
    info = next(info for info in list_datasets() if info.name == name)
    assert (dataset.name, dataset.class_names, info.offline) == (name, info.class_names, True)
    assert info.source in dataset.source
    for split in (dataset.train, dataset.validation, dataset.test):
        assert set(split.labels) == set(range(info.n_classes))
    n_requests = len(server.requests)
    server.fault = "404"
    again = load_dataset(name, image_size=32)
    assert np.array_equal(again.train.images, dataset.train.images)
    assert len(server.requests) == n_requests == len(record.files)


def test_cifar10_has_its_pixels_labels_and_official_split(serve):
    serve("cifar10")
    dataset = load_dataset("cifar10", image_size=32)
    official = {}
    for seed, n in [*((i, 1) for i in range(1, 6)), (9, 2)]:
        for label, planes in zip(*cifar_member(seed, n), strict=True):
            official[planes.transpose(1, 2, 0).tobytes()] = (seed == 9, CIFAR10_CLASSES[label])
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (40, 10, 20)
    for split in (dataset.train, dataset.validation, dataset.test):
        for image, label in zip(split.images, split.labels, strict=True):
            is_test, name = official.pop(image.tobytes())
            assert is_test == (split is dataset.test)
            assert name == dataset.class_names[label]
    assert not official


def test_fashion_mnist_has_its_pixels_and_labels(serve):
    serve("fashion_mnist")
    rng = np.random.default_rng(0)
    rng.integers(0, 256, (50, 28, 28))
    test = rng.integers(0, 256, (20, 28, 28))
    dataset = load_dataset("fashion_mnist", image_size=28)
    names = {image.astype(np.uint8).tobytes(): FASHION_MNIST_CLASSES[i % 10] for i, image in enumerate(test)}
    found = {
        image[:, :, 0].tobytes(): dataset.class_names[label]
        for image, label in zip(dataset.test.images, dataset.test.labels, strict=True)
    }
    assert found == names


def test_the_flowers_keep_the_text_that_names_their_photographers(serve):
    serve("flowers")
    with zipfile.ZipFile(fetch_dataset(find_dataset("flowers"))) as archive:
        assert archive.read("LICENSE.txt") == b"..."
    assert load_dataset("flowers", image_size=32).report.skipped == ()


def test_cat_against_dog(serve):
    serve("cifar10")
    dataset = load_dataset("cifar10", image_size=32, classes=("dog", "cat"), n_per_class=3)
    assert dataset.class_names == ("cat", "dog")
    assert (len(dataset.train), len(dataset.test), set(dataset.train.labels)) == (6, 4, {0, 1})
    every = load_dataset("cifar10", image_size=32)
    cats = {every.test.images[i].tobytes() for i in np.flatnonzero(every.test.labels == 3)}
    assert {dataset.test.images[i].tobytes() for i in np.flatnonzero(dataset.test.labels == 0)} == cats
    for classes, words in ((("cat", "cow"), "no class 'cow'"), (("cat",), "at least two"), ("cat", "names in a list")):
        with pytest.raises(InputError, match=words):
            load_dataset("cifar10", classes=classes)


def test_an_image_that_is_there_twice_is_used_once(serve):
    labels, planes = cifar_member(1)
    members = [(name, packed(labels, planes)) for name in CIFAR10_MEMBERS]  # train and test are the same
    members[0] = (members[0][0], packed(*cifar_member(2)))
    serve("cifar10", [tar_of(members)])
    dataset = load_dataset("cifar10", image_size=32)
    assert (len(dataset.train) + len(dataset.validation), len(dataset.test)) == (100, 100)
    assert not set(dataset.train.keys) & set(dataset.test.keys)


@pytest.mark.parametrize(("name", "classes"), [("cifar10", ("cat", "dog")), ("flowers", None), ("cats_and_dogs", None)])
def test_the_script_loads_the_very_same_images(serve, name, classes):
    serve(name)
    dataset = load_dataset(name, image_size=24, n_per_class=2, seed=3, classes=classes)
    script = script_for(summarize(dataset), Config())
    assert f"`tl-widgets fetch {name}`" in script
    text = script[: script.index("# From scratch:")].replace("import keras\n", "")
    found = {}
    exec(compile(text.replace("keras.utils.set_random_seed(SEED)", ""), "script", "exec"), found)
    for part in ("train", "validation", "test"):
        np.testing.assert_array_equal(found[f"x_{part}"], np.asarray(getattr(dataset, part).images))
        np.testing.assert_array_equal(found[f"y_{part}"], getattr(dataset, part).labels)
    if classes is None:
        summary = find_dataset(name).summary(image_size=24, n_per_class=2, seed=3)
        assert script_for(summary, Config()) == script


@pytest.mark.parametrize(
    ("fault", "changes", "words"),
    [
        ("404", {}, "404"),
        ("cut", {}, "broke after"),
        ("no length", {}, "broke after|hash differs"),
        ("no length", {"sha256": None}, "broke after"),
        ("", {"sha256": "0" * 64}, "hash differs"),
        ("", {"n_bytes": 7}, "published file has 7"),
        ("refused", {}, "refused"),
        ("drip", {}, "too slow"),
    ],
)
def test_a_broken_download_never_becomes_a_data_set(serve, server, home, monkeypatch, within, fault, changes, words):
    monkeypatch.setattr(download, "_SPEED_CHECK_SECONDS", 0.4)
    port = None
    if fault == "refused":
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
    server.fault = fault
    serve("flowers", port=port, **changes)
    with within(20), pytest.raises(InputError, match=words) as error:
        load_dataset("flowers")
    assert left(home) == []
    assert "tl-widgets fetch flowers" in str(error.value)
    assert "textures" in str(error.value)


def test_no_space_left(serve, home, monkeypatch):
    serve("flowers")
    usage = shutil.disk_usage(home)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(InputError, match="of disk"):
        load_dataset("flowers")
    monkeypatch.undo()
    assert left(home) == []


@pytest.mark.parametrize("when", ["download", "repack"])
def test_the_disk_fills_up_on_the_way(serve, home, monkeypatch, when):
    serve("flowers")

    def full(*_):
        raise OSError(28, "No space left on device")

    if when == "download":
        monkeypatch.setattr(download, "_copy", full)
    else:
        monkeypatch.setattr(hosted.Sink, "add", full)
    with pytest.raises(InputError, match="No space left"):
        load_dataset("flowers")
    assert left(home) == []


def test_a_folder_that_cannot_be_written(serve, home):
    serve("flowers")
    (home / "datasets").write_text("a file is in the way")
    with pytest.raises(InputError, match="could not be downloaded"):
        load_dataset("flowers")


def test_stop_leaves_nothing(serve, home):
    serve("cifar10")
    cancel = threading.Event()
    with pytest.raises(CancelledError):
        fetch_dataset(find_dataset("cifar10"), on_event=lambda _: cancel.set(), cancel=cancel)
    assert left(home) == []


def link(name, target):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info


def test_hostile_members_are_not_read_and_write_nothing(serve, home, tmp_path):
    good = [(f"flower_photos/{name}/{i}.jpg", jpeg(i)) for name in FLOWERS_CLASSES for i in range(6)]
    evil = [
        ("flower_photos/daisy/../../evil.jpg", jpeg(1)),
        ("/tmp/evil.jpg", jpeg(1)),
        ("../flower_photos/daisy/evil.jpg", jpeg(1)),
        ("flower_photos/daisy/a\\..\\evil.jpg", jpeg(1)),
        (link("flower_photos/daisy/evil.jpg", "/etc/passwd"), b""),
        (link("flower_photos", str(tmp_path)), b""),
        ("flower_photos/other/evil.jpg", jpeg(1)),
    ]
    serve("flowers", [tar_of([*evil, *good])])
    path = fetch_dataset(find_dataset("flowers"))
    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) == 30
        assert not [name for name in archive.namelist() if "evil" in name]
    assert left(home) == ["flowers.zip"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("flowers", [b"<html>sign in to the hotel's network</html>"], "damaged"),
        ("flowers", [tar_of([])], "no image of daisy"),
        ("flowers", [gzip.compress(b"\0" * 100_000)], "no image of daisy|damaged"),
        ("flowers", [flowers()[0][:3000]], "damaged"),
        ("cifar10", [tar_of([("cifar-10-batches-bin/data_batch_1.bin", b"\x80\x04.")])], "whole images"),
        ("cifar10", [tar_of([("cifar-10-batches-bin/data_batch_1.bin", b"\xff" * 3073)])], "labels"),
        ("cifar10", [tar_of([("cifar-10-batches-py/data_batch_1", b"cos\nsystem\n(S'id'\ntR.")])], "no image"),
        ("fashion_mnist", [b"x", b"x", b"x", b"x"], "damaged"),
        ("fashion_mnist", [gzip.compress(b"x" * 99)] * 4, "MNIST's format"),
        ("fashion_mnist", [idx(np.zeros((3, 28, 28))), idx(np.zeros(4))] * 2, "belong together"),
        ("fashion_mnist", [gzip.compress(bytes([0, 0, 8, 3]) + b"\xff" * 12)] * 4, "than it says"),
        ("cats_and_dogs", [b"<html>"], "not a readable zip archive"),
        ("cats_and_dogs", [pets()[0][:-30]], "not a readable zip archive|damaged"),
        ("cats_and_dogs", [pets()[0].replace(b"/dogs/", b"/cows/")], "no image of train/dogs"),
    ],
)
def test_other_content_with_the_right_hash_is_refused(serve, home, name, content, words):
    serve(name, content)
    with pytest.raises(InputError, match=words):
        load_dataset(name)
    assert left(home) == []


def test_an_archive_that_unpacks_without_end(serve, home, monkeypatch, within):
    monkeypatch.setattr(hosted, "_MAX_STREAM_BYTES", 100_000)
    serve("flowers", [tar_of([("bomb", bytes(2_000_000))])])
    with within(20), pytest.raises(InputError, match="far more"):
        load_dataset("flowers")
    assert left(home) == []


def test_two_processes_at_once(serve, home, tmp_path):
    record = serve("cifar10")
    script = tmp_path / "go.py"
    script.write_text(
        "import dataclasses, sys\n"
        "from tl_widgets import load_dataset\n"
        "from tl_widgets.data import catalogue, hosted\n"
        f"files = ({', '.join(f'hosted.HostedFile{dataclasses.astuple(file)!r}' for file in record.files)},)\n"
        "catalogue.register(dataclasses.replace(catalogue.find_dataset('cifar10'), files=files))\n"
        "dataset = load_dataset('cifar10', image_size=32)\n"
        "print(len(dataset.train), hash(b''.join(dataset.test.keys)) and dataset.test.keys[0].hex())\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE_PARENT), "no_proxy": "*"}
    command = [sys.executable, str(script)]
    processes = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], outputs
    assert len({out for out, _ in outputs}) == 1
    assert left(home) == ["cifar10.zip"]
    with zipfile.ZipFile(home / "datasets" / "cifar10.zip") as archive:
        assert archive.testzip() is None


def test_what_a_killed_process_left_is_swept_a_day_later(serve, home):
    old, new = home / "datasets" / "fetching-old", home / "datasets" / "fetching-new"
    for folder in (old, new):
        folder.mkdir(parents=True)
    os.utime(old, (0, 0))
    serve("flowers")
    fetch_dataset(find_dataset("flowers"))
    assert left(home) == ["fetching-new", "flowers.zip"]


def test_a_machine_without_network_is_called_so():
    error = urllib.error.URLError(socket.gaierror(-2, "Name or service not known"))
    assert download.failure_reason(error) == "there is no network, or no server with that name"
