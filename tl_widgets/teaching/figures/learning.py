"""Figures of how a network learns: the curves of plain Keras, and the weights of a neuron as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import percent
from tl_widgets.core.translation import _, within_sentence
from tl_widgets.plots.style import PALE, PERCENT, add_axes, draw_grid, finish_axes, legend_below, new_figure, note
from tl_widgets.teaching.show import with_alt_text

_QUANTITIES = ("loss", "accuracy", "val_loss", "val_accuracy")


def plot_history(*histories: Mapping[str, Sequence[float]], chance: float | None = None) -> Figure:
    """Draw loss and accuracy by epoch, in the line styles of all other curves.

    Args:
        histories: `model.fit(...).history`, with "loss", "accuracy", "val_loss" and "val_accuracy". Several of them
            follow each other.
        chance: The accuracy of guessing, 0..1, drawn as a line, and with it the loss of equal shares.
    """
    history = {name: [value for part in histories for value in part[name]] for name in _QUANTITIES}
    figure = new_figure(8.6, 3.6)
    grid = figure.add_gridspec(1, 2)
    epochs = range(1, len(history["loss"]) + 1)
    for i, (name, title) in enumerate((("loss", _("Loss")), ("accuracy", _("Accuracy")))):
        ax = add_axes(figure, grid[i])
        color = ModelName.SCRATCH.color
        ax.plot(epochs, history[f"val_{name}"], color=color, linewidth=2.2, label=_("validation"))
        ax.plot(epochs, history[name], color=color, linewidth=1.2, linestyle="--", label=_("training"))
        if name == "loss":
            ax.set_ylim(0, 1.15 * ax.get_ylim()[1])
            if chance is not None:
                ax.axhline(-np.log(chance), color=PALE, linewidth=1.5, linestyle=":")
                note(
                    ax,
                    _("knows nothing: {log:.2f}", log=-np.log(chance)),
                    (len(epochs), -np.log(chance)),
                    (0, 7),
                    ha="right",
                )
        else:
            ax.set_ylim(0, 1.03)
            ax.yaxis.set_major_formatter(PERCENT)
            if chance is not None:
                ax.axhline(chance, color=PALE, linewidth=1.5, linestyle=":", label=_("chance"))
            legend_below(ax, ax.get_legend_handles_labels()[0], n_columns=3)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        draw_grid(ax, "y")
        finish_axes(ax, title, x=_("epoch"), y=within_sentence(title))
    first, last = ({key: values[i] for key, values in history.items()} for i in (0, -1))
    return with_alt_text(
        figure,
        _(
            "Line charts over {n_epochs} epochs. Training loss {first_loss:.2f} to {last_loss:.2f}, validation "
            "loss {first_val_loss:.2f} to {last_val_loss:.2f}. Training accuracy {first_accuracy} to {last_accuracy}, "
            "validation accuracy {first_val_accuracy} to {last_val_accuracy}.",
            n_epochs=len(epochs),
            first_loss=first["loss"],
            last_loss=last["loss"],
            first_val_loss=first["val_loss"],
            last_val_loss=last["val_loss"],
            first_accuracy=percent(first["accuracy"]),
            last_accuracy=percent(last["accuracy"]),
            first_val_accuracy=percent(first["val_accuracy"]),
            last_val_accuracy=percent(last["val_accuracy"]),
        ),
    )


def plot_weights(pictures: Mapping[str, ArrayLike]) -> Figure:
    """Draw the weights of neurons as pictures: white is positive, black negative, gray near 0.

    Args:
        pictures: Weights by what to write above: shape (height, width) or (height, width, channels).
    """
    figure = new_figure(2.6 * len(pictures), 2.9)
    grid = figure.add_gridspec(1, len(pictures))
    for i, (title, values) in enumerate(pictures.items()):
        weights = np.asarray(values, np.float64)
        if weights.ndim == 3:
            weights = weights.mean(axis=-1)
        ax = add_axes(figure, grid[i])
        limit = float(np.abs(weights).max()) or 1.0
        ax.imshow(weights, cmap="gray", vmin=-limit, vmax=limit)
        ax.set_xticks([])
        ax.set_yticks([])
        finish_axes(ax, title)
    words = _("The weights of a neuron as pictures, one weight for each pixel, white positive and black negative")
    return with_alt_text(figure, f"{words}: {', '.join(pictures)}.")
