"""`tl-widgets backbones`, `datasets` and `cache`: the choices, and files on disk."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from rich.table import Table

from tl_widgets.cli.progress import make_console
from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import count_text, size_text
from tl_widgets.core.resources import home_folder
from tl_widgets.core.translation import _, localized

# Only files with these names are ever deleted, whatever folder TL_WIDGETS_HOME points to.
_FEATURES = ("features.sqlite3", "features.sqlite3-journal", "features.sqlite3-wal", "features.sqlite3-shm")
_LOGS = ("tl-widgets-error.log",)
_HASH = "[0-9a-f]{32}"


def show_backbones() -> None:
    """Print the catalog of backbones."""
    from tl_widgets.backbones.catalogue import list_backbones

    table = _table(
        _("name"),
        _("function"),
        *(_("parameters"), "MB", _("top-1 %"), _("min. pixels")),
        _("preprocessing"),
        _("offline"),
        numbers=slice(2, 6),
    )
    for entry in list_backbones():
        table.add_row(
            entry.name,
            f"{entry.module}.{entry.function}",
            "" if entry.n_params is None else count_text(entry.n_params),
            "" if entry.download_mb is None else f"{entry.download_mb:.0f}",
            "" if entry.top1_pct is None else localized(f"{entry.top1_pct:g}"),
            "" if entry.min_input is None else str(entry.min_input),
            entry.family.preprocessing.label,
            _("yes") if entry.offline else _("no"),
        )
    console = make_console()
    console.print(table)
    console.print(
        _("\nParameters are counted without the 1000-way top. `tl-widgets fetch NAME` downloads one for later.")
    )


def show_datasets() -> None:
    """Print the named data sets."""
    from tl_widgets.data.catalogue import list_datasets

    table = _table(
        *(_("name"), "MB", _("on disk"), _("classes"), _("training"), _("validation"), _("test")), numbers=slice(1, 7)
    )
    for info in list_datasets():
        numbers = (info.n_classes, info.n_train, info.n_validation, info.n_test)
        size = f"{info.n_bytes / 1e6:.0f}" if info.n_bytes else _("built in")
        table.add_row(info.name, size, _("yes") if info.offline else _("no"), *map(count_text, numbers))
    console = make_console()
    console.print(table)
    for info in list_datasets():  # sentences need the full width of a terminal
        console.print(f"\n{info.name}: {info.about}")
    console.print(
        _("\n`tl-widgets fetch NAME` downloads one for later; `compare` and the Lab do so when they need it.")
    )


def _table(*titles: str, numbers: slice) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in titles:
        table.add_column(
            title, justify="right" if title in titles[numbers] and title != _("on disk") else "left", overflow="fold"
        )
    return table


def show_cache(*, clear: bool) -> None:
    """Print location and size of the caches; `clear` deletes what can be recomputed."""
    from tl_widgets.backbones.catalogue import list_backbones

    home, console = home_folder(), make_console()
    converted = [name for entry in list_backbones() if (name := entry.family.converted_file(entry))]
    console.print(
        _("tl-widgets keeps its files in {home} (TL_WIDGETS_HOME chooses another folder)", home=home), soft_wrap=True
    )
    kept = {
        _("backbone features"): _files(home, _FEATURES),
        _("decoded images"): list(_image_files(home / "images")),
        _("converted weights"): _files(home / "weights", converted),
        _("models of the Lab's last runs"): [
            path for path in (home / "models").glob("*.npz") if re.fullmatch(_HASH, path.stem) and path.is_file()
        ],
        "logs": _files(home, _LOGS),
    }
    for label, files in kept.items():
        console.print(f"  {label}: {size_text(_size(files))}", soft_wrap=True)
    downloaded = [path for path in (home / "weights").glob("*.h5") if path.is_file()]
    console.print(
        _("  downloaded weights: {size} (--clear keeps them)", size=size_text(_size(downloaded))), soft_wrap=True
    )
    datasets = [path for path in (home / "datasets").glob("*.zip") if path.is_file()]
    console.print(
        _("  downloaded data sets: {size} (--clear keeps them)", size=size_text(_size(datasets))), soft_wrap=True
    )
    if clear:
        files = [path for group in kept.values() for path in group]
        n_bytes = _size(files)
        _delete(files, home)
        console.print(_("deleted {n_bytes}", n_bytes=size_text(n_bytes)), soft_wrap=True)


def _files(folder: Path, names: Iterable[str]) -> list[Path]:
    return [folder / name for name in names if (folder / name).is_file()]


def _image_files(images: Path) -> Iterable[Path]:
    """Yield the files of `image_cache`, recognized by names that only it uses."""
    for folder in images.iterdir() if images.is_dir() else ():
        if re.fullmatch(f"{_HASH}-{_HASH}|writing-.*", folder.name) and not folder.is_symlink():
            yield from _files(folder, ("images.npy", "entry.json"))
        elif folder.name == "index" and folder.is_dir():
            yield from (
                path for path in folder.iterdir() if re.fullmatch(_HASH + r"(\.[\d.]+|\.\w+\.part)?", path.name)
            )


def _size(files: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in files)


def _delete(files: Sequence[Path], home: Path) -> None:
    for path in files:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise InputError(
                _("Cannot delete {path}: {strerror}.", path=path, strerror=error.strerror or error)
            ) from error
    # rmdir fails unless a folder is empty.
    folders = {path.parent for path in files if path.parent != home}
    for folder in [*folders, home / "images"]:
        with suppress(OSError):
            folder.rmdir()
