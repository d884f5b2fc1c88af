"""A teaching widget that draws a figure, and leaves it in the notebook where no kernel runs."""

from __future__ import annotations

from typing import Any

from ipywidgets import HTML
from matplotlib.figure import Figure

from tl_widgets.plots.comparison import figure_html
from tl_widgets.teaching.boxes import PlainBox
from tl_widgets.teaching.show import as_outputs
from tl_widgets.widgets.shared.html import style

_CHILD = ".jp-OutputArea-child"
# The figure and its words are ordinary outputs below the widget. This style goes away with the widget.
_WHILE_ALIVE = (
    f"<style>{_CHILD}:has(.tlw-pictured)+{_CHILD},{_CHILD}:has(.tlw-pictured)+{_CHILD}+{_CHILD}{{display:none}}</style>"
)
# A slider measures itself by its container, so without a width it has none.
_WIDE_SLIDERS = (
    "<style>.tlw-pictured .tlw-row>.tlw-slider,.tlw-pictured .tlw-row>:has(>.tlw-slider)"
    "{flex:1 1 220px;min-width:180px;max-width:300px}</style>"
)
# The widget's own output then says "model not found".
_WITHOUT_WIDGET = (
    f"<style>{_CHILD}:has(+{_CHILD}+{_CHILD} .tlw-pictured-words):not(:has(.tlw-pictured)){{display:none}}</style>"
    '<span class="tlw-pictured-words"></span>'
)


class PicturedBox(PlainBox):
    """Controls and a figure that follows them; a saved notebook keeps the figure.

    Subclasses make their controls, call `__init__`, and define `figure`.

    Args:
        controls: The row of controls.
        text: What replaces the widget where there is no picture.
        width_px: The widest that the figure gets.
    """

    def __init__(self, controls: Any, text: str, width_px: int) -> None:
        self._width_px = width_px
        self._picture = HTML()
        self._handles: list[Any] = []
        for field in controls.children:
            field.observe(lambda _: self._draw(), "value")
        super().__init__([HTML(style() + _WHILE_ALIVE + _WIDE_SLIDERS), controls, self._picture], text)
        self.add_class("tlw-pictured")
        self._draw()

    def figure(self) -> Figure:
        """Draw what the controls show; its label is the text alternative."""
        raise NotImplementedError

    def _draw(self) -> None:
        figure = self.figure()
        self._picture.value = figure_html(figure, str(figure.get_label()), self._width_px)
        for handle, output in zip(self._handles, self._outputs(figure), strict=False):
            handle.update(output)

    def _outputs(self, figure: Figure) -> tuple[Any, Any]:
        picture, words = as_outputs(figure)
        words.data += _WITHOUT_WIDGET
        return picture, words

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self._repr_mimebundle_(), raw=True)
        self._handles = [display(output, display_id=True) for output in self._outputs(self.figure())]
