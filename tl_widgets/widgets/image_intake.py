"""The ways by which a learner's pictures come into the Lab: a folder, a zip, several files, the camera."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipywidgets import HTML, Accordion, Button, Dropdown, FileUpload, HBox, Text, VBox, Widget

from tl_widgets.own_files import find_collections, uploads_folder
from tl_widgets.sources import printable
from tl_widgets.widgets.camera import CameraView
from tl_widgets.widgets.html import escape

LIMIT_VARIABLE = "TL_WIDGETS_UPLOAD_MB"  # `tl-widgets lab` sets it to what it has raised the limit to
USUAL_LIMIT_MB = 9  # JupyterLab's own is 10 MB for a message, and the files' names are in it, too
_STYLE = {"description_width": "initial"}
_BESIDE = (
    '<p class="tlw-intake"><b>From a folder or zip</b> beside the notebook, with one sub-folder for each class. A zip '
    "of any size can be dropped into JupyterLab’s file browser, on the left.</p>"
)


@dataclass(frozen=True)
class IntakeActions:
    """What is called when something comes; each returns at once.

    Attributes:
        open_path: a folder or zip was chosen.
        take_zip: (name, bytes) of an uploaded zip.
        take_pictures: (class name, [(name, bytes), ...]) of uploaded files.
        take_photograph: (class name, bytes) from the camera; raises `InputError` where it cannot be kept.
    """

    open_path: Callable[[Path], object]
    take_zip: Callable[[str, bytes], object]
    take_pictures: Callable[[str, Sequence[tuple[str, bytes]]], object]
    take_photograph: Callable[[str, bytes], None]


class ImageIntake(VBox):
    """Fields and buttons to bring pictures with.

    Args:
        actions: what to do with them.
    """

    def __init__(self, actions: IntakeActions) -> None:
        self._actions = actions
        self._enabled = True
        self.menu = Dropdown(description="Folder or zip", style=_STYLE)
        self.open_button = Button(description="Open", icon="folder-open")
        self.look_button = Button(description="Look again", tooltip="For folders and zips that are new since")
        self.zip_upload = FileUpload(description="Upload a zip", accept=".zip", multiple=False)
        self.class_name = Text(description="Class name", placeholder="what they show", style=_STYLE)
        self.picture_upload = FileUpload(description="Upload its pictures", accept="image/*", multiple=True)
        self.camera = CameraView(actions.take_photograph)
        self._camera_box = Accordion([self.camera], titles=["Take pictures with the camera"])
        beside = _row(self.menu, self.open_button, self.look_button)
        uploads = _row(self.zip_upload, self.class_name, self.picture_upload)
        super().__init__([HTML(_BESIDE), beside, HTML(_upload_line()), uploads, self._camera_box])
        self.look_again()
        self._connect()
        self._show_enabled()

    def _connect(self) -> None:
        self.open_button.on_click(lambda _: self.menu.value and self._actions.open_path(self.menu.value))
        self.look_button.on_click(lambda _: self.look_again())
        self.class_name.observe(lambda _: self._show_enabled(), "value")
        self.menu.observe(lambda _: self._show_enabled(), "value")
        self.zip_upload.observe(lambda change: self._uploaded(self.zip_upload, change["new"]), "value")
        self.picture_upload.observe(lambda change: self._uploaded(self.picture_upload, change["new"]), "value")

    @property
    def enabled(self) -> bool:
        """Whether something can be brought now."""
        return self._enabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        self._enabled = enabled
        self._show_enabled()

    def look_again(self) -> None:
        """Bring the menu to what lies beside the notebook now."""
        chosen = self.menu.value
        found = [(printable(_shown(path)), path) for path in find_collections()]
        nothing = "choose one" if found else "none found beside the notebook"
        self.menu.options = [(nothing, None), *found]
        # By its place: for ipywidgets a value of None chooses nothing, not even the line that says so.
        self.menu.index = next((i for i, (_, path) in enumerate(found, 1) if path == chosen), 0)

    def propose(self, class_names: Sequence[str]) -> None:
        """Tell the camera which classes there are."""
        self.camera.class_names = list(class_names)

    def _show_enabled(self) -> None:
        for widget in (self.menu, self.look_button, self.zip_upload, self.class_name):
            widget.disabled = not self._enabled
        self.open_button.disabled = not (self._enabled and self.menu.value)
        # Without a class nobody would know where the pictures belong, and they would be sent in vain.
        self.picture_upload.disabled = not (self._enabled and self.class_name.value.strip())
        self.camera.enabled = self._enabled

    def _uploaded(self, upload: FileUpload, value: Sequence[Any]) -> None:
        if not value:
            return
        files = [(str(each["name"]), bytes(each["content"])) for each in value]
        upload.value = ()  # the bytes are not held twice, and the same file can come again
        if upload is self.zip_upload:
            self._actions.take_zip(*files[0])
        else:
            self._actions.take_pictures(self.class_name.value, files)


def _row(*widgets: Widget) -> Widget:
    row = HBox(widgets)
    row.add_class("tlw-row")
    return row


def _shown(path: Path) -> str:
    """The path as seen from the notebook."""
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else str(path)


def upload_limit_mb() -> int:
    """How many megabytes can be uploaded at a time; JupyterLab drops more than that without a word."""
    raised = os.environ.get(LIMIT_VARIABLE, "")
    return int(raised) if raised.isdigit() else USUAL_LIMIT_MB


def _upload_line() -> str:
    """How much can be uploaded, and where it goes."""
    n_mb = upload_limit_mb()
    limit = (
        f"{n_mb} MB at a time."
        if n_mb > USUAL_LIMIT_MB
        else f"{USUAL_LIMIT_MB} MB at a time: JupyterLab drops more than that without a word, unless "
        "<code>tl-widgets lab</code> started it (100 MB). Larger ones: use the folder."
    )
    return (
        f'<p class="tlw-intake"><b>Or upload</b> a zip, or several pictures of one class, up to {limit} Uploads '
        f"are kept in <code>{escape(_shown(uploads_folder()))}</code>, and nothing there is ever overwritten.</p>"
    )
