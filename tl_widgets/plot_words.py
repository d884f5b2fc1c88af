"""What figures and their text alternatives are made from: runs, and numbers in few characters."""

from __future__ import annotations

from tl_widgets.errors import InputError
from tl_widgets.results import Comparison, RunResult

Result = Comparison | RunResult | tuple[RunResult, ...]


def runs_of(result: Result) -> tuple[RunResult, ...]:
    """The runs in a result, at least one.

    Raises:
        InputError: there is none.
    """
    if isinstance(result, Comparison):
        runs = result.runs
    else:
        runs = (result,) if isinstance(result, RunResult) else tuple(result)
    if not runs:
        raise InputError(
            "There is no trained model to plot: the experiment was stopped before the first. Run it again."
        )
    return runs


def chance_level(runs: tuple[RunResult, ...]) -> float:
    """Accuracy, 0..1, of always giving the most frequent class of the test images.

    Without test images all classes are taken to be equally frequent.
    """
    labels = next((run.labels for run in runs if run.labels), ())
    if not labels:
        return 1 / len(runs[0].class_names)
    return max(labels.count(label) for label in set(labels)) / len(labels)


def shortened(text: str, most: int) -> str:
    """The text in at most `most` characters: its beginning and its end, where names often differ."""
    if len(text) <= most:
        return text
    n_end = (most - 1) // 3
    return f"{text[: most - 1 - n_end]}…{text[len(text) - n_end :]}"


def count_text(n: float) -> str:
    """A count in few characters: 64 is "64", 291405 is "291 k", 4694024 is "4.69 M"."""
    for unit, name in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if n >= unit * 0.9995:
            return f"{n / unit:.3g}{name}"
    return f"{n:.0f}"


def seconds_text(seconds: float) -> str:
    """A duration: "0.04 s", "6.9 s", "210 s"."""
    digits = 2 if seconds < 0.1 else 1 if seconds < 100 else 0
    return f"{seconds:,.{digits}f} s"
