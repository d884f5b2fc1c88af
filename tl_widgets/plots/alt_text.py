"""What each figure shows in a sentence or two, for those who do not see it. Computed from the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import interval_text, percent, seconds_text
from tl_widgets.plots.labels import (
    Result,
    answering_runs,
    chance_level,
    interval_words,
    n_disagreed,
    runs_of,
    scores_of,
    seed_words,
)
from tl_widgets.plots.style import run_label
from tl_widgets.records.comparison import Comparison, RunResult

if TYPE_CHECKING:
    from tl_widgets.data.dataset import ImageDataset

FigureKind = Literal[
    "accuracy", "test_accuracy", "parameters", "seconds", "confusion", "recall", "comparison", "predictions"
]


def alt_text(result: Result, kind: FigureKind) -> str:
    """The text alternative of a figure.

    Args:
        result: what was plotted.
        kind: name of the plot function without "plot_".

    Raises:
        InputError: there is no run, or no such kind.
    """
    runs = runs_of(result)
    if kind == "comparison":
        verdict = f"{result.verdict.text} " if isinstance(result, Comparison) else ""
        return f"{verdict}{_parameters(runs)} {_seconds(runs)}"
    sentences = {
        "parameters": _parameters,
        "seconds": _seconds,
        "confusion": _confusion,
        "recall": _recall,
        "predictions": _predictions,
    }
    if kind in ("accuracy", "test_accuracy"):
        return _accuracy(result) if kind == "accuracy" else _test_accuracy(result)
    if kind not in sentences:
        kinds = ("accuracy", "test_accuracy", *sentences, "comparison")
        raise InputError(f"kind={kind!r}; it must be one of {', '.join(kinds)}.")
    return sentences[kind](runs)


def dataset_alt_text(dataset: ImageDataset, n_per_class: int = 6) -> str:
    """The text alternative of `plot_dataset`."""
    names = ", ".join(dataset.class_names[:12])
    more = f" and {dataset.n_classes - 12} more classes" if dataset.n_classes > 12 else ""
    return f"Up to {n_per_class} training images of each class of {dataset.name}: {names}{more}."


def _accuracy(result: Result) -> str:
    said = []
    for run in runs_of(result):
        values = run.history.val_accuracy
        n = len(values)
        epochs = f"after {n} epoch{'s' if n != 1 else ''}"
        course = f"{percent(values[0])} to {percent(values[-1])} {epochs}" if n > 1 else ""
        said.append(f"{run_label(run)} {course or (f'{percent(values[0])} {epochs}' if n else 'no finished epoch')}")
    chart = f"Line chart of accuracy by epoch{seed_words(result)}."
    return f"{chart} Validation accuracy: {'; '.join(said)}. {_test_accuracy(result)}"


def _test_accuracy(result: Result) -> str:
    said, runs, scores = [], runs_of(result), scores_of(result)
    for run in runs:
        score = scores.get(run.name)
        if score is None:
            said.append(f"{run_label(run)} not tested")
        else:
            interval = f"{interval_words({run.name: score})} {interval_text(score.interval)}"
            said.append(f"{run_label(run)} {percent(score.accuracy)} ({interval})")
    return f"Test accuracy: {'; '.join(said)}; chance {percent(chance_level(runs))}."


def _parameters(runs: tuple[RunResult, ...]) -> str:
    said = [f"{run_label(run)} {run.params.trainable:,} trainable and {run.params.frozen:,} frozen" for run in runs]
    return f"Parameters: {'; '.join(said)}."


def _seconds(runs: tuple[RunResult, ...]) -> str:
    said = []
    for run in runs:
        saved = f" (kept features saved {seconds_text(run.seconds.saved)})" if run.seconds.saved else ""
        said.append(f"{run_label(run)} {seconds_text(run.seconds.total)}{saved}")
    return f"Time in all: {'; '.join(said)}."


def _confusion(runs: tuple[RunResult, ...]) -> str:
    said = []
    for run in runs:
        mistakes: dict[tuple[int, int], int] = {}
        for pair in zip(run.labels, run.predictions, strict=True):
            if pair[0] != pair[1]:
                mistakes[pair] = mistakes.get(pair, 0) + 1
        text = (
            f"{run_label(run)} {run.n_right} of {len(run.labels)} right"
            if run.labels
            else f"{run_label(run)} not tested"
        )
        if mistakes:
            (true, answer), n = max(mistakes.items(), key=lambda item: item[1])
            text += f", most often taking {run.class_names[true]} for {run.class_names[answer]} ({n})"
        said.append(text)
    return f"Confusion matrix of {len(runs[0].class_names)} classes: {'; '.join(said)}."


def _recall(runs: tuple[RunResult, ...]) -> str:
    said = []
    for run in runs:
        known = [(figures.recall, figures.name) for figures in run.per_class if figures.recall is not None]
        if known:
            (low, worst), (high, best) = min(known), max(known)
            said.append(f"{run_label(run)} from {worst} ({percent(low)}) to {best} ({percent(high)})")
        else:
            said.append(f"{run_label(run)} not tested")
    return f"Share of each class's test images recognised: {'; '.join(said)}."


def _predictions(runs: tuple[RunResult, ...]) -> str:
    tested = answering_runs(runs)
    said = "; ".join(f"{run_label(run)} is right on {run.n_right} of {len(run.labels)}" for run in tested)
    if len(tested) > 1:
        said += f"; they disagree on {n_disagreed(tested)}, which are shown first"
    return f"Test images with the models' answers: {said or 'none was tested'}."
