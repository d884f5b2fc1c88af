"""BlockFields: the fields of the network from scratch, with a row for each block of Conv2D and pooling."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from ipywidgets import HBox, VBox, Widget

from tl_widgets.core.config import ScratchSpec
from tl_widgets.core.settings import Setting, Several, Whole, settings_of
from tl_widgets.core.translation import _
from tl_widgets.widgets.shared.fields import FieldUpdate, number_widget, set_number

_SETTINGS = settings_of(ScratchSpec)
_Values = dict[str, tuple[int, ...]]


class BlockFields(VBox):
    """The number of blocks, and for each block its number of filters and kernel size.

    Args:
        show: which of "blocks", "filters", "kernel_sizes" have fields; other names are ignored.
        on_change: receives the changed settings, `{"filters": ..., "kernel_sizes": ...}`.
    """

    def __init__(self, show: Collection[str], on_change: Callable[[_Values], None]) -> None:
        self._on_change = on_change
        self._field_update = FieldUpdate()
        self._values: _Values = {"filters": (), "kernel_sizes": ()}
        self._only: int | None = None
        self.fields = {name: _widgets(name) for name in ("blocks", "filters", "kernel_sizes") if name in show}
        per_block = [self.fields[name] for name in ("filters", "kernel_sizes") if name in self.fields]
        self._rows = [HBox(pair) for pair in zip(*per_block, strict=True)]
        super().__init__([*self.fields.get("blocks", []), *self._rows])
        for row in self._rows:
            row.add_class("tlw-pair")
        for name, fields in self.fields.items():
            for i, field in enumerate(fields):
                field.observe(lambda change, name=name, i=i: self._changed(name, i, change["new"]), "value")

    def show_values(self, filters: tuple[int, ...], kernel_sizes: tuple[int, ...]) -> None:
        """Show the blocks of a network."""
        self._values = {"filters": filters, "kernel_sizes": kernel_sizes}
        with self._field_update:
            for field in self.fields.get("blocks", ()):
                set_number(field, len(filters))
            for name, values in self._values.items():
                for field, value in zip(self.fields.get(name, ()), values, strict=False):
                    set_number(field, value)
        self.show_only(self._only)

    def show_only(self, block: int | None) -> None:
        """Show the fields of one block, counted from 0; None shows all fields."""
        self._only = block
        for field in self.fields.get("blocks", ()):
            field.layout.display = "" if block is None else "none"
        for i, row in enumerate(self._rows):
            row.layout.display = "" if i < len(self._values["filters"]) and block in (None, i) else "none"

    def _changed(self, name: str, i: int, value: int) -> None:
        if self._field_update.is_active:
            return
        filters, kernels = list(self._values["filters"]), list(self._values["kernel_sizes"])
        if name == "blocks":
            filters, kernels = filters[:value], kernels[:value]
            while len(filters) < value:  # a new block has twice as many filters, as is common
                filters.append(min(2 * filters[-1], 512))
                kernels.append(3)
        else:
            {"filters": filters, "kernel_sizes": kernels}[name][i] = value
        self._on_change({"filters": tuple(filters), "kernel_sizes": tuple(kernels)})


def _widgets(name: str) -> list[Widget]:
    """Return the field for the number of blocks, or a field for each possible block."""
    filters = _SETTINGS["filters"].kind
    assert isinstance(filters, Several)
    assert filters.max_values is not None
    if name == "blocks":
        how_many = Whole(1, filters.max_values)
        return [number_widget(Setting(name, 1, how_many, _("Blocks"), _("A block is a Conv2D and its pooling")))]
    setting = _SETTINGS[name]
    labels = [(f"{setting.label} {i}", setting.help.format(i)) for i in range(1, filters.max_values + 1)]
    return [number_widget(replace(setting, label=label, help=text)) for label, text in labels]
