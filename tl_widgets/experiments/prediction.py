"""`predict`, which classifies a new picture with the models of a comparison."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.arguments import checked
from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import size_text
from tl_widgets.core.paths import read_file, user_path, working_folder
from tl_widgets.core.translation import _
from tl_widgets.data.archives import MAX_FILE_BYTES, printable
from tl_widgets.data.dataset import ImageDataset, Images
from tl_widgets.data.decode import MAX_PIXELS, UnreadableError, decode_image, decode_upright
from tl_widgets.records.comparison import Comparison, RunResult, require_comparison

ORIGINAL_SIDE = 480  # pixels of the longer side of `Prediction.original`


@dataclass(frozen=True)
class Answer:
    """The probabilities of one model (a `ModelName`) for a picture; they add up to 1."""

    model: str
    probabilities: tuple[float, ...]

    @property
    def prediction(self) -> int:
        """The most probable class."""
        return int(np.argmax(self.probabilities))

    @property
    def is_finite(self) -> bool:
        """Whether all probabilities are finite; NaN means that the training diverged."""
        return bool(np.isfinite(self.probabilities).all())


@dataclass(frozen=True, eq=False)
class Prediction:
    """A picture and each model's prediction for it.

    Attributes:
        name: Name of the picture's file; "" for an array.
        class_names: One for each probability.
        image: The models' input, uint8, shape (image_size, image_size, 3), read-only.
        original: The whole picture, upright, at most 480 pixels a side, uint8, shape (height, width, 3), read-only.
        width: Width of the upright picture before resizing, in pixels.
        height: Height of the upright picture before resizing, in pixels.
        answers: Each model's prediction, in the order scratch, transfer, control, fine_tuned.
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
        """Whether all models predict the same class."""
        return len({answer.prediction for answer in self.answers}) == 1


@checked
def predict(
    comparison: Comparison, picture: str | PathLike[str] | bytes | NDArray[np.uint8], *, name: str = ""
) -> Prediction:
    """Classify a picture with all models of a comparison.

    The picture is rotated upright, cropped, placed on white and resized exactly as in `load_folder`. A probability
    compares a class with the other classes; it doesn't say whether the picture shows any of them, because the
    probabilities always add up to 1.

    Args:
        comparison: The result of `compare`, with its models.
        picture: The path of an image file, its bytes, or pixels: uint8, shape (height, width, 3), values 0-255.
        name: Name of the picture in messages; the file's name if it's empty and `picture` is a path.

    Returns:
        The picture as the models received it, and each model's probabilities.

    Raises:
        InputError: The picture can't be used, or the models are gone: a record has none, and a Lab keeps only those
            of its last run.
    """
    runs = runs_with_models(comparison)
    name = name or (user_path(picture, "picture").name if isinstance(picture, str | PathLike) else "")
    subject = printable(name) or _("The picture")
    data = _content(picture, subject)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns about large pictures and unusual metadata
            image = decode_image(data, comparison.dataset.image_size)
            original = decode_upright(data, ORIGINAL_SIDE)
    except UnreadableError as problem:
        raise InputError(_("{subject} cannot be used: {problem}.", subject=subject, problem=problem)) from None
    answers = tuple(Answer(run.name, _probabilities(run.model, image)) for run in runs)
    for pixels in (image, original.pixels):
        pixels.flags.writeable = False
    return Prediction(
        name, comparison.dataset.class_names, image, original.pixels, original.width, original.height, answers
    )


def runs_with_models(comparison: Comparison) -> tuple[RunResult, ...]:
    """Return the runs of a comparison that still hold their trained models."""
    require_comparison(comparison)
    runs = tuple(run for run in comparison.runs if run.model is not None)
    if not runs:
        raise InputError(
            _(
                "The models of this result are gone: a record holds none, and a Lab keeps those of its last run only. "
                "Train again; the same settings and seed give the same models on the same machine."
            )
        )
    return runs


def require_new_test_images(comparison: Comparison, dataset: ImageDataset) -> None:
    """Raise `InputError` unless the models of a comparison have not learned from the data set's test images."""
    if comparison.folds is not None:
        raise InputError(
            _(
                "This comparison was cross-validated: its models are those of the first fold, which were "
                "trained on images of the data set's test split. Give a comparison without folds."
            )
        )
    if comparison.dataset.fingerprint != dataset.fingerprint:
        raise InputError(
            _(
                "This is not the data set that the comparison was made on (other images, or another "
                "split). Give the same data set."
            )
        )


def _content(picture: Any, subject: str) -> bytes:
    """Return the picture as the bytes of an image file."""
    if isinstance(picture, bytes | bytearray | memoryview):
        if memoryview(picture).nbytes > MAX_FILE_BYTES:
            raise InputError(_too_large(subject))
        return bytes(picture)
    if isinstance(picture, str | PathLike):
        return _read(user_path(picture, "picture"), subject)
    return _png(picture, subject)


def _too_large(subject: str) -> str:
    return _(
        "{subject} is larger than the {max_file_bytes} allowed for one picture. Save a smaller copy.",
        subject=subject,
        max_file_bytes=size_text(MAX_FILE_BYTES),
    )


def _read(path: Path, subject: str) -> bytes:
    try:
        if not path.exists():
            raise InputError(
                _(
                    "There is no file {path}; you are in {working_folder}.",
                    path=printable(str(path)),
                    working_folder=printable(str(working_folder())),
                )
            )
        if not path.is_file():  # a folder, or a pipe, where reading would block
            raise InputError(
                _("{subject} is not a file. Give one image: JPEG, PNG, WebP, BMP, GIF or TIFF.", subject=subject)
            )
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InputError(_too_large(subject))
        return read_file(path, MAX_FILE_BYTES)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise InputError(_("{subject} cannot be read: {reason}.", subject=subject, reason=reason)) from None


def _png(pixels: Any, subject: str) -> bytes:
    """Encode pixels as a PNG file, so they are processed like all pictures."""
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
            _(
                "{subject} must be a path, bytes, or a uint8 array of shape (height, width, 3) with "
                "values 0-255 and at most {max_pixels} megapixels; received {kind}.",
                subject=subject,
                max_pixels=MAX_PIXELS // 1_000_000,
                kind=kind,
            )
        )
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG", compress_level=1)
    return file.getvalue()


def _probabilities(model: Any, image: Images) -> tuple[float, ...]:
    answer = np.asarray(model(image[None].astype(np.float32), training=False), np.float64)[0]
    if len(answer) == 1:  # the sigmoid's output is the probability of the second class
        answer = np.concatenate([1 - answer, answer])
    return tuple(map(float, answer))
