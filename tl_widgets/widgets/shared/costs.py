"""What the settings mean and cost, computed before training and without TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.backbones.family import Backbone, memory_estimate, memory_needed
from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import count_text, rough_duration, size_text
from tl_widgets.core.resources import memory_available
from tl_widgets.core.translation import _
from tl_widgets.data.folder import CARVED_VALIDATION_SHARE
from tl_widgets.export import networks
from tl_widgets.records.parameters import LayerRow, count_rows
from tl_widgets.widgets.shared.html import alert, escape
from tl_widgets.widgets.shared.settings import LabSettings

_MEANINGS = {
    "Data": _("The images that both models learn from. The fewer there are, the more a pretrained backbone helps."),
    "From scratch": _("A small convolutional network that starts from random numbers and learns all of them."),
    "Transfer": _("A backbone that has seen 1.2 million photographs stays frozen; only a new last layer is trained."),
    "Training": _("How both models learn. Same images, same order, same number of steps."),
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
        is_own: whether it is a learner's own, whatever its name.
    """

    name: str
    class_names: tuple[str, ...]
    n_train: int
    n_validation: int
    n_test: int
    max_per_class: int
    n_bytes: int = 0
    about: str = ""
    is_own: bool = False

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
    return _(
        "{backbone_name} needs about {needed} of memory for images of {image_size} pixels, but only "
        "{free} is free here, so training would not start.",
        backbone_name=backbone.name,
        needed=size_text(needed),
        image_size=image_size,
        free=size_text(free),
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
    return (
        line + alert(_("{problem} Choose smaller images or a smaller backbone.", problem=problem)) if problem else line
    )


def _time(known_seconds: float | None, advice: str) -> str:
    if known_seconds is None:
        return _("the first run shows how long it takes")
    return escape(advice) if advice else _("about <b>{known_seconds}</b>", known_seconds=rough_duration(known_seconds))


def _data_cost(settings: LabSettings, facts: DataFacts) -> str:
    n = n_train(settings, facts)
    if settings.config.folds > 1:
        own = facts.n_train if settings.n_per_class is None else settings.n_per_class * facts.n_classes
        n_all = count_text(own + facts.n_validation + facts.n_test)
        text = _(
            "<b>{n_all} images</b>, each tested once in {folds} folds; about {n} for ",
            n_all=n_all,
            folds=settings.config.folds,
            n=count_text(n),
        )
        return _("{text}training in each", text=text) + (
            _("; {n_bytes} to download first", n_bytes=size_text(facts.n_bytes)) if facts.n_bytes else ""
        )
    text = _(
        "<b>{n} training images</b>, {n_validation} for validation, ",
        n=count_text(n),
        n_validation=count_text(facts.n_validation),
    )
    text += _("{n_test} for the final test", n_test=count_text(facts.n_test))
    return (
        _("{text}; {n_bytes} to download first", text=text, n_bytes=size_text(facts.n_bytes)) if facts.n_bytes else text
    )


def _scratch_cost(settings: LabSettings, facts: DataFacts) -> str:
    count = count_rows(scratch_rows(settings, facts.n_classes))
    return _("<b>{trainable} parameters</b>, all trainable", trainable=count_text(count.trainable))


def _transfer_cost(settings: LabSettings, facts: DataFacts) -> str:
    count = count_rows(transfer_rows(settings, facts.n_classes))
    backbone, weights = find_backbone(settings.config.backbone), settings.config.weights
    top1 = (
        _("; {top1_pct:.1f}% on ImageNet", top1_pct=backbone.top1_pct)
        if backbone.top1_pct and weights == "imagenet"
        else ""
    )
    text = _(
        "<b>{trainable} parameters</b> to train, {frozen} frozen",
        trainable=count_text(count.trainable),
        frozen=count_text(count.frozen),
    )
    text += _(
        "; about {memory_estimate} of memory", memory_estimate=size_text(memory_estimate(backbone, settings.image_size))
    )
    if weights is None:
        return _(
            "{text}; random weights, so it has learned nothing yet{then_fine_tuned}",
            text=text,
            then_fine_tuned=_then_fine_tuned(settings),
        )
    if weights != "imagenet":
        return _(
            "{text}; weights from {weights}{then_fine_tuned}",
            text=text,
            weights=escape(weights),
            then_fine_tuned=_then_fine_tuned(settings),
        )
    if not has_local_weights(backbone):
        size = f" ({backbone.download_mb:.0f} MB)" if backbone.download_mb else ""
        return _(
            "{text}; its weights{size} are not on this machine and must be downloaded{then_fine_tuned}",
            text=text,
            size=size,
            then_fine_tuned=_then_fine_tuned(settings),
        )
    return text + top1 + _then_fine_tuned(settings)


def _then_fine_tuned(settings: LabSettings) -> str:
    """Describe the fine-tuning stage, without its number of parameters: that needs the built backbone."""
    tuning = settings.config.fine_tuning
    if tuning is None:
        return ""
    blocks = _("last block is") if tuning.n_blocks == 1 else _("last {n_blocks} blocks are", n_blocks=tuning.n_blocks)
    return _(
        ". Then its <b>{blocks} trained</b>, too: {epochs} more epochs at a learning rate of "
        "{learning_rate:g}, with its BatchNormalization averages unchanged",
        blocks=blocks,
        epochs=tuning.epochs,
        learning_rate=tuning.learning_rate,
    )


def _training_cost(settings: LabSettings, facts: DataFacts) -> str:
    config = settings.config
    n = n_train(settings, facts) * (1 + config.augment)
    steps = count_text(n_steps(settings, facts))
    text = _(
        "<b>{steps} steps</b> for each model: {epochs} times through {n} images",
        steps=steps,
        epochs=config.epochs,
        n=count_text(n),
    )
    if config.folds > 1:
        return _("{text}; in each of <b>{folds} folds</b>", text=text, folds=config.folds)
    return (
        text
        if config.repeats == 1
        else _("{text}; repeated with <b>{repeats} seeds</b>", text=text, repeats=config.repeats)
    )


_COSTS = {
    "Data": _data_cost,
    "From scratch": _scratch_cost,
    "Transfer": _transfer_cost,
    "Training": _training_cost,
}
