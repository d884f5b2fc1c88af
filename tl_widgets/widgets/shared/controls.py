"""The controls: one labelled field for each setting, which a keyboard and a screen reader can use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ipywidgets import BoundedFloatText, BoundedIntText, Checkbox, Dropdown, Widget

from tl_widgets.core.config import MAX_IMAGE_SIZE, MIN_IMAGE_SIZE

MAX_BLOCKS = 6
# Lab gives sliders no name that a screen reader could say, so every control is a field or a menu with a label.
_STYLE = {"description_width": "initial"}
_WIDE = 10_000_000  # for counts whose limit is memory, which the core checks


@dataclass(frozen=True)
class Control:
    """One control.

    Attributes:
        name: of the setting; of "blocks", "filters" and "kernel_sizes" the `BlockFields` take care, of
            "classes" the `ClassFields`.
        group: which group it stands in.
        build: makes its widget.
        live: whether Live mode follows it: it changes the transfer model's head only.
    """

    name: str
    group: str
    build: Callable[[], Widget] | None
    live: bool = False


def whole(label: str, tip: str, low: int, high: int, step: int = 1) -> Widget:
    """A field for a whole number."""
    return BoundedIntText(low, min=low, max=high, step=step, description=label, tooltip=tip, style=_STYLE)


def _share(label: str, tip: str) -> Widget:
    return BoundedFloatText(0.0, min=0.0, max=0.95, step=0.05, description=label, tooltip=tip, style=_STYLE)


def choice(label: str, tip: str, options: list[tuple[str, Any]]) -> Widget:
    """A menu."""
    return Dropdown(options=options, description=label, tooltip=tip, style=_STYLE)


def _tick(label: str, tip: str) -> Widget:
    return Checkbox(False, description=label, tooltip=tip, indent=False, style=_STYLE)


CONTROLS = (
    Control(
        "dataset",
        "Data",
        lambda: choice("Dataset", "Which images", []),
    ),
    Control("classes", "Data", None),
    Control(
        "image_size",
        "Data",
        lambda: whole("Image size", "Side of the square images in pixels", MIN_IMAGE_SIZE, MAX_IMAGE_SIZE, 16),
    ),
    Control(
        "n_per_class", "Data", lambda: whole("Images per class", "Training images of each class", 1, _WIDE), live=True
    ),
    Control("blocks", "From scratch", None),
    Control("filters", "From scratch", None),
    Control("kernel_sizes", "From scratch", None),
    Control(
        "pooling",
        "From scratch",
        lambda: choice(
            "Pooling",
            "After each Conv2D, 2 x 2 pixels become one",
            [("maximum", "max"), ("average", "average"), ("none", "none")],
        ),
    ),
    Control(
        "head",
        "From scratch",
        lambda: choice(
            "Maps to vector",
            "What turns the last maps into a list of numbers",
            [("flatten", "flatten"), ("global average", "global_average")],
        ),
    ),
    Control(
        "dense_units",
        "From scratch",
        lambda: whole("Dense units", "Units of the hidden Dense layer; 0 for none", 0, 4096, 8),
    ),
    Control(
        "dropout",
        "From scratch",
        lambda: _share("Dropout", "Share of numbers left out at each step before the last layer"),
    ),
    Control(
        "backbone",
        "Transfer",
        lambda: choice("Backbone", "Which pretrained network: accuracy on ImageNet, size, memory", []),
    ),
    Control(
        "weights",
        "Transfer",
        lambda: choice(
            "Weights", "What the backbone knows", [("ImageNet", "imagenet"), ("random: knows nothing", None)]
        ),
    ),
    Control(
        "head_dropout",
        "Transfer",
        lambda: _share("Head dropout", "Share of features left out at each step before the last layer"),
        live=True,
    ),
    Control(
        "augment",
        "Transfer",
        lambda: whole("Augmentation", "Changed copies of each training image, for both models", 0, 10),
    ),
    Control(
        "control",
        "Transfer",
        lambda: _tick("Control arm (random weights)", "Trains the same backbone without its pretraining, too"),
    ),
    Control(
        "fine_tune_blocks",
        "Transfer",
        lambda: whole("Fine-tune last blocks", "How many of the backbone's last blocks learn, too; 0 for none", 0, 100),
    ),
    Control("epochs", "Training", lambda: whole("Epochs", "Passes over the training images", 1, 10_000), live=True),
    Control("batch_size", "Training", lambda: whole("Batch size", "Images for each step", 1, 4096, 8)),
    Control(
        "learning_rate",
        "Training",
        lambda: choice(
            "Learning rate",
            "How far each step goes",
            [(f"{rate:g}", rate) for rate in (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1)],
        ),
        live=True,
    ),
    Control(
        "seed",
        "Training",
        lambda: whole("Seed", "Decides the initial weights and the order of the images", 0, 2**31 - 1),
        live=True,
    ),
    Control(
        "repeats",
        "Training",
        lambda: whole("Repeats", "How many seeds, from this one on; the verdict is over all of them", 1, 100),
    ),
)
LIVE = frozenset(control.name for control in CONTROLS if control.live)
NAMES = tuple(control.name for control in CONTROLS)


def set_number(field: Widget, value: float) -> None:
    """Show a number in a field, widening its limits where the number lies beyond them: code may go further.

    Args:
        field: a BoundedIntText or BoundedFloatText.
        value: what to show.
    """
    if value > field.max:
        field.max = value
    if value < field.min:
        field.min = value
    field.value = value


def show_per_class(field: Widget, n_per_class: int | None, most: int, *, is_unequal: bool) -> None:
    """Show how many training images of each class are used.

    All is the largest number where every class has as many. Of unequal classes no number says it: 0 does, and the
    label tells.

    Args:
        field: a BoundedIntText.
        n_per_class: how many; None for all.
        most: training images of the scarcest class.
        is_unequal: whether other classes have more.
    """
    field.description = "Images per class (0: all)" if is_unequal else "Images per class"
    field.max = most
    field.min = 0 if is_unequal else 1
    field.value = n_per_class if n_per_class is not None else 0 if is_unequal else most


def read_per_class(field: Widget, shown: int) -> int | None:
    """How many images of each class the field asks for; None for all, whatever data set is chosen next.

    Args:
        field: that `show_per_class` has set.
        shown: what it shows.
    """
    is_unequal = field.min == 0
    return None if shown == 0 or (shown >= field.max and not is_unequal) else shown


def set_options(menu: Widget, options: Sequence[tuple[str, Any]]) -> None:
    """Give a menu other texts, where they are other ones; what is chosen in it must be set again.

    Args:
        menu: a Dropdown.
        options: (text, value) of each line.
    """
    if tuple(menu.options) != tuple(options):
        menu.options = options


def set_choice(menu: Widget, value: Any, text: str = "") -> None:
    """Choose a value in a menu, adding it where it is none of the usual ones.

    Args:
        menu: a Dropdown.
        value: what to choose.
        text: what to call it if it must be added.
    """
    if value not in [option for _, option in menu.options]:
        menu.options = [*menu.options, (text or str(value), value)]
    place = [option for _, option in menu.options].index(value)
    if menu.index != place:
        menu.index = place
    if menu.index != place:  # a value of None means "nothing chosen" to ipywidgets, which then shows an empty menu
        menu.index = place
