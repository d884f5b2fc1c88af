"""Comparing a network from scratch with a frozen backbone on the same images.

TensorFlow is imported inside the functions, because the first event of a run announces that it is being loaded.
"""

from __future__ import annotations

import platform
import time
from dataclasses import replace
from os import PathLike

import numpy as np

from tl_widgets.core.arguments import checked
from tl_widgets.core.config import Config, FineTuningSpec, ScratchSpec, require_workers
from tl_widgets.core.events import Cancel, Event, OnEvent, ignore
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.resources import n_cores, release_after
from tl_widgets.core.translation import _
from tl_widgets.core.version import __version__
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.experiments.arms import Arms, RunCache, kept_models, retrain_transfer, train_arm
from tl_widgets.experiments.folds import measure_folds
from tl_widgets.experiments.repeats import measure_repeats
from tl_widgets.records.comparison import Comparison, DatasetSummary, Environment
from tl_widgets.records.verdict import judge, judge_folds, judge_repeats

__all__ = [  # everything that runs experiments, in one place
    "RunCache",
    "compare",
    "compare_config",
    "environment",
    "kept_models",
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


def chance_of(dataset: ImageDataset) -> float:
    """Return the accuracy of always answering with the most frequent class of the test images, 0..1."""
    counts = np.bincount(dataset.test.labels)
    return float(counts.max() / counts.sum())


def environment() -> Environment:
    """Return the versions and hardware that this process runs on; imports TensorFlow."""
    from tl_widgets.core.lazy_tensorflow import import_tensorflow, uses_onednn

    import_tensorflow()  # after a Stop it may still be on its way in its thread
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
        uses_onednn(),
    )


@checked
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
    folds: int = Config.folds,
    class_weights: bool = Config.class_weights,
    cut: int | None = Config.cut,
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
        folds: With 2 or more, cross-validation: the images of all three splits are divided into this many stratified
            folds, and each fold is tested by models that were trained on the others. So every image is tested once.
            1 keeps the data set's own split.
        class_weights: Whether the loss counts each class equally, whatever the number of its images, for all models:
            each image counts n_images / (n_classes * n_images_of_its_class).
        cut: How many of the backbone's blocks to use, from the first one on (`find_backbone(name).cuts` names them);
            None for the whole backbone.
        n_jobs: Worker processes for the seeds or folds after the first, as joblib counts them; they don't change the
            result.
        on_event: Receives each phase, epoch and batch.
        cancel: Stops within one batch when set from any thread.
        cache: Models of earlier comparisons, which aren't trained again.

    Returns:
        The result. With repeats, its models are those of the first seed, and `repeats` has the accuracies of all
        seeds. With folds, the answers are those to all images, the curves are means, the seconds are sums, and the
        models are those of the first fold. If `cancel` was set, the result holds the models that were finished and is
        marked as stopped.

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
        folds=folds,
        class_weights=class_weights,
        cut=cut,
    )
    started = time.monotonic()
    comparison = compare_config(dataset, config, n_jobs=n_jobs, on_event=on_event, cancel=cancel, cache=cache)
    release_after(started)
    return comparison


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
    folds = None
    if config.folds > 1:
        runs, folds = measure_folds(dataset, arms.config, cache=cache, n_jobs=n_jobs, on_event=on_event, cancel=cancel)
    else:
        runs = arms.train_all()
    scratch, transfer, control, tuned = map(runs.get, ModelName)
    verdict = judge(scratch, transfer, control, tuned)
    if folds is not None:
        verdict = judge_folds(folds, verdict)
    comparison = Comparison(
        summarize(dataset),
        arms.config,
        scratch,
        transfer,
        control,
        verdict,
        environment(),
        fine_tuned=tuned,
        folds=folds,
    )
    if config.repeats > 1 and comparison.is_whole:
        measured = measure_repeats(
            dataset, arms.config, runs, cache=cache, n_jobs=n_jobs, on_event=on_event, cancel=cancel
        )
        assert transfer is not None
        comparison = replace(comparison, repeats=measured, verdict=judge_repeats(measured, verdict, transfer))
    on_event(Event("done", _("stopped") if comparison.stopped else _("done"), n_done=1, n_total=1))
    return comparison
