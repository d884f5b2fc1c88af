"""Tables to play with: the parameters of a network, and all backbones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ipywidgets import HTML, Checkbox, Dropdown, HBox

from tl_widgets.backbones.catalogue import list_backbones
from tl_widgets.backbones.family import Backbone
from tl_widgets.core.config import Config, ScratchSpec
from tl_widgets.core.errors import InputError
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import count_text, percent
from tl_widgets.core.translation import _
from tl_widgets.records.parameters import LayerRow, ParameterCount, count_rows, scratch_ledger
from tl_widgets.teaching.box import PlainBox
from tl_widgets.widgets.lab.panel import ControlPanel
from tl_widgets.widgets.shared.html import style, table
from tl_widgets.widgets.shared.settings import LabSettings
from tl_widgets.widgets.shared.views import LedgerView, ledger_table

_ORDERS: dict[str, tuple[Callable[[Backbone], Any], bool]] = {
    _("accuracy, best first"): (lambda backbone: backbone.top1_pct or 0.0, True),
    _("size, smallest first"): (lambda backbone: backbone.download_mb or 1e9, False),
    _("parameters, fewest first"): (lambda backbone: backbone.n_params or 10**12, False),
    _("smallest input, smallest first"): (lambda backbone: backbone.min_input or 10**6, False),
    "name": (lambda backbone: backbone.name.lower(), False),
}


class CountPanel(PlainBox):
    """Controls of an untrained network from scratch, with its layers and parameters.

    Args:
        spec: The network that is shown first.
        image_size: The side of its images in pixels.
    """

    def __init__(self, spec: ScratchSpec | None = None, *, image_size: int = 128) -> None:
        settings = LabSettings("faces", image_size, config=Config(scratch=spec or ScratchSpec()))
        names = ["image_size", "blocks", "filters", "kernel_sizes", "pooling", "head", "dense_units"]
        self.panel = ControlPanel(settings, show=names)
        self.ledger = LedgerView([ModelName.SCRATCH])
        note = _("Controls for blocks, filters and kernel sizes, with the parameter count (needs a live notebook)")
        super().__init__([self.panel, self.ledger], note)
        self.panel.follow(self._show)

    @property
    def spec(self) -> ScratchSpec:
        """The network that the controls show."""
        return self.panel.settings.config.scratch

    @property
    def count(self) -> ParameterCount:
        """The number of its parameters, with one sigmoid unit at the end."""
        return count_rows(self._rows)

    @property
    def _rows(self) -> tuple[LayerRow, ...]:
        size = self.panel.settings.image_size
        return scratch_ledger((size, size, 3), 2, self.spec)

    def _show(self, settings: LabSettings) -> None:
        self.ledger.show_settings(settings)
        try:
            rows = self._rows
        except InputError as error:
            self.paper.show((str(error),))
            return
        layers = [f"{row.layer}: {count_text(row.n_params)}" for row in rows]
        lines = ["Parameters:", *layers, _("Total: {total}", total=count_text(count_rows(rows).total))]
        self.paper.replace(ledger_table(ModelName.SCRATCH, rows), "\n".join(lines))


class BackboneTable(PlainBox):
    """A table of all backbones, with menus that sort and filter it."""

    def __init__(self) -> None:
        wide = {"description_width": "initial"}
        self.order = Dropdown(options=list(_ORDERS), description=_("Sort by"), style=wide)
        self.only_offline = Checkbox(False, description=_("only those that are on this machine"), indent=False)
        self._table = HTML()
        for field in (self.order, self.only_offline):
            field.observe(lambda _: self._show(), "value")
        row = HBox([self.order, self.only_offline])
        row.add_class("tlw-row")
        note = _(
            "A table of {n_list_backbones} backbones to sort (needs a live notebook)",
            n_list_backbones=len(list_backbones()),
        )
        super().__init__([HTML(style()), row, self._table], note)
        self._show()

    @property
    def rows(self) -> list[Backbone]:
        """The backbones that are shown, in this order."""
        key, is_reversed = _ORDERS[self.order.value]
        shown = [backbone for backbone in list_backbones() if backbone.offline or not self.only_offline.value]
        return sorted(shown, key=key, reverse=is_reversed)

    def _show(self) -> None:
        head = [
            _("Backbone"),
            _("Weights"),
            _("Right on ImageNet"),
            _("Parameters without top"),
            _("Features"),
            _("Smallest input"),
            _("Here?"),
        ]
        rows = [
            [
                backbone.name,
                f"{backbone.download_mb:.0f} MB" if backbone.download_mb else "–",
                percent(backbone.top1_pct / 100) if backbone.top1_pct else "–",
                count_text(backbone.n_params) if backbone.n_params else "–",
                count_text(backbone.feature_width) if backbone.feature_width else "–",
                _("{min_input} px", min_input=backbone.min_input) if backbone.min_input else "–",
                _("yes") if backbone.offline else _("to download"),
            ]
            for backbone in self.rows
        ]
        caption = _("{n_rows} backbones, sorted by {order_value}", n_rows=len(rows), order_value=self.order.value)
        inner = table(caption, head, rows, numeric=(1, 2, 3, 4, 5))
        self._table.value = f'<div style="max-height:360px;overflow:auto" tabindex="0">{inner}</div>'
        self.paper.replace(inner, caption)
