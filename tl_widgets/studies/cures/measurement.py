"""Measurement of the "cures" study: a network that overfits, and one cure at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf

import numpy as np

from tl_widgets.backbones.catalogue import require_backbone
from tl_widgets.core.arguments import checked
from tl_widgets.core.config import Config, ScratchSpec
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, OnEvent, ignore
from tl_widgets.core.lazy_tensorflow import import_tensorflow
from tl_widgets.core.settings import Whole
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset, Split, require_dataset, require_seeds
from tl_widgets.experiments.comparison import chance_of, environment, summarize
from tl_widgets.experiments.parallel import WorkContext, measure_all
from tl_widgets.studies.cures.result import (
    ALL,
    AUGMENTED,
    DROPOUT,
    DROPOUT_RATE,
    EARLY,
    FEWER,
    LABELS,
    MORE,
    N_COPIES,
    NOTHING,
    TRANSFER,
    CurePoint,
    OverfittingCures,
    model_of,
)
from tl_widgets.studies.outcome import right_answers

TIMES_MORE = 1 + N_COPIES  # as many steps as with the changed copies
SMALL = ScratchSpec(filters=(8, 16, 32), dense_units=8)
PATIENCE = 5  # epochs


@dataclass(frozen=True)
class _Job:
    """One model to be trained."""

    cure: str
    seed: int

    def describe(self) -> str:
        return _("{cure}, seed {seed}", cure=LABELS[self.cure], seed=self.seed)


def with_cure(config: Config, cure: str) -> Config:
    """Return the settings with what a cure changes in them; early stopping and more images change nothing here."""
    scratch = {DROPOUT: replace(config.scratch, dropout=DROPOUT_RATE), FEWER: SMALL}.get(cure, config.scratch)
    return replace(config, scratch=scratch, augment=N_COPIES if cure == AUGMENTED else config.augment)


def stopping_epoch(losses: Sequence[float], patience: int = PATIENCE) -> int:
    """Return the epoch, from 1, to which early stopping goes back: the best until `patience` epochs were no better."""
    best, least = 0, inf
    for epoch, loss in enumerate(losses):
        if loss < least:
            best, least = epoch, loss
        elif epoch - best >= patience:
            break
    return best + 1


@checked
def overfitting_cures(
    dataset: ImageDataset,
    *,
    few: int = 10,
    seeds: Sequence[int] = (0, 1, 2),
    backbone: str = Config.backbone,
    epochs: int = 30,
    n_jobs: int = 1,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> OverfittingCures:
    """Train a network that overfits, and the same with one cure at a time.

    The cures are up to four times as many images, three changed copies of each image, dropout, fewer parameters, early
    stopping and a frozen backbone. Early stopping chooses the epoch by the validation loss, before the test.

    Args:
        dataset: images and their split.
        few: training images per class, for all cures but more images.
        seeds: each determines which images are taken, the initial weights and the order of the images.
        backbone: a name in the catalogue (`list_backbones`).
        epochs: passes over the training images.
        n_jobs: worker processes, as joblib counts them; the numbers do not depend on it.
        on_event: receives each finished point.
        cancel: set from any thread, it stops the study within one batch.

    Returns:
        Everything that was measured, even after a Stop; points that failed are in `failures`.

    Raises:
        InputError: an argument is not allowed, or no point could be measured.
    """
    require_dataset(dataset)
    config = Config(backbone=require_backbone(backbone, dataset.image_size).name, epochs=epochs)
    most = int(np.bincount(dataset.train.labels, minlength=dataset.n_classes).min())
    few, seeds = Whole(1, most).check("few", few), require_seeds(seeds)
    import_tensorflow(on_event, cancel)
    # Seed by seed, so a study that is stopped early compares all cures; the quick one is first.
    order = (NOTHING, TRANSFER, *(cure for cure in ALL if cure not in (NOTHING, TRANSFER)))
    jobs = [_Job(cure, seed) for seed in seeds for cure in order]
    work = partial(_measure, dataset, config, few, min(most, TIMES_MORE * few))
    measured = measure_all(jobs, work, describe=_Job.describe, n_jobs=n_jobs, on_event=on_event, cancel=cancel)
    return OverfittingCures(
        dataset=summarize(dataset),
        config=config,
        few=few,
        seeds=seeds,
        chance=chance_of(dataset),
        points=measured.points,
        failures=measured.failures,
        stopped=measured.stopped,
        environment=environment(),
    )


def _measure(dataset: ImageDataset, config: Config, few: int, more: int, job: _Job, context: WorkContext) -> CurePoint:
    if job.cure == MORE and more <= few:
        raise InputError(_("There are no more than {few} training images per class. Ask for fewer with few.", few=few))
    images = dataset.take(more if job.cure == MORE else few, seed=job.seed)
    n, train, test = len(images.train), images.train, images.test
    # The model answers its training images in the same pass as the test images.
    both = Split(np.concatenate([train.images[:], test.images[:]]), np.concatenate([train.labels, test.labels]))
    images, config = replace(images, test=both), replace(with_cure(config, job.cure), seed=job.seed)
    epochs = config.epochs
    if job.cure == EARLY:
        # Only early stopping asks the validation images, those of the network without a cure.
        epochs = stopping_epoch(context.train(images, config, model_of(NOTHING)).history.val_loss)
    # The same seed gives the same weights after as many epochs, so nothing has to be kept for going back.
    config = replace(config, epochs=epochs)
    run = context.train(images, config, model_of(job.cure), validate=job.cure == NOTHING)
    right = right_answers(run)
    accuracies = sum(right[:n]) / n, sum(right[n:]) / len(test)
    return CurePoint(job.cure, job.seed, n, run.params.trainable, epochs, *accuracies)
