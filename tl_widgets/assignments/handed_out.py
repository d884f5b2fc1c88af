"""Images that a teacher hands out as a folder or a zip, to lie beside the notebook."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, OnEvent
from tl_widgets.core.text import printable, shown
from tl_widgets.core.translation import _
from tl_widgets.data.archives import archive_stem
from tl_widgets.data.catalogue import NamedDataset
from tl_widgets.data.dataset import ImageDataset, first_few
from tl_widgets.data.folder import load_folder
from tl_widgets.data.folder_layout import find_layout
from tl_widgets.data.sources import open_source
from tl_widgets.records.provenance import Origin


@dataclass(frozen=True)
class Contents:
    """What the folder holds.

    Attributes:
        classes: The names of the classes.
        sizes: (train, validation, test) images of each class.
        hashes: One for each class, of the names and bytes of its files.
    """

    classes: tuple[str, ...]
    sizes: tuple[tuple[int, int, int], ...]
    hashes: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """A hash of all files."""
        return hashlib.sha256("".join((*self.classes, *self.hashes)).encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class HandedOut(NamedDataset):
    """The images of such a folder, declared like those that come with tl_widgets."""

    folder: Path = field(default=Path())
    shows: str = ""
    source: str = ""
    license: str = ""

    @property
    def path(self) -> Path:
        """The folder or zip."""
        return self.folder

    @property
    def origin(self) -> Origin:
        """Origin of the whole data set, with seed 0."""
        return Origin("folder", path=str(self.folder))

    def load(
        self,
        *,
        image_size: int,
        n_per_class: int | None,
        seed: int,
        classes: Sequence[str] | None,
        on_event: OnEvent,
        cancel: Cancel | None,
    ) -> ImageDataset:
        """Load the images; arguments, result and errors are those of `load_folder`."""
        return load_folder(self.folder, image_size=image_size, n_per_class=n_per_class, seed=seed, classes=classes,
                           on_event=on_event, cancel=cancel)  # fmt: skip


def handed_out(base: Path, name: str, contents: Contents) -> HandedOut:
    """Return the data set of the folder called `name` in the folder `base`."""
    stem = archive_stem(name) if (base / name).is_file() else name
    return HandedOut(name=printable(stem), class_names=contents.classes, sizes=contents.sizes, folder=base / name)


def read_contents(base: Path, name: Any, image_size: int) -> Contents:
    """Return what a folder holds, for everybody's notebook.

    Raises:
        InputError: It can't be loaded, or some of its files can't be used: then students' counts could differ.
    """
    if not isinstance(name, str) or not name or PurePath(name).name != name:
        raise InputError(
            _("images.folder must be the name of a folder or zip beside the description; received {value}.",
              value=shown(name, 60))
        )  # fmt: skip
    dataset = load_folder(base / name, image_size=image_size)
    assert dataset.report is not None
    copies = [(file, _("the same as {name}", name=other)) for file, other in dataset.report.duplicates]
    if unused := [*dataset.report.skipped, *copies]:
        files = first_few([f"{file} ({reason})" for file, reason in unused])
        raise InputError(
            _("images.folder: {name} has files that can't be used, or that are copies: {files}. Take them out.",
              name=printable(name), files=files)
        )  # fmt: skip
    counts = [np.bincount(split.labels, minlength=dataset.n_classes).tolist()
              for split in (dataset.train, dataset.validation, dataset.test)]  # fmt: skip
    found = _files(base / name)
    return Contents(
        dataset.class_names, tuple(zip(*counts, strict=True)), tuple(_hash(found[c]) for c in dataset.class_names)
    )


def difference(base: Path, name: str, contents: Contents) -> str:
    """Return how a folder differs from the one that was handed out, as a sentence; "" if it doesn't."""
    advice = _("Get {name} again, and put it beside this notebook without changing it.", name=printable(name))
    try:
        found = _files(base / name)
    except InputError as error:
        return f"{error} {advice}"
    for label, class_name in enumerate(contents.classes):
        files, n = found.pop(class_name, {}), sum(contents.sizes[label])
        if len(files) != n:
            problem = _("{folder} isn't as it was handed out: it has {n_found} images of {name}, not {n}.",
                        folder=printable(name), n_found=len(files), name=class_name, n=n)  # fmt: skip
            return f"{problem} {advice}"
        if _hash(files) != contents.hashes[label]:
            problem = _("{folder} isn't as it was handed out: images of {name} were changed or renamed.",
                        folder=printable(name), name=class_name)  # fmt: skip
            return f"{problem} {advice}"
    if found:
        problem = _("{folder} isn't as it was handed out: it also has {name}.",
                    folder=printable(name), name=first_few(sorted(found)))  # fmt: skip
        return f"{problem} {advice}"
    return ""


def _files(path: Path) -> dict[str, dict[str, bytes]]:
    """Return the hash of each image file by its name, by the names of the classes."""
    source = open_source(path)
    try:
        layout = find_layout(source, printable(str(path)))
        found: dict[str, dict[str, bytes]] = {name: {} for name in layout.class_names}
        for file in layout.files:
            found[layout.class_names[file.label]][file.name] = hashlib.sha256(source.read(file.file)).digest()
        return found
    except OSError as error:
        why = error.strerror or error
        raise InputError(_("{name} can't be read: {why}.", name=printable(str(path)), why=why)) from None
    finally:
        source.close()


def _hash(files: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(name.encode("utf-8", "surrogateescape") + b"\0" + files[name])
    return digest.hexdigest()[:16]
