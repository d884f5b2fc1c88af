"""What the settings mean and cost, computed before training and without TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.backbones.family import Backbone, memory_estimate, memory_needed
from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import count_text, rough_duration, size_text
from tl_widgets.core.resources import memory_available
from tl_widgets.data.folder import CARVED_VALIDATION_SHARE
from tl_widgets.export import networks
from tl_widgets.records.parameters import LayerRow, count_rows
from tl_widgets.widgets.shared.html import alert, escape
from tl_widgets.widgets.shared.settings import LabSettings

_MEANINGS = {
    "Data": "The images that both models learn from. The fewer there are, the more a pretrained backbone helps.",
    "From scratch": "A small convolutional network that starts from random numbers and learns all of them.",
    "Transfer": "A backbone that has seen 1.2 million photographs stays frozen; only a new last layer is trained.",
    "Training": "How both models learn. Same images, same order, same number of steps.",
}


@dataclass(frozen=True)
class DataFacts:
    """The facts about a data set that are known before it is loaded.

    Attributes:
        class_names: in label order.
        n_train, n_validation, n_test: number of images in each split.
        max_per_class: number of training images of the smallest class.
        n_bytes: size of the download that it needs first; 0 if it is on this machine.
        about: what the images show, where they come from and their license; "" for a learner's own.
    """

    name: str
    class_names: tuple[str, ...]
    n_train: int
    n_validation: int
    n_test: int
    max_per_class: int
    n_bytes: int = 0
    about: str = ""

    @property
    def is_own(self) -> bool:
        """Whether it is a learner's own."""
        return not self.about

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def is_unequal(self) -> bool:
        """Whether classes differ in their number of training images."""
        return self.n_train > self.max_per_class * self.n_classes


@cache
def has_local_weights(backbone: Backbone) -> bool:
    """Return whether the ImageNet weights are on this machine; cached, as a menu asks for all 41 at every change."""
    return backbone.offline


def too_large(name: str, image_size: int) -> str:
    """Return a sentence that says why a backbone doesn't fit into the free memory; "" if it fits."""
    backbone, free = find_backbone(name), memory_available()
    needed = memory_needed(backbone, image_size)
    if not free or needed <= free:
        return ""
    return (
        f"{backbone.name} needs about {size_text(needed)} of memory for images of {image_size} pixels, but only "
        f"{size_text(free)} is free here, so training would not start."
    )


def scratch_rows(settings: LabSettings, n_classes: int) -> tuple[LayerRow, ...]:
    """Return the layers of the network from scratch."""
    return networks.scratch_rows(settings.config, settings.image_size, n_classes)


def transfer_rows(settings: LabSettings, n_classes: int) -> tuple[LayerRow, ...]:
    """Return the layers of the transfer model."""
    return networks.transfer_rows(settings.config, settings.image_size, n_classes)


def n_train(settings: LabSettings, facts: DataFacts) -> int:
    """Return the number of training images, without augmented copies; with folds, those of one fold."""
    n, n_folds = facts.n_train, settings.config.folds
    if settings.n_per_class is not None:
        n = settings.n_per_class * facts.n_classes
    if n_folds == 1:
        return n
    n_all = n + facts.n_validation + facts.n_test
    return round(n_all * (1 - 1 / n_folds) * (1 - CARVED_VALIDATION_SHARE))


def n_steps(settings: LabSettings, facts: DataFacts) -> int:
    """Return the number of optimizer steps for each model."""
    config = settings.config
    return config.epochs * -(-n_train(settings, facts) * (1 + config.augment) // config.batch_size)


def group_line(
    group: str, settings: LabSettings, facts: DataFacts, known_seconds: float | None = None, advice: str = ""
) -> str:
    """Return HTML that says what one of `GROUPS` means and costs, or an alert if its settings are impossible."""
    try:
        cost = _COSTS[group](settings, facts)
    except InputError as error:
        return alert(str(error))
    if group == "Training":
        cost += f"; {_time(known_seconds, advice)}"
    problem = too_large(settings.config.backbone, settings.image_size) if group == "Transfer" else ""
    line = f'<p class="tlw-meaning">{_MEANINGS[group]}</p><p class="tlw-cost">{cost}.</p>'
    if group == "Data" and facts.about:
        line += f'<p class="tlw-meaning">{escape(facts.about)}</p>'
    return line + alert(f"{problem} Choose smaller images or a smaller backbone.") if problem else line


def _time(known_seconds: float | None, advice: str) -> str:
    if known_seconds is None:
        return "the first run shows how long it takes"
    return escape(advice) if advice else f"about <b>{rough_duration(known_seconds)}</b>"


def _data_cost(settings: LabSettings, facts: DataFacts) -> str:
    n = n_train(settings, facts)
    if settings.config.folds > 1:
        own = facts.n_train if settings.n_per_class is None else settings.n_per_class * facts.n_classes
        n_all = count_text(own + facts.n_validation + facts.n_test)
        text = f"<b>{n_all} images</b>, each tested once in {settings.config.folds} folds; about {count_text(n)} for "
        return f"{text}training in each" + (f"; {size_text(facts.n_bytes)} to download first" if facts.n_bytes else "")
    text = f"<b>{count_text(n)} training images</b>, {count_text(facts.n_validation)} for validation, "
    text += f"{count_text(facts.n_test)} for the final test"
    return f"{text}; {size_text(facts.n_bytes)} to download first" if facts.n_bytes else text


def _scratch_cost(settings: LabSettings, facts: DataFacts) -> str:
    count = count_rows(scratch_rows(settings, facts.n_classes))
    return f"<b>{count_text(count.trainable)} parameters</b>, all trainable"


def _transfer_cost(settings: LabSettings, facts: DataFacts) -> str:
    count = count_rows(transfer_rows(settings, facts.n_classes))
    backbone, weights = find_backbone(settings.config.backbone), settings.config.weights
    top1 = f"; {backbone.top1_pct:.1f}% on ImageNet" if backbone.top1_pct and weights == "imagenet" else ""
    text = f"<b>{count_text(count.trainable)} parameters</b> to train, {count_text(count.frozen)} frozen"
    text += f"; about {size_text(memory_estimate(backbone, settings.image_size))} of memory"
    if weights is None:
        return f"{text}; random weights, so it has learned nothing yet{_then_fine_tuned(settings)}"
    if weights != "imagenet":
        return f"{text}; weights from {escape(weights)}{_then_fine_tuned(settings)}"
    if not has_local_weights(backbone):
        size = f" ({backbone.download_mb:.0f} MB)" if backbone.download_mb else ""
        return f"{text}; its weights{size} are not on this machine and must be downloaded{_then_fine_tuned(settings)}"
    return text + top1 + _then_fine_tuned(settings)


def _then_fine_tuned(settings: LabSettings) -> str:
    """Describe the fine-tuning stage, without its number of parameters: that needs the built backbone."""
    tuning = settings.config.fine_tuning
    if tuning is None:
        return ""
    blocks = "last block is" if tuning.n_blocks == 1 else f"last {tuning.n_blocks} blocks are"
    return (
        f". Then its <b>{blocks} trained</b>, too: {tuning.epochs} more epochs at a learning rate of "
        f"{tuning.learning_rate:g}, with its BatchNormalization averages unchanged"
    )


def _training_cost(settings: LabSettings, facts: DataFacts) -> str:
    config = settings.config
    n = n_train(settings, facts) * (1 + config.augment)
    steps = count_text(n_steps(settings, facts))
    text = f"<b>{steps} steps</b> for each model: {config.epochs} times through {count_text(n)} images"
    if config.folds > 1:
        return f"{text}; in each of <b>{config.folds} folds</b>"
    return text if config.repeats == 1 else f"{text}; repeated with <b>{config.repeats} seeds</b>"


_COSTS = {
    "Data": _data_cost,
    "From scratch": _scratch_cost,
    "Transfer": _transfer_cost,
    "Training": _training_cost,
}
