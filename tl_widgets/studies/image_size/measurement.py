"""Measurement of the "size" study: the same images in several sizes, or several kinds of images in one size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from tl_widgets.backbones.catalogue import require_backbone
from tl_widgets.core.arguments import checked
from tl_widgets.core.config import MAX_IMAGE_SIZE, MIN_IMAGE_SIZE, Config
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, OnEvent, ignore, raise_if_cancelled
from tl_widgets.core.lazy_tensorflow import import_tensorflow
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.settings import Choice, Whole
from tl_widgets.core.translation import _
from tl_widgets.data.catalogue import get_dataset, load_dataset
from tl_widgets.data.dataset import ImageDataset, Split, choose_classes, require_dataset, require_seeds
from tl_widgets.experiments.comparison import environment, summarize
from tl_widgets.experiments.parallel import WorkContext, measure_all
from tl_widgets.records.parameters import count_rows, scratch_ledger
from tl_widgets.records.pixels import pixels_text
from tl_widgets.studies.image_size.result import DOMAINS, Condition, SizePoint, SizeStudy, own_name
from tl_widgets.studies.outcome import right_answers

_N_CLASSES = 2  # `faces` has no more


@dataclass(frozen=True)
class _Job:
    """One model with the images of one condition."""

    condition: int
    name: str
    arm: str
    seed: int

    def describe(self) -> str:
        return _("{arm} with {name}, seed {seed}", arm=self.arm, name=self.name, seed=self.seed)


@checked
def size_study(
    dataset: ImageDataset,
    *,
    vary: str = "size",
    sizes: Sequence[int] = (32, 64, 96, 128),
    image_size: int = 64,
    seeds: Sequence[int] = (0, 1),
    backbone: str = Config.backbone,
    epochs: int = Config.epochs,
    n_jobs: int = 1,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> SizeStudy:
    """Train both models on the same images in several sizes, or on several kinds of images in one size.

    With `vary="domain"`, the data set stands beside textures, stamps (if they are on this machine), faces and digits,
    each with its first two classes and as many training images per class as the smallest has.

    Args:
        dataset: images and their split, at least as large as the largest size: they are made smaller.
        vary: "size" or "domain".
        sizes: sides in pixels for "size". Those above the size of the images are left out.
        image_size: side in pixels for "domain".
        seeds: each determines the initial weights and the order of the images.
        backbone: a name in the catalogue (`list_backbones`).
        epochs: passes over the training images.
        n_jobs: worker processes, as joblib counts them; the numbers do not depend on it.
        on_event: receives each finished point.
        cancel: set from any thread, it stops the study within one batch.

    Returns:
        Everything that was measured, even after a Stop; points that failed are in `failures`.

    Raises:
        InputError: an argument is not allowed, or no point could be measured.
        CancelledError: the study was stopped before the images had their sizes.
    """
    require_dataset(dataset)
    Choice((("", "size"), ("", "domain"))).check("vary", vary)
    for name, sides in (("sizes", sizes := tuple(sizes)), ("image_size", (image_size,))):
        for side in sides:
            Whole(MIN_IMAGE_SIZE, MAX_IMAGE_SIZE).check(name, side)
    left_out: tuple[str, ...] = ()
    if vary == "size":
        fitting = sorted({int(side) for side in sizes if side <= dataset.image_size})
        if not fitting:
            raise InputError(
                _(
                    "sizes has none up to the {image_size} pixels of these images; received {sizes}. "
                    "Load the images with a larger image_size.",
                    image_size=dataset.image_size,
                    sizes=sizes,
                )
            )
        if large := [f"{side}" for side in sorted(sizes) if side > dataset.image_size]:
            left_out = (
                _(
                    "Sizes above the {image_size} pixels of these images were left out ({sizes}): load "
                    "them with an image size of {largest}.",
                    image_size=dataset.image_size,
                    sizes=", ".join(large),
                    largest=large[-1],
                ),
            )
        conditions = tuple(resized(dataset, side, cancel) for side in fitting)
    else:
        conditions = domains(dataset, image_size, cancel)
    smallest = min(condition.image_size for condition in conditions)
    config = Config(backbone=require_backbone(backbone, smallest).name, epochs=epochs)
    seeds = require_seeds(seeds)
    import_tensorflow(on_event, cancel)
    jobs = [
        _Job(
            i,
            _("{condition_name} at {image_size} px", condition_name=condition.name, image_size=condition.image_size),
            arm,
            seed,
        )
        for arm in (ModelName.TRANSFER, ModelName.SCRATCH)  # the quick one first
        for i, condition in enumerate(conditions)
        for seed in seeds
    ]
    work = partial(_measure, conditions, config)
    measured = measure_all(jobs, work, describe=_Job.describe, n_jobs=n_jobs, on_event=on_event, cancel=cancel)
    return SizeStudy(
        vary=vary,  # type: ignore[arg-type]  # checked above
        config=config,
        conditions=tuple(_condition(condition, config) for condition in conditions),
        seeds=seeds,
        points=measured.points,
        left_out=left_out,
        failures=measured.failures,
        stopped=measured.stopped,
        environment=environment(),
    )


def resized(dataset: ImageDataset, image_size: int, cancel: Cancel | None = None) -> ImageDataset:
    """Return the data set with images of another size, resampled as `load_dataset` does."""
    if image_size == dataset.image_size:
        return dataset
    from PIL import Image

    side = image_size, image_size
    resample = Image.Resampling.LANCZOS if image_size < dataset.image_size else Image.Resampling.BICUBIC

    def change(split: Split) -> Split:
        images = []
        for image in split.images:
            raise_if_cancelled(cancel)
            images.append(np.asarray(Image.fromarray(np.asarray(image)).resize(side, resample)))
        return replace(split, images=np.stack(images))

    train, validation, test = map(change, (dataset.train, dataset.validation, dataset.test))
    return replace(dataset, train=train, validation=validation, test=test, origin=None)


def domains(dataset: ImageDataset, image_size: int, cancel: Cancel | None = None) -> tuple[ImageDataset, ...]:
    """Return the data set and the built-in ones, with two classes and equally many training images of each."""
    found = []
    for name in DOMAINS:
        known = get_dataset(name)
        if known is not None and known.offline:
            found.append(load_dataset(name, image_size=image_size, classes=known.class_names[:_N_CLASSES]))
    own = choose_classes(dataset, dataset.class_names[:_N_CLASSES])
    n_train = min(int(np.bincount(own.train.labels).min()), *(int(np.bincount(d.train.labels).min()) for d in found))
    if (dataset.name, dataset.source) not in [(known.name, known.source) for known in found]:
        found.insert(0, replace(own, name=own_name(own.name)))
    return tuple(resized(condition.take(n_train), image_size, cancel) for condition in found)


def _condition(dataset: ImageDataset, config: Config) -> Condition:
    rows = scratch_ledger(dataset.image_shape, dataset.n_classes, config.scratch)
    return Condition(summarize(dataset), pixels_text(dataset.test.images[0]), count_rows(rows).total)


def _measure(conditions: tuple[ImageDataset, ...], config: Config, job: _Job, context: WorkContext) -> SizePoint:
    run = context.train(conditions[job.condition], replace(config, seed=job.seed), job.arm, validate=False)
    return SizePoint(job.condition, job.arm, job.seed, right_answers(run))
