"""Confidence intervals and tests of accuracies, differences and rankings.

SciPy is imported only when it is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb, sqrt
from statistics import NormalDist, fmean, stdev

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.numbers import accuracy_text, points, points_range
from tl_widgets.core.translation import _
from tl_widgets.records.kinds import Interval as Interval

_Z95 = NormalDist().inv_cdf(0.975)
_N_ORDERS = 20_000


def wilson_interval(n_right: float, n: int) -> Interval:
    """Return the 95% confidence interval of a proportion, (low, high) in 0..1.

    SciPy's `proportion_ci` takes only whole numbers of successes, and the mean of several models isn't one, so the
    formula is here; a test compares it with SciPy's. Without trials the interval is (0, 1).

    Source: E. B. Wilson, JASA 22 (1927), 209-212: the score interval.
    """
    if n == 0:
        return 0.0, 1.0
    p = n_right / n
    center = p + _Z95**2 / (2 * n)
    spread = _Z95 * sqrt(p * (1 - p) / n + _Z95**2 / (4 * n**2))
    scale = 1 + _Z95**2 / n
    # For 0 and n successes the exact bounds are 0 and 1, but rounding would be off by 1e-17.
    low = 0.0 if n_right == 0 else (center - spread) / scale
    high = 1.0 if n_right == n else (center + spread) / scale
    return low, high


def difference_interval(n_right1: int, n1: int, n_right2: int, n2: int) -> Interval:
    """Return the 95% interval of the difference of two accuracies on different images.

    The interval (low, high) is of first minus second, in -1..1; it is (-1, 1) if one has no trials.

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
    """Return the 95% interval of the difference of two accuracies on the same images.

    The arguments count the images that both models, only one of them, or neither get right. The interval (low, high)
    is of first minus second, in -1..1; it is (-1, 1) without images.

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


def mean_share_interval(counts: Sequence[tuple[int, int]]) -> Interval:
    """Return the 95% interval of the mean of several proportions, each as (successes, trials).

    The proportions are independent, such as the recalls of classes, and have at least one trial each.

    Source: G. Y. Zou, A. Donner, Statistics in Medicine 27 (2008), 1693-1702: Wilson intervals of all, joined like
    Newcombe's for a difference.
    """
    shares = [n_right / n for n_right, n in counts]
    ends = [wilson_interval(n_right, n) for n_right, n in counts]
    below = sqrt(sum((share - low) ** 2 for share, (low, _) in zip(shares, ends, strict=True)))
    above = sqrt(sum((high - share) ** 2 for share, (_, high) in zip(shares, ends, strict=True)))
    mean = fmean(shares)
    return mean - below / len(shares), mean + above / len(shares)


def mcnemar_p_value(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p-value, 0..1, for "both models are equally good".

    The arguments count the images that only one of the models gets right.

    Source: Q. McNemar, Psychometrika 12 (1947), 153-157, with the exact binomial test.
    """
    n = only_first + only_second
    n_tails = 2 * sum(comb(n, k) for k in range(min(only_first, only_second) + 1))
    return float(min(Fraction(1), Fraction(n_tails, 2**n)))


@dataclass(frozen=True)
class PairedDifference:
    """Two models on the same test images.

    Attributes:
        difference: The accuracy of the first minus that of the second, -1..1.
        ci95: Newcombe's 95% interval of the difference.
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
    """Compare two models by which of the images, at least one, each of them got right."""
    both, only1 = int((right1 & right2).sum()), int((right1 & ~right2).sum())
    only2, neither = int((~right1 & right2).sum()), int((~right1 & ~right2).sum())
    return PairedDifference(
        (only1 - only2) / len(right1),
        paired_difference_interval(both, only1, only2, neither),
        mcnemar_p_value(only1, only2),
    )


def unclear_reason(interval: Interval, p_value: float) -> str:
    """Return why an interval without 0 isn't enough, as a clause; "" if it contains 0."""
    if interval[0] <= 0 <= interval[1]:
        return ""
    return _(
        "; that leaves 0 out, but the exact test (McNemar, p = {p_value:.2g}) does not rule out chance", p_value=p_value
    )


@dataclass(frozen=True)
class Mean:
    """A mean over seeds.

    Attributes:
        mean: The mean of the values.
        ci95: Student's t interval of the mean; None with one value, which shows no spread.
        n: The number of values.
    """

    mean: float
    ci95: Interval | None
    n: int

    @property
    def text(self) -> str:
        """The mean of accuracies with its interval: "91.1% (88 to 94)"."""
        return accuracy_text(self.mean, self.ci95)

    @property
    def difference_text(self) -> str:
        """The mean of differences of accuracies with its interval, in points: "+12.3 (4.1 to 20.5)"."""
        return points(self.mean, signed=True) + (f" ({points_range(*self.ci95)})" if self.ci95 else "")


def mean_with_interval(values: Sequence[float], *, least_spread: float = 0.0) -> Mean:
    """Return mean and 95% interval of at least one value, assuming a normal distribution.

    `least_spread` is the smallest standard deviation to assume: rounded values may be equal by chance, and an interval
    of no width would claim too much.

    Source: Student, Biometrika 6 (1908), 1-25: mean +- t(0.975, n - 1) * s / sqrt(n).
    """
    mean, n = fmean(values), len(values)
    if n == 1:
        return Mean(mean, None, 1)
    from scipy.special import stdtrit  # Student's t; scipy.stats would take 0.05 GB more

    reach = float(stdtrit(n - 1, 0.975)) * max(stdev(values), least_spread) / sqrt(n)
    return Mean(mean, (mean - reach, mean + reach), n)


def mean_of_shares(values: Sequence[float], *, n_images: int, low: float = 0.0) -> Mean:
    """Return mean and 95% interval of at least one accuracy, or difference of accuracies.

    Each was measured on `n_images` images, so it is rounded to steps of 1 / n, whose standard deviation is
    1 / (n sqrt(12)). The interval stays within `low`..1, or within `low`..-`low` for a difference of differences.
    """
    mean = mean_with_interval(values, least_spread=1 / (sqrt(12) * max(n_images, 1)))
    return Mean(mean.mean, mean.ci95 and (max(low, mean.ci95[0]), min(max(1.0, -low), mean.ci95[1])), mean.n)


@dataclass(frozen=True)
class RankCorrelation:
    """The agreement of two rankings.

    Attributes:
        rho: Spearman's rho: 1 for the same order, -1 for the opposite one.
        p_value: Two-sided, for "the two orders are unrelated".
        n: The number of items ranked.
    """

    rho: float
    p_value: float
    n: int


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> RankCorrelation | None:
    """Compare two rankings of the same items with a permutation test.

    The arguments hold two values of each item; equal values share their mean rank. The result is None if it isn't
    defined: there are fewer than two items, or all values are equal.

    Source: C. Spearman, American Journal of Psychology 15 (1904), 72-101: Pearson's correlation of the ranks. All
    orders of up to 7 items are tried, or 20,000 random ones (seed 0) of more.
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
