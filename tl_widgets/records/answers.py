"""The answers of several models to the same test images: where they disagree, and what is worth a look."""

from __future__ import annotations

from collections.abc import Sequence

from tl_widgets.core.model_name import ModelName
from tl_widgets.records.run import RunResult


def comparable_runs(runs: Sequence[RunResult]) -> tuple[RunResult, ...]:
    """Return the tested runs whose disagreement means something.

    A control with random weights disagrees on nearly every image, so it counts only beside at most one other model.
    """
    tested = tuple(run for run in runs if run.labels)
    serious = tuple(run for run in tested if run.name != ModelName.CONTROL)
    return serious if len(serious) > 1 else tested


def disagreements(runs: Sequence[RunResult]) -> tuple[int, ...]:
    """Return the test rows on which the models disagree, with the classes taking turns."""
    if not runs:
        return ()
    rows = [i for i in range(len(runs[0].labels)) if len({run.predictions[i] for run in runs}) > 1]
    return interleave_classes(rows, runs[0].labels)


def confident_mistakes(runs: Sequence[RunResult]) -> tuple[int, ...]:
    """Return the test rows that a model gets wrong, the most confident mistake first."""
    sure = {row: confidence(runs, row) for row in range(len(runs[0].labels) if runs else 0)}
    wrong = [row for row, probability in sure.items() if probability is not None]
    return tuple(sorted(wrong, key=lambda row: (-(sure[row] or 0.0), row)))


def confidence(runs: Sequence[RunResult], row: int) -> float | None:
    """Return the highest probability of a wrong answer, 0..1; None if all are right."""
    wrong = [run.probabilities[row][run.predictions[row]] for run in runs if run.predictions[row] != run.labels[row]]
    return max(wrong, default=None)


def interest(tested: Sequence[RunResult], row: int) -> int:
    """Rank a test image: 0 if models disagree, 1 if all are wrong, 2 if all are right."""
    answers = {run.predictions[row] for run in tested}
    if len(answers) > 1:
        return 0
    return 1 if answers != {tested[0].labels[row]} else 2


def interleave_classes(rows: Sequence[int], labels: Sequence[int]) -> tuple[int, ...]:
    """Return the rows with the classes taking turns; `labels` are those of all images.

    Test images are sorted by class, so the first class alone could fill a page.
    """
    seen: dict[int, int] = {}
    turns = {}
    for i in rows:
        turns[i] = seen[labels[i]] = seen.get(labels[i], -1) + 1
    return tuple(sorted(rows, key=lambda i: turns[i]))
