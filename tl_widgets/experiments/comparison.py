"""compare: a network from scratch and a frozen backbone on the same images, each tested once.

TensorFlow is imported inside the functions, because the first event of a run says that it is being loaded.
"""

from __future__ import annotations

import platform
from dataclasses import replace
from os import PathLike

from tl_widgets.core.config import Config, FineTuningSpec, ScratchSpec, require_workers
from tl_widgets.core.events import Cancel, Event, OnEvent, ignore
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.resources import n_cores
from tl_widgets.core.version import __version__
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.experiments.arms import Arms, RunCache, retrain_transfer, train_arm
from tl_widgets.experiments.repeats import measure_repeats
from tl_widgets.records.comparison import Comparison, DatasetSummary, Environment
from tl_widgets.records.verdict import judge, judge_repeats

__all__ = [  # everything that makes experiments, from one place
    "RunCache",
    "compare",
    "compare_config",
    "environment",
    "retrain_transfer",
    "summarize",
    "train_arm",
]


def summarize(dataset: ImageDataset) -> DatasetSummary:
    """Return what the record holds of a data set."""
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
    """Return what this runs on; imports TensorFlow."""
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
    """Train a network from scratch and a frozen backbone with a new head on the same images; test each once.

    Args:
        dataset: images and their split.
        backbone: a name in the catalogue (`list_backbones`).
        weights: "imagenet", the path of a weights file, or None for random weights.
        scratch: the network that is trained from scratch; `ScratchSpec()` where None.
        head_dropout: rate of the Dropout before the transfer model's last layer.
        augment: changed copies of each training image, for both models.
        epochs: passes over the training images.
        batch_size: images for each step.
        learning_rate: of Adam.
        seed: decides initial weights and the order of the images.
        control: train the same backbone with random weights, too.
        fine_tuning: go on with the transfer model, its backbone's last blocks unfrozen; None for none.
        repeats: make it with that many seeds, `seed` and those that follow; images and split stay the same.
        n_jobs: worker processes for the seeds after the first, as joblib counts them; they change no result.
        on_event: receives each phase, epoch and batch.
        cancel: set from any thread, it stops within one batch.
        cache: the models that earlier comparisons trained, which are not trained again.

    Returns:
        The result; with repeats, the models are those of the first seed, and `repeats` has the accuracies of all. After
        a Stop it holds the models that were finished, and is marked as stopped.

    Raises:
        InputError: an argument is not allowed, or does not fit the images, the backbone or the memory.
        WeightsUnavailableError: the weights are neither on this machine nor available.
    """
    config = Config(
        backbone=backbone,
        weights=weights,  # type: ignore[arg-type]  # Config makes a path a str
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
    """`compare` with its arguments as one record, as the Lab, the command line and the studies have them.

    Args:
        dataset: images and their split.
        config: all other arguments.
        n_jobs: worker processes for the seeds after the first.
        on_event: receives each phase, epoch and batch.
        cancel: set from any thread, it stops within one batch.
        cache: the models that earlier comparisons trained, which are not trained again.

    Raises:
        InputError: an argument does not fit the images, the backbone or the memory.
        WeightsUnavailableError: the weights are neither on this machine nor available.
    """
    require_workers(n_jobs)
    cache = RunCache() if cache is None else cache
    arms = Arms(dataset, config, on_event, cancel, cache)
    runs = arms.train_all()
    scratch, transfer, control, tuned = map(runs.get, ModelName)
    verdict = judge(scratch, transfer, control, tuned)
    whole = Comparison(
        summarize(dataset), arms.config, scratch, transfer, control, verdict, environment(), fine_tuned=tuned
    )
    if config.repeats > 1 and whole.is_whole:
        found = measure_repeats(
            dataset, arms.config, runs, cache=cache, n_jobs=n_jobs, on_event=on_event, cancel=cancel
        )
        assert transfer is not None
        whole = replace(whole, repeats=found, verdict=judge_repeats(found, verdict, transfer))
    on_event(Event("done", "stopped" if whole.stopped else "done", n_done=1, n_total=1))
    return whole
