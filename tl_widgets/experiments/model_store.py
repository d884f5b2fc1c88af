"""The trained weights of a comparison's models on disk, from which the same models are built again.

Below `home_folder()/models`, a file for each comparison, with the weights that were trained: those of a frozen backbone
are elsewhere. Storing is optional: what can't be written or doesn't fit is left out.
"""

from __future__ import annotations

import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tl_widgets.backbones.catalogue import require_backbone
from tl_widgets.backbones.weights import resolve_weights
from tl_widgets.core.download import atomic_file
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.resources import home_folder
from tl_widgets.data.dataset import Images
from tl_widgets.experiments.arms import RunCache, load_frozen
from tl_widgets.records.comparison import Comparison, RunResult

if TYPE_CHECKING:
    import keras

MAX_BYTES = 200_000_000  # of all comparisons
MAX_BYTES_OF_ONE = 60_000_000
_ROUNDING = 1e-3  # another processor may round otherwise


def write_models(name: str, comparison: Comparison) -> bool:
    """Store the trained weights of a comparison under a name; return whether they are there now.

    The oldest files are deleted if all together are more than `MAX_BYTES`.
    """
    trained = {
        f"{run.name}/{i}": np.asarray(weight)
        for run in comparison.runs
        if run.model is not None
        for i, weight in enumerate(run.model.weights)
        if weight.trainable
    }
    if not trained or sum(array.nbytes for array in trained.values()) > MAX_BYTES_OF_ONE:
        return False
    path = _path(name)
    with suppress(OSError, InputError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as file:
            np.savez(file, **trained)  # type: ignore[arg-type]  # an array for each name
        _forget_oldest(path)
        return True
    return False


def has_models(name: str) -> bool:
    """Return whether anything is stored under a name."""
    return bool(name) and _path(name).is_file()


def forget_models(name: str) -> None:
    """Delete what is stored under a name."""
    if name:
        with suppress(OSError):
            _path(name).unlink(missing_ok=True)


def read_models(name: str, comparison: Comparison, cache: RunCache, cancel: Cancel | None = None) -> Comparison | None:
    """Return a comparison with its models, built again with the weights that are stored under a name.

    The frozen backbone's weights must be on this machine. Backbones go into the cache, as those of other runs. The
    result is None if the weights aren't there, or don't fit.

    Raises:
        CancelledError: `cancel` was set.
    """
    try:
        # A zip has a checksum for each array.
        with _path(name).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            runs = {run.name: replace(run, model=_model(run, comparison, arrays, cache, cancel))
                    for run in comparison.runs}  # fmt: skip
    except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile):  # InputError is a ValueError
        return None
    return replace(comparison, **runs)  # type: ignore[arg-type]


def answers_again(comparison: Comparison, images: Images) -> bool:
    """Return whether the models answer these images, the first of the test, as in the record."""
    for run in comparison.runs:
        answers = np.asarray(run.model(images.astype(np.float32), training=False))
        if answers.shape[1] == 1:  # the sigmoid's output is the probability of the second class
            answers = np.concatenate([1 - answers, answers], axis=1)
        if not np.allclose(answers, run.probabilities[: len(images)], atol=_ROUNDING, equal_nan=True):
            return False
    return True


def _path(name: str) -> Path:
    return home_folder() / "models" / f"{name}.npz"


def _forget_oldest(newest: Path) -> None:
    files = [(path.stat(), path) for path in newest.parent.glob("*.npz")]
    total = sum(status.st_size for status, _ in files)
    for status, path in sorted(files, key=lambda file: file[0].st_mtime_ns):
        if total > MAX_BYTES and path != newest:
            path.unlink(missing_ok=True)
            total -= status.st_size


def _model(
    run: RunResult, comparison: Comparison, arrays: Any, cache: RunCache, cancel: Cancel | None
) -> keras.Sequential:
    """Build a model of a comparison, and give it its trained weights."""
    model = _untrained(run, comparison, cache, cancel)
    places = [place for place, weight in enumerate(model.weights) if weight.trainable]
    for place in places:
        weight, array = model.weights[place], arrays[f"{run.name}/{place}"]
        if weight.shape != array.shape:
            raise ValueError("the weights are those of another model")
        weight.assign(array)
    return model


def _untrained(run: RunResult, comparison: Comparison, cache: RunCache, cancel: Cancel | None) -> keras.Sequential:
    from tl_widgets.models.builders import frozen_layers, scratch_model, stack_head
    from tl_widgets.training.fine_tuning import backbone_of, cut_backbone

    config, data = comparison.config, comparison.dataset
    shape, n_classes = (data.image_size, data.image_size, 3), len(data.class_names)
    if run.name == ModelName.SCRATCH:
        return scratch_model(shape, n_classes, config.scratch, seed=config.seed)
    entry = require_backbone(config.backbone, data.image_size)
    weights = resolve_weights(entry, None if run.name == ModelName.CONTROL else config.weights, cancel=cancel)
    if (weights.sha256 or "") != run.weights_sha256:
        raise ValueError("the backbone has other weights now")
    if run.fine_tuning is None:
        layers, _ = load_frozen(cache, run.name, entry, weights, shape, seed=config.seed, cut=config.cut, cancel=cancel)
    else:  # it has layers of its own, whose weights have changed
        layers = frozen_layers(entry, shape, weights, seed=config.seed, cut=entry.cut_after(config.cut))
        cut_backbone(backbone_of(layers), run.fine_tuning.n_blocks, entry.family.blocks)
    return stack_head(layers, shape, n_classes, head_dropout=config.head_dropout, seed=config.seed)
