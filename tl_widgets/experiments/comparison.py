"""Comparing a network from scratch with a frozen backbone on the same images.

TensorFlow is imported inside the functions, because the first event of a run announces that it is being loaded.
"""

from __future__ import annotations

import platform
import time
from dataclasses import replace
from functools import partial
from os import PathLike

from tl_widgets.core.config import Config, FineTuningSpec, ScratchSpec, require_workers
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.events import Cancel, Event, OnEvent, ignore, is_cancelled
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.resources import n_cores
from tl_widgets.core.version import __version__
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.experiments.arms import Arms, RunCache, retrain_transfer, train_arm
from tl_widgets.experiments.parallel import WorkContext, measure_all
from tl_widgets.records.comparison import Comparison, DatasetSummary, Environment, RunResult
from tl_widgets.records.repeats import Repeat, Repeats
from tl_widgets.records.verdict import judge, judge_repeats


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
    estimate = (config.repeats - 1) * _seconds(first, "train", "evaluate")
    jobs = range(config.seed + 1, config.seed + config.repeats)
    first_only = Repeats(config.repeats, len(dataset.test), (_repeat(config.seed, first),))
    if is_cancelled(cancel):
        return replace(first_only, stopped=True)
    try:
        measured = measure_all(
            jobs,
            partial(_measure, dataset, config),
            describe=lambda seed: f"seed {seed}",
            n_jobs=n_jobs,
            on_event=_RepeatEvents(config.repeats, estimate, n_jobs, on_event),
            cancel=cancel,
            cache=repeat_cache,
        )
    except InputError as error:  # all repeats failed, but the first seed is valid
        return replace(first_only, failures=(str(error),))
    return replace(
        first_only,
        points=(*first_only.points, *measured.points),
        failures=tuple(f"{failure.point}: {failure.text}" for failure in measured.failures),
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
        _seconds(runs, "total"),
    )


def _seconds(runs: dict[str, RunResult], *parts: str) -> float:
    """Return the total of all models; fine-tuning's includes the frozen stage."""
    models = [run for name, run in runs.items() if not (name == ModelName.TRANSFER and ModelName.FINE_TUNED in runs)]
    return float(sum(getattr(run.seconds, part) for run in models for part in parts))


def _measure(dataset: ImageDataset, config: Config, seed: int, context: WorkContext) -> Repeat:
    config_of_seed = replace(config, seed=seed, repeats=1)
    runs = Arms(dataset, config_of_seed, context.on_event, context.cancel, context.cache).train_all()
    if set(runs) < set(config_of_seed.model_names) or any(run.stopped for run in runs.values()):
        raise CancelledError("stopped")
    return _repeat(seed, runs)


class _RepeatEvents:
    """Turns the events of `measure_all` into those of a comparison.

    `n_repeats` includes the first seed; `estimate` is the estimated seconds for the others until one is done.
    """

    def __init__(self, n_repeats: int, estimate: float, n_jobs: int, on_event: OnEvent) -> None:
        self._n, self._seconds_left, self._n_jobs, self._on_event = n_repeats, estimate, n_jobs, on_event
        self._n_done, self._started = 1, time.perf_counter()

    def __call__(self, event: Event) -> None:
        if event.phase in ("load", "done"):
            return
        detail = ""
        if event.phase == "study":
            self._n_done = 1 + event.n_done
            self._seconds_left = self._seconds_left if event.seconds_left is None else event.seconds_left
        else:
            detail = f": {event.text}"  # a download, or the features of the next random backbone
        progress = f"{self._n_done} of {self._n} repeats done"
        if self._n_jobs == 1:
            progress = f"repeat {min(self._n_done + 1, self._n)} of {self._n}"
        event = Event("study", progress + detail, n_done=self._n_done, n_total=self._n, seconds_left=self._seconds_left)
        self._on_event(replace(event, seconds=time.perf_counter() - self._started))


__all__ = [  # everything that runs experiments, in one place
    "RunCache",
    "compare",
    "compare_config",
    "environment",
    "retrain_transfer",
    "summarize",
    "train_arm",
]


def summarize(dataset: ImageDataset) -> DatasetSummary:
    """Return what a comparison's record keeps of a data set."""
    return DatasetSummary(
        name=dataset.name,
        image_size=dataset.image_size,
        class_names=dataset.class_names,
        n_train=len(dataset.train),
        n_validation=len(dataset.validation),
        n_test=len(dataset.test),
        source=dataset.source,
        origin=dataset.origin,
        fingerprint=dataset.fingerprint,
    )


def environment() -> Environment:
    """Return the versions and hardware that this process runs on; imports TensorFlow."""
    import keras
    import tensorflow as tf

    from tl_widgets.training.loop import device_name

    return Environment(
        platform.python_version(),
        tf.__version__,
        keras.__version__,
        __version__,
        n_cores(),
        device_name(),
    )


def compare(
    dataset: ImageDataset,
    *,
    backbone: str = Config.backbone,
    weights: str | PathLike[str] | None = Config.weights,
    scratch: ScratchSpec | None = None,
    head_dropout: float = Config.head_dropout,
    augment: int = Config.augment,
    epochs: int = Config.epochs,
    batch_size: int = Config.batch_size,
    learning_rate: float = Config.learning_rate,
    seed: int = Config.seed,
    control: bool = Config.control,
    fine_tuning: FineTuningSpec | None = Config.fine_tuning,
    repeats: int = Config.repeats,
    n_jobs: int = 1,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
    cache: RunCache | None = None,
) -> Comparison:
    """Train a network from scratch and a transfer model on the same images.

    The transfer model is a frozen backbone with a new head. Each model is tested once.

    Args:
        dataset: The images and their split.
        backbone: A name in the catalogue (`list_backbones`).
        weights: "imagenet", the path of a weights file, or None for random weights.
        scratch: The network that is trained from scratch; None for `ScratchSpec()`.
        head_dropout: Dropout rate before the transfer model's last layer.
        augment: Number of altered copies of each training image, for all models.
        epochs: Passes over the training images.
        batch_size: Images per step.
        learning_rate: Adam's learning rate.
        seed: Determines initial weights and the order of the images.
        control: Also train the same backbone with random weights.
        fine_tuning: How to fine-tune the last blocks of the transfer model's backbone afterwards; None to skip it.
        repeats: Number of seeds, from `seed` upwards; the images and the split stay the same.
        n_jobs: Worker processes for the seeds after the first, as joblib counts them; they don't change the result.
        on_event: Receives each phase, epoch and batch.
        cancel: Stops within one batch when set from any thread.
        cache: Models of earlier comparisons, which aren't trained again.

    Returns:
        The result. With repeats, its models are those of the first seed, and `repeats` has the accuracies of all
        seeds. If `cancel` was set, it holds the models that were finished and is marked as stopped.

    Raises:
        InputError: An argument isn't allowed, or doesn't fit the images, the backbone or the memory.
        WeightsUnavailableError: The weights aren't on this machine and can't be downloaded.
    """
    config = Config(
        backbone=backbone,
        weights=weights,  # type: ignore[arg-type]  # Config converts a path to str
        scratch=ScratchSpec() if scratch is None else scratch,
        head_dropout=head_dropout,
        augment=augment,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        seed=seed,
        control=control,
        fine_tuning=fine_tuning,
        repeats=repeats,
    )
    return compare_config(dataset, config, n_jobs=n_jobs, on_event=on_event, cancel=cancel, cache=cache)


def compare_config(
    dataset: ImageDataset,
    config: Config,
    *,
    n_jobs: int = 1,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
    cache: RunCache | None = None,
) -> Comparison:
    """Do what `compare` does, with the settings as one record."""
    require_workers(n_jobs)
    cache = RunCache() if cache is None else cache
    arms = Arms(dataset, config, on_event, cancel, cache)
    runs = arms.train_all()
    scratch, transfer, control, tuned = map(runs.get, ModelName)
    verdict = judge(scratch, transfer, control, tuned)
    comparison = Comparison(
        summarize(dataset), arms.config, scratch, transfer, control, verdict, environment(), fine_tuned=tuned
    )
    if config.repeats > 1 and comparison.is_whole:
        measured = measure_repeats(
            dataset, arms.config, runs, cache=cache, n_jobs=n_jobs, on_event=on_event, cancel=cancel
        )
        assert transfer is not None
        comparison = replace(comparison, repeats=measured, verdict=judge_repeats(measured, verdict, transfer))
    on_event(Event("done", "stopped" if comparison.stopped else "done", n_done=1, n_total=1))
    return comparison
