"""Records and figures of studies next to the notebook: saving, listing, reading."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from tl_widgets.core.errors import InputError
from tl_widgets.core.files import write_each, write_text, write_whole
from tl_widgets.core.paths import read_user_file
from tl_widgets.core.text import is_text
from tl_widgets.core.translation import _
from tl_widgets.studies.registry import STUDIES, read_study
from tl_widgets.studies.study import StudyResult
from tl_widgets.widgets.shared.files import free_paths

_MOST_BYTES = 50_000_000  # of a record; a real one has thousands of bytes
_MOST_RECORDS = 30


def save_study(study: str, result: StudyResult, name: str) -> tuple[Path, Path]:
    """Write a record (.json) and a figure (.png), without overwriting files.

    Raises:
        InputError: `name` is not a valid file name, or a file cannot be written; the message names the other.
    """
    from tl_widgets.plots.style import figure_png

    def write_figure() -> None:
        png = figure_png(STUDIES[study].draw(result))
        write_whole(figure, lambda part: part.write_bytes(png))

    record, figure = free_paths(name, (".json", ".png"), example=f"study-{study}")
    write_each(((record, lambda: write_text(record, result.to_json())), (figure, write_figure)))
    return record, figure


def load_study(path: Path, studies: Collection[str]) -> tuple[str, StudyResult]:
    """Read a record of one of these studies; return the study's name and the result.

    Raises:
        InputError: the file cannot be read, or it is not a record of one of these studies.
    """
    try:
        text = read_user_file(path, _("The record"), _MOST_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(
            _("{path_name} is not a text file, so it cannot be the record of a study.", path_name=path.name)
        ) from None
    return read_study(text, studies)


def list_records() -> list[str]:
    """Return the names of files in this folder that may be records, newest first."""
    records = []
    for path in Path().glob("*.json"):
        try:
            # To open a pipe would wait for its other end, and a page can't be sent half a character.
            if not (is_text(path.name) and path.is_file()):
                continue
            with path.open("rb") as file:
                if b'"format"' in file.read(100):
                    records.append((path.stat().st_mtime, path.name))
        except OSError:
            continue
    return [name for _, name in sorted(records, reverse=True)[:_MOST_RECORDS]]
