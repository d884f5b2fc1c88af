"""Figures as the output of a cell, with their text alternatives."""

from __future__ import annotations

import textwrap
from typing import Any, TypeVar

from tl_widgets.core.errors import InputError
from tl_widgets.core.html import Markup
from tl_widgets.core.translation import _
from tl_widgets.plots.comparison import figure_png

_COLUMNS = 88
Drawing = TypeVar("Drawing")


def say(text: str) -> None:
    """Print a text in short lines, because GitHub doesn't break long ones; indented lines stay indented."""
    for line in text.splitlines():
        indent = " " * (len(line) - len(line.lstrip()))
        print(textwrap.fill(line, _COLUMNS, subsequent_indent=indent))  # noqa: T201 - the output of a notebook's cell


def show(drawing: Any, alt_text: str = "") -> None:
    """Show a figure as PNG, with its text alternative under it, folded.

    GitHub and printed pages show the PNG. JupyterLab 4.6 ignores `alt` in an output's metadata, so the text is part of
    the page.

    Args:
        drawing: The result of a plot function.
        alt_text: The text alternative; figures of `tl_widgets.teaching` carry theirs.

    Raises:
        InputError: There is no text alternative.
    """
    from IPython.display import HTML, display

    figure = getattr(drawing, "figure", None) or drawing
    if alt_text:
        with_alt_text(figure, alt_text)
    if not figure.get_label():
        raise InputError(_("Say what the figure shows, for people who can't see it: show(drawing, alt_text)."))
    picture, words = as_outputs(drawing)
    display(picture)
    display(HTML(words))


def as_outputs(drawing: Any) -> tuple[Any, Markup]:
    """Return a figure that carries its text alternative as two outputs: the PNG, and the words, folded, as HTML."""
    from IPython.display import Image

    figure = getattr(drawing, "figure", None) or drawing
    text = str(figure.get_label())
    picture = Image(figure_png(drawing, dpi=120), width=round(figure.get_figwidth() * 96), alt=text)
    return picture, Markup(_("<details><summary>This figure in words</summary><p>{}</p></details>")).format(text)


def with_alt_text(drawing: Drawing, alt_text: str) -> Drawing:
    """Store a figure's text alternative in its label, which isn't drawn."""
    figure: Any = getattr(drawing, "figure", None) or drawing
    figure.set_label(alt_text)
    return drawing
