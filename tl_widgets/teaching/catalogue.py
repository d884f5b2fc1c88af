"""The catalogue of backbones as a table to sort, and as a figure of accuracy against size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ipywidgets import HTML, Checkbox, Dropdown, HBox
from matplotlib.axes import Axes

from tl_widgets.backbones.catalogue import list_backbones
from tl_widgets.backbones.family import Backbone
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import count_text
from tl_widgets.plots.style import INK, PALE, draw_grid, dress, legend_below, new_axes, note
from tl_widgets.teaching.plain import PlainBox
from tl_widgets.teaching.show import with_words
from tl_widgets.widgets.shared.html import style, table

# Where each name stands beside its point, in points and by its end, so that no two cover each other.
_NAMED = {
    "EfficientNetLite0": ((0, 10), "center"),
    "MobileNetV2": ((0, 9), "center"),
    "Xception": ((-7, 0), "right"),
    "ResNet50": ((0, -11), "center"),
    "VGG16": ((0, -11), "center"),
    "NASNetLarge": ((0, -11), "center"),
    "EfficientNetV2L": ((0, -11), "left"),
    "ConvNeXtXLarge": ((0, 8), "right"),
}
_ORDERS: dict[str, tuple[Callable[[Backbone], Any], bool]] = {
    "accuracy, best first": (lambda each: each.top1_pct or 0.0, True),
    "size, smallest first": (lambda each: each.size_mb or 1e9, False),
    "parameters, fewest first": (lambda each: each.n_params or 10**12, False),
    "smallest input, smallest first": (lambda each: each.min_input or 10**6, False),
    "name": (lambda each: each.name.lower(), False),
}


class BackboneTable(PlainBox):
    """All backbones in a table; menus sort it and leave out what would need a download."""

    def __init__(self) -> None:
        wide = {"description_width": "initial"}
        self.order = Dropdown(options=list(_ORDERS), description="Sort by", style=wide)
        self.only_offline = Checkbox(False, description="only those that are on this machine", indent=False)
        self._table = HTML()
        for field in (self.order, self.only_offline):
            field.observe(lambda _: self._show(), "value")
        row = HBox([self.order, self.only_offline])
        row.add_class("tlw-row")
        text = f"A table of {len(list_backbones())} backbones to sort (needs a live notebook)"
        super().__init__([HTML(style()), row, self._table], text)
        self._show()

    @property
    def rows(self) -> list[Backbone]:
        """The backbones that are shown, in this order."""
        key, is_reversed = _ORDERS[self.order.value]
        found = [each for each in list_backbones() if each.offline or not self.only_offline.value]
        return sorted(found, key=key, reverse=is_reversed)

    def _show(self) -> None:
        head = [
            "Backbone",
            "Size",
            "Right on ImageNet",
            "Parameters without top",
            "Features",
            "Smallest input",
            "Here?",
        ]
        rows = [
            [
                each.name,
                f"{each.size_mb:.0f} MB" if each.size_mb else "–",
                f"{each.top1_pct:.1f} %" if each.top1_pct else "–",
                count_text(each.n_params) if each.n_params else "–",
                count_text(each.feature_width) if each.feature_width else "–",
                f"{each.min_input} px" if each.min_input else "–",
                "yes" if each.offline else "to download",
            ]
            for each in self.rows
        ]
        caption = f"{len(rows)} backbones, sorted by {self.order.value}"
        inner = table(caption, head, rows, numeric=(1, 2, 3, 4, 5))
        self._table.value = f'<div style="max-height:360px;overflow:auto" tabindex="0">{inner}</div>'


def plot_backbones() -> Axes:
    """Published accuracy on ImageNet against the size of the weights file, a point for each backbone."""
    known = _known()
    ax = new_axes(7.5, 4.6)
    for is_here, marker, colour, label in (
        (False, "o", PALE, "weights must be downloaded"),
        (True, "s", ModelName.TRANSFER.color, "weights are on this machine"),
    ):
        some = [each for each in known if each.offline == is_here]
        sizes, scores = [each.size_mb for each in some], [each.top1_pct for each in some]
        ax.plot(sizes, scores, linestyle="none", marker=marker, color=colour, label=label, markersize=6)  # type: ignore[arg-type]
    for each in known:
        if each.name in _NAMED:
            assert each.size_mb is not None
            assert each.top1_pct is not None
            offset, side = _NAMED[each.name]
            note(ax, each.name, (each.size_mb, each.top1_pct), offset, ha=side, color=INK)
    ax.set_xscale("log")
    ax.set_xlim(8, 1400)
    ticks = (10, 30, 100, 300, 1000)
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.set_xticks([], minor=True)
    draw_grid(ax, "both")
    legend_below(ax, ax.get_legend_handles_labels()[0], n_columns=2)
    dress(
        ax,
        "Accuracy against size",
        x="size of the weights file in MB (log scale)",
        y="right on ImageNet, in percent (top-1)",
    )
    return with_words(ax, _backbones_words())


def _backbones_words() -> str:
    known = _known()
    smallest, best = min(known, key=lambda each: each.size_mb or 0), max(known, key=lambda each: each.top1_pct or 0)
    here = ", ".join(each.name for each in known if each.offline)
    return (
        f"Scatter chart of {len(known)} backbones, ImageNet accuracy against size: from {smallest.name} with "
        f"{smallest.size_mb:.0f} MB and {smallest.top1_pct:.1f} % to {best.name} with {best.size_mb:.0f} MB and "
        f"{best.top1_pct:.1f} %. On this machine: {here}."
    )


def _known() -> list[Backbone]:
    return [each for each in list_backbones() if each.size_mb and each.top1_pct]
