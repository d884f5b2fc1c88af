"""ImageClasses: a box for each class of a learner's collection, side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ipywidgets import HTML, Box, Button, Checkbox, HBox, Text, VBox, Widget

from tl_widgets.collections.collection import ImageCollection
from tl_widgets.collections.storage import Incoming
from tl_widgets.collections.uploads import MAX_AT_ONCE, Addition
from tl_widgets.core.events import Cancel, raise_if_cancelled
from tl_widgets.core.numbers import count_text
from tl_widgets.core.translation import _, ngettext
from tl_widgets.data.archives import MAX_FILE_BYTES, SourceFile
from tl_widgets.widgets.images.gallery import Edit, Pages, thumbnail
from tl_widgets.widgets.shared.fields import STYLE, Switchable
from tl_widgets.widgets.shared.html import alert, escape
from tl_widgets.widgets.shared.threads import LatestRequest
from tl_widgets.widgets.shared.upload import UploadView

CLASSES_PER_PAGE, IMAGES_PER_BOX = 8, 4
_SIDE = 40  # pixels
_SHOWN = 50  # maximum number of skipped files in a list


@dataclass(frozen=True)
class ClassActions:
    """Callbacks of a class's box.

    Attributes:
        change: receives an edit.
        take_pictures: receives the class name and uploaded files.
        photograph: receives the class name, for the camera.
        look: receives the class's folder.
    """

    change: Callable[[Edit], None]
    take_pictures: Callable[[str, Incoming], object]
    photograph: Callable[[str], None]
    look: Callable[[str], None]


def upload_view(take_pictures: Callable[[str, Incoming], object], label: str) -> UploadView:
    """Return a small button that uploads pictures of a class."""
    view = UploadView(
        take_pictures, max_bytes=MAX_FILE_BYTES, label=label, accept="image/*,.tif,.tiff",
        max_files=MAX_AT_ONCE, kind=_("picture"),
    )  # fmt: skip
    view.add_class("tlw-small-upload")
    return view


class _ClassBox:
    """A class: its name, whether it is used, its number of images, a few of them, and ways to add more."""

    def __init__(self, i: int, actions: ClassActions) -> None:
        self._actions = actions
        self.folder, self._name, self._is_setting = "", "", False
        self.name = Text(description=_("Class {i}", i=i + 1), continuous_update=False, style=STYLE)
        self.tick = Checkbox(True, description=_("used"), indent=False, style=STYLE)
        self.count, self.strip = HTML(), HTML()
        self.upload = upload_view(actions.take_pictures, _("Upload"))
        self.camera_button, self.look_button = Button(description=_("Camera")), Button(description=_("Look"))
        buttons = HBox([self.upload, self.camera_button, self.look_button])
        buttons.add_class("tlw-class-buttons")
        facts = HBox([self.tick, self.count])
        facts.add_class("tlw-class-facts")
        self.box = VBox([self.name, facts, self.strip, buttons])
        self.box.add_class("tlw-class-box")
        self.name.observe(self._renamed, "value")
        self.tick.observe(self._ticked, "value")
        self.camera_button.on_click(lambda _: actions.photograph(self._name))
        self.look_button.on_click(lambda _: actions.look(self.folder))

    def show(self, number_: int, folder: str, name: str, n_files: int, n_left_out: int, *, is_used: bool) -> None:
        self.folder, self._name, self._is_setting = folder, name, True
        self.name.description = _("Class {number}", number=number_)
        self.name.value, self.tick.value = name, is_used
        self._is_setting = False
        self.upload.goal = self.upload.purpose = name
        self.camera_button.tooltip = _("Take pictures of {name}", name=name)
        self.look_button.tooltip = _("Look through the pictures of {name}, and leave some out", name=name)
        text = (
            _("<b>{n_files}</b> files", n_files=count_text(n_files - n_left_out)) if is_used else _("<b>not used</b>")
        )
        left_out = _(", {n_left_out} left out", n_left_out=count_text(n_left_out)) if n_left_out and is_used else ""
        self.count.value = f"<span>{text}{left_out}</span>"
        self.box.layout.display = ""

    def show_enabled(self, enabled: bool) -> None:
        self.upload.enabled = enabled
        for widget in (self.name, self.tick, self.camera_button):
            widget.disabled = not enabled

    def _renamed(self, change: dict[str, str]) -> None:
        if not self._is_setting and change["new"] != self._name:
            old, new = self._name, change["new"]
            self._actions.change(lambda collection: collection.rename(old, new))

    def _ticked(self, change: dict[str, bool]) -> None:
        if not self._is_setting:
            name, is_used = self._name, change["new"]
            self._actions.change(lambda collection: collection.take_back(name) if is_used else collection.drop(name))


class ImageClasses(Switchable, VBox):
    """The classes of a collection, and a box for a new one.

    Args:
        actions: what the boxes ask for.
        new_class: the box for a new class.
    """

    def __init__(self, actions: ClassActions, new_class: Widget) -> None:
        self._collection: ImageCollection | None = None
        self._actions, self._new_class = actions, new_class
        self._drawing: LatestRequest[tuple[ImageCollection, tuple[tuple[SourceFile, ...], ...]]] = LatestRequest(
            self._draw
        )
        self.rows: list[_ClassBox] = []
        self._boxes = Box([new_class])
        self._boxes.add_class("tlw-class-boxes")
        self.pages = Pages(
            _("Earlier classes"), _("More classes"), _("classes {first} to {last} of {n}"), CLASSES_PER_PAGE, self._show
        )
        super().__init__([self._boxes, self.pages])
        self._show()

    def _show_enabled(self) -> None:
        for box in self.rows:
            box.show_enabled(self._enabled)

    def show(self, collection: ImageCollection | None) -> None:
        """Show a collection, or none; after an edit, the page stays the same."""
        if self._collection is None or collection is None or self._collection.path != collection.path:
            self.pages.page = 0
        self._collection = collection
        self._show()

    def stop(self) -> None:
        """Stop drawing thumbnails."""
        self._drawing.stop()

    def _show(self) -> None:
        collection = self._collection
        page = self.pages.show(len(collection.folders) if collection else 0)
        shown = collection.folders[page] if collection else ()
        if len(self.rows) < len(shown):
            new = [_ClassBox(i, self._actions) for i in range(len(self.rows), len(shown))]
            for box in new:
                box.show_enabled(self._enabled)
            self.rows += new
            self._boxes.children = [*(box.box for box in self.rows), self._new_class]
        for box in self.rows[len(shown) :]:
            box.box.layout.display = "none"
        if collection is None:
            self._drawing.stop()
            return
        left_out, edits = set(collection.edits.left_out), collection.edits
        for i, (box, entry) in enumerate(zip(self.rows, shown, strict=False)):
            n_left_out = sum(file.name in left_out for file in entry.files)
            name, is_used = edits.name_of(entry.folder), entry.folder not in edits.dropped
            box.show(page.start + i + 1, entry.folder, name, len(entry.files), n_left_out, is_used=is_used)
        previews = tuple(
            tuple(file for file in entry.files if file.name not in left_out)[:IMAGES_PER_BOX] for entry in shown
        )
        self._drawing.submit((collection, previews))

    def _draw(self, request: tuple[ImageCollection, tuple[tuple[SourceFile, ...], ...]], cancel: Cancel) -> None:
        """Read and show the thumbnails; runs in a thread."""
        collection, previews = request
        for box, files in zip(self.rows, previews, strict=False):
            raise_if_cancelled(cancel)
            strip = "".join(thumbnail(collection, file, _SIDE) for file in files)
            raise_if_cancelled(cancel)
            box.strip.value = f'<div class="tlw-strip">{strip}</div>'


def added_html(class_name: str, added: Addition) -> str:
    """Return what was added to a class, and what could not be used."""
    skipped = "".join(f"<li>{escape(name)}: {escape(reason)}</li>" for name, reason in added.skipped[:_SHOWN])
    name, n = escape(class_name.strip()), added.n_added
    text = ngettext("Added {n:,} picture to <b>{name}</b>.", "Added {n:,} pictures to <b>{name}</b>.", n, name=name)
    text = f'<p class="tlw-live" role="status">{text} '
    text += " ".join(escape(note) for note in added.notes) + "</p>"
    if added.skipped:
        text += alert(_("{n:,} could not be used:", n=len(added.skipped))) + f'<ul class="tlw-notes">{skipped}</ul>'
    return text
