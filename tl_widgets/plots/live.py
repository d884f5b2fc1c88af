"""Curves that are redrawn several times a second while models train."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.lines import Line2D
from PIL import Image

from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import percent
from tl_widgets.plots.labels import label_of
from tl_widgets.plots.style import (
    INK,
    PALE,
    PERCENT,
    add_axes,
    color_of,
    draw_grid,
    epoch_margin,
    epoch_ticks,
    finish_axes,
    in_columns,
    legend_below,
    mark_fine_tuning,
    marker_of,
    new_figure,
    png_html,
)
from tl_widgets.records.comparison import History

SIZE = (7.5, 4.2)  # inches
DPI = 160


class LiveCurves:
    """Curves of accuracy by epoch while models train.

    Axes, labels and legend are drawn once and kept as pixels; an update draws only the lines. Use one thread at a time.

    Args:
        n_epochs: Epochs of the longest run, at least 1.
        names: The models that will train.
        backbone: The backbone's name, for the legend.
        chance: The accuracy, 0..1, of always answering the most frequent class.
        fine_tuning_start: Epochs of the frozen stage, after which fine-tuning continues; 0 without fine-tuning.
        seed: The seed to name in the title, if these curves are one of several.
    """

    def __init__(
        self,
        n_epochs: int,
        *,
        names: tuple[str, ...] = (ModelName.SCRATCH, ModelName.TRANSFER),
        backbone: str = "",
        chance: float = 0.5,
        fine_tuning_start: int = 0,
        seed: int | None = None,
    ) -> None:
        self._start, self._seed = fine_tuning_start, seed
        self._n_epochs, self._names, self._backbone = n_epochs, names, backbone
        self._figure = new_figure(*SIZE)
        self._figure.set_dpi(DPI)
        self._ax = add_axes(self._figure)
        self._lines = {name: self._add_lines(name) for name in names}
        self._draw_frame(chance)
        canvas = self._figure.canvas
        assert isinstance(canvas, FigureCanvasAgg)
        self._canvas = canvas
        canvas.draw()  # type: ignore[no-untyped-call]  # computes the layout, once
        self._figure.set_layout_engine("none")
        self._frame = canvas.copy_from_bbox(self._figure.bbox)  # type: ignore[no-untyped-call]

    def _add_lines(self, name: str) -> tuple[Line2D, Line2D]:
        """Return the two lines; they are animated, so an ordinary draw leaves them out."""
        color = color_of(name)
        (training,) = self._ax.plot([], [], color=color, linestyle="--", linewidth=1.2, alpha=0.75, animated=True)
        marker_step = max(1, self._n_epochs // 10)
        (validation,) = self._ax.plot(
            [],
            [],
            color=color,
            linewidth=2.2,
            marker=marker_of(name),
            markersize=5,
            markevery=marker_step,
            animated=True,
        )
        return training, validation

    def _draw_frame(self, chance: float) -> None:
        ax, n = self._ax, self._n_epochs
        ax.axhline(chance, color=PALE, linestyle=":", linewidth=1.5)
        margin = epoch_margin(n)
        ax.set_xlim(1 - margin, n + margin)
        ax.set_ylim(0, 1.03)
        ax.set_xticks(epoch_ticks(n))
        ax.yaxis.set_major_formatter(PERCENT)
        draw_grid(ax, "y")
        if self._start:
            mark_fine_tuning(ax, self._start)
        models = [
            Line2D(
                [],
                [],
                color=color_of(name),
                marker=marker_of(name),
                linewidth=2.2,
                label=label_of(name, self._backbone),
            )
            for name in self._names
        ]
        kinds = [
            Line2D([], [], color=INK, linewidth=2.2, label="validation images"),
            Line2D([], [], color=INK, linewidth=1.2, linestyle="--", label="training images"),
            Line2D([], [], color=PALE, linewidth=1.5, linestyle=":", label=f"chance ({percent(chance)})"),
        ]
        legend_below(ax, in_columns(models, kinds), n_columns=2)
        title = "Accuracy by epoch" if self._seed is None else f"Accuracy by epoch, seed {self._seed}"
        finish_axes(ax, title, x="epoch", y="accuracy (% of images)")

    def update(self, histories: Mapping[str, History]) -> bytes:
        """Draw the curves so far, by model, and return a PNG of 1200 x 672 pixels."""
        self._canvas.restore_region(self._frame)  # type: ignore[no-untyped-call]
        for name, (training, validation) in self._lines.items():
            history = histories.get(name, History())
            # A fine-tuned model's earlier epochs belong to the transfer model, whose curve is drawn already.
            first = max(self._start - 1, 0) if name == ModelName.FINE_TUNED else 0
            for line, values in ((training, history.accuracy), (validation, history.val_accuracy)):
                line.set_data(np.arange(first, len(values)) + 1, np.asarray(values[first:]))
                self._ax.draw_artist(line)
        buffer = io.BytesIO()
        pixels = np.asarray(self._canvas.buffer_rgba())[..., :3]  # type: ignore[no-untyped-call]
        Image.fromarray(pixels).save(buffer, "png", compress_level=1)
        return buffer.getvalue()

    def html(self, histories: Mapping[str, History], width_px: int = 720) -> str:
        """Draw the curves so far as an `<img>`, `width_px` CSS pixels wide."""
        return png_html(self.update(histories), self.alt(histories), width_px, round(width_px * SIZE[1] / SIZE[0]))

    def alt(self, histories: Mapping[str, History]) -> str:
        """Return the text alternative of the curves so far."""
        descriptions = [
            f"{label_of(name, self._backbone)} {percent(history.val_accuracy[-1])} "
            f"after {len(history.val_accuracy)} of {self._n_epochs} epochs"
            for name, history in histories.items()
            if history.val_accuracy
        ]
        return f"Line chart of accuracy by epoch. On the validation images: {'; '.join(descriptions) or 'nothing yet'}."
