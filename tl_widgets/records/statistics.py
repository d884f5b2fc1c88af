"""How sure a measured accuracy, a difference or a ranking is. SciPy loads with the first value that needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist, fmean, stdev

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.numbers import accuracy_text

Interval = tuple[float, float]

_Z95 = NormalDist().inv_cdf(0.975)
_N_ORDERS = 20_000


def wilson_interval(n_right: float, n: int) -> Interval:
    """Return the 95% confidence interval of a proportion.

    SciPy's `proportion_ci` only takes whole numbers of successes, so the formula stands here; a test holds it against
    SciPy's.

    Args:
        n_right: successes, 0 to n; not a whole number where it is the mean of several models.
        n: trials; with 0 nothing is known, and the interval is (0, 1).

    Returns:
        (low, high), both in 0..1.

    Source: E. B. Wilson, JASA 22 (1927), 209-212: the score interval.
    """
    if n == 0:
        return 0.0, 1.0
    p = n_right / n
    center = p + _Z95**2 / (2 * n)
    spread = _Z95 * sqrt(p * (1 - p) / n + _Z95**2 / (4 * n**2))
    scale = 1 + _Z95**2 / n
    # At 0 and n the exact bounds are 0 and 1; rounding would leave 1e-17 beside them.
    low = 0.0 if n_right == 0 else (center - spread) / scale
    high = 1.0 if n_right == n else (center + spread) / scale
    return low, high


def difference_interval(n_right1: int, n1: int, n_right2: int, n2: int) -> Interval:
    """Return the 95% confidence interval of the difference of two accuracies on different images.

    Args:
        n_right1: successes of the first.
        n1: its trials.
        n_right2: successes of the second.
        n2: its trials.

    Returns:
        (low, high) of first minus second, both in -1..1; (-1, 1) where one has no trials.

    Source: R. G. Newcombe, Statistics in Medicine 17 (1998), 873-890, method 10: Wilson intervals of both.
    """
    if not (n1 and n2):
        return -1.0, 1.0
    (low1, high1), (low2, high2) = wilson_interval(n_right1, n1), wilson_interval(n_right2, n2)
    first, second = n_right1 / n1, n_right2 / n2
    below = sqrt((first - low1) ** 2 + (high2 - second) ** 2)
    above = sqrt((high1 - first) ** 2 + (second - low2) ** 2)
    return first - second - below, first - second + above


def paired_difference_interval(both: int, only_first: int, only_second: int, neither: int) -> Interval:
    """Return the 95% confidence interval of the difference of two accuracies on the same images.

    Args:
        both: images that both models get right.
        only_first: images that only the first gets right.
        only_second: images that only the second gets right.
        neither: images that both get wrong.

    Returns:
        (low, high) of first minus second, both in -1..1; (-1, 1) without images.

    Source: R. G. Newcombe, Statistics in Medicine 17 (1998), 2635-2650, method 10: Wilson intervals of
    both proportions, joined with their correlation. SciPy and statsmodels have no such interval.
    """
    n = both + only_first + only_second + neither
    if n == 0:
        return -1.0, 1.0
    first, second = (both + only_first) / n, (both + only_second) / n
    low1, high1 = wilson_interval(both + only_first, n)
    low2, high2 = wilson_interval(both + only_second, n)
    margins = (both + only_first) * (only_second + neither) * (both + only_second) * (only_first + neither)
    determinant = float(both * neither - only_first * only_second)
    if determinant > 0:  # Newcombe's continuity correction, towards no correlation
        determinant = max(determinant - n / 2, 0.0)
    phi = determinant / sqrt(margins) if margins else 0.0
    down1, up1, down2, up2 = first - low1, high1 - first, second - low2, high2 - second
    below = sqrt(max(down1**2 - 2 * phi * down1 * up2 + up2**2, 0.0))
    above = sqrt(max(up1**2 - 2 * phi * up1 * down2 + down2**2, 0.0))
    difference = first - second
    return difference - below, difference + above


def mcnemar_p_value(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p-value for "both models are equally good".

    Args:
        only_first: images that only the first model gets right.
        only_second: images that only the second gets right.

    Returns:
        0..1; 1 where the models never differ.

    Source: Q. McNemar, Psychometrika 12 (1947), 153-157, with the exact binomial test.
    """
    if only_first == only_second:
        return 1.0  # the test's own answer, without its import
    from scipy.stats import binomtest

    return float(binomtest(only_first, only_first + only_second).pvalue)


@dataclass(frozen=True)
class PairedDifference:
    """Two models on the same test images.

    Attributes:
        difference: accuracy of the first minus that of the second.
        ci95: Newcombe's 95% interval of it.
        p_value: McNemar's exact p-value.
    """

    difference: float
    ci95: Interval
    p_value: float

    @property
    def is_clear(self) -> bool:
        """Whether interval and p-value agree that there is a difference."""
        return self.p_value < 0.05 and (self.ci95[0] > 0 or self.ci95[1] < 0)


def pair_answers(right1: NDArray[np.bool_], right2: NDArray[np.bool_]) -> PairedDifference:
    """Compare two models image by image.

    Args:
        right1: bool (n_test,), which images the first model got right; at least one image.
        right2: the same of the second, in the same order.
    """
    both, only1 = int((right1 & right2).sum()), int((right1 & ~right2).sum())
    only2, neither = int((~right1 & right2).sum()), int((~right1 & ~right2).sum())
    return PairedDifference(
        (only1 - only2) / len(right1),
        paired_difference_interval(both, only1, only2, neither),
        mcnemar_p_value(only1, only2),
    )


def but_not_clear(interval: Interval, p_value: float) -> str:
    """Return why an interval that leaves 0 out is not enough, as a clause; "" where it holds 0.

    Args:
        interval: of a paired difference that is not clear.
        p_value: McNemar's exact p-value of the same pair.
    """
    if interval[0] <= 0 <= interval[1]:
        return ""
    return f"; that leaves 0 out, but the exact test (McNemar, p = {p_value:.2g}) does not rule out chance"


@dataclass(frozen=True)
class Mean:
    """A mean over seeds.

    Attributes:
        mean: of the values.
        ci95: Student's t interval of it; None with one value, which cannot show any spread.
        n: how many values.
    """

    mean: float
    ci95: Interval | None
    n: int

    @property
    def text(self) -> str:
        """The mean of accuracies with its interval: "91.1% (88 to 94)"."""
        return accuracy_text(self.mean, self.ci95)


def mean_with_interval(values: Sequence[float], *, least_spread: float = 0.0) -> Mean:
    """Return mean and 95% interval, as if the values were drawn independently from a normal distribution.

    Args:
        values: at least one.
        least_spread: the standard deviation is taken to be no smaller: values that can only be steps apart may be
            equal by chance, and an interval without width would claim too much.

    Source: Student, Biometrika 6 (1908), 1-25: mean +- t(0.975, n - 1) * s / sqrt(n).
    """
    mean, n = fmean(values), len(values)
    if n == 1:
        return Mean(mean, None, 1)
    from scipy.stats import t

    reach = float(t.ppf(0.975, n - 1)) * max(stdev(values), least_spread) / sqrt(n)
    return Mean(mean, (mean - reach, mean + reach), n)


def mean_of_shares(values: Sequence[float], *, n_images: int, low: float = 0.0) -> Mean:
    """Return mean and 95% interval of accuracies, or of differences of them.

    Args:
        values: at least one.
        n_images: that each accuracy was measured on. An accuracy is a whole number of them, and a number that is
            rounded to steps of 1 / n spreads by at least 1 / (n sqrt(12)).
        low: the interval is kept within `low`..1.
    """
    mean = mean_with_interval(values, least_spread=1 / (sqrt(12) * max(n_images, 1)))
    return Mean(mean.mean, mean.ci95 and (max(low, mean.ci95[0]), min(1.0, mean.ci95[1])), mean.n)


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
    """Compare two rankings of the same things with a permutation test; equal values share their mean rank.

    Args:
        first: a value of each thing.
        second: another value of each, in the same order.

    Returns:
        None where it is not defined: fewer than two things, or values that are all equal.

    Source: C. Spearman, American Journal of Psychology 15 (1904), 72-101: Pearson's correlation of the ranks. All
    orders of up to 7 things are tried, and 20,000 random ones (seed 0) of more.
    """
    from scipy.stats import permutation_test, rankdata

    n = len(first)
    ranks1, ranks2 = (rankdata(values) - (n + 1) / 2 for values in (first, second))
    scale = sqrt((ranks1**2).sum() * (ranks2**2).sum())
    if n < 2 or scale == 0:
        return None

    def rho(ranks: NDArray[np.float64], axis: int = -1) -> NDArray[np.float64]:
        products: NDArray[np.float64] = (ranks * ranks2).sum(axis=axis) / scale
        return products

    test = permutation_test((ranks1,), rho, permutation_type="pairings", vectorized=True, n_resamples=_N_ORDERS, rng=0)
    return RankCorrelation(float(test.statistic), float(test.pvalue), n)
