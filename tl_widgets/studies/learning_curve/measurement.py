"""Measurement of the "data" study: learning curves over sizes and seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from os import PathLike, fspath

import numpy as np

from tl_widgets.backbones.catalogue import require_backbone
from tl_widgets.core.arguments import checked
from tl_widgets.core.config import Config, ScratchSpec
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, OnEvent, ignore
from tl_widgets.core.lazy_tensorflow import import_tensorflow
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.settings import Whole
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset, require_dataset, require_seeds
from tl_widgets.experiments.comparison import chance_of, environment, summarize
from tl_widgets.experiments.parallel import WorkContext, measure_all
from tl_widgets.records.run import NOT_LEARNING
from tl_widgets.studies.learning_curve.result import ARMS, CurvePoint, LearningCurve, require_arms

# Images in all classes together of the largest default size: the study then takes about a minute on two cores.
_MAX_BY_DEFAULT = 200


@dataclass(frozen=True)
class _Job:
    """One point to be measured."""

    arm: str
    n_per_class: int
    seed: int

    def describe(self) -> str:
        return _(
            "{arm} with {n_per_class} images per class, seed {seed}",
            arm=self.arm,
            n_per_class=self.n_per_class,
            seed=self.seed,
        )


@checked
def learning_curve(
    dataset: ImageDataset,
    *,
    n_per_class: Sequence[int] | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    arms: Sequence[str] = ARMS,
    backbone: str = Config.backbone,
    weights: str | PathLike[str] | None = Config.weights,
    scratch: ScratchSpec | None = None,
    head_dropout: float = Config.head_dropout,
    augment: int = Config.augment,
    epochs: int = Config.epochs,
    batch_size: int = Config.batch_size,
    learning_rate: float = Config.learning_rate,
    n_jobs: int = 1,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> LearningCurve:
    """Measure test accuracy against training images per class, with several seeds.

    Each point is the one that `compare(dataset.take(n, seed=seed), seed=seed, ...)` gives; features are read once.

    Args:
        dataset: images and their split. The sizes are taken from its training images.
        n_per_class: the sizes, in training images per class. If None, the largest size uses all images, up to 200 in
            all classes together, and the others double from 2 to half of it.
        seeds: each determines which images are taken, the initial weights and the order of the images.
        arms: the models, some of "scratch", "transfer" and "control".
        backbone: a name in the catalogue (`list_backbones`).
        weights: "imagenet", the path of a weights file, or None for random weights.
        scratch: the network that is trained from scratch; `ScratchSpec()` if None.
        head_dropout: rate of the Dropout layer before the transfer model's last layer.
        augment: augmented copies of each training image.
        epochs: passes over the training images.
        batch_size: images per step.
        learning_rate: learning rate of Adam.
        n_jobs: worker processes, as joblib counts them; the accuracies do not depend on it.
        on_event: receives each finished point.
        cancel: set from any thread, it stops the study within one batch; with workers, in a second.

    Returns:
        Everything that was measured, even after a Stop; points that failed are in `failures`.

    Raises:
        InputError: an argument is not allowed, or no point could be measured.
    """
    require_dataset(dataset)
    config = Config(
        backbone=require_backbone(backbone, dataset.image_size).name,
        weights=None if weights is None else fspath(weights),
        scratch=scratch or ScratchSpec(),
        head_dropout=head_dropout,
        augment=augment,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
    )
    sizes, seeds = _sizes(dataset, n_per_class), require_seeds(seeds)
    jobs = _jobs(sizes, seeds, arms)
    import_tensorflow(on_event, cancel)
    work = partial(_measure, dataset, config)
    measured = measure_all(jobs, work, describe=_Job.describe, n_jobs=n_jobs, on_event=on_event, cancel=cancel)
    return LearningCurve(
        dataset=summarize(dataset),
        config=config,
        n_per_class=sizes,
        seeds=seeds,
        arms=tuple(arm for arm in ARMS if arm in arms),
        chance=chance_of(dataset),
        points=measured.points,
        failures=measured.failures,
        stopped=measured.stopped,
        environment=environment(),
    )


def _sizes(dataset: ImageDataset, wanted: Sequence[int] | None) -> tuple[int, ...]:
    most = int(np.bincount(dataset.train.labels, minlength=dataset.n_classes).min())
    if wanted is None:
        most = min(most, max(1, _MAX_BY_DEFAULT // dataset.n_classes))
        # The last doubling would cost as much as all sizes before it and add little to the largest size.
        doubling = [2**i for i in range(1, most.bit_length()) if 2**i <= most / 2]
        return tuple(sorted({*(doubling or [1]), most}))
    wanted = tuple(wanted)
    for n in wanted:
        Whole(1, most).check("n_per_class", n)
    if not wanted:
        raise InputError(_("n_per_class is empty: give at least one number of training images per class."))
    return tuple(sorted({int(n) for n in wanted}))


def _jobs(sizes: Sequence[int], seeds: Sequence[int], arms: Sequence[str]) -> list[_Job]:
    require_arms(arms)
    # The quick arm comes first, so a study that is stopped early has something to show. It goes seed by seed, because
    # the random backbone is built once per seed.
    order = (ModelName.TRANSFER, ModelName.SCRATCH, ModelName.CONTROL)
    return [_Job(arm, n, seed) for arm in order if arm in arms for seed in seeds for n in sizes]


def _measure(dataset: ImageDataset, config: Config, job: _Job, context: WorkContext) -> CurvePoint:
    subset = dataset.take(job.n_per_class, seed=job.seed)
    # Only the test counts here; validation would take a fifth of the time.
    run = context.train(subset, replace(config, seed=job.seed), job.arm, validate=False)
    stuck = any(diagnosis.kind in NOT_LEARNING for diagnosis in run.diagnoses)
    return CurvePoint(job.arm, job.n_per_class, job.seed, run.n_right / len(run.labels), run.seconds, stuck)
