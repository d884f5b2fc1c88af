"""The data set cats_and_dogs: the filtered photographs of TensorFlow's tutorials."""

from __future__ import annotations

import re
from pathlib import Path

from tl_widgets.core.errors import InputError
from tl_widgets.data.archives import ZipSource
from tl_widgets.data.hosted import GIVEN_SPLIT, HostedDataset, HostedFile, Sink, WrongContentError

# The validation set of its authors serves as the test set here.
_SPLITS = {"train": "train", "validation": "test"}
_MEMBER_NAME = re.compile(r"cats_and_dogs_filtered/(train|validation)/(cats|dogs)/([\w.-]+\.jpg)", re.ASCII)


def _repack(files: list[Path], sink: Sink) -> None:
    try:
        source = ZipSource(files[0])
        try:
            chosen = [(file, match) for file in source.listing.files if (match := _MEMBER_NAME.fullmatch(file.name))]
            sink.n_total = len(chosen)
            for file, match in chosen:
                split, folder, name = match.groups()
                try:
                    data = source.read(file)
                except OSError as error:  # from reading the archive, not from writing to disk
                    raise WrongContentError(f"{file.name}: {error}") from error
                sink.add(f"{_SPLITS[split]}/{folder}", name, data)
        finally:
            source.close()
    except InputError as error:  # ZipSource raises it for a file that isn't a zip
        raise WrongContentError(f"it is not a readable zip archive ({error})") from error


DATASET = HostedDataset(
    name="cats_and_dogs",
    place=14,
    shows="Photographs of cats and of dogs.",
    class_names=("cats", "dogs"),
    sizes=((800, 200, 500),) * 2,
    source="cats_and_dogs_filtered of Google, from Kaggle's Dogs vs. Cats (Asirra; Elson et al., 2007)",
    license="published for research; no license is stated",
    default_size=128,
    # There is no published hash. TensorFlow's tutorials show the length.
    files=(HostedFile("https://storage.googleapis.com/mledu-datasets/cats_and_dogs_filtered.zip", 68_606_236, None),),
    repack=_repack,
    folders=GIVEN_SPLIT,
)
