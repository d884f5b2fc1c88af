"""The data set flowers: TensorFlow's flower photographs, with their license."""

from __future__ import annotations

import re
from pathlib import Path

from tl_widgets.data.dataset import split_sizes
from tl_widgets.data.folder import TEST_SHARE, VALIDATION_SHARE
from tl_widgets.data.hosted import HostedDataset, HostedFile, Sink, tar_members

CLASSES = ("daisy", "dandelion", "roses", "sunflowers", "tulips")
_LICENSE = "flower_photos/LICENSE.txt"


def _repack(files: list[Path], sink: Sink) -> None:
    pattern = re.compile(rf"{_LICENSE}|flower_photos/({'|'.join(CLASSES)})/[\w.-]+\.jpg", re.ASCII)
    for name, data in tar_members(files[0], pattern):
        if name == _LICENSE:
            sink.add_license(data)
        else:
            _, folder, file = name.split("/")
            sink.add(folder, file, data)


DATASET = HostedDataset(
    name="flowers",
    place=13,
    shows="Photographs of five kinds of flowers.",
    class_names=CLASSES,
    sizes=tuple(split_sizes(n, VALIDATION_SHARE, TEST_SHARE) for n in (633, 898, 641, 699, 799)),
    source="flower_photos of the TensorFlow team (2019)",
    license="CC BY 2.0, photographers in its LICENSE.txt",
    default_size=128,
    # Length and hash: TensorFlow Datasets (url_checksums).
    files=(
        HostedFile(
            "https://storage.googleapis.com/download.tensorflow.org/example_images/flower_photos.tgz",
            228_813_984,
            "4c54ace7911aaffe13a365c34f650e71dd5bf1be0a58b464e5a7183e3e595d9c",
        ),
    ),
    repack=_repack,
    folders=(("", ""),),
)
