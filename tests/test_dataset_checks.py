"""What is said of a data set before training: near-duplicates, sizes that give classes away, few images."""

import io
import shutil
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tl_widgets import load_dataset, load_folder
from tl_widgets.data.alike import find_alike, leave_out_copies
from tl_widgets.data.checks.near_duplicates import TURNS, difference_hashes, find_near_duplicates
from tl_widgets.data.dataset import ImageDataset, Split, choose_classes
from tl_widgets.data.quality import check_dataset


def scene(seed, size=64):
    """A smooth picture of random blots, as photographs are: uint8 (size, size, 3)."""
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    return Image.fromarray(pixels).resize((size, size), Image.Resampling.BICUBIC)


def changed(image, how):
    if how == "jpeg":
        file = io.BytesIO()
        image.save(file, "JPEG", quality=30)
        return Image.open(file)
    if how == "resized":
        return image.resize((40, 40)).resize(image.size)
    factor, shift = {"brighter": (1, 15), "contrast": (0.8, 0), "grey levels": (1, 1)}[how]
    return Image.fromarray(np.clip(np.asarray(image) * float(factor) + shift, 0, 255).astype(np.uint8))


def split_of(images, n_classes=2):
    return Split(np.stack([np.asarray(one) for one in images]), np.arange(len(images), dtype=np.int64) % n_classes)


def dataset_of(train, validation, test, n_classes=2):
    names = ("<b>cat</b>", "dog", "hen")[:n_classes]
    return ImageDataset("mine", *(split_of(some, n_classes) for some in (train, validation, test)), names)


def kinds(dataset):
    return [one.kind for one in check_dataset(dataset)]


def test_the_hash_is_that_of_a_loop():
    images = np.stack([np.asarray(scene(seed, 72)) for seed in range(5)])
    for image, found in zip(images, difference_hashes(images), strict=True):
        grey = image.astype(float) @ [0.299, 0.587, 0.114]
        fields = grey.reshape(8, 9, 9, 8).mean(axis=(1, 3))  # 8 rows of 9 pixels, 9 columns of 8
        bits = [fields[row, column] > fields[row, column + 1] for row in range(8) for column in range(8)]
        assert np.packbits(bits).tobytes() == found.tobytes()


@pytest.mark.parametrize("how", ["jpeg", "resized", "brighter", "contrast", "grey levels"])
def test_copies_that_were_changed_are_found_with_their_partners(how):
    train, test = [scene(i) for i in range(30)], [scene(100 + i) for i in range(20)]
    test[3], test[11] = changed(train[7], how), changed(train[20], how)
    found = find_near_duplicates(dataset_of(train, [scene(i) for i in range(200, 210)], test))
    assert [(one.split, one.row, one.train_row) for one in found] == [("test", 3, 7), ("test", 11, 20)]


def test_other_pictures_are_not_taken_for_copies():
    pictures = [scene(i) for i in range(400)]
    assert find_near_duplicates(dataset_of(pictures[:200], pictures[200:300], pictures[300:])) == ()
    flat = [Image.new("RGB", (64, 64), (shade, shade, shade)) for shade in range(60)]
    assert find_near_duplicates(dataset_of(flat[:20], flat[20:40], flat[40:])) == ()
    for name in ("textures", "faces"):
        assert find_near_duplicates(load_dataset(name, image_size=48)) == ()


def test_the_note_says_how_many_of_how_many():
    train = [scene(i) for i in range(30)]
    validation = [changed(train[0], "jpeg"), *(scene(i) for i in range(200, 210))]
    test = [changed(train[1], "jpeg"), changed(train[2], "jpeg"), *(scene(i) for i in range(100, 110))]
    [one] = check_dataset(dataset_of(train, validation, test))
    assert one.kind == "near_duplicates"
    assert one.text.startswith("2 of the 12 test images look almost like a training image.")
    assert "1 of the 11 validation images" in one.text
    # No files are known here, so the places of the arrays are named; those of the test come first.
    pairs = "Alike: image 0 (test) and image 1 (train); image 1 (test) and image 2 (train); image 0 (validation)"
    assert pairs in one.text
    [one] = check_dataset(dataset_of(train, validation, test[2:]))
    assert one.text.startswith("1 of the 11 validation images")


EVIL = "!<img src=x onerror=alert(1)>[red].png"


@pytest.fixture
def bursts(tmp_path):
    """Two classes with train/ and test/, the test with five copies of training images, made darker."""
    for k, name in enumerate(("cat", "dog")):
        for split in ("train", "test"):
            (tmp_path / "bursts" / split / name).mkdir(parents=True)
        for i in range(20):
            scene(100 * k + i).save(tmp_path / "bursts" / "train" / name / f"{i:02d}.png")
        for i in range(8):
            scene(1000 + 100 * k + i).save(tmp_path / "bursts" / "test" / name / f"{i:02d}.png")
    cats = tmp_path / "bursts" / "test" / "cat"
    for i in range(1, 5):
        changed(scene(i), "contrast").save(cats / f"{i:02d}.png")
    changed(scene(0), "contrast").save(cats / EVIL)
    return tmp_path / "bursts"


def test_near_duplicates_are_named_by_their_files(bursts):
    dataset = load_folder(bursts, image_size=64)
    [one] = [each for each in check_dataset(dataset) if each.kind == "near_duplicates"]
    trained = {image.tobytes() for image in dataset.train.images}
    both = [i for i in range(5) if np.asarray(scene(i)).tobytes() in trained]  # a fifth of train became validation
    assert one.text.startswith(f"{len(both)} of the 17 test images look almost like a training image.")
    for i in both[:3]:
        assert f"test/cat/{f'{i:02d}.png' if i else EVIL} (test) and train/cat/{i:02d}.png (train)" in one.text
    assert f"and {len(both) - 3} more" in one.text
    assert "train/ and test/ folders" in one.advice
    # Some classes or fewer images of each are the same files.
    [one] = [each for each in check_dataset(choose_classes(dataset, ("cat", "dog")).take(15)) if "near" in each.kind]
    assert "(test) and train/cat/" in one.text


def test_large_splits_are_looked_at_in_part(monkeypatch):
    monkeypatch.setattr("tl_widgets.data.checks.near_duplicates.MAX_IMAGES", 10)
    train = [scene(i) for i in range(30)]
    rows = np.linspace(0, 29, 10).astype(int)
    test = [changed(train[rows[4]], "brighter"), *(scene(i) for i in range(100, 105))]
    [one] = find_near_duplicates(dataset_of(train, [scene(99)], test))
    assert (one.row, one.train_row) == (0, rows[4])


def test_photographs_that_are_in_both_splits(assets):
    found = find_near_duplicates(load_folder(assets / "data/flowers", image_size=128))
    assert {one.split for one in found} == {"validation", "test"}  # the published subset does have such copies


def test_imbalance_and_tiny_classes():
    train = Split(np.stack([np.asarray(scene(i)) for i in range(25)]), np.array([0] * 18 + [1] * 6 + [2]))
    rest = [split_of([scene(1000 * k + i) for i in range(9)], 3) for k in (1, 2)]
    found = check_dataset(ImageDataset("mine", train, *rest, ("a", "b", "c")))
    assert [one.kind for one in found] == ["imbalance", "tiny_class"]
    assert "18 training images of a, 1 of c" in found[0].text
    assert "b has 6; c has 1" in found[1].text


def test_a_good_data_set_gets_no_note():
    for name in ("textures", "faces", "digits"):
        assert kinds(load_dataset(name, image_size=32)) == []
    assert kinds(load_dataset("digits", image_size=32, n_per_class=4)) == []  # few were asked for


@pytest.fixture
def folder(tmp_path):
    """20 pictures each of two classes, of two sizes each."""
    for k, name in enumerate(("cat", "dog")):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for i in range(20):
            scene(100 * k + i, 80 if i % 2 else 90).save(tmp_path / "pets" / name / f"{i:02d}.png")
    return tmp_path / "pets"


def test_a_size_that_gives_a_class_away(folder):
    assert kinds(load_folder(folder, image_size=32)) == []
    for path in (folder / "dog").iterdir():
        scene(int(path.stem) + 100, 120).save(path)
    (folder / "dog" / "broken.png").write_bytes(b"\x89PNG")
    [one] = check_dataset(load_folder(folder, image_size=32))
    assert one.kind == "source_size"
    assert "dog (120 x 120 pixels)" in one.text
    assert "cat" not in one.text
    shutil.make_archive(str(folder), "zip", folder)
    assert kinds(load_folder(folder.with_suffix(".zip"), image_size=32)) == ["source_size"]
    dataset = load_folder(folder, image_size=32)
    shutil.rmtree(folder)
    assert kinds(dataset) == []  # gone: nothing can be said


def test_one_size_for_all_gives_nothing_away(folder):
    for name in ("cat", "dog"):
        for path in (folder / name).iterdir():
            scene(int(path.stem) + 100 * (name == "dog"), 120).save(path)
    assert kinds(load_folder(folder, image_size=32)) == []


def test_only_the_chosen_classes_are_compared(folder):
    shutil.copytree(folder / "dog", folder / "fox")
    for path in (folder / "fox").iterdir():
        scene(int(path.stem) + 500, 33).save(path)
    assert kinds(load_folder(folder, image_size=32)) == ["source_size"]
    assert kinds(load_folder(folder, image_size=32, classes=("cat", "dog"))) == []


def test_markup_in_a_class_name_stays_text(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for k, name in enumerate(("<script>alert(1)<", "b")):
            for i in range(6):
                file = io.BytesIO()
                scene(100 * k + i).save(file, "PNG")
                archive.writestr(f"{name}/{i}.png", file.getvalue())
    [one] = check_dataset(load_folder(tmp_path / "x.zip", image_size=32))
    assert one.text.startswith("Some classes have very few training images: <script>alert(1)< has 3")


# Mirrored and turned copies; blank, dark, gray, odd and repeated pictures; kinds of files


@pytest.mark.parametrize("turn", range(1, 8))
def test_mirrored_and_turned_copies_are_found(turn):
    train, test = [scene(i) for i in range(30)], [scene(100 + i) for i in range(20)]
    array = np.rot90(np.asarray(train[7]), turn % 4)
    test[3] = Image.fromarray(np.ascontiguousarray(array[:, ::-1] if turn > 3 else array))
    dataset = dataset_of(train, [scene(i) for i in range(200, 210)], test)
    [one] = find_near_duplicates(dataset)
    assert (one.split, one.row, one.train_row) == ("test", 3, 7)
    assert np.array_equal(np.asarray(train[7]), TURNS[one.turn](np.asarray(test[3])[None])[0])
    [found] = check_dataset(dataset)
    assert f"image 3 (test, {one.turn}) and image 7 (train)" in found.text


def test_mirrored_copies_are_left_out_or_kept_together(folder):
    image = Image.open(folder / "cat" / "03.png")
    image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "cat" / "03b.png")
    dataset = load_folder(folder, image_size=32)
    assert find_alike(dataset) == (("cat/03.png", "cat/03b.png"),)
    assert load_folder(folder, image_size=32, edits=leave_out_copies(dataset)).report.n_read == 40


def load_pets(folder):
    return {one.kind: one for one in check_dataset(load_folder(folder, image_size=32))}


def test_blank_pictures_are_named(folder):
    for name, shade in (("white", 255), ("beige", 200)):
        Image.new("RGB", (80, 80), (shade, shade, shade - 30)).save(folder / "dog" / f"{name}.png")
    found = load_pets(folder)
    assert set(found) == {"blank"}
    assert found["blank"].text.startswith("2 images are blank, of one color: ")
    assert "dog/beige.png" in found["blank"].text


@pytest.mark.parametrize(("level", "what"), [(3, "nearly black"), (90, "of one color")])
def test_a_class_that_is_black_or_of_one_color(folder, level, what):
    for i, path in enumerate(sorted((folder / "dog").iterdir())):
        Image.new("RGB", Image.open(path).size, (level, level, level + i)).save(path)
    found = load_pets(folder)
    assert set(found) == {"dark_class"}
    assert f"are {what}: dog (such as dog/" in found["dark_class"].text


def test_a_class_in_gray_is_named(folder):
    for path in (folder / "dog").iterdir():
        Image.open(path).convert("L").save(path)
    found = load_pets(folder)
    assert set(found) == {"gray_class"}
    assert found["gray_class"].text.startswith("In gray, while cat is in color: dog (such as dog/")
    for path in (folder / "cat").iterdir():
        Image.open(path).convert("L").save(path)
    assert load_pets(folder) == {}


def test_a_class_in_another_file_format_is_named(folder):
    for path in (folder / "dog").iterdir():
        Image.open(path).save(path.with_suffix(".jpg"), quality=95)
        path.unlink()
    found = load_pets(folder)
    assert set(found) == {"file_format"}
    for expected in (
        "cat (PNG, such as cat/00.png; the others JPEG)",
        "dog (JPEG, such as dog/00.jpg; the others PNG)",
    ):
        assert expected in found["file_format"].text
    for i in range(3):
        scene(900 + i).save(folder / "dog" / f"p{i}.png")
    assert "file_format" not in load_pets(folder)


def test_one_odd_picture_among_many_is_named(folder):
    odd = np.full((80, 80, 3), 255, np.uint8)
    odd[10:70:8, 10:70] = 0  # lines of text on white
    Image.fromarray(odd).save(folder / "cat" / "scan.png")
    found = load_pets(folder)
    assert set(found) == {"odd_one"}
    assert "cat/scan.png" in found["odd_one"].text


@pytest.mark.parametrize("size", [(12, 10), (400, 60)])
def test_one_thumbnail_or_banner_is_named(folder, size):
    scene(999, 80).resize(size).save(folder / "cat" / "other.png")
    found = load_pets(folder)
    assert set(found) == {"odd_size"}
    assert f"cat/other.png ({size[0]} x {size[1]} pixels)" in found["odd_size"].text


def test_a_placeholder_is_named(folder):
    for i in range(4):
        scene(77).save(folder / "cat" / f"n{i}.png")
    found = load_pets(folder)
    assert set(found) == {"repeated"}
    assert "4 times (cat/n0.png; cat/n1.png and 2 more)" in found["repeated"].text


def test_real_photographs_get_no_false_alarm(assets, stamps):
    for dataset in (load_folder(assets / "data/flowers", image_size=64), load_dataset("stamps", image_size=64)):
        as_own = replace(dataset, origin=None) if dataset.origin.kind == "built-in" else dataset
        assert set(kinds(as_own)) <= {"near_duplicates"}


def test_class_weights_are_not_advised_where_they_are_on():
    train = Split(np.stack([np.asarray(scene(i)) for i in range(50)]), np.array([0] * 40 + [1] * 10))
    rest = [split_of([scene(1000 * k + i) for i in range(8)]) for k in (1, 2)]
    dataset = ImageDataset("mine", train, *rest, ("a", "b"))
    [one] = check_dataset(dataset)
    assert "train with class weights" in one.advice
    [one] = check_dataset(dataset, class_weights=True)
    assert "class weights" not in one.advice
