"""The box that widgets of the notebooks are in: it leaves something to read where no kernel runs."""

from __future__ import annotations

from typing import Any

from ipywidgets import VBox

from tl_widgets.widgets.shared.cells import close_previous_apps, close_tree
from tl_widgets.widgets.shared.keys import KeyGuard
from tl_widgets.widgets.shared.paper import Paper


class PlainBox(VBox):
    """A VBox that leaves something to read where no kernel runs.

    Args:
        children: its parts.
        note: what stands above its paper; "" if the paper says everything.

    Attributes:
        paper: what it leaves. Subclasses fill it.
    """

    def __init__(self, children: list[Any], note: str = "") -> None:
        super().__init__([*children, KeyGuard()])
        self._note = note
        self.paper = Paper()
        self.add_class("tlw")
        self.layout.margin = "6px 0"
        close_previous_apps(self)

    def close(self) -> None:
        """Remove the widget and all its parts."""
        close_tree(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:  # noqa: ARG002 - IPython's signature
        bundle: Any = super()._repr_mimebundle_()
        bundle.pop("text/plain", None)
        return {**bundle, "text/plain": self._note} if self._note else bundle

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self._repr_mimebundle_(), raw=True)
        self.paper.display()
