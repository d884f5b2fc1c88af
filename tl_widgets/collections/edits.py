"""Edits of a learner's collections, kept beside the uploads so that they outlive the kernel."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from tl_widgets.collections.collection import ImageCollection
from tl_widgets.collections.storage import uploads_folder
from tl_widgets.core.errors import InputError
from tl_widgets.data.image_edits import require_class_name
from tl_widgets.records.provenance import NO_EDITS, Edits

_FOLDER = ".edits"
_MAX_BYTES = 20_000_000


def _file_of(path: Path) -> Path:
    return uploads_folder() / _FOLDER / f"{hashlib.blake2b(str(path).encode(), digest_size=16).hexdigest()}.json"


def keep_edits(collection: ImageCollection) -> None:
    """Write down the edits of a collection, in one step; a folder that cannot be written to is no error.

    Args:
        collection: that was edited.
    """
    file = _file_of(collection.path)
    with suppress(OSError):
        if collection.edits == NO_EDITS:
            file.unlink(missing_ok=True)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_suffix(".writing")
        beside.write_text(json.dumps({"path": str(collection.path), **asdict(collection.edits)}), "utf-8")
        beside.replace(file)


def with_kept_edits(collection: ImageCollection) -> ImageCollection:
    """A collection that was just opened, with the edits of last time as far as they still fit.

    Args:
        collection: without edits.

    Returns:
        The same where nothing was kept, or what was kept cannot be read.
    """
    try:
        file = _file_of(collection.path)
        if not file.is_file() or file.stat().st_size > _MAX_BYTES:
            return collection
        record = json.loads(file.read_text("utf-8"))
        if record["path"] != str(collection.path):
            return collection
        folders = {one.folder for one in collection.folders}
        names = {each.name for one in collection.folders for each in one.files}
        kept = replace(
            NO_EDITS,
            dropped=tuple(sorted(folders & set(record["dropped"]))),
            left_out=tuple(sorted(names & set(record["left_out"]))),
        )
        collection = replace(collection, edits=kept)
        for folder, name in record["renamed"]:
            if folder in folders:
                collection = collection.rename(folder, require_class_name(name))
    except (OSError, ValueError, KeyError, TypeError, InputError):
        return replace(collection, edits=Edits())
    return collection
