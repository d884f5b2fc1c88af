"""Picture, which shows a drawing or chart as SVG or HTML, and reports what is clicked in it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from tl_widgets.core.translation import _
from tl_widgets.widgets.shared.html import page_file
from tl_widgets.widgets.shared.threads import log


class Picture(anywidget.AnyWidget):
    """Markup whose parts can be clicked and explored, with the mouse and with the keyboard.

        picture = Picture('<svg ...><g data-click="head" aria-label="The head">...</g></svg>')
        picture.on_click(print)

    An element with `data-click="KEY"` is a button. A container with `data-roam` and `tabindex="0"` is one Tab stop: the
    arrow keys, Home, End and the mouse make one of the `data-stop` and `data-click` elements in it the current one,
    which has the class `tlw-current`. New markup keeps the focus and the current element if its key is still there.

    Attributes:
        markup: SVG or HTML, at most about 100 kB if it changes several times a second. It's inserted as it is, so text
            from outside must be escaped in it.
        reports_size: whether the page sets `size`.
        size: width and height of its place in CSS pixels; empty while they are unknown.
        drawing: held by who draws for `size`: of a training's thread and the main thread, which receives another size,
            the one that began last must end last.
    """

    _esm = page_file("shared/keys.js") + page_file("shared/picture.js")
    markup = traitlets.Unicode().tag(sync=True)
    reports_size = traitlets.Bool().tag(sync=True)
    size = traitlets.List(traitlets.Int()).tag(sync=True)

    def __init__(self, markup: str = "", *, reports_size: bool = False) -> None:
        self._listeners: list[Callable[[str], object]] = []
        self.drawing = threading.RLock()
        super().__init__(markup=markup, reports_size=reports_size)
        self.on_msg(self._on_message)

    def __repr__(self) -> str:
        return _("Picture (needs a live notebook)")

    def on_click(self, listener: Callable[[str], object]) -> None:
        """Call a function with the key of each element that is clicked, or on which Enter or Space is pressed."""
        self._listeners.append(listener)

    def _on_message(self, _: Any, content: Any, buffers: Any) -> None:  # noqa: ARG002 - ipywidgets' signature
        key = content.get("click") if isinstance(content, dict) else None
        if not isinstance(key, str):
            return
        for listener in self._listeners:
            try:
                listener(key)
            except Exception:
                log.exception("a click on %r could not be processed", key)
