"""Opening a model of any origin without running anything in it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import keras

from tl_widgets.core.errors import InputError
from tl_widgets.core.paths import user_file
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.setup_checks.check import check_setup
from tl_widgets.setup_checks.mistake import Report

_MAX_CONFIG = 50_000_000
_BIG_MEMBER, _MOST_SHRUNK = 10_000_000, 100
# Classes of Keras that run code from the file, or read other files.
_UNSAFE = frozenset(
    {
        "Lambda",
        "__lambda__",
        "TorchModuleWrapper",
        "FlaxLayer",
        "JaxLayer",
        "TFSMLayer",
        "StringLookup",
        "IntegerLookup",
        "TextVectorization",
        "Hashing",
        "HashedCrossing",
        "FeatureSpace",
    }
)
_SAFE_MODULES = ("keras", "keras_core", "tensorflow.python.keras")
_PLAIN = ("builtins", "", None)


def check_saved(path: str | Path, load: Callable[[int | None], ImageDataset], name: str = "") -> Report:
    """Open a model of any origin, and look for mistakes in it and its images.

    Args:
        path: The file.
        load: Returns the images, in the size that the model takes; it receives None for a model that takes any.
        name: What messages call the file; "" for the name that it has.

    Raises:
        InputError: As in `load_untrusted`, or the images can't be loaded.
    """
    model = load_untrusted(path, name)
    shape = getattr(model, "input_shape", None)
    side = shape[1] if isinstance(shape, tuple) and len(shape) == 4 else None
    return check_setup(model, load(side if isinstance(side, int) else None))


def load_untrusted(path: str | Path, name: str = "") -> keras.Model:
    """Load a .keras or .h5 file that consists of Keras's own layers.

    Args:
        path: The file.
        name: What messages call it; "" for the name that it has.

    Returns:
        The model, compiled if it was saved so and its loss and metrics are Keras's own.

    Raises:
        InputError: The file is missing, damaged, a pipe, or no Keras model, or it holds Lambda layers or classes that
            aren't Keras's own, which would run code.
    """
    path = user_file(path, "model")
    name = name or path.name
    if path.suffix.lower() not in (".keras", ".h5", ".hdf5"):
        raise InputError(_("{name} must be a model that Keras saved, with the ending .keras or .h5.", name=name))
    try:
        _check(path, name)
        return keras.saving.load_model(path, safe_mode=True)
    except InputError:
        raise
    except Exception as error:  # a damaged file raises anything
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            _(
                "{name} can't be opened as a Keras model ({error}: {reason}).",
                name=name,
                error=type(error).__name__,
                reason=reason,
            )
        ) from error


def _check(path: Path, name: str) -> None:
    """Raise InputError if a file asks for anything but Keras's own classes."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.file_size > _BIG_MEMBER and member.file_size > _MOST_SHRUNK * max(1, member.compress_size):
                    raise InputError(_("{name} grows far too much when unpacked.", name=name))
            if archive.getinfo("config.json").file_size > _MAX_CONFIG:
                raise InputError(_("{name} has a description of more than 50 MB.", name=name))
            config = json.loads(archive.read("config.json"))
            with archive.open("model.weights.h5") as weights, h5py.File(weights, "r") as file:
                _check_links(name, file)
    else:
        with h5py.File(path, "r") as file:
            _check_links(name, file)
            texts = [file.attrs.get(name) for name in ("model_config", "training_config")]
            if texts[0] is None:
                raise InputError(_("{name} holds weights only; save the whole model with model.save().", name=name))
            config = [json.loads(text) for text in texts if text is not None]
    for unsafe in _unsafe(config):
        raise InputError(
            _(
                "{name} holds {unsafe}, which would run code from the file, so it isn't opened. Check "
                "such a model in your own program with tl_widgets.check_setup(model, data), if you trust "
                "it.",
                name=name,
                unsafe=unsafe,
            )
        )


def _check_links(model: str, file: h5py.File) -> None:
    def visit(name: str) -> None:
        link = file.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise InputError(_("{model} links to another file, so it isn't opened.", model=model))
        item = file[name]
        if isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
            raise InputError(_("{model} reads its weights from another file, so it isn't opened.", model=model))

    names: list[str] = []
    file.visit(names.append)  # follows hard links only
    for group in ["/", *names]:
        item = file[group]
        if isinstance(item, h5py.Group):
            for key in item:
                visit(f"{group}/{key}")


def _unsafe(config: Any) -> Iterator[str]:
    """Yield what in a description isn't one of Keras's own safe classes."""
    if isinstance(config, list):
        for value in config:
            yield from _unsafe(value)
        return
    if not isinstance(config, dict):
        return
    name, module = config.get("class_name"), config.get("module")
    if name is not None:
        if name in _UNSAFE:
            yield _("a layer {name}", name=name) if name != "__lambda__" else _("a function")
        elif not isinstance(name, str) or (module not in _PLAIN and not _is_keras(module)):
            yield _("the class {module}.{name}", module=module, name=name)
        elif module in _PLAIN and "registered_name" in config and config["registered_name"] not in (None, name):
            yield _("a class {registered_name}", registered_name=config["registered_name"])
        elif module == "builtins" and name not in ("slice", "function", "type", "int", "float", "str", "list", "tuple",
                                                   "dict", "bool"):  # fmt: skip
            yield _("{name} of Python", name=name)
    for value in config.values():
        yield from _unsafe(value)


def _is_keras(module: Any) -> bool:
    return isinstance(module, str) and any(module == safe or module.startswith(f"{safe}.") for safe in _SAFE_MODULES)
