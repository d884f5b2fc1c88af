"""A kernel that slides over a photograph, with its arithmetic; pooling, and feature maps."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from ipywidgets import Dropdown, HBox
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from tl_widgets.core.errors import InputError
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import number_text
from tl_widgets.core.translation import _
from tl_widgets.plots.style import INK, SMALL_SIZE, add_axes, finish_axes, new_figure, set_fonts
from tl_widgets.teaching.show import with_alt_text
from tl_widgets.teaching.sliders.pictured import PicturedBox
from tl_widgets.widgets.shared.slider import Slider

KERNELS: Mapping[str, tuple[tuple[int, ...], ...]] = {
    _("vertical edges"): ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)),
    _("horizontal edges"): ((-1, -2, -1), (0, 0, 0), (1, 2, 1)),
    "spots": ((-1, -1, -1), (-1, 8, -1), (-1, -1, -1)),
    "blur": ((1, 1, 1), (1, 1, 1), (1, 1, 1)),
}
_MARK = ModelName.SCRATCH.color


def slide(image: ArrayLike, kernel: ArrayLike) -> NDArray[np.float64]:
    """Return the feature map of one kernel on one channel: at each place, the products are added up.

    Args:
        image: Numbers, shape (height, width).
        kernel: Weights, shape (k, k).

    Returns:
        Sums, shape (height - k + 1, width - k + 1): no place where the kernel would hang over.
    """
    pixels, weights = np.asarray(image, np.float64), np.asarray(kernel, np.float64)
    if pixels.ndim != 2 or weights.ndim != 2 or min(pixels.shape) < max(weights.shape):
        raise InputError(
            _(
                "A kernel of {kernel} doesn't slide over an image of {image}.",
                kernel=weights.shape,
                image=pixels.shape,
            )
        )
    windows = np.lib.stride_tricks.sliding_window_view(pixels, weights.shape)
    return np.asarray((windows * weights).sum(axis=(2, 3)))


def plot_kernel(image: ArrayLike, kernel: ArrayLike, row: int, column: int) -> Figure:
    """Draw one step of a sliding kernel: the place in the image, pixels, weights, and the place in the feature map.

    Args:
        image: Numbers from 0 to 255, shape (height, width).
        kernel: Weights, shape (k, k).
        row: The window's upper row.
        column: The window's left column.
    """
    pixels, weights = np.asarray(image, np.float64).round(), np.asarray(kernel)
    result = slide(pixels, weights)
    side = len(weights)
    window = pixels[row : row + side, column : column + side]
    total = result[row, column]
    figure = new_figure(9.0, 2.7)
    grid = figure.add_gridspec(1, 4)
    photograph, patch, numbers, sums = (add_axes(figure, grid[i]) for i in range(4))
    photograph.imshow(pixels, cmap="gray", vmin=0, vmax=255)
    _mark(photograph, column, row, side)
    _write(patch, window, shade=True)
    _write(numbers, weights, shade=False)
    limit = float(np.abs(result).max()) or 1.0
    sums.imshow(result, cmap="gray", vmin=-limit, vmax=limit)
    _mark(sums, column, row, 1)
    titles = (
        _("the photograph"),
        _("{side} pixels", side=side**2),
        _("times {side} weights", side=side**2),
        _("sum: {total:,.0f}", total=total),
    )
    for ax, title in zip((photograph, patch, numbers, sums), titles, strict=True):
        ax.set_xticks([])
        ax.set_yticks([])
        finish_axes(ax, title)
    products = " + ".join(
        f"{pixel:.0f}×{_signed(weight)}" for pixel, weight in zip(window.flat, weights.flat, strict=True)
    )
    return with_alt_text(
        figure,
        _(
            "A photograph with a window of {side} × {side} pixels at row {row}, column {column}. Its "
            "pixels times the kernel's weights add up: {products} = {total:.0f}. That is one place of "
            "the feature map, drawn beside them.",
            side=side,
            row=row,
            column=column,
            products=products,
            total=total,
        ),
    )


def _signed(weight: float) -> str:
    return f"({number_text(weight)})" if weight < 0 else number_text(weight)


def _mark(ax: Axes, x: int, y: int, side: int) -> None:
    ax.add_patch(Rectangle((x - 0.5, y - 0.5), side, side, fill=False, edgecolor=_MARK, linewidth=2))


def _write(ax: Axes, values: NDArray[np.float64], *, shade: bool) -> None:
    """Write numbers into the squares of a grid."""
    height, width = values.shape
    shown = values if shade else np.full(values.shape, 255)
    ax.imshow(shown, cmap="gray", vmin=0, vmax=255)
    size = SMALL_SIZE + (2 if width <= 3 else 0)
    texts = [
        ax.text(
            *(x, y, f"{values[y, x]:.0f}"),
            ha="center",
            va="center",
            color=INK if shown[y, x] > 110 else "white",
            fontsize=size,
        )
        for y in range(height)
        for x in range(width)
    ]
    set_fonts(texts)
    for line in range(1, width):
        ax.axvline(line - 0.5, color=INK, linewidth=0.5)
    for line in range(1, height):
        ax.axhline(line - 0.5, color=INK, linewidth=0.5)


def plot_pooling(feature_map: ArrayLike, row: int = 0, column: int = 0) -> Figure:
    """Draw max pooling on a corner of a feature map: 4 × 4 numbers become 2 × 2."""
    corner = np.asarray(feature_map, np.float64)[row : row + 4, column : column + 4]
    if corner.shape != (4, 4):
        raise InputError(
            _("There are no 4 × 4 places at row {row}, column {column} of this feature map.", row=row, column=column)
        )
    pooled = corner.reshape(2, 2, 2, 2).max(axis=(1, 3))
    figure = new_figure(6.4, 2.9)
    grid = figure.add_gridspec(1, 2)
    before, after = add_axes(figure, grid[0]), add_axes(figure, grid[1])
    for ax, values, title in ((before, corner, "4 × 4 places"), (after, pooled, _("the largest of each four"))):
        _write(ax, values, shade=False)
        ax.set_xticks([])
        ax.set_yticks([])
        finish_axes(ax, title)
    for y in (0, 2):
        for x in (0, 2):
            _mark(before, x, y, 2)
    for y in range(2):
        for x in range(2):
            _mark(after, x, y, 1)
    rows = "; ".join(", ".join(f"{value:.0f}" for value in values) for values in corner)
    largest = "; ".join(", ".join(f"{value:.0f}" for value in values) for values in pooled)
    words = _("Max pooling: of each square of four numbers the largest stays")
    return with_alt_text(figure, _("{words}. {rows} becomes {largest}.", words=words, rows=rows, largest=largest))


def plot_maps(
    picture: ArrayLike, maps: ArrayLike, *, before: ArrayLike | None = None, n: int = 8, rim: int = 0
) -> Figure:
    """Draw a picture and its brightest feature maps, each scaled to its own largest value.

    Args:
        picture: uint8, shape (height, width, 3).
        maps: Shape (height, width, n_maps).
        before: The maps of the same kernels before training, drawn above.
        n: How many maps to draw.
        rim: How many places to cut off at each side, where padding has changed them.
    """
    height, width, n_maps = np.shape(maps)
    middle = np.s_[rim : height - rim, rim : width - rim]
    after = np.asarray(maps, np.float64)[middle]
    order = np.argsort(-after.max(axis=(0, 1)), kind="stable")[: min(n, n_maps)]
    rows = (
        {"trained": after} if before is None else {"before": np.asarray(before, np.float64)[middle], "trained": after}
    )
    figure = new_figure(1.25 * (len(order) + 1), 0.35 + 1.16 * len(rows))
    grid = figure.add_gridspec(len(rows), len(order) + 1)
    for y, (name, values) in enumerate(rows.items()):
        for x in range(len(order) + 1):
            ax = add_axes(figure, grid[y, x])
            if x == 0:
                ax.imshow(np.asarray(picture)[middle])
            else:
                ax.imshow(values[..., order[x - 1]], cmap="gray", vmin=0, vmax=values[..., order[x - 1]].max() or 1)
            ax.set_xticks([])
            ax.set_yticks([])
            title = (_("picture") if x == 0 else _("map {order}", order=order[x - 1] + 1)) if y == 0 else ""
            finish_axes(ax, title, y=name if x == 0 and len(rows) > 1 else "")
    n_black = int((after.max(axis=(0, 1)) <= 0).sum())
    compared = "" if before is None else _(", above them the maps of the same kernels before training")
    return with_alt_text(
        figure,
        _(
            "A picture and the {n_order} brightest of its {n_maps} feature maps of {height} × {width} "
            "places{compared}. {n_black} of the {n_maps} maps are black everywhere.",
            n_order=len(order),
            n_maps=n_maps,
            height=height,
            width=width,
            compared=compared,
            n_black=n_black,
        ),
    )


class KernelSlider(PicturedBox):
    """A photograph, a kernel to choose, and sliders that move it; the arithmetic follows.

    Args:
        image: uint8, shape (height, width, 3), or one channel of it.
        row: The upper row where the window starts; None starts a third of the way down.
        column: The left column where it starts.

    Attributes:
        kernel: The menu of kernels.
        row: The slider of the window's upper row.
        column: The slider of its left column.
    """

    def __init__(self, image: ArrayLike, *, row: int | None = None, column: int | None = None) -> None:
        pixels = np.asarray(image, np.float64)
        self.image = pixels.mean(axis=-1) if pixels.ndim == 3 else pixels
        height, width = self.image.shape
        wide = {"description_width": "initial"}
        self.kernel = Dropdown(options=list(KERNELS), description=_("Kernel"), style=wide)
        self.row = Slider(_("Row"), height // 3 if row is None else row, 0, height - 3)
        self.column = Slider(_("Column"), width // 3 if column is None else column, 0, width - 3)
        controls = HBox([self.kernel, self.row, self.column])
        controls.add_class("tlw-row")
        super().__init__(controls, _("A photograph with a kernel to choose and to move (needs a live notebook)"), 860)

    def figure(self) -> Figure:
        """Draw the chosen kernel at the chosen place."""
        kernel = np.array(KERNELS[self.kernel.value])
        return plot_kernel(self.image, kernel, round(self.row.value), round(self.column.value))
