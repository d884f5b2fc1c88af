"""ColumnsQuestion, which asks for a column of a table of labels where the guess is unclear."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ipywidgets import HTML, Button, Dropdown, VBox

from tl_widgets.core.translation import _
from tl_widgets.data.archives import printable
from tl_widgets.data.layouts.tree import UnclearColumnsError
from tl_widgets.records.provenance import NO_COLUMNS, Columns
from tl_widgets.widgets.shared.fields import STYLE, row
from tl_widgets.widgets.shared.html import escape


class ColumnsQuestion(VBox):
    """A menu of columns, hidden as long as there is no question.

    Args:
        answer: receives the folder or archive, and the columns chosen so far.
    """

    def __init__(self, answer: Callable[[Path, Columns], object]) -> None:
        self._answer = answer
        self._path, self._columns, self._argument = Path(), NO_COLUMNS, ""
        self._question = HTML()
        self.menu = Dropdown(description=_("Column"), style=STYLE)
        self.open_button = Button(description=_("Open with this column"))
        self.open_button.on_click(lambda _: self._choose())
        super().__init__([self._question, row(self.menu, self.open_button)])
        self.add_class("tlw-columns-question")
        self.hide()

    def ask(self, path: Path, columns: Columns, error: UnclearColumnsError) -> None:
        """Ask for the column that an error is about; `columns` were chosen before."""
        self._path, self._columns, self._argument = path, columns, error.argument
        which = _("names the pictures’ files") if error.argument == "image_column" else _("holds the classes")
        self._question.value = _(
            '<p class="tlw-live" role="status">Which column of <b>{table}</b> {which}?</p>',
            table=escape(error.table),
            which=which,
        )
        self.menu.options = [
            (f"{printable(name)}: {printable(values)}", name) for name, values in error.columns.items()
        ]
        self.menu.index = 0  # otherwise none is chosen
        self.layout.display = ""

    def hide(self) -> None:
        """Ask nothing any more."""
        self.layout.display = "none"

    def _choose(self) -> None:
        name = "image" if self._argument == "image_column" else "label"
        self._answer(self._path, replace(self._columns, **{name: self.menu.value}))
