"""Finding weights in caches, online or in a user's file, without TensorFlow.

A request for ImageNet weights never returns random ones.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Literal

from tl_widgets.backbones.family import Backbone
from tl_widgets.core.config import Config
from tl_widgets.core.download import algorithm_of, download, failure_reason, file_digest
from tl_widgets.core.errors import InputError, WeightsUnavailableError
from tl_widgets.core.events import Cancel, OnEvent, ignore
from tl_widgets.core.paths import user_path
from tl_widgets.core.resources import home_folder
from tl_widgets.core.translation import _

_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_SUFFIXES = (".weights.h5", ".h5", ".keras")


@dataclass(frozen=True)
class ResolvedWeights:
    """Weights that are on this machine, or random weights.

    `path` and `sha256` are None for random weights, which are drawn from a seed. `label` is for display.
    """

    kind: Literal["imagenet", "file", "random"]
    path: Path | None
    sha256: str | None
    label: str


def resolve_weights(
    backbone: Backbone,
    weights: str | os.PathLike[str] | None,
    *,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> ResolvedWeights:
    """Find the weights of a backbone, downloading them if necessary.

    `weights` is "imagenet", the path of a .weights.h5, .h5 or .keras file, or None for random weights.
    Only `build_backbone` checks whether a file's content fits the backbone.

    Raises:
        WeightsUnavailableError: The ImageNet weights aren't on this machine and can't be downloaded.
        InputError: The path isn't a Keras weights file.
        CancelledError: `cancel` was set.
    """
    if weights is None:
        return ResolvedWeights("random", None, None, "random")
    if weights != "imagenet":
        path = _checked_file(user_path(weights, "weights"))
        return ResolvedWeights("file", path, file_digest(path, "sha256"), path.name)
    path = backbone.family.find_weights(backbone, on_event, cancel)
    return ResolvedWeights("imagenet", path, file_digest(path, "sha256"), "imagenet")


def is_published(path: Path, published_hash: str | None) -> bool:
    """Return whether the file has the published hash; False if there is none."""
    return published_hash is not None and file_digest(path, algorithm_of(published_hash)) == published_hash


def weights_folder() -> Path:
    """Return the folder for downloaded and converted weights."""
    return home_folder() / "weights"


def local_weights_file(file_name: str | None) -> Path | None:
    """Return the file with this name in Keras's cache or our folder, unchecked."""
    return next(_local_files(file_name), None)


def _local_files(file_name: str | None) -> Iterator[Path]:
    if file_name is not None:
        places = [weights_folder() / file_name]
        with suppress(RuntimeError):  # an account without a home folder
            keras_home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
            places.insert(0, keras_home / "models" / file_name)
        yield from (path for path in places if path.is_file())


def published_weights(backbone: Backbone, on_event: OnEvent, cancel: Cancel | None) -> Path:
    """Return the file from `backbone.weights_url`, from a cache or by downloading it."""
    damaged = ""
    for path in _local_files(backbone.weights_file):
        # Skip a damaged file: the next folder may have a good copy.
        if backbone.weights_hash is None or is_published(path, backbone.weights_hash):
            return path
        damaged = _("; {path} is damaged", path=path)
    if backbone.weights_url is None or backbone.weights_file is None:
        raise WeightsUnavailableError(_unavailable_message(backbone, _("tl_widgets has no download address for them")))
    try:
        return download(
            backbone.weights_url,
            weights_folder() / backbone.weights_file,
            published_hash=backbone.weights_hash,
            subject=backbone.name,
            most_bytes=int(2e6 * (backbone.download_mb or 1000)) + 1_000_000,
            on_event=on_event,
            cancel=cancel,
        )
    except (OSError, HTTPException) as error:  # URLError, timeouts and a full disk are all OSErrors
        raise WeightsUnavailableError(_unavailable_message(backbone, failure_reason(error) + damaged)) from error


def _unavailable_message(backbone: Backbone, reason: str) -> str:
    fetch = _(
        "fetch them on a connected machine (tl-widgets fetch {backbone_name}, then copy its folder here)",
        backbone_name=backbone.name,
    )
    if backbone.weights_url:
        fetch += _(
            ", or from {weights_url} and save them as {weights_folder}",
            weights_url=backbone.weights_url,
            weights_folder=weights_folder() / str(backbone.weights_file),
        )
    return _(
        "The ImageNet weights of {backbone_name} are not on this machine and could not be downloaded "
        "({reason}). You can choose the bundled backbone {backbone}, which needs no network; give a "
        'weights file (weights="PATH.h5"); or {fetch}.',
        backbone_name=backbone.name,
        reason=reason,
        backbone=Config.backbone,
        fetch=fetch,
    )


def _checked_file(path: Path) -> Path:
    """Return `path` if its first bytes look like Keras weights; unpickles nothing."""
    allowed = _('weights is "imagenet", None (random), or the path of a .weights.h5, .h5 or .keras file')
    if not path.is_file():
        raise InputError(_("There is no weights file {path}; {allowed}.", path=path, allowed=allowed))
    if not path.name.endswith(_SUFFIXES):
        raise InputError(_("{path_name} is not a Keras weights file; {allowed}.", path_name=path.name, allowed=allowed))
    if path.suffix == ".keras":
        good = False
        # A damaged table of contents raises more kinds of errors than zipfile documents.
        with suppress(Exception), zipfile.ZipFile(path) as archive:
            good = "model.weights.h5" in archive.namelist()
    else:
        with path.open("rb") as file:
            good = file.read(len(_HDF5_MAGIC)) == _HDF5_MAGIC
    if not good:
        raise InputError(
            _(
                "{path_name} is named like a Keras weights file but is not one (perhaps a pickle, a "
                "PyTorch file or a broken download). Save the weights with Keras's model.save_weights "
                "and give that file.",
                path_name=path.name,
            )
        )
    return path
