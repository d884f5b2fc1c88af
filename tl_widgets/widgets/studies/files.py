"""Records and figures of studies next to the notebook: saving, listing, reading."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from tl_widgets.core.errors import InputError
from tl_widgets.core.paths import read_user_file
from tl_widgets.studies.registry import STUDIES, read_study
from tl_widgets.studies.study import StudyResult
from tl_widgets.widgets.shared.files import free_paths

_MOST_BYTES = 50_000_000  # of a record; a real one has thousands of bytes
_MOST_RECORDS = 30


def save_study(study: str, result: StudyResult, name: str) -> tuple[Path, Path]:
    """Write a record (.json) and a figure (.png), without overwriting files.

    Raises:
        InputError: `name` is not a valid file name.
        OSError: the files cannot be written.
    """
    from tl_widgets.plots.style import figure_png

    record, figure = free_paths(name, (".json", ".png"), example=f"study-{study}")
    png, text = figure_png(STUDIES[study].draw(result)), result.to_json()
    with record.open("x", encoding="utf-8") as file:
        file.write(text)
    with figure.open("xb") as picture:
        picture.write(png)
    return record, figure


def load_study(path: Path, studies: Collection[str]) -> tuple[str, StudyResult]:
    """Read a record of one of these studies; return the study's name and the result.

    Raises:
        InputError: the file cannot be read, or it is not a record of one of these studies.
    """
    try:
        text = read_user_file(path, "The record", _MOST_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path.name} is not a text file, so it cannot be the record of a study.") from None
    return read_study(text, studies)


def list_records() -> list[str]:
    """Return the names of files in this folder that may be records, newest first."""
    records = []
    for path in Path().glob("*.json"):
        try:
            if not path.is_file():  # to open a pipe would wait for its other end
                continue
            with path.open("rb") as file:
                if b'"format"' in file.read(100):
                    records.append((path.stat().st_mtime, path.name))
        except OSError:
            continue
    return [name for _, name in sorted(records, reverse=True)[:_MOST_RECORDS]]
