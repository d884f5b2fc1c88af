"""Grad-CAM: which places of an image raise the score of a class."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tl_widgets.backbones.keras_compat import is_functional, run_graph, takes_training
from tl_widgets.core.arguments import checked
from tl_widgets.core.errors import InputError
from tl_widgets.core.settings import Whole
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _
from tl_widgets.studies.inside.result import Array, enlarge

CONVOLUTIONS = (
    keras.layers.Conv2D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
    keras.layers.Conv2DTranspose,
)
Visit = Callable[[Any, tuple[Any, ...], Any], Any]
_SMALL = 1e-5  # relative to the sum without cancellation: float32 keeps about seven digits
_AT_ONCE = 2  # images: all layers of a backbone keep their maps until the last one
_SAME = 1e-3  # relative to the largest place


@dataclass(frozen=True, eq=False)
class Places:
    """A heat map at the resolution of the layer's feature maps.

    Attributes:
        values: float32 (rows, columns), 0..1; all 0 if the map is flat.
        flat: why no place stands out, as a clause; "" if the map is not flat.
        layer: name of the layer whose feature maps were weighted.
    """

    values: Array
    flat: str
    layer: str


@checked
def grad_cam(
    model: keras.Model, image: NDArray[Any], *, class_index: int | None = None, layer: str | None = None
) -> Array:
    """Show which places of an image raise a model's score for a class.

    The heat map is the weighted sum of the feature maps of the last convolution, where a map's weight is the mean
    gradient of the class's score over all places. Negative values become 0, and the rest is divided by the maximum:
    L = ReLU(sum_k a_k A_k), a_k = mean_ij dy/dA_kij, with y the score before softmax or sigmoid. If the model has
    a single sigmoid unit, its score counts for class 1 and the negative score for class 0.

    Source: R. R. Selvaraju et al.: Grad-CAM: visual explanations from deep networks via gradient-based localization,
    ICCV 2017, equations 1 and 2.

    Args:
        model: a Sequential or functional model with one input; it may contain nested models. It stays unchanged.
        image: numbers (height, width, channels) as the model takes them: raw pixels 0-255 for the Lab's models.
        class_index: index of the class, from 0; the model's own answer if None.
        layer: name of the layer whose feature maps are weighted. If None, the last convolution, after the
            normalization, addition and activation that follow it at the same size.

    Returns:
        float32 (height, width), 0..1. All 0 if no place stands out; a warning then says why.

    Raises:
        InputError: the model has no convolution or is of another kind, or the image, class or layer does not fit.
    """
    image = np.asarray(image)
    classes = None if class_index is None else [class_index]
    (places,) = heat_maps(model, image[None], classes=classes, layer=layer)
    if places.flat:
        warnings.warn(_("The heat map is flat: {flat}.", flat=places.flat), stacklevel=2)
    return enlarge(places.values, *image.shape[:2])


def heat_maps(
    model: keras.Model, images: NDArray[Any], *, classes: Sequence[int] | None = None, layer: str | None = None
) -> tuple[Places, ...]:
    """Return `grad_cam` of several images at the resolution of the feature maps.

    `images` is (n, height, width, channels). `classes` has one index for each image; None stands for the model's own
    answers.

    Raises:
        InputError: see `grad_cam`.
    """
    _check(model, images)
    if len(images) > _AT_ONCE:
        starts = range(0, len(images), _AT_ONCE)
        parts = (slice(start, start + _AT_ONCE) for start in starts)
        return tuple(
            places
            for part in parts
            for places in heat_maps(model, images[part], classes=classes and classes[part], layer=layer)
        )
    pixels = tf.constant(images, tf.float32)
    target, last = _find(model, pixels[:1], layer)
    maps: list[Any] = []
    scores: list[Any] = []

    # Without watching variables, the tape records only what follows the feature maps.
    with tf.GradientTape(watch_accessed_variables=False) as tape:

        def visit(part: Any, inputs: tuple[Any, ...], output: Any) -> Any:
            if part is target and not maps:
                tape.watch(output)
                maps.append(output)
            if part is last:
                scores.append(_score(part, inputs[0], output))
            return output

        _with_visits(model, visit)(pixels)
        chosen = _chosen(scores[-1], classes, len(images))
    gradients = np.asarray(tape.gradient(chosen, maps[0], unconnected_gradients="zero"), np.float64)
    values = np.asarray(maps[0], np.float64)
    if not (np.isfinite(values).all() and np.isfinite(gradients).all()):
        raise InputError(
            _(
                "{model_name!r} answers with infinite numbers or NaN: there is nothing to look at.",
                model_name=model.name,
            )
        )
    return tuple(_places(a, g, target.name) for a, g in zip(values, gradients, strict=True))


def _check(model: Any, images: NDArray[Any]) -> None:
    if not isinstance(model, keras.Model) or not model.built or len(getattr(model, "inputs", None) or ()) != 1:
        raise InputError(
            _(
                "Grad-CAM needs a built Sequential or functional Keras model with one input, such as "
                "comparison.scratch.model; received {model}.",
                model=shown(model),
            )
        )
    expected = tuple(model.inputs[0].shape[1:])
    shape = tuple(images.shape[1:])
    fits = len(shape) == len(expected) and all(a in (None, b) for a, b in zip(expected, shape, strict=True))
    if not fits or images.dtype.kind not in "uif":
        raise InputError(
            _(
                "{model_name!r} takes an image of shape {expected}, numbers; received {dtype} {shape}. "
                "Give one image, such as dataset.test.images[0].",
                model_name=model.name,
                expected=expected,
                dtype=images.dtype,
                shape=shape,
            )
        )
    if not np.isfinite(images).all():
        raise InputError(_("The image holds NaN or infinite numbers."))


def _with_visits(layer: Any, visit: Visit) -> Callable[..., Any]:
    """Return a layer, model or operation as a function that calls `visit`.

    The function runs in inference mode. `visit` receives (part, inputs, output) in the order of computation, including
    the parts of nested models, and the value that it returns replaces the output.
    """
    if isinstance(layer, keras.Sequential):

        def stack(values: Any, **_: Any) -> Any:
            for part in layer.layers:
                values = _with_visits(part, visit)(values)
            return values

        return stack
    if is_functional(layer):

        def graph(values: Any, **_: Any) -> Any:
            answers = run_graph(layer, values, lambda part: _with_visits(part, visit))
            flat = keras.tree.flatten(answers)
            return flat[0] if len(flat) == 1 else answers

        return graph
    more = {"training": False} if takes_training(layer) else {}
    return lambda *inputs, **kwargs: visit(layer, inputs, layer(*inputs, **{**kwargs, **more}))


def _find(model: keras.Model, image: Any, name: str | None) -> tuple[Any, Any]:
    """Return the layer whose maps are weighted and the last layer, from one run."""
    visited: list[tuple[Any, tuple[int, ...]]] = []

    def visit(part: Any, inputs: tuple[Any, ...], output: Any) -> Any:  # noqa: ARG001 - a `Visit`
        visited.append((part, tuple(getattr(output, "shape", ()))))
        return output

    _with_visits(model, visit)(image)
    last, shape = visited[-1]
    if len(shape) != 2:
        raise InputError(
            _(
                "{model_name!r} answers with shape {value}; Grad-CAM needs one score for each class, "
                "(None, n_classes). Give a whole classifier, its head included.",
                model_name=model.name,
                value=(None, *shape[1:]),
            )
        )
    if name is not None:
        return _layer_named(visited, name, model), last
    convolutions = [i for i, (part, _) in enumerate(visited) if isinstance(part, CONVOLUTIONS)]
    if not convolutions:
        raise InputError(
            _(
                "{model_name!r} has no convolution that Grad-CAM can find, so there are no maps to "
                "weight. Give a network with Conv2D layers, as a Sequential or functional model.",
                model_name=model.name,
            )
        )
    # Take the last part after it whose output is still a set of maps of the same size, such as an activation.
    size = visited[convolutions[-1]][1][:3]
    return [part for part, shape in visited[convolutions[-1] :] if len(shape) == 4 and shape[:3] == size][-1], last


def _layer_named(visited: Sequence[tuple[Any, tuple[int, ...]]], name: str, model: keras.Model) -> Any:
    maps = [part for part, shape in visited if len(shape) == 4]
    matches = list({id(part): part for part in maps if part.name == name}.values())
    if len(matches) != 1:
        names = ", ".join(part.name for part in maps[-6:])
        problem = _("has {n_matches} layers", n_matches=len(matches)) if matches else _("has no layer")
        raise InputError(
            _(
                "{model!r} {problem} with maps, (None, rows, columns, channels), named {name}. "
                "Its last ones are {names}.",
                model=model.name,
                problem=problem,
                name=shown(name),
                names=names or _("none at all"),
            )
        )
    return matches[0]


def _score(part: Any, values: Any, output: Any) -> Any:
    """Return the scores before softmax or sigmoid, (n, n_units).

    After the softmax, raising one class could not be distinguished from lowering the others.
    """
    activation = getattr(part, "activation", None)
    is_squashed = activation in (keras.activations.softmax, keras.activations.sigmoid)
    if isinstance(part, keras.layers.Dense) and is_squashed:
        scores = tf.matmul(values, tf.convert_to_tensor(part.kernel))
        return scores + tf.convert_to_tensor(part.bias) if part.use_bias else scores
    is_alone = isinstance(part, keras.layers.Softmax) or (isinstance(part, keras.layers.Activation) and is_squashed)
    return values if is_alone else output


def _chosen(scores: Any, classes: Sequence[int] | None, n: int) -> Any:
    """Return the sum of the images' class scores, whose gradients do not mix."""
    if scores.shape[1] == 1:
        scores = tf.concat([-scores, scores], axis=1)
    n_classes = int(scores.shape[1])
    if classes is None:
        classes = np.asarray(scores).argmax(axis=1).tolist()
    for label in classes:
        Whole(0, n_classes - 1).check("class_index", label)
    return tf.reduce_sum(tf.gather_nd(scores, list(zip(range(n), map(int, classes), strict=True))))


def _places(maps: NDArray[np.float64], gradients: NDArray[np.float64], layer: str) -> Places:
    """Return the heat map of one image; both arrays are (rows, columns, channels)."""
    weights = gradients.mean(axis=(0, 1))
    values = np.maximum(maps @ weights, 0)
    most, whole = float(values.max()), float((np.abs(maps) @ np.abs(weights)).max())
    flat = ""
    if values.size == 1:
        flat = _("its maps have only one place; larger images would give more")
    elif whole == 0:
        flat = _("the score does not depend on any place, because all units on the way answer 0 to this image")
    elif most <= _SMALL * whole:
        flat = _("no place raises the score of this class")
    elif most - float(values.min()) <= _SAME * most:
        flat = _("all places raise the score of this class equally")
    return Places((np.zeros_like(values) if flat else values / most).astype(np.float32), flat, layer)
