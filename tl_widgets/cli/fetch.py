"""`tl-widgets fetch`: weights and data sets for machines without network."""

from __future__ import annotations

import shlex
import shutil
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from rich.console import Console

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.backbones.family import Backbone
from tl_widgets.backbones.weights import resolve_weights, weights_folder
from tl_widgets.cli.progress import cancel_on_interrupt, make_console, show_events
from tl_widgets.core.download import atomic_file
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, Event, OnEvent, raise_if_cancelled
from tl_widgets.core.files import check_writable, write_whole
from tl_widgets.core.numbers import size_text
from tl_widgets.core.resources import can_write, existing_part, home_folder, require_disk
from tl_widgets.core.translation import _
from tl_widgets.data.catalogue import get_dataset, list_datasets
from tl_widgets.data.hosted import HostedDataset, fetch_dataset, is_intact

ROOT = "tl-widgets-home"  # the archive's only folder; once unpacked, --home or TL_WIDGETS_HOME names it
_CHUNK = 1 << 20


def fetch(names: Sequence[str], archive: Path | None = None) -> None:
    """Download weights and data sets by name, and pack them into an archive (.zip or .tar) if one is given."""
    console = make_console()
    if archive is not None:
        check_archive(archive)
    items = [_find_item(name) for name in names]  # unknown names fail before any download
    members: dict[str, Path] = {}
    with cancel_on_interrupt() as cancel:
        for item in items:
            with show_events(console) as on_event:
                path = _fetch_item(item, on_event, cancel)
            console.print(f"{item.name}: {path} ({size_text(path.stat().st_size)})", soft_wrap=True)
            if isinstance(item, HostedDataset):
                members[f"datasets/{path.name}"] = path
                if any(file.sha256 is None for file in item.files):
                    console.print(
                        _("{item_name}: no hash is published, so only its length was checked", item_name=item.name),
                        soft_wrap=True,
                    )
            elif not item.bundled:
                members[f"weights/{path.name}"] = path
        if archive is not None:
            _pack(archive, members, console, cancel)
        elif members:
            home = home_folder().absolute()
            console.print(
                _("On other machines: copy {home} and set TL_WIDGETS_HOME or --home to it.", home=home), soft_wrap=True
            )


def _pack(archive: Path, members: dict[str, Path], console: Console, cancel: Cancel) -> None:
    if not members:
        raise InputError(
            _(
                "There is nothing to put into {archive_name}: everything you asked for comes with the installation.",
                archive_name=archive.name,
            )
        )
    with show_events(console) as on_event:
        write_archive(archive, list(members.items()), on_event, cancel)
    console.print(
        _("Wrote {archive} ({size}).", archive=archive, size=size_text(archive.stat().st_size)), soft_wrap=True
    )
    unpack = _("python -m zipfile -e {} .") if archive.suffix.lower() == ".zip" else _("python -m tarfile -e {}")
    console.print(
        _(
            "On other machines: {quote}, then set TL_WIDGETS_HOME or --home to the folder {root} that it "
            "creates; it may be read-only.",
            quote=unpack.format(shlex.quote(archive.name)),
            root=ROOT,
        ),
        soft_wrap=True,
    )


def _find_item(name: str) -> HostedDataset | Backbone:
    dataset = get_dataset(name.lower())
    if isinstance(dataset, HostedDataset):
        return dataset
    try:
        return find_backbone(name)
    except InputError as error:
        known = ", ".join(info.name for info in list_datasets() if info.n_bytes)
        raise InputError(
            _("{error} The data sets that can be fetched are {known}.", error=error, known=known)
        ) from None


def _fetch_item(item: HostedDataset | Backbone, on_event: OnEvent, cancel: Cancel) -> Path:
    if not item.offline:
        _require_home()
    if isinstance(item, HostedDataset):
        return _fetch_data(item, on_event, cancel)
    return _fetch_weights(item, on_event, cancel)


def _require_home() -> None:
    """Raise `InputError` if the home folder can't be written."""
    home = home_folder().absolute()
    existing = existing_part(home)
    if not existing.is_dir() or not can_write(existing):
        raise InputError(
            _(
                "Nothing can be downloaded into {home}: {existing} isn't writable. Give a writable "
                "folder with --home FOLDER, or fetch on another machine.",
                home=home,
                existing=existing,
            )
        )


def _fetch_data(dataset: HostedDataset, on_event: OnEvent, cancel: Cancel) -> Path:
    """Return the data set's zip; a damaged one is downloaded again."""
    if dataset.path.is_file() and not is_intact(dataset.path):
        try:
            dataset.path.unlink()
        except OSError as error:
            raise InputError(
                _(
                    "{dataset_path} is damaged and can't be replaced: {strerror}. Give another --home.",
                    dataset_path=dataset.path,
                    strerror=error.strerror or error,
                )
            ) from error
    return fetch_dataset(dataset, on_event=on_event, cancel=cancel)


def _fetch_weights(entry: Backbone, on_event: OnEvent, cancel: Cancel) -> Path:
    """Return the weights file in our folder, copied from Keras's cache if needed."""
    path = resolve_weights(entry, "imagenet", on_event=on_event, cancel=cancel).path
    assert path is not None
    target = weights_folder() / path.name
    if entry.bundled or path == target:
        return path
    n_bytes = path.stat().st_size
    require_disk(target.parent, n_bytes, _("Copying the weights of {entry_name}", entry_name=entry.name))
    try:
        with atomic_file(target) as file, path.open("rb") as source:
            shutil.copyfileobj(source, file, _CHUNK)
    except OSError as error:
        raise InputError(
            _(
                "Cannot write {target}: {strerror}. Give another --home.",
                target=target,
                strerror=error.strerror or error,
            )
        ) from error
    return target


def check_archive(path: Path) -> None:
    """Raise `InputError` unless a .zip or .tar can be written there."""
    if path.suffix.lower() not in (".zip", ".tar"):
        raise InputError(
            _(
                "--archive writes a .zip or a .tar; received {path_name}. Give it one of these endings.",
                path_name=path.name,
            )
        )
    check_writable(path, "--archive")


def write_archive(path: Path, members: Sequence[tuple[str, Path]], on_event: OnEvent, cancel: Cancel) -> None:
    """Pack (name, file) pairs into a .zip or .tar that appears only once it is complete.

    It is not compressed, because the files are already. The same files always give the same bytes.
    """
    n_total = sum(file.stat().st_size for _, file in members)
    require_disk(path.parent, n_total, _("Writing {path_name}", path_name=path.name))
    pack = _pack_zip if path.suffix.lower() == ".zip" else _pack_tar
    progress = _Progress(n_total, path.name, on_event, cancel)
    write_whole(path, lambda part: pack(part, members, progress))


class _Progress:
    """A readable file that reports progress over all files, and can be cancelled."""

    def __init__(self, n_total: int, name: str, on_event: OnEvent, cancel: Cancel) -> None:
        self._n_total, self._name, self._on_event, self._cancel = n_total, name, on_event, cancel
        self._n_done = 0
        self._file: BinaryIO | None = None

    def reading(self, file: BinaryIO) -> _Progress:
        """Continue with the next file."""
        self._file = file
        return self

    def read(self, size: int = _CHUNK) -> bytes:
        assert self._file is not None
        raise_if_cancelled(self._cancel)
        data = self._file.read(min(size, _CHUNK))
        self._n_done += len(data)
        text = _(
            "writing {name}: {n_done} of {n_total}",
            name=self._name,
            n_done=size_text(self._n_done),
            n_total=size_text(self._n_total),
        )
        self._on_event(Event("save", text, n_done=self._n_done, n_total=self._n_total))
        return data


def _pack_zip(part: Path, members: Sequence[tuple[str, Path]], progress: _Progress) -> None:
    with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        for name, file in members:
            info = zipfile.ZipInfo(f"{ROOT}/{name}")
            info.external_attr = 0o644 << 16  # readable for everyone, with any account's umask
            info.file_size = file.stat().st_size
            with file.open("rb") as source, archive.open(info, "w") as target:
                shutil.copyfileobj(progress.reading(source), target, _CHUNK)


def _pack_tar(part: Path, members: Sequence[tuple[str, Path]], progress: _Progress) -> None:
    with tarfile.open(part, "w") as archive:
        for name, file in members:
            info = tarfile.TarInfo(f"{ROOT}/{name}")
            info.size = file.stat().st_size
            with file.open("rb") as source:
                archive.addfile(info, progress.reading(source))
