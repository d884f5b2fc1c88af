"""A teaching widget that draws a figure, and leaves it in the notebook where no kernel runs."""

from __future__ import annotations

from typing import Any

from ipywidgets import HTML
from matplotlib.figure import Figure

from tl_widgets.plots.comparison import figure_html
from tl_widgets.teaching.box import PlainBox
from tl_widgets.teaching.show import as_outputs
from tl_widgets.widgets.shared.html import style

# A slider measures itself by its container, so without a width it has none.
_WIDE_SLIDERS = (
    "<style>.tlw-sliders .tlw-row>.tlw-slider,.tlw-sliders .tlw-row>:has(>.tlw-slider)"
    "{flex:1 1 220px;min-width:180px;max-width:300px}</style>"
)


class PicturedBox(PlainBox):
    """Controls and a figure that follows them; a saved notebook keeps the figure.

    Subclasses make their controls, call `__init__`, and define `figure`.

    Args:
        controls: The row of controls.
        note: What stands above the figure where no kernel runs.
        width_px: The widest that the figure gets.
    """

    def __init__(self, controls: Any, note: str, width_px: int) -> None:
        self._width_px = width_px
        self._drawing = HTML()
        for field in controls.children:
            field.observe(lambda _: self._draw(), "value")
        super().__init__([HTML(style() + _WIDE_SLIDERS), controls, self._drawing], note)
        self.add_class("tlw-sliders")
        self._draw()

    def figure(self) -> Figure:
        """Draw what the controls show; its label is the text alternative."""
        raise NotImplementedError

    def _draw(self) -> None:
        figure = self.figure()
        text = str(figure.get_label())
        self._drawing.value = figure_html(figure, text, self._width_px)
        picture, words = as_outputs(figure)
        self.paper.replace(words, text, picture)
