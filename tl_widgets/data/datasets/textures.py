"""The data set textures: patches of three photographs from scikit-image."""

from __future__ import annotations

import numpy as np

from tl_widgets.data.arrays import GrayImages, enlarged, resampling
from tl_widgets.data.catalogue import BuiltInDataset, Splits

# Where patches are cut from a photograph of 512 x 512 pixels. A patch of 48 pixels still shows a joint between bricks,
# a blade of grass or a few stones. There are ten rows of patches, and each split has its own columns, with a gap of 16
# pixels between splits. Patches never overlap, so 30 test patches of a class are 30 observations.
PATCH_SIZE = 48
PATCH_TOPS = range(16, 496, PATCH_SIZE)
PATCH_LEFTS = {
    "train": range(0, 240, PATCH_SIZE),
    "validation": range(256, 352, PATCH_SIZE),
    "test": range(368, 512, PATCH_SIZE),
}


def _read(image_size: int, seed: int) -> Splits:  # noqa: ARG001 - the split is fixed by position
    from skimage import data as photographs

    patches: list[GrayImages] = []
    labels: list[int] = []
    parts: dict[str, list[int]] = {split: [] for split in PATCH_LEFTS}
    for label, photograph in enumerate((photographs.brick(), photographs.grass(), photographs.gravel())):
        for split, lefts in PATCH_LEFTS.items():
            for top in PATCH_TOPS:
                for left in lefts:
                    parts[split].append(len(patches))
                    patches.append(photograph[top : top + PATCH_SIZE, left : left + PATCH_SIZE])
                    labels.append(label)
    train, validation, test = (np.array(rows, dtype=np.int64) for rows in parts.values())
    return enlarged(np.stack(patches), image_size), np.array(labels, np.int64), (train, validation, test)


def _script(image_size: int) -> str:
    text = _SCRIPT.replace("SIDE", str(PATCH_SIZE)).replace("TOPS", _range(PATCH_TOPS))
    lines = [f"x_{part}, y_{part} = patches({_range(lefts)})\n" for part, lefts in PATCH_LEFTS.items()]
    return text.replace("RESAMPLING", resampling(PATCH_SIZE, image_size)) + "".join(lines)


def _range(places: range) -> str:
    return f"range({places[0]}, {places[-1] + places.step}, {places.step})"


_SCRIPT = '''
def patches(lefts):
    """Patches of SIDE x SIDE pixels of each photograph, enlarged to SIZE x SIZE: (images, labels)."""
    images, labels = [], []
    for label, photograph in enumerate((photographs.brick(), photographs.grass(), photographs.gravel())):
        for top in TOPS:
            for left in lefts:
                patch = Image.fromarray(photograph[top : top + SIDE, left : left + SIDE])
                patch = patch.resize((SIZE, SIZE), Image.Resampling.RESAMPLING)
                images.append(np.asarray(patch.convert("RGB")))
                labels.append(label)
    return np.stack(images), np.array(labels)


# The parts lie side by side in the photographs and never touch: nothing of the test is seen in training.
'''

DATASET = BuiltInDataset(
    name="textures",
    place=1,
    shows="Close-ups of a brick wall, of grass and of gravel: patches of one gray photograph each, the "
    "test's from other regions of it.",
    class_names=("brick", "grass", "gravel"),
    sizes=((50, 20, 30),) * 3,
    source="photographs in scikit-image (cc0textures.com, deviantart.com/linolafett)",
    license="CC0",
    read=_read,
    script_imports=("from PIL import Image", "from skimage import data as photographs"),
    script=_script,
)
