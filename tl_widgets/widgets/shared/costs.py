"""What the settings mean and cost, in words and numbers, before anything is trained and without TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from tl_widgets.backbones.catalogue import find_backbone, list_backbones
from tl_widgets.backbones.family import Backbone
from tl_widgets.backbones.memory import memory_needed
from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import count_text, duration_text, size_text
from tl_widgets.core.resources import memory_available
from tl_widgets.records.parameters import LayerRow, count_rows, scratch_ledger, transfer_ledger
from tl_widgets.widgets.shared.html import alert, escape
from tl_widgets.widgets.shared.settings import LabSettings

_MEANINGS = {
    "Data": "The images that both models learn from. The fewer there are, the more a pretrained backbone helps.",
    "From scratch": "A small convolutional network that starts from random numbers and learns all of them.",
    "Transfer": "A backbone that has seen 1.2 million photographs stays frozen; only a new last layer is learned.",
    "Training": "How both models learn. Same images, same order, same number of steps.",
}

# Of 16 images of 96 pixels: one to two minutes on two cores. The largest built-in set, digits, takes 510.
_MANY_STEPS = 2_000


@dataclass(frozen=True)
class DataFacts:
    """What is known about a data set before it is loaded.

    Attributes:
        name: of the data set.
        class_names: one for each label.
        n_train, n_validation, n_test: images in each split.
        max_per_class: training images of the scarcest class.
        n_bytes: to download before it can be used; 0 where it is on this machine.
    """

    name: str
    class_names: tuple[str, ...]
    n_train: int
    n_validation: int
    n_test: int
    max_per_class: int
    n_bytes: int = 0

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def is_unequal(self) -> bool:
        """Whether some classes have more training images than the scarcest."""
        return self.n_train > self.max_per_class * self.n_classes


@cache
def offline_backbones() -> frozenset[str]:
    """Names of the backbones whose ImageNet weights are on this machine."""
    return frozenset(each.name for each in list_backbones() if each.offline)


def is_here(backbone: Backbone) -> bool:
    """Whether its ImageNet weights are on this machine: asked once, a menu would ask 41 times at every change."""
    return backbone.name in offline_backbones()


def too_large(name: str, image_size: int) -> str:
    """Why a backbone would not fit into the memory that is free, as a sentence; "" where it would.

    Args:
        name: of the backbone.
        image_size: side of the images in pixels.
    """
    backbone, free = find_backbone(name), memory_available()
    needed = memory_needed(backbone, image_size)
    if not free or needed <= free:
        return ""
    return (
        f"{backbone.name} would take about {size_text(needed)} of memory for images of {image_size} pixels, and "
        f"{size_text(free)} are free here: training will be refused."
    )


def scratch_rows(settings: LabSettings, n_classes: int) -> tuple[LayerRow, ...]:
    """The layers of the network from scratch.

    Args:
        settings: of the Lab.
        n_classes: at least 2.

    Raises:
        InputError: pooling would leave no pixel.
    """
    return scratch_ledger((settings.image_size, settings.image_size, 3), n_classes, settings.config.scratch)


def transfer_rows(settings: LabSettings, n_classes: int) -> tuple[LayerRow, ...]:
    """The layers of the transfer model.

    Args:
        settings: of the Lab.
        n_classes: at least 2.

    Raises:
        InputError: there is no such backbone, it takes no such images, or its size is published nowhere.
    """
    backbone = find_backbone(settings.config.backbone)
    backbone.require_size(settings.image_size)
    if backbone.n_params is None or backbone.feature_width is None:
        raise InputError(f"How many parameters {backbone.name} has is known only once it is built.")
    return transfer_ledger(
        (settings.image_size, settings.image_size, 3),
        n_classes,
        backbone=backbone.name,
        feature_width=backbone.feature_width,
        backbone_params=backbone.n_params,
        head_dropout=settings.config.head_dropout,
    )


def n_train(settings: LabSettings, facts: DataFacts) -> int:
    """Training images of all classes, without changed copies."""
    return facts.n_train if settings.n_per_class is None else settings.n_per_class * facts.n_classes


def n_steps(settings: LabSettings, facts: DataFacts) -> int:
    """Steps of the optimizer for each model."""
    config = settings.config
    return config.epochs * -(-n_train(settings, facts) * (1 + config.augment) // config.batch_size)


def group_line(group: str, settings: LabSettings, facts: DataFacts, seconds_known: float | None = None) -> str:
    """What a group of controls means, and what it costs now.

    Args:
        group: one of `GROUPS`.
        settings: of the Lab.
        facts: about its data set.
        seconds_known: what a run like this took before; None where nothing is known.

    Returns:
        HTML; an alert where the settings of this group cannot be.
    """
    try:
        cost = _COSTS[group](settings, facts)
    except InputError as error:
        return alert(str(error))
    if group == "Training":
        cost += f"; {_time(settings, facts, seconds_known)}"
    trouble = too_large(settings.config.backbone, settings.image_size) if group == "Transfer" else ""
    line = f'<p class="tlw-meaning">{_MEANINGS[group]}</p><p class="tlw-cost">{cost}.</p>'
    return line + alert(f"{trouble} Take smaller images or a smaller backbone.") if trouble else line


def _time(settings: LabSettings, facts: DataFacts, seconds_known: float | None) -> str:
    if seconds_known is not None:
        return f"about <b>{duration_text(seconds_known)}</b>"
    if n_steps(settings, facts) > _MANY_STEPS:
        return "so many can take minutes to hours without a GPU: for a first look, lower <b>Images per class</b>"
    return "how long it takes shows after the first run"


def _data_cost(settings: LabSettings, facts: DataFacts) -> str:
    n = n_train(settings, facts)
    text = f"<b>{count_text(n)} images</b> to learn from, {count_text(facts.n_validation)} to watch, "
    text += f"{count_text(facts.n_test)} for the test"
    return f"{text}; {size_text(facts.n_bytes)} to download first" if facts.n_bytes else text


def _scratch_cost(settings: LabSettings, facts: DataFacts) -> str:
    count = count_rows(scratch_rows(settings, facts.n_classes))
    return f"<b>{count_text(count.trainable)} parameters</b>, all to be learned"


def _transfer_cost(settings: LabSettings, facts: DataFacts) -> str:
    count = count_rows(transfer_rows(settings, facts.n_classes))
    backbone, weights = find_backbone(settings.config.backbone), settings.config.weights
    top1 = f"; {backbone.top1_pct:.1f}% on ImageNet" if backbone.top1_pct and weights == "imagenet" else ""
    text = f"<b>{count_text(count.trainable)} parameters</b> to be learned, {count_text(count.frozen)} frozen"
    if weights is None:
        return f"{text}; random weights: it has seen nothing yet{_then_fine_tuned(settings)}"
    if weights != "imagenet":
        return f"{text}; weights from {escape(weights)}{_then_fine_tuned(settings)}"
    if not is_here(backbone):
        size = f" ({backbone.download_mb:.0f} MB)" if backbone.download_mb else ""
        return f"{text}; its weights{size} are not on this machine and must be downloaded{_then_fine_tuned(settings)}"
    return text + top1 + _then_fine_tuned(settings)


def _then_fine_tuned(settings: LabSettings) -> str:
    """What the second stage does; how many parameters that is, only a backbone that was built can say."""
    tuning = settings.config.fine_tuning
    if tuning is None:
        return ""
    blocks = "last block learns" if tuning.n_blocks == 1 else f"last {tuning.n_blocks} blocks learn"
    return (
        f". Then its <b>{blocks}</b>, too: {tuning.epochs} more epochs at a learning rate of "
        f"{tuning.learning_rate:g}, the averages of its BatchNormalization kept"
    )


def _training_cost(settings: LabSettings, facts: DataFacts) -> str:
    config = settings.config
    n = n_train(settings, facts) * (1 + config.augment)
    steps = count_text(n_steps(settings, facts))
    text = f"<b>{steps} steps</b> for each model: {config.epochs} times through {count_text(n)} images"
    return text if config.repeats == 1 else f"{text}; all that with <b>{config.repeats} seeds</b>"


_COSTS = {
    "Data": _data_cost,
    "From scratch": _scratch_cost,
    "Transfer": _transfer_cost,
    "Training": _training_cost,
}
