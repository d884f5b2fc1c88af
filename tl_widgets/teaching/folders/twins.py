"""Photographs that were taken twice, and how to find them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tl_widgets.data.checks.near_duplicates import find_near_duplicates
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.teaching.folders.written import write_folder


def two_shots(dataset: ImageDataset) -> Path:
    """Write a data set as `write_folder` does, with a second, darker shot of every other test image in training.

    Returns:
        The folder, among the system's temporary files.
    """
    from PIL import Image

    folder = write_folder(dataset)
    for i in range(0, len(dataset.test), 2):
        darker = (dataset.test.images[i] * 0.9).astype(np.uint8)
        place = folder / "train" / dataset.class_names[dataset.test.labels[i]]
        place.mkdir(exist_ok=True)
        Image.fromarray(darker).save(place / f"shot{i:03}.png")
    return folder


def has_twin(dataset: ImageDataset) -> NDArray[np.bool_]:
    """Return for each test image whether a training image looks almost the same."""
    found = np.zeros(len(dataset.test), bool)
    found[[pair.row for pair in find_near_duplicates(dataset) if pair.split == "test"]] = True
    return found
