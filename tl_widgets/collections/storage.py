"""Where a learner's uploads lie: `my_images/` beside the notebook. Names are made safe, and nothing is overwritten."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path, PurePosixPath

from tl_widgets.core.errors import InputError
from tl_widgets.core.resources import home_folder, megabytes, require_disk
from tl_widgets.data.archives import open_source, printable
from tl_widgets.data.folder_layout import IMAGE_SUFFIXES, find_layout

FOLDER_NAME = "my_images"
MAX_STORED_FILES = 20_000
MAX_STORED_BYTES = 5_000_000_000  # of all uploads together: a learner's disk is often a small one
_MAX_NAME = 60
_MAX_LOOKED_AT = 300  # entries of a folder, when collections are searched for
# Windows refuses these characters and names, and a zip or share may go there.
_UNSAFE = re.compile(r'[\\/:*?"<>|]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def uploads_folder() -> Path:
    """The folder for uploads: beside the notebook, so that they outlive the kernel and can be seen.

    Returns:
        `my_images` in the current folder; where that cannot be written to, in tl_widgets' own folder.
    """
    here = Path.cwd()
    return here / FOLDER_NAME if os.access(here, os.W_OK) else home_folder() / FOLDER_NAME


def safe_name(text: str, default: str) -> str:
    """A name that is safe for a file or folder on every system, and as near to `text` as that allows.

    Args:
        text: whatever somebody typed, or a browser sent.
        default: what to call it where nothing is left.

    Returns:
        Without separators, control characters, dots at its ends, or a reserved name; at most 60 characters.
    """
    text = _UNSAFE.sub("_", printable(text).replace("\\", "_")).strip(" .")
    stem, dot, suffix = text.rpartition(".")
    if dot and len(suffix) <= 5:
        text = f"{stem[: _MAX_NAME - len(suffix) - 1].rstrip(' .')}.{suffix}"
    text = text[:_MAX_NAME].strip(" .")
    return f"_{text}" if _RESERVED.fullmatch(text) else text or default


def names_from(name: str) -> Iterator[str]:
    """The name, then the name with -2, -3 and so on before its suffix."""
    yield name
    path = PurePosixPath(name)
    for i in range(2, 10_000):
        yield f"{path.stem}-{i}{path.suffix}"
    raise InputError(f"There are ten thousand files like {name}; choose another name.")


def make_folder(name: str) -> Path:
    """A new, empty folder among the uploads.

    Args:
        name: what to call it, if that is free.

    Raises:
        InputError: it cannot be made.
    """
    root = uploads_folder()
    try:
        root.mkdir(parents=True, exist_ok=True)
        for free in names_from(safe_name(name, "images")):
            with suppress(FileExistsError):
                (root / free).mkdir()
                return root / free
    except OSError as problem:
        raise InputError(f"No folder for the images could be made in {root}: {problem.strerror}.") from problem
    raise AssertionError("names_from ends with an error")


def write_new(folder: Path, name: str, data: bytes | Path) -> Path:
    """Write a file under a name that is free; never over one that is there.

    Args:
        folder: an existing one.
        name: what to call it, if that is free.
        data: its bytes, or a whole file of the same disk, which is moved there.

    Raises:
        InputError: ten thousand such names are taken.
        OSError: it cannot be written; nothing is left of it.
    """
    for free in names_from(safe_name(name, "image")):
        path = folder / free
        try:
            file = path.open("xb")
        except FileExistsError:
            continue
        try:
            with file:
                if not isinstance(data, Path):
                    file.write(data)
            if isinstance(data, Path):
                data.replace(path)  # over the empty file made just now, which has kept the name
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path
    raise AssertionError("names_from ends with an error")


def require_room(n_files: int, n_bytes: int) -> None:
    """Raise `InputError` when so much more would be too much for the uploads' folder, or for the disk.

    Args:
        n_files: to be added.
        n_bytes: of all of them.

    Raises:
        InputError: it would.
    """
    root = uploads_folder()
    sizes = [path.stat().st_size for path in root.rglob("*") if path.is_file()] if root.is_dir() else []
    if len(sizes) + n_files > MAX_STORED_FILES or sum(sizes) + n_bytes > MAX_STORED_BYTES:
        raise InputError(
            f"{root} holds {len(sizes):,} files ({megabytes(sum(sizes))}); {n_files:,} more ({megabytes(n_bytes)}) "
            f"would go beyond {MAX_STORED_FILES:,} files or {megabytes(MAX_STORED_BYTES)}. Remove what is no longer "
            "needed, or put your images into a folder beside the notebook and choose it there."
        )
    require_disk(root, n_bytes, f"Keeping {n_files:,} uploaded file{'s' if n_files != 1 else ''}")


def save_zip(name: str, unchecked: Path) -> Path:
    """Keep an uploaded zip, if it is one that images can be loaded from.

    Args:
        name: as the browser sent it.
        unchecked: the `Incoming` file with the whole archive; it is moved.

    Returns:
        Where it lies now.

    Raises:
        InputError: it is no zip of class folders; it stays where it was.
    """
    root = uploads_folder()
    shown = printable(name)
    try:
        if not zipfile.is_zipfile(unchecked):
            raise InputError(f"{shown} is not a zip archive. Zip a folder with one sub-folder for each class.")
        source = open_source(unchecked)
        try:
            find_layout(source.listing, shown)
        finally:
            source.close()
        stem = PurePosixPath(safe_name(name, "images.zip")).stem
        return write_new(root, f"{stem}.zip", unchecked)
    except OSError as problem:
        raise InputError(f"{shown} could not be kept in {root}: {problem.strerror or problem}.") from problem


def find_collections() -> tuple[Path, ...]:
    """Folders and zips with images beside the notebook, the uploads first.

    Returns:
        Of each folder, at most 300 entries are looked at. Whether all in them can be read shows when they are opened.
    """
    found = []
    for folder in dict.fromkeys((uploads_folder(), Path.cwd())):
        with suppress(OSError):
            entries = sorted(islice(folder.iterdir(), _MAX_LOOKED_AT))
            found += [path for path in entries if path.name[0] != "." and _may_hold_classes(path)]
    return tuple(path for path in found if path != uploads_folder())


def _may_hold_classes(path: Path) -> bool:
    try:
        if path.is_file():
            return path.suffix.lower() == ".zip" and zipfile.is_zipfile(path)
        inner = [each for each in islice(path.iterdir(), _MAX_LOOKED_AT) if each.is_dir() and each.name[0] != "."]
        deeper = [each for one in inner[:5] for each in islice(one.iterdir(), 20) if each.is_dir()]
        return any(_has_image(each) for each in (*inner[:20], *deeper))
    except OSError:
        return False


def _has_image(folder: Path) -> bool:
    with suppress(OSError):
        return any(each.suffix.lower() in IMAGE_SUFFIXES for each in islice(folder.iterdir(), _MAX_LOOKED_AT))
    return False
