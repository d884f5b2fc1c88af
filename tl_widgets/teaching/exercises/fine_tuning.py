"""The exercises of notebook 09, and their judges."""

from __future__ import annotations

from typing import Any

from tl_widgets.core.translation import _
from tl_widgets.teaching.exercises.exercise import Exercise

_N_BLOCKS = 16  # of EfficientNetLite0


def _harsh_accuracy(answer: Any) -> str | None:
    """Judge the validation accuracy after a second stage with a rate of 0.03: near chance."""
    if isinstance(answer, bool) or not hasattr(answer, "__float__"):
        return _("The answer is the accuracy that was printed, such as 0.5; this is {answer!r}.", answer=answer)
    try:
        share = float(answer)
    except (TypeError, ValueError, OverflowError):
        return _("The answer is one number; this is {name}.", name=type(answer).__name__)
    share = share / 100 if 1 < share <= 100 else share
    if not 0 <= share <= 1:
        return _("An accuracy is a share between 0 and 1, or a percentage; this is {answer!r}.", answer=answer)
    if share > 0.75:
        return _("That's still a good model. Set rate = 0.03 in the cell of the second stage, and run it again.")
    if share > 0.4:
        return _("That is about what the frozen backbone gets. Set rate = 0.03 in the second stage and run its cell.")
    return None


def _unfrozen_backbone(answer: Any) -> str | None:
    """Judge a backbone that learns, but for its BatchNormalization."""
    import keras

    from tl_widgets.backbones.keras_compat import all_layers

    if not isinstance(answer, keras.Model):
        return _("Give the backbone, a Keras model; this is {name}.", name=type(answer).__name__)
    weighted = [layer for layer in all_layers(answer)[1:] if layer.weights and not isinstance(layer, keras.Model)]
    norms = [layer for layer in weighted if isinstance(layer, keras.layers.BatchNormalization)]
    if not norms:
        return _("This model has no BatchNormalization. Give the backbone.")
    n_learning = sum(layer.trainable for layer in norms)
    if n_learning == len(norms):
        return _(
            "All {n_learning} BatchNormalization layers learn. Which line speaks last, and to how "
            "many layers does it pass its flag down?",
            n_learning=n_learning,
        )
    if n_learning:
        return _(
            "{n_learning} of the {n_norms} BatchNormalization layers still learn.",
            n_learning=n_learning,
            n_norms=len(norms),
        )
    if not any(layer.trainable for layer in weighted):
        return _("BatchNormalization is frozen, but so is everything else. What was meant to learn?")
    return None


def _plan(answer: Any) -> str | None:
    """Judge (rate of the first stage, unfrozen blocks, rate of the second stage)."""
    if not isinstance(answer, (tuple, list)) or len(answer) != 3:
        return _("Give three numbers: (rate of the first stage, unfrozen blocks, rate of the second stage).")
    if not all(isinstance(part, (int, float)) and not isinstance(part, bool) for part in answer):
        return _("All three are numbers.")
    first, n_blocks, second = answer
    if not 1e-4 <= first <= 1e-2:
        return _("A first stage at {first:g}: a new head learns well with Adam at about 0.001.", first=first)
    if n_blocks < 1:
        return _("Without an unfrozen block the second stage is only more of the first.")
    if n_blocks != int(n_blocks) or n_blocks >= _N_BLOCKS:
        return _(
            "Unfreeze some of the {n_blocks} blocks, not all: the early ones see edges, and yours have edges, too.",
            n_blocks=_N_BLOCKS,
        )
    if second >= first:
        return _("With steps as large as the head's, the second stage can overwrite what ImageNet taught.")
    if second > first / 5:
        return _(
            "{second:g} is hardly smaller than {first:g}. A tenth or less is the usual choice.",
            second=second,
            first=first,
        )
    if second < first / 1000:
        return _("Steps of {second:g} are so small that nothing will happen in a few epochs.", second=second)
    return None


FINE_TUNING_EXERCISES: dict[str, Exercise] = {
    "09-a": Exercise(
        _("Change rate where the second stage begins, run that cell, and look at what it prints."),
        _(
            "A few large steps overwrote what a million photographs had taught, and it doesn't come "
            "back. Nothing warned you, so always compare with the frozen stage."
        ),
        _harsh_accuracy,
        _("After the second stage the variable tuned holds the accuracy: check('09-a', tuned)."),
    ),
    "09-b": Exercise(
        _("Read the lines from top to bottom, and say after each one which layers are trainable."),
        _(
            "backbone.trainable sets the flag of every layer inside, so it has to come first, and the "
            "exceptions after it."
        ),
        _unfrozen_backbone,
        _("The loop froze BatchNormalization. Then the last line set trainable on all layers of the backbone."),
    ),
    "09-c": Exercise(
        _("The head is new and may take large steps. The backbone has something to lose."),
        _("The head first; then a few late blocks, with much smaller steps. BatchNormalization stays frozen."),
        _plan,
        _("This notebook used 0.001, one block, and 0.0001."),
    ),
}
