"""Fine-tuning, which trains the backbone's last blocks after the frozen stage.

The blocks below the cut stay frozen, so they run only once per image, like a whole frozen backbone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import keras

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.backbones.cuts import KERAS_BLOCKS, find_cut
from tl_widgets.backbones.family import Backbone
from tl_widgets.backbones.weights import resolve_weights
from tl_widgets.core.arguments import checked
from tl_widgets.core.config import Config, FineTuningSpec
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.events import Cancel, OnEvent, ignore, raise_if_cancelled
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.models.builders import frozen_layers, stack_head
from tl_widgets.records.comparison import Comparison, FineTuning, History, RunResult, Seconds
from tl_widgets.records.verdict import fine_tuning_sentence, judge
from tl_widgets.training.features import FrozenPart
from tl_widgets.training.loop import Training
from tl_widgets.training.race import Turns, finish
from tl_widgets.training.stoppable import Stoppable


@checked
def fine_tune(
    comparison: Comparison,
    dataset: ImageDataset,
    *,
    n_blocks: int = 1,
    epochs: int = 10,
    learning_rate: float = 1e-4,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> Comparison:
    """Continue training a transfer model with its backbone's last blocks unfrozen.

    BatchNormalization stays frozen and in inference mode, because the averages of a few images would overwrite
    those of ImageNet.

    Args:
        comparison: A finished comparison with its models, not one read from JSON.
        dataset: The data set of that comparison.
        n_blocks: How many of the last blocks to unfreeze, with everything after them.
        epochs: Passes over the training images after the frozen stage.
        learning_rate: Adam's learning rate, a tenth or a hundredth of the first stage's.
        on_event: Receives each phase, epoch and batch.
        cancel: Stops within one batch when set from any thread.

    Returns:
        The comparison with `fine_tuned`, whose history begins with the frozen stage; unchanged if `cancel` was set
        before the second stage began.

    Raises:
        InputError: An argument isn't allowed, or the comparison has no trained transfer model.
        WeightsUnavailableError: The weights are no longer on this machine.
    """
    first = comparison.transfer
    if first is None or first.stopped or first.model is None:
        raise InputError(
            _(
                "This comparison has no trained transfer model to continue from: it was stopped, or read "
                "from JSON. Run compare() to the end and give its result."
            )
        )
    if comparison.folds is not None:
        raise InputError(
            _(
                "This comparison was cross-validated: its models are those of the first fold, which were "
                "trained on images of the data set's test split. Give compare() both folds and "
                "fine_tuning."
            )
        )
    if comparison.dataset.fingerprint != dataset.fingerprint:
        raise InputError(
            _(
                "This is not the data set that the comparison was made on (other images, or another "
                "split): its test images may have been trained on. Give the same data set."
            )
        )
    config = replace(comparison.config, fine_tuning=FineTuningSpec(n_blocks, epochs, learning_rate))
    try:
        raise_if_cancelled(cancel)
        entry = find_backbone(config.backbone)
        result = finish(second_stage(first, dataset, config, entry, on_event=on_event, cancel=cancel))
    except CancelledError:
        return comparison
    verdict = judge(comparison.scratch, first, comparison.control, result)
    if comparison.repeats is not None:  # that verdict is about all seeds; this is only the first
        verdict = replace(comparison.verdict, text=comparison.verdict.text + fine_tuning_sentence(first, result))
    return replace(comparison, config=config, fine_tuned=result, verdict=verdict)


def backbone_of(layers: Sequence[keras.layers.Layer]) -> keras.Model:
    """Return the backbone among the frozen layers of a transfer model."""
    return next(layer for layer in layers if isinstance(layer, keras.Model) and layer.name != "preprocessing")


def second_stage(
    first: RunResult,
    dataset: ImageDataset,
    config: Config,
    entry: Backbone,
    *,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> Turns:
    """Fine-tune and test the transfer model of `first` turn by turn, and join both stages.

    `first.model` doesn't change. If `cancel` is set during training, the result is marked as stopped.

    Raises:
        InputError: The backbone has too few blocks, or there is too little memory.
        WeightsUnavailableError: The weights are no longer on this machine.
        CancelledError: `cancel` was set before the weights were read.
    """
    spec = config.fine_tuning
    assert spec is not None
    weights = resolve_weights(entry, config.weights, on_event=on_event, cancel=cancel)
    cut = entry.cut_after(config.cut)

    def build() -> tuple[str, keras.Sequential, keras.Sequential, FrozenPart | None]:
        # Build new layers, because other models share those of the frozen stage.
        layers = frozen_layers(entry, dataset.image_shape, weights, seed=config.seed, cut=cut)
        backbone = backbone_of(layers)
        start, lower, upper = cut_backbone(backbone, spec.n_blocks, entry.family.blocks)
        arguments = (dataset.image_shape, dataset.n_classes)
        whole = stack_head(layers, *arguments, head_dropout=config.head_dropout, seed=config.seed)
        whole.layers[-1].set_weights(first.model.layers[-1].get_weights())
        i = layers.index(backbone)
        parts = [layer for layer in (lower, upper) if layer is not None]
        stack = [keras.layers.Input(dataset.image_shape), *layers[:i], *parts, *layers[i + 1 :], *whole.layers[i + 2 :]]
        model = keras.Sequential(stack, name="fine_tuned")
        return start, whole, model, FrozenPart.of(model)

    start, whole, model, frozen = Stoppable(build, cancel)()  # a large backbone takes many seconds
    second = replace(config, epochs=spec.epochs, learning_rate=spec.learning_rate)
    training = Training(model, dataset, second, ModelName.FINE_TUNED, frozen, on_event=on_event, cancel=cancel)
    result = yield from training.turns()
    summary = FineTuning(spec.n_blocks, start, len(first.history.loss), spec.learning_rate)
    return _joined(first, replace(result, model=whole), summary)


def _joined(first: RunResult, second: RunResult, how: FineTuning) -> RunResult:
    """Join the histories and times of both stages into one run."""
    before, after = first.seconds, second.seconds
    later = replace(second.history, seconds=tuple(before.train + s for s in second.history.seconds))
    names = ("loss", "accuracy", "val_loss", "val_accuracy", "seconds")
    return replace(
        second,
        history=History(**{name: getattr(first.history, name) + getattr(later, name) for name in names}),
        seconds=Seconds(
            before.prepare + after.prepare, before.train + after.train, after.evaluate, before.saved + after.saved
        ),
        backbone=first.backbone,
        weights=first.weights,
        weights_sha256=first.weights_sha256,
        fine_tuning=how,
    )


def cut_backbone(
    backbone: keras.Model, n_blocks: int, pattern: re.Pattern[str] = KERAS_BLOCKS
) -> tuple[str, keras.Model, keras.Model]:
    """Cut a frozen backbone before its last blocks, and unfreeze those above the cut.

    Return (name of the first block above the cut, the part below, the part above). The parts share the backbone's
    layers, and BatchNormalization stays frozen.
    """
    start, cut = find_cut(backbone, n_blocks, pattern)
    order = backbone.layers
    lower = keras.Model(backbone.input, order[cut].output, name="frozen_blocks")
    upper = keras.Model(order[cut].output, backbone.output, name="unfrozen_blocks")
    lower.trainable = False
    # Set the model's flag first: Keras passes it down to the layers.
    backbone.trainable = True
    for i, layer in enumerate(order):
        layer.trainable = i > cut and not isinstance(layer, keras.layers.BatchNormalization)
    return start, lower, upper
