"""The built-in data sets, their splits and `take`."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tl_widgets.core.errors import InputError
from tl_widgets.data.catalogue import list_datasets, load_dataset
from tl_widgets.data.dataset import ImageDataset, LoadReport, Split, pick, split_rows
from tl_widgets.data.datasets.built_in import enlarged
from tl_widgets.data.memmap_images import IndexedImages

BUILT_IN = [info for info in list_datasets() if not info.n_bytes]
NAMES = [info.name for info in BUILT_IN]
SPLITS = ("train", "validation", "test")


def same(a: Split, b: Split) -> bool:
    return np.array_equal(a.images, b.images) and np.array_equal(a.labels, b.labels)


@pytest.mark.parametrize("info", BUILT_IN, ids=NAMES)
def test_a_built_in_set_is_what_its_record_says(info):
    dataset = load_dataset(info.name, image_size=32)
    assert dataset.class_names == info.class_names
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (
        info.n_train,
        info.n_validation,
        info.n_test,
    )
    assert np.bincount(dataset.train.labels).min() == info.max_per_class
    for split in SPLITS:
        part = getattr(dataset, split)
        assert part.images.shape == (len(part), 32, 32, 3)
        assert part.images.dtype == np.uint8
        assert part.labels.dtype == np.int64
        assert set(part.labels) == set(range(info.n_classes))
        with pytest.raises(ValueError, match="read-only"):
            part.images[0] = 0
        with pytest.raises(ValueError, match="read-only"):
            part.labels[0] = 0


@pytest.mark.parametrize("name", NAMES)
def test_no_image_is_there_twice_at_the_size_it_was_taken(name):
    size = {"textures": 48, "faces": 25, "digits": 16}[name]
    dataset = load_dataset(name, image_size=size)
    keys = [key for split in SPLITS for key in getattr(dataset, split).keys]
    assert len(set(keys)) == len(keys)


def test_keys_tell_images_apart_and_know_equal_ones():
    images = np.zeros((3, 16, 16, 3), np.uint8)
    images[2, 5, 5, 1] = 1
    keys = Split(images, np.zeros(3, np.int64)).keys
    assert keys[0] == keys[1] != keys[2]


def test_texture_patches_come_from_regions_that_do_not_touch():
    from skimage import data as photographs

    dataset = load_dataset("textures", image_size=48)  # 48 pixels: exactly as in the photograph
    columns = {split: set() for split in SPLITS}
    for label, photograph in enumerate([photographs.brick(), photographs.grass(), photographs.gravel()]):
        windows = np.lib.stride_tricks.sliding_window_view(photograph, (48, 48))
        begins = np.ascontiguousarray(windows[:, :, 0, :8]).view(np.uint64)[:, :, 0]
        for split in SPLITS:
            part = getattr(dataset, split)
            places = set()
            for patch in part.images[part.labels == label][:, :, :, 0]:
                tops, lefts = np.nonzero(begins == patch[0, :8].copy().view(np.uint64))
                found = [p for p in zip(tops, lefts, strict=True) if np.array_equal(windows[p], patch)]
                assert len(found) == 1
                places.add(found[0])
            # Not one pixel is in two patches, even of one split.
            seen = np.zeros(photograph.shape, int)
            for top, left in places:
                seen[top : top + 48, left : left + 48] += 1
            assert seen.max() == 1
            columns[split] |= {c for _, left in places for c in range(left, left + 48)}
    assert max(columns["train"]) + 16 < min(columns["validation"])
    assert max(columns["validation"]) + 16 < min(columns["test"])


def test_faces_are_labelled_face():
    from skimage.data import lfw_subset

    dataset = load_dataset("faces", image_size=25)
    faces = {np.rint(face * 255).astype(np.uint8).tobytes() for face in lfw_subset()[:100]}
    for split in SPLITS:
        part = getattr(dataset, split)
        is_face = [image[:, :, 0].tobytes() in faces for image in part.images]
        assert [dataset.class_names[label] == "face" for label in part.labels] == is_face


def test_digits_are_enlarged_smoothly_and_keep_their_range():
    dataset = load_dataset("digits", image_size=64)
    assert dataset.train.images.max() == 255
    assert dataset.train.images.min() == 0
    assert len(np.unique(dataset.train.images[0])) > 17  # the original has 17 grey values at most


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_images(name):
    first, second = (load_dataset(name, image_size=24, n_per_class=7, seed=3) for _ in range(2))
    assert all(same(getattr(first, split), getattr(second, split)) for split in SPLITS)


@pytest.mark.parametrize("name", ["faces", "digits"])
def test_another_seed_is_another_split(name):
    first, second = (load_dataset(name, image_size=24, seed=seed) for seed in (0, 1))
    assert set(first.test.keys) != set(second.test.keys)
    assert np.array_equal(np.bincount(first.test.labels), np.bincount(second.test.labels))


def test_the_split_of_textures_is_fixed_by_place():
    first, second = (load_dataset("textures", image_size=24, seed=seed) for seed in (0, 1))
    assert all(same(getattr(first, split), getattr(second, split)) for split in SPLITS)


@pytest.mark.parametrize("name", NAMES)
def test_take_is_stratified_nested_and_leaves_the_test_alone(name):
    whole = load_dataset(name, image_size=24)
    five, ten = whole.take(5, seed=2), whole.take(10, seed=2)
    assert set(np.bincount(five.train.labels)) == {5}
    assert set(np.bincount(ten.train.labels)) == {10}
    assert set(five.train.keys) < set(ten.train.keys) < set(whole.train.keys)
    assert set(whole.take(5, seed=3).train.keys) != set(five.train.keys)
    assert five.test is whole.test
    assert five.validation is whole.validation
    assert set(load_dataset(name, image_size=24, n_per_class=5, seed=0).train.keys) == set(whole.take(5).train.keys)


def test_take_too_many_names_the_class_and_its_count():
    with pytest.raises(InputError, match=r"n_per_class=51.*'brick'.*50 training images.*at most 50"):
        load_dataset("textures", n_per_class=51)
    scarcest = r"class '8' of digits has 78"
    with pytest.raises(InputError, match=scarcest):
        load_dataset("digits", image_size=16, n_per_class=79)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "texture"}, r"'texture'; there are textures, .*, stamps, cifar10, .*. Did you mean 'textures'"),
        ({"name": "zzz"}, "load_folder"),
        ({"image_size": 15}, "image_size must be 16 to 512; received 15"),
        ({"image_size": 513}, "16 to 512; received 513"),
        ({"image_size": 96.0}, "whole number"),
        ({"n_per_class": 0}, "n_per_class must be 1 or more; received 0"),
        ({"n_per_class": True}, "n_per_class must be a whole number; received True"),
        ({"seed": -1}, "seed must be 0 or more; received -1"),
    ],
)
def test_mistakes_get_a_sentence(arguments, message):
    with pytest.raises(InputError, match=message):
        load_dataset(**arguments)


@pytest.mark.parametrize("n", range(3, 40))
def test_every_class_gets_one_image_in_every_split(n):
    labels = np.repeat([0, 1], [n, 3])
    parts = split_rows(labels, 0.15, 0.25, seed=n)
    assert sorted(np.concatenate(parts)) == list(range(n + 3))
    assert all(set(labels[rows]) == {0, 1} for rows in parts)
    assert abs(sum(labels[parts[2]] == 0) - 0.25 * n) <= 1


def test_one_class_does_not_move_another():
    few = split_rows(np.repeat([0, 1], [20, 20]), 0.15, 0.25, seed=5)
    more = split_rows(np.repeat([0, 1], [20, 31]), 0.15, 0.25, seed=5)
    for rows, others in zip(few, more, strict=True):
        assert list(rows[rows < 20]) == list(others[others < 20])


@pytest.fixture
def stored(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (600, 16, 16, 3), np.uint8)
    np.save(tmp_path / "images.npy", images)
    return images, IndexedImages.open(tmp_path / "images.npy")


def test_stored_images_answer_like_an_array(stored):
    images, lazy = stored
    assert (lazy.shape, lazy.dtype, lazy.ndim, len(lazy), lazy.nbytes) == (
        images.shape,
        images.dtype,
        4,
        600,
        images.nbytes,
    )
    rows = np.array([5, 3, 3, -1])
    for key in (7, -1, np.int64(4), slice(3, 50, 7), slice(590, 700), rows, [1, 2], images[:, 0, 0, 0] > 128):
        assert type(lazy[key]) is np.ndarray
        assert np.array_equal(lazy[key], images[key])
    assert np.array_equal(np.asarray(lazy), images)
    assert np.asarray(lazy, dtype=np.float32).dtype == np.float32
    assert all(np.array_equal(a, b) for a, b in zip(lazy, images, strict=True))
    assert np.array_equal(lazy.select(rows)[1:3], images[rows][1:3])
    assert Split(lazy, np.zeros(600, np.int64)).keys == Split(images, np.zeros(600, np.int64)).keys
    with pytest.raises(IndexError):
        lazy[600]


def test_what_was_read_can_be_changed_without_changing_the_file(stored):
    images, lazy = stored
    lazy[0:2][:] = 0
    assert np.array_equal(lazy[0:2], images[0:2])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_reading_all_of_a_file_holds_one_batch_in_memory(tmp_path):
    np.lib.format.open_memmap(tmp_path / "images.npy", "w+", np.uint8, (6000, 128, 128, 3))[:] = 7  # 295 MB
    code = (
        "import sys; from pathlib import Path; import numpy as np\n"
        "from tl_widgets.data.memmap_images import IndexedImages\n"
        "def peak():\n"
        "    rows = Path('/proc/self/status').read_text().splitlines()\n"
        "    return next(int(row.split()[1]) for row in rows if row.startswith('VmHWM')) // 1000\n"
        "before, images = peak(), IndexedImages.open(Path(sys.argv[1]))\n"
        "order = np.random.default_rng(0).permutation(6000)\n"
        "assert all((images[order[i : i + 32]] == 7).all() for i in range(0, 6000, 32))\n"
        "print(peak() - before)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "images.npy")]
    # A batch of 32 is 1.6 MB, but the kernel may map up to 2 MB around each image.
    assert int(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout) < 150


def test_take_brings_a_small_choice_into_memory(stored, monkeypatch):
    images, lazy = stored
    labels = np.arange(600) % 3
    split = Split(lazy, labels)
    dataset = ImageDataset("stored", split, split, split, ("a", "b", "c"))
    assert type(dataset.take(5).train.images) is np.ndarray
    monkeypatch.setattr("tl_widgets.data.dataset.IN_MEMORY_BYTES", 1000)
    taken = dataset.take(5)
    assert isinstance(taken.train.images, IndexedImages)
    in_memory = ImageDataset("plain", Split(images, labels), split, split, ("a", "b", "c")).take(5)
    assert np.array_equal(taken.train.images[:], in_memory.train.images)


def test_an_array_of_everything_is_refused_without_the_memory(stored, monkeypatch):
    monkeypatch.setattr("tl_widgets.core.resources.memory_available", lambda: 1000)
    with pytest.raises(InputError, match=r"array of 600 images needs.*in batches"):
        np.asarray(stored[1])


def test_pick_copies():
    images, labels = np.zeros((4, 16, 16, 3), np.uint8), np.arange(4)
    split = pick(images, labels, np.array([1, 2]))
    images[:] = 9
    assert split.images.max() == 0


def test_a_report_reads_as_sentences():
    skipped = tuple((f"{i}.jpg", "empty") for i in range(5))
    text = LoadReport(10, skipped, (("a.jpg", "b.jpg"),), ("A note.",)).summary
    assert text == (
        "Read 10 images. Skipped 5 files: 0.jpg (empty); 1.jpg (empty); 2.jpg (empty) and 2 more. "
        "Left out 1 with the same content as another: a.jpg equals b.jpg. A note."
    )


def test_enlarging_is_bicubic():
    grey = np.array([[[0, 255], [255, 0]]], np.uint8).repeat(8, axis=1).repeat(8, axis=2)
    expected = np.asarray(Image.fromarray(grey[0]).resize((40, 40), Image.Resampling.BICUBIC))
    assert np.array_equal(enlarged(grey, 40)[0, :, :, 2], expected)


def test_importing_is_light():
    code = (
        "import sys, tl_widgets.data.dataset, tl_widgets.data.catalogue, tl_widgets.data.folder\n"
        "heavy = {'tensorflow', 'keras', 'skimage', 'sklearn', 'PIL', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
