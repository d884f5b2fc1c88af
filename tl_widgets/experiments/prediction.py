"""predict: what the models of a comparison make of a picture that none of them has seen."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import size_text
from tl_widgets.data.archives import MAX_FILE_BYTES, printable
from tl_widgets.data.dataset import Images
from tl_widgets.data.decode import MAX_PIXELS, UnreadableError, decode_image, decode_upright
from tl_widgets.records.comparison import Comparison, RunResult, require_comparison

ORIGINAL_SIDE = 480  # pixels of the longer side of `Prediction.original`


@dataclass(frozen=True)
class Answer:
    """What one model makes of a picture.

    Attributes:
        model: a `ModelName`.
        probabilities: one for each class, together 1, whatever the picture shows.
    """

    model: str
    probabilities: tuple[float, ...]

    @property
    def prediction(self) -> int:
        """The most probable class."""
        return int(np.argmax(self.probabilities))

    @property
    def is_finite(self) -> bool:
        """Whether the probabilities are numbers; those of a model whose training ran away are not."""
        return bool(np.isfinite(self.probabilities).all())


@dataclass(frozen=True, eq=False)
class Prediction:
    """A picture, and what each model makes of it.

    Attributes:
        name: of the picture's file; "" for an array.
        class_names: one for each probability.
        image: what the models saw, uint8, shape (image_size, image_size, 3), read-only.
        original: the whole picture, upright, at most 480 pixels a side, uint8, shape (height, width, 3), read-only.
        width, height: of the picture itself in pixels, upright.
        answers: of each model, in the order scratch, transfer, control, fine_tuned.
    """

    name: str
    class_names: tuple[str, ...]
    image: Images
    original: Images
    width: int
    height: int
    answers: tuple[Answer, ...]

    @property
    def agree(self) -> bool:
        """Whether all models name the same class."""
        return len({answer.prediction for answer in self.answers}) == 1


def predict(
    comparison: Comparison, picture: str | PathLike[str] | bytes | NDArray[np.uint8], *, name: str = ""
) -> Prediction:
    """Ask all models of a comparison what a picture shows.

    The picture is turned, cropped, put on white and resized exactly as `load_folder` does. A probability says how a
    class compares with the other classes, not whether the picture shows any of them: together they are always 1.

    Args:
        comparison: as `compare` gave it, with its models.
        picture: the path of an image file, its bytes, or pixels: uint8, shape (height, width, 3), values 0-255.
        name: what to call it in messages; a path has a name of its own.

    Raises:
        InputError: the picture cannot be used, or the models are gone: a record holds none, and a Lab keeps those of
            its last run only.
    """
    runs = runs_with_models(comparison)
    name = name or (Path(picture).name if isinstance(picture, str | PathLike) else "")
    what = printable(name) or "The picture"
    data = _content(picture, what)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, about large pictures and odd metadata
            image = decode_image(data, comparison.dataset.image_size)
            original = decode_upright(data, ORIGINAL_SIDE)
    except UnreadableError as problem:
        raise InputError(f"{what} cannot be used: {problem}.") from None
    answers = tuple(Answer(run.name, _probabilities(run.model, image)) for run in runs)
    for pixels in (image, original.pixels):
        pixels.flags.writeable = False
    return Prediction(
        name, comparison.dataset.class_names, image, original.pixels, original.width, original.height, answers
    )


def runs_with_models(comparison: Comparison) -> tuple[RunResult, ...]:
    """The runs of a comparison that still hold their trained models.

    Raises:
        InputError: none does, or it is no comparison.
    """
    require_comparison(comparison)
    runs = tuple(run for run in comparison.runs if run.model is not None)
    if not runs:
        raise InputError(
            "The models of this result are gone: a record holds none, and a Lab keeps those of its last run only. "
            "Train again; the same settings and seed give the same models on the same machine."
        )
    return runs


def _content(picture: Any, what: str) -> bytes:
    """The bytes of an image file, whatever was given."""
    if isinstance(picture, bytes | bytearray | memoryview):
        if memoryview(picture).nbytes > MAX_FILE_BYTES:
            raise InputError(_too_large(what))
        return bytes(picture)
    if isinstance(picture, str | PathLike):
        return _read(Path(fspath(picture)).expanduser(), what)
    return _png(picture, what)


def _too_large(what: str) -> str:
    return f"{what} has more than the {size_text(MAX_FILE_BYTES)} allowed for one picture: save it smaller."


def _read(path: Path, what: str) -> bytes:
    try:
        if not path.exists():
            raise InputError(f"There is no file {printable(str(path))}; you are in {printable(str(Path.cwd()))}.")
        if not path.is_file():  # a folder; or a pipe, which one would wait for
            raise InputError(f"{what} is no file. Give one image: JPEG, PNG, WebP, BMP, GIF or TIFF.")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InputError(_too_large(what))
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{what} cannot be read: {reason}.") from None


def _png(pixels: Any, what: str) -> bytes:
    """Pixels as a file, so that they go the way of all pictures."""
    from PIL import Image

    is_picture = (
        isinstance(pixels, np.ndarray)
        and pixels.dtype == np.uint8
        and pixels.ndim == 3
        and pixels.shape[2] == 3
        and 0 < pixels.shape[0] * pixels.shape[1] <= MAX_PIXELS
    )
    if not is_picture:
        kind = f"{pixels.dtype} {pixels.shape}" if isinstance(pixels, np.ndarray) else type(pixels).__name__
        raise InputError(
            f"{what} must be a path, bytes, or a uint8 array of shape (height, width, 3) with values 0-255 and at most "
            f"{MAX_PIXELS // 1_000_000} megapixels; received {kind}."
        )
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG", compress_level=1)
    return file.getvalue()


def _probabilities(model: Any, image: Images) -> tuple[float, ...]:
    answer = np.asarray(model(image[None].astype(np.float32), training=False), np.float64)[0]
    if len(answer) == 1:  # a sigmoid says how probable the second class is
        answer = np.concatenate([1 - answer, answer])
    return tuple(map(float, answer))
