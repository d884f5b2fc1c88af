"""Layouts that people have: class names in files, tables of labels, splits under many names. Real files, made here."""

import json
import re
import shutil
import unicodedata

import numpy as np
import pytest
from helpers import fill, picture
from PIL import Image
from test_folder import SPLITS, counts, load

from tl_widgets.cli.images import show_images
from tl_widgets.cli.main import build_parser
from tl_widgets.cli.options import read_parts
from tl_widgets.cli.progress import make_console
from tl_widgets.collections.collection import collection_of
from tl_widgets.core.errors import InputError
from tl_widgets.data.dataset import image_key
from tl_widgets.data.decode import decode_image
from tl_widgets.export.script_data import is_saved


def save(folder, names, start=0):
    """Write a picture of its own under each name."""
    for i, name in enumerate(names, start):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        picture(i).save(folder / name)


def classes_of(dataset):
    """The class of each image in the data set, by the image's key."""
    parts = [getattr(dataset, split) for split in SPLITS]
    return {key: dataset.class_names[y] for part in parts for key, y in zip(part.keys, part.labels, strict=True)}


def key_of(file):
    return image_key(decode_image(file.read_bytes(), 32))


def notes(dataset):
    return " ".join(dataset.report.notes)


# Classes in the file names


@pytest.mark.parametrize(
    "pattern", ["{}.{}.png", "{}_{}.png", "{} ({}).png", "{}{}.png", "{}-{:03}.png", "{}_{}_front.png", "{}[{}].png"]
)
def test_classes_in_the_file_names(tmp_path, pattern):
    save(tmp_path, [pattern.format("cat", i) for i in range(8)])
    save(tmp_path, [pattern.format("Snow dog", i) for i in range(5)], start=50)
    dataset = load(tmp_path)
    assert dataset.class_names == ("Snow dog", "cat")
    assert "Classes from the file names, up to the first dot or digit: Snow dog (5), cat (8)." in notes(dataset)
    assert dataset.report.where == ("file names with Snow dog", "file names with cat")
    labels = classes_of(dataset)
    assert len(labels) == 13
    assert all(
        labels[key_of(file)] == ("cat" if file.name.startswith("cat") else "Snow dog") for file in tmp_path.iterdir()
    )


def test_one_spelling_for_a_class_and_odd_files_are_left_aside(tmp_path):
    save(tmp_path / "photos", [f"cat.{i}.png" for i in range(20)] + [f"dog.{i}.png" for i in range(19)])
    save(tmp_path / "photos", ["Dog.99.png", "fox.0.png", "IMG_7.png"], start=60)
    dataset = load(tmp_path)
    assert dataset.class_names == ("cat", "dog")
    assert "cat (20), dog (20)" in notes(dataset)
    assert "say no class that others have (2): photos/IMG_7.png; photos/fox.0.png" in notes(dataset)


@pytest.mark.parametrize(
    "names",
    [
        [f"IMG_{i}.png" for i in range(6)],
        [f"IMG_{i}.png" for i in range(6)] + [f"DSC{i}.png" for i in range(6)],
        [f"{i}.png" for i in range(6)],
        [f"cat.{i}.png" for i in range(6)],
        ["cat.png", "dog.png", "fox.png"],
        [f"{unicodedata.name(chr(97 + i))[-1]}{i}.png" for i in range(6)],
    ],
)
def test_names_that_say_no_classes(tmp_path, names):
    save(tmp_path, names)
    with pytest.raises(InputError, match="no sub-folders, so there are no classes"):
        load(tmp_path)


def test_names_made_of_hashes_are_no_classes(tmp_path):
    random = np.random.default_rng(0)
    save(tmp_path, [random.bytes(8).hex() + ".png" for _ in range(60)])
    with pytest.raises(InputError, match="no sub-folders"):
        load(tmp_path)


def test_dogs_vs_cats_as_it_comes(tmp_path):
    save(tmp_path / "train", [f"{name}.{i}.png" for name in ("cat", "dog") for i in range(8)])
    save(tmp_path / "test1", [f"{i}.png" for i in range(6)], start=50)
    dataset = load(tmp_path)
    assert counts(dataset) == [[5, 5], [1, 1], [2, 2]]
    assert "test1/ was left aside: its 6 file names don't say the class" in notes(dataset)
    save(tmp_path / "valid", [f"{name}_{i}.png" for name in ("cat", "dog") for i in range(3)], start=80)
    dataset = load(tmp_path)
    assert counts(dataset) == [[6, 6], [2, 2], [3, 3]]
    assert "valid/ serves as the test set" in notes(dataset)


# Folders


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("training_set", "test_set"), ("Train", "TEST1"), ("train_images", "eval"), ("trn", "tst"),
        ("entrenamiento", "prueba"), ("Trainingsdaten", "Prüfung"), ("entraînement", "essai"), ("treino", "teste"),
        ("addestramento", "verifica"), ("seg_train/seg_train", "seg_test/seg_test"), ("TRAIN", "Holdout"),
        ("train", "unseen"), ("data/set/train", "data/set/dev"), ("训练集", "测试集"), ("обучение", "тест"),
        ("訓練データ", "テスト"), ("훈련", "테스트"), ("Tr", "Te"), ("01_x_train", "02_x_test80"), ("eğitim", "test"),
    ],
)  # fmt: skip
def test_splits_under_other_names(tmp_path, train, test):
    for start, (part, n) in zip((0, 100), ((train, 10), (test, 4)), strict=True):
        fill(tmp_path / part / "cat", n, start=start)
        fill(tmp_path / part / "dog", n, start=start + 50)
    dataset = load(tmp_path)
    assert dataset.class_names == ("cat", "dog")
    assert counts(dataset) == [[8, 8], [2, 2], [4, 4]]
    assert set(dataset.test.keys) == {key_of(file) for file in (tmp_path / test).rglob("*.png")}


def test_a_split_below_the_classes_is_kept(tmp_path):
    for start, name in ((0, "cat"), (100, "dog")):
        fill(tmp_path / name / "train", 10, start=start)
        fill(tmp_path / name / "val", 3, start=start + 20)
        fill(tmp_path / name / "test", 4, start=start + 30)
    dataset = load(tmp_path)
    assert counts(dataset) == [[10, 10], [3, 3], [4, 4]]
    assert set(dataset.test.keys) == {key_of(file) for file in tmp_path.glob("*/test/*.png")}
    assert "The split is inside the class folders, and is kept." in notes(dataset)
    assert dataset.report.where == ("cat/test/, cat/train/, cat/val/", "dog/test/, dog/train/, dog/val/")


@pytest.mark.parametrize(("train", "test"), [("{}_train", "{}_test"), ("train{}", "test{}"), ("Train-{}", "Val-{}")])
def test_a_split_in_the_names_of_the_folders_is_kept(tmp_path, train, test):
    for start, name in ((0, "A"), (100, "B")):
        fill(tmp_path / train.format(name), 10, start=start)
        fill(tmp_path / test.format(name), 4, start=start + 30)
    dataset = load(tmp_path)
    assert dataset.class_names == ("A", "B")
    assert counts(dataset) == [[8, 8], [2, 2], [4, 4]]
    assert "The split is in the names of the folders, and is kept." in notes(dataset)
    assert set(dataset.report.where[0].split(", ")) == {f"{test.format('A')}/", f"{train.format('A')}/"}


def test_a_split_that_only_some_classes_have_is_explained(tmp_path):
    for start, name in ((0, "cat"), (100, "dog")):
        fill(tmp_path / name / "train", 10, start=start)
        fill(tmp_path / name / "test", 3, start=start + 20)
    fill(tmp_path / "fox" / "train", 5, start=300)
    with pytest.raises(InputError, match=r"'fox' .* \(test has 0\).*classes=\['cat', 'dog'\] \(--classes cat,dog"):
        load(tmp_path)
    assert counts(load(tmp_path, classes=["cat", "dog"])) == [[8, 8], [2, 2], [3, 3]]
    shutil.rmtree(tmp_path / "fox" / "train")
    fill(tmp_path / "fox", 5, start=300)
    with pytest.raises(InputError, match=r"cat/; dog/ hold the split .*, but not fox/"):
        load(tmp_path)


def test_several_data_sets_with_a_split_each_are_not_classes(tmp_path):
    for i, name in enumerate(("fold1", "fold2")):
        for j, part in enumerate(("train", "test")):
            fill(tmp_path / name / part / "cat", 4, start=100 * i + 50 * j)
            fill(tmp_path / name / part / "dog", 4, start=100 * i + 50 * j + 20)
    with pytest.raises(
        InputError, match=rf"several data sets, .* fold1/; fold2/. Give one of them, .*{tmp_path}/fold1\.$"
    ):
        load(tmp_path)
    assert counts(load(tmp_path / "fold1")) == [[3, 3], [1, 1], [4, 4]]


@pytest.mark.parametrize("inner", ["", "train/"])
def test_a_data_set_beside_other_pictures_is_proposed(tmp_path, inner):
    for start, name in ((0, "cat"), (50, "dog")):
        fill(tmp_path / "data" / inner / name, 5, start=start)
        if inner:
            fill(tmp_path / "data" / "test" / name, 5, start=start + 20)
    fill(tmp_path / "figures", 4, start=100)
    with pytest.raises(InputError, match=rf"a data set in data/ .*figures/. Give that sub-folder: {tmp_path}/data"):
        load(tmp_path)
    assert load(tmp_path / "data").class_names == ("cat", "dog")


def test_a_class_with_kinds_beside_others_is_a_class(tmp_path):
    for start, name in enumerate(("dogs/poodle", "dogs/beagle", "cats", "train/steam", "train/electric")):
        fill(tmp_path / name, 4, start=20 * start)
    dataset = load(tmp_path)
    assert dataset.class_names == ("cats", "dogs", "train")
    assert "put together: dogs (beagle; poodle); train (electric; steam)" in notes(dataset)


def test_pictures_to_predict_beside_train_are_no_class(tmp_path):
    for start, name in ((0, "train/cat"), (50, "train/dog"), (100, "prediction")):
        fill(tmp_path / name, 6, start=start)
    dataset = load(tmp_path)
    assert dataset.class_names == ("cat", "dog")
    assert "Ignored folders beside train/: prediction." in notes(dataset)


def test_empty_folders_and_annotations_beside_class_folders(tmp_path):
    fill(tmp_path / "images" / "001.Albatross", 4)
    fill(tmp_path / "images" / "002.Auklet", 4, start=20)
    (tmp_path / "attributes").mkdir()
    for name in ("001.Albatross", "002.Auklet"):  # as the Stanford dogs have them: XML without a suffix
        (tmp_path / "Annotation" / name).mkdir(parents=True)
        (tmp_path / "Annotation" / name / "x_1").write_text("<annotation/>")
    dataset = load(tmp_path)
    assert dataset.class_names == ("001.Albatross", "002.Auklet")
    assert dataset.report.skipped == ()


def test_classes_spelled_in_two_ways_or_missing_in_one_part(tmp_path):
    for start, name in enumerate(("train/Cat", "train/Dog", "valid/cat", "valid/dog")):
        fill(tmp_path / name, 6, start=20 * start)
    dataset = load(tmp_path)
    assert dataset.class_names == ("Cat", "Dog")
    assert "taken for one class: cat and Cat; dog and Dog." in notes(dataset)
    fill(tmp_path / "train" / "Fox", 6, start=200)
    with pytest.raises(InputError, match=r"'Fox' .*valid/ has 0.*classes=\['Cat', 'Dog'\] \(--classes Cat,Dog"):
        load(tmp_path)
    assert load(tmp_path, classes=["Cat", "Dog"]).class_names == ("Cat", "Dog")
    fill(tmp_path / "valid" / "wolf", 6, start=300)
    with pytest.raises(InputError, match=r"train/ and valid/ .* have different classes: only one has 'Fox'; 'wolf'"):
        load(tmp_path)


def test_versions_of_the_same_pictures_are_not_put_together(tmp_path):
    for i, version in enumerate(("color", "grayscale")):
        for j, name in enumerate(("a", "b")):
            save(tmp_path / version / name, [f"leaf {k}.png" for k in range(5)], start=100 * i + 20 * j)
    with pytest.raises(InputError, match=r"color/; grayscale/ hold the same pictures in several versions. Give one"):
        load(tmp_path)


def test_folds_are_put_together(tmp_path):
    for fold in range(3):
        for start, name in ((0, "cat"), (50, "dog")):
            fill(tmp_path / f"fold{fold}" / name, 4, start=start + 10 * fold)
    dataset = load(tmp_path)
    assert dataset.class_names == ("cat", "dog")
    assert dataset.report.n_read == 24
    assert "have the same sub-folders, so those are the classes" in notes(dataset)
    assert "cat (12), dog (12)" in notes(dataset)


def test_sub_folders_of_classes_that_only_number_them_are_no_classes(tmp_path):
    for start, name in ((0, "cat"), (50, "dog")):
        fill(tmp_path / name / "1", 4, start=start)
        fill(tmp_path / name / "2", 4, start=start + 10)
    dataset = load(tmp_path)
    assert dataset.class_names == ("cat", "dog")
    assert "put together: cat (1; 2); dog (1; 2)" in notes(dataset)


@pytest.mark.parametrize("inner", ["", "unknown/"])
def test_a_test_folder_without_labels_is_left_aside(tmp_path, inner):
    for start, part in ((0, "train"), (100, "validation")):
        fill(tmp_path / part / "cat", 8, start=start)
        fill(tmp_path / part / "dog", 8, start=start + 50)
    fill(tmp_path / "test" / inner, 5, start=200)
    dataset = load(tmp_path)
    assert dataset.report.n_read == 32
    assert "test/ was left aside: its 5 images are not in class folders" in notes(dataset)
    shutil.rmtree(tmp_path / "validation")
    assert counts(load(tmp_path)) == [[5, 5], [1, 1], [2, 2]]


def test_folders_of_a_project_are_left_aside(tmp_path):
    fill(tmp_path / "dataset" / "cat", 8)
    fill(tmp_path / "dataset" / "dog", 8, start=20)
    for name in ("src/a.py", "models/m.h5"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("1")
    dataset = load(tmp_path)
    assert dataset.class_names == ("cat", "dog")
    assert "Folders without pictures were left aside: models/; src/." in notes(dataset)


def test_messages_name_the_folder_of_the_split_and_the_option(tmp_path):
    for part, start in (("train", 0), ("valid", 100)):
        fill(tmp_path / part / "cat", 8, start=start)
        (tmp_path / part / "dog").mkdir()
    fill(tmp_path / "train" / "dog", 8, start=50)
    with pytest.raises(InputError, match=r"'dog' .* \(valid/ has 0\).*--classes"):
        load(tmp_path)


# Tables of labels


@pytest.fixture
def flat(tmp_path):
    """16 images in images/ whose names say nothing, and their labels."""
    names = [f"{i:03}.png" for i in range(16)]
    save(tmp_path / "images", names)
    return tmp_path, names, ["cat" if i % 2 else "dog" for i in range(16)]


def write_table(path, header, *columns, separator=","):
    rows = [separator.join(map(str, row)) for row in zip(*columns, strict=True)]
    path.write_text("\n".join([separator.join(header), *rows] if header else rows) + "\n", encoding="utf-8-sig")


def require_labels(dataset, root, names, labels):
    found = classes_of(dataset)
    assert {name: found[key_of(root / "images" / name)] for name in names} == dict(zip(names, labels, strict=True))


@pytest.mark.parametrize(
    ("name", "spelled", "separator", "header"),
    [
        ("labels.csv", "{}", ",", ("filename", "label")),
        ("train.csv", "images/{}", ";", ("Datei", "Klasse")),
        ("anything.tsv", "C:\\data\\images\\{}", "\t", ("a", "b")),
        ("images/metadata.csv", "./{}", ",", ("file_name", "label")),
        ("no_header.csv", "{}", ",", ()),
        ("ids.csv", "{:.3}", ",", ("id", "breed")),
    ],
)
def test_a_table_beside_the_images(flat, name, spelled, separator, header):
    root, names, labels = flat
    write_table(root / name, header, [spelled.format(n) for n in names], labels, separator=separator)
    dataset = load(root)
    require_labels(dataset, root, names, labels)
    assert f"of {name} (files from" in notes(dataset)
    assert "cat (8), dog (8)" in notes(dataset)


def test_metadata_of_hugging_face(flat):
    root, names, labels = flat
    lines = [json.dumps({"file_name": n, "label": y, "more": {"x": [1]}}) for n, y in zip(names, labels, strict=True)]
    (root / "images" / "metadata.jsonl").write_text("\n".join(lines))
    require_labels(load(root), root, names, labels)


def test_a_split_column_or_one_table_for_each_split(flat):
    root, names, labels = flat
    splits = ["train"] * 8 + ["Valid"] * 4 + ["TEST"] * 4
    write_table(root / "all.csv", ("file", "species", "subset"), names, labels, splits)
    dataset = load(root)
    assert counts(dataset) == [[4, 4], [2, 2], [2, 2]]
    assert "the split from 'subset'" in notes(dataset)
    (root / "all.csv").unlink()
    write_table(root / "train.csv", ("file", "species"), names[:10], labels[:10])
    write_table(root / "test.csv", ("file", "species"), names[10:], labels[10:])
    dataset = load(root)
    assert sum(counts(dataset)[2]) == 6
    assert set(dataset.test.keys) == {key_of(root / "images" / name) for name in names[10:]}


def test_a_table_and_numbered_parts(tmp_path):
    save(tmp_path / "ham_images_part_1", [f"{i}.png" for i in range(8)])
    save(tmp_path / "ham_images_part_2", [f"{i}.png" for i in range(8, 16)], start=8)
    one_hot = np.eye(2)[np.arange(16) % 2]
    write_table(tmp_path / "truth.csv", ("image", "MEL", "NV"), range(16), one_hot[:, 0], one_hot[:, 1])
    dataset = load(tmp_path)
    assert dataset.class_names == ("MEL", "NV")
    assert classes_of(dataset)[key_of(tmp_path / "ham_images_part_2" / "9.png")] == "NV"


def test_unclear_columns_are_asked_for(flat):
    root, names, labels = flat
    other = ["f" if i % 3 else "m" for i in range(16)]
    write_table(root / "people.csv", ("file", "mood", "sex", "age"), names, labels, other, np.arange(16) / 7)
    with pytest.raises(
        InputError, match=r"'mood' \(2 values\), 'sex' \(2 values\).*label_column='mood'.*--label-column"
    ):
        load(root)
    assert load(root, label_column="sex").class_names == ("f", "m")
    require_labels(load(root, label_column="mood", image_column="file"), root, names, labels)
    with pytest.raises(InputError, match=r"No table has a column 'nothing': people.csv \('file', 'mood'"):
        load(root, label_column="nothing")
    with pytest.raises(InputError, match="label_column must be"):
        load(root, label_column=3)
    numbers = [labels.index(label) for label in labels]
    write_table(root / "people.csv", ("file", "code", "kind"), names, numbers, labels)
    assert load(root).class_names == ("cat", "dog")  # the same in words


def test_missing_files_unlabelled_images_and_several_labels(flat):
    root, names, labels = flat
    rows = [*zip(names[:14], labels[:14], strict=True), ("gone.png", "cat"), (names[0], "fox"), (names[1], "")]
    write_table(root / "labels.csv", ("file", "label"), *zip(*rows, strict=True))
    said = notes(load(root))
    assert "1 rows name files that are not here: gone.png" in said
    assert "1 rows have no label" in said
    assert "several labels (1): images/000.png" in said
    assert "gives no label were left aside (2): images/014.png" in said


def test_class_folders_are_preferred_unless_a_column_is_named(tmp_path):
    save(tmp_path, [f"{name}/{name}{i}.png" for name in ("cat", "dog") for i in range(8)])
    names = [f"{name}{i}.png" for name in ("cat", "dog") for i in range(8)]
    write_table(tmp_path / "more.csv", ("file", "color"), names, ["black", "white"] * 8)
    dataset = load(tmp_path)
    assert dataset.class_names == ("cat", "dog")
    assert "not used: more.csv (label_column=" in notes(dataset)
    assert load(tmp_path, label_column="color").class_names == ("black", "white")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04\0\0\0" * 50, "binary data"),
        (b"file,label\n" + b"a" * 200_000 + b",b\n", "cannot be read as a table"),
        (b"", "without rows"),
        (b"x,y\n=cmd|' /C calc'!A0,1\n", "names files that are here"),
        (b'"open quote, ' * 40, "without rows"),
    ],
)
def test_a_hostile_table_gets_a_sentence(flat, content, message):
    root, _, _ = flat
    (root / "labels.csv").write_bytes(content)
    with pytest.raises(InputError, match=message):
        load(root)


def test_a_huge_table_is_not_read(flat):
    root, _, _ = flat
    with (root / "labels.csv").open("wb") as file:
        file.truncate(60_000_000)
    with pytest.raises(InputError, match="60 MB, more than the 50 MB allowed"):
        load(root)


# Other tasks


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("labels/000.txt", "0 0.5 0.5 0.2 0.3\n", "YOLO"),
        ("label_2/000.txt", "Car 0.00 0 -1.57 599.4 156.4 629.7 189.2 2.85 2.63 12.34 0.47 1.49 69.4 -1.5\n", "KITTI"),
        ("createml.json", '[{"image": "1.png", "annotations": [{"coordinates": {"x": 1}}]}]', "outlines"),
        ("ann/000.png.json", '{"objects": [{"points": {"exterior": [[1, 2]]}}]}', "outlines"),
        ("annotations/instances.json", '{"images": [], "annotations": []}', "COCO"),
        ("Annotations/000.xml", "<annotation><object><bndbox/></object></annotation>", "Pascal VOC"),
        ("boxes.csv", "file,xmin,class\n" + "".join(f"{i:03}.png,{i},a\n" for i in range(16)), "boxes or outlines"),
    ],
)
def test_data_for_object_detection_are_named(flat, name, content, message):
    root, _, _ = flat
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text(content)
    with pytest.raises(InputError, match=f"{message}.*sorts whole pictures into classes"):
        load(root)


def test_yolo_with_a_split_and_masks(tmp_path):
    for part in ("train", "valid"):
        fill(tmp_path / "yolo" / part / "images", 4)
        (tmp_path / "yolo" / part / "labels").mkdir()
        (tmp_path / "yolo" / part / "labels" / "0.txt").write_text("3 0.1 0.2 0.3 0.4\n1 0.1 0.2 0.3 0.4\n")
    with pytest.raises(InputError, match="YOLO"):
        load(tmp_path / "yolo")
    fill(tmp_path / "seg" / "images", 4)
    fill(tmp_path / "seg" / "masks", 4, start=4)
    for i in range(4, 8):
        (tmp_path / "seg" / "masks" / f"{i}.png").rename(tmp_path / "seg" / "masks" / f"{i - 4}_mask.png")
    with pytest.raises(InputError, match=r"masks/ holds a mask for each picture, which is segmentation"):
        load(tmp_path / "seg")


def mask(seed):
    """A picture of three plain fields, as a mask is."""
    return Image.fromarray(np.random.default_rng(seed).choice([0, 1, 255], (4, 4)).astype(np.uint8)).resize((40, 40), 0)


def save_pairs(folder, names, masks, start=0):
    for i, (name, other) in enumerate(zip(names, masks, strict=True), start):
        for path, image in ((folder / name, picture(i)), (folder / other, mask(i))):
            path.parent.mkdir(parents=True, exist_ok=True)
            image.save(path)


@pytest.mark.parametrize(
    ("pictures", "masks"),
    [
        ("images/{}/{:03}.png", "masks/{}/{:03}.png"), ("img/{}/{:03}.png", "ann/{}/{:03}.png"),
        ("{}/{:03}.png", "{}_labels/{:03}_L.png"), ("leftImg8bit/{}/a_{:03}_leftImg8bit.png",
        "gtFine/{}/a_{:03}_gtFine_labelIds.png"), ("original/{}/{:03}.png", "ground_truth/{}/{:03}.png"),
        ("{}/JPEGImages/{:03}.png", "{}/SegmentationClass/{:03}.png"),
    ],
)  # fmt: skip
def test_layouts_of_segmentation_are_named(tmp_path, pictures, masks):
    places = [(part, i) for part in ("train", "val") for i in range(5)]
    save_pairs(tmp_path, [pictures.format(*p) for p in places], [masks.format(*p) for p in places])
    with pytest.raises(InputError, match="a mask for each picture, which is segmentation"):
        load(tmp_path)


@pytest.mark.parametrize("with_boxes", [False, True])
def test_classes_in_file_names_count_where_annotations_lie_beside(tmp_path, with_boxes):
    """As the Oxford pets come: images/ flat, annotations/ with masks and boxes."""
    names = [f"{breed}_{i}" for breed in ("Abyssinian", "great_pyrenees") for i in range(8)]
    save_pairs(tmp_path, [f"images/{n}.png" for n in names], [f"annotations/trimaps/{n}.png" for n in names])
    if with_boxes:
        (tmp_path / "annotations" / "xmls").mkdir()
        (tmp_path / "annotations" / "xmls" / "a.xml").write_text("<annotation><bndbox/></annotation>")
    dataset = load(tmp_path)
    assert dataset.class_names == ("Abyssinian", "great_pyrenees")
    assert dataset.report.n_read == 16
    assert "Masks of pictures were left aside (16): annotations/trimaps." in notes(dataset)
    assert "Boxes or masks that lie beside the pictures are not used." in notes(dataset)


@pytest.mark.parametrize("pattern", ["{}/{} ({})_mask.png", "{}/masks/{} ({}).png"])
def test_masks_in_class_folders_are_left_aside(tmp_path, pattern):
    items = [(name, name, i) for name in ("benign", "malignant") for i in range(6)]
    pictures = "{}/images/{} ({}).png" if "masks/" in pattern else "{}/{} ({}).png"
    save_pairs(tmp_path, [pictures.format(*item) for item in items], [pattern.format(*item) for item in items])
    dataset = load(tmp_path)
    assert dataset.report.n_read == 12
    assert "Masks of pictures were left aside (12): benign/" in notes(dataset)


def test_a_class_called_mask_is_a_class(tmp_path):
    for start, name in ((0, "mask"), (50, "normal")):
        random = np.random.default_rng(start)
        (tmp_path / name).mkdir()
        for i in range(6):
            Image.fromarray(random.integers(0, 256, (40, 40, 3), np.uint8)).save(tmp_path / name / f"{i}.png")
    assert load(tmp_path).class_names == ("mask", "normal")


@pytest.mark.parametrize(
    ("first", "second"), [("LR", "HR"), ("rgb", "depth"), ("low_res", "High_Res"), ("input", "output")]
)
def test_a_task_from_image_to_image_is_named(tmp_path, first, second):
    save(tmp_path, [f"{first}/{i}.png" for i in range(5)])
    save(tmp_path, [f"{second}/{i}.png" for i in range(5)], start=50)
    with pytest.raises(InputError, match="hold files with the same names, as for a task from image to image"):
        load(tmp_path)


@pytest.mark.parametrize("pair", ["blur sharp", "low high", "photos sketches", "x y", "gray color"])
def test_classes_with_the_same_file_names_are_classes(tmp_path, pair):
    first, second = pair.split()
    save(tmp_path, [f"{first}/{i}.png" for i in range(5)])
    save(tmp_path, [f"{second}/{i}.png" for i in range(5)], start=50)
    assert set(load(tmp_path).class_names) == {first, second}


def test_traffic_signs_as_they_come(tmp_path):
    """GTSRB: numbered class folders, a flat test folder, and a table for each, with the corners of the sign."""
    tables = {"Train": [f"Train/{label}/{label}_{i}.png" for label in range(3) for i in range(5)],
              "Test": [f"Test/{i:05}.png" for i in range(6)], "Meta": [f"Meta/{i}.png" for i in range(3)]}  # fmt: skip
    for start, (part, names) in enumerate(tables.items()):
        save(tmp_path, names, start=100 * start)
        labels = [name.split("/")[1] if part == "Train" else i % 3 for i, name in enumerate(names)]
        sizes = [30 + i % 3 for i in range(len(names))]
        write_table(tmp_path / f"{part}.csv", ("Width", "Roi.X1", "ClassId", "Path"), sizes, sizes, labels, names)
    dataset = load(tmp_path)
    assert dataset.class_names == ("0", "1", "2")
    assert counts(dataset)[2] == [2, 2, 2]
    assert "Classes from the column 'ClassId' of Test.csv; Train.csv" in notes(dataset)


# Folders that are named for each part


def test_train_and_test_in_folders_of_any_layout(tmp_path):
    save(tmp_path / "a" / "lessons", [f"{name}/{i}.png" for name in ("cat", "dog") for i in range(10)])
    save(tmp_path / "b" / "exam", [f"{name}_{i}.png" for name in ("Cat", "Dog") for i in range(4)], start=50)
    dataset = load(tmp_path / "a" / "lessons", test=tmp_path / "b" / "exam")
    assert counts(dataset) == [[8, 8], [2, 2], [4, 4]]
    assert dataset.class_names == ("cat", "dog")
    assert set(dataset.test.keys) == {key_of(file) for file in (tmp_path / "b" / "exam").iterdir()}
    assert "test: Classes from the file names" in notes(dataset)
    assert dataset.name == "lessons"
    assert dataset.origin.parts == (("train", "a/lessons"), ("test", "b/exam"))
    again = collection_of(dataset.origin).build(image_size=32)
    assert [getattr(again, part).keys for part in SPLITS] == [getattr(dataset, part).keys for part in SPLITS]
    save(tmp_path / "check", [f"{name}/{i}.png" for name in ("cat", "dog") for i in range(3)], start=80)
    dataset = load(tmp_path / "a" / "lessons", test=tmp_path / "b" / "exam", validation=tmp_path / "check")
    assert counts(dataset) == [[10, 10], [3, 3], [4, 4]]


def test_groups_are_the_same_in_folders_of_any_depth(tmp_path):
    save(tmp_path / "learn", [f"{name}/{name}_{who}/{i}.png" for name in ("cat", "dog") for who in "abcde"
                              for i in range(2)])  # fmt: skip
    save(tmp_path / "b/c/exam", [f"{name}/{name}_{who}/{i}.png" for name in ("cat", "dog") for who in "az"
                                 for i in range(2)], start=50)  # fmt: skip
    dataset = load(tmp_path / "learn", test=tmp_path / "b/c/exam", groups="folder")
    assert "has 2 of them in both train/ and test/" in notes(dataset)  # cat_a and dog_a
    assert "images in 12 groups" in notes(dataset)


def test_mistakes_with_named_folders_get_a_sentence(tmp_path):
    places = ("a/cat", "a/dog", "b/cat", "b/fox", "c/train/cat", "c/train/dog", "c/test/cat", "c/test/dog")
    for start, place in enumerate(places):
        fill(tmp_path / place, 5, start=20 * start)
    for arguments, message in (
        ({"test": tmp_path / "b"}, "The folder for test has classes that the one for train lacks: 'fox'"),
        ({"test": tmp_path / "c"}, "c has its own split. Give it alone"),
        ({"test": tmp_path / "a" / "cat"}, "for test is inside that for train"),
        ({"test": tmp_path / "a"}, "is inside that for .* or the same"),
        ({"test": tmp_path / "none"}, "none, is not there"),
        ({"validation": tmp_path / "b"}, "validation= needs test="),
    ):
        with pytest.raises(InputError, match=message):
            load(tmp_path / "a", **arguments)


def test_the_terminal_takes_folders_for_each_part(tmp_path, capsys):
    args = build_parser().parse_args(["compare", "--train", "x/learn", "--test", "x/exam"])
    assert read_parts(args) == {"test": "x/exam"}
    assert args.data == "x/learn"
    for words, message in (
        (["DATA", "--train", "a", "--test", "b"], "either DATA"),
        (["--train", "a"], "--train needs --test"),
        (["--test", "b"], "--test needs --train"),
    ):
        with pytest.raises(InputError, match=message):
            read_parts(build_parser().parse_args(["compare", *words]))
    for start, (part, n) in enumerate((("learn", 8), ("exam", 4))):
        for j, name in enumerate(("cat", "dog")):
            fill(tmp_path / "x" / part / name, n, start=100 * start + 20 * j)
    Image.new("RGB", (40, 40), "white").save(tmp_path / "x" / "learn" / "cat" / "white.png")
    (tmp_path / "x" / "exam" / "cat" / "broken.png").write_bytes(b"\x89PNG")
    dataset = load(tmp_path / "x" / "learn", test=tmp_path / "x" / "exam")
    show_images(make_console(), dataset)
    said = capsys.readouterr().out
    assert "learn: 25 images in 2 classes; " in said
    assert re.search(r"^  cat +13  learn: cat/; exam: cat/$", said, re.MULTILINE)
    assert "Note: 1 image is blank, of one color: learn/cat/white.png." in said
    show_images(make_console(), dataset, quiet=True)
    said = capsys.readouterr().out.splitlines()
    assert [line[:20] for line in said] == ["Note: Skipped 1 file", "Note: 1 image is bla"]


# Scripts


def test_a_script_reads_folders_itself_only_where_it_finds_the_same_images(tmp_path):
    save(tmp_path / "plain", [f"{name}/{i}.png" for name in ("cat", "dog") for i in range(6)])
    assert not is_saved(load(tmp_path / "plain").origin)
    save(tmp_path / "parts", [f"{part}/{name}/{i}.png" for part in ("a", "b") for name in ("x", "y") for i in range(5)])
    assert not is_saved(load(tmp_path / "parts" / "a", test=tmp_path / "parts" / "b").origin)
    items = [(name, i) for name in ("benign", "malignant") for i in range(6)]
    pictures, masks = ([f"{name}/{i}{ending}.png" for name, i in items] for ending in ("", "_mask"))
    save_pairs(tmp_path / "masks", pictures, masks)
    for start, part in enumerate(("train/Cat", "train/Dog", "test/cat", "test/dog")):
        fill(tmp_path / "spelling" / part, 5, start=20 * start)
    shutil.copytree(tmp_path / "plain", tmp_path / "project")
    (tmp_path / "project" / "src").mkdir()
    (tmp_path / "project" / "src" / "a.py").write_text("1")
    save(tmp_path / "names", [f"{name}.{i}.png" for name in ("cat", "dog") for i in range(6)])
    for name in ("cat", "dog"):
        (tmp_path / "bits" / name).mkdir(parents=True)
        for i in range(4):
            gray = np.random.default_rng(i + 10 * (name == "cat")).integers(0, 4096, (40, 40)).astype(np.uint16)
            Image.fromarray(gray).save(tmp_path / "bits" / name / f"{i}.png")
    for name in ("masks", "spelling", "project", "names", "bits"):
        assert is_saved(load(tmp_path / name).origin), name
