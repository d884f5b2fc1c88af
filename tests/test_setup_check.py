"""check_setup: each mistake is found, and a model without them is left in peace."""

import functools
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from bench_setups import fake_weights
from keras import layers

from tl_widgets.core.errors import InputError
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.models.builders import build_scratch, build_transfer
from tl_widgets.setup_checks.check import check_setup

APPS = keras.applications
SHAPE = (64, 64, 3)


@pytest.fixture(scope="module")
def textures():
    return load_dataset("textures", image_size=48, n_per_class=6)


@pytest.fixture(scope="module")
def pictures():
    """24 colourful images with labels 0, 1, 2: float32 (24, 64, 64, 3), 0 to 255."""
    random = np.random.default_rng(0)
    colours = random.uniform(0, 255, (24, 8, 8, 3)) * (1.0, 0.6, 0.3)
    return np.kron(colours, np.ones((1, 8, 8, 1))).astype(np.float32), np.arange(24) % 3


def head(x, classes=3, activation="softmax"):
    return layers.Dense(classes, activation=activation)(layers.GlobalAveragePooling2D()(x))


def compiled(model, rate=1e-3, loss="sparse_categorical_crossentropy"):
    model.compile(keras.optimizers.Adam(rate), loss)
    return model


@functools.cache
def shared_backbone(function):
    """A backbone as if it were trained, built once: no test changes its weights.

    Of MobileNetV2, which most tests take, the first blocks; the bench of mistakes has the whole.
    """
    base = fake_weights(function(include_top=False, weights=None, input_shape=SHAPE))
    if function is not APPS.MobileNetV2:
        return base
    return keras.Model(base.inputs, base.get_layer("block_3_expand_relu").output, name=base.name)


def recipe(function, prepare=lambda x: x, *, frozen=True, rate=1e-3):
    """The official guide's functional model."""
    base = shared_backbone(function)
    base.trainable = not frozen
    inputs = keras.Input(SHAPE)
    return compiled(keras.Model(inputs, head(base(prepare(inputs), training=False))), rate)


def scaled(low, high):
    return lambda x: layers.Rescaling((high - low) / 255, offset=low)(x)


RIGHT = {
    "MobileNetV2 with Rescaling": lambda: recipe(APPS.MobileNetV2, scaled(-1, 1)),
    "MobileNetV2 with ops": lambda: recipe(APPS.MobileNetV2, APPS.mobilenet_v2.preprocess_input),
    "EfficientNetB0": lambda: recipe(APPS.EfficientNetB0),
    "scratch": lambda: compiled(build_scratch(SHAPE, 3)),
    "bundled": lambda: compiled(build_transfer(SHAPE, 3)),
    "augmented": lambda: recipe(
        APPS.MobileNetV2, lambda x: scaled(-1, 1)(layers.RandomFlip()(layers.RandomRotation(0.2)(x)))
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_nothing_is_said_of_what_is_right(pictures, name):
    model = RIGHT[name]()
    before = [weight.numpy() for weight in model.weights]
    assert check_setup(model, pictures) == ()
    assert all(np.array_equal(old, new.numpy()) for old, new in zip(before, model.weights, strict=True))


def test_only_the_first_batches_of_a_tf_data_set_are_read(pictures):
    endless = tf.data.Dataset.from_tensor_slices(pictures).batch(8).repeat()
    for name in ("MobileNetV2 with Rescaling", "EfficientNetB0", "scratch"):
        assert check_setup(RIGHT[name](), endless) == ()


def test_images_that_were_prepared_in_the_data(pictures):
    images, labels = pictures
    prepared = APPS.resnet.preprocess_input(images.copy()), labels
    assert check_setup(recipe(APPS.ResNet50), prepared) == ()
    assert check_setup(recipe(APPS.MobileNetV2), (images / 127.5 - 1, labels)) == ()
    (found,) = check_setup(recipe(APPS.MobileNetV2), prepared)
    assert "prepared as for ResNet50" in found
    (found,) = check_setup(recipe(APPS.EfficientNetB0), (images / 255, labels))
    assert "expects raw pixels" in found
    (found,) = check_setup(recipe(APPS.MobileNetV2, scaled(-1, 1)), (images / 255, labels))
    assert "scaled twice" in found


@pytest.mark.parametrize(
    ("backbone", "order"), [("SqueezeNet", "blue, green, red"), ("EfficientNetLite0", "red, green, blue")]
)
def test_channels_in_the_wrong_order(backbone, order):
    dataset = load_dataset("photographs", image_size=SHAPE[0])
    images, labels = np.asarray(dataset.test.images, np.float32), dataset.test.labels
    model = compiled(build_transfer(SHAPE, 7, backbone=backbone))
    assert check_setup(model, (images, labels)) == ()
    preprocessing, *others = model.layers
    swapped = compiled(keras.Sequential([keras.Input(SHAPE), Swapped(), preprocessing, *others]))
    (found,) = check_setup(swapped, (images, labels))
    assert f"which expects {order}" in found
    assert "Red and blue are swapped" in found
    if backbone == "SqueezeNet":  # the mean is subtracted, but the channels stay as they are
        mean = layers.Rescaling(1.0, offset=[-103.939, -116.779, -123.68])
        (found,) = check_setup(compiled(keras.Sequential([keras.Input(SHAPE), mean, *others])), (images, labels))
        assert "Red and blue are swapped" in found


class Swapped(layers.Layer):
    """Red, green, blue in reverse."""

    def call(self, x):
        return x[..., ::-1]


@pytest.mark.parametrize(
    ("function", "prepare", "said"),
    [
        (APPS.MobileNetV2, lambda x: x, "Raw pixels"),
        (APPS.MobileNetV2, scaled(0, 1), "only divided by 255"),
        (APPS.MobileNetV2, lambda x: scaled(-1, 1)(scaled(0, 1)(x)), "scaled twice"),
        (APPS.ResNet50, scaled(-1, 1), "expects BGR"),
        (APPS.DenseNet121, APPS.resnet.preprocess_input, "expects values standardized"),
    ],
)
def test_pixels_that_a_functional_model_hands_over(pictures, function, prepare, said):
    (found,) = check_setup(recipe(function, prepare), pictures)
    assert said in found


def test_a_backbone_whose_layers_are_inlined(pictures):
    for prepare, n in ((scaled(-1, 1), 0), (lambda x: x, 1)):
        inputs = keras.Input(SHAPE)
        base = fake_weights(APPS.MobileNetV2(include_top=False, weights=None, input_tensor=prepare(inputs)))
        base.trainable = False
        model = compiled(keras.Model(inputs, head(base.output)))
        assert len(check_setup(model, pictures)) == n


def test_random_weights_and_batch_normalization(pictures):
    base = APPS.MobileNetV2(include_top=False, weights=None, input_shape=SHAPE)
    base.trainable = False
    inputs = keras.Input(SHAPE)
    model = compiled(keras.Model(inputs, head(base(scaled(-1, 1)(inputs)))))
    (found,) = check_setup(model, pictures)
    assert "frozen with random weights" in found
    base.trainable = True
    model = compiled(model)  # from scratch: any right
    assert check_setup(model, pictures) == ()
    fake_weights(base)
    found = " ".join(check_setup(model, pictures))
    assert "runs in training mode" in found
    assert "destroys what it has learned" in found
    for layer in base.layers:
        layer.trainable = not isinstance(layer, layers.BatchNormalization)
    assert check_setup(compiled(model, 1e-5), pictures) == ()


def test_batch_normalization_in_a_backbone_that_was_called_with_training_false(pictures):
    (found,) = check_setup(recipe(APPS.MobileNetV2, scaled(-1, 1), frozen=False, rate=1e-5), pictures)
    assert found.endswith("training=False in the call does not prevent it.")


def test_an_outer_fit_runs_batch_normalization_in_training_mode_whatever_the_call_says(pictures):
    """What check_setup says of Keras, in a backbone of two layers, because fit() compiles a large one for long."""
    inside = keras.Input(SHAPE)
    base = keras.Model(inside, layers.BatchNormalization()(layers.Conv2D(4, 3, 4)(inside)))
    fake_weights(base)
    inputs = keras.Input(SHAPE)
    model = compiled(keras.Model(inputs, head(base(scaled(-1, 1)(inputs), training=False))), rate=1e-5)
    (found,) = check_setup(model, pictures)
    assert "runs in training mode" in found
    assert found.endswith("training=False in the call does not prevent it.")
    averages = [weight.numpy() for weight in model.non_trainable_weights]
    model.fit(*pictures, batch_size=8, verbose=0)
    moved = [np.abs(w.numpy() - old).max() for w, old in zip(model.non_trainable_weights, averages, strict=True)]
    assert max(moved) > 1e-3


def test_trainable_changed_after_compile(textures):
    model = compiled(build_transfer(textures.image_shape, 3), rate=0.1)
    model.run_eagerly = True  # one step is not worth a graph
    model.train_on_batch(textures.train.images[:4], textures.train.labels[:4])
    assert "compile it again" not in " ".join(check_setup(model, textures))
    model.get_layer("efficientnetlite0").trainable = True
    found = " ".join(check_setup(model, textures))
    for said in ("learning rate of Adam is 0.1", "compile it again", "BatchNormalization inside"):
        assert said in found, said


@pytest.mark.parametrize(
    ("units", "activation", "loss", "labels", "said"),
    [
        (3, "softmax", keras.losses.SparseCategoricalCrossentropy(from_logits=True), "whole", "leave out one"),
        (1, "sigmoid", keras.losses.BinaryCrossentropy(from_logits=True), "two", "leave out one"),
        (3, None, "sparse_categorical_crossentropy", "whole", "without sigmoid or softmax"),
        (3, "softmax", "binary_crossentropy", "one-hot", "answers separately"),
        (3, "softmax", "sparse_categorical_crossentropy", "one-hot", "one-hot, but the loss is sparse"),
        (3, "softmax", "categorical_crossentropy", "whole", "whole numbers"),
        (2, "softmax", "sparse_categorical_crossentropy", "whole", "label 2"),
        (1, "softmax", "binary_crossentropy", "two", "always 1"),
        (1, "sigmoid", "binary_crossentropy", "whole", "0 to 2"),
        (1, "sigmoid", "categorical_crossentropy", "two", "one unit for each class"),
        (3, "sigmoid", "sparse_categorical_crossentropy", "whole", "add up to 100%"),
        (3, "softmax", "sparse_categorical_crossentropy", "whole", None),
        (3, None, keras.losses.SparseCategoricalCrossentropy(from_logits=True), "whole", None),
        (1, "sigmoid", "binary_crossentropy", "two", None),
        (3, "sigmoid", "binary_crossentropy", "one-hot", None),
    ],
)
def test_loss_labels_and_last_layer(pictures, units, activation, loss, labels, said):
    images, whole = pictures
    kinds = {"whole": whole, "two": whole % 2, "one-hot": np.eye(3)[whole]}
    layer = layers.Dense(units, activation=activation)
    model = keras.Sequential([layers.Input(SHAPE), layers.Conv2D(4, 3, 4), layers.Flatten(), layer])
    found = check_setup(compiled(model, loss=loss), (images / 255, kinds[labels]))
    assert (found == ()) if said is None else (len(found) == 1 and said in found[0])


def test_bottleneck_and_answers_for_each_pixel(pictures):
    (found,) = check_setup(compiled(build_scratch(SHAPE, 3, dense_units=6)), pictures)
    assert "6 ReLU units" in found
    # The article's network as it was printed.
    article = [layers.Input(SHAPE), layers.Conv2D(8, 5, padding="same"), layers.Dense(1, activation="sigmoid")]
    found = check_setup(compiled(keras.Sequential(article), loss="binary_crossentropy"), pictures)
    assert "one for each pixel" in " ".join(found)
    inputs = keras.Input(SHAPE)  # a squeeze-and-excite block is no bottleneck
    x = layers.Conv2D(32, 3, 4)(inputs)
    gate = layers.Dense(32, activation="sigmoid")(
        layers.Dense(4, activation="relu")(layers.GlobalAveragePooling2D()(x))
    )
    model = compiled(keras.Model(inputs, head(layers.Multiply()([x, layers.Reshape((1, 1, 32))(gate)]))))
    assert check_setup(model, (pictures[0] / 255, pictures[1])) == ()


def test_images_in_two_splits(textures, pictures):
    model = compiled(build_transfer(textures.image_shape, 3))
    (found,) = check_setup(model, replace(textures, test=textures.train))
    assert "18 training images" in found
    images, labels = pictures
    small = compiled(build_scratch(SHAPE, 3))
    assert check_setup(small, (images[:16], labels[:16]), validation=(images[16:], labels[16:])) == ()
    (found,) = check_setup(small, pictures, validation=(images.copy(), labels))
    assert "All validation images" in found
    for reshuffle, n in ((True, 1), (False, 0)):
        pool = tf.data.Dataset.from_tensor_slices(pictures).shuffle(24, seed=1, reshuffle_each_iteration=reshuffle)
        found = check_setup(small, pool.take(16).batch(8), validation=pool.skip(16).batch(8))
        assert len(found) == n
        assert all("shuffled anew" in one or "validation images as well" in one for one in found)


def test_odd_models_get_a_sentence(pictures):
    assert "no weights yet" in check_setup(keras.Sequential([layers.Dense(3)]), pictures)[0]
    first, second = keras.Input(SHAPE), keras.Input((5,))
    two = keras.Model([first, second], layers.Concatenate()([head(first), second]))
    assert isinstance(check_setup(two, pictures), tuple)

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.base = build_scratch(SHAPE, 3)

        def call(self, x):
            return self.base(x)

    own = Own()
    own(pictures[0][:1])
    assert isinstance(check_setup(compiled(own), pictures), tuple)
    with pytest.raises(InputError, match="takes a keras"):
        check_setup("model", pictures)
    for data in ("textures", iter([]), np.zeros((3, 3))):
        with pytest.raises(InputError):
            check_setup(own, data)


class Wrapped(layers.Layer):
    """A backbone two storeys down, as people write it who like classes."""

    def __init__(self, base):
        super().__init__()
        self.base = base

    def call(self, x):
        return self.base(x, training=False)


class Subclassed(keras.Model):
    """The recipe as a class, with `call` and no graph."""

    def __init__(self, prepare, answer, finish=lambda x: x, *, frozen=True, wrap=lambda base: base):
        super().__init__()
        self.answer = answer  # layers are noted in the order of attributes, which says nothing
        base = shared_backbone(APPS.MobileNetV2)
        base.trainable = not frozen
        self.base, self.pool = wrap(base), layers.GlobalAveragePooling2D()
        self.prepare, self.finish = prepare, finish

    def call(self, x):
        return self.finish(self.answer(self.pool(self.base(self.prepare(x)))))


def subclassed(pictures, prepare=APPS.mobilenet_v2.preprocess_input, answer=None, loss=None, rate=1e-3, **how):
    model = Subclassed(prepare, answer or layers.Dense(3, "softmax"), **how)
    model(pictures[0][:1])
    return compiled(model, rate, loss or "sparse_categorical_crossentropy")


WITHOUT_A_GRAPH = "Not checked, because a subclassed model has no graph to read: bottlenecks."


@pytest.mark.parametrize("how", [{}, {"wrap": Wrapped}])
def test_a_subclassed_model_without_mistakes_hears_what_was_not_checked(pictures, how):
    model = subclassed(pictures, **how)
    before = [weight.numpy() for weight in model.weights]
    assert check_setup(model, pictures) == (WITHOUT_A_GRAPH,)
    assert all(np.array_equal(old, new.numpy()) for old, new in zip(before, model.weights, strict=True))
    assert not [layer for layer in model._flatten_layers() if "call" in vars(layer)]  # it was listened to, no more


LOGITS = {"from_logits": True}


@pytest.mark.parametrize(
    ("how", "labels", "said"),
    [
        ({"prepare": lambda x: x}, "whole", "Raw pixels"),
        ({"prepare": lambda x: x, "wrap": Wrapped}, "whole", "Raw pixels"),
        ({"prepare": lambda x: x / 255}, "whole", "only divided by 255"),
        ({"rate": 0.1}, "whole", "learning rate of Adam is 0.1"),
        ({"answer": layers.Dense(3)}, "whole", "without sigmoid or softmax"),
        ({"answer": layers.Dense(3), "finish": keras.ops.softmax}, "whole", None),
        ({"answer": layers.Dense(3), "loss": keras.losses.SparseCategoricalCrossentropy(**LOGITS)}, "whole", None),
        ({"loss": keras.losses.SparseCategoricalCrossentropy(**LOGITS)}, "whole", "ends with softmax and the loss"),
        ({"answer": layers.Dense(1, "sigmoid"), "loss": "binary_crossentropy"}, "whole", "0 to 2"),
        ({"answer": layers.Dense(1, "sigmoid"), "loss": "binary_crossentropy"}, "two", None),
        ({}, "one-hot", "one-hot, but the loss is sparse"),
        ({"answer": layers.Dense(2, "softmax")}, "whole", "label 2"),
        ({"frozen": False, "rate": 1e-5}, "whole", "runs in training mode"),
    ],
)
def test_mistakes_in_a_subclassed_model(pictures, how, labels, said):
    images, whole = pictures
    kinds = {"whole": whole, "two": whole % 2, "one-hot": np.eye(3)[whole]}
    *found, left_out = check_setup(subclassed(pictures, **how), (images, kinds[labels]))
    assert left_out == WITHOUT_A_GRAPH
    assert (found == []) if said is None else (len(found) == 1 and said in found[0]), found


def test_a_subclassed_model_that_is_changed_or_answers_for_each_pixel(pictures):
    model = subclassed(pictures, rate=1e-5)
    model.run_eagerly = True
    model.train_on_batch(pictures[0][:4], pictures[1][:4])
    for layer in model.base.layers[-3:]:
        layer.trainable = not isinstance(layer, layers.BatchNormalization)
    model.base.trainable = True
    assert "compile it again" in " ".join(check_setup(model, pictures))
    assert "All validation images" in " ".join(
        check_setup(model, pictures, validation=(pictures[0].copy(), pictures[1]))
    )

    class PerPixel(keras.Model):
        def __init__(self):
            super().__init__()
            self.one, self.two = layers.Conv2D(8, 3), layers.Dense(1, "sigmoid")

        def call(self, x):
            return self.two(self.one(x))

    model = PerPixel()
    model(pictures[0][:1])
    found = check_setup(model, pictures)
    assert "one for each pixel" in found[0]
    assert "loss, labels and learning rate (it is not compiled)" in found[-1]
    assert "no part of it is a functional or Sequential model" in found[-1]


def test_real_weights(assets):
    folder = assets / "weights"
    file = next(folder.glob("*obile*et*"), None)
    if file is None:
        pytest.skip("no MobileNetV2 weights")
    image = np.random.default_rng(0).uniform(0, 255, (8, *SHAPE)).astype(np.float32)
    base = APPS.MobileNetV2(include_top=False, weights=str(file), input_shape=SHAPE)
    base.trainable = False
    for before, n in (([layers.Rescaling(1 / 127.5, offset=-1)], 0), ([], 1)):
        stack = [layers.Input(SHAPE), *before, base, layers.GlobalAveragePooling2D(), layers.Dense(3, "softmax")]
        assert len(check_setup(compiled(keras.Sequential(stack)), (image, np.arange(8) % 3))) == n


def small(*before, shape=SHAPE):
    """A network from scratch."""
    parts = [*before, layers.Conv2D(4, 3, activation="relu"), layers.GlobalAveragePooling2D()]
    model = keras.Sequential([keras.Input(shape), *parts, layers.Dense(3, activation="softmax")])
    return compiled(model)


def test_images_of_another_size_than_the_model_takes(pictures):
    (said,) = check_setup(small(shape=(96, 96, 3)), pictures)
    assert said.startswith("The images are 64 × 64 × 3, and the model takes 96 × 96 × 3: load them in that size")


def test_raw_pixels_for_a_network_from_scratch(pictures):
    model = small(shape=(None, None, 3))
    (said,) = check_setup(model, pictures)
    assert "Raw pixels of 0 to 255 go into a network without normalization" in said
    model.optimizer.iterations.assign(1)  # as if trained on them, with answers that differ
    model.layers[-1].kernel.assign(model.layers[-1].kernel / 1000)
    assert check_setup(model, pictures) == ()


def test_a_network_from_scratch_whose_images_are_scaled_twice(pictures):
    images, labels = pictures
    (said,) = check_setup(small(layers.Rescaling(1 / 255)), (images / 255, labels))
    assert "the first convolution, gets lie between" in said
    assert "they are scaled twice" in said
    assert check_setup(small(), (images / 255, labels)) == ()
    assert check_setup(small(layers.Rescaling(1 / 255)), pictures) == ()
    flat = np.full_like(images, 7.0)
    assert check_setup(small(layers.Rescaling(1 / 255)), (flat, labels)) == ("The images are blank: every pixel is 7.",)
