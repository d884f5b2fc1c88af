"""Principal components and nearest neighbours of feature vectors. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.errors import InputError

_BLOCK = 256  # rows of a table of distances at a time


@dataclass(frozen=True, eq=False)
class Components:
    """Principal components of some vectors.

    Attributes:
        positions: float64 (n, n_components), along each component.
        directions: float64 (n_components, n_features), of length 1; the entry of each that is largest, sign left out,
            is positive, so that the same vectors always give the same picture.
        explained: share of the variance along each, 0..1, all 0 where the vectors do not differ.
    """

    positions: NDArray[np.float64]
    directions: NDArray[np.float64]
    explained: tuple[float, ...]


def principal_components(vectors: NDArray[Any], n_components: int = 2) -> Components:
    """The directions along which vectors differ most, by singular value decomposition of the centred vectors.

    Source: K. Pearson, Philosophical Magazine 2 (1901), 559-572; signs as in scikit-learn's PCA.

    Args:
        vectors: (n, n_features), n at least 2.
        n_components: how many; those beyond what the vectors have are 0.

    Raises:
        InputError: there are fewer than two vectors, or numbers that are not finite.
    """
    values = np.asarray(vectors, np.float64)
    if values.ndim != 2 or len(values) < 2 or not np.isfinite(values).all():
        raise InputError(
            f"Principal components need two or more vectors of finite numbers, (n, n_features); received an array of "
            f"shape {values.shape}."
        )
    values = values - values.mean(axis=0)
    left, sizes, right = np.linalg.svd(values, full_matrices=False)
    signs = np.sign(right[np.arange(len(right)), np.abs(right).argmax(axis=1)])
    n = min(n_components, len(sizes))
    positions, directions = np.zeros((len(values), n_components)), np.zeros((n_components, values.shape[1]))
    positions[:, :n] = (left * sizes * signs)[:, :n]
    directions[:n] = (right * signs[:, None])[:n]
    variances = np.zeros(n_components)
    variances[:n] = sizes[:n] ** 2
    total = float((sizes**2).sum())
    return Components(positions, directions, tuple((variances / total if total else variances).tolist()))


def nearest_labels(vectors: NDArray[Any], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The class of each vector's nearest neighbour, itself left out; of equally near ones, of the first.

    Args:
        vectors: (n, n_features), n at least 2.
        labels: int64 (n,).
    """
    values = np.asarray(vectors, np.float64)
    values = values - values.mean(axis=0)  # distances stay, and large common parts do not cost digits
    squares = (values**2).sum(axis=1)
    nearest = np.empty(len(values), np.int64)
    for start in range(0, len(values), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(values)))
        distances = squares[rows, None] - 2 * values[rows] @ values.T + squares
        distances[np.arange(len(rows)), rows] = np.inf
        nearest[rows] = distances.argmin(axis=1)
    found: NDArray[np.int64] = labels[nearest]
    return found
