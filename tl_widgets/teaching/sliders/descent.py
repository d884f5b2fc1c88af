"""Gradient descent on the loss of one neuron, on real images, with the learning rate on a slider."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

import numpy as np
from ipywidgets import HBox
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from tl_widgets.core.errors import InputError
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import number_text
from tl_widgets.core.translation import _, ngettext
from tl_widgets.data.dataset import Split
from tl_widgets.plots.style import INK, PALE, add_axes, draw_grid, finish_axes, new_figure, note
from tl_widgets.teaching.show import with_alt_text
from tl_widgets.teaching.sliders.pictured import PicturedBox
from tl_widgets.widgets.shared.slider import Slider

_RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
_WINDOW = (-0.4, 2.2)  # the part of the curve that figures show at least


class Slope:
    """The loss of one neuron that tells two classes apart, along one direction of its weights.

    The neuron starts at 0: it gives each class one half. The direction is that of its first gradient, so the place on
    the curve is one number, and the loss can be drawn over it.

    Args:
        split: Images of two classes.

    Raises:
        InputError: There are other than two classes.
    """

    def __init__(self, split: Split) -> None:
        labels = np.asarray(split.labels)
        if set(labels.tolist()) != {0, 1}:
            raise InputError(_("One neuron tells two classes apart; these images have other labels than 0 and 1."))
        pixels = np.asarray(split.images[:], np.float64).reshape(len(labels), -1) / 255
        signs = 2.0 * labels - 1
        pixels -= pixels.mean(axis=0)
        downhill = (signs[:, None] * pixels).mean(axis=0)
        norm = float(np.linalg.norm(downhill))
        # What a step of 1 along the direction adds to the score of the right class, for each image.
        self._gains: NDArray[np.float64] = signs * (pixels @ downhill) / norm if norm else np.zeros(len(labels))

    def loss(self, place: float) -> float:
        """Return the mean loss (cross-entropy) at a place on the curve."""
        return float(np.logaddexp(0, -self._gains * place).mean())

    def gradient(self, place: float) -> float:
        """Return how fast the loss grows there."""
        return float((-self._gains / (1 + np.exp(np.clip(self._gains * place, -500, 500)))).mean())

    def walk(self, learning_rate: float, n_steps: int = 10) -> tuple[float, ...]:
        """Return the places that gradient descent visits, the start (0) first."""
        places = [0.0]
        for _unused in range(n_steps):
            places.append(places[-1] - learning_rate * self.gradient(places[-1]))
        return tuple(places)


def plot_steps(slope: Slope, learning_rates: Sequence[float], *, n_steps: int = 10) -> Figure:
    """Draw the steps of gradient descent on the loss curve, one panel for each learning rate, and the loss by step."""
    n = len(learning_rates) + 1
    n_rows = -(-n // 2)
    figure = new_figure(8.6, 3.1 * n_rows)
    grid = figure.add_gridspec(n_rows, 2)
    walks = [slope.walk(rate, n_steps) for rate in learning_rates]
    for i, (rate, walk) in enumerate(zip(learning_rates, walks, strict=True)):
        _draw_walk(add_axes(figure, grid[i // 2, i % 2]), slope, rate, walk)
    _draw_losses(add_axes(figure, grid[(n - 1) // 2, (n - 1) % 2]), slope, learning_rates, walks)
    return with_alt_text(figure, " ".join(map(_walk_text, learning_rates, walks, [slope] * n)))


def _draw_losses(ax: Axes, slope: Slope, learning_rates: Sequence[float], walks: Sequence[tuple[float, ...]]) -> None:
    for rate, walk, marker in zip(learning_rates, walks, cycle("o^s"), strict=False):
        losses = [slope.loss(place) for place in walk]
        ax.plot(range(len(walk)), losses, color=ModelName.SCRATCH.color, marker=marker, markersize=4, linewidth=1)
        note(
            ax,
            number_text(rate, ".3g") + ": " + number_text(losses[-1], ".2f"),
            (len(walk) - 1, losses[-1]),
            (6, -3),
            color=INK,
        )
    n_steps = len(walks[0]) - 1
    ax.set_xlim(-0.03 * n_steps, 1.28 * n_steps)
    reached = [slope.loss(place) for walk in walks for place in walk]
    low, high = min(0.2, *reached) / 1.1, max(2.0, *reached) * 1.1
    ax.set_yscale("log")
    ax.set_ylim(low, high)
    ticks = [tick for tick in (0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if low <= tick <= high]
    ax.set_yticks(ticks, [number_text(tick) for tick in ticks])
    ax.set_yticks([], minor=True)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    draw_grid(ax, "y")
    finish_axes(ax, _("The loss after each step"), x=_("step"), y=_("loss (log scale)"))


def _draw_walk(ax: Axes, slope: Slope, rate: float, walk: tuple[float, ...]) -> None:
    low, high = min(_WINDOW[0], *walk), max(_WINDOW[1], *walk)
    left, right = low - 0.02 * (high - low), high + 0.05 * (high - low)
    line = np.linspace(left, right, 400)
    ax.plot(line, [slope.loss(place) for place in line], color=INK, linewidth=1)
    losses = [slope.loss(place) for place in walk]
    ax.plot(walk, losses, color=ModelName.SCRATCH.color, marker="o", markersize=5, linewidth=1)
    ax.plot([0], [slope.loss(0)], color=PALE, marker="s", markersize=8, linestyle="none")
    note(ax, _("start"), (0, slope.loss(0)), (8, 6), color=INK)
    numbered: list[float] = []
    for step, place in enumerate(walk[1:] if high > _WINDOW[1] else (), 1):
        if all(abs(place - other) > 0.05 * (right - left) for other in numbered):  # numbers don't lie on each other
            note(ax, str(step), (place, slope.loss(place)), (-6, 6), ha="right", color=INK)
            numbered.append(place)
    ax.set_xlim(left, right)
    ax.set_ylim(0, 1.1 * max(slope.loss(left), slope.loss(right)))
    draw_grid(ax, "y")
    finish_axes(
        ax,
        _("Learning rate {rate:.3g}", rate=rate),
        x=_("weights, along one direction"),
        y=_("loss on the training images"),
    )


def _walk_text(rate: float, walk: tuple[float, ...], slope: Slope) -> str:
    losses = [slope.loss(place) for place in walk]
    turns = sum(1 for a, b, c in zip(walk, walk[1:], walk[2:], strict=False) if (b - a) * (c - b) < 0)
    return ngettext(
        "Learning rate {rate:.3g}: the loss goes from {first:.3f} to {last:.3f} in {n_steps} steps, which change their "
        "direction once.",
        "Learning rate {rate:.3g}: the loss goes from {first:.3f} to {last:.3f} in {n_steps} steps, which change their "
        "direction {n} times.",
        turns,
        rate=rate,
        first=losses[0],
        last=losses[-1],
        n_steps=len(walk) - 1,
    )


class DescentSlider(PicturedBox):
    """The loss curve of one neuron with sliders for the learning rate and the number of steps.

    Args:
        split: Images of two classes.

    Attributes:
        slope: The curve.
        learning_rate: The slider of the learning rate.
        steps: The slider of the number of steps.
    """

    def __init__(self, split: Split) -> None:
        self.slope = Slope(split)
        self.learning_rate = Slider(_("Learning rate"), 0.002, stops=_RATES)
        self.steps = Slider(_("Steps"), 10, 1, 20)
        row = HBox([self.learning_rate, self.steps])
        row.add_class("tlw-row")
        text = _("A loss curve with sliders for the learning rate and the number of steps (needs a live notebook)")
        super().__init__(row, text, 860)

    def figure(self) -> Figure:
        """Draw the steps of the chosen learning rate."""
        return plot_steps(self.slope, [self.learning_rate.value], n_steps=round(self.steps.value))
