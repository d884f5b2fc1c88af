"""The figures of a run that formulas may use: "transfer.test_accuracy", "winner", ..."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tl_widgets.records.answers import disagreements
from tl_widgets.records.comparison import Comparison, RunResult

_WINNERS = {"scratch": -1.0, "": 0.0, "transfer": 1.0}
_FIGURES: dict[str, Callable[[RunResult], float | None]] = {
    "test_accuracy": lambda model: model.test_accuracy,
    "n_right": lambda model: model.n_right,
    "n_wrong": lambda model: len(model.labels) - model.n_right,
    "trainable": lambda model: model.params.trainable,
    "frozen": lambda model: model.params.frozen,
    "parameters": lambda model: model.params.total,
    "seconds": lambda model: model.seconds.total,
    "train_accuracy": lambda model: next(reversed(model.history.accuracy), None),
    "validation_accuracy": lambda model: next(reversed(model.history.val_accuracy), None),
}


def names_of_run(run: Comparison) -> dict[str, float]:
    """Return the figures of a run by their names."""
    names = {"winner": _WINNERS.get(run.verdict.winner, 0.0), "n_disagree": float(len(disagreements(run.runs)))}
    for model in run.runs:
        values = {name: figure(model) for name, figure in _FIGURES.items()}
        names |= {f"{model.name}.{name}": float(value) for name, value in values.items() if value is not None}
    return names


def example_of_run(models: Iterable[str]) -> dict[str, float]:
    """Return the same names with made-up values, to try a formula before anybody has run anything."""
    return {"winner": 1.0, "n_disagree": 1.0, **{f"{model}.{name}": 0.7 for model in models for name in _FIGURES}}
