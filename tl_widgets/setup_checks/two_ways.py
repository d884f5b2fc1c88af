"""Comparing a number measured the right way and with a mistake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_widgets.records.comparison import RunResult
from tl_widgets.records.statistics import Interval, difference_interval, mean_of_shares, pair_answers, wilson_interval


@dataclass(frozen=True)
class TwoWays:
    """The same number, measured the right way and with the mistake.

    Attributes:
        right: The number done right, 0..1.
        wrong: The number with the mistake, 0..1.
        n_right: How many images, seeds or weight arrays `right` was measured on.
        n_wrong: The same for `wrong`.
        counted: "images" (the same for both), "other images", "seeds" (paired), or "weights".
        right_ci95: 95% confidence interval of `right`: Wilson's for images, Student's t for seeds; None for weights,
            because all of them are counted.
        wrong_ci95: The same for `wrong`.
        difference_ci95: 95% confidence interval of right minus wrong: Newcombe's for images, Student's t for seeds.
        p_value: Exact p-value of McNemar's test, if both were measured on the same images.
    """

    right: float
    wrong: float
    n_right: int
    n_wrong: int
    counted: str
    right_ci95: Interval | None = None
    wrong_ci95: Interval | None = None
    difference_ci95: Interval | None = None
    p_value: float | None = None

    @property
    def difference(self) -> float:
        """Right minus wrong."""
        return self.right - self.wrong

    @property
    def is_clear(self) -> bool:
        """Whether the difference's interval excludes 0, and any p-value is below 0.05."""
        if self.difference_ci95 is None:
            return self.right != self.wrong
        low, high = self.difference_ci95
        return (low > 0 or high < 0) and (self.p_value is None or self.p_value < 0.05)


def compare_runs(right: RunResult, wrong: RunResult) -> TwoWays:
    """Compare two models that were tested on the same images."""
    labels = np.asarray(right.labels)
    return compare_answers(np.asarray(right.predictions) == labels, np.asarray(wrong.predictions) == labels)


def compare_answers(right: NDArray[np.bool_], wrong: NDArray[np.bool_]) -> TwoWays:
    """Compare which answers to the same images are correct, bool (n,), both ways."""
    n, paired = len(right), pair_answers(right, wrong)
    n_right, n_wrong = int(right.sum()), int(wrong.sum())
    intervals = wilson_interval(n_right, n), wilson_interval(n_wrong, n)
    return TwoWays(n_right / n, n_wrong / n, n, n, "images", *intervals, paired.ci95, paired.p_value)


def compare_counts(right: tuple[int, int], wrong: tuple[int, int]) -> TwoWays:
    """Compare two accuracies on different images, each as (correct answers, images)."""
    (n_right, n), (n_wrong, m) = right, wrong
    ends = wilson_interval(*right), wilson_interval(*wrong)
    return TwoWays(n_right / n, n_wrong / m, n, m, "other images", *ends, difference_interval(*right, *wrong))


def compare_means(right: Sequence[float], wrong: Sequence[float], *, n_images: int) -> TwoWays:
    """Compare accuracies, each on `n_images` images, over the same seeds in pairs."""
    means = [mean_of_shares(values, n_images=n_images) for values in (right, wrong)]
    pairs = [a - b for a, b in zip(right, wrong, strict=True)]
    difference = mean_of_shares(pairs, n_images=n_images, low=-1.0)
    ends = means[0].ci95, means[1].ci95
    return TwoWays(means[0].mean, means[1].mean, len(right), len(wrong), "seeds", *ends, difference.ci95)
