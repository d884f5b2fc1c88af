"""Mistakes about which parts of a backbone are trained."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tl_widgets.core.errors import InputError
from tl_widgets.core.translation import _
from tl_widgets.setup_checks.mistake import Check, Finding, Mistake, Subject

if TYPE_CHECKING:
    from tl_widgets.records.verdict import TwoWays
    from tl_widgets.setup_checks.setup import Setup
    from tl_widgets.setup_checks.trial import Trial

_N_IMAGES = 2  # for one step in training mode, on copies of the weights


def _batch_norm(trial: Trial) -> TwoWays:
    """Measure trainable BatchNormalization, which Keras runs in training mode."""
    import keras

    from tl_widgets.records.verdict import compare_runs

    layers = trial.layers()
    backbone = layers[-2]
    norms = [layer for layer in backbone.layers if isinstance(layer, keras.layers.BatchNormalization)]
    if not norms:
        raise InputError(
            _(
                "{backbone_name} has no BatchNormalization: choose another backbone for this mistake.",
                backbone_name=trial.backbone.name,
            )
        )
    right = trial.run(trial.transfer(*layers), "right")
    backbone.trainable = True
    for layer in backbone.layers:
        layer.trainable = layer in norms
    return compare_runs(right, trial.run(trial.transfer(*layers), "wrong"))


def _find_batch_norm(setup: Setup) -> Iterator[Finding]:
    """Find pretrained BatchNormalization and Dropout that training would run in training mode."""
    import keras
    import numpy as np

    backbone = setup.backbone
    if backbone is None or not setup.images_fit:
        return
    is_called_so = any(  # as older guides do
        node.operation is backbone.entrance and node.arguments.kwargs.get("training") is False for node in setup.nodes
    )
    # A network of the learner's own counts as pretrained if it's treated as one.
    if not backbone.is_pretrained and not (is_called_so and not backbone.is_random and not backbone.is_fresh):
        return
    note = _(" With this Keras ({version}), training=False in the call does not prevent it.", version=keras.__version__)
    where = _("layer {backbone_name}", backbone_name=backbone.name)
    drops = [layer for layer in backbone.layers if isinstance(layer, keras.layers.Dropout) and layer.rate > 0]
    if drops and not backbone.is_frozen and is_called_so:
        yield Finding(
            _(
                "Dropout inside {backbone_name} ({name}) runs in fit(): set its rate to 0 if features "
                "should stay as they are.{note}",
                backbone_name=backbone.name,
                name=drops[0].name,
                note=note,
            ),
            where=where,
            code=_("for layer in backbone.layers: if isinstance(layer, keras.layers.Dropout): layer.rate = 0.0"),
            is_certain=False,
        )
    if not any(norm.trainable for norm in backbone.norms):
        return  # Keras always runs frozen ones in inference mode
    with keras.StatelessScope() as scope:  # updates copies instead of the model's own averages
        setup.model(setup.inputs(_N_IMAGES), training=True)
    averages = [variable for norm in backbone.norms for variable in (norm.moving_mean, norm.moving_variance)]
    pairs = [(old, scope.get_current_value(old)) for old in averages]
    if all(new is None or np.allclose(np.asarray(old), keras.ops.convert_to_numpy(new)) for old, new in pairs):
        return
    code = _("for layer in backbone.layers: layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)")
    yield Finding(
        _(
            "BatchNormalization inside {backbone_name} is trainable and runs in training mode in fit(), "
            "so the averages of a few batches replace those it was trained with: set trainable = False "
            "on these layers ({code}) and compile again.{note}",
            backbone_name=backbone.name,
            code=code,
            note=note if is_called_so else "",
        ),
        "batch_norm_training",
        where=where,
        code=code,
    )


def _without_compile(trial: Trial) -> TwoWays:
    """Measure unfreezing the last block without and with compiling again."""
    import numpy as np

    from tl_widgets.backbones.keras_compat import Adam
    from tl_widgets.models.builders import stack_head
    from tl_widgets.records.verdict import TwoWays
    from tl_widgets.training.fine_tuning import cut_backbone

    started = time.perf_counter()
    *before, backbone, average = trial.layers()
    data, seed = trial.dataset, trial.config.seed
    _, lower, upper = cut_backbone(backbone, 1)  # only the last block is unfrozen: the rest runs once, without training
    block = [layer for layer in upper.layers if layer.trainable and layer.weights]
    images, labels = np.asarray(data.train.images[:8], np.float32), data.train.labels[:8]
    for layer in (*before, lower):
        images = layer(images, training=False)
    images = np.asarray(images)
    model = stack_head((upper, average), images.shape[1:], data.n_classes, seed=seed)
    loss = "binary_crossentropy" if model.output_shape[-1] == 1 else "sparse_categorical_crossentropy"

    def set_trainable(is_trainable: bool) -> None:
        for layer in block:
            layer.trainable = is_trainable

    def share_moved(way: str) -> float:
        """Return the share of unfrozen weight arrays that two batches change."""
        old_values = [weight.numpy() for weight in upper.trainable_weights]
        for step in (2, 3):
            trial.raise_if_cancelled()
            model.train_on_batch(images, labels)
            trial.report(way, step, 3, time.perf_counter() - started)
        pairs = zip(upper.trainable_weights, old_values, strict=True)
        return float(np.mean([not np.array_equal(weight.numpy(), old) for weight, old in pairs]))

    trial.raise_if_cancelled()
    set_trainable(False)
    model.compile(Adam(1e-3), loss)
    model.train_on_batch(images, labels)
    trial.report("wrong", 1, 3, time.perf_counter() - started)
    set_trainable(True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some versions of Keras warn of this mistake
        wrong = share_moved("wrong")
    model.compile(Adam(1e-3), loss)  # the same model: training it anew up to here takes as long as all else
    n = len(upper.trainable_weights)
    return TwoWays(share_moved("right"), wrong, n, n, "weights")


def _find_without_compile(setup: Setup) -> Iterator[Finding]:
    """Find an optimizer whose weights aren't those that are trainable now."""
    from tl_widgets.backbones.keras_compat import variables_of

    optimizer = setup.optimizer
    if optimizer is None or not optimizer.built or not setup.model.trainable_variables:
        return
    optimized = {id(weight) for weight in variables_of(optimizer)}
    if optimized == {id(weight) for weight in setup.model.trainable_variables}:
        return
    where, code = "compile()", "model.compile(optimizer, loss, metrics)"
    if not optimized & {id(weight) for weight in setup.model.variables}:
        yield Finding(
            _(
                "The optimizer knows none of the model's weights, as after loading a model from an .h5 "
                "file: fit() fails. Compile it again."
            ),
            where=where,
            code=code,
        )
        return
    yield Finding(
        _("trainable was changed after the model was compiled, which has no effect: compile it again."),
        "trainable_without_compile",
        where=where,
        code=code,
    )


BATCH_NORM_TRAINING = Mistake(
    "batch_norm_training",
    label=_("Batch norm training"),
    wrong=_("the backbone's BatchNormalization trains along"),
    right=_("BatchNormalization stays in inference mode"),
    why=_(
        "Averages over a few batches of few images replace those of a million; training and test see different layers."
    ),
    hides=_("After many batches the new averages settle, and the damage is partly repaired."),
    measure=_batch_norm,
    check=Check(Subject.BACKBONE, _find_batch_norm),
    dataset="faces",
    image_size=48,
    n_per_class=20,
    epochs=3,
    trains_backbone=True,
    place=40,
)

TRAINABLE_WITHOUT_COMPILE = Mistake(
    "trainable_without_compile",
    label=_("Trainable without compile"),
    wrong=_("trainable is set to True after the model was compiled and trained"),
    right=_("the model is compiled again after trainable was changed"),
    why=_(
        "Keras fixes what is trained when it first trains the compiled model, and says nothing when that changes later."
    ),
    hides=_("This version of Keras seems to pick up the change by itself."),
    measure=_without_compile,
    check=Check(Subject.TRAINABLE, _find_without_compile),
    figure=_("share of the unfrozen weight arrays that two more batches move"),
    dataset="faces",
    image_size=32,
    n_per_class=4,
    epochs=1,
    place=50,
)
