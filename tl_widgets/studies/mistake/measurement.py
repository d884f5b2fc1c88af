"""Measurement of the "mistake" study: common mistakes beside the right way."""

from __future__ import annotations

from collections.abc import Sequence

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.core.arguments import checked
from tl_widgets.core.config import Config
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, Event, OnEvent, ignore, raise_if_cancelled
from tl_widgets.core.lazy_tensorflow import import_tensorflow
from tl_widgets.core.translation import _
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.data.dataset import ImageDataset, require_dataset
from tl_widgets.experiments.comparison import environment, summarize
from tl_widgets.experiments.parallel import WorkContext, measure_all
from tl_widgets.setup_checks.mistake import Mistake
from tl_widgets.setup_checks.registry import MISTAKES, find_mistake
from tl_widgets.setup_checks.trial import Trial
from tl_widgets.studies.mistake import ALL
from tl_widgets.studies.mistake.result import MistakeStudies, MistakeStudy


def one_or_all_mistakes(
    dataset: ImageDataset | None,
    *,
    mistake: str,
    backbone: str,
    seed: int,
    epochs: int | None,
    on_event: OnEvent,
    cancel: Cancel | None,
) -> MistakeStudy | MistakeStudies:
    """Do what `what_goes_wrong` does, or `every_mistake` if `mistake` is "all"."""
    import_tensorflow(on_event, cancel)
    if mistake == ALL:
        return every_mistake(dataset, backbone=backbone, epochs=epochs, seed=seed, on_event=on_event, cancel=cancel)
    return what_goes_wrong(
        dataset, mistake=mistake, backbone=backbone, epochs=epochs, seed=seed, on_event=on_event, cancel=cancel
    )


@checked
def what_goes_wrong(
    dataset: ImageDataset | None = None,
    *,
    mistake: str,
    backbone: str = Config.backbone,
    epochs: int | None = None,
    seed: int = Config.seed,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> MistakeStudy:
    """Make a common mistake on purpose, and measure it beside the right way.

    Args:
        dataset: images and their split; if None, built-in ones on which this mistake shows within seconds.
        mistake: a name in `tl_widgets.setup_checks.registry.MISTAKES`, such as "raw_pixels".
        backbone: a name in the catalogue (`list_backbones`), with ImageNet weights.
        epochs: passes over the training images; the mistake's own number if None.
        seed: determines the initial weights, the order of the images, and random labels.
        on_event: receives each phase, epoch and batch; an event's `model` is "right" or "wrong".
        cancel: set from any thread, it stops the study within one batch.

    Returns:
        Both measurements, and the confidence in their difference.

    Raises:
        InputError: no mistake has this name, or the images or the backbone do not fit it.
        CancelledError: the study was stopped before both ways were measured.
        WeightsUnavailableError: the weights are not on this machine and cannot be downloaded.
    """
    declared = find_mistake(mistake)
    backbone = find_backbone(backbone).name
    raise_if_cancelled(cancel)
    dataset = _images_of(declared, seed) if dataset is None else dataset
    require_dataset(dataset)
    config = Config(backbone=backbone, epochs=declared.epochs if epochs is None else epochs, seed=seed)
    measured = declared.measure(Trial(dataset, config, on_event, cancel))
    on_event(Event("done", _("done"), n_done=1, n_total=1))
    name = config.backbone if declared.uses_backbone else ""
    return MistakeStudy(summarize(dataset), mistake, name, config.epochs, config.seed, measured, environment())


@checked
def every_mistake(
    dataset: ImageDataset | None = None,
    *,
    mistakes: Sequence[str] | None = None,
    backbone: str = Config.backbone,
    epochs: int | None = None,
    seed: int = Config.seed,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> MistakeStudies:
    """Measure several mistakes, each beside the right way, one after the other.

    Args:
        dataset: images and their split for all mistakes; if None, each mistake has its own.
        mistakes: names of the mistakes; all mistakes if None.
        backbone: as in `what_goes_wrong`.
        epochs: as in `what_goes_wrong`.
        seed: as in `what_goes_wrong`.
        on_event: receives each finished mistake, and the progress of long steps.
        cancel: set from any thread, it stops the study within one batch.

    Returns:
        Everything that was measured, even after a Stop; mistakes that could not be measured are in `failures`.

    Raises:
        InputError: no mistake has one of these names, or none of them could be measured.
    """
    names = tuple(MISTAKES) if mistakes is None else tuple(mistakes)
    unknown = [name for name in names if name not in MISTAKES]
    if unknown or not names:
        known, received = ", ".join(MISTAKES), ", ".join(unknown) or _("none")
        raise InputError(_("mistakes must be some of {known}; received {received}.", known=known, received=received))
    find_backbone(backbone)
    loaded: dict[tuple[object, ...], ImageDataset] = {}  # several mistakes show on the same images

    def images(mistake: str) -> ImageDataset:
        declared = MISTAKES[mistake]
        key = declared.dataset, declared.image_size, declared.n_per_class
        if key not in loaded:
            loaded[key] = _images_of(declared, seed)
        return loaded[key]

    def measure(mistake: str, context: WorkContext) -> MistakeStudy:
        return what_goes_wrong(
            images(mistake) if dataset is None else dataset,
            mistake=mistake,
            backbone=backbone,
            epochs=epochs,
            seed=seed,
            on_event=context.on_event,
            cancel=context.cancel,
        )

    points = measure_all(names, measure, describe=lambda name: MISTAKES[name].title, on_event=on_event, cancel=cancel)
    return MistakeStudies(points.points, points.failures, points.stopped)


def _images_of(mistake: Mistake, seed: int) -> ImageDataset:
    size, n = mistake.image_size, mistake.n_per_class
    return load_dataset(mistake.dataset, image_size=size, n_per_class=n, seed=seed)
