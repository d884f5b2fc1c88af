"""Cross-validation: a comparison in which every image is tested once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from functools import partial

import numpy as np

from tl_widgets.core.config import Config
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.events import Cancel, OnEvent, is_cancelled
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset, Split
from tl_widgets.data.folds import FoldRows, divide, fold_dataset, pool
from tl_widgets.experiments.arms import Arms, RunCache
from tl_widgets.experiments.parallel import WorkContext, measure_all
from tl_widgets.experiments.repeats import PartEvents, seconds_of
from tl_widgets.records.comparison import Diagnosis, History, RunResult, Seconds
from tl_widgets.records.folds import Fold, Folds
from tl_widgets.records.run import NOT_LEARNING, diagnose

Runs = dict[str, RunResult]


def measure_folds(
    dataset: ImageDataset,
    config: Config,
    *,
    cache: RunCache,
    n_jobs: int = 1,
    on_event: OnEvent,
    cancel: Cancel | None = None,
) -> tuple[Runs, Folds | None]:
    """Train and test the models in every fold, and pool their answers.

    All folds use the same features of a frozen backbone, since an image's features don't depend on its fold. A failure
    costs one fold. If the first fold was stopped, return its models, and None in place of the folds.
    """
    pooled = pool(dataset)
    rows = divide(pooled, dataset.class_names, config.folds, config.seed)
    alone = replace(config, folds=1)
    first = Arms(fold_dataset(dataset, pooled, rows[0]), alone, on_event, cancel, cache).train_all()
    if set(first) < set(config.model_names) or any(run.stopped for run in first.values()):
        return first, None
    measured = {0: first}
    folds = Folds(config.folds, ())
    if is_cancelled(cancel):
        folds = replace(folds, stopped=True)
    else:
        try:
            others = measure_all(
                range(1, config.folds),
                partial(_measure, dataset, pooled, rows, alone),
                describe=lambda i: _("fold {i}", i=i + 1),
                n_jobs=n_jobs,
                on_event=PartEvents(
                    "fold", config.folds, (config.folds - 1) * seconds_of(first, "train", "evaluate"), n_jobs, on_event
                ),
                cancel=cancel,
                # The caller's cache has room for a few runs, which may be those of other settings.
                cache=RunCache(backbones=cache.backbones),
            )
            measured |= dict(others.points)
            failures = tuple(failure.point + ": " + failure.text for failure in others.failures)
            folds = replace(folds, failures=failures, stopped=others.stopped)
        except InputError as error:  # all others failed, but the first is valid
            folds = replace(folds, failures=(str(error),))
    points = tuple(_fold(i, rows[i], runs) for i, runs in measured.items())
    folds = replace(folds, points=points)
    train_labels = pooled.labels[rows[0].train].tolist()
    return {name: _pool_runs(name, folds, measured, train_labels) for name in first}, folds


def _measure(
    dataset: ImageDataset,
    pooled: Split,
    rows: Sequence[FoldRows],
    config: Config,
    i: int,
    context: WorkContext,
) -> tuple[int, Runs]:
    part = fold_dataset(dataset, pooled, rows[i])
    runs = Arms(part, config, context.on_event, context.cancel, context.cache).train_all()
    if set(runs) < set(config.model_names) or any(run.stopped for run in runs.values()):
        raise CancelledError("stopped")
    context.cache.runs.clear()  # no other fold can use them
    return i, {name: replace(run, model=None) for name, run in runs.items()}


def _fold(i: int, rows: FoldRows, runs: Runs) -> Fold:
    tested = tuple(rows.test.tolist())
    return Fold(i + 1, tested, len(rows.train), len(rows.validation), seconds_of(runs, "total"))


def _pool_runs(name: str, folds: Folds, measured: dict[int, Runs], train_labels: list[int]) -> RunResult:
    """Return one model's answers of all folds as a run, with mean curves and the sum of the seconds."""
    runs = [parts[name] for parts in measured.values()]
    order = np.argsort(np.concatenate([np.array(fold.rows) for fold in folds.points])).tolist()
    answers = [row for run in runs for row in zip(run.labels, run.predictions, run.probabilities, strict=True)]
    labels, predictions, probabilities = zip(*(answers[i] for i in order), strict=True)
    result = replace(
        runs[0],
        seconds=_sum_seconds([run.seconds for run in runs]),
        history=_mean_history([run.history for run in runs]),
        labels=labels,
        predictions=predictions,
        probabilities=probabilities,
    )
    return replace(result, diagnoses=_diagnoses(result, list(measured.items()), train_labels))


def _sum_seconds(seconds: Sequence[Seconds]) -> Seconds:
    total = Seconds(*(sum(getattr(part, field.name) for part in seconds) for field in fields(Seconds)))
    # Later folds find all features in memory; only what the first one found was kept from an earlier run.
    return replace(total, saved=seconds[0].saved)


def _mean_history(histories: Sequence[History]) -> History:
    columns = {field.name: [getattr(history, field.name) for history in histories] for field in fields(History)}
    return History(**{name: tuple(np.mean(rows, axis=0).tolist()) for name, rows in columns.items()})


def _diagnoses(
    result: RunResult, measured: Sequence[tuple[int, Runs]], train_labels: list[int]
) -> tuple[Diagnosis, ...]:
    """Return what is wrong with the pooled run; a network may be stuck in one fold only."""
    stuck = {i + 1: item for i, runs in measured for item in runs[result.name].diagnoses if item.kind in NOT_LEARNING}
    pooled = diagnose(
        result.history,
        train_labels=train_labels,
        test_labels=result.labels,
        predictions=result.predictions,
        class_names=result.class_names,
    )
    first = next(iter(stuck.values()), None)
    if first is None:
        return pooled
    text = _("In fold {stuck}: {text}", stuck=", ".join(map(str, stuck)), text=first.text)
    return (replace(first, text=text), *(item for item in pooled if item.kind not in NOT_LEARNING))
