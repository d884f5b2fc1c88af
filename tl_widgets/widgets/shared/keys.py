"""KeyGuard, which keeps keys that are typed in an app from JupyterLab's shortcuts."""

from __future__ import annotations

import anywidget
from ipywidgets import Layout

from tl_widgets.core.translation import _
from tl_widgets.widgets.shared.html import page_file


class KeyGuard(anywidget.AnyWidget):
    """An invisible part of an app: as long as it's there, no key typed in the app cuts cells or moves between them.

    Escape closes the app's drawer. It guards everything inside the nearest element with the class `tlw`.
    """

    _esm = (
        page_file("shared/keys.js")
        + """
export default {
  render({ el }) {
    const ends = [keepKeys, tellPressed, leaveDrawer].map((guard) => guard(() => el.closest(".tlw")));
    return () => ends.forEach((end) => end());
  },
};
"""
    )

    def __init__(self) -> None:
        super().__init__(layout=Layout(display="none"))

    def __repr__(self) -> str:
        return _("KeyGuard (needs a live notebook)")
