"""Mistakes that people report, and set-ups that are right: how many mistakes check_setup names, and whom it accuses.

`python tests/bench_of_mistakes.py` prints recall and false alarms; `-v` prints each finding. test_bench_of_mistakes.py
bounds both. The images are 32 or 64 pixels wide and the weights random, so all of it takes less than a minute.
"""

import re
import sys
import time
import warnings

import keras
import numpy as np
import tensorflow as tf
from bench_setups import (
    APPS,
    BINARY,
    CATEGORICAL,
    SHAPE,
    Batches,
    compiled,
    correct,
    cut_backbone,
    fake_weights,
    fitted,
    generator,
    inlined,
    net,
    one_hot,
    photos,
    pictures,
    stack,
    transfer,
    two_outputs,
)  # fmt: skip
from keras import layers
from keras.src.legacy.preprocessing.image import ImageDataGenerator

from tl_widgets.setup_checks.check import find_mistakes

SGD, ADAM = keras.optimizers.SGD, keras.optimizers.Adam


def saved_and_loaded(model, folder):
    path = f"{folder}/model.h5"
    model.save(path)
    return keras.models.load_model(path)


def unfrozen(name, rate=1e-5):
    base = keras.models.clone_model(cut_backbone(name))
    base.set_weights(cut_backbone(name).get_weights())
    for layer in base.layers:  # a clone keeps what its own `trainable` says from its layers
        layer.trainable = True
    return transfer(name, base=base, rate=rate)


def random_frozen():
    base = APPS.MobileNet(include_top=False, weights=None, input_shape=SHAPE, alpha=0.25)
    base.trainable = False
    inputs = keras.Input(SHAPE)
    x = layers.GlobalAveragePooling2D()(base(layers.Rescaling(1 / 127.5, offset=-1)(inputs)))
    return compiled(keras.Model(inputs, layers.Dense(3, activation="softmax")(x)))


def with_top(activation="softmax"):
    base = fake_weights(APPS.MobileNet(weights=None, input_shape=SHAPE, alpha=0.25, classifier_activation=activation))
    base.trainable = False
    inputs = keras.Input(SHAPE)
    return compiled(
        keras.Model(inputs, layers.Dense(3, activation="softmax")(base(layers.Rescaling(1 / 127.5, offset=-1)(inputs))))
    )


def frozen_later(x, y):
    model = fitted(net(), x, y)
    model.layers[1].trainable = False
    return model


def frozen_layers():
    model = net()
    for layer in model.layers:
        layer.trainable = False
    return compiled(model)


def unfrozen_later(x, y):
    """Before the first fit() Keras 3 heeds such a change; after it, it doesn't."""
    model = net()
    model.layers[1].trainable = False
    model = fitted(compiled(model), x, y)
    model.layers[1].trainable = True
    return model


def augmented_with_training():
    """Of one layer, Keras 3.15 keeps the same record without training=True; of several in a model it doesn't."""
    inputs = keras.Input(SHAPE)
    z = keras.Sequential([layers.RandomFlip(), layers.RandomRotation(0.2)])(inputs, training=True)
    return compiled(keras.Model(inputs, net()(z)))


class Always(keras.Model):
    """Augmentation is on whatever Keras says."""

    def __init__(self):
        super().__init__()
        self.turn, self.net = layers.RandomRotation(0.2), net()

    def call(self, x):
        return self.net(self.turn(x, training=True))


def always():
    model = Always()
    model(np.zeros((1, *SHAPE), "float32"))
    return compiled(model)


def batched(x, y):
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(8)


def swapped_mean(x):
    return x - np.array([123.68, 116.779, 103.939], "float32")


def named(data, names, files=()):
    data.class_names = list(names)
    data.file_paths = list(files)
    return data


def mistakes(folder):
    """Yield (name, function that makes (model, data, settings), what must be said of it)."""
    x, y = pictures()
    o = np.argsort(y, kind="stable")
    new, new_y = pictures(32, seed=9)
    tf_in, caffe_in, torch_in = (
        getattr(APPS, name).preprocess_input for name in ("mobilenet_v2", "resnet", "densenet")
    )
    mobile, mobile_y = photos("MobileNetV2")
    plain = (layers.Identity(),)
    twice = "scaled twice|almost no contrast"

    # Pixels.
    yield "divided by 255 twice in the data", lambda: (net(before=plain), (x / 255 / 255, y), {}), twice
    yield "divided by 255 in the data and in the model", lambda: (net(), (x / 255, y), {}), twice
    yield "the same, subclassed", lambda: (net(style="subclassed"), (x / 255, y), {}), twice
    yield "the same, nested", lambda: (net(style="nested"), (x / 255, y), {}), twice
    yield "the same, tf.data", lambda: (net(), batched(x, y).map(lambda a, b: (a / 255, b)), {}), twice
    yield "the same, generator", lambda: (net(), generator(x / 255, y), {}), twice
    yield "the same, PyDataset", lambda: (net(), Batches(x, y, lambda z: z / 255), {}), twice
    yield "two Rescalings in the model", lambda: (
        net(before=(layers.Rescaling(1 / 255), layers.Rescaling(1 / 255))), (x, y), {}), twice  # fmt: skip
    yield "preprocess_input twice", lambda: (
        transfer("MobileNetV2", lambda z: z), (tf_in(tf_in(mobile.copy())), mobile_y), {}), twice  # fmt: skip
    yield "preprocess_input in the data and in the model", lambda: (
        transfer("MobileNetV2"), (tf_in(mobile.copy()), mobile_y), {}), twice  # fmt: skip
    yield "preprocess_input on 0..1", lambda: (
        transfer("MobileNetV2", lambda z: z), (tf_in(mobile / 255), mobile_y), {}), twice  # fmt: skip
    yield "ResNet's preprocess_input on 0..1", lambda: (
        transfer("ResNet50", lambda z: z), (caffe_in(mobile / 255), mobile_y), {}), twice  # fmt: skip
    yield "DenseNet's preprocess_input on 0..1", lambda: (
        transfer("DenseNet121", lambda z: z), (torch_in(mobile / 255), mobile_y), {}), twice  # fmt: skip
    yield "ResNet's preprocess_input twice", lambda: (
        transfer("ResNet50", lambda z: z), (caffe_in(caffe_in(mobile.copy())), mobile_y), {}), "twice"  # fmt: skip
    yield "rescale= and preprocessing_function=", lambda: (
        transfer("MobileNetV2", lambda z: z), (tf_in(mobile.copy()) / 255, mobile_y), {}), twice  # fmt: skip
    for name in ("MobileNet", "MobileNetV2", "ResNet50", "ResNet50V2", "DenseNet121", "Xception", "VGG16"):
        yield f"raw pixels, {name}", lambda name=name: (
            transfer(name, lambda z: z), photos(name), {}), "Raw pixels"  # fmt: skip
    yield "raw pixels, inlined", lambda: (inlined("MobileNet", lambda z: z), photos("MobileNet"), {}), "Raw pixels"
    yield "raw pixels, from scratch", lambda: (net(before=plain), (x, y), {}), "Raw pixels of 0 to 255"
    yield "raw pixels, subclassed", lambda: (net(before=plain, style="subclassed"), batched(x, y), {}), "of 0 to 255"
    yield "only divided by 255", lambda: (
        transfer("MobileNetV2", lambda z: z / 255), (mobile, mobile_y), {}), "only divided by 255"  # fmt: skip
    for name in ("EfficientNetB0", "EfficientNetV2B0", "MobileNetV3Small", "ConvNeXtTiny"):
        yield f"{name} gets 0..1", lambda name=name: (
            transfer(name, lambda z: z / 255), photos(name), {}), "expects raw pixels|scaled twice"  # fmt: skip
    yield "another family's function", lambda: (
        transfer("MobileNetV2", caffe_in), (mobile, mobile_y), {}), "prepared as for ResNet50"  # fmt: skip
    yield "-1..1 for VGG", lambda: (transfer("VGG16", tf_in), photos("VGG16"), {}), "expects BGR"
    yield "the mean without BGR", lambda: (
        transfer("ResNet50", lambda z: z), (swapped_mean(mobile), mobile_y), {}), "swapped"  # fmt: skip
    yield "standardized for MobileNet", lambda: (
        transfer("MobileNet", lambda z: z), ((mobile - 99) / 70, mobile_y), {}), "expects -1 to 1"  # fmt: skip
    yield "NaN in an image", lambda: (net(), (np.where(x == x.max(), np.nan, x), y), {}), "NaN"
    yield "hardly any contrast", lambda: (net(before=plain), (120 + np.round(x / 64), y), {}), "of 255 levels"
    yield "blank images", lambda: (net(), (np.full_like(x, 7), y), {}), "blank"
    yield "scaled and turned into uint8", lambda: (
        net(before=plain), ((x / 256).astype("uint8"), y), {}), "blank|whole numbers"  # fmt: skip
    yield "some images scaled", lambda: (net(), (np.concatenate([x[:24] / 255, x[24:]]), y), {}), "scaled to 0..1"
    yield "brightness of another range", lambda: (
        net(before=(layers.Rescaling(1 / 255), layers.RandomBrightness(0.5))), (x, y), {}), "another range"  # fmt: skip

    # Shapes.
    yield "gray for three channels", lambda: (net(), (x[..., :1], y), {}), r"np\.repeat\(images, 3"
    yield "no axis for channels", lambda: (net(), (x[..., 0], y), {}), r"images\[\.\.\., None\]"
    yield "channels first", lambda: (net(), (x.transpose(0, 3, 1, 2), y), {}), "transpose"
    yield "four channels", lambda: (net(), (np.concatenate([x, x[..., :1]], -1), y), {}), "alpha"
    yield "another size", lambda: (net(shape=(48, 48, 3)), (x, y), {}), "48 × 48"
    yield "an input of another name", lambda: (
        two_outputs(), tf.data.Dataset.from_tensor_slices(({"photo": x}, {"kind": y, "old": y % 2})).batch(8), {},
    ), "input is called 'image'"  # fmt: skip
    yield "batch() forgotten", lambda: (net(), tf.data.Dataset.from_tensor_slices((x, y)), {}), r"batch\(32\)"
    yield "batch() twice", lambda: (net(), batched(x, y).batch(2), {}), "twice"

    # Labels, last layer, loss, metrics.
    def head(labels, *, why, **settings):
        return lambda: (net(**settings), (x, labels), {}), why

    logits = {"from_logits": True}
    sparse_logits, binary_logits = (
        keras.losses.SparseCategoricalCrossentropy(**logits),
        keras.losses.BinaryCrossentropy(**logits),
    )
    loss_cases = {
        "softmax and from_logits": head(y, loss=sparse_logits, why="from_logits=True"),
        "sigmoid and from_logits": head(y % 2, units=1, end="sigmoid", loss=binary_logits, why="from_logits=True"),
        "logits without from_logits": head(y, end=None, why="without sigmoid or softmax"),
        "linear and binary": head(y % 2, units=1, end=None, loss=BINARY, why="without sigmoid or softmax"),
        "softmax over 1": head(y % 2, units=1, loss=BINARY, why="always 1"),
        "relu at the end": head(y, end="relu", why="ends with relu"),
        "relu at the end, binary": head(y % 2, units=1, end="relu", loss=BINARY, why="ends with relu"),
        "tanh at the end": head(y % 2, units=1, end="tanh", loss=BINARY, why="ends with tanh"),
        "sigmoid and categorical": head(y, end="sigmoid", why="add up"),
        "binary loss, three softmax": head(one_hot(y), loss=BINARY, why="separately"),
        "binary loss, whole numbers": head(y, units=1, end="sigmoid", loss=BINARY, why="0 to 2"),
        "binary labels of -1 and 1": head(y % 2 * 2 - 1, units=1, end="sigmoid", loss=BINARY, why="-1 to 1"),
        "binary loss, two units": head(y % 2, units=2, loss=BINARY, why="Sparse"),
        "one unit and categorical": head(y % 2, units=1, end="sigmoid", loss=CATEGORICAL, why="one unit for each"),
        "one-hot and sparse": head(one_hot(y), why="one-hot"),
        "whole and categorical": head(y, loss=CATEGORICAL, why="whole numbers"),
        "one-hot of two, one unit": head(one_hot(y % 2, 2), units=1, end="sigmoid", loss=BINARY, why="one-hot with 2"),
        "one-hot of five, three units": head(one_hot(y, 5), loss=CATEGORICAL, why="5 columns"),
        "one-hot twice": head(one_hot(one_hot(y).astype(int), 2), loss=CATEGORICAL, why="one-hot was applied twice"),
        "a label too many": head(y, units=2, why="label 2"),
        "labels from 1": head(y + 1, why="begin at 1"),
        "a negative label": head(y - 1, why="label -1"),
        "labels divided by 255": head(y / 255, why="no whole numbers"),
        "texts": head(np.array(["cat", "dog", "fox"])[y], why="texts"),
        "NaN in labels": head(np.where(y == 0, np.nan, y), why="NaN"),
        "1000 units": head(y, units=1000, why="1000 units"),
        "ten units for three classes": head(y, units=10, why="10 units"),
        "all labels 0": head(y * 0, why="All 48 labels are 0"),
        "two of 48": head((np.arange(48) < 2) * 1, units=2, why="2 of 48"),
        "a label missing": head(y[:-1], why="47 labels"),
        "several classes and softmax": head((one_hot(y) + one_hot(y[::-1]) > 0) * 1.0, loss=CATEGORICAL, why="several"),
        "mse and class numbers": head(y, loss="mse", why="no loss for classes"),
        "class numbers as amounts": head(y, units=1, end=None, loss="mse", why="amounts"),
        "metrics.Accuracy": head(y, metrics=[keras.metrics.Accuracy()], why="metrics.Accuracy"),
        "binary accuracy of three": head(one_hot(y), loss=CATEGORICAL, metrics=["binary_accuracy"], why="too good"),
        "categorical accuracy of one": head(
            y % 2, units=1, end="sigmoid", loss=BINARY, metrics=["categorical_accuracy"], why="only 1"),
        "categorical accuracy of numbers": head(y, metrics=[keras.metrics.CategoricalAccuracy()], why="one-hot labels"),
        "the rate kills": head(y, rate=0.1, why="learning rate of Adam is 0.1"),
        "the rate kills, SGD": head(y, rate=SGD(10.0), why="learning rate of SGD is 10"),
        "the rate kills, SGD of 1": head(y, rate=SGD(1.0), why="learning rate of SGD is 1"),
        "Adadelta as Keras has it": head(y, rate=keras.optimizers.Adadelta(), why="Adadelta is meant"),
        "one value for three classes": head(
            y, before=(layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(1), layers.Dense(48),
                       layers.Reshape((4, 4, 3))), why="value of dense"),
        "the rate does nothing": head(y, rate=1e-9, why="next to nothing"),
        "the rate is 0": head(y, rate=SGD(0.0), why="next to nothing"),
        "SGD on raw pixels": head(y, rate=SGD(0.05), before=plain, why="Raw pixels go into a network"),
        "no activation": head(y, act=None, before=(layers.Rescaling(1 / 255), layers.Conv2D(4, 3)), why="activation"),
        "softmax in the middle": head(
            y, before=(layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(48, activation="softmax"),
                       layers.Dense(48), layers.Reshape((4, 4, 3))), why="softmax belongs at the end"),
        "a bottleneck": head(
            y, before=(layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(6, activation="relu"),
                       layers.Dense(48), layers.Reshape((4, 4, 3))), why="6 ReLU units"),
        "Dropout of 0.95": head(y, before=(layers.Rescaling(1 / 255), layers.Dropout(0.95)), why="drops 95%"),
    }  # fmt: skip
    for name, (make, why) in loss_cases.items():
        yield name, make, why
    sorted_data = batched(x[o].repeat(4, 0), y[o].repeat(4))
    yield "tf.data in the order of the classes", lambda: (net(), sorted_data, {}), "order of their classes"
    yield "two outputs, one label too many", lambda: (
        two_outputs(), batched(x, {"kind": y + 1, "old": y % 2}), {}), "Output 'kind'"  # fmt: skip
    yield "an answer for each pixel", lambda: (
        compiled(stack([layers.Conv2D(4, 3), layers.Dense(1, activation="sigmoid")]), loss=BINARY), (x, y % 2), {},
    ), "one for each pixel"  # fmt: skip

    # The training.
    def untrainable():
        model = net()
        model.trainable = False
        return compiled(model)

    yield "nothing is trainable", lambda: (untrainable(), (x, y), {}), "Nothing in the model is trainable"
    yield "every layer is frozen", lambda: (frozen_layers(), (x, y), {}), "Nothing in the model is trainable"
    yield "random weights, frozen", lambda: (random_frozen(), (x, y), {}), "frozen with random weights"
    yield "include_top left on", lambda: (with_top(), (x, y), {}), "include_top"
    yield "include_top left on, logits", lambda: (with_top(None), (x, y), {}), "include_top"
    yield "changed without compile", lambda: (frozen_later(x, y), (x, y), {}), "compile it again"
    yield "unfrozen without compile", lambda: (unfrozen_later(x, y), (x, y), {}), "compile it again"
    yield "a .h5 file", lambda: (saved_and_loaded(net(), folder), (x, y), {}), r"\.h5"
    yield "BatchNormalization unfrozen", lambda: (
        unfrozen("MobileNetV2"), (mobile, mobile_y), {}), "runs in training mode"  # fmt: skip
    yield "fine-tuning at 0.001", lambda: (
        unfrozen("VGG16", 1e-3), photos("VGG16"), {}), "destroys what it has learned"  # fmt: skip
    yield "training=True in the call", lambda: (augmented_with_training(), (x, y), {}), "training=True"
    yield "training=True in a class", lambda: (always(), (x, y), {}), "stays on"
    huge = [layers.Conv2D(64, 3, activation="relu"), layers.Flatten(), layers.Dense(128, activation="relu")]
    yield "Flatten of huge maps", lambda: (
        compiled(stack([*huge, layers.Dense(3, activation="softmax")])), (x / 255, y), {},
    ), "from Flatten"  # fmt: skip

    # Validation against training.
    def beside(training, validation, why):
        return lambda: (net(), training, {"validation": validation}), why

    flows = ImageDataGenerator(rotation_range=20), ImageDataGenerator()
    validation_cases = {
        "another range": beside((x, y), (new / 255, new_y), "another way"),
        "another range, tf.data": beside(batched(x, y), batched(new / 127.5 - 1, new_y), "another way"),
        "another range, generator": beside(generator(x, y), generator(new / 255, new_y), "another way"),
        "standardized beside raw": beside((x, y), batched((new - new.mean()) / new.std(), new_y), "another way"),
        "another order of channels": beside((x, y), (new[..., ::-1], new_y), "swapped"),
        "another order of channels, tf.data": beside(batched(x, y), batched(new[..., ::-1], new_y), "swapped"),
        "another size in validation": beside((x, y), (new[:, ::2, ::2], new_y), "16 × 16"),
        "sorted, validation_split": beside((x[o], y[o]), 0.25, "never"),
        "sorted and sliced": beside((x[o][:38], y[o][:38]), (x[o][38:], y[o][38:]), "never"),
        "one-hot here, numbers there": beside((x, y), (new, one_hot(new_y)), "one-hot"),
        "the same images": beside((x, y), (x.copy(), y), "are training images"),
        "the same images, scaled": beside((x, y), ((x[:8] / 255).astype("float64"), y[:8]), "are training images"),
        "the same images, mirrored": beside((x, y), (x[:12, :, ::-1], y[:12]), "mirrored"),
        "some of the same, elsewhere": beside(
            (x, y), (np.concatenate([new, x[40:]]), np.append(new_y, y[40:])), "8 training"),
        "the same images, other labels": beside((x, y), (x, (y + 1) % 3), "are training images"),
        "the same files": beside(
            named(batched(x, y), "abc", ["a/1.jpg"]), named(batched(new, new_y), "abc", ["a/1.jpg"]), "1 files"),
        "another order of classes": beside(
            named(batched(x, y), "abc"), named(batched(new, new_y), "acb"), "another order"),
        "augmented validation": beside(flows[1].flow(x, y), flows[0].flow(new, new_y, shuffle=False), "augmented"),
        "augmented validation, tf.data": beside(
            batched(x, y), batched(new, new_y).map(lambda a, b: (a + tf.random.uniform(tf.shape(a), 0, 99), b)),
            "augmented"),
        "shuffled anew before take and skip": beside(
            (pool := tf.data.Dataset.from_tensor_slices((x, y)).shuffle(48, seed=1)).take(32).batch(8),
            pool.skip(32).batch(8), "shuffled anew|validation images as well"),
    }  # fmt: skip
    for name, (make, why) in validation_cases.items():
        yield name, make, why
    data = batched(x, y)
    yield "validated on the training data", lambda: (net(), data, {"validation": data}), "own training images"


def judge(verbose=False):
    """Return (missed mistakes, number of mistakes, false alarms, number of correct set-ups)."""
    import tempfile

    missed, alarms, n_mistakes, n_correct = [], [], 0, 0
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, make, why in mistakes(folder):
            n_mistakes += 1
            texts = _texts(make, name, verbose)
            if not any(re.search(why, text) for text in texts):
                missed.append(f"{name}: {texts}")
        for name, make in correct():
            n_correct += 1
            if texts := _texts(make, name, verbose):
                alarms.append(f"{name}: {texts}")
    return missed, n_mistakes, alarms, n_correct


def _texts(make, name, verbose):
    started = time.process_time()
    model, data, settings = make()
    built = time.process_time()
    try:
        found = find_mistakes(model, data, **settings)
    except Exception as error:
        return [f"{type(error).__name__}: {error}"[:200]]
    texts = [finding.sentence for finding in found if finding.was_checked or "subclassed" not in finding.text]
    if verbose:
        print(f"{built - started:5.2f} {time.process_time() - built:5.2f} {name}: {texts}", flush=True)
    return texts


def main():
    """Print recall, false alarms and processor seconds."""
    missed, n_mistakes, alarms, n_correct = judge("-v" in sys.argv)
    for title, lines in (("Not found or not named", missed), ("Accused wrongly", alarms)):
        print(*(f"{title}: {line}" for line in lines), sep="\n", end="\n" if lines else "")
    found = n_mistakes - len(missed)
    print(f"{found} of {n_mistakes} mistakes found and named ({found / n_mistakes:.0%}).")
    print(f"{len(alarms)} of {n_correct} correct set-ups accused.")
    print(f"{time.process_time():.0f} seconds of the processor.")


if __name__ == "__main__":
    main()
