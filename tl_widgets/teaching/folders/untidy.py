"""Folders of pictures as people have them, for a notebook to load."""

from __future__ import annotations

import csv
import shutil
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from tl_widgets.data.dataset import ImageDataset, Split


def untidy_folder(dataset: ImageDataset) -> Path:
    """Write the pictures of a data set into a new folder, with what real folders contain by accident.

    Returns:
        The folder, which holds `train/CLASS/*.png` and `test/CLASS/*.png`; besides the pictures a text named .jpg, an
        empty file, half a picture, a training picture that is copied from the test, and one that is mirrored from it.
    """
    folder = Path(tempfile.mkdtemp()) / "my pictures"
    for part, split in (("train", dataset.train), ("test", dataset.test)):
        _write(split, dataset.class_names, folder / part)
    first, last = (folder / "train" / name for name in (dataset.class_names[0], dataset.class_names[-1]))
    (first / "notes.jpg").write_text("buy milk")
    (first / "empty.png").touch()
    (first / "half.png").write_bytes((first / "00.png").read_bytes()[:2000])
    tested = folder / "test" / last.name
    shutil.copy(tested / "00.png", last / "copy.png")
    with Image.open(tested / "01.png") as picture:
        Image.fromarray(np.asarray(picture)[:, ::-1]).save(last / "mirrored.png")
    return folder


def labeled_folder(dataset: ImageDataset) -> Path:
    """Write the training pictures of a data set into one new folder, and a table with their classes.

    Returns:
        The folder, which holds `images/*.png` and `labels.csv` with the columns `file` and `class`.
    """
    folder = Path(tempfile.mkdtemp()) / "one folder"
    (folder / "images").mkdir(parents=True)
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("file", "class"))
        for i, (image, label) in enumerate(zip(dataset.train.images, dataset.train.labels, strict=True)):
            Image.fromarray(image).save(folder / "images" / f"{i:03d}.png")
            table.writerow((f"images/{i:03d}.png", dataset.class_names[label]))
    return folder


def _write(split: Split, class_names: tuple[str, ...], folder: Path) -> None:
    for label, name in enumerate(class_names):
        (folder / name).mkdir(parents=True)
        for i, image in enumerate(split.images[split.labels == label]):
            Image.fromarray(image).save(folder / name / f"{i:02d}.png")
