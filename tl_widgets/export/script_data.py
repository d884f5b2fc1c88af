"""The part of a script that loads the same split, with NumPy and Pillow alone."""

from __future__ import annotations

import re
from pathlib import Path

from tl_widgets.backbones.family import literal
from tl_widgets.core.errors import InputError
from tl_widgets.core.text import shown
from tl_widgets.data.archives import is_archive_name
from tl_widgets.data.catalogue import BuiltInDataset, get_dataset, list_datasets
from tl_widgets.data.datasets.built_in import SCRIPT_SPLIT, script_parts
from tl_widgets.data.folder import CARVED_VALIDATION_SHARE, TEST_SHARE, VALIDATION_SHARE
from tl_widgets.records.comparison import DatasetSummary
from tl_widgets.records.provenance import Edits, Origin


def imports(dataset: DatasetSummary) -> tuple[list[str], list[str]]:
    """Return the imports that `loading` needs: (standard library, others)."""
    origin = dataset.origin
    if origin is None or is_saved(origin):
        return [], []
    if origin.kind == "folder":
        standard = ["import shutil", "import tempfile"] if _is_archive(origin) else []
        return [*standard, "from pathlib import Path"], ["from PIL import Image, ImageOps"]
    return [], [*_built_in(dataset.name).script_imports]


def loading(dataset: DatasetSummary) -> str:
    """Return the lines that define x_train, y_train, x_validation, ... and y_test."""
    origin = dataset.origin
    if origin is None or is_saved(origin):
        return _fill(_FROM_FILE, DATASET=_dataset_text(dataset))
    is_folder = origin.kind == "folder"
    text = _folder(origin, dataset.class_names) if is_folder else _built_in(dataset.name).script(dataset.image_size)
    if origin.kind == "built-in" and origin.classes:
        text = text.rstrip("\n") + "\n" + _fill(_CHOOSE, NAMES=", ".join(map(literal, origin.classes)))
    return text if origin.n_per_class is None else text.rstrip("\n") + "\n" + _TAKE


def _fill(template: str, **values: str) -> str:
    """Put each value in the place of its name, in one pass: a value that contains another name stays as it is."""
    return re.sub("|".join(values), lambda match: values[match[0]], template)


def all_classes(dataset: DatasetSummary) -> tuple[str, ...]:
    """Return the classes that the script reads before it selects the chosen ones."""
    if dataset.origin is None or not dataset.origin.classes:
        return dataset.class_names
    known = get_dataset(dataset.name)
    return known.class_names if known else dataset.class_names


def is_saved(origin: Origin) -> bool:
    """Return whether the images must be saved first: the script reads only class folders, also zipped or in a tar."""
    is_7z = origin.path.lower().endswith(".7z")
    return origin.kind == "folder" and (origin.labels_from != "folders" or is_7z)


def _dataset_text(dataset: DatasetSummary) -> str:
    """Return comment lines that load the data set again, if it came from a folder."""
    origin = dataset.origin
    if origin is None:
        return ""
    parts = {split: literal(str(Path(origin.path) / folder)) for split, folder in origin.parts}
    arguments = [parts.get("train", literal(origin.path)), f"image_size={dataset.image_size}", f"seed={origin.seed}"]
    if origin.n_per_class is not None:
        arguments.append(f"n_per_class={origin.n_per_class}")
    if origin.classes:
        arguments.append(f"classes=[{', '.join(map(literal, origin.classes))}]")
    for name, column in (("image_column", origin.columns.image), ("label_column", origin.columns.label)):
        if column is not None:
            arguments.append(f"{name}={literal(column)}")
    arguments += [f"{split}={folder}" for split, folder in parts.items() if split != "train"]
    return f"#     dataset = tl_widgets.load_folder({', '.join(arguments)})\n"


def _is_archive(origin: Origin) -> bool:
    return is_archive_name(origin.path)


def _built_in(name: str) -> BuiltInDataset:
    known = get_dataset(name)
    if isinstance(known, BuiltInDataset):
        return known
    # A record from another version may name a data set that doesn't exist here.
    names = ", ".join(info.name for info in list_datasets() if isinstance(info, BuiltInDataset))
    raise InputError(f"There is no built-in data set {shown(name)}; the built-in ones are {names}.")


def _folder(origin: Origin, class_names: tuple[str, ...]) -> str:
    places = dict(origin.folders) or {"": ""}
    # The order matters: a duplicate belongs to the first split that holds it, the test before the validation.
    given = [split for split in ("test", "validation", "train", "") if split in places]
    folders = ", ".join(f"{literal(split)}: {literal(places[split])}" for split in given)
    if _is_archive(origin):
        unpack = f"shutil.unpack_archive({literal(origin.path)}, FOLDER{_unpacking(origin.path)})"
        root = f"FOLDER = Path(tempfile.mkdtemp())\n{unpack}\n"
    else:
        root = f"FOLDER = Path({literal(origin.path)})\n"
    edits = origin.edits
    names = f"[{', '.join(map(literal, class_names))}]" if origin.classes or edits else _ALL_CLASSES
    grouped = _GROUPED if edits.has_groups else ""
    reading = _fill(
        _READ_FOLDER,
        ALL_CLASSES=names,
        CLASS_FOLDER="FOLDER_OF.get(name, name)" if edits else "name",
        LEFT_OUT=" and path.relative_to(FOLDER).as_posix() not in LEFT_OUT" if edits else "",
    )
    text = f"{grouped}{_fetched(origin)}{root}FOLDERS = {{{folders}}}\n{_edits(edits)}{reading}"
    if "" in given:
        cut = script_parts(VALIDATION_SHARE, TEST_SHARE).lstrip()
        return f'{text}\n\n{SCRIPT_SPLIT}\n\nimages, labels = images_of("")\n{cut}'
    if "validation" in given:
        parts = "".join(f'x_{part}, y_{part} = images_of("{part}")\n' for part in ("train", "validation", "test"))
        return f"{text}\n\n{parts}"
    return f"{text}\n\n{SCRIPT_SPLIT}\n\n{_fill(_CARVE.lstrip(), SHARE=str(CARVED_VALIDATION_SHARE))}"


def _unpacking(path: str) -> str:
    return ', "zip"' if path.lower().endswith(".zip") else ', filter="data"'


def _edits(edits: Edits) -> str:
    """Return the lines that repeat the changes made by hand in the Lab, if any."""
    if not edits:
        return ""
    folder_of = ", ".join(f"{literal(name)}: {literal(folder)}" for folder, name in edits.renamed)
    left_out = "".join(f"    {literal(name)},\n" for name in edits.left_out)
    return (
        f"FOLDER_OF = {{{folder_of}}}  # of classes that are called otherwise than their folders\n"
        f"LEFT_OUT = [{chr(10) + left_out if left_out else ''}]  # by hand\n"
    )


def _fetched(origin: Origin) -> str:
    """Return a comment if `tl-widgets fetch` has put the images there, else ""."""
    path = Path(origin.path)
    known = get_dataset(path.stem)
    if known is None or known.path is None or (path.parent.name, path.name) != ("datasets", known.path.name):
        return ""
    return f"# `tl-widgets fetch {path.stem}` puts this file there.\n"


_GROUPED = """\
# tl_widgets kept images that belong together on one side of the split. This script splits image by image, so its
# test accuracy may be too high: put the files into train/ and test/ folders if you need the same.
"""

_ALL_CLASSES = """sorted(
    path.name for path in (FOLDER / next(iter(FOLDERS.values()))).iterdir()
    if path.is_dir() and not path.name.startswith((".", "__MACOSX"))
)"""

_FROM_FILE = """
# This script can't read these images itself. Save them first, in Python:
DATASET#     np.savez("images.npz", x_train=dataset.train.images, y_train=dataset.train.labels,
#              x_validation=dataset.validation.images, y_validation=dataset.validation.labels,
#              x_test=dataset.test.images, y_test=dataset.test.labels)
images = np.load("images.npz")
x_train, y_train = images["x_train"], images["y_train"]
x_validation, y_validation = images["x_validation"], images["y_validation"]
x_test, y_test = images["x_test"], images["y_test"]
"""

_READ_FOLDER = '''
CLASSES = ALL_CLASSES


def load_image(path):
    """The middle of a photograph as SIZE x SIZE pixels in color, uint8."""
    image = Image.open(path)
    image.draft(image.mode, (2 * SIZE, 2 * SIZE))  # a large JPEG is decoded at half its size or less: faster
    is_transparent = "A" in image.getbands() or "transparency" in image.info
    image = image.convert("RGBA" if is_transparent else "RGB")
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    image = image.resize(
        (SIZE, SIZE), Image.Resampling.LANCZOS if side > SIZE else Image.Resampling.BICUBIC,
        box=(left, top, left + side, top + side), reducing_gap=3.0 if side > SIZE else None,
    )
    if is_transparent:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return np.asarray(ImageOps.exif_transpose(image))  # upright, as the camera says


found = {}  # an image's pixels -> (which part it is in, the image, its labels): each image counts once
for part, folder in FOLDERS.items():
    for label, name in enumerate(CLASSES):
        for path in sorted((FOLDER / folder / CLASS_FOLDER).rglob("[!.]*"), key=Path.as_posix):
            if path.is_file()LEFT_OUT:
                try:
                    image = load_image(path)
                except Exception as problem:
                    print(f"left out: {path} ({problem})")
                else:
                    found.setdefault(image.tobytes(), (part, image, set()))[2].add(label)


def images_of(part):
    """(images, labels); an image that stands in two classes is left out, nobody knows what it shows."""
    chosen = [(image, *ys) for where, image, ys in found.values() if where == part and len(ys) == 1]
    return np.stack([image for image, _ in chosen]), np.array([label for _, label in chosen])
'''

_CARVE = """
x_train, y_train = images_of("train")
x_test, y_test = images_of("test")
train, validation, _ = split(y_train, SHARE, 0)
x_validation, y_validation = x_train[validation], y_train[validation]
x_train, y_train = x_train[train], y_train[train]
"""

_CHOOSE = '''
CHOSEN = [NAMES]


def of_chosen(images, labels):
    """The images of the chosen classes, their labels counted anew: (images, labels)."""
    places = [CLASSES.index(name) for name in CHOSEN]
    rows = np.isin(labels, places)
    return images[rows], np.searchsorted(places, labels[rows])


x_train, y_train = of_chosen(x_train, y_train)
x_validation, y_validation = of_chosen(x_validation, y_validation)
x_test, y_test = of_chosen(x_test, y_test)
CLASSES = CHOSEN
'''

_TAKE = """
# Of these, N_PER_CLASS training images of each class.
chosen = np.sort(np.concatenate([
    np.random.default_rng((DATA_SEED, label, 1)).permutation(np.flatnonzero(y_train == label))[:N_PER_CLASS]
    for label in range(len(CLASSES))
]))
x_train, y_train = x_train[chosen], y_train[chosen]
"""

AUGMENT = '''
def changed(images, seed):
    """A copy of each image: perhaps mirrored, shifted by up to a tenth, a little brighter or darker."""
    random = np.random.default_rng([seed, 2])
    copies = np.empty_like(images)
    for i, image in enumerate(images):
        if random.random() < 0.5:
            image = image[:, ::-1]
        most = int(0.1 * SIZE)
        down, right = random.integers(-most, most + 1), random.integers(-most, most + 1)
        pixels = np.arange(SIZE)
        image = image[np.clip(pixels - down, 0, SIZE - 1)][:, np.clip(pixels - right, 0, SIZE - 1)]
        copies[i] = np.clip(np.rint(image * random.uniform(0.8, 1.2)), 0, 255)
    return copies


x_train = np.concatenate([x_train, *(changed(x_train, SEED * 1000 + j) for j in range(N_COPIES))])
y_train = np.tile(y_train, 1 + N_COPIES)
'''
