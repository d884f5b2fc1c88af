"""Batches in, answers out: the order of the images and what answers are worth. NumPy only; a leaf."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
_TINY = 1e-7  # Keras clips probabilities here before the logarithm


def cross_entropy(probabilities: Array, labels: NDArray[np.int64]) -> float:
    """Mean loss of answers.

    Args:
        probabilities: (n, 1) with a sigmoid unit, else (n, n_classes).
        labels: int64 (n,).
    """
    if probabilities.shape[1] == 1:
        right = np.where(labels == 1, probabilities[:, 0], 1 - probabilities[:, 0])
    else:
        right = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.clip(right, _TINY, 1 - _TINY)).mean())


def predicted_classes(probabilities: Array) -> NDArray[np.int64]:
    """The most probable class of each row, int64 (n,); with one sigmoid unit, 1 above a half."""
    if probabilities.shape[1] == 1:
        return (probabilities[:, 0] > 0.5).astype(np.int64)
    classes: NDArray[np.int64] = probabilities.argmax(axis=1)
    return classes


def count_right(probabilities: Array, labels: NDArray[np.int64]) -> int:
    """Number of rows whose most probable class is the label."""
    return int((predicted_classes(probabilities) == labels).sum())


def batches(n: int, batch_size: int, *, seed: int, epoch: int) -> Iterator[NDArray[np.int64]]:
    """The training images' order in one epoch, cut into batches; the same for every model of a comparison.

    Args:
        n: images.
        batch_size: images in a batch; the last may be smaller.
        seed: of the run.
        epoch: from 0; each has an order of its own.
    """
    order = np.random.default_rng([seed, 0, epoch]).permutation(n)
    for start in range(0, n, batch_size):
        yield order[start : start + batch_size]
