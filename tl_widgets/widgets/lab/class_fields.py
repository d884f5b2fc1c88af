"""ClassFields, checkboxes for the classes of a data set."""

from __future__ import annotations

from collections.abc import Callable

from ipywidgets import HTML, Box, Checkbox, VBox

from tl_widgets.core.translation import _
from tl_widgets.widgets.shared.cells import close_tree
from tl_widgets.widgets.shared.fields import FieldUpdate
from tl_widgets.widgets.shared.html import plain_label

MAX_TICKS = 40  # more would be tedious to use


class ClassFields(VBox):
    """A checkbox for each class, or none if there are more than `MAX_TICKS` classes.

    Args:
        on_change: receives the names of the checked classes in label order; None if all are checked.
    """

    def __init__(self, on_change: Callable[[tuple[str, ...] | None], None]) -> None:
        self._on_change = on_change
        self._names: tuple[str, ...] = ()
        self._field_update = FieldUpdate()
        self._title, self._box = HTML(), Box()
        self.ticks: tuple[Checkbox, ...] = ()
        self._box.add_class("tlw-ticks")
        super().__init__([self._title, self._box])

    def show(self, names: tuple[str, ...], chosen: tuple[str, ...] | None, *, disabled: bool) -> None:
        """Show the classes of a data set, in label order, and check the chosen ones; None checks all."""
        with self._field_update:
            if names != self._names:
                self._renew(names)
            for name, tick in zip(self._names, self.ticks, strict=False):
                tick.value = chosen is None or name in chosen
                tick.disabled = disabled
        n_chosen = len(names) if chosen is None else len(chosen)
        used = (
            _("all {n_names}", n_names=len(names))
            if n_chosen == len(names)
            else _("{n_chosen} of {n_names}", n_chosen=n_chosen, n_names=len(names))
        )
        self._title.value = _('<span class="tlw-ticks-title">Classes: {used}</span>', used=used)

    def _renew(self, names: tuple[str, ...]) -> None:
        for tick in self.ticks:
            close_tree(tick)
        self._names = names
        # ipywidgets treats descriptions as plain text, so HTML in a name is harmless.
        listed = names if len(names) <= MAX_TICKS else ()
        self.ticks = tuple(Checkbox(True, description=plain_label(name), indent=False) for name in listed)
        for tick in self.ticks:
            tick.style.description_width = "initial"
            tick.observe(self._changed, "value")
        self._box.children = self.ticks

    def _changed(self, _: object) -> None:
        if self._field_update.is_active:
            return
        chosen = tuple(name for name, tick in zip(self._names, self.ticks, strict=True) if tick.value)
        self._on_change(None if chosen == self._names else chosen)
