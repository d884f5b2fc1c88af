"""The catalogue of backbones. Loads neither Keras nor TensorFlow.

`register_family` adds your own backbones; tests/tiny.py has a small example.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection

from tl_widgets.backbones.efficientnet_lite import EfficientNetLiteFamily
from tl_widgets.backbones.families import keras_families, members_of
from tl_widgets.backbones.family import Backbone, Family
from tl_widgets.backbones.squeezenet import SqueezeNetFamily
from tl_widgets.core.arguments import checked
from tl_widgets.core.errors import InputError
from tl_widgets.core.text import any_of
from tl_widgets.core.translation import _

__all__ = ["Backbone", "find_backbone", "list_backbones", "register_family", "require_backbone", "unregister_family"]

_families: list[Family] = [
    EfficientNetLiteFamily(members=members_of("efficientnet_lite")),
    SqueezeNetFamily(members=members_of("squeezenet")),
    *keras_families(),
]


def register_family(family: Family) -> None:
    """Add the backbones of a family to the catalogue of this process."""
    taken = {backbone.name.lower() for backbone in list_backbones()}
    for member in family.members:
        if member.name.lower() in taken:
            raise InputError(
                _(
                    "The catalogue already has a backbone {member_name}. Give yours another name.",
                    member_name=member.name,
                )
            )
    _families.append(family)


def unregister_family(family: Family) -> None:
    """Remove a family from the catalogue if it is there."""
    if family in _families:
        _families.remove(family)


def list_backbones() -> tuple[Backbone, ...]:
    """Return all backbones of the catalogue.

    Returns:
        The bundled backbones, those of keras.applications in Keras's order, then registered ones.
    """
    return tuple(member for family in _families for member in family.members)


@checked
def find_backbone(name: str) -> Backbone:
    """Return the backbone with this name.

    Args:
        name: A name in the catalogue, such as "MobileNetV2", in upper or lower case.

    Returns:
        The catalogue's entry.

    Raises:
        InputError: No backbone has this name; the message suggests the nearest ones.
    """
    by_name = {backbone.name.lower(): backbone for backbone in list_backbones()}
    if name.lower() in by_name:
        return by_name[name.lower()]
    near = difflib.get_close_matches(name.lower(), by_name, n=3, cutoff=0.4)
    hint = _("Did you mean {near}? ", near=any_of(by_name[key].name for key in near)) if near else ""
    raise InputError(
        _(
            'There is no backbone "{name:.200}". {hint}`tl-widgets backbones` lists all {n_by_name}.',
            name=name,
            hint=hint,
            n_by_name=len(by_name),
        )
    )


def recognize_family(model_name: str, layer_names: Collection[str]) -> Family | None:
    """Return the family that a Keras model belongs to, or None if it's unknown.

    `model_name` is "" if the layers are part of a larger model.
    """
    for family in _families:
        if model_name.lower() in {member.name.lower() for member in family.members}:
            return family
    # VGG19 has every layer of VGG16.
    return next((family for family in reversed(_families) if family.marker in layer_names), None)


_FAR_BELOW = 3  # times smaller than the images of the pretraining


def size_note(name: str, image_size: int) -> str:
    """Return a sentence if images are far smaller than those a backbone was pretrained on; otherwise ""."""
    try:
        backbone = find_backbone(name)
    except InputError:  # a record from another version may name one that isn't known here
        return ""
    native = backbone.default_input or 224
    if _FAR_BELOW * image_size > native:
        return ""
    return _(
        "The images have {image_size} pixels a side, and {backbone_name} was pretrained on {native}: "
        "its features are worth less here than with larger images.",
        image_size=image_size,
        backbone_name=backbone.name,
        native=native,
    )


def require_backbone(name: str, image_size: int) -> Backbone:
    """Return the backbone with this name if it accepts images of this size."""
    backbone = find_backbone(name)
    backbone.require_size(image_size)
    return backbone
