"""Images that belong together stay on one side of every split; near-duplicates are kept together or left out."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from test_dataset_checks import scene

from tl_widgets import (
    Comparison,
    InputError,
    ScratchSpec,
    check_dataset,
    keep_together,
    leave_out_copies,
    load_dataset,
    load_folder,
    to_script,
)
from tl_widgets.cli import main as cli
from tl_widgets.collections.collection import open_collection, save_edits, with_saved_edits
from tl_widgets.data.alike import find_alike
from tl_widgets.data.checks.near_duplicates import find_near_duplicates
from tl_widgets.data.dataset import Split, choose_classes
from tl_widgets.data.folds import pool
from tl_widgets.data.groups import name_group, split_groups, suggest_groups
from tl_widgets.experiments.comparison import compare
from tl_widgets.records.provenance import Columns, Edits

BURSTS = 12  # of each class
SHOTS = 4  # in a burst


def jpeg(image, quality=40):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


@pytest.fixture(scope="module")
def bursts(tmp_path_factory):
    """Two classes of bursts: each scene was saved four times, with other qualities."""
    root = tmp_path_factory.mktemp("bursts") / "mine"
    for number, name in enumerate(("cat", "dog")):
        (root / name).mkdir(parents=True)
        for burst in range(BURSTS):
            image = scene(100 * number + burst)
            for shot in range(SHOTS):
                (root / name / f"walk{burst:02}_{shot}.jpg").write_bytes(jpeg(image, 40 + 15 * shot))
    return root


def sides(dataset):
    return [set(split.groups.tolist()) for split in (dataset.train, dataset.validation, dataset.test)]


def assert_apart(dataset):
    train, validation, test = sides(dataset)
    assert len(train | validation | test) == len(train) + len(validation) + len(test)


# Splits


def test_the_shares_are_met_as_well_as_groups_allow():
    rng = np.random.default_rng(0)
    labels, groups = np.repeat([0, 1, 2], [120, 60, 20]), rng.integers(0, 40, 200)
    parts = split_groups(labels, groups, 0.15, 0.25, 0, ("a", "b", "c"))
    assert sorted(np.concatenate(parts).tolist()) == list(range(200))
    assert [len(part) / 200 for part in parts] == pytest.approx([0.6, 0.15, 0.25], abs=0.06)
    for part in parts:
        assert set(labels[part].tolist()) == {0, 1, 2}
        others = np.setdiff1d(np.arange(200), part)
        assert not set(groups[part].tolist()) & set(groups[others].tolist())
    again = split_groups(labels, groups, 0.15, 0.25, 0, ("a", "b", "c"))
    assert all((one == two).all() for one, two in zip(parts, again, strict=True))
    other = split_groups(labels, groups, 0.15, 0.25, 1, ("a", "b", "c"))
    assert not np.array_equal(parts[0], other[0])


def test_a_class_in_too_few_groups_is_named():
    with pytest.raises(InputError, match="class 'b' are in 2 groups, too few to put one into each of 3 parts"):
        split_groups(np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 2, 3, 3, 4]), 0.15, 0.25, 0, ("a", "b"))
    labels, groups = np.array([0, 0, 1, 1]), np.array([0, 1, 2, 3])
    train, validation, test = split_groups(labels, groups, 0.2, 0, 0, ("a", "b"))
    assert (len(train), len(validation), len(test)) == (2, 2, 0)


# Folders


def test_a_pattern_in_the_names_keeps_bursts_together(bursts):
    plain, grouped = load_folder(bursts, image_size=32), load_folder(bursts, image_size=32, groups=r"^(\w+)_")
    assert plain.train.groups is None
    assert_apart(grouped)
    assert len(set.union(*sides(grouped))) == BURSTS, "walk00 of cat and of dog are one group"
    assert find_near_duplicates(plain)
    assert not find_near_duplicates(grouped)
    assert "Kept together: 96 images in 12 groups." in grouped.report.summary
    assert grouped.origin.edits.groups == r"^(\w+)_"
    again = load_folder(bursts, image_size=32, edits=grouped.origin.edits)
    assert again.fingerprint == grouped.fingerprint
    assert len(grouped.train) + len(grouped.validation) + len(grouped.test) == 2 * BURSTS * SHOTS


def test_sub_folders_are_groups(tmp_path):
    for number, name in enumerate(("cat", "dog")):
        for person in range(5):
            folder = tmp_path / "mine" / name / f"person{person}"
            folder.mkdir(parents=True)
            for i in range(3):
                scene(100 * number + 10 * person + i).save(folder / f"{i}.png")
        scene(90 + number).save(tmp_path / "mine" / name / "alone.png")
    dataset = load_folder(tmp_path / "mine", image_size=32, groups="folder")
    assert_apart(dataset)
    assert len(set.union(*sides(dataset))) == 5 + 2
    assert "30 images in 5 groups" in dataset.report.summary


def test_a_mapping_is_a_column_of_a_table(bursts):
    names = {f"{name}/walk{burst:02}_{shot}.jpg": f"{name}-{burst // 2}"
             for name in ("cat", "dog") for burst in range(BURSTS) for shot in range(SHOTS)}  # fmt: skip
    dataset = load_folder(bursts, image_size=32, groups=names)
    assert_apart(dataset)
    assert len(set.union(*sides(dataset))) == 12
    assert load_folder(bursts, image_size=32, edits=dataset.origin.edits).fingerprint == dataset.fingerprint


@pytest.fixture
def patients(tmp_path):
    """Two classes by a table, which names the patient of each picture; each has four pictures."""
    root, rows = tmp_path / "scans", ["file,diagnosis,patient"]
    root.mkdir()
    for i in range(64):
        scene(i).save(root / f"{i:02}.png")
        rows.append(f"{i:02}.png,{('well', 'ill')[i % 2]},p{i // 4}")
    (root / "labels.csv").write_text("\n".join(rows))
    return root


def test_a_column_of_the_table_keeps_patients_together(patients, capsys):
    dataset = load_folder(patients, image_size=32, label_column="diagnosis", groups="column:patient")
    assert_apart(dataset)
    assert len(set.union(*sides(dataset))) == 16
    assert "Kept together: 64 images in 16 groups." in dataset.report.summary
    again = load_folder(patients, image_size=32, label_column="diagnosis", edits=dataset.origin.edits)
    assert again.fingerprint == dataset.fingerprint
    with pytest.raises(InputError, match="has a column 'doctor': they have 'file'; 'diagnosis'; 'patient'"):
        load_folder(patients, image_size=32, label_column="diagnosis", groups="column:doctor")
    arguments = ("--label-column", "diagnosis", "--groups", "column:patient", "--image-size", "32", "--epochs", "1")
    assert cli.main(["compare", str(patients), *arguments]) == 0
    assert "Kept together: 64 images in 16 groups." in capsys.readouterr().out


def test_the_usual_groupings_that_fit_are_found(bursts, patients, tmp_path):
    collection = open_collection(bursts)
    (found,) = collection.groupings(find_alike(collection.build(image_size=32)))
    assert (found.groups, found.is_suggested) == (r"^(.+)[-_ ]+\(?\d+\)?\.", True)
    assert found.names == tuple(f"walk{burst:02}" for burst in range(BURSTS))
    collection = open_collection(patients, columns=Columns(label="diagnosis"))
    (found,) = collection.groupings(find_alike(collection.build(image_size=32)))
    assert (found.groups, len(found.names), found.is_suggested) == ("column:patient", 16, False)
    assert_apart(collection.group_by(found.groups).build(image_size=32))
    for name in ("cat", "dog"):  # a camera's numbers say nothing
        (tmp_path / "plain" / name).mkdir(parents=True)
        for i in range(12):
            scene(500 + i + 100 * (name == "dog")).save(tmp_path / "plain" / name / f"IMG_{i:04}.png")
    collection = open_collection(tmp_path / "plain")
    assert collection.groupings() == ()


def test_the_folders_own_split_is_kept_and_what_it_tears_apart_is_said(tmp_path):
    for split, start in (("train", 0), ("test", 4)):
        for number, name in enumerate(("cat", "dog")):
            folder = tmp_path / "mine" / split / name
            folder.mkdir(parents=True)
            for burst in range(start, start + 5):  # burst 4 is in both
                for shot in range(2):
                    scene(1000 * number + 100 * (split == "test") + 10 * burst + shot).save(
                        folder / f"b{burst}_{shot}.png"
                    )
    dataset = load_folder(tmp_path / "mine", image_size=32, groups=r"^(b\d+)_")
    assert "has 1 of them in both train/ and test/" in dataset.report.summary
    train, validation, test = sides(dataset)
    assert not train & validation
    assert len(train & test | validation & test) == 1


@pytest.mark.parametrize(
    ("groups", "said"),
    [(r"walk\d+", "one group in parentheses"), ("(", "not a regular expression"), (5, "received 5")],
)
def test_groups_that_cannot_be_are_refused(bursts, groups, said):
    with pytest.raises(InputError, match=said):
        load_folder(bursts, groups=groups)


def test_too_few_groups_are_explained(bursts):
    with pytest.raises(InputError, match="class 'cat' are in 1 group, too few"):
        load_folder(bursts, image_size=32, groups=r"^(walk)")


# What is made of a data set keeps its groups


def test_subsets_keep_groups(bursts):
    dataset = load_folder(bursts, image_size=32, groups=r"^(\w+)_")
    by_key = dict(zip(pool(dataset).keys, pool(dataset).groups.tolist(), strict=True))
    for part in (dataset.take(5), choose_classes(dataset, ("cat", "dog"))):
        assert [by_key[key] for key in part.train.keys] == part.train.groups.tolist()
    files = dataset.report.files
    for key, group in by_key.items():
        same = {files[other].split("/")[1][:6] for other, number in by_key.items() if number == group}
        assert same == {files[key].split("/")[1][:6]}


def test_a_split_checks_its_groups():
    images = np.zeros((3, 8, 8, 3), np.uint8)
    with pytest.raises(InputError, match="groups must be an array of 3 whole numbers"):
        Split(images, np.zeros(3, int), np.zeros(2, int))
    with pytest.raises(InputError, match="groups must be"):
        Split(images, np.zeros(3, int), np.zeros(3))
    assert not Split(images, np.zeros(3, int), np.zeros(3, int)).groups.flags.writeable
    assert load_dataset("textures", image_size=32).train.groups is None


@pytest.mark.usefixtures("tiny_default")
def test_folds_keep_groups(bursts):
    dataset = load_folder(bursts, image_size=32, groups=r"^(\w+)_")
    result = compare(dataset, folds=3, epochs=1, scratch=ScratchSpec((4,), (3,), dense_units=4))
    groups = pool(dataset).groups
    tested = [set(groups[list(fold.rows)].tolist()) for fold in result.folds.points]
    assert len(set.union(*tested)) == sum(map(len, tested)) == BURSTS
    assert Comparison.from_json(result.to_json()).dataset.origin.edits.groups == r"^(\w+)_"
    record = json.loads(result.to_json())
    del record["dataset"]["origin"]["edits"]["groups"], record["dataset"]["origin"]["edits"]["together"]
    assert Comparison.from_json(json.dumps(record)).dataset.origin.edits == Edits(), "older records had none"
    script = to_script(result)
    assert "on one side of the split" in script
    compile(script, "script", "exec")


# Near-duplicates


def test_near_duplicates_propose_the_pattern_of_their_names(bursts):
    [found] = [item for item in check_dataset(load_folder(bursts, image_size=32)) if item.kind == "near_duplicates"]
    assert "cat/walk" in found.text
    assert "groups='^(.+)[-_ ]+" in found.advice
    assert "leave_out_copies" in found.advice
    dataset = load_folder(
        bursts, image_size=32, groups=found.advice.split("groups='")[1].split("')")[0].replace("\\\\", "\\")
    )
    assert not [item for item in check_dataset(dataset) if item.kind == "near_duplicates"]


def test_names_suggest_groups_only_if_they_fit():
    names = [f"cat/{person}_{i}.jpg" for person in ("ann", "bob", "cem", "dan", "eve", "flo") for i in range(4)]
    assert suggest_groups([("cat/ann_0.jpg", "cat/ann_3.jpg")], names) == r"^(.+)[-_ ]+\(?\d+\)?\."
    assert suggest_groups([("cat/ann_0.jpg", "cat/bob_3.jpg")], names) == ""
    assert suggest_groups([("cat/IMG_1.jpg", "cat/IMG_2.jpg")], [f"cat/IMG_{i}.jpg" for i in range(90)]) == ""
    folders = [f"cat/s{k}/{i}.jpg" for k in range(8) for i in range(3)]
    assert suggest_groups([("cat/s1/0.jpg", "cat/s1/2.jpg")], folders) == "folder"
    assert name_group("cat/s1/x/0.jpg", "folder") == "s1/x"
    assert name_group("cat/0.jpg", "") == name_group("cat/0.jpg", "folder") == ""


@pytest.fixture
def pairs(tmp_path):
    """Two classes of scenes; some are there twice, under names that say nothing."""
    root = tmp_path / "wrapper" / "mine"
    for number, name in enumerate(("cat", "dog")):
        (root / name).mkdir(parents=True)
        for i in range(20):
            image = scene(100 * number + i)
            (root / name / f"{i:03}.jpg").write_bytes(jpeg(image, 90))
            if i < 8:
                (root / name / f"copy{chr(97 + i)}.jpg").write_bytes(jpeg(image, 40))
    return tmp_path / "wrapper"


def test_pairs_are_kept_together_or_one_is_left_out(pairs):
    dataset = load_folder(pairs, image_size=32)
    [found] = [item for item in check_dataset(dataset) if item.kind == "near_duplicates"]
    assert "keep_together(dataset)" in found.advice
    alike = find_alike(dataset)
    assert len(alike) == 16
    assert ("mine/cat/000.jpg", "mine/cat/copya.jpg") in alike

    together = load_folder(pairs, image_size=32, edits=keep_together(dataset))
    assert_apart(together)
    assert not find_near_duplicates(together)
    assert len(pool(together)) == len(pool(dataset)) == 56
    assert "32 images in 16 groups" in together.report.summary

    single = load_folder(pairs, image_size=32, edits=leave_out_copies(dataset))
    assert not find_alike(single)
    assert len(pool(single)) == 40
    assert single.train.groups is None
    assert single.origin.edits.left_out[0].startswith("mine/cat/copy")


def test_a_data_set_without_files_has_nothing_to_keep_together():
    dataset = load_dataset("textures", image_size=32)
    assert find_alike(dataset) == ()
    assert keep_together(dataset) == leave_out_copies(dataset) == Edits()


def test_a_collection_of_the_lab_does_both_and_remembers(pairs, here):
    collection = open_collection(pairs)
    dataset = collection.build(image_size=32)
    kept = collection.keep_alike_together(dataset)
    assert len(kept.edits.together) == 16
    assert not find_near_duplicates(kept.build(image_size=32))
    assert len(collection.exclude_copies(dataset).edits.left_out) == 16
    both = replace(kept, edits=replace(kept.edits, groups="folder"))
    save_edits(both)
    assert with_saved_edits(open_collection(pairs)).edits == both.edits
    assert collection.group_by(r"^(\d+)").edits.groups == r"^(\d+)"
    (pairs / "mine" / "cat" / "000.jpg").unlink()
    assert ("mine/cat/copya.jpg",) in with_saved_edits(open_collection(pairs)).edits.together


# Terminal


@pytest.mark.usefixtures("tiny_default")
def test_the_terminal_takes_groups(bursts, here, capsys):
    from tl_widgets.cli.main import main

    words = ["--image-size", "32", "--epochs", "1", "--json", "run.json"]
    assert main(["compare", str(bursts), *words, "--groups", r"^(\w+)_"]) == 0
    printed = capsys.readouterr().out
    assert "Kept together: 96 images in 12 groups." in printed
    assert "almost like a training image" not in printed
    record = json.loads((here / "run.json").read_text())
    assert record["dataset"]["origin"]["edits"]["groups"] == r"^(\w+)_"
    assert main(["compare", "textures", "--groups", "folder"]) == 2
    assert "--groups is for folders of your own" in capsys.readouterr().err
