"""Paper, what remains of a widget where no kernel runs: on GitHub, in nbviewer, in a notebook that is opened again.

It is an ordinary output below the widget, with a picture above it where there is one. While the widget lives, lab.css
hides both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tl_widgets.core.html import Markup

_CHILD = ".jp-OutputArea-child"


@dataclass(frozen=True)
class Page:
    """HTML that IPython displays, and the text that replaces it elsewhere."""

    html: str
    text: str

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002
        return {"text/html": self.html, "text/plain": self.text}


class Paper:
    """What a widget leaves below it in the saved notebook.

    Args:
        text: what it says at first.
    """

    def __init__(self, text: str = "") -> None:
        self._content, self._text, self._picture = Markup("<p><i>{}</i></p>").format(text), text, None
        self._first = self._content, text
        self._handles: list[Any] = []

    def display(self) -> None:
        """Show it as outputs of the cell that runs."""
        from IPython.display import display

        self._handles = [display(output, display_id=True) for output in self._outputs]

    def show(self, sentences: tuple[str, ...], picture: Markup | str = "") -> None:
        """Replace the content with a picture, trusted HTML, and sentences; from any thread."""
        lines = Markup("").join(Markup("<p>{}</p>").format(sentence) for sentence in sentences)
        self.replace(Markup("{}{}").format(Markup(picture), lines), "\n".join(sentences))

    def clear(self) -> None:
        """Show what it said at first."""
        self.replace(*self._first)

    def replace(self, content: Markup, text: str, picture: Any = None) -> None:
        """Replace the content; from any thread.

        Args:
            content: trusted HTML.
            text: the same where no HTML is shown.
            picture: what IPython displays above the content. A widget has one from the start, or never.
        """
        self._content, self._text, self._picture = content, text, picture
        for handle, output in zip(self._handles, self._outputs, strict=False):
            handle.update(output)

    @property
    def _outputs(self) -> list[Any]:
        page = Page(self._html, self._text)
        return [page] if self._picture is None else [self._picture, page]

    @property
    def _html(self) -> str:
        # Without a kernel, the widget's own output says "model not found". It has no class, as what is rendered has.
        has_picture = self._picture is not None
        between = f"{_CHILD} + " if has_picture else ""
        style = f"{_CHILD}:has(+ {between}{_CHILD} .tlw-paper):not(:has(.tlw, [class*=jp-Rendered])){{display:none}}"
        name = "tlw-paper tlw-pictured" if has_picture else "tlw-paper"
        return f'<style>{style}</style><div class="{name}">{self._content}</div>'
