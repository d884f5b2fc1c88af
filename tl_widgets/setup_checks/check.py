"""check_setup: look for common mistakes in a learner's own Keras model and data, without training it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras

from tl_widgets.core.errors import InputError
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.setup_checks.compiled import check_compiled
from tl_widgets.setup_checks.graph import FoundBackbone, find_backbone_in, graph_of
from tl_widgets.setup_checks.inputs import check_input
from tl_widgets.setup_checks.layers import check_backbone, check_bottleneck, check_output
from tl_widgets.setup_checks.pixels import check_pixels
from tl_widgets.setup_checks.sample import image_keys, take_sample

_CHECKS = {
    "whether the images fit": check_input,
    "which pixels reach the backbone": check_pixels,
    "the backbone's state": check_backbone,
    "the shape of the answers": check_output,
    "bottlenecks": check_bottleneck,
    "loss, labels and learning rate": check_compiled,
}


def check_setup(model: keras.Model, dataset: Any, *, validation: Any = None) -> tuple[str, ...]:
    """Look for mistakes of the kinds that `what_goes_wrong` measures. Never trains or changes the model.

    Args:
        model: built and, for all that concerns loss and optimizer, compiled.
        dataset: what it is trained on: an ImageDataset, (images, labels) as arrays, or a tf.data set, of which only
            the first images are read.
        validation: what it is validated on, in any of these forms; an ImageDataset brings its own.

    Returns:
        A sentence for each mistake that was found, and one that begins with "Not checked" for what could not be
        looked at, which of a subclassed model is a part; an empty tuple is no proof that there is no mistake.

    Raises:
        InputError: this is no Keras model, or no images in such a form.
    """
    if not isinstance(model, keras.Model):
        raise InputError(f"check_setup takes a keras.Model; received {type(model).__name__}.")
    sample = take_sample(dataset)
    if not model.built:
        return (
            "The model has no weights yet: give its first layer an Input(shape), or call it once; then check again.",
        )
    found: list[str] = []
    try:
        backbone = find_backbone_in(model)
    except Exception as error:  # whatever odd model a learner brings
        backbone = None
        found.append(_not_checked("where the backbone is", error))
    for what, check in _CHECKS.items():
        try:
            found += check(model, backbone, sample)
        except Exception as error:
            found.append(_not_checked(what, error))
    try:
        found += _splits(dataset, validation)
    except InputError:
        raise
    except Exception as error:
        found.append(_not_checked("whether images are in two splits", error))
    return (*found, *_left_out(model, backbone))


def _left_out(model: keras.Model, backbone: FoundBackbone | None) -> Iterator[str]:
    """What cannot be seen of a model without a graph."""
    if graph_of(model) is not None:
        return
    what = ["bottlenecks"]
    if backbone is None:
        none = "no part of it is a functional or Sequential model with convolutions"
        what.append(f"a backbone and the pixels that reach it ({none})")
    if getattr(model, "optimizer", None) is None:
        what.append("loss, labels and learning rate (it is not compiled)")
    yield f"Not checked, because a subclassed model has no graph to read: {'; '.join(what)}."


def _not_checked(what: str, error: Exception) -> str:
    return f"Not checked: {what} ({type(error).__name__}: {' '.join(str(error).split())[:150]})."


def _splits(dataset: Any, validation: Any) -> Iterator[str]:
    if isinstance(dataset, ImageDataset) and validation is None:
        train, others = set(dataset.train.keys), {*dataset.validation.keys, *dataset.test.keys}
        if n := len(train & others):
            yield f"{n} training images are validation or test images as well, so that accuracy flatters: split once."
        return
    if validation is None:
        return
    if validation is dataset:
        yield "The model is validated on its own training images, so that accuracy flatters: keep some images apart."
        return
    # Two passes: a data set that is shuffled anew in each hands other images to take() and skip().
    first = image_keys(dataset), image_keys(validation)
    second = image_keys(dataset), image_keys(validation)
    if n := len(first[0] & first[1]):
        if first[1] <= first[0]:
            yield "All validation images are training images, so that accuracy flatters: keep some images apart."
            return
        yield f"{n} training images are validation images as well, so that accuracy flatters: split once."
    elif n := len((first[0] & second[1]) | (second[0] & first[1])):
        yield (
            f"{n} images are in the training part in one pass and in the validation part in another: the data are "
            "shuffled anew before take() and skip(). Split first, or shuffle with reshuffle_each_iteration=False."
        )
