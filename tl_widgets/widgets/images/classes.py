"""ImageClasses: the classes of a learner's collection to rename or leave out, and their pictures page by page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ipywidgets import HTML, Box, Button, Checkbox, Dropdown, HBox, Text, VBox

from tl_widgets.collections.collection import ImageCollection
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, raise_if_cancelled
from tl_widgets.core.numbers import count_text
from tl_widgets.data.archives import SourceFile, printable
from tl_widgets.widgets.shared.fields import STYLE, row
from tl_widgets.widgets.shared.html import escape, image, plain_label
from tl_widgets.widgets.shared.threads import LatestRequest

CLASSES_PER_PAGE, IMAGES_PER_PAGE, IMAGES_PER_ROW = 8, 18, 6
_STRIP, _CARD = 40, 92  # pixels
Edit = Callable[[ImageCollection], ImageCollection]


@dataclass(frozen=True)
class _ThumbnailRequest:
    """The files whose thumbnails to draw."""

    collection: ImageCollection
    rows: tuple[tuple[SourceFile, ...], ...]
    cards: tuple[SourceFile, ...]


class _ClassRow:
    """A class: its name, whether it is used, its number of images, and a few of them."""

    def __init__(self, i: int, change: Callable[[Edit], None]) -> None:
        self._change = change
        self._name, self._is_setting = "", False
        self.name = Text(description=f"Class {i + 1}", continuous_update=False, style=STYLE)
        self.tick = Checkbox(True, description="used", indent=False, style=STYLE)
        self.count, self.strip = HTML(), HTML()
        self.box = HBox([self.name, self.tick, self.count, self.strip])
        self.box.add_class("tlw-class-row")
        self.name.observe(self._renamed, "value")
        self.tick.observe(self._ticked, "value")

    def show(self, number_: int, name: str, n_files: int, n_left_out: int, *, is_used: bool) -> None:
        self._name, self._is_setting = name, True
        self.name.description = f"Class {number_}"
        self.name.value, self.tick.value = name, is_used
        self._is_setting = False
        text = f"<b>{count_text(n_files - n_left_out)}</b> files" if is_used else "<b>not used</b>"
        self.count.value = (
            f"<span>{text}{f', {count_text(n_left_out)} left out' if n_left_out and is_used else ''}</span>"
        )
        self.box.layout.display = ""

    def _renamed(self, change: dict[str, str]) -> None:
        if not self._is_setting and change["new"] != self._name:
            old, new = self._name, change["new"]
            self._change(lambda collection: collection.rename(old, new))

    def _ticked(self, change: dict[str, bool]) -> None:
        if not self._is_setting:
            name, is_used = self._name, change["new"]
            self._change(lambda collection: collection.take_back(name) if is_used else collection.drop(name))


class _Card:
    """A picture with a checkbox."""

    def __init__(self, change: Callable[[Edit], None]) -> None:
        self._change = change
        self._file, self._is_setting = "", False
        self.picture = HTML()
        self.tick = Checkbox(True, indent=False, style=STYLE)
        self.box = VBox([self.picture, self.tick])
        self.box.add_class("tlw-image-card")
        self.tick.observe(self._ticked, "value")

    def show(self, file: SourceFile, *, is_used: bool) -> None:
        if file.name != self._file:
            self.picture.value = ""
        self._file, self._is_setting = file.name, True
        self.tick.description = plain_label(printable(file.name.rpartition("/")[2]))
        self.tick.value = is_used
        self._is_setting = False
        self.box.layout.display = ""
        (self.box.remove_class if is_used else self.box.add_class)("tlw-left-out")

    def _ticked(self, change: dict[str, bool]) -> None:
        if not self._is_setting:
            files, is_used = [self._file], change["new"]
            self._change(lambda collection: collection.include(files) if is_used else collection.exclude(files))


class _Pages(HBox):
    """Buttons that turn pages."""

    def __init__(self, noun: str, size: int, on_turn: Callable[[], None]) -> None:
        self._noun, self._size, self.page, self._n = noun, size, 0, 0
        self.previous_button = Button(icon="chevron-left", description=f"Earlier {noun}")
        self.next_button = Button(icon="chevron-right", description=f"More {noun}")
        self._text, self._on_turn = HTML(), on_turn
        self.previous_button.on_click(lambda _: self._turn(-1))
        self.next_button.on_click(lambda _: self._turn(1))
        super().__init__([self.previous_button, self.next_button, self._text])
        self.add_class("tlw-row")

    def show(self, n: int) -> slice:
        """Show the current position among `n` items, and return the slice that is on the page."""
        self._n = n
        self.page = min(self.page, max(0, (n - 1) // self._size))
        first, last = self.page * self._size, min((self.page + 1) * self._size, n)
        self.previous_button.disabled, self.next_button.disabled = first == 0, last >= n
        self._text.value = (
            f"<span>{self._noun} {count_text(first + 1)} to {count_text(last)} of {count_text(n)}</span>" if n else ""
        )
        self.layout.display = "" if n > self._size else "none"
        return slice(first, last)

    def _turn(self, by: int) -> None:
        self.page = max(0, self.page + by)
        self._on_turn()


class ImageClasses(VBox):
    """The classes of a collection, and the pictures of one of them; `change` receives each of the user's edits."""

    def __init__(self, change: Callable[[Edit], None]) -> None:
        self._collection: ImageCollection | None = None
        self._change = change
        self._drawing: LatestRequest[_ThumbnailRequest] = LatestRequest(self._draw)
        self.rows: list[_ClassRow] = []
        self.cards: list[_Card] = []
        self._is_setting = False
        self._row_box, self._card_box = VBox(), Box()
        self._card_box.add_class("tlw-image-cards")
        self.class_pages = _Pages("classes", CLASSES_PER_PAGE, self._show)
        self.image_pages = _Pages("pictures", IMAGES_PER_PAGE, self._show)
        self.menu = Dropdown(description="Look through", style=STYLE)
        self.menu.observe(self._chosen, "value")
        note = HTML('<p class="tlw-note">Clear the check box of a picture that the models should not learn from.</p>')
        super().__init__([self._row_box, self.class_pages, row(self.menu), note, self._card_box, self.image_pages])
        self.layout.display = "none"

    def show(self, collection: ImageCollection) -> None:
        """Show a collection; after an edit, the page stays the same."""
        if self._collection is None or self._collection.path != collection.path:
            self.class_pages.page = self.image_pages.page = 0
        self._collection = collection
        self._make_parts()
        self._show()

    def stop(self) -> None:
        """Stop drawing thumbnails."""
        self._drawing.stop()

    def _make_parts(self) -> None:
        """Create the widgets of a page when they are first needed."""
        if not self.rows:
            self.rows = [_ClassRow(i, self._change) for i in range(CLASSES_PER_PAGE)]
            self.cards = [_Card(self._change) for _ in range(IMAGES_PER_PAGE)]
            self._row_box.children = [class_row.box for class_row in self.rows]
            self._card_box.children = [card.box for card in self.cards]

    def _chosen(self, _: object) -> None:
        if not self._is_setting:
            self.image_pages.page = 0
            self._show()

    def _show(self) -> None:
        collection = self._collection
        if collection is None:
            return
        self._show_menu(collection)
        left_out, edits = set(collection.edits.left_out), collection.edits
        page = self.class_pages.show(len(collection.folders))
        shown = collection.folders[page]
        for i, (class_row, entry) in enumerate(zip(self.rows, shown, strict=False)):
            n_left_out = sum(file.name in left_out for file in entry.files)
            is_used = entry.folder not in edits.dropped
            class_row.show(
                page.start + i + 1, edits.name_of(entry.folder), len(entry.files), n_left_out, is_used=is_used
            )
        chosen = next((entry for entry in collection.folders if entry.folder == self.menu.value), None)
        files = chosen.files if chosen else ()
        files = files[self.image_pages.show(len(files))]
        for card, file in zip(self.cards, files, strict=False):
            card.show(file, is_used=file.name not in left_out)
        for box in [entry.box for entry in self.rows[len(shown) :]] + [card.box for card in self.cards[len(files) :]]:
            box.layout.display = "none"
        self.layout.display = ""
        previews = tuple(
            tuple(file for file in entry.files if file.name not in left_out)[:IMAGES_PER_ROW] for entry in shown
        )
        self._drawing.submit(_ThumbnailRequest(collection, previews, files))

    def _show_menu(self, collection: ImageCollection) -> None:
        options = [(collection.edits.name_of(entry.folder), entry.folder) for entry in collection.folders]
        if list(self.menu.options) == options:
            return
        chosen, self._is_setting = self.menu.value, True
        self.menu.options = options
        folders = [folder for _, folder in options]
        self.menu.value = chosen if chosen in folders else folders[0] if folders else None
        self._is_setting = False

    def _draw(self, request: _ThumbnailRequest, cancel: Cancel) -> None:
        """Read and show the thumbnails; runs in a thread."""
        for class_row, files in zip(self.rows, request.rows, strict=False):
            raise_if_cancelled(cancel)
            strip = "".join(_picture(request.collection, file, _STRIP) for file in files)
            raise_if_cancelled(cancel)
            class_row.strip.value = f'<div class="tlw-strip">{strip}</div>'
        for card, file in zip(self.cards, request.cards, strict=False):
            raise_if_cancelled(cancel)
            if not card.picture.value:
                card.picture.value = _picture(request.collection, file, _CARD)


def _picture(collection: ImageCollection, file: SourceFile, side: int) -> str:
    try:
        (result,) = collection.thumbnails([file], side)
    except InputError:  # reading the images explains it in detail
        result = "no longer exists"
    name = printable(file.name.rpartition("/")[2])
    if isinstance(result, str):
        return f'<span class="tlw-no-image" title="{escape(name)}: {escape(result)}">unusable: {escape(result)}</span>'
    return image(result, name, side, small_file=True)
