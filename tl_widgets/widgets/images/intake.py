"""ImageIntake, the ways to open or begin a set of pictures, and NewClass, the box for a class that isn't there yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ipywidgets import HTML, Button, Dropdown, HBox, Text, VBox

from tl_widgets.collections import storage as own_files
from tl_widgets.collections.storage import Incoming, find_folders, uploads_folder
from tl_widgets.core.paths import working_folder
from tl_widgets.core.translation import _, ngettext
from tl_widgets.data.archives import printable
from tl_widgets.widgets.images.classes import upload_view
from tl_widgets.widgets.shared.fields import STYLE, Switchable, row
from tl_widgets.widgets.shared.html import escape
from tl_widgets.widgets.shared.upload import UploadView

_ADVICE = _("Make one sub-folder for each class, named like the class, with its pictures inside; then press Refresh.")


@dataclass(frozen=True)
class IntakeActions:
    """Callbacks for sets of pictures. Each returns immediately, and closes uploaded files when it is done with them.

    Attributes:
        open_path: receives the chosen folder or zip.
        take_zip: receives an uploaded zip.
        begin: begins a new, empty set.
    """

    open_path: Callable[[Path], object]
    take_zip: Callable[[Incoming], object]
    begin: Callable[[], object]


class ImageIntake(Switchable, VBox):
    """A button for a new set, a menu of the folders and zips here, and an upload for another zip."""

    def __init__(self, actions: IntakeActions) -> None:
        self._problems: dict[Path, str] = {}
        self.new_button = Button(
            description=_("New set"), icon="plus", tooltip=_("Begin with an empty set of pictures")
        )
        self.menu = Dropdown(description=_("Folder or zip"), style=STYLE)
        self.open_button = Button(description=_("Open"))
        self.refresh_button = Button(description=_("Refresh"), tooltip=_("Find new folders and zips"))
        self.zip_upload = UploadView(
            lambda _, incoming: actions.take_zip(incoming),
            max_bytes=own_files.MAX_STORED_BYTES,
            label=_("Upload a zip"),
            accept=".zip,.tar,.gz,.tgz,.bz2,.xz,.7z",
            kind=_("zip"),
        )
        self.zip_upload.add_class("tlw-small-upload")
        self._unusable = HTML()
        parts = row(self.new_button, self.menu, self.open_button, self.refresh_button, self.zip_upload)
        super().__init__([parts, self._unusable])
        self.add_class("tlw-intake")
        self.refresh_menu()
        self.new_button.on_click(lambda _: actions.begin())
        self.open_button.on_click(lambda _: self.menu.value and actions.open_path(self.menu.value))
        self.refresh_button.on_click(lambda _: self.refresh_menu())
        self.menu.observe(lambda _: self._show_enabled(), "value")
        self._show_enabled()

    def refresh_menu(self) -> None:
        """Update the menu to the folders and zips that are next to the notebook now."""
        chosen, found = self.menu.value, find_folders()
        self._problems = {folder.path: folder.problem for folder in found if folder.problem}
        usable = [(printable(_shown(folder.path)), folder.path) for folder in found if not folder.problem]
        unusable = [(_("{shown} (can’t be used)", shown=printable(_shown(path))), path) for path in self._problems]
        placeholder = _("choose one") if usable else _("none found")
        self.menu.options = [(placeholder, None), *usable, *unusable]
        paths = [path for _, path in self.menu.options]
        # Set the index: for ipywidgets, the value None means that no option is chosen, not even one with that value.
        self.menu.index = paths.index(chosen) if chosen in paths else 0
        self._show_enabled()

    def _show_enabled(self) -> None:
        for widget in (self.new_button, self.menu, self.refresh_button):
            widget.disabled = not self._enabled
        chosen = self.menu.value
        self.open_button.disabled = not (self._enabled and chosen and chosen not in self._problems)
        self.zip_upload.enabled = self._enabled
        self._unusable.value = _unusable_html(self._problems, chosen)


class NewClass(Switchable, VBox):
    """The box for a new class: its name, and its first pictures.

    Args:
        take_pictures: receives the class name and uploaded files.
        photograph: receives the class name, for the camera.
    """

    def __init__(self, take_pictures: Callable[[str, Incoming], object], photograph: Callable[[str], None]) -> None:
        self.class_name = Text(description=_("Class name"), placeholder=_("such as cat"), style=STYLE)
        self.upload = upload_view(take_pictures, _("Upload"))
        self.camera_button = Button(description=_("Camera"), tooltip=_("Take pictures of a new class"))
        self._title, self._hint = HTML(), HTML()
        self.upload.purpose = _("a new class")
        buttons = HBox([self.upload, self.camera_button])
        buttons.add_class("tlw-class-buttons")
        super().__init__([self._title, self.class_name, buttons, self._hint])
        for name in ("tlw-class-box", "tlw-new-class"):
            self.add_class(name)
        self.camera_button.on_click(lambda _: photograph(self.class_name.value.strip()))
        self.class_name.observe(lambda _: self._show_enabled(), "value")
        self.show_set("")
        self._show_enabled()

    def show_set(self, name: str) -> None:
        """Say which set the class will be in; "" for a new one."""
        where = _("in {name}", name=escape(name)) if name else _("in a new set")
        self._title.value = _('<p><b>New class</b> <span class="tlw-where">{where}</span></p>', where=where)

    def _show_enabled(self) -> None:
        self.class_name.disabled = self.camera_button.disabled = not self._enabled
        self.upload.enabled = self._enabled
        self.upload.goal = self.class_name.value
        # Without a class, there is no place to keep the pictures, so don't upload them.
        self.upload.missing = "" if self.class_name.value.strip() else _("Give the class a name first.")
        self._hint.value = f'<span class="tlw-where">{self.upload.missing}</span>'


def _unusable_html(problems: dict[Path, str], chosen: Path | None) -> str:
    """Return which folders and zips can't be used and why; if one of them is chosen, what to do about it."""
    if chosen in problems:
        what, why = escape(printable(_shown(chosen))), escape(problems[chosen])
        return _(
            '<p class="tlw-unusable" role="status"><b>{what}</b> can’t be used: {why}. {advice}</p>',
            what=what,
            why=why,
            advice=_ADVICE,
        )
    if not problems:
        return ""
    items = "".join(
        f"<li><b>{escape(printable(_shown(path)))}</b>: {escape(why)}</li>" for path, why in problems.items()
    )
    n = len(problems)
    summary = ngettext("{n} folder or zip here can’t be used", "{n} folders or zips here can’t be used", n)
    return f'<details class="tlw-unusable"><summary>{summary}</summary><ul>{items}</ul></details>'


def _shown(path: Path) -> str:
    """Return the path relative to the notebook, if it lies below."""
    return path.relative_to(working_folder()).as_posix() if path.is_relative_to(working_folder()) else str(path)


def kept_text() -> str:
    """Return where uploads go, as HTML."""
    return _(
        '<p class="tlw-note">Uploads and photographs are kept in <code>{shown}</code>; nothing there '
        "is ever overwritten. A folder beside the notebook needs one sub-folder for each class.</p>",
        shown=escape(_shown(uploads_folder())),
    )
