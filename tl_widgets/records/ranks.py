"""Whether two rankings of the same things agree: Spearman's correlation with a permutation test. NumPy only; a leaf."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

_EXACT_UP_TO = 7  # 5,040 orders
_N_RANDOM = 20_000


@dataclass(frozen=True)
class RankCorrelation:
    """How far two rankings agree.

    Attributes:
        rho: Spearman's: 1 for the same order, -1 for the opposite one.
        p_value: two-sided, for "the orders have nothing to do with each other".
        n: how many things were ranked.
    """

    rho: float
    p_value: float
    n: int


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> RankCorrelation | None:
    """Compare two rankings; things that are equal share the mean of their ranks.

    Args:
        first: a value of each thing.
        second: another value of each, in the same order.

    Returns:
        None where it is not defined: fewer than two things, or values that are all equal.

    Source: C. Spearman, American Journal of Psychology 15 (1904), 72-101: Pearson's correlation of the ranks. The
    p-value counts the orders of the second ranking that agree, or disagree, at least as much: all of them up to
    7 things, 20,000 random ones (seed 0) beyond.
    """
    ranks1, ranks2 = _centred_ranks(first), _centred_ranks(second)
    n, scale = len(ranks1), float(np.sqrt((ranks1**2).sum() * (ranks2**2).sum()))
    if n < 2 or scale == 0:
        return None
    rho = float(ranks1 @ ranks2) / scale
    if n <= _EXACT_UP_TO:
        orders = np.array(list(permutations(range(n))))
    else:
        orders = np.random.default_rng(0).permuted(np.tile(np.arange(n), (_N_RANDOM, 1)), axis=1)
    extreme = int((np.abs(ranks2[orders] @ ranks1) / scale >= abs(rho) - 1e-12).sum())
    # Among random orders the one that was found counts as well; among all of them it is there already.
    p_value = extreme / len(orders) if n <= _EXACT_UP_TO else (extreme + 1) / (len(orders) + 1)
    return RankCorrelation(rho, p_value, n)


def _centred_ranks(values: Sequence[float]) -> NDArray[np.float64]:
    array = np.asarray(values, np.float64)
    below = (array[:, None] > array[None, :]).sum(axis=1)
    equal = (array[:, None] == array[None, :]).sum(axis=1)
    ranks: NDArray[np.float64] = below + (equal - 1) / 2
    return ranks - (len(array) - 1) / 2
