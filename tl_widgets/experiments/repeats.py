"""The repeats of a comparison with other seeds."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import Literal

from tl_widgets.core.config import Config
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.events import Cancel, Event, OnEvent, is_cancelled
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.experiments.arms import Arms, RunCache
from tl_widgets.experiments.parallel import WorkContext, measure_all
from tl_widgets.records.comparison import RunResult
from tl_widgets.records.repeats import Repeat, Repeats


def measure_repeats(
    dataset: ImageDataset,
    config: Config,
    first: dict[str, RunResult],
    *,
    cache: RunCache,
    n_jobs: int = 1,
    on_event: OnEvent,
    cancel: Cancel | None = None,
) -> Repeats:
    """Measure the seeds after `first`, the tested models of the first seed.

    They reuse the features of a pretrained backbone, but not of one with random weights. A failure costs one seed.
    """
    # The control's random weights depend on the seed; the caller's cache must keep those of the first.
    repeat_cache = RunCache(backbones=dict(cache.backbones))
    estimate = (config.repeats - 1) * seconds_of(first, "train", "evaluate")
    jobs = range(config.seed + 1, config.seed + config.repeats)
    first_only = Repeats(config.repeats, len(dataset.test), (_repeat(config.seed, first),))
    if is_cancelled(cancel):
        return replace(first_only, stopped=True)
    try:
        measured = measure_all(
            jobs,
            partial(_measure, dataset, config),
            describe=lambda seed: _("seed {seed}", seed=seed),
            n_jobs=n_jobs,
            on_event=PartEvents("repeat", config.repeats, estimate, n_jobs, on_event, first=first_only.points[0]),
            cancel=cancel,
            cache=repeat_cache,
        )
    except InputError as error:  # all repeats failed, but the first seed is valid
        return replace(first_only, failures=(str(error),))
    return replace(
        first_only,
        points=(*first_only.points, *measured.points),
        failures=tuple(failure.point + ": " + failure.text for failure in measured.failures),
        stopped=measured.stopped,
    )


def _repeat(seed: int, runs: dict[str, RunResult]) -> Repeat:
    """Return the accuracies and time of one seed's models."""
    accuracies = {name: run.test_accuracy for name, run in runs.items()}
    scratch, transfer = accuracies[ModelName.SCRATCH], accuracies[ModelName.TRANSFER]
    assert scratch is not None
    assert transfer is not None
    return Repeat(
        seed,
        scratch,
        transfer,
        accuracies.get(ModelName.CONTROL),
        accuracies.get(ModelName.FINE_TUNED),
        seconds_of(runs, "total"),
    )


def seconds_of(runs: dict[str, RunResult], *parts: str) -> float:
    """Return the total seconds of all models; fine-tuning's includes the frozen stage."""
    models = [run for name, run in runs.items() if not (name == ModelName.TRANSFER and ModelName.FINE_TUNED in runs)]
    return float(sum(getattr(run.seconds, part) for run in models for part in parts))


def _measure(dataset: ImageDataset, config: Config, seed: int, context: WorkContext) -> Repeat:
    config_of_seed = replace(config, seed=seed, repeats=1)
    runs = Arms(dataset, config_of_seed, context.on_event, context.cancel, context.cache).train_all()
    if set(runs) < set(config_of_seed.model_names) or any(run.stopped for run in runs.values()):
        raise CancelledError("stopped")
    return _repeat(seed, runs)


class PartEvents:
    """Turns the events of `measure_all` into those of a comparison.

    Args:
        noun: "repeat" or "fold".
        n_parts: The number of them, with the first one, which was measured before.
        estimate: The estimated seconds for the others, until one is done.
        first: The point of the first one, which goes with the first event.
    """

    def __init__(
        self,
        noun: Literal["repeat", "fold"],
        n_parts: int,
        estimate: float,
        n_jobs: int,
        on_event: OnEvent,
        *,
        first: object = None,
    ) -> None:
        self._noun, self._n, self._first = noun, n_parts, first
        self._seconds_left, self._n_jobs, self._on_event = estimate, n_jobs, on_event
        self._n_done, self._started = 1, time.perf_counter()

    def __call__(self, event: Event) -> None:
        """Pass on an event as one of the study's progress."""
        if event.phase in ("load", "done"):
            return
        detail, point = "", event.point
        if event.phase == "study":
            point = point if event.n_done else self._first
            self._n_done = 1 + event.n_done
            self._seconds_left = self._seconds_left if event.seconds_left is None else event.seconds_left
        else:
            detail = f": {event.text}"  # a download, or the features of the next random backbone
        if self._n_jobs == 1:
            running = min(self._n_done + 1, self._n)
            progress = (
                _("fold {running} of {n}", running=running, n=self._n)
                if self._noun == "fold"
                else _("repeat {running} of {n}", running=running, n=self._n)
            )
        else:
            progress = (
                _("{n_done} of {n} folds done", n_done=self._n_done, n=self._n)
                if self._noun == "fold"
                else _("{n_done} of {n} repeats done", n_done=self._n_done, n=self._n)
            )
        event = Event("study", progress + detail, n_done=self._n_done, n_total=self._n, seconds_left=self._seconds_left)
        self._on_event(replace(event, seconds=time.perf_counter() - self._started, point=point))
