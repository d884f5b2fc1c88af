"""Stage: both networks, or the fields that shape them, beside the race of their curves."""

from __future__ import annotations

from ipywidgets import HBox, ToggleButton, VBox

from tl_widgets.core.html import Markup
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.translation import _
from tl_widgets.export.networks import Networks, networks_of
from tl_widgets.widgets.lab.panel import ControlPanel
from tl_widgets.widgets.lab.race import RaceView
from tl_widgets.widgets.shared.picture import Picture
from tl_widgets.widgets.shared.settings import LabSettings
from tl_widgets.widgets.shared.source import DataSource

_NETWORKS_SIZE = 310, 300  # CSS pixels
_LAYER_SIZE = 300, 104  # CSS pixels
_OF_TRANSFER = ("backbone", "average", "head")  # parts of the transfer model; others are of the network from scratch


class Stage(HBox):
    """The networks on the left, the curves on the right; "More" opens the other controls over the networks.

    A click on a layer opens only its fields, below its network.

    Attributes:
        more_button: opens and closes the other controls.
        curves: the race.
    """

    def __init__(self, panel: ControlPanel, source: DataSource) -> None:
        self._panel, self._source = panel, source
        self._settings = panel.settings
        self._is_unfolded = False  # on a narrow page, where the networks are folded into a button
        self.networks, self.curves = Picture(), RaceView()
        self.networks.on_click(self._open_layer)
        self.more_button = ToggleButton(False, description=_("More"), tooltip=_("All other controls"))
        self._layer: tuple[ModelName, str] | None = None  # the one whose fields are open
        self.layer = Picture()
        self.layer.on_click(self._open_layer)
        self.layer.add_class("tlw-layer")
        self.drawer = VBox([self.layer, panel])
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
        # The button is there on a narrow page only: see layout.css.
        self.networks.markup = Markup(
            '<div class="tlw-drawings">{}</div><div class="tlw-fold"><button type="button" data-click="fold" '
            'aria-expanded="{}">{}</button></div>'
        ).format(
            drawing.markup(*_NETWORKS_SIZE, interactive=True),
            str(self._is_unfolded).lower(),
            _("Back to the curves") if self._is_unfolded else _("Draw networks"),
        )
        self._draw_layer(drawing)

    def _draw_layer(self, drawing: Networks) -> None:
        """Show the layer whose fields are open, or all fields if there is no such layer."""
        markup = text = ""
        if self._layer is not None:
            markup, text = drawing.layer(*self._layer, *_LAYER_SIZE)
        if not text:
            self._layer = None
        self._panel.show_layer(self._layer[1] if self._layer else "")
        self.layer.layout.display = "" if text else "none"
        self.layer.markup = (
            Markup(
                _('{markup}<p role="status">{text}. <button type="button" data-click="all">All settings</button></p>')
            ).format(markup=markup, text=text)
            if text
            else ""
        )

    def _open_layer(self, key: str) -> None:
        """Open the fields that shape a layer that was clicked, or unfold the networks."""
        if key == "fold":
            self._is_unfolded = not self._is_unfolded
        elif key == "all":
            self._layer = None
        else:
            model = ModelName.TRANSFER if key in _OF_TRANSFER else ModelName.SCRATCH
            self._layer = model, key
            of_model = "Transfer" if model == ModelName.TRANSFER else "From scratch"
            self._panel.show_group("Data" if key == "input" else of_model)
            self.more_button.value = True
        self.show_settings(self._settings)

    def _show_drawer(self, is_open: bool) -> None:
        (self.add_class if is_open else self.remove_class)("tlw-open")
        self.drawer.layout.display, self.networks.layout.display = ("", "none") if is_open else ("none", "")
        if not is_open and self._layer is not None:
            self._layer = None
            self.show_settings(self._settings)
