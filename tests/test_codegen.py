"""The scripts: they load the very same images, build the same models, and run without tl_widgets."""

import ast
import io
import itertools
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from random import Random

import keras
import numpy as np
import pytest
from PIL import Image
from tiny import standing_in

import tl_widgets
from tl_widgets import Config, FineTuningSpec, InputError, ScratchSpec, list_backbones, load_dataset, load_folder
from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.backbones.keras_compat import freeze
from tl_widgets.data.catalogue import find_dataset
from tl_widgets.experiments.comparison import summarize
from tl_widgets.export.script import UNFREEZE, save_backbone, script_for, to_script
from tl_widgets.records.comparison import Comparison, Environment, Verdict
from tl_widgets.records.parameters import count_rows, scratch_ledger
from tl_widgets.records.provenance import Edits, Origin
from tl_widgets.training.fine_tuning import cut_backbone
from tl_widgets.training.learners import with_augmented

NASTY = 'it\'s "quoted" \\ {braces} $HOME\n\'\'\'""" ünï'
SUMMARY = find_dataset("textures").summary(image_size=32, n_per_class=4)


def loading_of(script):
    """What the script's part before its models leaves behind, run without Keras."""
    text = script[: script.index("# From scratch:")]
    text = text.replace("import keras\n", "").replace("keras.utils.set_random_seed(SEED)", "")
    found = {}
    exec(compile(text, "script", "exec"), found)
    return found


def models_of(script):
    """Everything that the script builds, without training it."""
    found = {}
    exec(compile(script[: script.index("def train_and_test")], "script", "exec"), found)
    return found


def assert_same_images(dataset, **config):
    found = loading_of(script_for(summarize(dataset), Config(**config)))
    seed, augment = config.get("seed", 0), config.get("augment", 0)
    splits = {"train": with_augmented(dataset.train, augment, seed=seed)}
    splits |= {"validation": dataset.validation, "test": dataset.test}
    for name, split in splits.items():
        np.testing.assert_array_equal(found[f"x_{name}"], np.asarray(split.images), err_msg=name)
        np.testing.assert_array_equal(found[f"y_{name}"], split.labels, err_msg=name)
        assert found[f"x_{name}"].dtype == np.uint8


@pytest.mark.parametrize("name", ["textures", "faces", "digits", "photographs"])
@pytest.mark.parametrize("image_size", [20, 40])
def test_built_in_images_are_the_same(name, image_size):
    assert_same_images(load_dataset(name, image_size=image_size))
    dataset = load_dataset(name, image_size=image_size, n_per_class=5, seed=3)
    assert_same_images(dataset, seed=7, augment=2)
    summary = find_dataset(name).summary(image_size=image_size, n_per_class=5, seed=3)
    # Before anything is loaded, nobody can know the hash of the images.
    assert replace(summary, source=dataset.source) == replace(summarize(dataset), fingerprint="")
    classes = (dataset.class_names[1], dataset.class_names[-1]) if name != "faces" else dataset.class_names
    few = load_dataset(name, image_size=image_size, n_per_class=5, seed=3, classes=classes)
    assert_same_images(few, seed=7)
    summary = find_dataset(name).summary(image_size=image_size, n_per_class=5, seed=3, classes=classes)
    assert replace(summary, source=few.source) == replace(summarize(few), fingerprint="")


def photograph(seed, *, size=(90, 70), mode="RGB", file_format="PNG", orientation=None):
    pixels = np.random.default_rng(seed).integers(0, 256, (9, 7, 4), np.uint8)
    image = Image.fromarray(pixels, "RGBA").resize(size).convert(mode)
    file, exif = io.BytesIO(), image.getexif()
    if orientation:
        exif[0x0112] = orientation
    image.save(file, file_format, exif=exif)
    return file.getvalue()


def make_folder(root, classes=("b-class", "a'class", 'c"lass')):
    for label, name in enumerate(classes):
        (root / name / "inner").mkdir(parents=True)
        for i in range(12):
            (root / name / f"{i}.png").write_bytes(photograph(100 * label + i))
        (root / name / "inner" / "x.jpg").write_bytes(
            photograph(100 * label + 50, size=(700, 500), file_format="JPEG", orientation=6)
        )
        (root / name / "inner.png").write_bytes(photograph(100 * label + 51, mode="RGBA"))
        (root / name / "grey.png").write_bytes(photograph(100 * label + 52, mode="L"))
        (root / name / "palette.gif").write_bytes(photograph(100 * label + 53, mode="P", file_format="GIF"))
        (root / name / "twice.png").write_bytes(photograph(100 * label + 3))
        (root / name / "unclear.png").write_bytes(photograph(999))
        (root / name / "broken.png").write_bytes(b"\x89PNG")
        (root / name / ".hidden.png").write_bytes(photograph(998))
    return root


def test_images_of_a_folder_are_the_same(tmp_path):
    root = make_folder(tmp_path / "my 'own' {photos}")
    for image_size in (24, 100):
        assert_same_images(load_folder(root, image_size=image_size, seed=5), augment=1)
    assert_same_images(load_folder(root, image_size=24, n_per_class=3, seed=5))


def test_images_of_a_folder_with_given_splits_are_the_same(tmp_path):
    root = tmp_path / "data"
    for part in ("train", "test"):
        make_folder(root / "wrapped" / part)  # every test image is a copy of one in train
    for label, name in enumerate(("b-class", "a'class", 'c"lass')):
        for i in range(9):
            (root / "wrapped" / "train" / name / f"more{i}.png").write_bytes(photograph(1000 + 100 * label + i))
    assert_same_images(load_folder(root, image_size=24, seed=2))
    shutil.copytree(root / "wrapped" / "train", root / "wrapped" / "val")
    for name in ("b-class", "a'class", 'c"lass'):
        for i in range(5, 9):
            (root / "wrapped" / "val" / name / f"more{i}.png").unlink()
    dataset = load_folder(root, image_size=24, n_per_class=2, seed=2)
    assert {split for split, _ in dataset.origin.folders} == {"train", "validation", "test"}
    assert_same_images(dataset)


def test_images_of_a_zip_are_the_same(tmp_path):
    root = make_folder(tmp_path / "photos")
    archive = tmp_path / "it's.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(root.rglob("*")):
            file.write(path, path.relative_to(tmp_path))
        file.writestr("__MACOSX/photos/._a.png", b"junk")
    shutil.rmtree(root)
    assert_same_images(load_folder(archive, image_size=24))


def test_images_made_in_python_come_from_a_file(tmp_path, monkeypatch):
    dataset = load_dataset(image_size=24).take(9).take(3)  # nobody can say how to load these
    assert dataset.origin is None
    script = script_for(summarize(dataset), Config())
    save = "\n".join(line.strip("# ") for line in re.search(r"#  *np\.savez\((.|\n#)*", script)[0].splitlines())
    monkeypatch.chdir(tmp_path)
    exec(save, {"np": np, "dataset": dataset})
    assert_same_images(dataset)


def configurations():
    weights = ("imagenet", None, '/some/it\'s "here".weights.h5')
    for entry, weight, control in itertools.product(list_backbones(), weights, (False, True)):
        yield Config(backbone=entry.name, weights=weight, control=control)
    for pooling, head, dense_units, dropout in itertools.product(
        ("max", "average", "none"), ("flatten", "global_average"), (0, 6), (0.0, 0.25)
    ):
        spec = ScratchSpec((4, 8), (5, 3), pooling, head, dense_units, dropout)
        yield Config(scratch=spec, head_dropout=dropout, augment=dense_units)


def summaries():
    yield from (find_dataset(name).summary(image_size=32) for name in ("textures", "faces", "digits"))
    yield SUMMARY
    yield replace(SUMMARY, name=NASTY, class_names=(NASTY, "b"), origin=None)
    for folders in ((("", "x"),), (("train", "a"), ("test", "b")), (("train", ""), ("validation", "v"), ("test", "t"))):
        for path in ("/data/" + NASTY, "/data/" + NASTY + ".zip", "/bytes/\udcff"):
            origin = replace(SUMMARY.origin, kind="folder", path=path, folders=folders)
            yield replace(SUMMARY, name=NASTY, class_names=(NASTY, "b"), origin=origin)


def test_every_combination_is_a_program_without_tl_widgets():
    n_scripts = 0
    for number, (config, summary) in enumerate(itertools.product(configurations(), summaries())):
        if number % 13:  # 300 of 4,000 are enough; every one of the 14 summaries and every configuration is among them
            continue
        script = script_for(summary, config)
        script.encode("utf-8")
        tree = ast.parse(script)
        assert ast.get_docstring(tree).startswith("Transfer learning on")
        modules = [node.names[0].name for node in ast.walk(tree) if isinstance(node, ast.Import)]
        modules += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        assert not any(module.startswith("tl_widgets") for module in modules)
        assert "keras" in modules
        n_scripts += 1
    assert n_scripts > 250


def test_the_path_of_a_folder_is_read_as_text():
    origin = replace(SUMMARY.origin, kind="folder", path="/data/" + NASTY, folders=(("", NASTY),))
    script = script_for(replace(SUMMARY, origin=origin), Config())
    strings = {node.value for node in ast.walk(ast.parse(script)) if isinstance(node, ast.Constant)}
    assert {"/data/" + NASTY, NASTY} <= strings


WORDS = (
    *("SHARE", "ALL_CLASSES", "CLASS_FOLDER", "LEFT_OUT", "DATASET", "NAMES", "LOSS", "EPOCHS", "FOLDER", "name"),
    *("path.is_file():", "verbose=2,", "(name, model):", "Adam(LEARNING_RATE)", "def f", "\n\n\ndef f():\n    "),
    *("{x}", "{", "%s", "\\", "\\N{", "\\1", "'", '"', '"""', "'''", "#", "\0", "\x1b[2J", "\u202e", "\ud800", "ü"),
)


def shape_and_texts(script):
    """The tree of a script without its texts, and the texts."""
    tree, texts = ast.parse(script), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.add(node.value)
            node.value = ""
    return ast.dump(tree), texts


def without(text, letters):
    return "".join(letter for letter in text if letter not in letters)


def test_a_name_made_of_words_of_the_script_is_only_a_name():
    random = Random(0)
    for _ in range(300):
        splits = random.choice([[""], ["train", "test"], ["train", "validation", "test"]])
        edited, chosen, layout = random.random() < 0.5, random.random() < 0.5, random.choice(["folders", "files"])

        def script_of(path, classes, folders):
            origin = Origin("folder", path=path, folders=tuple(zip(splits, folders, strict=False)), labels_from=layout)  # noqa: B023
            if edited:  # noqa: B023
                edits = Edits(((folders[0], classes[0]),), (folders[1],), (f"{folders[2]}/x.png",))
                origin = replace(origin, edits=edits)
            origin = replace(origin, classes=classes[:2] if chosen else ())  # noqa: B023
            summary = replace(SUMMARY, name=path, class_names=classes, origin=origin)
            # Config rejects what no file can be called.
            script = script_for(summary, Config(weights=without(path, "\0\ud800") + ".h5"))
            script.encode()
            return script

        path, *names = ("".join(random.choices(WORDS, k=random.randint(1, 4))) for _ in range(7))
        classes, folders = tuple(f"{i}{name}" for i, name in enumerate(names[:3])), tuple(names[3:])
        shape, texts = shape_and_texts(script_of(path, classes, folders))
        assert shape == shape_and_texts(script_of("x", ("a", "b", "c"), ("d", "e", "f")))[0]
        if layout == "folders":
            weights = without(path, "\0\ud800") + ".h5"
            assert {path, weights, *folders[: len(splits)], *(classes[:2] if chosen or edited else ())} <= texts


def test_images_of_a_folder_named_like_words_of_the_script_are_the_same(tmp_path):
    classes = ("SHARES", "ALL_CLASSES", "{x}", 'a"b\\', "CLASS_FOLDER", "\x1b[2J\u202e", "LEFT_OUT")
    root = tmp_path / "SHARED_PHOTOS"
    for i, name in enumerate(classes):
        for part, n in (("train", 6), ("test", 4)):
            (root / part / name).mkdir(parents=True)
            for j in range(n):
                (root / part / name / f"{j}.png").write_bytes(photograph(1000 * i + 100 * n + j))
    dataset = load_folder(root, image_size=24)
    assert len(dataset.class_names) == len(classes)
    assert_same_images(dataset)
    assert_same_images(load_folder(root, image_size=24, classes=["SHARES", "LEFT_OUT"]))


def test_a_script_is_short_enough_to_read():
    for name in ("textures", "faces", "digits"):
        lines = script_for(find_dataset(name).summary(), Config()).splitlines()
        assert len(lines) < 120
        assert max(map(len, lines)) <= 110


def test_a_script_of_a_comparison_is_that_of_its_settings():
    environment = Environment("3", "2", "3", tl_widgets.__version__, 2)
    comparison = Comparison(SUMMARY, Config(epochs=3), None, None, None, Verdict("stopped"), environment)
    assert to_script(comparison) == script_for(SUMMARY, Config(epochs=3))
    assert to_script(Comparison.from_json(comparison.to_json())) == to_script(comparison)


def test_an_unknown_backbone_or_data_set_is_refused():
    with pytest.raises(InputError, match="AlexNet"):
        script_for(SUMMARY, Config(backbone="AlexNet"))
    with pytest.raises(InputError, match="textures"):
        find_dataset("texture").summary()


@pytest.mark.parametrize(
    "spec",
    [
        ScratchSpec(),
        ScratchSpec((4,), (7,), "average", "global_average", 0, 0.5),
        ScratchSpec((4, 8), (3, 3), "none", "flatten", 6, 0.1),
    ],
)
@pytest.mark.parametrize("name", ["textures", "faces"])
def test_the_network_from_scratch_is_the_same(spec, name):
    summary = find_dataset(name).summary(image_size=32)
    script = script_for(summary, Config(scratch=spec))
    text = script[script.index("# From scratch:") : script.index("# Transfer:")]
    import keras

    found = {"keras": keras, "SIZE": 32}
    exec(text, found)
    theirs = tl_widgets.build_scratch((32, 32, 3), len(summary.class_names), **vars(spec))
    layers = [(type(layer).__name__, layer.output.shape) for layer in found["scratch"].layers]
    assert layers == [(type(layer).__name__, layer.output.shape) for layer in theirs.layers]
    expected = count_rows(scratch_ledger((32, 32, 3), len(summary.class_names), spec))
    assert found["scratch"].count_params() == expected.total
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype(np.float32)
    found["scratch"].set_weights(theirs.get_weights())
    np.testing.assert_allclose(found["scratch"](images), theirs(images), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["EfficientNetLite0", "EfficientNetB0"])
def test_the_backbones_give_the_same_features(backbone, tmp_path, monkeypatch):
    """The bundled weights, and random ones, whose recipe the script spells out, in a backbone that is cut."""
    monkeypatch.chdir(tmp_path)
    bundled = backbone == "EfficientNetLite0"
    if bundled:
        save_backbone("efficientnetlite0.keras")
        assert [path.name for path in tmp_path.iterdir()] == ["efficientnetlite0.keras"]
    cut = None if bundled else 7
    config = Config(backbone=backbone, weights="imagenet" if bundled else None, control=bundled, seed=4, cut=cut)
    found = models_of(script_for(SUMMARY, config))
    images = np.asarray(load_dataset(image_size=32).test.images[:4]).astype(np.float32)
    for name in ("transfer", "control") if bundled else ("transfer",):
        weights = "imagenet" if name == "transfer" and bundled else None
        ours = tl_widgets.build_transfer((32, 32, 3), 3, backbone=backbone, weights=weights, seed=4, cut=cut)
        ours.layers[-1].set_weights(found[name].layers[-1].get_weights())
        for training in (False, True):  # a frozen backbone answers the same while the head is trained
            answers = np.asarray(found[name](images, training=training))
            np.testing.assert_allclose(answers, np.asarray(ours(images)), atol=1e-4)
        assert tl_widgets.count_parameters(found[name]) == tl_widgets.count_parameters(ours)


def test_preprocessing_is_the_same_for_every_mode():
    import keras

    from tl_widgets.backbones.loading import build_preprocessing
    from tl_widgets.export.script import _preprocessing

    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)).astype(np.float32)
    by_mode = {entry.preprocess_mode: entry for entry in list_backbones()}
    assert {"tf", "torch", "caffe", "lite", "builtin_0_255"} <= set(by_mode)
    for entry in by_mode.values():
        _, line = _preprocessing(entry)
        ours = build_preprocessing(entry)
        assert bool(line) == (ours is not None)
        if ours is not None:
            found = {"keras": keras}
            exec(line, found)
            np.testing.assert_allclose(found["preprocessing"](pixels), ours(pixels), atol=1e-3)


def run(script, folder):
    (folder / "script.py").write_text(script, "utf-8")
    done = subprocess.run([sys.executable, "script.py"], cwd=folder, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    pattern = r"(\w+): test accuracy ([\d.]+), ([\d,]+) of ([\d,]+) parameters trained"
    return {
        name: (float(accuracy), int(trained.replace(",", "")), int(total.replace(",", "")))
        for name, accuracy, trained, total in re.findall(pattern, done.stdout)
    }


def assert_same_result(found, comparison, tolerance):
    assert set(found) == {one.name for one in comparison.runs}
    for one in comparison.runs:
        accuracy, trained, total = found[one.name]
        assert (trained, total) == (one.params.trainable, one.params.total)
        assert abs(accuracy - one.test_accuracy) <= tolerance[one.name], (one.name, accuracy, one.test_accuracy)


def watching_fine_tuning(script):
    """The script, which fails unless fine-tuning moves the weights of the last two blocks and of the head."""
    last = script.rindex("train_and_test(")
    return f"""{script[:last]}
before = transfer.get_weights()
{script[last:]}
pairs = zip(before, transfer.weights, strict=True)
moved = {{weight.path.split("/")[-2] for old, weight in pairs if not np.array_equal(old, weight)}}
assert moved == {{"block2_conv", "block3_conv", transfer.layers[-1].name}}, moved
"""


def test_running_the_script_gives_what_compare_gives(tmp_path):
    dataset, tuning = load_dataset(image_size=32), FineTuningSpec(n_blocks=2, epochs=4)
    with standing_in():
        small = ScratchSpec((4, 8), (3, 3), dense_units=16)
        comparison = tl_widgets.compare(dataset, scratch=small, epochs=20, learning_rate=1e-2, fine_tuning=tuning)
        save_backbone(tmp_path / "efficientnetlite0.keras")
        found = run(watching_fine_tuning(to_script(comparison)), tmp_path)
    assert comparison.transfer.test_accuracy > 0.6
    # Other initial weights and another order: from scratch that moves a lot.
    assert_same_result(found, comparison, {"scratch": 0.4, "transfer": 0.15, "fine_tuned": 0.15})


@pytest.mark.parametrize(("name", "n_blocks"), [("EfficientNetLite0", 3), ("Xception", 2), ("ResNet50", 1)])
def test_the_script_unfreezes_the_very_same_weights(name, n_blocks):
    entry = find_backbone(name)
    with keras.StatelessScope(initialize_variables=False):  # layers without values
        backbone = entry.family.build(entry, (80, 80, 3))
    freeze(backbone)
    cut_backbone(backbone, n_blocks)
    ours = [weight.path for weight in backbone.trainable_weights]
    backbone.trainable = False
    found = {"keras": keras, "re": re}
    exec(compile(UNFREEZE, "script", "exec"), found)
    model = keras.Sequential([keras.layers.Input((80, 80, 3)), backbone])
    found["unfreeze_last_blocks"](model, n_blocks)
    assert [weight.path for weight in backbone.trainable_weights] == ours
    assert not any("bn" in path for path in ours)


def test_a_script_says_what_it_leaves_out_of_the_repeats():
    script = script_for(SUMMARY, Config(seed=3, repeats=5))
    assert "made with 5 seeds, 3 to 7; this script makes the first" in ast.get_docstring(ast.parse(script))
    assert "SEED = 3" in script
    assert script_for(SUMMARY, Config()) == script_for(SUMMARY, Config(repeats=1, fine_tuning=None))
    tuned = script_for(SUMMARY, Config(control=True, fine_tuning=FineTuningSpec(2, 5, 3e-4)))
    calls = tuned[tuned.index('train_and_test("scratch", scratch)') :].splitlines()
    assert calls[2] == 'train_and_test("control", control)'
    assert calls[-1] == 'train_and_test("fine_tuned", transfer, epochs=5, learning_rate=0.0003)'


def test_the_script_of_photographs_loads_the_weights_file(assets):
    weights = str(Path(assets) / "weights/mobilenet_v2_notop.weights.h5")
    dataset = load_folder(assets / "data/flowers", image_size=64, n_per_class=4)
    found = models_of(script_for(summarize(dataset), Config(backbone="MobileNetV2", weights=weights)))
    np.testing.assert_array_equal(found["x_train"], np.asarray(dataset.train.images))
    ours = tl_widgets.build_transfer(dataset.image_shape, dataset.n_classes, backbone="MobileNetV2", weights=weights)
    ours.layers[-1].set_weights(found["transfer"].layers[-1].get_weights())
    images = np.asarray(dataset.test.images[:8], np.float32)
    expected = np.asarray(ours(images))
    assert expected.std(axis=0).min() > 1e-3
    np.testing.assert_allclose(found["transfer"](images), expected, atol=1e-4)
