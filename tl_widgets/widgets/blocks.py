"""The fields of the network from scratch that come and go: one row for each block of Conv2D and pooling."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from ipywidgets import HBox, VBox, Widget

from tl_widgets.widgets.controls import MAX_BLOCKS, whole

_MAX_FILTERS, _MAX_KERNEL = 1024, 15


class BlockFields(VBox):
    """How many blocks, and for each its number of filters and the side of its kernel.

    Args:
        show: which of "blocks", "filters", "kernel_sizes" are shown.
        on_change: hears the changed settings, `{"filters": ..., "kernel_sizes": ...}`.
    """

    def __init__(self, show: Collection[str], on_change: Callable[[dict[str, Any]], None]) -> None:
        self._on_change = on_change
        self._is_setting = False
        self.blocks = whole("Blocks", "A block is a Conv2D and its pooling", 1, MAX_BLOCKS)
        self.filters = [
            whole(f"Filters {i}", f"Patterns that block {i} looks for", 1, _MAX_FILTERS, 8) for i in range(1, MAX_BLOCKS + 1)
        ]
        self.kernels = [
            whole(f"Kernel size {i}", f"Side of block {i}'s patterns in pixels", 1, _MAX_KERNEL, 2)
            for i in range(1, MAX_BLOCKS + 1)
        ]
        self._rows = []
        for pair in zip(self.filters, self.kernels, strict=True):
            shown = [each for each, name in zip(pair, ("filters", "kernel_sizes"), strict=True) if name in show]
            row = HBox(shown)
            row.add_class("tlw-pair")
            self._rows.append(row)
        self._first = [self.blocks] if "blocks" in show else []
        self._has_rows = bool({"filters", "kernel_sizes"} & set(show))
        super().__init__()
        for field in self.fields():
            field.observe(self._changed, "value")

    def fields(self, name: str = "") -> list[Widget]:
        """All fields, or those of one setting."""
        by_name = {"blocks": [self.blocks], "filters": self.filters, "kernel_sizes": self.kernels}
        return by_name[name] if name else [field for some in by_name.values() for field in some]

    def set(self, filters: tuple[int, ...], kernel_sizes: tuple[int, ...]) -> None:
        """Show a network."""
        self._is_setting = True
        self.blocks.value = len(filters)
        for field, value in zip(self.filters, filters, strict=False):
            field.value = value
        for field, value in zip(self.kernels, kernel_sizes, strict=False):
            field.value = value
        self._is_setting = False
        rows = self._rows[: len(filters)] if self._has_rows else []
        self.children = (*self._first, *rows)

    def _changed(self, change: dict[str, Any]) -> None:
        if self._is_setting:
            return
        n, n_before = self.blocks.value, change["old"] if change["owner"] is self.blocks else self.blocks.value
        filters = [field.value for field in self.filters[: min(n, n_before)]]
        kernels = [field.value for field in self.kernels[: min(n, n_before)]]
        while len(filters) < n:  # a new block looks for twice as many patterns, as networks usually do
            filters.append(min(2 * filters[-1], 512))
            kernels.append(3)
        self.set(tuple(filters), tuple(kernels))
        self._on_change({"filters": tuple(filters), "kernel_sizes": tuple(kernels)})
