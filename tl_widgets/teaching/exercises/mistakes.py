"""The exercises on what goes wrong (notebook 10), with their judges."""

from __future__ import annotations

from typing import Any

from tl_widgets.core.translation import _
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.teaching.exercises.exercise import Exercise
from tl_widgets.teaching.exercises.judges import choice


def repaired_model(answer: Any) -> str | None:
    """Judge a compiled model of 48-pixel textures that has no mistake left."""
    import keras

    from tl_widgets.setup_checks.check import check_setup
    from tl_widgets.setup_checks.graph import find_backbone_in

    dataset = load_dataset("textures", image_size=48, n_per_class=6)
    if not isinstance(answer, keras.Model) or not answer.built:
        return _("Give a built Keras model, such as keras.Sequential([Input(dataset.image_shape), ...]).")
    if tuple(answer.input_shape[1:]) != dataset.image_shape or answer.output_shape[-1] != dataset.n_classes:
        return _("The model must take images of shape dataset.image_shape and answer for the 3 classes.")
    if find_backbone_in(answer) is None:
        return _("The backbone is missing. Keep it, and fix what is around it.")
    if getattr(answer, "optimizer", None) is None:
        return _("Compile it, too: the loss and the learning rate are part of the exercise.")
    return next(iter(check_setup(answer, dataset)), None)


MISTAKES_EXERCISES: dict[str, Exercise] = {
    "10-a": Exercise(
        _(
            "Fix one thing at a time: check_setup names them. build_transfer shows which layer comes "
            "before the backbone."
        ),
        _("check_setup finds nothing more. Only a test on images that are new to the model tells how good it is."),
        repaired_model,
        _("Four places: what comes before the backbone, the layer of 6, the learning rate, from_logits."),
    ),
    "10-b": Exercise(
        _("An interval that contains 0: was a cost shown? Was it shown that there is none?"),
        _(
            "These images can't tell. On harder images, or with another backbone, raw pixels can cost "
            "nearly everything."
        ),
        choice(
            "unknown",
            {
                "harmless": _("Not seeing a difference doesn't show that there is none: the interval has both signs."),
                "harmful": _("Your next pictures may show it, but these didn't: the interval contains 0."),
            },
        ),
        _("The third sentence of the study says for which images it holds."),
    ),
    "10-c": Exercise(
        _("What, besides the illness, do two X-rays of one patient have in common?"),
        _("If it recognizes patients, it fails on patients that it hasn't seen."),
        choice(
            "split by patient",
            {
                "more epochs": _("It would only recognize the same patients better still."),
                "larger network": _("It would only recognize the same patients better still, and memorize more."),
                "random labels": _(
                    "A good test for a picture that is in both parts. But two X-rays of one patient "
                    "would get different random labels, so recognizing the patient wouldn't help."
                ),
            },
        ),
        _("Each patient's two pictures must be on the same side."),
    ),
}
