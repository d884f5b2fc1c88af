"""A data set as a folder of pictures."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tl_widgets.data.dataset import ImageDataset


def write_folder(dataset: ImageDataset) -> Path:
    """Write a data set as PNG files into a new folder: train/CLASS, validation/CLASS and test/CLASS.

    Returns:
        The folder, among the system's temporary files.
    """
    from PIL import Image

    folder = Path(tempfile.mkdtemp(prefix="tl_widgets-"))
    for part in ("train", "validation", "test"):
        split = getattr(dataset, part)
        for i, (image, label) in enumerate(zip(split.images[:], split.labels, strict=True)):
            place = folder / part / dataset.class_names[label]
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(place / f"{i:03}.png")
    return folder
