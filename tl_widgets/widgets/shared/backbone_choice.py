"""The backbone menu, and the question before choosing a backbone that doesn't fit into memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ipywidgets import HTML, Button, VBox

from tl_widgets.backbones.catalogue import find_backbone, list_backbones
from tl_widgets.backbones.family import Backbone, memory_needed
from tl_widgets.core.config import MIN_IMAGE_SIZE
from tl_widgets.core.numbers import percent
from tl_widgets.core.resources import memory_available
from tl_widgets.core.translation import _
from tl_widgets.widgets.shared.costs import has_local_weights, too_large
from tl_widgets.widgets.shared.fields import NumberField, row
from tl_widgets.widgets.shared.html import alert, note
from tl_widgets.widgets.shared.settings import LabSettings

_COMMON_MIN = 32  # pixels; no backbone accepts smaller images, so this limit needs no explanation


def backbone_menu(image_size: int) -> tuple[tuple[str, str], ...]:
    """Return the menu of backbones as (text, name), those with weights on this machine first."""
    free = memory_available()
    backbones = sorted(list_backbones(), key=lambda backbone: not has_local_weights(backbone))
    return tuple((_text(backbone, image_size, free), backbone.name) for backbone in backbones)


def _text(backbone: Backbone, image_size: int, free: int) -> str:
    # Short enough for the narrow menu: the line above it says more about the chosen one.
    facts = [backbone.name]
    if backbone.top1_pct:
        facts.append(percent(backbone.top1_pct / 100))
    if free and memory_needed(backbone, image_size) > free:
        facts.append(_("doesn't fit"))
    elif not has_local_weights(backbone):
        facts.append(
            _("get {download_mb:.0f} MB", download_mb=backbone.download_mb)
            if backbone.download_mb
            else _("to download")
        )
    elif backbone.download_mb:
        facts.append(f"{backbone.download_mb:.0f} MB")
    return " · ".join(facts)


def smallest_size(name: str) -> int:
    """Return the smallest image side in pixels that both the backbone and the Lab accept."""
    return max(MIN_IMAGE_SIZE, find_backbone(name).min_input or 0)


class BackboneChoice:
    """Choose a backbone, ask first if it doesn't fit into memory, and raise the image size if it needs that.

    Attributes:
        question: hidden until a backbone is chosen that doesn't fit.
        note: explains the lower limit of the image size.
    """

    def __init__(self) -> None:
        self._sentence, self._yes, self._no = HTML(), Button(), Button()
        self.question, self.note = VBox([self._sentence, row(self._yes, self._no)]), HTML()
        self._on_yes: Callable[[], None] | None = None
        self._previous_size: int | None = None
        self._yes.on_click(lambda _: self._answer(self._on_yes))
        self._no.on_click(lambda _: self._answer(None))
        self.close_question()

    def choose(
        self, name: str, settings: LabSettings, can_resize: bool, apply: Callable[[dict[str, Any]], None]
    ) -> None:
        """Choose a backbone, after a question if it doesn't fit, and enlarge images that are too small for it.

        `apply` receives the settings to change, by name, once the user has agreed.
        """
        values: dict[str, Any] = {"backbone": name}
        if settings.config.cut is not None:  # another backbone has other blocks
            values["cut"] = None
        size, smallest = settings.image_size, smallest_size(name)
        is_too_small = can_resize and size < smallest
        if is_too_small:
            values["image_size"] = smallest

        def apply_choice() -> None:
            self._previous_size = size if is_too_small else None
            apply(values)

        sentence = too_large(name, values.get("image_size", size))
        if not sentence:
            apply_choice()
            return
        more = _("Choose it anyway, to look at its parameters or to choose smaller images next?")
        self._sentence.value = alert(f"{sentence} {more}")
        self._yes.description, self._no.description = (
            _("Choose {name}", name=name),
            _("Keep {backbone}", backbone=settings.config.backbone),
        )
        self._on_yes = apply_choice
        self.question.layout.display = ""

    def close_question(self) -> None:
        """Hide the question."""
        self._on_yes = None
        self._sentence.value = ""
        self.question.layout.display = "none"

    def _answer(self, action: Callable[[], None] | None) -> None:
        self.close_question()
        if action is not None:
            action()

    def show_limit(self, field: NumberField, settings: LabSettings) -> None:
        """Set the image size field's lower limit (its number must then be set again), and explain the limit."""
        name, size = settings.config.backbone, settings.image_size
        smallest = smallest_size(name)
        field.require_at_least(
            smallest, _("{name} needs images of at least {smallest} pixels", name=name, smallest=smallest)
        )
        text = ""
        was_raised = size == smallest and self._previous_size is not None
        if smallest > _COMMON_MIN or was_raised:
            text = _("{name} needs images of at least {smallest} pixels", name=name, smallest=smallest)
            text += (
                _(", so the size went up from {previous_size}", previous_size=self._previous_size) if was_raised else ""
            )
        self.note.value = note(f"{text}." if text else "")
        self.note.layout.display = "" if text else "none"
