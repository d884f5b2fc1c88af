"""Verdicts on two models or two ways: which one won, or that it is too close to call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.errors import InputError
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import percent, points, points_range
from tl_widgets.core.translation import _, from_english, in_both, in_english, ngettext
from tl_widgets.records.comparison import Comparison, RunResult, Verdict
from tl_widgets.records.folds import Folds
from tl_widgets.records.kinds import Count, Share
from tl_widgets.records.repeats import Repeats
from tl_widgets.records.statistics import (
    Interval,
    PairedDifference,
    difference_interval,
    mean_of_shares,
    pair_answers,
    unclear_reason,
    wilson_interval,
)


def paired_difference(first: RunResult, second: RunResult) -> PairedDifference:
    """Compare two tested models image by image."""
    if not first.labels or first.labels != second.labels:
        raise InputError(
            _(
                "{first_name} and {second_name} were not tested on the same images: there is nothing to pair.",
                first_name=first.name,
                second_name=second.name,
            )
        )
    labels = np.asarray(first.labels)
    return pair_answers(np.asarray(first.predictions) == labels, np.asarray(second.predictions) == labels)


def judge(
    scratch: RunResult | None,
    transfer: RunResult | None,
    control: RunResult | None = None,
    fine_tuned: RunResult | None = None,
) -> Verdict:
    """Return which model won and by how much, or that it is too close to call."""
    if not (scratch and transfer and scratch.labels and transfer.labels):
        return Verdict(_("Stopped before both models were tested: there is no result to compare yet."))
    paired = paired_difference(transfer, scratch)
    n = len(transfer.labels)
    assert transfer.test_accuracy is not None
    assert scratch.test_accuracy is not None
    backbone = _backbone(transfer)
    scores = _(
        "{backbone} answers {accuracy} of the {n} test images correctly, the network from scratch {scratch_accuracy}",
        backbone=backbone,
        accuracy=percent(transfer.test_accuracy),
        n=n,
        scratch_accuracy=percent(scratch.test_accuracy),
    )
    (low, high), winner = paired.ci95, ""
    if paired.is_clear:
        winner = ModelName.TRANSFER if paired.difference > 0 else ModelName.SCRATCH
        name = (
            _("The frozen {backbone}", backbone=backbone)
            if winner == ModelName.TRANSFER
            else _("The network from scratch")
        )
        lead = points_range(low, high) if winner == ModelName.TRANSFER else points_range(-high, -low)
        text = _(
            "{name} wins by {paired_difference} points (95% interval {lead}): {scores}.",
            name=name,
            paired_difference=points(abs(paired.difference)),
            lead=lead,
            scores=scores,
        )
    else:
        text = _(
            "Too close to call: {scores}. The true difference may be anything from {low} points (95% "
            "interval, transfer minus scratch){unclear_reason}.",
            scores=scores,
            low=points_range(low, high),
            unclear_reason=unclear_reason(paired.ci95, paired.p_value),
        )
    if control is not None and control.labels:
        text += _control_sentence(transfer, control)
    if fine_tuned is not None:
        text += fine_tuning_sentence(transfer, fine_tuned)
    return Verdict(text, winner, paired.difference, paired.ci95, paired.p_value)


def _backbone(transfer: RunResult) -> str:
    return (
        _("{backbone} with random weights", backbone=transfer.backbone)
        if transfer.weights == "random"
        else transfer.backbone
    )


def _control_sentence(transfer: RunResult, control: RunResult) -> str:
    paired = paired_difference(transfer, control)
    assert control.test_accuracy is not None
    same = _(
        " The same backbone with random weights reaches {test_accuracy}: ", test_accuracy=percent(control.test_accuracy)
    )
    if paired.is_clear and paired.difference > 0:
        return same + _(
            "the pretraining itself is worth {paired_difference} points ({ci95}).",
            paired_difference=points(paired.difference),
            ci95=points_range(*paired.ci95),
        )
    return same + _("on these images no gain can be put down to the pretraining.")


def fine_tuning_sentence(first: RunResult, second: RunResult) -> str:
    """Return what fine-tuning gained, with a leading space; `first` is the frozen model."""
    if not second.labels:
        return _(" Fine-tuning was stopped before its test.")
    assert second.test_accuracy is not None
    paired = paired_difference(second, first)
    text = _(" Fine-tuned, the backbone answers {test_accuracy}: ", test_accuracy=percent(second.test_accuracy))
    if not paired.is_clear:
        interval = _(
            "{ci95} points, 95% interval{unclear_reason}",
            ci95=points_range(*paired.ci95),
            unclear_reason=unclear_reason(paired.ci95, paired.p_value),
        )
        return text + _("too close to the frozen one to call ({interval}).", interval=interval)
    low, high = paired.ci95
    ends = points_range(*((low, high) if low > 0 else (-high, -low)))
    size = _than_frozen(paired.difference)
    return text + _("{size} (95% interval {least}).", size=size, least=ends)


def _than_frozen(difference: float) -> str:
    n = points(abs(difference))
    more, fewer = _("{n} points more than frozen", n=n), _("{n} points fewer than frozen", n=n)
    return more if difference > 0 else fewer


def judge_folds(folds: Folds, pooled: Verdict) -> Verdict:
    """Return the verdict on the answers of all folds, with what cross-validation means for it.

    No unbiased estimate of the variance of cross-validation exists: Y. Bengio, Y. Grandvalet, Journal of Machine
    Learning Research 5 (2004), 1089-1105.
    """
    if pooled.ci95 is None:
        return pooled
    n = len(folds.points)
    text = " " + ngettext(
        "Each image was tested once, in {n} fold, by models trained on the other folds. "
        "The folds aren't independent, because they share training images: the interval may be a little too narrow.",
        "Each image was tested once, in {n} folds, by models trained on the other folds. "
        "The folds aren't independent, because they share training images: the interval may be a little too narrow.",
        n,
    )
    if folds.failures:
        text += _(
            " {n_failures} could not be measured: {value}.",
            n_failures=len(folds.failures),
            value=in_both(folds.failures[0], lambda text: text.rstrip(".")),
        )
    if folds.stopped:
        text += _(
            " Stopped after {n} of {n_wanted} folds: the other images are not tested.", n=n, n_wanted=folds.n_wanted
        )
    return replace(pooled, text=pooled.text + text)


def judge_repeats(repeats: Repeats, first: Verdict, transfer: RunResult) -> Verdict:
    """Return which model won over several seeds, or that it is too close to call.

    The verdict on the first seed stands if no second seed could be measured. `transfer` gives the backbone's name.
    """
    difference = repeats.difference()
    if difference is None or difference.ci95 is None:
        return replace(
            first,
            text=_("{first_text} This is one seed; an interval over seeds takes two or more.", first_text=first.text)
            + _missing_seeds(repeats),
        )
    backbone, n = _backbone(transfer), len(repeats.points)
    low, high = difference.ci95
    scores = _(
        "{backbone} answers {accuracy} of the {n} test images correctly on average, the network from scratch "
        "{scratch_accuracy}",
        backbone=backbone,
        accuracy=_mean_text(repeats, ModelName.TRANSFER),
        n=repeats.n_test,
        scratch_accuracy=_mean_text(repeats, ModelName.SCRATCH),
    )
    winner = ModelName.TRANSFER if low > 0 else ModelName.SCRATCH if high < 0 else ""
    if winner:
        name = (
            _("the frozen {backbone}", backbone=backbone)
            if winner == ModelName.TRANSFER
            else _("the network from scratch")
        )
        lead = points_range(low, high) if winner == ModelName.TRANSFER else points_range(-high, -low)
        size = _(
            "{difference_mean} points (95% interval {lead})", difference_mean=points(abs(difference.mean)), lead=lead
        )
        text = _("Over {n} seeds {name} wins by {size}: {scores}.", n=n, name=name, size=size, scores=scores)
    else:
        text = _(
            "Too close to call over {n} seeds: {scores}. Their mean difference may be anything from "
            "{low} points (95% interval, transfer minus scratch).",
            n=n,
            scores=scores,
            low=points_range(low, high),
        )
    text += _repeats_control(repeats) + _repeats_fine_tuning(repeats)
    text += _(" The intervals are over seeds, on the same test images: they do not cover other images.")
    if n == 2:
        text += _(" From two seeds they are very wide, 12.7 standard errors each way: use five seeds or more.")
    return Verdict(text + _missing_seeds(repeats), winner, difference.mean, difference.ci95, None)


def in_readers_language(comparison: Comparison) -> Comparison:
    """Return a comparison that was read with its diagnoses in the reader's language, and its verdict.

    The verdict stays English if another version wrote it, or if the numbers don't give it.
    """
    runs: dict[str, Any] = {run.name: _translated_run(run) for run in comparison.runs}
    comparison = replace(comparison, **runs)
    try:
        verdict = judge(comparison.scratch, comparison.transfer, comparison.control, comparison.fine_tuned)
        if comparison.folds is not None:
            verdict = judge_folds(comparison.folds, verdict)
        if comparison.repeats is not None and comparison.transfer is not None:
            verdict = judge_repeats(comparison.repeats, verdict, comparison.transfer)
    except Exception:  # numbers that contradict each other may fail in any of the statistics
        return comparison
    if in_english(verdict.text) != comparison.verdict.text:  # another version wrote it
        return comparison
    return replace(comparison, verdict=replace(comparison.verdict, text=verdict.text))


def _translated_run(run: RunResult) -> RunResult:
    diagnoses = (
        replace(item, text=from_english(item.text), advice=from_english(item.advice)) for item in run.diagnoses
    )
    return replace(run, diagnoses=tuple(diagnoses))


def _missing_seeds(repeats: Repeats) -> str:
    text = ""
    if repeats.failures:
        text += _(
            " {n_failures} could not be measured: {value}.",
            n_failures=len(repeats.failures),
            value=in_both(repeats.failures[0], lambda text: text.rstrip(".")),
        )
    if repeats.stopped:
        text += _(
            " Stopped after {n_points} of {n_wanted} seeds.", n_points=len(repeats.points), n_wanted=repeats.n_wanted
        )
    return text


def _mean_text(repeats: Repeats, name: str) -> str:
    mean = repeats.mean(name)
    assert mean is not None
    return percent(mean.mean)


def _repeats_control(repeats: Repeats) -> str:
    gain = repeats.difference(ModelName.TRANSFER, ModelName.CONTROL)
    if gain is None or gain.ci95 is None:
        return ""
    same = _(
        " The same backbone with random weights reaches {mean} on average: ",
        mean=_mean_text(repeats, ModelName.CONTROL),
    )
    if gain.ci95[0] > 0:
        return same + _(
            "the pretraining itself is worth {gain_mean} points ({ci95}).",
            gain_mean=points(gain.mean),
            ci95=points_range(*gain.ci95),
        )
    return same + _("on these images no gain can be put down to the pretraining.")


def _repeats_fine_tuning(repeats: Repeats) -> str:
    gain = repeats.difference(ModelName.FINE_TUNED, ModelName.TRANSFER)
    if gain is None or gain.ci95 is None:
        return ""
    low, high = gain.ci95
    text = _(" Fine-tuned, the backbone answers {mean} on average: ", mean=_mean_text(repeats, ModelName.FINE_TUNED))
    if low <= 0 <= high:
        return text + _("too close to the frozen one to call ({low} points).", low=points_range(low, high))
    ends = points_range(*((low, high) if low > 0 else (-high, -low)))
    return text + _("{size} ({interval}).", size=_than_frozen(gain.mean), interval=ends)


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

    right: Share
    wrong: Share
    n_right: Count
    n_wrong: Count
    counted: Literal["images", "other images", "seeds", "weights"]
    right_ci95: Interval | None = None
    wrong_ci95: Interval | None = None
    difference_ci95: Interval | None = None
    p_value: Share | None = None

    def __post_init__(self) -> None:
        intervals = (
            (self.right, self.right_ci95),
            (self.wrong, self.wrong_ci95),
            (self.difference, self.difference_ci95),
        )
        if any(ends and not ends[0] - 1e-6 <= value <= ends[1] + 1e-6 for value, ends in intervals):
            raise ValueError("one of its intervals does not contain its number")

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
