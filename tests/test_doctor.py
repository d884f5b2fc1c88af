"""check_setup after a training, check_prediction, `tl-widgets check`, and models of any origin."""

import json
import os
import zipfile

import h5py
import keras
import numpy as np
import pytest
from bench_setups import SHAPE, compiled, net, pictures
from keras import layers
from PIL import Image

from tl_widgets.cli import main as cli
from tl_widgets.core.errors import InputError
from tl_widgets.setup_checks.check import check_setup
from tl_widgets.setup_checks.prediction import check_prediction
from tl_widgets.setup_checks.untrusted import load_untrusted


@pytest.fixture(scope="module")
def model():
    return net()


def curves(*accuracy, val=None, loss=None, val_loss=None):
    found = {"accuracy": accuracy, "loss": loss or [1 - value for value in accuracy]}
    return {**found, **({"val_accuracy": val} if val else {}), **({"val_loss": val_loss} if val_loss else {})}


GOOD = (0.5, 0.7, 0.8, 0.85, 0.9)


@pytest.mark.parametrize(
    ("history", "said"),
    [
        (curves(0.4, 0.5, 0.5, loss=[1.0, float("nan"), float("nan")]), "The loss is nan from epoch 2"),
        (curves(0.4, 0.3, 0.3, loss=[1.0, 20.0, 900.0]), "explodes"),
        (curves(0.33, 0.34, 0.33, 0.33), "stuck at chance"),
        (curves(0.4), "1 epoch is too few"),
        (curves(*GOOD, val=[0.4, 0.5, 0.55, 0.5, 0.5]), "overfits"),
        (curves(*GOOD, val=[0.5, 0.7, 0.8, 0.8, 0.8], val_loss=[0.6, 0.5, 0.6, 0.7, 0.8, 0.9]), "overfits"),
        (curves(*GOOD, val=[0.3, 0.35, 0.3, 0.32, 0.33]), "labels look permuted"),
        (curves(0.5, 0.5, 0.5, 0.55, 0.55, val=[0.9, 0.9, 0.9, 0.95, 0.95]), "above the training accuracy"),
        (curves(*GOOD, val=[0.5, 0.7, 0.8, 0.82, 0.85]), None),
        (curves(*GOOD), None),
    ],
)
def test_what_curves_say(model, history, said):
    x, y = pictures(160)
    new, new_y = pictures(120, seed=9)
    found = check_setup(model, (x, y), validation=(new, new_y), history=history)
    found = [text for text in found if "names class" not in text]  # this model isn't trained
    assert (found == []) if said is None else (len(found) == 1 and said in found[0]), found


def test_few_validation_images_and_a_history_that_is_none(model):
    x, y = pictures()
    found = check_setup(model, (x[:32], y[:32]), validation=(x[32:], y[32:]), history=curves(*GOOD, val=GOOD))
    assert any("measured on 16 images, which leaves ± 24 points" in text for text in found), found
    for wrong in ("good", {"loss": "abc"}, 3):
        with pytest.raises(InputError, match="history"):
            check_setup(model, (x, y), history=wrong)


def test_a_model_that_cannot_memorize_its_images():
    x, y = pictures()
    able = net(rate=1e-2)
    before = able.get_weights()
    assert check_setup(able, (x, y), memorize=True) == ()
    assert all(np.array_equal(old, new) for old, new in zip(before, able.get_weights(), strict=True))
    (*_, found) = check_setup(net(rate=1e-9), (x, y), memorize=True)
    assert "couldn't memorize 16" in found


def test_a_trained_model_that_gives_one_answer():
    x, y = pictures()
    model = net()
    model.layers[-1].kernel.assign(np.zeros(model.layers[-1].kernel.shape))
    found = check_setup(model, (x, y), history=curves(*GOOD))
    assert any("gives every image the same answer" in text for text in found), found


def test_one_class_for_all_images_is_called_common_only_where_it_is():
    x, y = pictures()
    model = net()
    kernel, bias = model.layers[-1].weights
    kernel.assign(0.1 * kernel)
    bias.assign([0, 10, 0])
    common = np.where(y == 2, 1, y)
    for labels, why in ((y, "its answer doesn't depend on the image"), (common, "which class is the most common")):
        found = check_setup(model, (x, labels), history=curves(*GOOD))
        assert any("names class 1 for each of the" in text and why in text for text in found), found


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x: x, None),
        (lambda x: x.astype("uint8"), None),
        (lambda x: x / 255, "scaled in another way"),
        (lambda x: x / 127.5 - 1, "scaled in another way"),
        (lambda x: x[..., ::-1], "Red and blue are swapped"),
        (lambda x: x[0], "takes a batch"),
        (lambda x: x[:, ::2, ::2], "16 × 16"),
        (lambda x: x.transpose(0, 3, 1, 2), "channels come first"),
        (lambda x: x.mean(-1, keepdims=True), "gray"),
        (lambda x: np.where(x > 200, np.nan, x), "NaN"),
        (lambda x: np.pad(x[:, 4:-4], ((0, 0), (4, 4), (0, 0), (0, 0))), "bars"),
    ],
)
def test_what_a_model_sees_at_prediction(model, change, said):
    x, y = pictures()
    found = check_prediction(model, change(x[:12]), like=(x, y))
    assert (found == ()) if said is None else said in " ".join(found), found


def test_one_image_of_the_training_that_opencv_read(model):
    x, y = pictures()
    (found,) = check_prediction(model, x[3:4, ..., ::-1], like=(x, y))
    assert "swapped" in found
    assert check_prediction(model, x[3:4], like=(x, y)) == ()


def test_a_file_before_a_prediction(model, tmp_path):
    x, y = pictures()
    Image.fromarray(x[0].astype("uint8")).save(tmp_path / "good.png")
    Image.fromarray(x[0].astype("uint8")).resize((80, 32)).convert("RGBA").save(tmp_path / "wide.png")
    assert check_prediction(model, tmp_path / "good.png", like=(x, y)) == ()
    (found,) = check_prediction(model, str(tmp_path / "good.png"), like=(x / 255, y))
    assert "batch / 255" in found
    found = " ".join(check_prediction(model, tmp_path / "wide.png", like=(x, y)))
    assert "distorts it" in found
    assert "transparent" in found
    (tmp_path / "text.png").write_text("no image")
    for path, said in (("text.png", "can't be read as an image"), ("missing.png", "no file"), (os.devnull, "ordinary")):
        with pytest.raises(InputError, match=said):
            check_prediction(model, tmp_path / path)
    with pytest.raises(InputError, match="built"):
        check_prediction(keras.Sequential([layers.Dense(1)]), x)


def test_a_prediction_without_training_data(model):
    x, _ = pictures()
    assert check_prediction(model, x) == ()
    assert "scaled twice" in check_prediction(model, x / 255)[0]


@pytest.fixture
def photos(tmp_path):
    x, y = pictures(48)
    for i, (image, label) in enumerate(zip(x, y, strict=True)):
        (tmp_path / "photos" / "abc"[label]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.astype("uint8")).save(tmp_path / "photos" / "abc"[label] / f"{i}.png")
    return tmp_path / "photos"


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_the_terminal_checks_a_saved_model(photos, tmp_path, capsys, name, model):
    model.save(tmp_path / name)
    status = cli.main(["check", str(tmp_path / name), str(photos), "--quiet"])
    shown = capsys.readouterr().out
    assert (status, "No mistake was found" in shown) == ((0, True) if name == "model.keras" else (1, False)), shown
    wrong = net(end=None)
    wrong.save(tmp_path / name)
    assert cli.main(["check", str(tmp_path / name), str(photos), "--quiet"]) == 1
    shown = capsys.readouterr().out
    assert "without sigmoid or softmax" in shown
    assert "where:" in shown


def rewritten(path, change):
    """Change the description of a .keras file."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    change(config)
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_nothing_in_a_model_of_any_origin_is_run(tmp_path, model):
    path, made = tmp_path / "model.keras", tmp_path / "made"
    inputs = keras.Input(SHAPE)
    x = layers.Flatten()(layers.Lambda(lambda image: image / 255)(inputs))
    compiled(keras.Model(inputs, layers.Dense(3, activation="softmax")(x))).save(path)
    with pytest.raises(InputError, match="holds a layer Lambda, which would run code"):
        load_untrusted(path)
    evil = {
        "the class os.system": {"module": "os", "class_name": "system", "config": f"touch {made}"},
        "the class pathlib.Path": {"module": "pathlib", "class_name": "Path", "config": {"path": str(made)}},
        "eval of Python": {"module": "builtins", "class_name": "eval", "config": "1"},
        "a class mine>Own": {"module": None, "class_name": "Own", "config": {}, "registered_name": "mine>Own"},
    }
    for config in evil.values():
        model.save(path)
        rewritten(path, lambda whole, config=config: whole["config"]["layers"].append(config))
        with pytest.raises(InputError, match="would run code from the file"):
            load_untrusted(path)
    assert not made.exists()
    model.save(path)
    assert load_untrusted(path).output_shape == (None, 3)


def test_files_that_are_no_models_get_a_sentence(tmp_path, model):
    (tmp_path / "text.keras").write_text("no model")
    (tmp_path / "text.txt").write_text("no model")
    with h5py.File(tmp_path / "links.h5", "w") as file:
        file["x"] = h5py.ExternalLink("/etc/other.h5", "/")
    model.save_weights(tmp_path / "only.weights.h5")
    os.mkfifo(tmp_path / "pipe.json")
    for name, said in {
        "text.keras": "can't be opened", "text.txt": "ending .keras", "links.h5": "links to another file",
        "only.weights.h5": "weights only", "missing.keras": "there is no file",
        "pipe.json": "no ordinary file", ".": "a folder",
    }.items():  # fmt: skip
        with pytest.raises(InputError, match=said):
            load_untrusted(tmp_path / name)
