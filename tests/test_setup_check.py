"""check_setup: each mistake is found, and a model without them is left in peace."""

from dataclasses import replace

import keras
import pytest

from tl_widgets.builtin import load_dataset
from tl_widgets.models import build_scratch, build_transfer
from tl_widgets.setup_check import check_setup


@pytest.fixture(scope="module")
def textures():
    return load_dataset("textures", image_size=48, n_per_class=6)


def transfer(dataset, before=None, rate=1e-3):
    model = build_transfer(dataset.image_shape, 3)
    layers = list(model.layers)
    if before is not None:
        layers[:1] = before(layers[0])
    model = keras.Sequential([keras.layers.Input(dataset.image_shape), *layers])
    model.compile(keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy())
    return model


def test_nothing_is_said_of_what_is_right(textures):
    assert check_setup(transfer(textures), textures) == ()
    assert check_setup(build_scratch(textures.image_shape, 3), textures) == ()


@pytest.mark.parametrize(
    ("before", "said"),
    [(lambda one: [], "Raw pixels"), (lambda one: [keras.layers.Rescaling(1 / 255), one], "scaled twice")],
)
def test_pixels(textures, before, said):
    (found,) = check_setup(transfer(textures, before), textures)
    assert said in found


def test_rate_and_trainable_and_batch_normalization(textures):
    model = transfer(textures, rate=0.1)
    model.train_on_batch(textures.train.images[:4], textures.train.labels[:4])
    assert "compile it again" not in " ".join(check_setup(model, textures))
    model.get_layer("efficientnetlite0").trainable = True
    found = " ".join(check_setup(model, textures))
    for said in ("learning rate of Adam is 0.1", "compile it again", "BatchNormalization inside"):
        assert said in found, said


def test_loss_and_bottleneck(textures):
    model = build_scratch(textures.image_shape, 3, dense_units=6)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    found = " ".join(check_setup(model, textures))
    assert "from_logits=True: leave out one" in found
    assert "6 ReLU units" in found


def test_images_in_two_splits(textures):
    (found,) = check_setup(transfer(textures), replace(textures, test=textures.train))
    assert "18 training images" in found
