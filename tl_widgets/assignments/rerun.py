"""Running a student's experiment again, and how far the numbers may differ on another machine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tl_widgets.assignments.plan import Variant
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.events import Cancel, OnEvent, ignore, raise_if_cancelled
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import percent
from tl_widgets.core.translation import _
from tl_widgets.records.comparison import Comparison, RunResult


@dataclass(frozen=True)
class Check:
    """What running it again showed.

    Attributes:
        agrees: Whether the numbers are those of the record; None if it couldn't be run here.
        text: The finding, as a sentence.
        n_different: Test images that a model answers differently, the most of all models.
        n_allowed: How many may differ.
    """

    agrees: bool | None
    text: str
    n_different: int = 0
    n_allowed: int = 0


# How far the probabilities may be from those of a repetition, as the mean total variation distance. Measured without
# oneDNN, with one thread, AVX2 and SSE4.1 on runs of the documentation's assignments: at most 0.0000007 for a trained
# head and 0.0002 for a control. For a network from scratch, where rounding grows from step to step, 0.005 after 5
# epochs and 0.064 after 25. A head's noise shrinks with what its probabilities leave to other classes, and so does
# what may differ: "all right, and quite sure" is never near enough.
_TRAINED = 0.2
_OF_UNCERTAINTY, _LEAST = 0.2, 0.0001


def _allowed_shift(again: RunResult) -> float:
    if again.name not in (ModelName.TRANSFER, ModelName.CONTROL):
        return _TRAINED
    return max(_LEAST, _OF_UNCERTAINTY * float(1 - np.max(again.probabilities, axis=1).mean()))


def allowed_differences(n_test: int) -> int:
    """Return how many answers to test images may differ with the same seed on another machine: one in ten.

    Other versions and processors round in other places, from the first step on; a record doesn't say enough about the
    machine to expect less. `tests/test_same_predictions.py` holds the same bound.
    """
    return max(2, n_test // 10)


def run_again(variant: Variant, run: Comparison, *, on_event: OnEvent = ignore, cancel: Cancel | None = None) -> Check:
    """Train a student's models again, and compare the answers.

    Raises:
        CancelledError: `cancel` was set.
    """
    from tl_widgets.experiments.comparison import compare_config

    assert variant.config is not None
    try:
        dataset = variant.load(on_event, cancel)
        # Other versions of Pillow decode photographs a little differently.
        if run.dataset.fingerprint != dataset.fingerprint and "path" not in variant.images:
            return Check(False, _("Its images aren't those that its settings give here."))
        again = compare_config(dataset, variant.config, on_event=on_event, cancel=cancel)
    except CancelledError:
        raise
    except Exception as error:  # of memory, say: one run doesn't cost a class its grades
        why = error if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
        return Check(None, _("It couldn't be run again: {why}", why=why))
    raise_if_cancelled(cancel)
    return compare_runs(run, again)


def compare_runs(run: Comparison, again: Comparison) -> Check:
    """Return whether a run and its repetition agree."""
    others = {model.name: model for model in again.runs}
    if {model.name for model in run.runs} != set(others):
        return Check(False, _("It doesn't have the models that its settings give."))
    most, allowed = 0, 0
    for model in run.runs:
        other = others[model.name]
        if model.params != other.params:
            return Check(
                False, _("{model} has a different number of parameters than its settings give.", model=model.name)
            )
        if model.labels != other.labels:
            return Check(False, _("{model} was tested on different labels than the data set has.", model=model.name))
        n_different = int(np.sum(np.not_equal(model.predictions, other.predictions)))
        allowed = allowed_differences(len(model.labels))
        most = max(most, n_different)
        if n_different > allowed:
            text = _(
                "{model} answers {n} of {n_test} test images differently; {allowed} may differ.",
                model=model.name, n=n_different, n_test=len(model.labels), allowed=allowed,
            )  # fmt: skip
            return Check(False, f"{text}{_versions(run, again)}", n_different, allowed)
        shift = float(np.abs(np.subtract(model.probabilities, other.probabilities)).sum(1).mean() / 2)
        if shift > (most_shift := _allowed_shift(other)):
            text = _(
                "{model} has other probabilities: they differ by {shift} on average; up to {most} is fine.",
                model=model.name, shift=percent(shift, 2), most=percent(most_shift, 2),
            )  # fmt: skip
            return Check(False, f"{text}{_versions(run, again)}", n_different, allowed)
    text = _("Run again: {n} answers differ at most; up to {allowed} may.", n=most, allowed=allowed)
    return Check(True, text, most, allowed)


def _versions(run: Comparison, again: Comparison) -> str:
    """Return a sentence on other versions or another processor, which may be the reason; "" if there are none."""
    theirs, ours = ((f"TensorFlow {record.tensorflow}", f"Keras {record.keras}", record.device)
                    for record in (run.environment, again.environment))  # fmt: skip
    if theirs == ours:
        return ""
    return " " + _("It was made with {theirs}, and this computer has {ours}: that may be the reason.",
                   theirs=", ".join(theirs), ours=", ".join(ours))  # fmt: skip
