"""Close the apps of a notebook cell when it runs again: ipywidgets would keep them, and their images, forever."""

from __future__ import annotations

import weakref
from typing import Protocol

from ipywidgets import Widget

Cell = tuple[str, str]


class _Closable(Protocol):
    def close(self) -> None: ...


_apps: dict[str, list[tuple[str, weakref.ReferenceType[_Closable]]]] = {}


def current_cell() -> Cell | None:
    """Return the ids of the cell and of its current execution; None outside a kernel."""
    try:
        from IPython import get_ipython

        parent = get_ipython().kernel.get_parent("shell")
        execution = parent["header"]["msg_id"]
        # JupyterLab sends the id of the cell. nbclient doesn't, so the code has to identify it.
        cell = parent.get("metadata", {}).get("cellId") or parent["content"]["code"]
    except (ImportError, AttributeError, KeyError, TypeError, LookupError):
        return None
    return str(cell), str(execution)


def close_previous_apps(app: _Closable) -> str:
    """Close the apps from earlier executions of this cell; several from one execution all stay.

    Return the app's place, which is the same whenever the cell runs; "" outside a kernel.
    """
    here = current_cell()
    if here is None:
        return ""
    cell, execution = here
    kept = []
    for made_by, reference in _apps.get(cell, []):
        old = reference()
        if old is not None and made_by != execution:
            old.close()
        elif old is not None:
            kept.append((made_by, reference))
    _apps[cell] = [*kept, (execution, weakref.ref(app))]
    return f"{cell} {len(kept)} {type(app).__name__}"


def close_tree(widget: Widget) -> None:
    """Close a widget with its children, layouts and styles."""
    for child in getattr(widget, "children", ()):
        close_tree(child)
    for name in ("layout", "style"):
        part = getattr(widget, name, None)
        if isinstance(part, Widget):
            part.close()
    widget.unobserve_all()
    Widget.close(widget)
