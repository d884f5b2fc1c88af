"""Reading a learner's data in any form: arrays, ImageDataset, tf.data, PyDataset, generators."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.errors import InputError
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset

Array = NDArray[Any]
MAX_BYTES = 200_000_000  # of pixels for the sample
N_SAMPLE = 32
_N_SCANNED = 4_000  # images of a stream whose labels are read, unless the time is up first
_N_BUFFERED = 256  # images of a generator, which can't be read twice
_SECONDS = 2.5
_RAGGED = _(
    "The images differ in size, so they make no array: load all in one size, such as with target_size=(224, 224)."
)


@dataclass(frozen=True, eq=False)
class Batch:
    """What a data set hands to `fit` at once.

    Attributes:
        inputs: An array, or the dictionary or list of arrays that a model with several inputs takes.
        labels: An array, a dictionary or list of arrays, or None.
        is_weighted: Whether sample weights come with it.
    """

    inputs: Any
    labels: Any
    is_weighted: bool = False

    @property
    def images(self) -> Array:
        """The images among the inputs: the array of the highest rank."""
        return max(leaves(self.inputs).values(), key=lambda leaf: len(leaf.shape))


@dataclass(frozen=True, eq=False)
class Data:
    """A learner's data.

    Attributes:
        source: The data in the learner's form.
        rank: The rank of a batch of images that the model takes.
        part: "train" or "validation" of an ImageDataset.
        kept: What was computed from whole passes, for other checks.
    """

    source: Any
    rank: int = 4
    part: str = "train"
    kept: dict[Any, Any] = field(default_factory=dict)
    _buffer: list[Batch] = field(default_factory=list)
    _ended: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.form == "other":
            raise InputError(
                _(
                    "check_setup takes an ImageDataset, (images, labels) as arrays, a tf.data set, or a "
                    "PyDataset or generator of such batches; received {name}.",
                    name=type(self.source).__name__,
                )
            )

    @property
    def form(self) -> str:
        """One of "arrays", "tf.data", "sequence" (has a length and an index), "iterable", "generator" or "other"."""
        source = self.source
        if isinstance(source, ImageDataset) or _are_arrays(source):
            return "arrays"
        if (tensorflow := _tensorflow()) and isinstance(source, tensorflow.data.Dataset):
            return "tf.data"
        if isinstance(source, keras.utils.PyDataset) or (
            not isinstance(source, tuple | list | str | bytes | Mapping)
            and callable(getattr(source, "__getitem__", None))
            and callable(getattr(source, "__len__", None))
        ):
            return "sequence"
        if isinstance(source, tuple | list | str | bytes | Mapping):
            return "other"
        if isinstance(source, Iterator):
            return "generator"
        return "iterable" if callable(getattr(source, "__iter__", None)) else "other"

    @property
    def is_array(self) -> bool:
        """Whether all images are at hand, and `fit` shuffles them."""
        return self.form == "arrays"

    @cached_property
    def arrays(self) -> Batch:
        """All images and labels of arrays."""
        if isinstance(self.source, ImageDataset):
            split = getattr(self.source, self.part)
            return Batch(split.images, split.labels)
        if not isinstance(self.source, tuple | list):
            return Batch(_to_arrays(self.source), None)
        inputs, labels, *weights = self.source
        if isinstance(labels, tuple | list) and 1 < len(labels) < 10 and all(map(_is_array, labels)):
            labels = [_to_array(part) for part in labels]  # one for each output
        elif labels is not None:
            labels = _to_arrays(labels)
        return Batch(_to_arrays(inputs), labels, bool(weights))

    @cached_property
    def n(self) -> int | None:
        """The number of images, if it's known without reading them."""
        if self.is_array:
            return len(self.arrays.images)
        n = getattr(self.source, "n", None) or getattr(self.source, "samples", None)
        return n if isinstance(n, int) else len(self.files) or None

    @property
    def files(self) -> tuple[str, ...]:
        """The paths of its files, if it knows them."""
        files = getattr(self.source, "file_paths", None) or getattr(self.source, "filepaths", None) or ()
        return tuple(map(str, files)) if isinstance(files, list | tuple) else ()

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of its classes in the order of labels, if it knows them."""
        names = getattr(self.source, "class_names", None)
        if names is None and isinstance(indices := getattr(self.source, "class_indices", None), dict):
            names = sorted(indices, key=lambda name: indices[name])
        return tuple(map(str, names)) if isinstance(names, list | tuple) else ()

    @cached_property
    def is_unbatched(self) -> bool:
        """Whether it hands out single images instead of batches."""
        return not self.is_array and len(self.first.images.shape) == self.rank - 1

    @cached_property
    def first(self) -> Batch:
        """The first batch as it comes."""
        batch = next(self._stream(), None)
        if batch is None:
            raise InputError(_("The data contain no images."))
        return batch

    @cached_property
    def sample(self) -> Batch:
        """A few images: spread over arrays, or else the first ones."""
        if self.is_array:
            n = len(self.arrays.images)
            if not n:
                raise InputError(_("The data contain no images."))
            labels, rows = self.arrays.labels, np.unique(np.linspace(0, n - 1, N_SAMPLE).astype(int))
            fits = labels is not None and all(len(leaf) >= n for leaf in leaves(labels).values())
            picked = at(labels, rows) if fits else None
            return Batch(at(self.arrays.inputs, rows), picked, self.arrays.is_weighted)
        batches, n, n_bytes = [], 0, 0
        for batch in self.batches():
            batches.append(batch)
            n, n_bytes = n + len(batch.images), n_bytes + batch.images.nbytes
            if n >= N_SAMPLE or n_bytes > MAX_BYTES:
                break
        if not batches:
            raise InputError(_("The data contain no images."))
        labels = [batch.labels for batch in batches]
        joined = None if any(each is None for each in labels) else _join(labels)
        rows = np.arange(min(n, N_SAMPLE))
        inputs = at(_join([batch.inputs for batch in batches]), rows)
        return Batch(inputs, None if joined is None else at(joined, rows), batches[0].is_weighted)

    def batches(self) -> Iterator[Batch]:
        """Yield batches in one pass; an image without the batch's axis gets one."""
        for batch in self._stream():
            single = len(batch.images.shape) == self.rank - 1 and not self.is_array
            yield (
                Batch(_map(batch.inputs, _with_axis), _map(batch.labels, _with_axis), batch.is_weighted)
                if (single)
                else batch
            )

    def scanned(self) -> Iterator[Batch]:
        """Yield the batches of one pass until `_N_SCANNED` images or the time is reached."""
        deadline, n = time.monotonic() + _SECONDS, 0
        for batch in self.batches():
            yield batch
            n += len(batch.images)
            if n >= _N_SCANNED or time.monotonic() > deadline:
                return
        if self.form != "generator":
            self._ended.append(True)

    @property
    def was_read_whole(self) -> bool:
        """Whether all images have been at hand once, and not only the first thousands."""
        return self.is_array or bool(self._ended)

    @cached_property
    def all_labels(self) -> Any:
        """The labels of all images of arrays, or of the first thousands of a stream, in order; None without any."""
        if self.is_array:
            return self.arrays.labels
        known = getattr(self.source, "classes", None)  # of Keras's older generators
        if isinstance(known, list | np.ndarray) and len(known) and getattr(self.source, "shuffle", None) is False:
            first = self.sample.labels
            if isinstance(first, np.ndarray) and first.ndim == 1:
                self._ended.append(True)
                return np.asarray(known)
        labels = []
        for batch in self.scanned():
            if batch.labels is None:
                return None
            labels.append(batch.labels)
        return _join(labels)

    def _stream(self) -> Iterator[Batch]:
        form = self.form
        if form == "arrays":
            yield self.arrays
        elif form == "sequence":
            yield from (_batch(self.source[i]) for i in range(len(self.source)))
        elif form == "generator":
            yield from self._buffer
            while sum(len(batch.images) for batch in self._buffer) < _N_BUFFERED:
                element = next(self.source, None)
                if element is None:
                    return
                self._buffer.append(_batch(element))
                yield self._buffer[-1]
        else:
            yield from map(_batch, self.source)


def leaves(structure: Any, path: str = "") -> dict[str, Array]:
    """Return the arrays of a structure by name, or by number in a list; "" for a single array."""
    if isinstance(structure, Mapping):
        pairs = [(str(key), value) for key, value in structure.items()]
    elif isinstance(structure, tuple | list):
        pairs = [(str(i), value) for i, value in enumerate(structure)]
    else:
        return {path: structure}
    found: dict[str, Array] = {}
    for key, value in pairs:
        found.update(leaves(value, f"{path}.{key}" if path else key))
    return found


def at(structure: Any, rows: Any) -> Any:
    """Return these rows of each array."""
    return _map(structure, lambda leaf: leaf[rows])


def _map(structure: Any, change: Any) -> Any:
    if structure is None:
        return None
    if isinstance(structure, Mapping):
        return {key: _map(value, change) for key, value in structure.items()}
    if isinstance(structure, tuple | list):
        return [_map(value, change) for value in structure]
    return change(structure)


def _with_axis(leaf: Array) -> Array:
    return np.asarray(leaf)[None]


def _join(structures: list[Any]) -> Any:
    first = structures[0]
    if isinstance(first, Mapping):
        return {key: _join([structure[key] for structure in structures]) for key in first}
    if isinstance(first, tuple | list):
        return [_join(list(parts)) for parts in zip(*structures, strict=True)]
    return np.concatenate([np.atleast_1d(structure) for structure in structures])


def _are_arrays(source: Any) -> bool:
    """Return whether this is an array of images, or (images, labels) or (images, labels, weights)."""
    if _is_array(source):
        return True
    if not isinstance(source, tuple | list) or len(source) not in (2, 3):
        return False
    inputs = leaves(source[0]) if isinstance(source[0], Mapping | tuple | list) else {"": source[0]}
    return all(_is_array(leaf) or np.ndim(leaf) > 0 for leaf in inputs.values()) and bool(inputs)


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray | keras.KerasTensor) or keras.ops.is_tensor(value) or _is_tensorflows(value)


def _is_tensorflows(value: Any) -> bool:
    return bool((tensorflow := _tensorflow()) and tensorflow.is_tensor(value))


def _tensorflow() -> Any:
    """Return TensorFlow if it's loaded, which Keras doesn't need with another backend; if not, no data are its own."""
    return sys.modules.get("tensorflow")


def _to_arrays(structure: Any) -> Any:
    if isinstance(structure, Mapping):
        return {key: _to_arrays(value) for key, value in structure.items()}
    if isinstance(structure, tuple | list) and structure and _is_array(structure[0]) and np.ndim(structure[0]) > 1:
        if len({len(part) for part in structure}) == 1 and len(structure) < 5 and np.ndim(structure[0]) > 3:
            return [_to_arrays(part) for part in structure]  # one for each input
        if len({np.ndim(part) for part in structure}) > 1 and len(structure) < 5:
            return [_to_arrays(part) for part in structure]
    return _to_array(structure)


def _to_array(value: Any) -> Array:
    if (tensorflow := _tensorflow()) and isinstance(value, tensorflow.RaggedTensor | tensorflow.SparseTensor):
        raise InputError(_("The data are {name}s; load all images in one size.", name=type(value).__name__))
    try:
        array = np.asarray(keras.ops.convert_to_numpy(value) if keras.ops.is_tensor(value) else value)
    except ValueError as error:  # NumPy makes no array of arrays of different shapes
        raise InputError(_RAGGED) from error
    if array.dtype != object:
        return array
    if any(np.ndim(item) for item in array.ravel()[:100]):
        raise InputError(_RAGGED)
    return np.array([item.decode() if isinstance(item, bytes) else str(item) for item in array.ravel()]).reshape(
        array.shape
    )


def _batch(element: Any) -> Batch:
    if isinstance(element, tuple | list):
        if len(element) in (2, 3):
            inputs, labels, *weights = element
            return Batch(_map(inputs, _to_array), _map(labels, _to_array), bool(weights))
        if len(element) == 1:
            return Batch(_map(element[0], _to_array), None)
    return Batch(_map(element, _to_array), None)
