"""Stage: both networks, or the fields that shape them, beside the race of their curves."""

from __future__ import annotations

from ipywidgets import HBox, ToggleButton, VBox

from tl_widgets.core.html import Markup
from tl_widgets.export.networks import networks_of
from tl_widgets.widgets.lab.panel import ControlPanel
from tl_widgets.widgets.lab.race import RaceView
from tl_widgets.widgets.shared.picture import Picture
from tl_widgets.widgets.shared.settings import LabSettings
from tl_widgets.widgets.shared.source import DataSource

_NETWORKS_SIZE = 310, 300  # CSS pixels
_STRIP = 330  # CSS pixels
# Where the fields of a part of the drawings are; all other parts belong to the network from scratch.
_GROUP_OF = {"input": "Data", "backbone": "Transfer", "head": "Transfer"}


class Stage(HBox):
    """The networks on the left, the curves on the right; "More" opens the other controls over the networks.

    Attributes:
        more_button: opens and closes the other controls.
        curves: the race.
    """

    def __init__(self, panel: ControlPanel, source: DataSource) -> None:
        self._panel, self._source = panel, source
        self._settings = panel.settings
        self._is_unfolded = False  # on a narrow page, where the networks are folded into a strip
        self.networks, self.curves = Picture(), RaceView()
        self.networks.on_click(self._open_layer)
        self.more_button = ToggleButton(False, description="More", tooltip="All other controls")
        self.drawer = VBox([panel])
        self.networks.add_class("tlw-networks")
        self.drawer.add_class("tlw-drawer")
        self.curves.add_class("tlw-race")
        super().__init__([self.networks, self.drawer, self.curves])
        self.add_class("tlw-stage")
        self.more_button.add_class("tlw-more")
        self.more_button.observe(lambda change: self._show_drawer(change["new"]), "value")
        self._show_drawer(False)

    def show_settings(self, settings: LabSettings) -> None:
        """Draw the networks for these settings."""
        self._settings = settings
        names = self._source.facts(settings).class_names
        drawing = networks_of(settings.image_size, names, settings.config)
        # Only one of the two is in the page: see layout.css.
        self.networks.markup = Markup(
            '<div class="tlw-drawings">{}</div><div class="tlw-fold">{}<button type="button" data-click="fold" '
            'aria-expanded="{}">{}</button></div>'
        ).format(
            drawing.markup(*_NETWORKS_SIZE, interactive=True),
            drawing.areas(_STRIP),
            str(self._is_unfolded).lower(),
            "Back to the curves" if self._is_unfolded else "Draw networks",
        )

    def _open_layer(self, key: str) -> None:
        """Open the fields that shape a layer that was clicked, or unfold the networks."""
        if key == "fold":
            self._is_unfolded = not self._is_unfolded
            self.show_settings(self._settings)
            return
        self._panel.show_group(_GROUP_OF.get(key, "From scratch"))
        self.more_button.value = True

    def _show_drawer(self, is_open: bool) -> None:
        (self.add_class if is_open else self.remove_class)("tlw-open")
        self.drawer.layout.display, self.networks.layout.display = ("", "none") if is_open else ("none", "")
