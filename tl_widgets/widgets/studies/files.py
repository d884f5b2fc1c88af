"""Records and figures of studies beside the notebook: saved, listed, read back."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from tl_widgets.core.errors import InputError
from tl_widgets.studies.registry import STUDIES, read_study
from tl_widgets.studies.study import StudyResult
from tl_widgets.widgets.shared.files import free_paths

_MOST_BYTES = 50_000_000  # of a record; a study's own has some thousands
_MOST_RECORDS = 30


def save_study(study: str, result: StudyResult, name: str) -> tuple[Path, Path]:
    """Write record and figure, never over files that are there.

    Args:
        study: its name.
        result: what it found.
        name: of both files, without ending.

    Returns:
        The record (.json) and the figure (.png).

    Raises:
        InputError: it is no name for a file.
        OSError: nothing can be written there.
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
    """Read a record.

    Args:
        path: of the JSON that Save or `tl-widgets study NAME` wrote.
        studies: names of those that it may be of.

    Returns:
        (the study's name, the result).

    Raises:
        InputError: it cannot be read, or is not such a record.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"{path.name} is too large for the record of a study.")
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{path.name} is no text, so it is not the record of a study.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from None
    return read_study(text, studies)


def list_records() -> list[str]:
    """Names of the files in this folder that may be records, the newest first."""
    found = []
    for path in Path().glob("*.json"):
        try:
            with path.open("rb") as file:
                if b'"format"' in file.read(100):
                    found.append((path.stat().st_mtime, path.name))
        except OSError:
            continue
    return [name for _, name in sorted(found, reverse=True)[:_MOST_RECORDS]]
