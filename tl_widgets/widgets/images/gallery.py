"""ImageGallery: the pictures of one class, page by page, each with a check box to leave it out."""

from __future__ import annotations

from collections.abc import Callable

from ipywidgets import HTML, Box, Button, Checkbox, Dropdown, HBox, VBox

from tl_widgets.collections.collection import ImageCollection
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, raise_if_cancelled
from tl_widgets.core.numbers import count_text
from tl_widgets.core.translation import _
from tl_widgets.data.archives import SourceFile, printable
from tl_widgets.widgets.shared.fields import STYLE, row
from tl_widgets.widgets.shared.html import escape, image, plain_label
from tl_widgets.widgets.shared.threads import LatestRequest

IMAGES_PER_PAGE = 18
_SIDE = 92  # pixels
Edit = Callable[[ImageCollection], ImageCollection]


class Pages(HBox):
    """Buttons that turn pages."""

    def __init__(self, earlier: str, more: str, place: str, size: int, on_turn: Callable[[], None]) -> None:
        self._place, self._size, self.page, self._n = place, size, 0, 0
        self.previous_button = Button(icon="chevron-left", description=earlier)
        self.next_button = Button(icon="chevron-right", description=more)
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
        place = self._place.format(first=count_text(first + 1), last=count_text(last), n=count_text(n))
        self._text.value = f"<span>{place}</span>" if n else ""
        self.layout.display = "" if n > self._size else "none"
        return slice(first, last)

    def _turn(self, by: int) -> None:
        self.page = max(0, self.page + by)
        self._on_turn()


class _Card:
    """A picture with a check box."""

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


class ImageGallery(VBox):
    """The pictures of a class that the user chooses.

    Attributes:
        menu: chooses the class, by its folder.
        back_button: asks for the classes again.

    Args:
        change: receives each of the user's edits.
    """

    def __init__(self, change: Callable[[Edit], None]) -> None:
        self._collection: ImageCollection | None = None
        self._change = change
        self._drawing: LatestRequest[tuple[ImageCollection, tuple[SourceFile, ...]]] = LatestRequest(self._draw)
        self.cards: list[_Card] = []
        self._is_setting = False
        self.back_button = Button(description=_("Back to the classes"), icon="arrow-left")
        self.menu = Dropdown(description=_("Look through"), style=STYLE)
        self.menu.observe(self._chosen, "value")
        self.pages = Pages(
            _("Earlier pictures"),
            _("More pictures"),
            _("pictures {first} to {last} of {n}"),
            IMAGES_PER_PAGE,
            self._show,
        )
        note = HTML(
            _('<p class="tlw-note">Clear the check box of a picture that the models should not learn from.</p>')
        )
        self._card_box = Box()
        self._card_box.add_class("tlw-image-cards")
        super().__init__([row(self.back_button, self.menu), note, self._card_box, self.pages])
        self.layout.display = "none"

    def look_at(self, folder: str) -> None:
        """Show the pictures of a class."""
        self.layout.display = ""
        if self.menu.value == folder:
            self._show()
        else:
            self.menu.value = folder

    def show(self, collection: ImageCollection) -> None:
        """Set the collection; after an edit, the class and the page stay the same."""
        if self._collection is None or self._collection.path != collection.path:
            self.pages.page = 0
        self._collection = collection
        options = [(collection.edits.name_of(entry.folder), entry.folder) for entry in collection.folders]
        if list(self.menu.options) != options:
            chosen, self._is_setting = self.menu.value, True
            self.menu.options = options
            folders = [folder for _, folder in options]
            self.menu.value = chosen if chosen in folders else folders[0] if folders else None
            self._is_setting = False
        self._show()

    def stop(self) -> None:
        """Stop drawing thumbnails."""
        self._drawing.stop()

    def _chosen(self, _: object) -> None:
        if not self._is_setting:
            self.pages.page = 0
            self._show()

    def _show(self) -> None:
        collection = self._collection
        if collection is None or self.layout.display == "none":
            return
        chosen = next((entry for entry in collection.folders if entry.folder == self.menu.value), None)
        files = chosen.files if chosen else ()
        files = files[self.pages.show(len(files))]
        if len(self.cards) < len(files):
            self.cards += [_Card(self._change) for _ in range(len(files) - len(self.cards))]
            self._card_box.children = [card.box for card in self.cards]
        left_out = set(collection.edits.left_out)
        for card, file in zip(self.cards, files, strict=False):
            card.show(file, is_used=file.name not in left_out)
        for card in self.cards[len(files) :]:
            card.box.layout.display = "none"
        self._drawing.submit((collection, files))

    def _draw(self, request: tuple[ImageCollection, tuple[SourceFile, ...]], cancel: Cancel) -> None:
        """Read and show the thumbnails; runs in a thread."""
        collection, files = request
        for card, file in zip(self.cards, files, strict=False):
            raise_if_cancelled(cancel)
            if not card.picture.value:
                card.picture.value = thumbnail(collection, file, _SIDE)


def thumbnail(collection: ImageCollection, file: SourceFile, side: int) -> str:
    """Return a small picture as HTML, or why there is none."""
    try:
        (result,) = collection.thumbnails([file], side)
    except InputError:  # reading the images explains it in detail
        result = _("no longer exists")
    name = printable(file.name.rpartition("/")[2])
    if isinstance(result, str):
        return _(
            '<span class="tlw-no-image" title="{name}: {result}">unusable: {result}</span>',
            name=escape(name),
            result=escape(result),
        )
    return image(result, name, side, small_file=True)
