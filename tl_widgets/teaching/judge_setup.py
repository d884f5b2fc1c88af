"""What is wrong with a learner's mended model: the first thing that `check_setup` says of it."""

from __future__ import annotations

from typing import Any

from tl_widgets.data.catalogue import load_dataset


def judge_mended(answer: Any) -> str | None:
    """Judge a compiled model of 48-pixel textures with the bundled backbone, in which nothing is wrong any more."""
    import keras

    from tl_widgets.setup_checks.check import check_setup
    from tl_widgets.setup_checks.graph import find_backbone_in

    dataset = load_dataset("textures", image_size=48, n_per_class=6)
    if not isinstance(answer, keras.Model) or not answer.built:
        return "Hand over a built Keras model, such as keras.Sequential([Input(dataset.image_shape), ...])."
    if tuple(answer.input_shape[1:]) != dataset.image_shape or answer.output_shape[-1] != dataset.n_classes:
        return "It is to take the images of this data set, dataset.image_shape, and to answer for its 3 classes."
    if find_backbone_in(answer) is None:
        return "The backbone has gone. Keep it, and mend what is around it."
    if getattr(answer, "optimizer", None) is None:
        return "Compile it, too: the loss and the learning rate are part of the exercise."
    return next(iter(check_setup(answer, dataset)), None)
