"""Features: a model's frozen layers run once per image, and their output is kept.

A frozen layer's output for an image is the same in every epoch, so computing it once is up to E times cheaper in
E epochs. This holds only if nothing before the head is random or trainable; otherwise `FrozenPart.of` returns None.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tl_widgets.backbones.keras_compat import all_layers, is_random
from tl_widgets.core.events import Cancel, Event, OnEvent, ignore, raise_if_cancelled, seconds_left
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import Split
from tl_widgets.training.feature_store import Row, read_features, write_features
from tl_widgets.training.folded import inference_of
from tl_widgets.training.stoppable import Stoppable

BATCH = 16  # 32 images of 96 pixels take 0.1 GB more, and no less time
_SPLIT_FROM = 128 * 128  # pixels; from here on two half batches side by side are 5 to 20% faster, also on one core
_FORMAT = "2"  # change it when the same layers would give other features: stored rows are then ignored
_TIMED_BATCHES, _TIMED_SECONDS = 10, 2.0  # whichever comes first
_KEPT_IN_MEMORY = 400_000_000  # bytes


@dataclass(frozen=True, eq=False)
class Features:
    """The frozen layers' output for some images.

    Attributes:
        values: float32 (n, *output shape of the last frozen layer).
        seconds: Time to get them now.
        saved: Seconds that computing the stored ones once took.
    """

    values: NDArray[np.float32]
    seconds: float
    saved: float


def _is_frozen(layer: keras.layers.Layer) -> bool:
    """Return whether training doesn't change the layer's output.

    BatchNormalization without scale and center has no trainable weights but still updates its averages in
    training, so `trainable` counts, not the list of trainable weights.
    """
    return not any((part.weights and part.trainable) or is_random(part) for part in all_layers(layer))


def _describe(layers: Sequence[keras.layers.Layer]) -> str:
    """Return the layers' configuration without names, which differ between models."""
    numbers: dict[str, str] = {}
    for layer in layers:
        for part in all_layers(layer):
            numbers.setdefault(part.name, f"#{len(numbers)}")
    text = json.dumps([[type(layer).__name__, layer.get_config()] for layer in layers], default=repr, sort_keys=True)
    return re.sub(r'"([^"]+)"', lambda match: f'"{numbers.get(match[1], match[1])}"', text)


def _digest_weights(layers: Sequence[keras.layers.Layer]) -> bytes:
    digest = hashlib.sha256()
    for layer in layers:
        for weight in layer.get_weights():
            digest.update(np.ascontiguousarray(weight).data)
    return digest.digest()


class FrozenPart:
    """The `n_layers` leading frozen layers of a model, as one function of images.

    The `fingerprint` is the same for the same layers, weights and input shape in any process. The `output_shape` is
    that of one image's features.
    """

    def __init__(self, layers: Sequence[keras.layers.Layer], input_shape: tuple[int, ...]) -> None:
        self.n_layers = len(layers)
        self.output_shape: tuple[int, ...] = tuple(layers[-1].output.shape[1:])
        digest = hashlib.sha256(repr((_FORMAT, keras.__version__, input_shape)).encode())
        digest.update(_describe(layers).encode())
        self._layers, self._input_shape = tuple(layers), input_shape
        self._weights_digest = _digest_weights(self._layers)
        digest.update(self._weights_digest)
        self.fingerprint = digest.digest()
        self._rows: dict[bytes, Row] = {}

    @cached_property
    def _compute(self) -> Any:
        """The function of a batch of uint8 images; made when it is first needed, because all may be stored."""
        functions = list(map(inference_of, self._layers))
        n_parts = 2 if prod(self._input_shape[:2]) >= _SPLIT_FROM else 1

        @tf.function(  # type: ignore[untyped-decorator]
            input_signature=[tf.TensorSpec((BATCH // n_parts, *self._input_shape), tf.uint8)], autograph=False
        )
        def compute_part(images: Any) -> Any:
            values = tf.cast(images, tf.float32)
            for function in functions:
                values = function(values)
            return values

        # Pad the last batch to one fixed shape: tracing a second shape takes a second or two.
        @tf.function(input_signature=[tf.TensorSpec((BATCH, *self._input_shape), tf.uint8)], autograph=False)  # type: ignore[untyped-decorator]
        def compute(images: Any) -> Any:
            return tf.concat([compute_part(part) for part in tf.split(images, n_parts)], axis=0)

        return compute if n_parts > 1 else compute_part

    def is_unchanged(self) -> bool:
        """Return whether the layers are still frozen and their weights unchanged."""
        return all(map(_is_frozen, self._layers)) and _digest_weights(self._layers) == self._weights_digest

    @classmethod
    def of(cls, model: keras.Model) -> FrozenPart | None:
        """Return a model's frozen part; None if storing features is wrong or useless.

        That is the case if the model isn't a built Sequential, all of its layers are frozen, or no frozen layer with
        weights comes before the first random or trainable layer.
        """
        if not isinstance(model, keras.Sequential) or not model.built:
            return None
        leading: list[keras.layers.Layer] = []
        for layer in model.layers:
            if not _is_frozen(layer):
                break
            leading.append(layer)
        if len(leading) == len(model.layers) or not any(layer.weights for layer in leading):
            return None
        return cls(leading, tuple(model.input_shape[1:]))

    def read(
        self,
        split: Split,
        *,
        model: str = ModelName.TRANSFER,
        on_event: OnEvent = ignore,
        cancel: Cancel | None = None,
        keep: bool = True,
    ) -> Features:
        """Return the features of a split's images, computing those that aren't stored.

        `model` is the name in events. With `keep`, new features are also written to disk.

        Raises:
            CancelledError: `cancel` was set; the features computed until then are kept.
        """
        started = time.perf_counter()
        keys = split.keys
        rows = self._read_stored(keys, on_event)
        missing = list(dict.fromkeys(i for i, key in enumerate(keys) if key not in rows))
        saved = sum(seconds for _, seconds in rows.values())
        self._read_missing(split, missing, rows, model, on_event, cancel, keep)
        if sum(vector.nbytes for vector, _ in self._rows.values()) < _KEPT_IN_MEMORY:
            self._rows.update(rows)
        values = np.empty((len(keys), *self.output_shape), np.float32)
        flat = values.reshape(len(keys), -1)
        for i, key in enumerate(keys):
            flat[i] = rows[key][0]
        return Features(values, time.perf_counter() - started, saved)

    @property
    def is_traced(self) -> bool:
        """Whether it has computed features, which takes seconds the first time."""
        return "_compute" in vars(self) and bool(self._compute.experimental_get_tracing_count())

    def count_stored(self, keys: Sequence[bytes]) -> int:
        """Return how many of these images have stored features."""
        missing = [key for key in keys if key not in self._rows]
        return len(keys) - len(missing) + len(read_features(self.fingerprint, missing))

    def seconds_per_image(self, *, cancel: Cancel | None = None) -> float:
        """Measure the seconds per image in a full batch, without TensorFlow's tracing.

        The fastest of a few batches of noise counts, because other load on the machine only slows a batch down.
        """
        shape = self._compute.input_signature[0].shape
        images = tf.constant(np.random.default_rng(0).integers(0, 256, shape, np.uint8))
        self._compute(images)
        seconds: list[float] = []
        while len(seconds) < _TIMED_BATCHES and sum(seconds) < _TIMED_SECONDS:
            raise_if_cancelled(cancel)
            started = time.perf_counter()
            self._compute(images).numpy()
            seconds.append(time.perf_counter() - started)
        return min(seconds) / BATCH

    def _read_stored(self, keys: Sequence[bytes], on_event: OnEvent) -> dict[bytes, Row]:
        rows = {key: self._rows[key] for key in keys if key in self._rows}
        rows.update(read_features(self.fingerprint, [key for key in dict.fromkeys(keys) if key not in rows], on_event))
        size = prod(self.output_shape)
        return {key: row for key, row in rows.items() if len(row[0]) == size}

    def _read_missing(
        self,
        split: Split,
        missing: list[int],
        rows: dict[bytes, Row],
        model: str,
        on_event: OnEvent,
        cancel: Cancel | None,
        keep: bool,
    ) -> None:
        started, new_rows = time.perf_counter(), []
        n_kept, n_total = len(split) - len(missing), len(split)
        compute = Stoppable(lambda images: self._compute(tf.constant(images)).numpy(), cancel)
        try:
            for start in range(0, len(missing), BATCH):
                batch_started = time.perf_counter()
                indices = missing[start : start + BATCH]
                images = np.zeros((BATCH, *split.images.shape[1:]), np.uint8)
                images[: len(indices)] = split.images[indices]
                values = compute(images)
                seconds_per_image = (time.perf_counter() - batch_started) / len(indices)
                for i, value in zip(indices, values, strict=False):
                    rows[split.keys[i]] = (value.ravel(), seconds_per_image)
                    new_rows.append((split.keys[i], value.ravel(), seconds_per_image))
                n_read, seconds = start + len(indices), time.perf_counter() - started
                text = _(
                    "reading the frozen backbone's features: {n_kept} of {n_total} images",
                    n_kept=n_kept + n_read,
                    n_total=n_total,
                )
                left = seconds_left(seconds, n_read, len(missing))
                on_event(Event("features", text, model, n_kept + n_read, n_total, seconds=seconds, seconds_left=left))
        finally:
            if keep and new_rows:
                write_features(self.fingerprint, new_rows, on_event)
