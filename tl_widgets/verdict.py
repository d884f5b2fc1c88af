"""Two models on the same test images: which one won, or that it is too close to call. Stdlib and NumPy; a leaf."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_widgets.errors import InputError
from tl_widgets.intervals import mcnemar_p_value, paired_difference_interval
from tl_widgets.results import Interval, RunResult, Verdict, percent


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


def paired_difference(first: RunResult, second: RunResult) -> PairedDifference:
    """Compare two models image by image.

    Args:
        first: a tested run.
        second: a tested run on the same images.

    Raises:
        InputError: one of them was not tested, or not on the same images.
    """
    if not first.labels or first.labels != second.labels:
        raise InputError(
            f"{first.name} and {second.name} were not tested on the same images: there is nothing to pair."
        )
    labels = np.asarray(first.labels)
    return pair_answers(np.asarray(first.predictions) == labels, np.asarray(second.predictions) == labels)


def pair_answers(right1: NDArray[np.bool_], right2: NDArray[np.bool_]) -> PairedDifference:
    """Compare two models image by image.

    Args:
        right1: bool (n_test,), which images the first model answered rightly; at least one image.
        right2: likewise the second, in the same order.
    """
    both, only1 = int((right1 & right2).sum()), int((right1 & ~right2).sum())
    only2, neither = int((~right1 & right2).sum()), int((~right1 & ~right2).sum())
    return PairedDifference(
        (only1 - only2) / len(right1),
        paired_difference_interval(both, only1, only2, neither),
        mcnemar_p_value(only1, only2),
    )


def interest(tested: Sequence[RunResult], row: int) -> int:
    """How telling a test image is: 0 where the models disagree, 1 where all are wrong, 2 where all are right.

    Args:
        tested: runs on the same test images.
        row: of the image in the test split.
    """
    answers = {run.predictions[row] for run in tested}
    if len(answers) > 1:
        return 0
    return 1 if answers != {tested[0].labels[row]} else 2


def _points(low: float, high: float) -> str:
    return f"{100 * low:.1f} to {100 * high:.1f}".replace("-", "\N{MINUS SIGN}")


def judge(scratch: RunResult | None, transfer: RunResult | None, control: RunResult | None = None) -> Verdict:
    """Say which model won and by how much, or that it is too close to call.

    Args:
        scratch: the network from scratch, if it came to be trained.
        transfer: the frozen backbone with a new head, likewise.
        control: the same backbone with random weights, if it was asked for.
    """
    if not (scratch and transfer and scratch.labels and transfer.labels):
        return Verdict("Stopped before both models were tested: there is no result to compare yet.")
    paired = paired_difference(transfer, scratch)
    n = len(transfer.labels)
    assert transfer.test_accuracy is not None
    assert scratch.test_accuracy is not None
    backbone = f"{transfer.backbone} with random weights" if transfer.weights == "random" else transfer.backbone
    scores = (
        f"{backbone} answers {percent(transfer.test_accuracy)} of the {n} test images correctly, "
        f"the network from scratch {percent(scratch.test_accuracy)}"
    )
    low, high = paired.ci95
    if paired.is_clear:
        winner = "transfer" if paired.difference > 0 else "scratch"
        name = f"The frozen {backbone}" if winner == "transfer" else "The network from scratch"
        lead = _points(low, high) if winner == "transfer" else _points(-high, -low)
        text = f"{name} wins by {100 * abs(paired.difference):.1f} points (95% interval {lead}): {scores}."
    else:
        winner = ""
        text = (
            f"Too close to call: {scores}. The true difference may be anything from {_points(low, high)} points "
            "(95% interval, transfer minus scratch)."
        )
    if control is not None and control.labels:
        text += _control_sentence(transfer, control)
    return Verdict(text, winner, paired.difference, paired.ci95, paired.p_value)


def _control_sentence(transfer: RunResult, control: RunResult) -> str:
    paired = paired_difference(transfer, control)
    assert control.test_accuracy is not None
    same = f" The same backbone with random weights reaches {percent(control.test_accuracy)}: "
    if paired.is_clear and paired.difference > 0:
        return same + f"the pretraining itself is worth {100 * paired.difference:.1f} points ({_points(*paired.ci95)})."
    return same + "on these images no gain can be put down to the pretraining."
