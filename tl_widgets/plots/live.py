"""Curves that are redrawn while models train, several times a second, from any thread."""

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
    colour_of,
    draw_grid,
    dress,
    epoch_margin,
    epoch_ticks,
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
    """Accuracy by epoch while models train.

    Axes, labels and legend are laid out and drawn once and kept as pixels; an update draws only the lines.
    One thread at a time.

    Args:
        n_epochs: of the longest run, at least 1.
        names: the models that will train.
        backbone: its name, for the legend.
        chance: accuracy of always giving the most frequent class, 0..1.
        fine_tuning_start: epochs of the frozen stage, where a fine-tuned model goes on from there; 0 without it.
        seed: of these curves, where they are one of several; for the title.
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
        canvas.draw()  # type: ignore[no-untyped-call]  # the layout is found here, once
        self._figure.set_layout_engine("none")
        self._frame = canvas.copy_from_bbox(self._figure.bbox)  # type: ignore[no-untyped-call]

    def _add_lines(self, name: str) -> tuple[Line2D, Line2D]:
        """Training and validation; animated lines are left out of an ordinary draw."""
        colour = colour_of(name)
        (training,) = self._ax.plot([], [], color=colour, linestyle="--", linewidth=1.2, alpha=0.75, animated=True)
        every = max(1, self._n_epochs // 10)
        (validation,) = self._ax.plot(
            [],
            [],
            color=colour,
            linewidth=2.2,
            marker=marker_of(name),
            markersize=5,
            markevery=every,
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
                color=colour_of(name),
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
        dress(ax, title, x="epoch", y="accuracy (% of images)")

    def update(self, histories: Mapping[str, History]) -> bytes:
        """Draw what there is so far.

        Args:
            histories: by model; one that is missing has no line yet.

        Returns:
            A PNG of 1200 x 672 pixels.
        """
        self._canvas.restore_region(self._frame)  # type: ignore[no-untyped-call]
        for name, (training, validation) in self._lines.items():
            history = histories.get(name, History())
            # Of a fine-tuned model the epochs before are the transfer model's, whose curve is drawn already.
            first = max(self._start - 1, 0) if name == ModelName.FINE_TUNED else 0
            for line, values in ((training, history.accuracy), (validation, history.val_accuracy)):
                line.set_data(np.arange(first, len(values)) + 1, np.asarray(values[first:]))
                self._ax.draw_artist(line)
        buffer = io.BytesIO()
        pixels = np.asarray(self._canvas.buffer_rgba())[..., :3]  # type: ignore[no-untyped-call]
        Image.fromarray(pixels).save(buffer, "png", compress_level=1)
        return buffer.getvalue()

    def html(self, histories: Mapping[str, History], width_px: int = 720) -> str:
        """Draw what there is so far as an `<img>` with its text alternative.

        Args:
            histories: by model.
            width_px: width on the page in CSS pixels.
        """
        return png_html(self.update(histories), self.alt(histories), width_px, round(width_px * SIZE[1] / SIZE[0]))

    def alt(self, histories: Mapping[str, History]) -> str:
        """The same in words."""
        said = [
            f"{label_of(name, self._backbone)} {percent(history.val_accuracy[-1])} "
            f"after {len(history.val_accuracy)} of {self._n_epochs} epochs"
            for name, history in histories.items()
            if history.val_accuracy
        ]
        return f"Line chart of accuracy by epoch. On the validation images: {'; '.join(said) or 'nothing yet'}."
