"""`tl-widgets fetch`: put weights and data sets into one folder, for machines without network."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from tl_widgets.backbones import Backbone, find_backbone
from tl_widgets.cli_progress import make_console, stoppable, watching
from tl_widgets.download import atomic_file
from tl_widgets.errors import InputError
from tl_widgets.events import Cancel, OnEvent
from tl_widgets.hosted import HOSTED, HostedDataset, fetch_dataset, find_hosted
from tl_widgets.machine import home_folder, megabytes, require_disk
from tl_widgets.weights import resolve_weights, weights_folder


def fetch(names: Sequence[str]) -> None:
    """Download the ImageNet weights of backbones, and data sets.

    Args:
        names: of backbones and data sets; upper and lower case do not matter.

    Raises:
        InputError: there is nothing of that name, or it is not to be had.
        CancelledError: Ctrl-C; no half file is left.
    """
    console = make_console()
    wanted = [find_hosted(name.lower()) or _backbone(name) for name in names]  # all known before any is fetched
    with stoppable() as cancel:
        for one in wanted:
            with watching(console) as on_event:
                path = (
                    fetch_dataset(one, on_event=on_event, cancel=cancel)
                    if isinstance(one, HostedDataset)
                    else _fetch_weights(one, on_event, cancel)
                )
            console.print(f"{one.name}: {path} ({megabytes(path.stat().st_size)})", soft_wrap=True)
            if isinstance(one, HostedDataset) and any(file.sha256 is None for file in one.files):
                console.print(f"{one.name}: nobody publishes its hash, only its length is checked", soft_wrap=True)
    if any(isinstance(one, HostedDataset) or not one.bundled for one in wanted):
        home = home_folder().absolute()
        console.print(f"On other machines: copy {home} and set TL_WIDGETS_HOME or --home to it.", soft_wrap=True)


def _backbone(name: str) -> Backbone:
    try:
        return find_backbone(name)
    except InputError as error:
        known = ", ".join(one.name for one in HOSTED)
        raise InputError(f"{error} The data sets that can be fetched are {known}.") from None


def _fetch_weights(entry: Backbone, on_event: OnEvent, cancel: Cancel) -> Path:
    """The weights file: in our folder even where Keras's cache has it, because the folder is what travels."""
    found = resolve_weights(entry, "imagenet", on_event=on_event, cancel=cancel).path
    assert found is not None
    target = weights_folder() / found.name
    if entry.bundled or found == target:
        return found
    n_bytes = found.stat().st_size
    require_disk(target.parent, n_bytes, f"Copying the weights of {entry.name}")
    try:
        with atomic_file(target) as file, found.open("rb") as source:
            shutil.copyfileobj(source, file, 1 << 20)
    except OSError as error:
        raise InputError(f"Cannot write {target}: {error.strerror or error}. Give another --home.") from error
    return target
