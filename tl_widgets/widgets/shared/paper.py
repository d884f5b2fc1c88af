"""Paper, what remains of an app where no kernel runs: on GitHub, in nbviewer, in a notebook that is opened again.

It is an ordinary output below the app, hidden while the app lives.
"""

from __future__ import annotations

from typing import Any

from tl_widgets.core.html import Markup

# The app's own output then says "model not found".
_WITHOUT_APP = (
    "<style>.jp-OutputArea-child:has(+ .jp-OutputArea-child .tlw-paper):not(:has(.tlw-lab)){display:none}</style>"
)


class Paper:
    """An output below an app, which stays in the saved notebook.

    Args:
        text: what it says before the app has a result.
    """

    def __init__(self, text: str) -> None:
        self._content = Markup("<p><i>{}</i></p>").format(text)
        self._handle: Any = None

    def display(self) -> None:
        """Show it as an output of the cell that runs."""
        from IPython.display import HTML, display

        self._handle = display(HTML(self._html), display_id=True)

    def show(self, sentences: tuple[str, ...], picture: Markup | str = "") -> None:
        """Replace the content with a picture, trusted HTML, and sentences; from any thread."""
        lines = Markup("").join(Markup("<p>{}</p>").format(sentence) for sentence in sentences)
        self._content = Markup("{}{}").format(Markup(picture), lines)
        if self._handle is not None:
            from IPython.display import HTML

            self._handle.update(HTML(self._html))

    @property
    def _html(self) -> str:
        return f'{_WITHOUT_APP}<div class="tlw-paper">{self._content}</div>'
