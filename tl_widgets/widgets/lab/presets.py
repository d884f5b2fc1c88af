"""Presets: settings that show something worth seeing, each one click away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tl_widgets.core.config import ScratchSpec
from tl_widgets.core.html import Markup, join
from tl_widgets.core.settings import flat_values
from tl_widgets.core.translation import _, within_sentence
from tl_widgets.widgets.shared.picture import Picture
from tl_widgets.widgets.shared.settings import LabSettings


@dataclass(frozen=True)
class Preset:
    """Settings of a Lab under a name.

    Attributes:
        title: text of its button.
        help: what it shows, as a sentence without a period.
        values: settings that differ from the defaults, by name. Without "dataset" the learner's choice stays.
    """

    title: str
    help: str
    values: Mapping[str, Any]

    def settings(self, current: LabSettings) -> LabSettings:
        """Return the preset's settings; `current` gives the images if the preset has none of its own."""
        kept: dict[str, Any] = {}
        if "dataset" not in self.values:
            kept = {"dataset": current.dataset, "classes": current.classes, "image_size": current.image_size}
        return LabSettings().with_values({**kept, **self.values})


PRESETS = (
    Preset(
        _("Few images"), _("Five training images of each class: what can be learned from so few"), {"n_per_class": 5}
    ),
    Preset(_("Plenty"), _("All training images of the data set"), {"n_per_class": None}),
    Preset(
        _("Not photographs"),
        _("Handwritten digits, which look like nothing that the backbone has learned from"),
        {"dataset": "digits", "n_per_class": 20, "image_size": 64},
    ),
    Preset(
        _("Six-unit bottleneck"),
        _("The network of the article that tl_widgets began with: only six units before its last layer"),
        flat_values(ScratchSpec(dense_units=6)),
    ),
)


class PresetBar(Picture):
    """The presets as a toolbar: one Tab stop, in which the arrow keys move.

    Args:
        presets: in their order.
        choose: called with the preset that is pressed.
    """

    def __init__(self, presets: Sequence[Preset], choose: Callable[[Preset], None]) -> None:
        super().__init__()
        self._presets = {preset.title: preset for preset in presets}
        self.add_class("tlw-presets")
        self.on_click(lambda title: choose(self._presets[title]))
        self.show_enabled(True)

    def show_enabled(self, enabled: bool) -> None:
        """Show whether a preset can be chosen now."""
        buttons = [
            Markup('<button type="button" data-click="{}" title="{}." aria-disabled="{}">{}</button>').format(
                preset.title, preset.help, str(not enabled).lower(), preset.title
            )
            for preset in self._presets.values()
        ]
        self.markup = Markup(
            _(
                '<div data-roam tabindex="0" role="toolbar" aria-label="Settings to '
                'try"><span>Try:</span>{buttons}</div>'
            )
        ).format(buttons=join(buttons))


def preset_hint(preset: Preset, dataset: str) -> str:
    """Return what a preset has changed, and what to do next."""
    what = within_sentence(preset.help)
    return _("{preset}, with {dataset}: {what}. Press “Train both”.", preset=preset.title, dataset=dataset, what=what)
