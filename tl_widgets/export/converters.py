"""Converting a model to SavedModel, TFLite and ONNX: raw pixels in, one probability for each class out."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tl_widgets.core.errors import InputError
from tl_widgets.core.files import UNFINISHED
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import Images

INPUT, OUTPUT = "images", "probabilities"
SIGNATURE = "serving_default"
_OPSET = 17


def serving_function(model: Any, image_shape: tuple[int, ...], n_images: int | None) -> Any:
    """Return a tf.function from uint8 images, 0-255, to float32 probabilities that add up to 1."""
    import tensorflow as tf

    def classify(images: Any) -> dict[str, Any]:
        answers = model(tf.cast(images, tf.float32), training=False)
        if answers.shape[-1] == 1:  # one sigmoid unit: the probability of the second class
            answers = tf.concat([1.0 - answers, answers], axis=-1)
        return {OUTPUT: answers}

    return tf.function(classify, [tf.TensorSpec((n_images, *image_shape), tf.uint8, name=INPUT)])


def write_saved_model(
    model: Any, image_shape: tuple[int, ...], target: Path, __: Iterable[Images] | None = None
) -> None:
    """Write a folder that TensorFlow loads without Keras."""
    import tensorflow as tf

    classify = serving_function(model, image_shape, None).get_concrete_function()
    with _quietly():
        tf.saved_model.save(_module(model), str(target), signatures={SIGNATURE: classify})


def write_tflite(
    model: Any, image_shape: tuple[int, ...], target: Path, calibration: Iterable[Images] | None = None
) -> None:
    """Write a TFLite file, which takes one image at a time; with images for calibration, one of 8-bit integers."""
    import tensorflow as tf

    classify = serving_function(model, image_shape, 1).get_concrete_function()
    with _quietly():
        converter = tf.lite.TFLiteConverter.from_concrete_functions([classify], _module(model))
        if calibration is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([image[np.newaxis]] for image in calibration)
        target.write_bytes(converter.convert())


def _module(model: Any) -> Any:
    """Return what TensorFlow saves: the variables alone. Keras's ExportArchive writes each of them twice."""
    import tensorflow as tf

    module = tf.Module()
    module.weights = [variable.value for variable in model.variables]
    return module


def write_onnx(
    model: Any, image_shape: tuple[int, ...], target: Path, calibration: Iterable[Images] | None = None
) -> None:
    """Write an ONNX file, which takes any number of images; with images for calibration, one of 8-bit integers."""
    tf2onnx = require_package("tf2onnx", "ONNX")
    require_package("onnxruntime", "ONNX")

    classify = serving_function(model, image_shape, None)
    with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=target.parent) as folder, _quietly():
        whole = target if calibration is None else Path(folder) / "float.onnx"
        tf2onnx.convert.from_function(classify, classify.input_signature, opset=_OPSET, output_path=str(whole))
        if calibration is not None:
            _quantize_onnx(whole, target, calibration)


def _quantize_onnx(source: Path, target: Path, calibration: Iterable[Images]) -> None:
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._rest = iter(calibration)

        def get_next(self) -> dict[str, Images] | None:
            image = next(self._rest, None)
            return None if image is None else {INPUT: image[np.newaxis]}

    prepared = source.with_name("prepared.onnx")
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    quantize_static(
        str(prepared),
        str(target),
        Reader(),
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )


def require_package(name: str, kind: str) -> Any:
    """Import a package that only exports need.

    Raises:
        InputError: It isn't installed, or can't be loaded.
    """
    import importlib

    try:
        with _quietly():
            return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0].replace("_", "-")
        raise InputError(
            _(
                "An export to {kind} needs the package {package}, which can't be loaded here ({error}). Install what "
                "exports need: pip install 'tl_widgets[export]'.",
                kind=kind,
                package=package,
                error=str(error),
            )
        ) from None


@contextmanager
def _quietly() -> Iterator[None]:
    """Hide the converters' warnings, which address their programmers."""
    loggers = [logging.getLogger(name) for name in ("tensorflow", "tf2onnx", "absl")]
    before = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


Answer = Callable[[Images], Any]


def open_tflite(path: Path) -> tuple[str, Answer]:
    """Return the runtime's name, and a function that answers one image, (1, height, width, 3)."""
    litert = require_package("ai_edge_litert.interpreter", "TFLite")
    from importlib.metadata import version

    runner = litert.Interpreter(str(path)).get_signature_runner(SIGNATURE)
    return f"LiteRT {version('ai-edge-litert')}", lambda image: runner(**{INPUT: image})[OUTPUT]


def open_onnx(path: Path) -> tuple[str, Answer]:
    """Do what `open_tflite` does, for ONNX."""
    onnxruntime = require_package("onnxruntime", "ONNX")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = _("ONNX Runtime {version}", version=onnxruntime.__version__)
    return name, lambda image: session.run([OUTPUT], {INPUT: image})[0]


def open_saved_model(path: Path) -> tuple[str, Answer]:
    """Do what `open_tflite` does, for a SavedModel."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    classify = loaded.signatures[SIGNATURE]
    # The loaded object owns the variables, so it has to stay.
    return f"TensorFlow {tf.__version__}", lambda image: (loaded, classify(**{INPUT: tf.constant(image)}))[1][
        OUTPUT
    ].numpy()
