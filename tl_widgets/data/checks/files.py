"""What the headers of a folder's files say: sizes, kinds and colors that give a class away."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from tl_widgets.core.errors import InputError
from tl_widgets.core.text import all_of
from tl_widgets.core.translation import _
from tl_widgets.data.archives import ImageSource, SourceFile, printable
from tl_widgets.data.dataset import ImageDataset, first_few
from tl_widgets.data.decode import FORMATS
from tl_widgets.data.folder_layout import apply_edits, find_layout
from tl_widgets.data.sources import open_source
from tl_widgets.records.comparison import Diagnosis
from tl_widgets.records.provenance import Origin

_MAX_SAMPLED_FILES = 40  # files of each class, evenly spaced
_MIN_FILES = 5  # with fewer files in a class, one common size means nothing
_MIN_ALL = 20  # files in which one may be odd
_MAX_ODD = 0.05  # of the files
_MUCH = 6  # times as small as the median
_LONG = 3.0  # times as long as wide
_USUAL = 1.8
Fact = TypeVar("Fact")


@dataclass(frozen=True)
class Header:
    """What a file's header says.

    Attributes:
        name: printable path of the file.
        size: (width, height) in pixels.
        kind: such as "JPEG".
    """

    name: str
    size: tuple[int, int]
    kind: str


def check_files(dataset: ImageDataset) -> Iterator[Diagnosis]:
    """Find what the files of one class have in common and the others haven't, and single files of an odd size."""
    if dataset.origin is None or dataset.origin.kind != "folder":
        return
    headers = _headers_by_class(dataset.origin)
    yield from _sizes(headers)
    yield from _kinds(headers)
    yield from _odd_sizes(headers)


def _sizes(headers: Mapping[str, list[Header]]) -> Iterator[Diagnosis]:
    """Find classes whose files all have one size that no other class has."""

    def shown(own: Header, _unused: set[tuple[int, int]]) -> str:
        return _("{width} x {height} pixels", width=own.size[0], height=own.size[1])

    if suspects := _apart(headers, lambda header: header.size, shown):
        yield Diagnosis(
            "source_size",
            _(
                "All files of a class have one size that no other class has: {suspects}. They may come "
                "from another camera or source, and a model can learn that instead of what they show.",
                suspects=suspects,
            ),
            _("Take the images of all classes with the same camera, or from the same source."),
        )


def _kinds(headers: Mapping[str, list[Header]]) -> Iterator[Diagnosis]:
    """Find classes whose files are all of a kind that no other class has."""

    def shown(own: Header, others: set[str]) -> str:
        return _(
            "{own_kind}, such as {own_name}; the others {others}",
            own_kind=own.kind,
            own_name=own.name,
            others=all_of(sorted(others)),
        )

    if suspects := _apart(headers, lambda header: header.kind, shown):
        yield Diagnosis(
            "file_format",
            _(
                "All files of a class are of a kind that no other class has: {suspects}. Compression "
                "leaves traces in the pixels, and a model can learn those instead of what the images "
                "show.",
                suspects=suspects,
            ),
            _("Save all images the same way, best from originals that were saved the same way."),
        )


def _apart(
    headers: Mapping[str, list[Header]], fact: Callable[[Header], Fact], shown: Callable[[Header, set[Fact]], str]
) -> str:
    """Name the classes whose files all share a fact that no file of another class has; "" without one."""
    suspects = []
    for name, own in headers.items():
        facts = set(map(fact, own))
        others = {fact(header) for other, theirs in headers.items() if other != name for header in theirs}
        if len(own) >= _MIN_FILES and len(facts) == 1 and others and not facts & others:
            suspects.append(f"{name} ({shown(own[0], others)})")
    return first_few(suspects) if suspects else ""


def _odd_sizes(headers: Mapping[str, list[Header]]) -> Iterator[Diagnosis]:
    """Find single files that are far smaller or longer than the others."""
    every = [header for own in headers.values() for header in own]
    if len(every) < _MIN_ALL:
        return
    sides = np.array([min(header.size) for header in every])
    ratios = np.array([max(header.size) / max(min(header.size), 1) for header in every])
    is_small = sides * _MUCH <= np.median(sides)
    is_long = (ratios >= _LONG) & (np.median(ratios) <= _USUAL)
    odd = [header for header, is_odd in zip(every, is_small | is_long, strict=True) if is_odd]
    if 0 < len(odd) <= max(1, _MAX_ODD * len(every)):
        some = first_few(
            [
                _("{name} ({width} x {height} pixels)", name=header.name, width=header.size[0], height=header.size[1])
                for header in odd
            ]
        )
        yield Diagnosis(
            "odd_size",
            _("Far smaller or longer than the other files: {some}.", some=some),
            _("Look whether these are thumbnails, icons or banners rather than photographs, and leave them out."),
        )


def _headers_by_class(origin: Origin) -> dict[str, list[Header]]:
    """Return the headers of some readable files of each class."""
    try:
        source = open_source(Path(origin.path), origin.parts)
    except InputError:  # moved since it was loaded; the images in memory can still be trained on
        return {}
    try:
        layout, _ = apply_edits(find_layout(source, origin.path, origin.columns, origin.parts), origin.edits)
        headers: dict[str, list[Header]] = {}
        for label, name in enumerate(layout.class_names):
            files = [labelled.file for labelled in layout.files if labelled.label == label]
            if not origin.classes or name in origin.classes:
                rows = np.unique(np.linspace(0, len(files) - 1, min(len(files), _MAX_SAMPLED_FILES)).astype(int))
                headers[name] = [header for row in rows if (header := _header(source, files[row]))]
        return headers
    except InputError:
        return {}
    finally:
        source.close()


def _header(source: ImageSource, file: SourceFile) -> Header | None:
    """Return what the file's header says; None if it can't be read."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(source.read(file)), formats=FORMATS) as image:
            return Header(printable(file.name), image.size, "JPEG" if image.format == "MPO" else str(image.format))
    except Exception:  # a damaged file can raise any error; load_folder has reported it
        return None
