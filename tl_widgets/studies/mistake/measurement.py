"""What goes wrong: the mistakes that fill the forums, each measured beside the right way."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.core.config import Config
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, Event, OnEvent, ignore, raise_if_cancelled
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.data.dataset import ImageDataset, require_dataset
from tl_widgets.experiments.comparison import environment, summarize
from tl_widgets.experiments.parallel import Bench, measure_all
from tl_widgets.setup_checks.mistakes import accuracy, pixels, training
from tl_widgets.setup_checks.mistakes.mistake import MISTAKES, TwoWays, require_mistake
from tl_widgets.setup_checks.mistakes.trial import Lesson
from tl_widgets.studies.mistake.result import MistakeStudies, MistakeStudy, name_in_words

_LESSONS: dict[str, Callable[[Lesson], TwoWays]] = {
    "raw_pixels": pixels.raw_pixels,
    "rescaled_twice": pixels.rescaled_twice,
    "wrong_preprocessing": pixels.wrong_preprocessing,
    "batch_norm_training": training.batch_norm_training,
    "trainable_without_compile": training.trainable_without_compile,
    "leaky_split": accuracy.leaky_split,
    "training_accuracy": accuracy.training_accuracy,
    "sigmoid_from_logits": training.sigmoid_from_logits,
    "bottleneck": training.bottleneck,
    "learning_rate": training.learning_rate,
}
_WITHOUT_BACKBONE = ("training_accuracy", "bottleneck", "learning_rate")


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
        dataset: images and their split; where None, built-in ones on which this mistake shows within seconds
            (`MISTAKES[mistake]` says which).
        mistake: a name in `tl_widgets.studies.mistake.result.MISTAKES`.
        backbone: a name in the catalogue (`list_backbones`), with ImageNet weights.
        epochs: passes over the training images; the mistake's own number where None.
        seed: decides initial weights, the order of the images, and labels drawn by lot.
        on_event: hears of each phase, epoch and batch; an event's `model` is "right" or "wrong".
        cancel: set from any thread, it stops within one batch.

    Raises:
        InputError: there is no such mistake, or the images or the backbone do not fit it.
        CancelledError: Stop came before both ways were measured.
        WeightsUnavailableError: the weights are neither on this machine nor to be had.
    """
    require_mistake(mistake)
    backbone = find_backbone(backbone).name
    raise_if_cancelled(cancel)
    words = MISTAKES[mistake]
    if dataset is None:
        size, n = words.image_size, words.n_per_class
        dataset = load_dataset(words.dataset, image_size=size, n_per_class=n, seed=seed)
    require_dataset(dataset)
    config = Config(backbone=backbone, epochs=words.epochs if epochs is None else epochs, seed=seed)
    measured = _LESSONS[mistake](Lesson(dataset, config, on_event, cancel))
    on_event(Event("done", "done", n_done=1, n_total=1))
    name = "" if mistake in _WITHOUT_BACKBONE else config.backbone
    return MistakeStudy(summarize(dataset), mistake, name, config.epochs, config.seed, measured, environment())


def every_mistake(
    dataset: ImageDataset | None = None,
    *,
    mistakes: Sequence[str] = tuple(MISTAKES),
    backbone: str = Config.backbone,
    epochs: int | None = None,
    seed: int = Config.seed,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> MistakeStudies:
    """Measure several mistakes, one after the other; one that cannot be measured does not take the others with it.

    Args:
        dataset: for all of them; where None, each one's own.
        mistakes: names in `tl_widgets.studies.mistake.result.MISTAKES`.
        backbone: as in `what_goes_wrong`.
        epochs: likewise.
        seed: likewise.
        on_event: hears of each mistake that is done, and of what takes long.
        cancel: set from any thread, it stops within one batch; what was measured until then is kept.

    Raises:
        InputError: there is no such mistake, or none of them could be measured.
    """
    unknown = [mistake for mistake in mistakes if mistake not in MISTAKES]
    if unknown or not mistakes:
        raise InputError(f"mistakes must be some of {', '.join(MISTAKES)}; received {', '.join(unknown) or 'none'}.")
    find_backbone(backbone)

    def measure(mistake: str, bench: Bench) -> MistakeStudy:
        return what_goes_wrong(
            dataset,
            mistake=mistake,
            backbone=backbone,
            epochs=epochs,
            seed=seed,
            on_event=bench.on_event,
            cancel=bench.cancel,
        )

    found = measure_all(tuple(mistakes), measure, words=name_in_words, on_event=on_event, cancel=cancel)
    return MistakeStudies(found.points, found.failures, found.stopped)
