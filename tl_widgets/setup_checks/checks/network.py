"""Checks of the layers: what is trained, what is non-linear, what stays on after training."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from tl_widgets.backbones.keras_compat import all_layers, graph_of, is_random, nodes_of, takes_training
from tl_widgets.core.translation import _
from tl_widgets.setup_checks.mistake import Check, Finding, Subject
from tl_widgets.setup_checks.outputs import ODD_ENDS, is_compiled, softmax_inside
from tl_widgets.setup_checks.setup import Setup
from tl_widgets.setup_checks.tracing import WEIGHTED, run_until

_HUGE_MAPS, _HUGE_DENSE = 50_000, 5_000_000  # numbers that Flatten hands to a Dense layer, and its weights
_HIGHEST_DROPOUT = 0.9
_STEPS_OF_NORMS = 500
_N_IMAGENET = 1000
_OWN_TOPS = ("fc1", "fc2", "predictions")  # of VGG itself
# Layers that leave a linear network linear.
_LINEAR = (
    keras.layers.InputLayer,
    keras.layers.Flatten,
    keras.layers.Reshape,
    keras.layers.Rescaling,
    keras.layers.Normalization,
    keras.layers.BatchNormalization,
    keras.layers.Dropout,
    keras.layers.SpatialDropout2D,
    keras.layers.AveragePooling2D,
    keras.layers.GlobalAveragePooling2D,
    keras.layers.ZeroPadding2D,
    keras.layers.Add,
    keras.layers.Identity,
    keras.layers.Permute,
)
_MAX_POOLING = (keras.layers.MaxPooling2D, keras.layers.GlobalMaxPooling2D)


def _random_weights(setup: Setup) -> Iterator[Finding]:
    """Find a backbone that is frozen with its initial weights."""
    backbone = setup.backbone
    if backbone is not None and backbone.is_random and backbone.is_frozen and setup.model.trainable_weights:
        yield Finding(
            _(
                "{backbone_name} is frozen with random weights, so it has learned nothing and never "
                'will: load pretrained ones (weights="imagenet" or a file), or let it train.',
                backbone_name=backbone.name,
            ),
            where=_("layer {backbone_name}", backbone_name=backbone.name),
            code=_('weights="imagenet"')
            if backbone.module
            else _("model.get_layer({backbone_name!r}).trainable = True", backbone_name=backbone.name),
        )


def _answer_per_pixel(setup: Setup) -> Iterator[Finding]:
    """Find a model that outputs one row per pixel instead of one per image."""
    labels = setup.all_labels
    for output in setup.outputs:
        shape = (None, *output.answers.shape[1:])
        own = labels if isinstance(labels, np.ndarray) else output.labels
        if len(shape) == 4 and (own is None or own.ndim <= 2):
            yield Finding(
                _(
                    "The model's answers have the shape {shape}, one for each pixel: put Flatten or "
                    "GlobalAveragePooling2D before the Dense layers.",
                    shape=shape,
                ),
                where=output.where,
                code="keras.layers.GlobalAveragePooling2D()",
            )


def _nothing_trains(setup: Setup) -> Iterator[Finding]:
    """Find a model without trainable weights."""
    if setup.model.weights and not setup.model.trainable_weights:
        yield Finding(
            _("Nothing in the model is trainable, so fit() changes no weight: freeze only the backbone, then compile."),
            where="model.trainable",
            code=_("model.trainable = True; backbone.trainable = False"),
        )


def _top_left_on(setup: Setup) -> Iterator[Finding]:
    """Find a softmax in the middle, such as the classifier of an ImageNet network."""
    for node in setup.nodes:
        shape: tuple[int | None, ...] = tuple(getattr(node.outputs[0], "shape", ())) if node.outputs else ()
        nested = isinstance(node.operation, keras.Model) and graph_of(node.operation) is not None
        is_last = any(node.outputs[0] is tensor for tensor in setup.graph.outputs) if node.outputs else True
        is_top = nested and any("predictions" in layer.name for layer in node.operation.layers[-2:])
        if is_top and not is_last and len(shape) == 2 and shape[-1] == _N_IMAGENET:
            yield _top(node.operation.name)
            return
    for layer in softmax_inside(setup.graph):
        units = getattr(layer, "units", None)
        if units == _N_IMAGENET:
            yield _top(layer.name)
        else:
            yield Finding(
                _(
                    "{layer_name} ends with softmax, and another Dense layer takes its answers: softmax "
                    "belongs at the end only. Use relu there.",
                    layer_name=layer.name,
                ),
                where=_("layer {layer_name}", layer_name=layer.name),
                code=f'keras.layers.Dense({units}, activation="relu")' if units else "",
            )
        return


def _top(name: str) -> Finding:
    return Finding(
        _(
            "{name} still has its ImageNet classifier (include_top=True): the new head gets {n_imagenet} "
            "answers about ImageNet's classes instead of features.",
            name=name,
            n_imagenet=_N_IMAGENET,
        ),
        where=_("layer {name}", name=name),
        code=_('include_top=False, pooling="avg"'),
    )


def _is_nonlinear(layer: Any) -> bool:
    """Return whether a layer is, or may be, more than a linear function; an unknown one may be."""
    if isinstance(layer, WEIGHTED):
        return bool(layer.activation is not keras.activations.linear)
    if isinstance(layer, keras.layers.Activation):
        return bool(layer.activation is not keras.activations.linear)
    if isinstance(layer, keras.Model):
        graph = graph_of(layer)
        return graph is None or any(_is_nonlinear(node.operation) for node in nodes_of(graph))
    return not isinstance(layer, _LINEAR) and not _is_augmentation(layer)


def _is_augmentation(layer: Any) -> bool:
    return type(layer).__module__.startswith("keras.") and type(layer).__name__.startswith("Random")


def _no_nonlinearity(setup: Setup) -> Iterator[Finding]:
    """Find a network without any activation, which is no more than one linear layer."""
    nodes = setup.nodes
    weighted = [layer for layer in all_layers(setup.model) if isinstance(layer, WEIGHTED)]
    if not nodes or len(weighted) < 3:
        return
    ends = {output.layer for output in setup.outputs}
    inner = [node.operation for node in nodes if node.operation.name not in ends]
    while inner and isinstance(inner[-1], keras.layers.Softmax | keras.layers.Activation):
        inner.pop()  # the end of the network, written as a layer
    nonlinear = [layer for layer in inner if _is_nonlinear(layer)]
    if all(isinstance(layer, _MAX_POOLING) for layer in nonlinear):
        rest = _(" besides max-pooling") if nonlinear else ""
        yield Finding(
            _(
                "There is no activation function between the layers{rest}, so the network can tell apart "
                "no more than a single linear layer can.",
                rest=rest,
            ),
            where=_("layers {weighted}", weighted=", ".join(layer.name for layer in weighted[:3])),
            code='activation="relu"',
            is_certain=not nonlinear,
        )


def _stays_on(setup: Setup) -> Iterator[Finding]:
    """Find augmentation or Dropout that is on outside of fit()."""
    randoms = [layer for layer in all_layers(setup.model) if is_random(layer)]
    if not randoms or setup.answers is None:
        return
    forced = [node.operation for node in setup.nodes if node.arguments.kwargs.get("training") is True]
    # Keras 3.15 records training=True for every augmentation layer that is called by itself: that says nothing.
    forced = [
        layer for layer in forced if not _is_augmentation(layer) and any(is_random(part) for part in all_layers(layer))
    ]
    if forced:
        name = forced[0].name
        yield Finding(
            _(
                "{name} was called with training=True, so it stays on in model(images) and in saved "
                "models: the same image gets another answer each time. evaluate() and predict() turn it "
                "off in some versions of Keras only. Leave training=True out: fit() turns it on by "
                "itself.",
                name=name,
            ),
            where=_("layer {name}", name=name),
            code=f"x = {name}(x)",
        )
        return
    if setup.graph is not None and not any(map(_may_force, all_layers(setup.model))):
        return
    inputs = setup.inputs(4)
    runs = [keras.tree.flatten(setup.model(inputs, training=False)) for _ in range(2)]
    if all(np.array_equal(*map(keras.ops.convert_to_numpy, pair)) for pair in zip(*runs, strict=True)):
        return
    names = ", ".join(layer.name for layer in randoms[:3])
    yield Finding(
        _(
            "{names} stays on in evaluate() and predict(), so the same image gets another answer each "
            "time: it is called with training=True. Leave that out: fit() turns it on by itself.",
            names=names,
        ),
        where=_("layer {name}", name=randoms[0].name),
        code=f"x = self.{randoms[0].name}(x)",
    )


def _may_force(layer: Any) -> bool:
    """Return whether a layer may be on outside of fit(), or turn others on: own code, augmentation, a recorded call."""
    is_forced = any(node.arguments.kwargs.get("training") is True for node in nodes_of(graph_of(layer)))
    return is_forced or _is_augmentation(layer) or not type(layer).__module__.startswith("keras.")


def _changes_range(setup: Setup) -> Iterator[Finding]:
    """Find augmentation that moves pixels out of the range that the network is tested with."""
    layers = [layer for layer in all_layers(setup.model) if _is_augmentation(layer)]
    reached = setup.first_layer if layers and setup.answers is not None else None
    if reached is None or not takes_training(setup.model):
        return
    trained = run_until(setup.model, setup.inputs(), lambda layer: layer is reached.layer, training=True)
    if trained is None:
        return
    low, high = reached.values.min(), reached.values.max()
    margin = 2 * (high - low)
    if trained.values.min() < low - margin or trained.values.max() > high + margin:
        names = ", ".join(layer.name for layer in layers)
        yield Finding(
            _(
                "In training, {names} turns pixels of {low:.3g} to {high:.3g} into {new_low:.3g} to "
                "{new_high:.3g}: it expects another range. Put it before the scaling, or give it "
                "value_range.",
                names=names,
                low=low,
                high=high,
                new_low=trained.values.min(),
                new_high=trained.values.max(),
            ),
            where=_("layer {name}", name=layers[-1].name),
            code=f"value_range=({low:.0f}, {high:.0f})",
        )


def _huge_flatten(setup: Setup) -> Iterator[Finding]:
    """Find a Dense layer with tens of millions of weights behind Flatten."""
    nodes = setup.nodes
    for before, node in itertools.pairwise(nodes):
        layer = node.operation
        if not isinstance(layer, keras.layers.Dense) or not layer.trainable or layer.name in _OWN_TOPS:
            continue
        n = int(np.prod(layer.kernel.shape))
        is_flat = isinstance(before.operation, keras.layers.Flatten | keras.layers.Reshape | keras.layers.Dropout)
        if n > _HUGE_DENSE and layer.kernel.shape[0] > _HUGE_MAPS and is_flat:
            images = _(" for {data_n:,} images", data_n=setup.data.n) if setup.data.n else ""
            yield Finding(
                _(
                    "{layer_name} takes {shape:,} numbers from Flatten, which makes {n:,} "
                    "weights{images}: such a layer memorizes its images. Use GlobalAveragePooling2D "
                    "instead of Flatten.",
                    layer_name=layer.name,
                    shape=layer.kernel.shape[0],
                    n=n,
                    images=images,
                ),
                where=_("layer {layer_name}", layer_name=layer.name),
                code="keras.layers.GlobalAveragePooling2D()",
                is_certain=False,
            )
            return


def _dropout(setup: Setup) -> Iterator[Finding]:
    """Find Dropout that drops nearly everything, or the answers themselves."""
    for layer in all_layers(setup.model):
        if isinstance(layer, keras.layers.Dropout) and layer.rate >= _HIGHEST_DROPOUT:
            yield Finding(
                _(
                    "{layer_name} drops {rate:.0%} of the values in training: the rate is the share that "
                    "is dropped, not the share that is kept.",
                    layer_name=layer.name,
                    rate=layer.rate,
                ),
                where=_("layer {layer_name}", layer_name=layer.name),
                code=f"keras.layers.Dropout({max(0.1, round(1 - layer.rate, 2)):g})",
            )
    last = setup.nodes[-1].operation if setup.nodes else None
    if isinstance(last, keras.layers.Dropout) and last.rate > 0:
        yield Finding(
            _(
                "{last_name} is the last layer, so it drops answers in training: put it before the last Dense layer.",
                last_name=last.name,
            ),
            where=_("layer {last_name}", last_name=last.name),
        )


def _dead(setup: Setup) -> Iterator[Finding]:
    """Find a trained model that gives every image the same answer."""
    optimizer = setup.optimizer
    trained = setup.history is not None or (is_compiled(setup.model) and int(optimizer.iterations) > 0)
    if not trained or len(setup.images) < 4 or setup.form.name == "blank":
        return
    # The averages of BatchNormalization lag behind for some hundred steps, which flattens the answers until then.
    has_norm = any(isinstance(layer, keras.layers.BatchNormalization) for layer in all_layers(setup.model))
    if has_norm and (optimizer is None or int(optimizer.iterations) < _STEPS_OF_NORMS):
        return
    for output in setup.outputs:
        answers = output.answers.astype(np.float64)
        if answers.ndim == 2 and len(answers) >= 4 and np.ptp(answers, axis=0).max() < 1e-6:
            saturated = output.activation in ODD_ENDS and not answers.any()
            cause = (
                _("the last ReLU is dead") if saturated else _("its ReLU units are dead, or no gradient reaches them")
            )
            yield Finding(
                _(
                    "The trained model gives every image the same answer ({answers}): {cause}. "
                    "Build it anew, and train with a lower learning rate and scaled pixels.",
                    answers=np.array2string(answers[0], precision=3),
                    cause=cause,
                ),
                where=output.where,
                code="keras.optimizers.Adam(1e-3)",
            )


CHECKS = (
    Check(Subject.BACKBONE, _random_weights),
    Check(Subject.ANSWERS, _answer_per_pixel),
    Check(Subject.TRAINABLE, _nothing_trains),
    Check(Subject.NETWORK, _top_left_on),
    Check(Subject.NETWORK, _no_nonlinearity),
    Check(Subject.NETWORK, _stays_on),
    Check(Subject.NETWORK, _changes_range),
    Check(Subject.NETWORK, _huge_flatten),
    Check(Subject.NETWORK, _dropout),
    Check(Subject.ANSWERS, _dead),
)
