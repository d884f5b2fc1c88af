"""TogetherView: what to do about pictures that look alike or belong together. Each part shows only where it applies."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ipywidgets import HTML, Button, Dropdown, VBox

from tl_widgets.collections.collection import ImageCollection
from tl_widgets.core.numbers import count_text
from tl_widgets.core.translation import _
from tl_widgets.data.archives import printable
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.data.groups import BY_FOLDER, Grouping, group_column
from tl_widgets.widgets.images.gallery import Edit
from tl_widgets.widgets.shared.fields import STYLE

_SHOWN = 3  # names of groups in the menu


class TogetherView(VBox):
    """Buttons for pictures that look almost the same, and a menu of usual ways to group pictures.

    Args:
        change: receives the edit that the user chooses.
    """

    def __init__(self, change: Callable[[Edit], object]) -> None:
        self._change, self._is_setting = change, False
        self._dataset: ImageDataset | None = None
        self._text = HTML()
        self.out_button = Button(
            description=_("Leave copies out"), tooltip=_("Use one of the pictures that look the same")
        )
        self.together_button = Button(description=_("Keep together"), tooltip=_("On one side of every split"))
        self.menu = Dropdown(description=_("These belong together"), style=STYLE)
        self.menu.add_class("tlw-stacked")
        super().__init__([self._text, self.out_button, self.together_button, self.menu])
        self.add_class("tlw-together")
        self.out_button.on_click(lambda _: self._press(ImageCollection.exclude_copies))
        self.together_button.on_click(lambda _: self._press(ImageCollection.keep_alike_together))
        self.menu.observe(self._chosen, "value")
        self.show(None, None, 0, ())

    def show_enabled(self, enabled: bool) -> None:
        """Enable or disable all of it."""
        for widget in (self.out_button, self.together_button, self.menu):
            widget.disabled = not enabled

    def show(
        self,
        collection: ImageCollection | None,
        dataset: ImageDataset | None,
        n_copies: int,
        groupings: Sequence[Grouping],
    ) -> None:
        """Offer what applies.

        Args:
            collection: the pictures.
            dataset: what was built from them; None if that failed.
            n_copies: number of pictures that look almost like another one.
            groupings: ways to group the pictures; a folder that is split already has none.
        """
        self._dataset = dataset
        is_split = collection is not None and collection.has_splits
        copies = _("1 picture looks") if n_copies == 1 else _("{n_copies} pictures look", n_copies=count_text(n_copies))
        self._text.value = _("<p><b>{copies} almost like another one.</b></p>", copies=copies) if n_copies else ""
        for widget in (self._text, self.out_button):
            widget.layout.display = "" if n_copies else "none"
        self.together_button.layout.display = "" if n_copies and not is_split else "none"
        now = collection.edits.groups if collection else ""
        options = [(_("each for itself"), ""), *((_option_text(way), way.groups) for way in groupings)]
        if now not in [value for _, value in options]:
            options.append((_way_text(now), now))
        self._is_setting = True
        self.menu.options, self.menu.value = options, now
        self._is_setting = False
        self.menu.layout.display = "" if len(options) > 1 and not is_split else "none"

    def _press(self, edit: Callable[[ImageCollection, ImageDataset], ImageCollection]) -> None:
        dataset = self._dataset
        if dataset is not None:
            self._change(lambda collection: edit(collection, dataset))

    def _chosen(self, change: dict[str, str]) -> None:
        groups = change["new"]
        if not self._is_setting and groups is not None:
            self._change(lambda collection: collection.group_by(groups))


def _option_text(way: Grouping) -> str:
    names = ", ".join(map(printable, way.names[:_SHOWN])) + (", …" if len(way.names) > _SHOWN else "")
    fits = _(", as the look-alikes") if way.is_suggested else ""
    return _(
        "{way}: {n_names} groups ({names}){fits}",
        way=_way_text(way.groups),
        n_names=count_text(len(way.names)),
        names=names,
        fits=fits,
    )


def _way_text(groups: str) -> str:
    column = group_column(groups)
    if column is not None:
        return _("by “{column}”", column=printable(column))
    return _("by sub-folder") if groups == BY_FOLDER else _("by file name")
