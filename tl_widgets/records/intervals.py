"""How sure a measured accuracy is. Standard library only; a leaf."""

from __future__ import annotations

from math import sqrt

Z95 = 1.959963984540054  # the 0.975 quantile of the normal distribution


def wilson_interval(n_right: float, n: int) -> tuple[float, float]:
    """95% confidence interval of a proportion.

    Args:
        n_right: successes, 0 to n; no whole number where it is the mean of several models.
        n: trials; with 0 nothing is known, and the interval is (0, 1).

    Returns:
        (low, high), both in 0..1.

    Source: E. B. Wilson, JASA 22 (1927), 209-212: the score interval.
    """
    if n == 0:
        return 0.0, 1.0
    p = n_right / n
    centre = p + Z95**2 / (2 * n)
    spread = Z95 * sqrt(p * (1 - p) / n + Z95**2 / (4 * n**2))
    scale = 1 + Z95**2 / n
    # At 0 and n the exact bounds are 0 and 1; rounding would leave 1e-17 beside them.
    low = 0.0 if n_right == 0 else (centre - spread) / scale
    high = 1.0 if n_right == n else (centre + spread) / scale
    return low, high


def difference_interval(n_right1: int, n1: int, n_right2: int, n2: int) -> tuple[float, float]:
    """95% confidence interval of the difference of two accuracies on different images, first minus second.

    Args:
        n_right1: successes of the first.
        n1: its trials.
        n_right2: successes of the second.
        n2: its trials.

    Returns:
        (low, high), both in -1..1; (-1, 1) where one has no trials.

    Source: R. G. Newcombe, Statistics in Medicine 17 (1998), 873-890, method 10: Wilson intervals of both.
    """
    if not (n1 and n2):
        return -1.0, 1.0
    (low1, high1), (low2, high2) = wilson_interval(n_right1, n1), wilson_interval(n_right2, n2)
    first, second = n_right1 / n1, n_right2 / n2
    below = sqrt((first - low1) ** 2 + (high2 - second) ** 2)
    above = sqrt((high1 - first) ** 2 + (second - low2) ** 2)
    return first - second - below, first - second + above


def paired_difference_interval(both: int, only_first: int, only_second: int, neither: int) -> tuple[float, float]:
    """95% confidence interval of the difference of two accuracies on the same images, first minus second.

    Args:
        both: images that both models get right.
        only_first: images that only the first gets right.
        only_second: images that only the second gets right.
        neither: images that both get wrong.

    Returns:
        (low, high), both in -1..1; (-1, 1) without images.

    Source: R. G. Newcombe, Statistics in Medicine 17 (1998), 2635-2650, method 10: Wilson intervals of
    both proportions, joined with their correlation.
    """
    n = both + only_first + only_second + neither
    if n == 0:
        return -1.0, 1.0
    first, second = (both + only_first) / n, (both + only_second) / n
    low1, high1 = wilson_interval(both + only_first, n)
    low2, high2 = wilson_interval(both + only_second, n)
    margins = (both + only_first) * (only_second + neither) * (both + only_second) * (only_first + neither)
    determinant = both * neither - only_first * only_second
    if determinant > 0:  # Newcombe's continuity correction, towards no correlation
        phi = max(determinant - n / 2, 0.0) / sqrt(margins) if margins else 0.0
    else:
        phi = determinant / sqrt(margins) if margins else 0.0
    down1, up1, down2, up2 = first - low1, high1 - first, second - low2, high2 - second
    below = sqrt(max(down1**2 - 2 * phi * down1 * up2 + up2**2, 0.0))
    above = sqrt(max(up1**2 - 2 * phi * up1 * down2 + down2**2, 0.0))
    difference = first - second
    return difference - below, difference + above


def mcnemar_p_value(only_first: int, only_second: int) -> float:
    """Exact two-sided p-value for "both models are equally good", from the images on which they differ.

    Args:
        only_first: images that only the first model gets right.
        only_second: images that only the second gets right.

    Returns:
        0..1; 1 where the models never differ.

    Source: Q. McNemar, Psychometrika 12 (1947), 153-157, with the exact binomial tail.
    """
    n, k = only_first + only_second, min(only_first, only_second)
    # Integers until the last division: 0.5**n would underflow for large test sets.
    tail = term = 1
    for i in range(k):
        term = term * (n - i) // (i + 1)
        tail += term
    return min(1.0, float(2 * tail / 2**n))


def interval_text(interval: tuple[float, float]) -> str:
    """An interval of accuracies in percent, "83 to 95"; with a decimal, "99.6 to 100.0", where no width would be left.

    Args:
        interval: (low, high), both in 0..1.
    """
    low, high = (100 * end for end in interval)
    digits = 1 if f"{low:.0f}" == f"{high:.0f}" else 0
    return f"{low:.{digits}f} to {high:.{digits}f}"


def but_not_clear(interval: tuple[float, float], p_value: float) -> str:
    """Why an interval that leaves 0 out is not enough, as a clause; nothing where it holds 0.

    Args:
        interval: of a paired difference that is not clear.
        p_value: McNemar's exact one of the same pair.
    """
    if interval[0] <= 0 <= interval[1]:
        return ""
    return f"; that leaves 0 out, but the exact test (McNemar, p = {p_value:.2g}) does not rule out chance"
