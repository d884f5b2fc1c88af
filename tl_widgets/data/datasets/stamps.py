"""stamps: photographs of separate objects, from the stamps of the drawing program Tux Paint.

`stamps.csv` lists them. It was made by looking at every picture: drawings, cartoons, toys, copies in another color and
classes with fewer than 20 photographs are left out.
"""

from __future__ import annotations

import csv
import importlib.resources
import io
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tl_widgets.core.resources import can_write, existing_part, home_folder
from tl_widgets.core.translation import _
from tl_widgets.data.archives import MAX_FILE_BYTES
from tl_widgets.data.dataset import split_sizes
from tl_widgets.data.folder import TEST_SHARE, VALIDATION_SHARE
from tl_widgets.data.hosted import HostedDataset, HostedFile, Sink, WrongContentError, tar_members

_VERSION = "2022.06.04"
_ARCHIVE_ROOT = f"tuxpaint-stamps-{_VERSION}/stamps/"
_NOTICE = """Photographs from Tux Paint's stamps, https://tuxpaint.org/stamps/
Copyright 2002-2022 Bill Kendrick and contributors

They are free software: you can redistribute and modify them under the terms of the GNU General Public License, version
2 (https://www.gnu.org/licenses/old-licenses/gpl-2.0.txt), as published by the Free Software Foundation. They come
without any warranty.

tl_widgets has chosen some of them, put them into a folder for each class and added a transparent margin that makes
them square.
"""


def _read_list() -> dict[str, str]:
    """Return the class of each photograph by its path below Tux Paint's folder of stamps."""
    text = importlib.resources.files("tl_widgets.data.datasets").joinpath("stamps.csv").read_text("utf-8")
    return {row["file"]: row["class"] for row in csv.DictReader(text.splitlines())}


STAMPS_FILES = _read_list()
STAMPS_CLASSES = tuple(sorted(set(STAMPS_FILES.values())))


def stamps_folders(platform: str = sys.platform) -> list[Path]:
    """Return the folders where Tux Paint's packages and installers put stamps, `platform` being `sys.platform`.

    TL_WIDGETS_STAMPS replaces them with another folder.
    """
    if folder := os.environ.get("TL_WIDGETS_STAMPS"):
        return [Path(folder)]
    if platform == "win32":
        programs = filter(None, map(os.environ.get, ("ProgramFiles", "ProgramFiles(x86)")))
        return [Path(program, "TuxPaint", "data", "stamps") for program in programs]
    if platform == "darwin":
        support = Path("Library", "Application Support", "TuxPaint", "stamps")
        program = Path("/Applications/TuxPaint.app/Contents/Resources/stamps")
        return [Path.home() / support, Path("/") / support, program]
    return [Path("/usr/share/tuxpaint/stamps"), Path("/usr/local/share/tuxpaint/stamps")]


def _installed() -> Path | None:
    """Return a folder that holds every listed photograph; None if there is none, or the copy can't be kept."""
    for folder in stamps_folders():
        if all((folder / file).is_file() for file in STAMPS_FILES):
            return folder if can_write(existing_part(home_folder().absolute())) else None
    return None


def _repack(sources: list[Path], sink: Sink) -> None:
    """Write the listed photographs of an installed folder or of the source archive."""
    sink.n_total = len(STAMPS_FILES)
    sink.add_license(_NOTICE.encode())
    missing = set(STAMPS_FILES)
    for file, data in _photographs(sources[0]):
        sink.add(STAMPS_FILES[file], file.rpartition("/")[2], _square(data))
        missing.discard(file)
    if missing:
        raise WrongContentError(_("it has no {missing}", missing=min(missing)))


def _photographs(source: Path) -> Iterator[tuple[str, bytes]]:
    if source.is_dir():
        for file in STAMPS_FILES:
            with (source / file).open("rb") as stream:
                yield file, stream.read(MAX_FILE_BYTES)
        return
    pattern = re.compile(re.escape(_ARCHIVE_ROOT) + f"({'|'.join(map(re.escape, STAMPS_FILES))})")
    for name, data in tar_members(source, pattern):
        yield name.removeprefix(_ARCHIVE_ROOT), data


def _square(data: bytes) -> bytes:
    """Return a PNG with a transparent margin that makes it square: the middle alone would cut off heads."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            photograph = image.convert("RGBA")
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:  # what Pillow raises for a damaged PNG
        raise ValueError(str(error)) from error
    side = max(photograph.size)
    square = Image.new("RGBA", (side, side), (255, 255, 255, 0))
    square.paste(photograph, ((side - photograph.width) // 2, (side - photograph.height) // 2))
    packed = io.BytesIO()
    square.save(packed, "PNG")
    return packed.getvalue()


STAMPS = HostedDataset(
    name="stamps",
    place=10,
    shows=_("Photographs of birds, flowers, mammals, and fruit and vegetables. The objects are cut out, on white."),
    class_names=STAMPS_CLASSES,
    sizes=tuple(
        split_sizes([*STAMPS_FILES.values()].count(name), VALIDATION_SHARE, TEST_SHARE) for name in STAMPS_CLASSES
    ),
    source=_("Tux Paint's stamps {version} (Bill Kendrick and contributors), tuxpaint.org/stamps", version=_VERSION),
    license="GPL-2",
    # Length and hash: Debian's source package tuxpaint-stamps 2022.06.04-1.
    files=(
        HostedFile(
            "https://downloads.sourceforge.net/project/tuxpaint/tuxpaint-stamps/2022-06-04/"
            f"tuxpaint-stamps-{_VERSION}.tar.gz",
            215_615_180,
            "842065576fae554358e00e51d71a492616a6490b12b592228067477c287a0bf8",
        ),
    ),
    repack=_repack,
    folders=(("", ""),),
    installed=_installed,
    installer=_(
        "install Tux Paint's stamps (on Debian and Ubuntu `apt install tuxpaint-stamps-default`; "
        "tuxpaint.org has installers for Windows and macOS)"
    ),
)
