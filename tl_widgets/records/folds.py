"""The folds of a cross-validated comparison: which images each of them tested."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tl_widgets.records.kinds import Count, Duration


@dataclass(frozen=True)
class Fold:
    """One part of the images, tested by models that were trained on the others.

    Attributes:
        number: From 1.
        rows: The images that were tested, ascending. They are counted from 0 through the data set's training, then its
            validation, then its test images.
        n_train, n_validation: The images that its models were trained on, and checked on after each epoch.
        seconds: The time of all its models together.
    """

    number: Count
    rows: tuple[Count, ...]
    n_train: Count
    n_validation: Count
    seconds: Duration = 0.0


@dataclass(frozen=True)
class Folds:
    """A cross-validation, in which every image is tested once.

    The folds aren't independent: any two of them share most of their training images.

    Attributes:
        n_wanted: The requested number of folds.
        points: The folds that were measured, by number.
        failures: A sentence for each fold that couldn't be measured.
        stopped: Whether Stop was pressed before the last fold was done.
    """

    n_wanted: Count
    points: tuple[Fold, ...]
    failures: tuple[str, ...] = ()
    stopped: bool = False

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """The tested images, int64 (n_test,), ascending; a comparison's answers are in this order."""
        return np.sort(np.array([row for fold in self.points for row in fold.rows], np.int64))

    @property
    def seconds(self) -> float:
        """The sum over all folds, even if they ran in parallel."""
        return sum(fold.seconds for fold in self.points)

    def accuracies(self, is_right: NDArray[np.bool_]) -> tuple[float, ...]:
        """Return the accuracy in each fold, of answers that are right or wrong, bool (n_test,)."""
        return tuple(float(is_right[np.searchsorted(self.rows, fold.rows)].mean()) for fold in self.points)
