"""Measurement of the "backbones" study, which can be resumed after a Stop, and of one backbone's cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tl_widgets.backbones.catalogue import find_backbone, list_backbones
from tl_widgets.backbones.family import Backbone, memory_estimate
from tl_widgets.backbones.weights import resolve_weights
from tl_widgets.core.arguments import checked
from tl_widgets.core.config import Config
from tl_widgets.core.download import file_digest
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.events import Cancel, Event, OnEvent, ignore, raise_if_cancelled
from tl_widgets.core.lazy_tensorflow import import_tensorflow
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.resources import PeakMemory, require_memory
from tl_widgets.core.settings import Whole
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset, require_dataset, require_seeds
from tl_widgets.experiments.comparison import RunCache, chance_of, environment, summarize, train_arm
from tl_widgets.experiments.parallel import WorkContext, measure_all
from tl_widgets.records.comparison import DatasetSummary, Environment, RunResult
from tl_widgets.studies.backbones.result import BackboneCost, BackbonePoint, BackboneStudy, WantedBackbone
from tl_widgets.studies.outcome import right_answers

if TYPE_CHECKING:
    from tl_widgets.training.features import FrozenPart

_LARGEST_SIDE = 1024


@checked
def backbone_cost(
    backbone: str, *, image_size: int = 96, on_event: OnEvent = ignore, cancel: Cancel | None = None
) -> BackboneCost:
    """Measure the milliseconds and memory of a backbone, with random weights.

    Args:
        backbone: a name in the catalogue (`list_backbones`).
        image_size: side of the images in pixels, at least the backbone's minimum.
        on_event: receives an event when TensorFlow starts and when the backbone is built.
        cancel: set from any thread, it stops the measurement within one batch.

    Returns:
        The measured milliseconds and memory, and the sizes of the backbone.

    Raises:
        InputError: no backbone has this name, or it does not fit the image size or the memory.
        CancelledError: the measurement was stopped.
    """
    entry = find_backbone(backbone)
    Whole(entry.min_input or 1, _LARGEST_SIDE).check("image_size", image_size)
    require_memory(
        memory_estimate(entry, image_size),
        _("Running {name} on images of {image_size} pixels", name=entry.name, image_size=image_size),
        _("Use smaller images or a smaller backbone"),
    )
    import_tensorflow(on_event, cancel)
    raise_if_cancelled(cancel)
    from tl_widgets.models.builders import frozen_layers, stack_head
    from tl_widgets.training.stoppable import Stoppable

    on_event(
        Event(
            "load",
            _("building {entry_name} for images of {image_size} pixels", entry_name=entry.name, image_size=image_size),
            model=entry.name,
        )
    )
    with PeakMemory() as memory:
        shape = (image_size, image_size, 3)
        layers = Stoppable(frozen_layers, cancel)(entry, shape, resolve_weights(entry, None))
        stack_head(layers, shape, 2)  # connects the layers; the head costs next to nothing and is not timed
        return measure_cost(entry, image_size, layers, None, memory, cancel=cancel)


def measure_cost(
    entry: Backbone,
    image_size: int,
    layers: tuple[Any, ...],
    frozen: FrozenPart | None,
    memory: PeakMemory,
    *,
    alone: bool = True,
    cancel: Cancel | None = None,
) -> BackboneCost:
    """Measure the cost of built `frozen_layers`, on images of `image_size` pixels.

    `frozen` is the same layers as one function, if it exists already. `memory` must have been measuring since before
    the layers were built. `alone` says that nothing else of the study runs at the same time.
    """
    from tl_widgets.models.builders import count_parameters
    from tl_widgets.training.features import FrozenPart

    part = frozen or FrozenPart(layers, (image_size, image_size, 3))
    seconds = part.seconds_per_image(cancel=cancel)
    return BackboneCost(
        name=entry.name,
        image_size=image_size,
        n_params=sum(count_parameters(layer).total for layer in layers if layer.weights),
        feature_width=part.output_shape[-1],
        ms_per_image=1000 * seconds,
        memory_estimate=memory_estimate(entry, image_size),
        memory_peak=memory.n_bytes,
        alone=alone,
    )


_MANY_PARAMS = 10**12  # sorts a backbone last if its number of parameters is not published


@dataclass(frozen=True)
class _Job:
    """A backbone to be measured with all seeds; `weights` is None for random ones."""

    name: str
    weights: str | None
    seeds: tuple[int, ...]
    alone: bool

    def describe(self) -> str:
        return self.name if self.weights else _("{name} with random weights", name=self.name)


@checked
def backbone_study(
    dataset: ImageDataset,
    *,
    backbones: Sequence[str] | None = None,
    weights: Mapping[str, str | PathLike[str]] | None = None,
    seeds: Sequence[int] = (0,),
    control: bool = True,
    head_dropout: float = Config.head_dropout,
    augment: int = Config.augment,
    epochs: int = Config.epochs,
    batch_size: int = Config.batch_size,
    learning_rate: float = Config.learning_rate,
    resume: BackboneStudy | None = None,
    n_jobs: int = 1,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> BackboneStudy:
    """Train a new head on each of several frozen backbones, and time them.

    A backbone's accuracy is the one that `compare(dataset, backbone=..., seed=...)` gives for its transfer model.

    Args:
        dataset: images and their split.
        backbones: names in the catalogue, downloaded if necessary. If None, those whose ImageNet weights are on this
            machine and those in `weights`, smallest first; with `resume`, those of that study.
        weights: weights files by backbone name, for backbones whose weights lie elsewhere.
        seeds: each determines the head's initial weights and the order of the images; features are read once.
        control: whether to measure the smallest backbone with random weights, too, as the floor.
        head_dropout: rate of the Dropout layer before the last layer.
        augment: augmented copies of each training image.
        epochs: passes over the training images.
        batch_size: images per step.
        learning_rate: learning rate of Adam.
        resume: an earlier study with the same images and settings, whose measurements are kept.
        n_jobs: worker processes, as joblib counts them. Accuracies do not depend on it, but milliseconds are longer
            when several processes share the machine.
        on_event: receives each finished backbone, and the progress of downloads and features.
        cancel: set from any thread, it stops the study within one batch; with workers, in a second.

    Returns:
        Everything that was measured, even after a Stop; backbones that failed are in `failures`.

    Raises:
        InputError: an argument is not allowed, `resume` has other images or settings, or nothing could be measured.
    """
    require_dataset(dataset)
    config = Config(
        head_dropout=head_dropout,
        augment=augment,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
    )
    seeds = require_seeds(seeds)
    requested = _requested_backbones(backbones, {} if weights is None else weights, resume)
    import_tensorflow(on_event, cancel)
    current = environment()
    if resume is not None:
        _check_resumed(resume, dataset, config, seeds, current)
    reused = _reusable_points(resume, requested)
    jobs = _jobs(requested, reused, seeds, control, n_jobs == 1)
    measured = measure_all(
        jobs,
        partial(_measure, dataset, config),
        describe=_Job.describe,
        n_before=len(reused),
        n_jobs=n_jobs,
        on_event=on_event,
        cancel=cancel,
    )
    points = {(point.name, point.weights == "random"): point for point in (*reused, *measured.points)}
    floor = next((point for (_, is_random), point in points.items() if is_random), None)
    return BackboneStudy(
        dataset=summarize(dataset),
        config=config,
        seeds=seeds,
        wanted=requested,
        chance=chance_of(dataset),
        points=tuple(points[backbone.name, False] for backbone in requested if (backbone.name, False) in points),
        control=_as_fast_as(floor, points.get((floor.name, False))) if floor else None,
        failures=measured.failures,
        stopped=measured.stopped,
        environment=current,
    )


def _as_fast_as(control: BackbonePoint, pretrained: BackbonePoint | None) -> BackbonePoint:
    """Return the control with the time of the same backbone pretrained: weights don't change the arithmetic."""
    if pretrained is None:
        return control
    return replace(control, cost=replace(control.cost, ms_per_image=pretrained.cost.ms_per_image))


def _requested_backbones(
    backbones: Sequence[str] | None, weights: Mapping[str, str | PathLike[str]], resume: BackboneStudy | None
) -> tuple[WantedBackbone, ...]:
    if isinstance(backbones, str) or not isinstance(weights, Mapping):
        raise InputError(
            _(
                'backbones must be several names, such as ("EfficientNetLite0", "MobileNetV2"), and '
                "weights a dictionary of files by name; received {backbones} and {weights}.",
                backbones=shown(backbones),
                weights=shown(weights),
            )
        )
    files = {find_backbone(name).name: fspath(path) for name, path in weights.items()}
    earlier = resume.wanted if isinstance(resume, BackboneStudy) else ()
    if backbones is not None:
        names = [find_backbone(name).name for name in backbones]
    elif earlier:
        names = [backbone.name for backbone in earlier]
    else:
        available = [entry for entry in list_backbones() if entry.offline or entry.name in files]
        names = [entry.name for entry in sorted(available, key=lambda entry: entry.n_params or _MANY_PARAMS)]
    if len(set(names)) < len(names):
        raise InputError(_("backbones names a backbone more than once: {names}.", names=", ".join(names)))
    unused = set(files) - set(names) - {backbone.name for backbone in earlier}
    if unused and backbones is not None:
        raise InputError(
            _(
                "weights has files for {unused}, which backbones does not name. Add them.",
                unused=", ".join(sorted(unused)),
            )
        )
    if not names and not earlier:
        raise InputError(
            _(
                "There is no backbone to measure: backbones is empty, or no weights are on this machine. "
                "`tl-widgets backbones` lists what there is, and `tl-widgets fetch NAME` gets its "
                "weights on a connected machine."
            )
        )
    # The backbones of an earlier study come first, with their weights; newly named ones follow.
    selected = {backbone.name: backbone for backbone in earlier}
    for name in (*names, *files):
        selected[name] = WantedBackbone(
            name, files.get(name) or (selected[name].weights if name in selected else "imagenet")
        )
    return tuple(selected.values())


def _check_resumed(
    resume: BackboneStudy, dataset: ImageDataset, config: Config, seeds: tuple[int, ...], current: Environment
) -> None:
    """Raise InputError if new points cannot be compared with the earlier ones."""
    if not isinstance(resume, BackboneStudy):
        raise InputError(
            _(
                "resume must be an earlier BackboneStudy, such as BackboneStudy.from_json(text of its "
                "record); received {name}.",
                name=type(resume).__name__,
            )
        )
    if resume.dataset.fingerprint != dataset.fingerprint:
        raise InputError(
            _(
                "The study to resume was made on other images ({there}; these are {here}). Load the "
                "same data set with the same size and seed, or start a new study.",
                there=_images(resume.dataset),
                here=_images(summarize(dataset)),
            )
        )
    differences = [
        _(
            "{name}={there} there and {here} here",
            name=name,
            there=str(getattr(resume.config, name)),
            here=str(getattr(config, name)),
        )
        for name in ("head_dropout", "augment", "epochs", "batch_size", "learning_rate")
        if getattr(resume.config, name) != getattr(config, name)
    ]
    if resume.seeds != seeds:
        differences.append(_("seeds={there} there and {here} here", there=resume.seeds, here=seeds))
    # Milliseconds of two machines, or answers of two versions, do not belong in one figure.
    differences += [
        _(
            "{name} {there} there and {here} here",
            name=name,
            there=getattr(resume.environment, name),
            here=getattr(current, name),
        )
        for name in ("device", "cpu_count", "tensorflow", "keras")
        if getattr(resume.environment, name) != getattr(current, name)
    ]
    if differences:
        raise InputError(
            _(
                "The study cannot be resumed: {differences}. Use the same settings, or start a new study.",
                differences="; ".join(differences),
            )
        )


def _reusable_points(resume: BackboneStudy | None, requested: tuple[WantedBackbone, ...]) -> tuple[BackbonePoint, ...]:
    """Return the earlier points whose weights have not changed, and the control."""
    if resume is None:
        return ()
    same = {backbone.name: backbone.weights for backbone in requested if backbone in resume.wanted}
    reused = [point for point in resume.points if point.name in same and not _has_changed(point, same[point.name])]
    return (*reused, *((resume.control,) if resume.control else ()))


def _has_changed(point: BackbonePoint, weights: str) -> bool:
    path = Path(weights)
    return weights != "imagenet" and path.is_file() and file_digest(path, "sha256") != point.weights_sha256


def _images(data: DatasetSummary) -> str:
    return _(
        "{data_name}, {image_size} pixels, {n_train} images",
        data_name=data.name,
        image_size=data.image_size,
        n_train=data.n_train + data.n_validation + data.n_test,
    )


def _jobs(
    requested: tuple[WantedBackbone, ...],
    reused: tuple[BackbonePoint, ...],
    seeds: tuple[int, ...],
    control: bool,
    alone: bool,
) -> list[_Job]:
    done = {point.name for point in reused if point.weights != "random"}
    jobs = [_Job(backbone.name, backbone.weights, seeds, alone) for backbone in requested if backbone.name not in done]
    if control and not any(point.weights == "random" for point in reused):
        smallest = min(requested, key=lambda backbone: find_backbone(backbone.name).n_params or _MANY_PARAMS)
        jobs.append(_Job(smallest.name, None, seeds, alone))
    return jobs


def _measure(dataset: ImageDataset, config: Config, job: _Job, context: WorkContext) -> BackbonePoint:
    # Each job has its own cache, which frees the backbone when the job is done.
    arm = ModelName.TRANSFER if job.weights else ModelName.CONTROL
    entry, cache = find_backbone(job.name), RunCache()
    config = replace(config, backbone=entry.name, weights=job.weights or Config.weights)
    runs: list[RunResult] = []
    with PeakMemory() as memory:
        for seed in job.seeds:
            run = train_arm(
                dataset,
                replace(config, seed=seed),
                arm,
                cache=cache,
                on_event=lambda event: context.on_event(replace(event, model=entry.name)),
                cancel=context.cancel,
            )
            if run.stopped:
                raise CancelledError("stopped")
            runs.append(run)
        _, layers, frozen = cache.backbones[arm]
        cost = measure_cost(entry, dataset.image_size, layers, frozen, memory, alone=job.alone, cancel=context.cancel)
    return BackbonePoint(
        name=entry.name,
        weights=runs[0].weights,
        weights_sha256=runs[0].weights_sha256,
        top1_pct=entry.top1_pct if job.weights else None,
        val_accuracy=tuple(run.history.val_accuracy[-1] for run in runs),
        answers=tuple(right_answers(run) for run in runs),
        n_trainable=runs[0].params.trainable,
        cost=cost,
    )
