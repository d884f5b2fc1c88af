"""The data set cifar10: CIFAR-10 in its binary version, which needs no pickle."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tl_widgets.data.hosted import GIVEN_SPLIT, HostedDataset, HostedFile, Sink, WrongContentError, tar_members

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
MEMBERS = {f"cifar-10-batches-bin/data_batch_{i}.bin": "train" for i in range(1, 6)} | {
    "cifar-10-batches-bin/test_batch.bin": "test"
}
_RECORD = 1 + 3 * 32 * 32  # one byte of label, then red, green and blue planes


def _repack(files: list[Path], sink: Sink) -> None:
    for name, data in tar_members(files[0], re.compile("|".join(map(re.escape, MEMBERS)))):
        if not data or len(data) % _RECORD:
            raise WrongContentError(f"{name} has {len(data):,} bytes, not whole images")
        records = np.frombuffer(data, np.uint8).reshape(-1, _RECORD)
        if records[:, 0].max() >= len(CLASSES):
            raise WrongContentError(f"{name} holds labels that CIFAR-10 does not have")
        for record in records:
            pixels = np.ascontiguousarray(record[1:].reshape(3, 32, 32).transpose(1, 2, 0))
            sink.add_pixels(f"{MEMBERS[name]}/{CLASSES[record[0]]}", pixels)


DATASET = HostedDataset(
    name="cifar10",
    place=11,
    shows="Animals and vehicles, 32 by 32 pixels, in color. For cat against dog choose the classes cat and dog.",
    class_names=CLASSES,
    sizes=((4_000, 1_000, 1_000),) * 10,
    source="CIFAR-10 (Krizhevsky, 2009), www.cs.toronto.edu/~kriz/cifar.html",
    license="no license is stated",
    # Length and hash: TensorFlow Datasets (url_checksums). Keras's own loader reads the same images as pickles.
    files=(
        HostedFile(
            "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
            170_052_171,
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        ),
    ),
    repack=_repack,
    folders=GIVEN_SPLIT,
)
