"""photographs: patches of photographs in color, on which the order of the channels matters.

The mistake "channel order" uses them. They aren't listed: nobody needs to know which photograph a patch is from.
"""

from __future__ import annotations

import numpy as np

from tl_widgets.core.translation import _
from tl_widgets.data.catalogue import BuiltInDataset, Splits
from tl_widgets.data.dataset import Images
from tl_widgets.data.datasets.built_in import PATCH_SIZE, resampling

# scikit-image's function for each class.
_FUNCTIONS = {
    "astronaut": "astronaut",
    "cat": "chelsea",
    "coffee": "coffee",
    "galaxies": "hubble_deep_field",
    "retina": "retina",
    "rocket": "rocket",
    "tissue": "immunohistochemistry",
}
# The middle of each photograph, 6 x 9 patches that don't overlap. Each split has its own columns.
_N_ROWS, _N_COLUMNS = 6, 9
_COLUMNS = {"train": range(4), "validation": range(4, 5), "test": range(5, 9)}


def _read(image_size: int, seed: int) -> Splits:  # noqa: ARG001 - the split is fixed by position
    from PIL import Image
    from skimage import data as photographs

    resample = Image.Resampling[resampling(PATCH_SIZE, image_size)]
    patches: list[Images] = []
    labels: list[int] = []
    parts: dict[str, list[int]] = {split: [] for split in _COLUMNS}
    for label, function in enumerate(_FUNCTIONS.values()):
        photograph = np.asarray(getattr(photographs, function)())
        top = (photograph.shape[0] - _N_ROWS * PATCH_SIZE) // 2
        left = (photograph.shape[1] - _N_COLUMNS * PATCH_SIZE) // 2
        for split, columns in _COLUMNS.items():
            for row in range(_N_ROWS):
                for column in columns:
                    y, x = top + row * PATCH_SIZE, left + column * PATCH_SIZE
                    patch = Image.fromarray(photograph[y : y + PATCH_SIZE, x : x + PATCH_SIZE])
                    parts[split].append(len(labels))
                    patches.append(np.asarray(patch.resize((image_size, image_size), resample)))
                    labels.append(label)
    train, validation, test = (np.array(rows, dtype=np.int64) for rows in parts.values())
    return np.stack(patches), np.array(labels, np.int64), (train, validation, test)


def _script(image_size: int) -> str:
    text = _SCRIPT.replace("SIDE", str(PATCH_SIZE)).replace("RESAMPLING", resampling(PATCH_SIZE, image_size))
    text = text.replace("FUNCTIONS", ", ".join(f'"{function}"' for function in _FUNCTIONS.values()))
    text = text.replace("ROWS", str(_N_ROWS)).replace("COLUMNS", str(_N_COLUMNS))
    lines = [f"x_{part}, y_{part} = patches({columns})\n" for part, columns in _COLUMNS.items()]
    return text + "".join(lines)


_SCRIPT = '''
def patches(columns):
    """Patches of SIDE x SIDE pixels of each photograph, enlarged to SIZE x SIZE: (images, labels)."""
    images, labels = [], []
    for label, function in enumerate([FUNCTIONS]):
        photograph = np.asarray(getattr(photographs, function)())
        top = (photograph.shape[0] - ROWS * SIDE) // 2
        left = (photograph.shape[1] - COLUMNS * SIDE) // 2
        for row in range(ROWS):
            for column in columns:
                y, x = top + row * SIDE, left + column * SIDE
                patch = Image.fromarray(photograph[y : y + SIDE, x : x + SIDE])
                images.append(np.asarray(patch.resize((SIZE, SIZE), Image.Resampling.RESAMPLING)))
                labels.append(label)
    return np.stack(images), np.array(labels)


# The parts lie side by side in the photographs and never overlap.
'''

PHOTOGRAPHS = BuiltInDataset(
    name="photographs",
    is_listed=False,
    shows=_("Patches of seven photographs in color, the test's from other regions of them."),
    class_names=tuple(_FUNCTIONS),
    sizes=(tuple(_N_ROWS * len(columns) for columns in _COLUMNS.values()),) * len(_FUNCTIONS),  # type: ignore[arg-type]
    source=_("photographs in scikit-image (NASA, SpaceX, Stefan van der Walt, Rachel Michetti and others)"),
    license=_("public domain, CC0, or no known restrictions"),
    default_size=64,
    read=_read,
    script_imports=("from PIL import Image", "from skimage import data as photographs"),
    script=_script,
)
