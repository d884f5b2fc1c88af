"""The core builder against the article, hand arithmetic, Keras's own summary, and a process without tl_widgets."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from tl_widgets.backbones.family import PREPROCESSING
from tl_widgets.core.errors import InputError
from tl_widgets.models.builders import build_scratch, build_transfer, count_parameters

BLOCK_TL_WIDGETS = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "tl_widgets":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Block())
"""


def test_the_articles_network_is_reproduced_exactly():
    model = build_scratch((128, 128, 3), 2, dense_units=6)
    assert count_parameters(model).total == model.count_params() == 291_405
    assert model.output_shape == (None, 1)
    assert model.layers[-1].activation is keras.activations.sigmoid


def test_the_articles_transfer_model_with_xception():
    model = build_transfer((71, 71, 3), 5, backbone="Xception", weights=None)  # any size has as many parameters
    count = count_parameters(model)
    assert (count.trainable, count.frozen) == (10_245, 20_861_480)
    assert model.output_shape == (None, 5)
    assert model.layers[-1].activation is keras.activations.softmax


def test_counts_agree_with_the_summary(capsys):
    model = build_transfer((64, 64, 3), 3, backbone="MobileNetV3Small", weights=None)
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    text, count = "\n".join(lines), count_parameters(model)
    assert f"Trainable params: {count.trainable:,}" in text
    assert f"Non-trainable params: {count.frozen:,}" in text
    assert f"Total params: {count.total:,}" in text


def test_moving_averages_count_as_frozen():
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3), keras.layers.BatchNormalization()])
    assert (count_parameters(model).trainable, count_parameters(model).frozen) == (15 + 6, 6)


def test_only_the_head_is_trainable():
    model = build_transfer((64, 64, 3), 4, head_dropout=0.3)
    assert [weight.path.split("/")[-2] for weight in model.trainable_weights] == ["output", "output"]
    assert model.get_layer("output").kernel.shape == (1280, 4)


def test_a_seed_gives_the_same_weights_and_touches_no_global_seed():
    import random

    import tensorflow as tf

    random.seed(1)
    np.random.seed(1)
    tf.random.set_seed(1)
    expected = (random.Random(1).random(), np.random.RandomState(1).rand())
    first, again, other = (build_scratch((32, 32, 3), 3, seed=seed) for seed in (5, 5, 6))
    build_transfer((32, 32, 3), 3, weights=None, seed=5)
    assert (random.random(), np.random.rand()) == expected
    for a, b in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first.get_weights()[0], other.get_weights()[0])
    kernels = [w for w in first.get_weights() if w.ndim > 1]
    assert not np.array_equal(kernels[0].ravel()[:9], kernels[1].ravel()[:9])


@pytest.mark.parametrize(("n_classes", "units"), [(2, 1), (3, 3), (10, 10)])
def test_two_classes_get_a_sigmoid_unit_more_get_softmax(n_classes, units, tiny_backbone):
    transfer = build_transfer((32, 32, 3), n_classes, backbone=tiny_backbone)
    for model in (build_scratch((32, 32, 3), n_classes), transfer):
        answers = np.asarray(model(np.zeros((2, 32, 32, 3), np.uint8)))
        assert answers.shape == (2, units)
        assert ((answers >= 0) & (answers <= 1)).all()
        if units > 1:
            np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-5)


def test_one_class_is_refused():
    with pytest.raises(InputError, match="at least 2"):
        build_scratch((32, 32, 3), 1)


def test_a_saved_model_takes_raw_pixels_where_tl_widgets_is_not_installed(tmp_path):
    """Three backbones and every way of preparing pixels in one process, because loading Keras takes longest."""
    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), np.uint8)
    np.save(tmp_path / "images.npy", images)
    expected = {}
    for backbone in ("EfficientNetLite0", "MobileNetV2", "MobileNetV3Small"):
        weights = "imagenet" if backbone == "EfficientNetLite0" else None
        model = build_transfer((32, 32, 3), 3, backbone=backbone, weights=weights)
        model.save(tmp_path / f"{backbone}.keras")
        expected[backbone] = np.asarray(model(images))  # `predict` would compile each; the next process does that once
        assert expected[backbone].std() > 1e-6
    for name, kind in PREPROCESSING.items():
        if (layer := kind.layer("preprocessing")) is not None:
            model = keras.Sequential([keras.layers.Input((32, 32, 3)), layer])
            model.save(tmp_path / f"{name}.keras")
            expected[name] = np.asarray(model(images))
    assert len(expected) >= 7
    code = BLOCK_TL_WIDGETS + (
        "import keras, numpy as np, pathlib\n"
        "try:\n    import tl_widgets\nexcept ModuleNotFoundError:\n    pass\nelse:\n    sys.exit('it is there')\n"
        "for path in pathlib.Path().glob('*.keras'):\n"
        "    model = keras.models.load_model(path)\n"
        "    has_head = model.layers[-1].name == 'output'\n"
        "    assert len(model.trainable_weights) == 2 * has_head, 'only the head can be trained'\n"
        "    images = np.load('images.npy')\n"
        "    lite = path.stem == 'EfficientNetLite0'\n"
        "    np.save(path.stem, model.predict(images, verbose=0) if lite else model(images))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    for backbone, answers in expected.items():
        np.testing.assert_allclose(np.load(tmp_path / f"{backbone}.npy"), answers, atol=1e-5, err_msg=backbone)
