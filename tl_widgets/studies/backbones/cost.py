"""The cost of running a frozen backbone; it needs no pretrained weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.backbones.family import Backbone
from tl_widgets.backbones.memory import memory_estimate
from tl_widgets.backbones.weights import resolve_weights
from tl_widgets.core.events import Cancel, Event, OnEvent, ignore, raise_if_cancelled
from tl_widgets.core.lazy_tensorflow import import_tensorflow
from tl_widgets.core.resources import PeakMemory, require_memory
from tl_widgets.core.settings import Whole
from tl_widgets.studies.backbones.result import BackboneCost

if TYPE_CHECKING:
    from tl_widgets.training.features import FrozenPart

_LARGEST_SIDE = 1024


def backbone_cost(
    backbone: str, *, image_size: int = 96, on_event: OnEvent = ignore, cancel: Cancel | None = None
) -> BackboneCost:
    """Measure the milliseconds and memory of a backbone, with random weights.

    Args:
        backbone: a name in the catalogue (`list_backbones`).
        image_size: side of the images in pixels, at least the backbone's minimum.
        on_event: receives an event when TensorFlow starts and when the backbone is built.
        cancel: set from any thread, it stops the measurement between two batches.

    Returns:
        The measured milliseconds and memory, and the sizes of the backbone.

    Raises:
        InputError: no backbone has this name, or it does not fit the image size or the memory.
        CancelledError: the measurement was stopped.
    """
    entry = find_backbone(backbone)
    Whole(entry.min_input or 1, _LARGEST_SIDE).check("image_size", image_size)
    require_memory(
        memory_estimate(entry, image_size),
        f"Running {entry.name} on images of {image_size} pixels",
        "Use smaller images or a smaller backbone",
    )
    import_tensorflow(on_event)
    raise_if_cancelled(cancel)
    from tl_widgets.models.builders import frozen_layers, stack_head

    on_event(Event("load", f"building {entry.name} for images of {image_size} pixels", model=entry.name))
    with PeakMemory() as memory:
        shape = (image_size, image_size, 3)
        layers = frozen_layers(entry, shape, resolve_weights(entry, None))
        stack_head(layers, shape, 2)  # connects the layers; the head costs next to nothing and is not timed
        return measure_cost(entry, image_size, layers, None, memory, cancel=cancel)


def measure_cost(
    entry: Backbone,
    image_size: int,
    layers: tuple[Any, ...],
    frozen: FrozenPart | None,
    memory: PeakMemory,
    *,
    alone: bool = True,
    cancel: Cancel | None = None,
) -> BackboneCost:
    """Measure the cost of built `frozen_layers`, on images of `image_size` pixels.

    `frozen` is the same layers as one function, if it exists already. `memory` must have been measuring since before
    the layers were built. `alone` says that nothing else of the study runs at the same time.
    """
    from tl_widgets.models.builders import count_parameters
    from tl_widgets.training.features import FrozenPart

    part = frozen or FrozenPart(layers, (image_size, image_size, 3))
    seconds = part.seconds_per_image(cancel=cancel)
    return BackboneCost(
        name=entry.name,
        image_size=image_size,
        n_params=sum(count_parameters(layer).total for layer in layers if layer.weights),
        feature_width=part.output_shape[-1],
        ms_per_image=1000 * seconds,
        memory_estimate=memory_estimate(entry, image_size),
        memory_peak=memory.n_bytes,
        alone=alone,
    )
