"""What the bench of mistakes is made of: tiny pictures, networks and data of every style, and correct set-ups."""

import functools
import itertools

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from keras.src.legacy.preprocessing.image import ImageDataGenerator

from tl_widgets.data.dataset import ImageDataset, Split

APPS = keras.applications
SHAPE = (32, 32, 3)
ADAM = keras.optimizers.Adam
SPARSE, CATEGORICAL, BINARY = "sparse_categorical_crossentropy", "categorical_crossentropy", "binary_crossentropy"


@functools.cache
def pictures(n=48, size=32, classes=3, seed=0):
    """Warm pictures of colored blocks, 0 to 255, and their classes in a mixed order."""
    random = np.random.default_rng(seed)
    blocks = random.integers(0, 256, (n, 8, 8, 3)) * np.array([1, 0.7, 0.4])
    blocks[:, 0, 0], blocks[:, 0, 1] = 0, 255  # black and white, as nearly every photograph has
    x = blocks.repeat(size // 8, 1).repeat(size // 8, 2).astype("float32")
    return x, random.permutation(np.arange(n) % classes)


def one_hot(y, n=3):
    return np.eye(n, dtype="float32")[y]


def compiled(model, rate=1e-3, loss=SPARSE, metrics=("accuracy",)):
    optimizer = keras.optimizers.Adam(rate) if isinstance(rate, float) else rate
    model.compile(optimizer, loss, metrics=list(metrics))
    return model


class Own(keras.Model):
    """A model without a graph."""

    def __init__(self, parts):
        super().__init__()
        self.parts = parts

    def call(self, x):
        for part in self.parts:
            x = part(x)
        return x


def stack(parts, style="sequential", shape=SHAPE):
    """Put layers together in one of the styles in which people do."""
    if style == "sequential":
        return keras.Sequential([keras.Input(shape), *parts])
    if style == "nested":
        half = len(parts) // 2
        return keras.Sequential([keras.Input(shape), keras.Sequential(parts[:half]), keras.Sequential(parts[half:])])
    if style == "subclassed":
        model = Own(parts)
        model(np.zeros((1, *shape), "float32"))
        return model
    inputs = x = keras.Input(shape)
    for part in parts:
        x = part(x)
    return keras.Model(inputs, x)


def body(act="relu"):
    return [layers.Conv2D(4, 3, activation=act), layers.MaxPooling2D(), layers.Flatten()]


def net(units=3, end="softmax", before=(), style="sequential", act="relu", shape=SHAPE, dtype=None, **settings):
    """A compiled network from scratch."""
    before = before or (layers.Rescaling(1 / 255),)
    parts = [*before, *body(act), layers.Dense(units, activation=end, dtype=dtype)]
    return compiled(stack(parts, style, shape), **settings)


class Batches(keras.utils.PyDataset):
    """Batches with a length and an index."""

    def __init__(self, x, y, change=lambda x: x, size=8):
        super().__init__()
        self.x, self.y, self.change, self.size = x, y, change, size

    def __len__(self):
        return -(-len(self.x) // self.size)

    def __getitem__(self, i):
        rows = slice(i * self.size, (i + 1) * self.size)
        return self.change(self.x[rows]), self.y[rows]


def dataset(x, y):
    """An ImageDataset of three thirds."""
    thirds = [Split(x[i::3].astype("uint8"), y[i::3].astype("int64")) for i in range(3)]
    return ImageDataset("own", *thirds, class_names=tuple("abc"))


def generator(x, y):
    while True:
        for i in range(0, len(x), 8):
            yield x[i : i + 8], y[i : i + 8]


FORMS = {
    "arrays": lambda x, y: (x, y),
    "uint8": lambda x, y: (x.astype("uint8"), y),
    "weighted": lambda x, y: (x, y, np.ones(len(x))),
    "tf.data": lambda x, y: tf.data.Dataset.from_tensor_slices((x, y)).batch(8),
    "shuffled": lambda x, y: tf.data.Dataset.from_tensor_slices((x, y)).shuffle(48).batch(8).prefetch(1),
    "endless": lambda x, y: tf.data.Dataset.from_tensor_slices((x, y)).repeat().batch(8),
    "PyDataset": Batches,
    "ImageDataGenerator": lambda x, y: ImageDataGenerator(horizontal_flip=True).flow(x, y, batch_size=8),
    "generator": generator,
    "tensors": lambda x, y: (tf.constant(x), tf.constant(y)),
}


def fake_weights(base):
    """Leave what training leaves: averages and biases that aren't 0. No weights can be downloaded here."""
    random = np.random.default_rng(0)
    for layer in base._flatten_layers():
        if isinstance(layer, layers.BatchNormalization):
            layer.moving_mean.assign(random.normal(0, 0.1, layer.moving_mean.shape))
        elif getattr(layer, "bias", None) is not None:
            layer.bias.assign(random.normal(0, 0.1, layer.bias.shape))
    return base


FAMILIES = {  # the smallest of each, with its module and further settings
    "MobileNet": ("mobilenet", {"alpha": 0.25}),
    "MobileNetV2": ("mobilenet_v2", {"alpha": 0.35}),
    "MobileNetV3Small": ("mobilenet_v3", {}),
    "VGG16": ("vgg16", {}),
    "ResNet50": ("resnet", {}),
    "ResNet50V2": ("resnet_v2", {}),
    "DenseNet121": ("densenet", {}),
    "EfficientNetB0": ("efficientnet", {}),
    "EfficientNetV2B0": ("efficientnet_v2", {}),
    "Xception": ("xception", {}),
    "ConvNeXtTiny": ("convnext", {}),
}
LIGHT = ("MobileNet", "MobileNetV2", "MobileNetV3Small", "ResNet50V2", "VGG16")
CUTS = {
    "MobileNet": "conv_pw_3_relu",
    "MobileNetV2": "block_3_expand_relu",
    "MobileNetV3Small": "expanded_conv_2_add",
    "VGG16": "block2_pool",
    "ResNet50": "conv2_block3_out",
    "ResNet50V2": "conv2_block2_out",
    "DenseNet121": "conv2_block2_concat",
    "EfficientNetB0": "block2b_add",
    "EfficientNetV2B0": "block2b_add",
    "Xception": "add",
    "ConvNeXtTiny": "convnext_tiny_stage_0_block_1_identity",
}


def side(name):
    return 64 if name not in ("Xception",) else 96


@functools.cache
def whole_backbone(name):
    size = side(name)
    settings = FAMILIES[name][1]
    base = fake_weights(getattr(APPS, name)(include_top=False, weights=None, input_shape=(size, size, 3), **settings))
    base.trainable = False
    return base


@functools.cache
def cut_backbone(name):
    """The first blocks only, as people cut them; they run much faster."""
    base = whole_backbone(name)
    names = [layer.name for layer in base.layers]
    at = CUTS[name] if CUTS[name] in names else names[len(names) // 6]
    cut = keras.Model(base.inputs, base.get_layer(at).output)
    cut.trainable = False
    return cut


def prepare(name):
    return getattr(APPS, FAMILIES[name][0]).preprocess_input


def transfer(name, before=None, base=None, style="functional", rate=1e-3, units=3):
    """The recipe of the official guide."""
    base, size = base or cut_backbone(name), side(name)
    before = prepare(name) if before is None else before
    head = [layers.GlobalAveragePooling2D(), layers.Dropout(0.2), layers.Dense(units, activation="softmax")]
    if style == "functional":
        inputs = keras.Input((size, size, 3))
        x = base(before(inputs), training=False)
        for layer in head:
            x = layer(x)
        return compiled(keras.Model(inputs, x), rate)
    return compiled(stack([layers.Lambda(before), base, *head], style, (size, size, 3)), rate)


def photos(name, n=24):
    return pictures(n, side(name))


def inlined(name, before):
    """The backbone's layers are those of the model: the backbone gets `input_tensor`, or its output is used."""
    size = side(name)
    inputs = keras.Input((size, size, 3))
    function, settings = getattr(APPS, name), FAMILIES[name][1]
    base = fake_weights(function(include_top=False, weights=None, input_tensor=before(inputs), **settings))
    base.trainable = False
    answers = layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(base.output))
    return compiled(keras.Model(inputs, answers))


def two_outputs():
    inputs = keras.Input(SHAPE, name="image")
    x = layers.Flatten()(layers.Conv2D(4, 3, activation="relu")(layers.Rescaling(1 / 255)(inputs)))
    ends = [layers.Dense(3, activation="softmax", name="kind")(x), layers.Dense(1, activation="sigmoid", name="old")(x)]
    model = keras.Model(inputs, ends)
    model.compile("adam", loss={"kind": SPARSE, "old": BINARY}, metrics={"kind": ["accuracy"], "old": ["accuracy"]})
    return model


def two_inputs():
    image, size = keras.Input(SHAPE, name="image"), keras.Input((2,), name="size")
    x = layers.Flatten()(layers.Conv2D(4, 3, activation="relu")(layers.Rescaling(1 / 255)(image)))
    return compiled(keras.Model([image, size], layers.Dense(3, activation="softmax")(layers.Concatenate()([x, size]))))


def squeezed():
    """A squeeze-and-excite block is no bottleneck."""
    inputs = keras.Input(SHAPE)
    x = layers.Conv2D(16, 3, activation="relu")(layers.Rescaling(1 / 255)(inputs))
    gate = layers.Dense(16, activation="sigmoid")(
        layers.Dense(4, activation="relu")(layers.GlobalAveragePooling2D()(x))
    )
    x = layers.GlobalAveragePooling2D()(layers.Multiply()([x, layers.Reshape((1, 1, 16))(gate)]))
    return compiled(keras.Model(inputs, layers.Dense(3, activation="softmax")(x)))


def fitted(model, x, y):
    model.fit(x, y, verbose=0)
    return model


def own_block():
    block = keras.Sequential([keras.Input(SHAPE), layers.Conv2D(8, 3), layers.BatchNormalization(), layers.ReLU()])
    parts = [layers.Rescaling(1 / 255), block, layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax")]
    return compiled(stack(parts))


def tuned(name="MobileNetV2", rate=1e-5):
    """Fine-tuning with BatchNormalization left frozen."""
    base = whole_backbone(name)
    copy = keras.models.clone_model(base)
    copy.set_weights(base.get_weights())
    for layer in copy.layers:
        layer.trainable = not isinstance(layer, layers.BatchNormalization)
    return transfer(name, base=copy, rate=rate)


def mixed(**settings):
    """A network in mixed precision."""
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        return net(dtype="float32", **settings)
    finally:
        keras.mixed_precision.set_global_policy("float32")


def adapted(x):
    normalization = layers.Normalization()
    normalization.adapt(x)
    return normalization


AUGMENTATION = (lambda: layers.RandomFlip("horizontal"), lambda: layers.RandomRotation(0.1))


def correct():
    """Yield (name, function that makes (model, data, settings of check_setup)) of set-ups without a mistake."""
    x, y = pictures()
    styles = ("sequential", "functional", "subclassed", "nested")
    forms = itertools.cycle(FORMS)
    heads = {
        "softmax": ({}, y),
        "one-hot": ({"loss": CATEGORICAL}, one_hot(y)),
        "logits": ({"end": None, "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True)}, y),
        "two": ({"units": 1, "end": "sigmoid", "loss": BINARY}, y % 2),
        "two logits": ({"units": 1, "end": None, "loss": keras.losses.BinaryCrossentropy(from_logits=True)}, y % 2),
        "several": ({"end": "sigmoid", "loss": BINARY}, one_hot(y)),
    }
    for (head, (settings, labels)), style in itertools.product(heads.items(), styles):
        form = next(forms)
        yield (
            f"{style}, {head}, {form}",
            lambda style=style, settings=settings, labels=labels, form=form: (
                net(style=style, **settings), FORMS[form](x, labels), {},
            ),
        )  # fmt: skip
    for form, make in FORMS.items():
        other = FORMS["arrays"] if "Image" in form else make  # that one augments
        yield f"two parts of {form}", lambda make=make, other=other: (
            net(), make(x[:32], y[:32]), {"validation": other(x[32:], y[32:])},
        )  # fmt: skip
        yield f"mixed precision, {form}", lambda make=make: (mixed(), make(x, y), {})
    ranges = {
        "0..1": x / 255, "-1..1": x / 127.5 - 1, "-0.5..0.5": x / 255 - 0.5, "standardized": (x - x.mean()) / x.std(),
        "caffe": APPS.resnet.preprocess_input(x.copy()), "torch": APPS.densenet.preprocess_input(x.copy()),
        "0..65535": x * 257, "float16": (x / 255).astype("float16"), "double": (x / 255).astype("float64"),
    }  # fmt: skip
    for name, images in ranges.items():
        scale = layers.Rescaling(1 / 65535) if name == "0..65535" else layers.Identity()
        yield (
            f"scaled in the data to {name}",
            lambda images=images, scale=scale: (net(before=(scale,)), (images, y), {}),
        )
    for name in FAMILIES:
        yield f"{name}, cut", lambda name=name: (transfer(name), photos(name), {})
        yield f"{name}, prepared in the data", lambda name=name: (
            transfer(name, lambda z: z), (prepare(name)(photos(name)[0].copy()), photos(name)[1]), {},
        )  # fmt: skip
    for name in LIGHT:
        yield f"{name}, whole", lambda name=name: (transfer(name, base=whole_backbone(name)), photos(name), {})
        yield f"{name}, Sequential", lambda name=name: (transfer(name, style="sequential"), photos(name), {})
        yield f"{name}, subclassed", lambda name=name: (transfer(name, style="subclassed"), photos(name), {})
    for name in ("MobileNet", "EfficientNetB0", "ResNet50V2"):
        yield f"{name}, inlined", lambda name=name: (inlined(name, prepare(name)), photos(name), {})
    yield "fine-tuned", lambda: (tuned(), photos("MobileNetV2"), {})
    yield "a family from scratch", lambda: (
        compiled(APPS.MobileNet(alpha=0.25, weights=None, classes=3, input_shape=SHAPE)), (x / 255, y), {},
    )  # fmt: skip
    yield "own block, fitted", lambda: (fitted(own_block(), x, y), (x, y), {})
    yield "fitted", lambda: (fitted(net(), x, y), (x, y), {})
    yield "two outputs", lambda: (
        two_outputs(), tf.data.Dataset.from_tensor_slices((x, {"kind": y, "old": y % 2})).batch(8), {},
    )  # fmt: skip
    yield "two inputs", lambda: (two_inputs(), ([x, np.ones((48, 2), "float32")], y), {})
    yield "named input", lambda: (
        net(style="functional"), tf.data.Dataset.from_tensor_slices((x, y)).batch(8).map(lambda a, b: (a, b)), {},
    )  # fmt: skip
    yield "a convolution before the backbone", lambda: (
        compiled(stack([layers.Conv2D(3, 1), cut_backbone("MobileNetV2"), layers.GlobalAveragePooling2D(),
                        layers.Dense(3, activation="softmax")], shape=(64, 64, 1))),
        (photos("MobileNetV2")[0][..., :1], photos("MobileNetV2")[1]), {},
    )  # fmt: skip
    yield "squeeze and excite", lambda: (squeezed(), (x, y), {})
    yield "BatchNormalization first", lambda: (net(before=(layers.BatchNormalization(),)), (x, y), {})
    yield "adapted Normalization", lambda: (net(before=(adapted(x),)), (x, y), {})
    yield "augmented", lambda: (
        net(before=(*(make() for make in AUGMENTATION), layers.Rescaling(1 / 255))), (x, y), {},
    )  # fmt: skip
    yield "gray", lambda: (net(shape=(32, 32, 1)), (x[..., :1], y), {})
    yield "four channels", lambda: (net(shape=(32, 32, 4)), (np.concatenate([x, x[..., :1]], -1), y), {})
    yield "flattened digits", lambda: (
        compiled(stack([layers.Dense(16, activation="relu"), layers.Dense(3, activation="softmax")], shape=(192,))),
        (x[:, ::4, ::4].reshape(48, -1) / 255, y), {},
    )  # fmt: skip
    yield "arrays in the order of the classes", lambda: (net(), (x, np.sort(y)), {})
    yield "the rare class has a weight", lambda: (net(), (x, (y + np.arange(48) % 16 == 0) * 1, np.ones(48)), {})
    yield "SGD with momentum", lambda: (net(rate=keras.optimizers.SGD(0.01, momentum=0.9)), (x, y), {})
    yield "AdamW, cosine", lambda: (
        net(rate=keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(1e-3, 1000))), (x, y), {},
    )  # fmt: skip
    yield "metrics of many kinds", lambda: (
        net(loss=CATEGORICAL, metrics=["accuracy", keras.metrics.AUC(), keras.metrics.TopKCategoricalAccuracy(2)]),
        (x, one_hot(y)), {},
    )  # fmt: skip
    yield "label smoothing", lambda: (
        net(loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.1)), (x, one_hot(y)), {},
    )  # fmt: skip
    yield "mixed up labels", lambda: (net(loss=CATEGORICAL), (x, 0.7 * one_hot(y) + 0.3 * one_hot(y[::-1])), {})
    yield "ImageDataset", lambda: (net(), dataset(x, y), {})
    yield "a subset with all classes", lambda: (net(units=12), pictures(48, 32, 12), {})
    yield "Softmax as a layer", lambda: (
        compiled(stack([layers.Rescaling(1 / 255), *body(), layers.Dense(3), layers.Softmax()])), (x, y), {},
    )  # fmt: skip
    shapes = np.zeros((80, 32, 32, 3), "float32")
    shades = np.random.default_rng(0).uniform(0, 1, (80, 2, 3)) * 255
    shapes[:] = shades[:, 0][:, None, None]
    shapes[:, 8:24, 8:24] = shades[:, 1][:, None, None]
    kinds = np.arange(80) % 2
    yield "one shape in many colors", lambda: (
        net(units=1, end="sigmoid", loss=BINARY), (shapes[:60], kinds[:60]), {"validation": (shapes[60:], kinds[60:])},
    )  # fmt: skip
    yield "a hundred classes, partly read", lambda: (
        net(units=100), generator(*pictures(400, 32, 100)), {"validation": Batches(*pictures(200, 32, 100, seed=5))},
    )  # fmt: skip
    yield "a directory in order for validation", lambda: (
        net(), (x, y), {"validation": FORMS["tf.data"](pictures(30, seed=7)[0], np.sort(pictures(30, seed=7)[1]))},
    )  # fmt: skip
    yield "AlexNet's first Dense layer", lambda: (
        compiled(stack([layers.Conv2D(36, 3, 2, activation="relu"), layers.Flatten(),
                        layers.Dense(800, activation="relu"), layers.Dense(3, activation="softmax")])),
        (x / 255, y), {},
    )  # fmt: skip
    yield "a schedule of a hundred steps", lambda: (
        net(rate=ADAM(keras.optimizers.schedules.CosineDecay(1e-3, 100))), (x, y), {},
    )  # fmt: skip
    yield "dark images", lambda: (net(), (x / 8, y), {})
    yield "a mask for each pixel", lambda: (
        compiled(stack([layers.Rescaling(1 / 255), layers.Conv2D(4, 3, padding="same", activation="relu"),
                        layers.Conv2D(1, 1, activation="sigmoid")]), loss=BINARY),
        (x, (x[..., :1] > 127) * 1.0), {},
    )  # fmt: skip
    yield "ages", lambda: (net(units=1, end=None, loss="mse", metrics=["mae"]), (x, y * 20.5), {})
