"""`check_prediction`: does the model see at prediction what it saw in training?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tl_widgets.core.errors import InputError
from tl_widgets.core.paths import user_file
from tl_widgets.core.translation import _
from tl_widgets.setup_checks.checks.images import shape_advice, shape_text, unusable_values
from tl_widgets.setup_checks.data import Array, Data
from tl_widgets.setup_checks.graph import find_backbone_in
from tl_widgets.setup_checks.mistake import Finding, Report
from tl_widgets.setup_checks.mistakes.pixels import find_wrong_pixels
from tl_widgets.setup_checks.pixel_forms import Form, form_of
from tl_widgets.setup_checks.same_images import print_images
from tl_widgets.setup_checks.setup import Setup, read_setup

_WHERE = "image"


def check_prediction(model: keras.Model, images: Any, *, like: Any = None) -> Report:
    """Look for differences between the images to predict and those that the model was trained on.

    Args:
        model: A built model.
        images: A file, an image, a batch of images, or data in any form that `check_setup` takes.
        like: The training data, in any form that `check_setup` takes. Without them, only the model itself says what
            it expects.

    Returns:
        A sentence for each difference, as `check_setup` returns them.

    Raises:
        InputError: `model` isn't a built Keras model, the file isn't an image, or the data have another form.
    """
    if not isinstance(model, keras.Model) or not model.built:
        raise InputError(_("check_prediction takes a built keras.Model; received {name}.", name=type(model).__name__))
    training = None if like is None else read_setup(model, like)
    findings: list[Finding] = []
    if isinstance(images, str | Path):
        batch = _file(model, user_file(images, "images"), training, findings)
    else:
        batch = _batch(model, images, findings)
    if batch is None:
        return Report(findings)
    values = np.asarray(batch, np.float32)
    setup = Setup(model, Data((values, np.zeros(len(values)))), None, Data(values).sample)
    if unusable := list(unusable_values(setup)):
        return Report([*findings, *unusable])
    if not setup.images_fit and setup.input_shape is not None:
        received = tuple(values.shape[1:])
        text, code = shape_advice(received, setup.input_shape)
        wanted = shape_text(setup.input_shape)
        findings.append(
            Finding(
                _(
                    "The image is {shape}, and the model takes {wanted}: {text}",
                    shape=shape_text(received),
                    wanted=wanted,
                    text=text,
                ),
                where=_WHERE,
                code=code,
            )
        )
        return Report(findings)
    if training is None:
        setup.backbone = find_backbone_in(model)
        findings += find_wrong_pixels(setup)
    else:
        findings += _like(values, training)
    return Report(dict.fromkeys(findings))


def _file(model: keras.Model, path: Path, training: Setup | None, findings: list[Finding]) -> Array | None:
    """Read a file as `keras.utils.load_img` does, and note what that changes."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as file:
            mode, size, turned = file.mode, file.size, file.getexif().get(0x0112, 1) not in (0, 1)
            image = file.convert("RGB")
            image.load()
    except (OSError, UnidentifiedImageError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(_("{path} can't be read as an image ({error}).", path=path, error=str(error)[:150])) from error
    if turned:
        findings.append(
            Finding(
                _("The photograph lies on its side or head: its EXIF data say how to turn it, and load_img doesn't."),
                where=str(path.name),
                code="image = PIL.ImageOps.exif_transpose(PIL.Image.open(path))",
            )
        )
    shape = _image_shape(model, training)
    code = "image = keras.utils.load_img(path)"
    if shape is not None and None not in shape[:2]:
        height, width = int(shape[0] or 0), int(shape[1] or 0)
        code = f"image = keras.utils.load_img(path, target_size=({height}, {width}))"
        if max(size[0] * height / (size[1] * width), size[1] * width / (size[0] * height)) > 1.3:
            findings.append(
                Finding(
                    _(
                        "The file is {file_width} × {file_height} pixels, and squeezing it into {width} × {height} "
                        "distorts it: crop it first, unless the training images were squeezed as well.",
                        file_width=size[0],
                        file_height=size[1],
                        width=width,
                        height=height,
                    ),
                    where=path.name,
                    code=f"{code[:-1]}, keep_aspect_ratio=True)",
                    is_certain=False,
                )
            )
        image = image.resize((width, height))
    values = np.asarray(image, np.float32)[None]
    if shape is not None and shape[-1] == 1:
        values = values.mean(-1, keepdims=True)
    elif mode in ("RGBA", "LA", "PA"):
        findings.append(
            Finding(
                _(
                    "The file has a transparent background ({mode}), which becomes black or white when "
                    "it's dropped: use the background of the training images.",
                    mode=mode,
                ),
                where=path.name,
                is_certain=False,
            )
        )
    if training is not None and training.form.name in ("unit", "tf", "torch", "caffe") and mode != "F":
        scale = {"unit": "batch / 255", "tf": "batch / 127.5 - 1"}.get(training.form.name, "preprocess_input(batch)")
        findings.append(
            Finding(
                _(
                    "A file holds pixels of 0 to 255, and the training images are {words}: prepare it in the same way.",
                    words=training.form.words,
                ),
                where=path.name,
                code=_("{code}; batch = np.asarray(image, 'float32')[None]; batch = {scale}", code=code, scale=scale),
            )
        )
        return None
    return values


def _image_shape(model: keras.Model, training: Setup | None) -> tuple[int | None, ...] | None:
    shape = getattr(model, "input_shape", None)
    if isinstance(shape, tuple) and len(shape) == 4 and None not in shape[1:3]:
        return tuple(shape[1:])
    return tuple(training.images.shape[1:]) if training is not None and training.is_image else None


def _batch(model: keras.Model, images: Any, findings: list[Finding]) -> Array | None:
    """Return the images as a batch, and note if they are one image or come shuffled."""
    shape = getattr(model, "input_shape", None)
    rank = len(shape) if isinstance(shape, tuple) else 4
    if not isinstance(images, np.ndarray) and hasattr(images, "convert"):  # an image of PIL
        images = np.asarray(images)
    if np.ndim(images) == rank - 1 and not isinstance(images, tuple | dict):
        findings.append(
            Finding(
                _("This is one image of shape {shape}, and predict() takes a batch of them.", shape=np.shape(images)),
                where=_WHERE,
                code="model.predict(image[None])",
            )
        )
        return np.asarray(images)[None]
    data = Data(images, rank)
    if data.form == "tf.data" and _is_shuffled(data):
        findings.append(
            Finding(
                _(
                    "The data come in another order in each pass, so answers of predict() don't stand "
                    "beside the labels of a second pass: collect both in one pass, or leave shuffle out."
                ),
                where=_("data set"),
                code=_("for images, labels in dataset: answers = model.predict_on_batch(images)"),
            )
        )
    return data.sample.images


def _is_shuffled(data: Data) -> bool:
    one, other = next(data.batches()).images, next(data.batches()).images
    return one.shape != other.shape or not np.allclose(one, other)


def _like(values: Array, training: Setup) -> Iterator[Finding]:
    """Compare images with those of the training."""
    form = form_of(values)
    if form.is_known and training.form.is_known and form.name != training.form.name:
        yield _other_form(form, training.form, values, training.images)
        return
    ratio = values.std() / max(float(training.images.std()), 1e-12)
    if not 0.05 < ratio < 10 or (not form.is_known and ratio > 4):
        yield _other_form(form, training.form, values, training.images)
        return
    if training.is_image and values.ndim == 4 and values.shape[-1] == 3:
        yield from _swapped(values, training)
        yield from _bars(values, training)
        gray = [bool(np.allclose(images[..., 0], images[..., 2], atol=1e-3 * np.ptp(images) + 1e-9))
                for images in (values, training.images)]  # fmt: skip
        if gray == [True, False]:
            text = _("The image is gray, and the training images have colors.")
            yield Finding(text, "channel_order", where=_WHERE, is_certain=False)


def _other_form(form: Form, trained: Form, values: Array, images: Array) -> Finding:
    code = {
        ("raw", "unit"): "images = images / 255",
        ("raw", "tf"): "images = images / 127.5 - 1",
        ("unit", "raw"): "images = images * 255",
        ("unit", "tf"): "images = images * 2 - 1",
        ("tf", "raw"): "images = (images + 1) * 127.5",
        ("tf", "unit"): "images = (images + 1) / 2",
    }.get((form.name, trained.name), "images = prepare(raw_images)  # as for the training")
    return Finding(
        _(
            "The image runs from {low:.3g} to {high:.3g}, and the training images from "
            "{training_low:.3g} to {training_high:.3g}: it's scaled in another way.",
            low=values.min(),
            high=values.max(),
            training_low=images.min(),
            training_high=images.max(),
        ),
        "wrong_preprocessing",
        where=_WHERE,
        code=code,
    )


def _swapped(values: Array, training: Setup) -> Iterator[Finding]:
    """Find red and blue swapped: by the same image among the training images, or by the colors of eight or more."""
    data = training.data
    images = np.asarray(data.arrays.images[:2000] if data.is_array else training.images, np.float32)
    prints, _unused, _unused = print_images(values)
    known, _unused, _unused = print_images(images)
    distances = np.linalg.norm(prints[:, None] - known[None], axis=-1) if len(prints) * len(known) < 500_000 else None
    is_swapped = False
    if distances is not None:
        for i, j in enumerate(distances.argmin(1)):
            if distances[i, j] < 0.02:
                straight, reverse = (abs(values[i][..., ::step] - images[j]).mean() for step in (1, -1))
                is_swapped |= bool(reverse < 0.1 * straight)
    if not is_swapped and len(values) >= 8:
        tints = [batch.reshape(len(batch), -1, 3).mean(1) for batch in (values, images)]
        sides = [tint[:, 0] - tint[:, 2] for tint in tints]
        means = [float(side.mean()) for side in sides]
        errors = [max(float(side.std()) / np.sqrt(len(side)), 1e-9) for side in sides]
        certain = all(abs(mean) > 6 * error for mean, error in zip(means, errors, strict=True))
        is_swapped = certain and means[0] * means[1] < 0 and 0.5 < abs(means[0] / means[1]) < 2
    if is_swapped:
        yield Finding(
            _("Red and blue are swapped, as OpenCV reads files: the training images have them the other way round."),
            "channel_order",
            where=_WHERE,
            code="images = images[..., ::-1]",
        )


def _bars(values: Array, training: Setup) -> Iterator[Finding]:
    """Find bars of one color at two opposite sides, which the training images don't have."""
    if any(_has_bars(image) for image in training.images):
        return
    if sum(_has_bars(image) for image in values) > len(values) / 2:
        yield Finding(
            _(
                "The image has bars of one color at its edges, and the training images don't: it was "
                "padded where they were cropped or squeezed."
            ),
            where=_WHERE,
            code="image = keras.utils.load_img(path, target_size=size, keep_aspect_ratio=True)",
            is_certain=False,
        )


def _has_bars(image: Array) -> bool:
    for axis in (0, 1):
        lines = np.moveaxis(image, axis, 0)
        flat = np.ptp(lines.reshape(len(lines), -1, image.shape[-1]), axis=1).max(-1) < 1e-6
        width = max(1, len(flat) // 12)
        if flat[:width].all() and flat[-width:].all() and not flat.all():
            return True
    return False
