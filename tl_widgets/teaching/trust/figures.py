"""Figures of studies, and pictures with a model's answers, with their text alternatives as labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray

from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import percent
from tl_widgets.core.text import shown
from tl_widgets.plots.labels import shortened
from tl_widgets.plots.style import INK, LABEL_SIZE, add_axes, new_figure, root_figure, set_fonts
from tl_widgets.studies.registry import STUDIES
from tl_widgets.teaching.show import with_alt_text


def plot_study(result: Any) -> Figure:
    """Draw the result of a study.

    Raises:
        InputError: It isn't the result of a study, or the study was stopped before there was anything to draw.
    """
    for study in STUDIES.values():
        if isinstance(result, study.results()) and study.owns(result):
            return with_alt_text(root_figure(study.draw(result)), study.text(result))
    raise InputError(f"Give the result of a study, such as stress_test(dataset); received {shown(result)}.")


def plot_answers(images: NDArray[Any], probabilities: NDArray[Any], class_names: Sequence[str]) -> Figure:
    """Draw pictures in a row, each with a model's answer and how sure it is.

    Args:
        images: uint8, (n, side, side, 3).
        probabilities: of the classes, (n, n_classes).
        class_names: one for each column.
    """
    figure = new_figure(1.35 * len(images), 1.9)
    grid = figure.add_gridspec(1, len(images))
    answers = [
        f"{shortened(class_names[row.argmax()], 14)}\n{percent(float(row.max()), 0)} sure" for row in probabilities
    ]
    for i, (image, answer) in enumerate(zip(images, answers, strict=True)):
        ax = add_axes(figure, grid[i])
        ax.imshow(image)
        ax.set_axis_off()
        set_fonts([ax.set_title(answer, fontsize=LABEL_SIZE, color=INK)])
    said = "; ".join(answer.replace("\n", ", ") for answer in answers)
    return with_alt_text(figure, f"Pictures in a row, each with the model's answer: {said}.")
