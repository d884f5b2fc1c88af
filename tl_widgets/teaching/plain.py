"""What all widgets of the notebooks have in common: a text in their place where no widget can be."""

from __future__ import annotations

from typing import Any

from ipywidgets import VBox

from tl_widgets.widgets.shared.cells import close_tree, take_place


class PlainBox(VBox):
    """A VBox with a fixed text that stands in its place on GitHub, on paper, and in tests of notebooks.

    Args:
        children: widgets.
        text: what to say where widgets cannot be shown.
    """

    def __init__(self, children: list[Any], text: str) -> None:
        super().__init__(children)
        self._text = text
        self.add_class("tlw")
        self.layout.margin = "6px 0"
        take_place(self)

    def close(self) -> None:
        """Take the widget and all its parts away."""
        close_tree(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:  # noqa: ARG002 - IPython's signature
        bundle = super()._repr_mimebundle_()
        if isinstance(bundle, dict):
            bundle["text/plain"] = self._text
        return bundle
