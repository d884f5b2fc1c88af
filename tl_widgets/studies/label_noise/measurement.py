"""Measurement of the "noise" study: wrong training labels, and a search for them by cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tl_widgets.backbones.catalogue import require_backbone
from tl_widgets.core.arguments import checked
from tl_widgets.core.config import Config
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, OnEvent, ignore
from tl_widgets.core.lazy_tensorflow import import_tensorflow
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.settings import Whole
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset, Labels, Split, require_dataset, require_seeds
from tl_widgets.experiments.comparison import chance_of, environment, summarize
from tl_widgets.experiments.parallel import WorkContext, measure_all
from tl_widgets.records.pixels import pixels_text
from tl_widgets.studies.label_noise.result import MOST_SHOWN, LabelNoise, NoisePoint, Search, Suspect

_FOLDS = 5


@dataclass(frozen=True)
class _Job:
    """One model, trained on labels of which a share is wrong; `search` looks for the wrong ones, too."""

    arm: str
    share: int
    seed: int
    search: bool

    def describe(self) -> str:
        return _("{arm} with {share}% wrong labels, seed {seed}", arm=self.arm, share=self.share, seed=self.seed)


def flip_labels(labels: Labels, share: float, n_classes: int, seed: int) -> Labels:
    """Return labels, int64 (n,), of which a share in 0..1 is wrong: another class, each with the same chance.

    With the same seed, a larger share contains the wrong labels of a smaller one.
    """
    random = np.random.default_rng([seed, 4])
    order = random.permutation(len(labels))
    others = (labels + random.integers(1, n_classes, len(labels))) % n_classes
    flipped = labels.copy()
    rows = order[: round(share * len(labels))]
    flipped[rows] = others[rows]
    return flipped


def suspects(probabilities: NDArray[np.float64], labels: Labels) -> NDArray[np.int64]:
    """Return the rows whose label a model doubts with confidence, the surest first.

    A row is doubted if the model names another class, at least as surely as it usually names images with that label.

    Args:
        probabilities: of models that did not train on the row, (n, n_classes).
        labels: the labels as they are, (n,).

    Source: C. Northcutt, L. Jiang, I. Chuang, Confident learning, JAIR 70 (2021), arXiv 1911.00068.
    """
    answers, rows = probabilities.argmax(axis=1), np.arange(len(labels))
    usual = np.array(
        [probabilities[labels == k, k].mean() if (labels == k).any() else 1.0 for k in range(probabilities.shape[1])]
    )
    sure = probabilities[rows, answers]
    doubted = np.flatnonzero((answers != labels) & (sure >= usual[answers]))
    margin = sure - probabilities[rows, labels]
    found: NDArray[np.int64] = doubted[np.argsort(-margin[doubted], kind="stable")]
    return found


def held_out_probabilities(
    features: NDArray[np.float32], labels: Labels, n_classes: int, config: Config
) -> NDArray[np.float64]:
    """Return each row's probabilities, (n, n_classes), from a head that was trained on the other folds."""
    from tl_widgets.training.learners import LinearHead, batches

    n, n_features = features.shape
    random = np.random.default_rng([config.seed, 5])
    folds = random.permutation(n) % min(_FOLDS, n)
    reach = (6 / (n_features + n_classes)) ** 0.5  # Glorot's, as in Keras
    probabilities = np.zeros((n, n_classes))
    for fold in range(folds.max() + 1):
        rest = np.flatnonzero(folds != fold)
        kernel = random.uniform(-reach, reach, (n_features, n_classes)).astype(np.float32)
        bias = np.zeros(n_classes, np.float32)
        head = LinearHead(kernel, bias, learning_rate=config.learning_rate, dropout=0.0, seed=config.seed)
        for epoch in range(config.epochs):
            for rows in batches(len(rest), config.batch_size, seed=config.seed, epoch=epoch):
                head.fit_batch(features[rest[rows]], labels[rest[rows]])
        tested = np.flatnonzero(folds == fold)
        probabilities[tested] = head.probabilities(features[tested])
    return probabilities


@checked
def label_noise(
    dataset: ImageDataset,
    *,
    shares: Sequence[int] = (0, 20, 40),
    seeds: Sequence[int] = (0, 1, 2),
    backbone: str = Config.backbone,
    epochs: int = Config.epochs,
    n_jobs: int = 1,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> LabelNoise:
    """Make some training labels wrong, measure what that costs, and look for the wrong ones.

    The search trains the frozen backbone's head in five folds, so each training image is judged by a model that hasn't
    trained on it. A label is suspicious if that model confidently names another class.

    Args:
        dataset: images and their split. The labels of the validation and test images stay right.
        shares: percentages of training labels that are made wrong, 0 to 80.
        seeds: each determines which labels are wrong, the initial weights and the order of the images.
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
    for share in (shares := tuple(shares)):
        Whole(0, 80).check("shares", share)
    if not shares:
        raise InputError(_("shares is empty: give at least one percentage of wrong labels."))
    shares, seeds = tuple(sorted(set(map(int, shares)))), require_seeds(seeds)
    import_tensorflow(on_event, cancel)
    jobs = [
        _Job(arm, share, seed, arm == ModelName.TRANSFER)
        for arm in (ModelName.TRANSFER, ModelName.SCRATCH)  # the quick one first
        for seed in seeds
        for share in shares
    ]
    work = partial(_measure, dataset, config)
    measured = measure_all(jobs, work, describe=_Job.describe, n_jobs=n_jobs, on_event=on_event, cancel=cancel)
    return LabelNoise(
        dataset=summarize(dataset),
        config=config,
        shares=shares,
        seeds=seeds,
        chance=chance_of(dataset),
        points=measured.points,
        failures=measured.failures,
        stopped=measured.stopped,
        environment=environment(),
    )


def _measure(dataset: ImageDataset, config: Config, job: _Job, context: WorkContext) -> NoisePoint:
    labels = flip_labels(dataset.train.labels, job.share / 100, dataset.n_classes, job.seed)
    noisy = replace(dataset, train=replace(dataset.train, labels=labels))
    config = replace(config, seed=job.seed)
    run = context.train(noisy, config, job.arm, validate=False)
    search = _search(noisy, dataset.train, config, context) if job.search else None
    return NoisePoint(job.arm, job.share, job.seed, run.n_right / len(run.labels), search)


def _search(noisy: ImageDataset, right: Split, config: Config, context: WorkContext) -> Search:
    """Look for wrong labels among the training images, and count how many were found."""
    frozen = context.cache.backbones[ModelName.TRANSFER][2]
    assert frozen is not None
    features = frozen.read(noisy.train, on_event=context.on_event, cancel=context.cancel).values
    labels = noisy.train.labels
    probabilities = held_out_probabilities(features.reshape(len(labels), -1), labels, noisy.n_classes, config)
    found = suspects(probabilities, labels)
    is_wrong = labels != right.labels
    shown = tuple(
        Suspect(
            row=row,
            given=int(labels[row]),
            proposed=int(probabilities[row].argmax()),
            true=int(right.labels[row]),
            probability=float(probabilities[row].max()),
            pixels=pixels_text(noisy.train.images[row]),
        )
        for row in found[:MOST_SHOWN].tolist()
    )
    mended = is_wrong[found] & (probabilities[found].argmax(axis=1) == right.labels[found])
    return Search(len(labels), int(is_wrong.sum()), len(found), int(is_wrong[found].sum()), int(mended.sum()), shown)
