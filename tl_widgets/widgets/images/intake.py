"""ImageIntake: the ways to bring pictures into the Lab, which are a folder, a zip, several files, and the camera."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ipywidgets import HTML, Accordion, Button, Dropdown, Text, VBox

from tl_widgets.collections import storage as own_files
from tl_widgets.collections.storage import Incoming, find_collections, uploads_folder
from tl_widgets.collections.uploads import MAX_AT_ONCE
from tl_widgets.data.archives import MAX_FILE_BYTES, printable
from tl_widgets.widgets.images.camera import CameraView
from tl_widgets.widgets.shared.fields import STYLE, row
from tl_widgets.widgets.shared.html import escape
from tl_widgets.widgets.shared.upload import UploadView

_BESIDE = (
    '<p class="tlw-intake"><b>From a folder or zip</b> beside the notebook, with one sub-folder for each class. A zip '
    "of any size can be dropped into JupyterLab’s file browser, on the left.</p>"
)


@dataclass(frozen=True)
class IntakeActions:
    """Callbacks for new pictures. Each returns immediately, and closes uploaded files when it is done with them.

    Attributes:
        open_path: receives the chosen folder or zip.
        take_zip: receives an uploaded zip.
        take_pictures: receives the class name and the uploaded files.
        take_photograph: receives the class name and a file from the camera; raises `InputError` if it cannot keep it.
    """

    open_path: Callable[[Path], object]
    take_zip: Callable[[Incoming], object]
    take_pictures: Callable[[str, Incoming], object]
    take_photograph: Callable[[str, bytes], None]


class ImageIntake(VBox):
    """Fields and buttons for bringing pictures into the Lab."""

    def __init__(self, actions: IntakeActions) -> None:
        self._actions = actions
        self._enabled = True
        self.menu = Dropdown(description="Folder or zip", style=STYLE)
        self.open_button = Button(description="Open", icon="folder-open")
        self.refresh_button = Button(description="Refresh", tooltip="Find new folders and zips")
        self.zip_upload = UploadView(
            lambda _, incoming: actions.take_zip(incoming), max_bytes=own_files.MAX_STORED_BYTES, label="Upload a zip",
            accept=".zip", kind="zip", hint="or drop it here",
        )  # fmt: skip
        self.class_name = Text(description="Class name", placeholder="what they show", style=STYLE)
        self.picture_upload = UploadView(
            actions.take_pictures, max_bytes=MAX_FILE_BYTES, label="Upload its pictures", accept="image/*,.tif,.tiff",
            max_files=MAX_AT_ONCE, kind="picture", hint="or drop them here",
        )  # fmt: skip
        self.camera = CameraView(actions.take_photograph)
        self._camera_box = Accordion([self.camera], titles=["Take pictures with the camera"])
        path_row = row(self.menu, self.open_button, self.refresh_button)
        uploads = [row(self.zip_upload), row(self.class_name, self.picture_upload)]
        super().__init__([HTML(_BESIDE), path_row, HTML(_upload_line()), *uploads, self._camera_box])
        self.refresh_menu()
        self._connect()
        self._show_enabled()

    def _connect(self) -> None:
        self.open_button.on_click(lambda _: self.menu.value and self._actions.open_path(self.menu.value))
        self.refresh_button.on_click(lambda _: self.refresh_menu())
        self.class_name.observe(lambda _: self._show_enabled(), "value")
        self.menu.observe(lambda _: self._show_enabled(), "value")

    @property
    def enabled(self) -> bool:
        """Whether pictures can be added now."""
        return self._enabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        self._enabled = enabled
        self._show_enabled()

    def refresh_menu(self) -> None:
        """Update the menu to the folders and zips that are next to the notebook now."""
        chosen = self.menu.value
        options = [(printable(_shown(path)), path) for path in find_collections()]
        placeholder = "choose one" if options else "none found beside the notebook"
        self.menu.options = [(placeholder, None), *options]
        # Set the index: for ipywidgets, the value None means that no option is chosen, not even one with that value.
        self.menu.index = next((i for i, (_, path) in enumerate(options, 1) if path == chosen), 0)

    def suggest_classes(self, class_names: Sequence[str]) -> None:
        """Set the class names that the camera suggests."""
        self.camera.class_names = list(class_names)

    def _show_enabled(self) -> None:
        for widget in (self.menu, self.refresh_button, self.class_name):
            widget.disabled = not self._enabled
        self.open_button.disabled = not (self._enabled and self.menu.value)
        # Without a class, there is no place to keep the pictures, so don't upload them.
        self.picture_upload.goal = self.class_name.value
        self.picture_upload.missing = "" if self.class_name.value.strip() else "Give their class a name first."
        for widget in (self.zip_upload, self.picture_upload, self.camera):
            widget.enabled = self._enabled


def _shown(path: Path) -> str:
    """Return the path relative to the notebook, if it lies below."""
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else str(path)


def _upload_line() -> str:
    """Return HTML that says what can be uploaded, and where uploads go."""
    return (
        '<p class="tlw-intake"><b>Or upload</b> a zip, large ones too, or several pictures of one class. Uploads are '
        f"kept in <code>{escape(_shown(uploads_folder()))}</code>, and nothing there is ever overwritten.</p>"
    )
