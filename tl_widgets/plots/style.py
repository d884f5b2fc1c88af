"""The look of every figure, and its output as PNG and HTML.

pyplot keeps global state that threads must not touch, so nothing here uses it. A figure still shows itself once
as the last value of a notebook cell, with or without `%matplotlib inline`.
"""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Iterable
from typing import IO, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, FigureBase, SubFigure
from matplotlib.font_manager import FontProperties
from matplotlib.gridspec import SubplotSpec
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.textpath import text_to_path
from matplotlib.ticker import FuncFormatter, MaxNLocator, ScalarFormatter
from matplotlib.transforms import ScaledTranslation, Transform
from numpy.typing import NDArray

from tl_widgets.core.html import Markup
from tl_widgets.core.model_name import ModelName, find_model
from tl_widgets.core.numbers import percent, short_count
from tl_widgets.core.translation import _, localized
from tl_widgets.plots.glyphs import FONTS, drawable_text
from tl_widgets.plots.labels import run_label
from tl_widgets.records.comparison import RunResult
from tl_widgets.records.statistics import Interval

INK, PALE, GRID = "#222222", "#6b6b6b", "#dddddd"
TITLE_SIZE, LABEL_SIZE, SMALL_SIZE = 11.0, 9.5, 8.5
DPI = 160
_COMPRESSION = 3  # a third of the time of zlib's usual 6
CSS_PIXELS_PER_INCH = 96
_INKS = {
    ModelName.SCRATCH: "#b34e00",
    ModelName.TRANSFER: "#0068a3",
    ModelName.CONTROL: "#666666",
    ModelName.FINE_TUNED: "#007a58",
}


def color_of(name: str) -> str:
    """Return the fixed color of a model as "#rrggbb"; other names share one color."""
    model = find_model(name)
    return model.color if model else "#CC79A7"


def marker_of(name: str) -> str:
    """Return the fixed marker of a model; other names share one marker."""
    model = find_model(name)
    return model.marker if model else "v"


def ink_of(name: str) -> str:
    """Return a model's color for text, dark enough for small letters on white (4.5:1)."""
    model = find_model(name)
    return _INKS[model] if model else color_of(name)


def answer_color(is_right: bool) -> str:
    """Return the color of an answer beside its ✓ or ✗; the models' colors would be taken for the models."""
    return PALE if is_right else INK


PERCENT = FuncFormatter(lambda share, _: percent(share, 0))
COUNT = FuncFormatter(lambda n, _: short_count(n))


class LocalFormatter(ScalarFormatter):
    """Matplotlib's own format of ticks, as the language writes numbers."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the text of a tick."""
        return str(localized(super().__call__(x, pos)))


class ShownFigure(Figure):
    """A figure that a notebook cell shows as a sharp PNG, at 96 CSS pixels per inch."""

    def __repr__(self) -> str:  # constant, so nbval can compare notebooks
        return "<ShownFigure>"

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        return figure_png(self), {"width": round(self.get_figwidth() * CSS_PIXELS_PER_INCH)}

    def write_png(self, file: IO[bytes], dpi: float) -> None:
        """Draw the figure once: `savefig` draws it twice because of the layout, and then compresses it for long."""
        before = self.dpi
        self.set_dpi(dpi)
        try:
            canvas = FigureCanvasAgg(self)
            canvas.print_png(file, pil_kwargs={"compress_level": _COMPRESSION})  # type: ignore[no-untyped-call]
        finally:
            self.set_dpi(before)


class ShownAxes(Axes):
    """Axes that show their figure as the value of a notebook cell."""

    def __repr__(self) -> str:
        return "<ShownAxes>"

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        figure = root_figure(self)
        return figure_png(figure), {"width": round(figure.get_figwidth() * CSS_PIXELS_PER_INCH)}


def new_figure(width: float, height: float) -> ShownFigure:
    """Return a white figure, sized in inches, whose layout clips nothing."""
    layout = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08)
    figure = ShownFigure(figsize=(width, height), dpi=100, facecolor="white", layout=layout)
    FigureCanvasAgg(figure)
    return figure


def new_axes(width: float, height: float) -> Axes:
    """Return axes in a new figure, sized in inches."""
    return add_axes(new_figure(width, height))


def add_axes(figure: Figure, place: SubplotSpec | None = None) -> Axes:
    """Add axes to a figure, at a place in its grid or filling it."""
    axes: Axes = figure.add_subplot(*(() if place is None else (place,)), axes_class=ShownAxes)
    return axes


def finish_axes(ax: Axes, title: str, *, x: str = "", y: str = "") -> None:
    """Give finished axes title, labels, fonts and colors, independent of rcParams."""
    ax.set_facecolor("white")
    ax.set_title(title, fontsize=TITLE_SIZE, x=0, ha="left", color=INK, fontweight="bold")
    ax.set_xlabel(x, fontsize=LABEL_SIZE, color=INK)
    ax.set_ylabel(y, fontsize=LABEL_SIZE, color=INK)
    ax.tick_params(colors=INK, labelsize=SMALL_SIZE, labelfontfamily=list(FONTS))
    for axis in (ax.xaxis, ax.yaxis):
        if type(axis.get_major_formatter()) is ScalarFormatter:
            axis.set_major_formatter(LocalFormatter())
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(PALE)
    legend = ax.get_legend()
    set_fonts([*ax.texts, *(legend.get_texts() if legend else ()), ax.title, ax.xaxis.label, ax.yaxis.label])


def set_fonts(texts: Iterable[Text]) -> None:
    """Set texts in the fonts of all figures, which have their letters; a dollar sign stays a dollar sign."""
    for text in texts:
        text.set_text(drawable_text(text.get_text()))
        text.set_fontfamily(list(FONTS))
        text.set_parse_math(False)


def write_title(page: FigureBase, title: str) -> None:
    """Write a bold title at the top left of a figure or subfigure."""
    set_fonts([page.suptitle(title, fontsize=TITLE_SIZE, fontweight="bold", color=INK, x=0.01, ha="left")])


def fitted_title(text: str, inches: float) -> str:
    """Break a bold title into lines of at most this width."""
    font = FontProperties(family=list(FONTS), weight="bold", size=TITLE_SIZE)
    lines = [""]
    for word in drawable_text(text).split(" "):
        longer = f"{lines[-1]} {word}".lstrip()
        width, _height, _descent = text_to_path.get_text_width_height_descent(longer, font, ismath=False)
        if width > 72 * inches and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return "\n".join(lines)


def note(ax: Axes, text: str, at: tuple[float, float], offset: tuple[float, float], **style: Any) -> None:
    """Write a small text `offset` points (right, up) from `at`, in the data's units."""
    style = {"fontsize": SMALL_SIZE, "color": INK, "va": "center", **style}
    ax.annotate(text, at, offset, textcoords="offset points", **style)


def mark_fine_tuning(ax: Axes, start: int) -> None:
    """Draw a labeled vertical line after `start`, the last epoch of the frozen stage."""
    color = ModelName.FINE_TUNED.color
    ax.axvline(start + 0.5, color=color, linestyle="-.", linewidth=1.2, zorder=1)
    note(ax, _("fine-tuning starts"), (start + 0.5, 0.05), (4, 0), color=ink_of(ModelName.FINE_TUNED))


def draw_intervals(
    ax: Axes,
    x: Iterable[float],
    y: Iterable[float],
    ends: Iterable[Interval | None],
    *,
    axis: str = "y",
    **style: Any,
) -> None:
    """Draw points with their intervals along an axis, (low, high) each; None stands for no interval."""
    x, y = list(x), list(y)
    values = y if axis == "y" else x
    spans = [span or (value, value) for value, span in zip(values, ends, strict=True)]
    reach = np.array([(value - low, high - value) for value, (low, high) in zip(values, spans, strict=True)])
    reach = np.maximum(reach.reshape(-1, 2).T, 0)  # a rounded interval may end a little before its value
    ax.errorbar(x, y, **{f"{axis}err": reach, "capsize": 3.5, "elinewidth": 1.3, **style})


def draw_chance(ax: Axes, chance: float) -> Line2D:
    """Draw a line at the accuracy of always answering the most frequent class; return its entry of the legend."""
    style: dict[str, Any] = {"color": PALE, "linestyle": ":", "linewidth": 1.5}
    ax.axhline(chance, **style)
    return Line2D([], [], label=_("chance ({chance})", chance=percent(chance)), **style)


def draw_placeholder(ax: Axes, text: str, title: str) -> None:
    """Make empty axes with a text in the middle."""
    ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes, color=INK, fontsize=TITLE_SIZE)
    ax.set_xticks([])
    ax.set_yticks([])
    finish_axes(ax, title)
    for spine in ax.spines.values():
        spine.set_visible(False)


def draw_grid(ax: Axes, axis: str) -> None:
    """Draw faint lines behind the data, along "x", "y" or "both"."""
    ax.grid(False)
    ax.grid(True, axis=axis, color=GRID, linewidth=0.8)  # type: ignore[arg-type]
    ax.set_axisbelow(True)


def set_share_axis(ax: Axes, axis: str = "y") -> None:
    """Let an axis run from 0 to 100%, with faint lines."""
    ax.set(**{f"{axis}lim": (0, 1.04)})
    getattr(ax, f"{axis}axis").set_major_formatter(PERCENT)
    draw_grid(ax, axis)


def draw_picture(ax: Axes, image: NDArray[Any], **style: Any) -> None:
    """Show an image without ticks."""
    ax.imshow(image, **style)
    ax.set(xticks=[], yticks=[])


def set_rows(ax: Axes, runs: tuple[RunResult, ...]) -> None:
    """Make one labeled row for each run, the first on top."""
    draw_grid(ax, "x")
    ax.set_yticks(range(len(runs)), [run_label(run, broken=True) for run in runs], parse_math=False)
    ax.set_ylim(len(runs) - 0.4, -0.6)


def legend_below(ax: Axes, handles: list[Any], *, n_columns: int = 1, n_lines: int = 1) -> None:
    """Add a legend under the axes and the lines of their label, where it can't hide any data."""
    legend = ax.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0, 0),
        bbox_transform=_below_labels(ax, n_lines),
        ncols=n_columns,
        frameon=False,
        fontsize=SMALL_SIZE,
        labelcolor=INK,
        borderaxespad=0,
        columnspacing=1.6,
    )
    set_fonts(legend.get_texts())


def _below_labels(ax: Axes, n_lines: int) -> Transform:
    # A fixed distance in points leaves room for tick labels and the axis label, at any height of the axes.
    return ax.transAxes + ScaledTranslation(0, -(24 + 12 * n_lines) / 72, ax.figure.dpi_scale_trans)


def legend_columns(ax: Axes) -> int:
    """Return how many columns of long entries fit into a legend under these axes."""
    return 2 if root_figure(ax).get_figwidth() >= 6.5 else 1


def in_columns(left: list[Line2D], right: list[Line2D]) -> list[Line2D]:
    """Return the handles of a two-column legend, padded: it fills column by column."""
    n = max(len(left), len(right))
    blank = Line2D([], [], linestyle="none", label=" ")
    return [column[i] if i < len(column) else blank for column in (left, right) for i in range(n)]


def epoch_ticks(n_epochs: int) -> list[int]:
    """Return about eight whole numbers from 1 to `n_epochs`."""
    return [int(t) for t in MaxNLocator(8, integer=True).tick_values(1, n_epochs) if 1 <= t <= n_epochs]


def epoch_margin(n_epochs: int) -> float:
    """Return the space beside the first and the last epoch, in epochs."""
    return 0.04 * (n_epochs - 1) or 0.5


def root_figure(drawing: Figure | Axes) -> Figure:
    """Return the top-level figure that contains the drawing."""
    figure = drawing.figure
    if isinstance(figure, SubFigure):
        figure = figure.figure
    assert isinstance(figure, Figure)
    return figure


def figure_png(drawing: Figure | Axes, dpi: float = DPI) -> bytes:
    """Return a figure as PNG on white; `dpi` is in pixels per inch."""
    figure, buffer = root_figure(drawing), io.BytesIO()
    with warnings.catch_warnings():
        # Other texts than those of `set_fonts` may still have a character that no font has.
        warnings.filterwarnings("ignore", r"Glyph .* missing from font")
        if isinstance(figure, ShownFigure):
            figure.write_png(buffer, dpi)
        else:  # of axes that were given
            figure.savefig(buffer, format="png", dpi=dpi, facecolor="white")
    return buffer.getvalue()


def figure_html(drawing: Figure | Axes, alt: str, width_px: int = 800) -> Markup:
    """Return a figure as one `<img>`, at most `width_px` CSS pixels wide."""
    width, height = root_figure(drawing).get_size_inches()
    return png_html(figure_png(drawing), alt, width_px, round(width_px * height / width))


def png_html(png: bytes, alt: str, width_px: int, height_px: int) -> Markup:
    """Return a PNG as `<img>`; its size keeps the page from jumping while it loads."""
    return Markup(
        '<img alt="{}" width="{}" height="{}" style="max-width:100%;height:auto;background:#fff" '
        'src="data:image/png;base64,{}">'
    ).format(alt, width_px, height_px, base64.b64encode(png).decode())
