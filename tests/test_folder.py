"""load_folder: layouts, formats, splits, duplicates, the cache. Files are real, made with Pillow."""

import io
import os
import shutil
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path
from random import Random

import numpy as np
import pytest
import tifffile
from helpers import fill, picture, zipped
from PIL import Image

from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.data import folder as folder_module
from tl_widgets.data.dataset import image_key
from tl_widgets.data.decode import decode_image, depth_of
from tl_widgets.data.folder import load_folder
from tl_widgets.data.memmap_images import IndexedImages

SPLITS = ("train", "validation", "test")
SIZE = 32


@pytest.fixture
def animals(tmp_path):
    """Two classes of 20 and 12 images."""
    root = tmp_path / "animals"
    fill(root / "cats", 20)
    fill(root / "dogs", 12, start=100)
    return root


def counts(dataset):
    return [np.bincount(getattr(dataset, split).labels, minlength=dataset.n_classes).tolist() for split in SPLITS]


def all_keys(dataset):
    return [key for split in SPLITS for key in getattr(dataset, split).keys]


def load(path, **arguments):
    return load_folder(path, image_size=SIZE, **arguments)


def decoded(file, size=SIZE):
    return decode_image(Path(file).read_bytes(), size)


# Layouts and splits


def test_class_folders_are_split_60_15_25(animals):
    dataset = load(animals)
    assert dataset.class_names == ("cats", "dogs")
    assert dataset.name == "animals"
    assert counts(dataset) == [[12, 7], [3, 2], [5, 3]]
    assert len(set(all_keys(dataset))) == len(all_keys(dataset)) == 32
    assert dataset.train.images.dtype == np.uint8
    assert dataset.image_shape == (SIZE, SIZE, 3)
    assert dataset.report.n_read == 32
    assert dataset.report.skipped == dataset.report.duplicates == dataset.report.notes == ()
    with pytest.raises(ValueError, match="read-only"):
        dataset.test.images[0] = 0


def test_labels_are_those_of_the_folders(animals):
    dataset = load(animals)
    truth = {image_key(decoded(file)): file.parent.name for file in animals.rglob("*.png")}
    for split in SPLITS:
        part = getattr(dataset, split)
        assert [truth[key] for key in part.keys] == [dataset.class_names[label] for label in part.labels]


def test_seed_decides_the_split_and_nothing_else(animals):
    first, again, other = load(animals, seed=4), load(animals, seed=4), load(animals, seed=5)
    assert all_keys(first) == all_keys(again)
    assert set(first.test.keys) != set(other.test.keys)
    assert set(all_keys(first)) == set(all_keys(other))


def test_n_per_class_leaves_test_and_validation(animals):
    whole, few = load(animals), load(animals, n_per_class=3)
    assert counts(few) == [[3, 3], [3, 2], [5, 3]]
    assert set(few.train.keys) < set(whole.train.keys)
    assert few.test.keys == whole.test.keys
    assert few.validation.keys == whole.validation.keys
    with pytest.raises(InputError, match=r"'dogs'.* 7 training images"):
        load(animals, n_per_class=8)


def test_three_images_are_enough_and_two_are_not(tmp_path):
    fill(tmp_path / "a", 3)
    fill(tmp_path / "b", 3, start=10)
    assert counts(load(tmp_path)) == [[1, 1], [1, 1], [1, 1]]
    (tmp_path / "b" / "12.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"'b' .* has 2 usable images; .* at least 3.* b/12.png \(empty\)"):
        load(tmp_path)


def test_given_splits_are_respected_and_validation_is_carved_from_train(tmp_path):
    for start, (part, n) in zip((0, 100), (("Train", 10), ("TEST", 4)), strict=True):
        fill(tmp_path / part / "a", n, start=start)
        fill(tmp_path / part / "b", n, start=start + 50)
    dataset = load(tmp_path)
    assert counts(dataset) == [[8, 8], [2, 2], [4, 4]]
    tests = {image_key(decoded(file)) for file in (tmp_path / "TEST").rglob("*.png")}
    assert set(dataset.test.keys) == tests
    fill(tmp_path / "val" / "a", 3, start=200)
    fill(tmp_path / "val" / "b", 3, start=250)
    assert counts(load(tmp_path)) == [[10, 10], [3, 3], [4, 4]]


def test_train_and_validation_only_keeps_validation_for_the_test(tmp_path):
    for start, (part, n) in zip((0, 100), (("train", 10), ("val", 4)), strict=True):
        fill(tmp_path / part / "ants", n, start=start)
        fill(tmp_path / part / "bees", n, start=start + 50)
    dataset = load(tmp_path)
    assert counts(dataset) == [[8, 8], [2, 2], [4, 4]]
    assert "no test/ folder" in dataset.report.summary


def test_a_class_may_be_called_train_but_a_split_without_classes_is_explained(tmp_path):
    fill(tmp_path / "train", 5)
    fill(tmp_path / "test", 5, start=10)
    with pytest.raises(InputError, match=r"test/ and train/ .* hold no class folders, so the images have no labels"):
        load(tmp_path)
    fill(tmp_path / "bus", 5, start=20)
    assert load(tmp_path).class_names == ("bus", "test", "train")


def test_a_split_of_one_class_is_explained(tmp_path):
    for start, part in enumerate(("train", "test")):
        fill(tmp_path / part / "cat", 5, start=20 * start)
    with pytest.raises(InputError, match="has only one class, 'cat'; you need at least two"):
        load(tmp_path)


def test_other_classes_in_test_are_named(tmp_path):
    fill(tmp_path / "train" / "cats", 4)
    fill(tmp_path / "train" / "dogs", 4, start=10)
    fill(tmp_path / "test" / "cats", 4, start=20)
    fill(tmp_path / "test" / "birds", 4, start=30)
    with pytest.raises(InputError, match=r"different classes.*'birds'; 'dogs'"):
        load(tmp_path)


def test_a_split_with_too_few_is_named(tmp_path):
    for name, start in (("a", 0), ("b", 50)):
        fill(tmp_path / "train" / name, 5, start=start)
        fill(tmp_path / "test" / name, 1, start=start + 20)
    (tmp_path / "test" / "b" / "70.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"'b' .*\(test/ has 0\).*test/b/70.png"):
        load(tmp_path)


def test_wrappers_nuisances_and_strays(animals, tmp_path):
    root = tmp_path / "download"
    shutil.copytree(animals, root / "archive" / "animals")
    inner = root / "archive" / "animals"
    (inner / "cats" / "more" / "deeper").mkdir(parents=True)
    picture(500).save(inner / "cats" / "more" / "deeper" / "X.JPEG", format="JPEG")
    (inner / ".ipynb_checkpoints").mkdir()
    picture(501).save(inner / ".ipynb_checkpoints" / "a.png")
    (root / "__MACOSX" / "animals").mkdir(parents=True)
    for junk in (
        inner / ".DS_Store",
        inner / "cats" / "Thumbs.db",
        inner / "cats" / "._0.png",
        root / "README.txt",
    ):
        junk.write_bytes(b"junk")
    picture(502).save(inner / "stray.png")
    dataset = load(root)
    assert dataset.class_names == ("cats", "dogs")
    assert dataset.report.n_read == 33
    assert dataset.report.skipped == ()
    assert "stray.png" in dataset.report.summary


def test_path_as_text_with_tilde(animals, monkeypatch):
    monkeypatch.setenv("HOME", str(animals.parent))
    monkeypatch.setenv("USERPROFILE", str(animals.parent))
    assert load("~/animals").name == "animals"


@pytest.mark.parametrize("prefix", ["", "animals-main/"])
def test_a_zip_is_the_same_as_the_folder(animals, tmp_path, home, prefix):
    from_folder = load(animals)
    archive = zipped(animals, tmp_path / "pets.zip", prefix)
    events = []
    from_zip = load(archive, on_event=events.append)
    assert from_zip.name == "pets"
    assert all_keys(from_zip) == all_keys(from_folder)
    assert not events  # the cache knows the content
    assert not list(home.rglob("*.png"))  # nothing was unpacked


def test_a_zip_without_a_cache_from_a_folder(animals, tmp_path):
    assert counts(load(zipped(animals, tmp_path / "pets.zip"))) == [[12, 7], [3, 2], [5, 3]]


def test_the_flowers(assets):
    dataset = load_folder(assets / "data" / "flowers", image_size=64)
    assert dataset.n_classes == 5
    assert np.bincount(dataset.test.labels).tolist() == [20] * 5
    assert len(set(all_keys(dataset))) == len(all_keys(dataset)) == dataset.report.n_read
    # Two of the irises are one photograph.
    assert len(dataset.report.duplicates) + dataset.report.n_read == 400


# Duplicates


def test_a_copy_is_used_once_and_reported(animals):
    shutil.copy(animals / "cats" / "3.png", animals / "cats" / "zz.png")
    picture(4).save(animals / "cats" / "zy.bmp")  # other bytes, the same pixels
    dataset = load(animals)
    assert dataset.report.duplicates == (("cats/zy.bmp", "cats/4.png"), ("cats/zz.png", "cats/3.png"))
    assert len(set(all_keys(dataset))) == len(all_keys(dataset)) == 32


def test_what_is_tested_on_is_not_trained_on(tmp_path):
    for name, start in (("a", 0), ("b", 50)):
        for part, n, shift in (("train", 6, 0), ("validation", 2, 20), ("test", 3, 30)):
            fill(tmp_path / part / name, n, start=start + shift)
    shutil.copy(tmp_path / "test" / "a" / "30.png", tmp_path / "train" / "a" / "copy.png")
    shutil.copy(tmp_path / "validation" / "b" / "70.png", tmp_path / "train" / "b" / "copy.png")
    shutil.copy(tmp_path / "test" / "b" / "80.png", tmp_path / "validation" / "b" / "copy.png")
    dataset = load(tmp_path)
    assert counts(dataset) == [[6, 6], [2, 2], [3, 3]]
    assert dataset.report.duplicates == (
        ("train/a/copy.png", "test/a/30.png"),
        ("train/b/copy.png", "validation/b/70.png"),
        ("validation/b/copy.png", "test/b/80.png"),
    )


def test_one_image_under_two_classes_is_left_out(animals):
    shutil.copy(animals / "cats" / "3.png", animals / "dogs" / "3.png")
    dataset = load(animals)
    assert dataset.report.n_read == 31
    assert image_key(decoded(animals / "cats" / "3.png")) not in all_keys(dataset)
    assert [name for name, _ in dataset.report.skipped] == ["cats/3.png", "dogs/3.png"]
    assert "also dogs/3.png" in dataset.report.skipped[0][1]


# Formats


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        (".png", {}),
        (".bmp", {}),
        (".webp", {"lossless": True}),
        (".tiff", {}),
        (".jpg", {"quality": 98, "subsampling": 0}),
        (".JPEG", {"quality": 98, "subsampling": 0, "progressive": True}),
    ],
)
def test_each_format_gives_the_same_picture(tmp_path, suffix, options):
    image = picture(1, (64, 64))
    image.save(tmp_path / f"x{suffix}", **options)
    expected = np.asarray(image.resize((SIZE, SIZE), Image.Resampling.LANCZOS)).astype(int)
    result = decoded(tmp_path / f"x{suffix}")
    assert result.shape == (SIZE, SIZE, 3)
    assert result.dtype == np.uint8
    assert np.abs(result.astype(int) - expected).mean() < 3


def test_gif_gives_its_first_frame(tmp_path):
    frames = [Image.new("P", (50, 50), i) for i in range(2)]
    for frame in frames:
        frame.putpalette([255, 0, 0, 0, 255, 0])
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    assert (decoded(tmp_path / "x.gif") == [255, 0, 0]).all()


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_sixteen_bits_are_scaled_to_eight(tmp_path, suffix):
    values = np.repeat(np.array([0, 257, 32896, 65535], np.uint16), 16)
    Image.fromarray(np.tile(values, (64, 1))).save(tmp_path / f"x{suffix}")
    result = decoded(tmp_path / f"x{suffix}", 64)
    assert result[30, [4, 24, 40, 60], 0].tolist() == [0, 1, 128, 255]
    assert (result[:, :, 0] == result[:, :, 2]).all()


def deep_color(kind, bits, channels=3):
    """A color picture of `bits` in 16, which Pillow can't write, as a file; and the picture."""
    rgb = np.asarray(picture(3)).astype(np.uint16)
    values = rgb << (bits - 8)
    if channels == 4:
        values = np.concatenate([values, np.full_like(values[..., :1], 65535)], -1)
    if kind == "png":

        def chunk(name, data):
            return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

        header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, 2 if channels == 3 else 6, 0, 0, 0)
        rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
        file = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
        return b"\x89PNG\r\n\x1a\n" + file, rgb
    compression, order = kind
    tifffile.imwrite(file := io.BytesIO(), values, photometric="rgb", byteorder=order, compression=compression)
    return file.getvalue(), rgb


@pytest.mark.parametrize("kind", ["png", (None, "<"), (None, ">"), ("zlib", "<"), ("zlib", ">")])
@pytest.mark.parametrize("bits", [10, 12, 16])
def test_colors_of_ten_and_twelve_bits_are_stretched(kind, bits):
    for channels in (3, 4) if kind == "png" else (3,):
        data, rgb = deep_color(kind, bits, channels)
        assert depth_of(data) == bits
        for depth in (None, bits):
            assert np.abs(decode_image(data, len(rgb), depth).astype(int) - rgb).max() <= 1
        assert (decode_image(data, len(rgb), 16) == rgb >> (16 - bits)).all()  # beside a file that uses all bits


@pytest.mark.parametrize("suffix", [".png", ".tif", ".pgm"])
@pytest.mark.parametrize("bits", [10, 12, 16])
def test_ten_and_twelve_bits_in_sixteen_are_stretched_together(tmp_path, suffix, bits):
    for label, name in enumerate(("sick", "well")):
        (tmp_path / name).mkdir()
        for i in range(5):
            gray = np.asarray(picture(10 * label + i).convert("L")).astype(np.uint16)
            if (label, i) == (0, 0):
                gray //= 16  # a dark picture stays dark
            Image.fromarray(gray << (bits - 8)).save(tmp_path / name / f"{i}{suffix}")
    dataset = load(tmp_path)
    parts = (dataset.train, dataset.validation, dataset.test)
    images = {
        dataset.report.files[key]: image for part in parts for key, image in zip(part.keys, part.images, strict=True)
    }
    for label, name in enumerate(("sick", "well")):
        for i in range(1, 5):
            expected = np.asarray(picture(10 * label + i).convert("L").resize((SIZE, SIZE), Image.Resampling.LANCZOS))
            assert np.abs(images[f"{name}/{i}{suffix}"][..., 0].astype(int) - expected).mean() < 3
    assert images[f"sick/0{suffix}"].max() < 40
    note = f"hold values up to {2**bits - 1:,} only ({bits} bits). They were stretched"
    assert (note in dataset.report.summary) == (bits < 16)
    assert load(tmp_path).report == dataset.report  # the cache remembers


def test_one_dark_file_by_itself_is_stretched_as_far_as_it_goes():
    gray = np.full((20, 20), 4_000, np.uint16)
    buffer = io.BytesIO()
    Image.fromarray(gray).save(buffer, "PNG")
    assert decode_image(buffer.getvalue(), SIZE).max() == 249  # 4,000 of 4,095
    assert decode_image(buffer.getvalue(), SIZE, 16).max() == 16


def test_grey_and_one_bit(tmp_path):
    Image.new("L", (50, 50), 77).save(tmp_path / "grey.png")
    Image.new("1", (50, 50), 1).save(tmp_path / "bit.png")
    Image.new("LA", (50, 50), (77, 255)).save(tmp_path / "la.png")
    assert (decoded(tmp_path / "grey.png") == 77).all()
    assert (decoded(tmp_path / "bit.png") == 255).all()
    assert (decoded(tmp_path / "la.png") == 77).all()


def test_transparency_is_put_on_white(tmp_path):
    Image.new("RGBA", (50, 50), (200, 0, 0, 0)).save(tmp_path / "clear.png")
    Image.new("RGBA", (50, 50), (200, 0, 0, 128)).save(tmp_path / "half.webp", lossless=True)
    palette = Image.new("P", (50, 50), 1)
    palette.putpalette([0, 0, 0, 0, 0, 200])
    palette.save(tmp_path / "palette.png", transparency=1)
    palette.save(tmp_path / "opaque.png")
    assert (decoded(tmp_path / "clear.png") == 255).all()
    assert np.abs(decoded(tmp_path / "half.webp").astype(int) - [227, 127, 127]).max() <= 1
    assert (decoded(tmp_path / "palette.png") == 255).all()
    assert (decoded(tmp_path / "opaque.png") == [0, 0, 200]).all()


def test_cmyk_jpeg_has_the_right_colours(tmp_path):
    Image.new("RGB", (50, 50), (220, 30, 40)).convert("CMYK").save(tmp_path / "x.jpg", quality=95)
    assert Image.open(tmp_path / "x.jpg").mode == "CMYK"
    assert np.abs(decoded(tmp_path / "x.jpg").astype(int) - [220, 30, 40]).max() < 8


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(60, 60), (90, 61)])
def test_exif_orientation_turns_the_picture(tmp_path, orientation, size):
    from PIL import ImageOps

    corner = Image.new("RGB", size, (0, 0, 255))
    corner.paste((255, 0, 0), (0, 0, size[0] // 2, size[1] // 3))
    exif = Image.Exif()
    exif[0x0112] = orientation
    corner.save(tmp_path / "x.jpg", exif=exif, quality=98, subsampling=0)
    upright = ImageOps.exif_transpose(Image.open(tmp_path / "x.jpg"))
    expected = ImageOps.fit(upright, (SIZE, SIZE), Image.Resampling.LANCZOS)
    difference = np.abs(decoded(tmp_path / "x.jpg").astype(int) - np.asarray(expected))
    assert difference.mean() < 2
    if orientation == 6:  # "turn it clockwise": the red corner moves to the right
        assert decoded(tmp_path / "x.jpg")[2, -2, 0] > 200
        assert decoded(tmp_path / "x.jpg")[2, 2, 0] < 50


def test_the_centre_square_is_kept(tmp_path):
    wide = Image.new("RGB", (150, 50), (255, 0, 0))
    wide.paste((0, 255, 0), (50, 0, 100, 50))
    wide.save(tmp_path / "x.png")
    # At the very edge Lanczos still sees a few of the neighbours that were cut off.
    assert np.abs(decoded(tmp_path / "x.png")[:, 3:-3].astype(int) - [0, 255, 0]).max() < 3


def test_shrinking_averages(tmp_path):
    stripes = np.zeros((320, 320), np.uint8)
    stripes[:, ::2] = 255
    Image.fromarray(stripes).save(tmp_path / "x.png")
    assert np.abs(decoded(tmp_path / "x.png").astype(int) - 128).max() < 8


# Events, cancel and the cache


def test_events_count_up_and_the_second_load_decodes_nothing(animals):
    events = []
    first = load(animals, on_event=events.append)
    assert events[-1].text == "reading images: 32 of 32"
    assert {event.phase for event in events} == {"decode"}
    assert (events[-1].n_done, events[-1].n_total, events[-1].seconds_left) == (32, 32, 0)
    events.clear()
    second = load(animals, on_event=events.append)
    assert not events
    assert all_keys(second) == all_keys(first)
    load_folder(animals, image_size=SIZE + 1, on_event=events.append)
    assert events


def test_skipped_files_are_remembered_by_the_cache(animals):
    (animals / "cats" / "bad.jpg").write_bytes(b"nothing")
    assert load(animals).report == load(animals).report
    assert load(animals).report.skipped[0][0] == "cats/bad.jpg"


def test_a_changed_file_is_seen(animals):
    before = load(animals)
    changed = animals / "cats" / "0.png"
    picture(999).save(changed)
    after = load(animals)
    assert image_key(decoded(changed)) in all_keys(after)
    assert image_key(decoded(changed)) not in all_keys(before)


def test_a_changed_file_of_the_same_size_and_time_to_the_second_is_seen(animals):
    for name in ("0.bmp", "1.bmp"):
        picture(int(name[0]) + 700).save(animals / "cats" / name)
    load(animals)
    target = animals / "cats" / "0.bmp"
    info = target.stat()
    picture(888).save(target)
    os.utime(target, ns=(info.st_atime_ns, info.st_mtime_ns + 1000))
    assert target.stat().st_size == info.st_size
    assert image_key(decoded(target)) in all_keys(load(animals))


def test_a_copy_of_the_folder_is_not_decoded_again(animals, tmp_path):
    load(animals)
    shutil.copytree(animals, tmp_path / "elsewhere", copy_function=shutil.copyfile)
    events = []
    load(tmp_path / "elsewhere", on_event=events.append)
    assert not events


def test_a_damaged_cache_is_made_again(animals, home):
    keys = all_keys(load(animals))
    (entry,) = home.glob("images/*-*")
    for name, content in (("images.npy", b"short"), ("entry.json", b"{")):
        (entry / name).write_bytes(content)
        assert all_keys(load(animals)) == keys


def test_any_flipped_byte_of_the_cache_is_noticed(animals, home):
    (animals / "cats" / "broken.png").write_text("no picture")
    keys, skipped, random = all_keys(load(animals)), load(animals).report.skipped, Random(0)
    for i in range(60):
        (entry,) = home.glob("images/*-*")
        path = entry / ("images.npy", "entry.json")[i % 2]
        data = bytearray(path.read_bytes())
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
        path.write_bytes(data)
        again = load(animals)
        assert all_keys(again) == keys
        assert again.report.skipped == skipped
        (index,) = home.glob("images/index/*")
        index.write_text(random.choice(["", "0-0", "../..", "x" * 300, "\0"]))
        assert all_keys(load(animals)) == keys


def test_a_cache_that_cannot_be_written_is_done_without(animals, home, monkeypatch):
    keys = all_keys(load(animals))
    shutil.rmtree(home / "images")
    (home / "images").write_text("a file where the folder should be")
    assert all_keys(load(animals)) == keys
    monkeypatch.setattr("tl_widgets.core.resources.memory_available", lambda: 1000)
    with pytest.raises(InputError, match=r"Holding 32 images needs .* cannot be stored on disk"):
        load(animals)


def test_a_full_disk_is_done_without(animals, monkeypatch, home):
    monkeypatch.setattr("tl_widgets.core.resources.shutil.disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 0))
    assert load(animals).report.n_read == 32
    monkeypatch.setattr("tl_widgets.core.resources.memory_available", lambda: 1000)
    with pytest.raises(InputError, match=r"but only 0 MB is free.*smaller image size"):
        load(animals)
    assert not list(home.rglob("*.npy"))


def reading_threads():
    return [t for t in threading.enumerate() if t.name.startswith("tl_widgets-read")]


def test_cancel_leaves_nothing(animals, home):
    cancel = threading.Event()
    with pytest.raises(CancelledError):
        load(animals, on_event=lambda _: cancel.set(), cancel=cancel)
    assert [p for p in home.rglob("*") if p.is_file() or p.name.startswith("writing")] == []
    assert not reading_threads()
    assert load(animals).report.n_read == 32


def test_ctrl_c_leaves_nothing(animals, home):
    def interrupt(event):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(animals, on_event=interrupt)
    assert [p for p in home.rglob("*") if p.is_file() or p.name.startswith("writing")] == []
    assert not reading_threads()


def test_two_processes_at_once(animals, home):
    code = (
        "import sys; from tl_widgets.data.folder import load_folder\n"
        "d = load_folder(sys.argv[1], image_size=32); print(hash(d.train.keys + d.test.keys))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(animals)], stdout=subprocess.PIPE, env=environment)
        for _ in range(3)
    ]
    outputs = {process.communicate(timeout=60)[0] for process in running}
    assert len(outputs) == 1
    assert outputs != {b""}
    assert all(process.returncode == 0 for process in running)
    assert len(list(home.glob("images/*-*/entry.json"))) == 1
    assert not list(home.glob("images/writing-*"))


def test_a_large_set_stays_on_disk_and_is_the_same(animals, monkeypatch):
    in_memory = load(animals)
    monkeypatch.setattr(folder_module, "IN_MEMORY_BYTES", 1000)
    stored = load(animals)
    for split in SPLITS:
        part, expected = getattr(stored, split), getattr(in_memory, split)
        assert isinstance(part.images, IndexedImages)
        assert np.array_equal(part.images[:], expected.images)
        assert np.array_equal(part.images[[0, 2]], expected.images[[0, 2]])
        assert part.keys == expected.keys
    assert counts(stored.take(3)) == [[3, 3], [3, 2], [5, 3]]
    assert stored.image_shape == (SIZE, SIZE, 3)


# Mistakes


def test_mistakes_get_a_sentence(tmp_path, animals):
    (tmp_path / "empty").mkdir()
    (tmp_path / "one" / "cats").mkdir(parents=True)
    fill(tmp_path / "one" / "cats", 4)
    fill(tmp_path / "flat", 4)
    (tmp_path / "notes.txt").write_text("hello")
    (animals / "birds").mkdir()
    for path, message in (
        (tmp_path / "nowhere", "no folder or zip file .*nowhere"),
        (tmp_path / "empty", "no sub-folders"),
        (tmp_path / "flat", "no sub-folders"),
        (tmp_path / "one", "only one class, 'cats'"),
        (tmp_path / "notes.txt", "is a file, not a zip archive"),
        (animals, "'birds' .* has 0 usable images"),
    ):
        with pytest.raises(InputError, match=message):
            load(path)


@pytest.mark.parametrize("arguments", [{"image_size": 8}, {"image_size": "128"}, {"n_per_class": 0}, {"seed": -2}])
def test_numbers_out_of_range(animals, arguments):
    with pytest.raises(InputError, match=next(iter(arguments))):
        load_folder(animals, **arguments)


def test_the_repr_is_one_line(animals):
    dataset = load(animals)
    text = repr(dataset)
    assert "\n" not in text
    assert text == (
        f"<ImageDataset 'animals': {len(dataset.train)} train, {len(dataset.validation)} validation, "
        f"{len(dataset.test)} test; 32 x 32 pixels; 2 classes: {dataset.class_names[0]}; {dataset.class_names[1]}>"
    )
    assert repr(dataset.test) == f"<Split: {len(dataset.test)} images (32, 32, 3) of 2 classes>"


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="this system has no /proc")
def test_stop_ends_the_listing_of_a_place_without_end(monkeypatch):
    stop, listed, scandir = threading.Event(), [], os.scandir

    def list_until_stop(path):
        listed.append(path)
        if len(listed) == 3:
            stop.set()
        return scandir(path)

    monkeypatch.setattr(os, "scandir", list_until_stop)
    with pytest.raises(CancelledError):
        load("/proc", cancel=stop)
    assert len(listed) == 3
