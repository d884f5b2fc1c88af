"""A comparison as a plain Keras script, which doesn't need tl_widgets.

It differs from `compare` in two ways. Keras shuffles and draws initial weights itself, so accuracies vary a little.
And the frozen backbone processes every image in every epoch, which takes longer for the same result.
"""

from __future__ import annotations

import ast
import os
import re

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.backbones.family import Backbone, literal
from tl_widgets.backbones.weights import resolve_weights
from tl_widgets.core.arguments import checked
from tl_widgets.core.config import Config, FineTuningSpec, ScratchSpec
from tl_widgets.core.errors import InputError
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.paths import user_path
from tl_widgets.core.text import printable
from tl_widgets.core.translation import in_english
from tl_widgets.core.version import __version__
from tl_widgets.export import script_data
from tl_widgets.records.comparison import Comparison, DatasetSummary
from tl_widgets.records.parameters import output_units


@checked
def to_script(comparison: Comparison) -> str:
    """Return a comparison as a Python program that needs only Keras.

    Args:
        comparison: A finished comparison, or one read from its record.

    Returns:
        The source text. A backbone that isn't in keras.applications is loaded from a file, which `save_backbone` of
        this module writes.
    """
    return script_for(comparison.dataset, comparison.config)


def script_for(dataset: DatasetSummary, config: Config, *, backbone_file: str | None = None) -> str:
    """Return the program of a comparison, which need not have been run yet.

    Args:
        dataset: A summary of the data set (`summarize`, or `NamedDataset.summary`). Its name, image size, class names
            and origin decide how the script loads the images; without an origin, it reads them from `images.npz`.
        config: The settings of the comparison.
        backbone_file: The file from which the script loads a backbone that isn't in keras.applications; None for
            the backbone's `script_file` in the script's folder.
    """
    entry, tuning = find_backbone(config.backbone), config.fine_tuning
    is_random = config.weights is None or config.control
    loss = "binary_crossentropy" if output_units(len(dataset.class_names)) == 1 else "sparse_categorical_crossentropy"
    training = _TRAINING.replace("LOSS", literal(loss))
    if config.class_weights:
        training = _CLASS_WEIGHTS + training.replace("verbose=2,", "verbose=2,\n        class_weight=CLASS_WEIGHTS,")
    parts = [
        _title(dataset, entry, config),
        _imports(dataset, config),
        _constants(dataset, config),
        script_data.loading(dataset),
        script_data.AUGMENT if config.augment else "",
        _scratch(len(dataset.class_names), config.scratch),
        DRAW if is_random else "",
        _transfer(len(dataset.class_names), entry, config, backbone_file or entry.script_file or ""),
        with_epoch_arguments(training) if tuning else training,
        UNFREEZE if tuning else "",
        "\n".join(f'train_and_test("{name}", {name})' for name in config.model_names if name != ModelName.FINE_TUNED),
        fine_tuning_lines(tuning) if tuning else "",
    ]
    script = _spaced("\n\n".join(part.strip("\n") for part in parts if part)) + "\n"
    ast.parse(script)  # a name that broke it would do so here, not where the script is run
    return script


def save_backbone(path: str | os.PathLike[str], backbone: str = Config.backbone) -> None:
    """Write a backbone with its ImageNet weights as a model that plain Keras loads.

    The path ends in .keras; an existing file is replaced once the new one is complete.
    """
    from tl_widgets.backbones.loading import build_backbone
    from tl_widgets.models.builders import save_model

    entry, target = find_backbone(backbone), user_path(path)
    weights = resolve_weights(entry, "imagenet")
    try:
        save_model(build_backbone(entry, (None, None, 3), weights), target)  # images of any size
    except OSError as error:
        raise InputError(f"{printable(str(target))} was not written: {error.strerror or error}.") from error


def _spaced(text: str) -> str:
    """Return the text with two empty lines before and after each function."""
    text = re.sub(r"\n{2,}(?=def )", "\n\n\n", text)
    return re.sub(r"(\n    .*)\n\n(?=\S)", r"\1\n\n\n", text)


def _title(dataset: DatasetSummary, entry: Backbone, config: Config) -> str:
    needed = (
        "\nKeras draws its own random numbers here, so the accuracies are not those of tl_widgets to the last image;\n"
        "from scratch on few images they can differ by a lot.\n"
    )
    if config.repeats > 1:
        last = config.seed + config.repeats - 1
        needed += (
            f"\nThe comparison was made with {config.repeats} seeds, {config.seed} to {last}; this script makes the "
            "first.\nFor the others change SEED and run it again; the means and intervals over seeds are left out.\n"
        )
    if config.folds > 1:
        needed += (
            f"\nThe comparison was cross-validated with {config.folds} folds; this script trains and tests once, on "
            "the\ndata set's own split.\n"
        )
    if file := entry.script_file:
        name = "" if entry.name == Config.backbone else f", '{entry.name}'"
        command = f"from tl_widgets.export.script import save_backbone; save_backbone('{file}'{name})"
        needed += (
            f"\n{entry.name} is not in keras.applications: the script loads it from a file.\n"
            f'`tl-widgets compare --script` writes that file, and so does\n    python -c "{command}"\n'
        )
    name = re.sub(r"[^\w .,:()+-]", "_", dataset.name)  # nothing that could end the docstring
    return (
        f'"""Transfer learning on {name}: '
        f"a network from scratch, and a frozen {entry.name}.\n\n"
        f"Plain Keras: tl-widgets {__version__} wrote this, but nothing of it is needed here.\n"
        f'{needed}"""'
    )


def _imports(dataset: DatasetSummary, config: Config) -> str:
    standard, others = script_data.imports(dataset)
    is_random = config.weights is None or config.control
    lines = [*(("import math",) if is_random else ()), *(("import re",) if config.fine_tuning else ())]
    lines += [*standard, "import time"]
    lines = sorted(line for line in lines if line.startswith("import")) + [
        line for line in lines if not line.startswith("import")
    ]
    return "\n".join([*lines, "", "import keras", "import numpy as np", *others])


def _constants(dataset: DatasetSummary, config: Config) -> str:
    origin = dataset.origin
    lines = [f"SIZE = {dataset.image_size}  # side of the images in pixels"]
    if origin is None or origin.kind == "built-in" or script_data.is_saved(origin):
        lines.append(f"CLASSES = [{', '.join(map(literal, script_data.all_classes(dataset)))}]")
    if origin is not None:
        lines.append(f"DATA_SEED = {origin.seed}  # decides which image is used for what")
        if origin.n_per_class is not None:
            lines.append(f"N_PER_CLASS = {origin.n_per_class}  # training images of each class")
    if config.augment:
        lines.append(f"N_COPIES = {config.augment}  # changed copies of each training image")
    lines += [
        f"EPOCHS = {config.epochs}",
        f"BATCH_SIZE = {config.batch_size}",
        f"LEARNING_RATE = {config.learning_rate!r}",
        f"SEED = {config.seed}",
        "keras.utils.set_random_seed(SEED)  # decides initial weights and the order of the images",
    ]
    return "\n".join(lines)


def _output(n_classes: int) -> str:
    units = output_units(n_classes)
    activation = "sigmoid" if units == 1 else "softmax"
    return f'keras.layers.Dense({units}, activation="{activation}"),'


def _sequential(variable: str, layers: list[str]) -> str:
    body = "".join(f"    {layer}\n" for layer in layers)
    return f"{variable} = keras.Sequential([\n{body}])"


def _scratch(n_classes: int, spec: ScratchSpec) -> str:
    layers = [
        "keras.layers.Input((SIZE, SIZE, 3)),",
        "keras.layers.Rescaling(1 / 127.5, offset=-1),  # to -1..1",
    ]
    for n_filters, kernel in zip(spec.filters, spec.kernel_sizes, strict=True):
        layers.append(f'keras.layers.Conv2D({n_filters}, {kernel}, activation="relu", padding="same"),')
        if spec.pooling != "none":
            layers.append(
                "keras.layers.MaxPooling2D(2)," if spec.pooling == "max" else "keras.layers.AveragePooling2D(2),"
            )
    layers.append("keras.layers.Flatten()," if spec.head == "flatten" else "keras.layers.GlobalAveragePooling2D(),")
    if spec.dense_units:
        layers.append(f'keras.layers.Dense({spec.dense_units}, activation="relu"),')
    if spec.dropout:
        layers.append(f"keras.layers.Dropout({spec.dropout!r}),")
    title = "# From scratch: every weight is learned from these images.\n"
    return title + _sequential("scratch", [*layers, _output(n_classes)])


def _transfer(n_classes: int, entry: Backbone, config: Config, backbone_file: str) -> str:
    comment, preprocessing = _preprocessing(entry)
    before = "preprocessing, " if preprocessing else ""
    scales = bool(preprocessing)
    dropout = f"keras.layers.Dropout({config.head_dropout!r})," if config.head_dropout else ""

    def model(name: str) -> str:
        head = [dropout, _output(n_classes)] if dropout else [_output(n_classes)]
        pooling = "keras.layers.GlobalAveragePooling2D(),"
        return _sequential(name, ["keras.layers.Input((SIZE, SIZE, 3)),", f"{before}backbone,", pooling, *head])

    described, comment = in_english(entry.described(config.cut)), in_english(comment)
    text = (
        f"# Transfer: a frozen {described}; only the last layer is learned. {comment}\n"
        f"{preprocessing}{_backbone(entry, config, config.weights, backbone_file, scales)}\n{model('transfer')}"
    )
    if config.control:
        text += (
            "\n\n# Control: the same backbone with random weights. What is the pretraining worth?\n"
            f"{_backbone(entry, config, None, backbone_file, scales)}\n{model('control')}"
        )
    return text


def _preprocessing(entry: Backbone) -> tuple[str, str]:
    """Return a comment and the layer's line, "" if the backbone has its own."""
    kind = entry.family.preprocessing
    code = kind.code.format(module=entry.module.rpartition(".")[2])
    return kind.comment, f"preprocessing = {code}\n" if code else ""


def _backbone(entry: Backbone, config: Config, weights: str | None, backbone_file: str, has_preprocessing: bool) -> str:
    """Return the lines that build the frozen backbone."""
    lines = [*entry.family.script_lines(entry, weights, backbone_file), "backbone.trainable = False"]
    if entry.family.has_dropout:
        lines.append("for layer in backbone.layers:  # a frozen backbone should leave nothing out by chance")
        lines.append("    if isinstance(layer, keras.layers.Dropout):")
        lines.append("        layer.rate = 0.0")
    if weights is None:
        lines.append(f"draw_random_weights(backbone, {'preprocessing' if has_preprocessing else 'None'})")
    if cut := entry.cut_after(config.cut):
        lines.append(f"# Cut off after block {config.cut}, {cut.block}.")
        lines.append(f"backbone = keras.Model(backbone.input, {cut.expression}.output)")
    return "\n".join(lines)


_TRAINING = '''
def train_and_test(name, model):
    """Train a model, test it once, and say what came of it."""
    adam = keras.optimizers.Adam(LEARNING_RATE)
    model.compile(optimizer=adam, loss=LOSS, metrics=["accuracy"])
    started = time.perf_counter()
    model.fit(
        x_train, y_train, validation_data=(x_validation, y_validation),
        batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=2,
    )
    seconds = time.perf_counter() - started
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    total = model.count_params()
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    counts = f"{trainable:,} of {total:,} parameters trained"
    print(f"{name}: test accuracy {accuracy:.3f}, {counts}, {seconds:.1f} s")
'''


_CLASS_WEIGHTS = """
# Each class counts the same in the loss, whatever the number of its images.
COUNTS = np.bincount(y_train)
CLASS_WEIGHTS = {label: len(y_train) / (len(COUNTS) * n) for label, n in enumerate(COUNTS)}
"""

DRAW = '''
def draw_random_weights(backbone, preprocessing):
    """Untrained weights through which a signal still passes.

    Kernels are drawn as He et al. (2015) propose. BatchNormalization has to see one batch, here of noise
    as smooth as a photograph: with Keras's own initial values a deep frozen backbone would answer almost
    zero to every image.
    """
    random = np.random.default_rng(SEED)
    for layer in backbone.layers:
        for weight in layer.weights:
            if weight.path.endswith("kernel"):
                is_depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
                is_depthwise = is_depthwise or weight.path.endswith("depthwise_kernel")
                fan_in = math.prod(weight.shape[:2] if is_depthwise else weight.shape[:-1])
                noise = random.standard_normal(weight.shape, dtype=np.float32)
                weight.assign(noise * np.float32(np.sqrt(2 / fan_in)))
    frequency = np.hypot(np.fft.fftfreq(SIZE)[:, None], np.fft.rfftfreq(SIZE)[None, :])
    frequency[0, 0] = 1.0
    spectrum = np.fft.rfft2(random.standard_normal((8, 3, SIZE, SIZE))) / frequency
    noise = np.fft.irfft2(spectrum, s=(SIZE, SIZE))
    noise = np.clip(noise * 64 / noise.std(axis=(1, 2, 3), keepdims=True) + 127, 0, 255)
    batch = noise.transpose(0, 2, 3, 1).astype(np.float32)
    norms = [layer for layer in backbone.layers if isinstance(layer, keras.layers.BatchNormalization)]
    momenta = [layer.momentum for layer in norms]
    for layer in norms:
        layer.trainable, layer.momentum = True, 0.0
    backbone(preprocessing(batch) if preprocessing else batch, training=True)
    for layer, momentum in zip(norms, momenta):
        layer.trainable, layer.momentum = False, momentum
'''


UNFREEZE = '''
def unfreeze_last_blocks(model, n_blocks):
    """Let the last blocks of the backbone inside a model learn, too.

    BatchNormalization stays frozen, which in Keras means inference mode: the averages of a few images
    would overwrite those of ImageNet.
    """
    backbone = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    block = re.compile(r"(conv\\d+_block\\d+|block_?\\d+[a-z]?|fire\\d+)(_|$)")
    names = [match[1] if (match := block.match(layer.name)) else "" for layer in backbone.layers]
    last_blocks = list(dict.fromkeys(name for name in names if name))[-n_blocks:]
    first = names.index(last_blocks[0])
    backbone.trainable = True
    for i, layer in enumerate(backbone.layers):
        layer.trainable = i >= first and not isinstance(layer, keras.layers.BatchNormalization)
'''


def fine_tuning_lines(spec: FineTuningSpec) -> str:
    """Return the lines that fine-tune, which follow the training of all models."""
    return (
        "# Fine-tuning: the frozen model goes on, compiled again because `trainable` has changed.\n"
        f"unfreeze_last_blocks(transfer, {spec.n_blocks})\n"
        f'train_and_test("fine_tuned", transfer, epochs={spec.epochs}, learning_rate={spec.learning_rate!r})'
    )


def with_epoch_arguments(training: str) -> str:
    """Return `train_and_test` with epochs and learning rate as arguments."""
    return (
        training.replace("(name, model):", "(name, model, epochs=EPOCHS, learning_rate=LEARNING_RATE):")
        .replace("Adam(LEARNING_RATE)", "Adam(learning_rate)")
        .replace("epochs=EPOCHS, verbose", "epochs=epochs, verbose")
    )
