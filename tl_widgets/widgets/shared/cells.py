"""Which cell an app belongs to, and the end of the one that it takes the place of.

ipywidgets keeps every widget for ever. Without this, each time a cell is run again would leave a whole Lab,
its images and its thread behind.
"""

from __future__ import annotations

import weakref
from typing import Protocol

from ipywidgets import Widget

Cell = tuple[str, str]


class _Closable(Protocol):
    def close(self) -> None: ...


_apps: dict[str, list[tuple[str, weakref.ReferenceType[_Closable]]]] = {}


def current_cell() -> Cell | None:
    """(the cell, this execution of it); None outside a kernel."""
    try:
        from IPython import get_ipython

        parent = get_ipython().kernel.get_parent("shell")
        execution = parent["header"]["msg_id"]
        # JupyterLab says which cell it is. nbclient does not: there the code itself has to tell.
        cell = parent.get("metadata", {}).get("cellId") or parent["content"]["code"]
    except (ImportError, AttributeError, KeyError, TypeError, LookupError):
        return None
    return str(cell), str(execution)


def take_place(app: _Closable) -> None:
    """Close the apps that an earlier execution of this cell made; two made by one execution both stay.

    Args:
        app: the new one.
    """
    here = current_cell()
    if here is None:
        return
    cell, execution = here
    kept = []
    for made_by, reference in _apps.get(cell, []):
        old = reference()
        if old is not None and made_by != execution:
            old.close()
        elif old is not None:
            kept.append((made_by, reference))
    _apps[cell] = [*kept, (execution, weakref.ref(app))]


def close_tree(widget: Widget) -> None:
    """Close a widget and all that it is made of: children, layouts, styles.

    Args:
        widget: the root.
    """
    for child in getattr(widget, "children", ()):
        close_tree(child)
    for name in ("layout", "style"):
        part = getattr(widget, name, None)
        if isinstance(part, Widget):
            part.close()
    widget.unobserve_all()
    Widget.close(widget)
