"""A few images of whatever a learner trains on: an ImageDataset, arrays, a tf.data set. Never reads it to the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tl_widgets.core.errors import InputError
from tl_widgets.data.dataset import ImageDataset, image_key

_MOST_BYTES = 200_000_000


@dataclass(frozen=True, eq=False)
class Sample:
    """Some images and their labels.

    Attributes:
        images: float32 (n, height, width, channels), as the model gets them.
        labels: as the loss gets them, (n, ...); None where the data have none.
    """

    images: NDArray[np.float32]
    labels: NDArray[Any] | None


def take_sample(data: Any, n: int = 32) -> Sample:
    """About `n` images, of as many classes as come first.

    Args:
        data: an ImageDataset (its training images), (images, labels), a tf.data set or a keras PyDataset.
        n: how many.

    Raises:
        InputError: it is something else, or has no images.
    """
    images, labels = [], []
    for one_images, one_labels in _batches(data, n):
        images.append(one_images)
        labels.append(one_labels)
    if not images:
        raise InputError("The data hold no image.")
    known = [one for one in labels if one is not None]
    found = np.concatenate(known)[:n] if len(known) == len(images) else None
    return Sample(np.concatenate(images)[:n].astype(np.float32), found)


def image_keys(data: Any, n: int = 512) -> set[bytes]:
    """Hashes of about the first `n` images of one pass; see `take_sample`."""
    return {image_key(image) for images, _ in _batches(data, n) for image in images}


def _batches(data: Any, n: int) -> Iterator[tuple[NDArray[Any], NDArray[Any] | None]]:
    """Batches until there are `n` images."""
    n_bytes = 0
    for images, labels in _pieces(data, n):
        batch = np.asarray(images)
        if batch.ndim == 3:  # a tf.data set without batch()
            batch, labels = batch[None], None if labels is None else np.asarray(labels)[None]
        if batch.ndim != 4:
            raise InputError(f"Images of shape (n, height, width, channels) are needed; received {batch.shape}.")
        yield batch, None if labels is None else np.asarray(labels)
        n, n_bytes = n - len(batch), n_bytes + batch.nbytes
        if n <= 0 or n_bytes > _MOST_BYTES:
            return


def _pieces(data: Any, n: int) -> Iterator[tuple[Any, Any]]:
    if isinstance(data, ImageDataset):
        rows = np.unique(np.linspace(0, len(data.train) - 1, n).astype(int))  # of all classes
        yield data.train.images[rows], data.train.labels[rows]
    elif isinstance(data, tf.data.Dataset):
        for element in data:
            yield _pair(element)
    elif isinstance(data, keras.utils.PyDataset):
        for i in range(len(data)):
            yield _pair(data[i])
    elif isinstance(data, np.ndarray):
        yield data[:n], None
    elif isinstance(data, tuple | list) and len(data) == 2 and len(data[0]) == len(data[1]):
        rows = np.unique(np.linspace(0, len(data[0]) - 1, n).astype(int))
        yield np.asarray(data[0])[rows], np.asarray(data[1])[rows]
    else:
        raise InputError(
            "check_setup takes an ImageDataset, (images, labels) as arrays, or a tf.data set of such batches; received "
            f"{type(data).__name__}."
        )


def _pair(element: Any) -> tuple[Any, Any]:
    return (element[0], element[1]) if isinstance(element, tuple | list) and len(element) > 1 else (element, None)
