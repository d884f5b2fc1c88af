"""Show a figure as a cell's ordinary output, with the same in words."""

from __future__ import annotations

import textwrap
from typing import Any, TypeVar

from tl_widgets.core.errors import InputError
from tl_widgets.plots.comparison import figure_png
from tl_widgets.widgets.shared.html import escape

_COLUMNS = 88
Drawing = TypeVar("Drawing")


def say(text: str) -> None:
    """Print a text in lines that fit a page: notebooks break long lines anywhere, GitHub not at all.

    Args:
        text: a few sentences.
    """
    print(textwrap.fill(text, _COLUMNS))  # noqa: T201 - the ordinary output of a notebook's cell


def show(drawing: Any, words: str = "") -> None:
    """Show a figure as PNG, and under it, to be opened, what it shows in words.

    The PNG is what GitHub and printed pages show. JupyterLab gives pictures in outputs no text alternative
    (4.6 ignores `alt` in their metadata), so that the words stand in the page itself.

    Args:
        drawing: what a plot function returned.
        words: the text alternative; figures of this package carry theirs.

    Raises:
        InputError: the figure carries no words, and none were given.
    """
    from IPython.display import HTML, Image, display

    figure = getattr(drawing, "figure", None) or drawing
    words = words or str(figure.get_label())
    if not words:
        raise InputError("Say what the figure shows: show(drawing, words), for those who cannot see it.")
    width = round(figure.get_figwidth() * 96)
    png = figure_png(drawing, dpi=120)
    display(Image(png, width=width, alt=words))
    display(HTML(f"<details><summary>This figure in words</summary><p>{escape(words)}</p></details>"))


def with_words(drawing: Drawing, words: str) -> Drawing:
    """Let a figure carry its text alternative: its label, which is not drawn.

    Args:
        drawing: what a plot function made.
        words: the same in words.
    """
    figure: Any = getattr(drawing, "figure", None) or drawing
    figure.set_label(words)
    return drawing
