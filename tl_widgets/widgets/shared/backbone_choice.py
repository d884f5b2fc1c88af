"""Which backbones can be chosen: what each costs, which would not fit, and what is asked before one of those."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ipywidgets import HTML, Button, VBox, Widget

from tl_widgets.backbones.catalogue import find_backbone, list_backbones
from tl_widgets.backbones.family import Backbone
from tl_widgets.backbones.memory import memory_estimate, memory_needed
from tl_widgets.core.config import MIN_IMAGE_SIZE
from tl_widgets.core.numbers import size_text
from tl_widgets.core.resources import memory_available
from tl_widgets.widgets.shared.costs import is_here, too_large
from tl_widgets.widgets.shared.fields import row
from tl_widgets.widgets.shared.html import alert, note
from tl_widgets.widgets.shared.settings import LabSettings

_EVERY = 32  # pixels: no backbone takes smaller images, so that needs no word


def backbone_menu(image_size: int) -> tuple[tuple[str, str], ...]:
    """The menu of backbones, (text, name); those that work at once come first.

    Args:
        image_size: side of the images in pixels, on which the memory depends.
    """
    free = memory_available()
    found = sorted(list_backbones(), key=lambda backbone: not is_here(backbone))
    return tuple((_text(backbone, image_size, free), backbone.name) for backbone in found)


def _text(backbone: Backbone, image_size: int, free: int) -> str:
    needed = memory_needed(backbone, image_size)
    fits = not free or needed <= free
    facts = [backbone.name]
    if not fits:  # early, because a narrow menu cuts the end off; with TensorFlow, as it is compared with what is free
        facts.append(f"does not fit: memory {size_text(needed)}")
    if backbone.top1_pct:
        facts.append(f"{backbone.top1_pct:.1f}%")
    if not is_here(backbone):
        facts.append(f"{backbone.download_mb:.0f} MB to download" if backbone.download_mb else "to download")
    elif backbone.size_mb:
        facts.append(f"{backbone.size_mb:.0f} MB")
    if fits:
        facts.append(f"memory {size_text(memory_estimate(backbone, image_size))}")
    return " · ".join(facts)


def smallest_size(name: str) -> int:
    """Side in pixels of the smallest images that a backbone takes, and that there are.

    Args:
        name: of the backbone.
    """
    return max(MIN_IMAGE_SIZE, find_backbone(name).min_input or 0)


class BackboneChoice:
    """What stands beside the menu of backbones and the field of the image size, and moves them.

    Attributes:
        question: asks before a backbone is chosen that does not fit; nothing is seen of it until then.
        note: says why the image size goes no lower.
    """

    def __init__(self) -> None:
        self._sentence, self._yes, self._no = HTML(), Button(), Button()
        self.question, self.note = VBox([self._sentence, row(self._yes, self._no)]), HTML()
        self._on_yes: Callable[[], None] | None = None
        self._moved_from: int | None = None
        self._yes.on_click(lambda _: self._answer(self._on_yes))
        self._no.on_click(lambda _: self._answer(None))
        self.close_question()

    def choose(
        self, name: str, settings: LabSettings, can_resize: bool, apply: Callable[[dict[str, Any]], None]
    ) -> None:
        """Take a backbone from the menu: at once if it fits, else after a question; too small images grow with it.

        Args:
            name: of the backbone.
            settings: as they are, with the backbone that stays chosen until the answer.
            can_resize: whether the image size may move.
            apply: called with the settings to change.
        """
        values: dict[str, Any] = {"backbone": name}
        size, smallest = settings.image_size, smallest_size(name)
        is_too_small = can_resize and size < smallest
        if is_too_small:
            values["image_size"] = smallest

        def go() -> None:
            self._moved_from = size if is_too_small else None
            apply(values)

        sentence = too_large(name, values.get("image_size", size))
        if not sentence:
            go()
            return
        more = "Choose it all the same, to look at its parameters or to take smaller images next?"
        self._sentence.value = alert(f"{sentence} {more}")
        self._yes.description, self._no.description = f"Choose {name}", f"Keep {settings.config.backbone}"
        self._on_yes = go
        self.question.layout.display = ""

    def close_question(self) -> None:
        """Take the question away."""
        self._on_yes = None
        self._sentence.value = ""
        self.question.layout.display = "none"

    def _answer(self, then: Callable[[], None] | None) -> None:
        self.close_question()
        if then is not None:
            then()

    def show_limit(self, field: Widget, settings: LabSettings) -> None:
        """Let the field of the image size end where the chosen backbone does, and say why.

        Args:
            field: a BoundedIntText; its number must be set again.
            settings: as they are.
        """
        name, size = settings.config.backbone, settings.image_size
        field.min = smallest = smallest_size(name)
        text = ""
        has_moved = size == smallest and self._moved_from is not None
        if smallest > _EVERY or has_moved:
            text = f"{name} needs images of at least {smallest} pixels"
            text += f", so the size went up from {self._moved_from}" if has_moved else ""
        self.note.value = note(f"{text}." if text else "")
        self.note.layout.display = "" if text else "none"
