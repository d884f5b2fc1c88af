"""Means over seeds and how sure they are. Standard library only; a leaf."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

# The 0.975 quantiles of Student's t for 1 to 30 degrees of freedom; a test holds them against SciPy's.
_T975 = (
    12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157, 2.228139,
    2.200985, 2.178813, 2.160369, 2.144787, 2.131450, 2.119905, 2.109816, 2.100922, 2.093024, 2.085963,
    2.079614, 2.073873, 2.068658, 2.063899, 2.059539, 2.055529, 2.051831, 2.048407, 2.045230, 2.042272,
)  # fmt: skip


@dataclass(frozen=True)
class Mean:
    """A mean over seeds.

    Attributes:
        mean: of the values.
        ci95: Student's t interval of it; None with one value, which says nothing of the spread.
        n: how many values.
    """

    mean: float
    ci95: tuple[float, float] | None
    n: int


def mean_with_interval(values: Sequence[float], *, least_spread: float = 0.0) -> Mean:
    """Mean and 95% interval, as if the values were drawn independently from a normal distribution.

    Args:
        values: at least one; from 32 values on the interval is that of 30 degrees of freedom, a little too wide.
        least_spread: the standard deviation is taken to be no smaller: values that can only be steps apart may be
            equal by chance, and an interval without width would claim too much.

    Source: Student, Biometrika 6 (1908), 1-25: mean +- t(0.975, n - 1) * s / sqrt(n).
    """
    mean, n = fmean(values), len(values)
    if n == 1:
        return Mean(mean, None, 1)
    reach = _T975[min(n - 1, len(_T975)) - 1] * max(stdev(values), least_spread) / sqrt(n)
    return Mean(mean, (mean - reach, mean + reach), n)


def mean_of_shares(values: Sequence[float], *, n_images: int, low: float = 0.0) -> Mean:
    """Mean and 95% interval of accuracies, or of differences of them.

    Args:
        values: at least one.
        n_images: that each accuracy was measured on. It is a whole number of them, and the spread of a number that is
            rounded to steps of 1 / n, 1 / (n sqrt(12)), is the least that is reckoned with.
        low: the interval is kept within `low`..1.
    """
    mean = mean_with_interval(values, least_spread=1 / (sqrt(12) * max(n_images, 1)))
    return Mean(mean.mean, mean.ci95 and (max(low, mean.ci95[0]), min(1.0, mean.ci95[1])), mean.n)
