"""What the pixels say: blank and repeated pictures, dark classes, a class in gray, and odd ones among many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.translation import _, ngettext
from tl_widgets.data.dataset import ImageDataset, Labels, first_few
from tl_widgets.records.comparison import Diagnosis

_MAX_IMAGES = 5_000  # looked at in each split, evenly spaced
_BLOCK = 256
_SIDE = 32  # pixels that are looked at along each side
_FLAT = 2.0  # standard deviation in gray levels; below it, an image is of one color
_DARK = 12.0  # mean gray level
_GRAY = 4.0  # mean difference between color channels; JPEG adds some to gray pictures
_MOST = 0.9  # of the images of a class
_FEW = 0.1
_MIN_CLASS = 5
_MIN_ALL = 20  # images among which one may be odd
_MAX_ODD = 0.03
_FAR = 8.0  # standard deviations, estimated from the median
_MIN_REPEATED = 3


@dataclass(frozen=True, eq=False)
class _Looks:
    """Some numbers about each image, shape (n,), its label, and what it is called."""

    labels: Labels
    brightness: NDArray[np.float64]
    contrast: NDArray[np.float64]
    color: NDArray[np.float64]
    names: list[str]

    @classmethod
    def of(cls, dataset: ImageDataset) -> _Looks:
        labels, numbers, names = [], [], []
        files = dataset.report.files if dataset.report else {}
        for part in ("train", "validation", "test"):
            split = getattr(dataset, part)
            rows = np.linspace(0, len(split) - 1, min(len(split), _MAX_IMAGES)).astype(np.int64)
            labels.append(split.labels[rows])
            names += (
                [files.get(split.keys[row], _("image {row} ({part})", row=row, part=part)) for row in rows]
                if files
                else [_("image {row} ({part})", row=row, part=part) for row in rows]
            )
            step = max(1, dataset.image_size // _SIDE)
            for start in range(0, len(rows), _BLOCK):
                images = np.asarray(split.images[rows[start : start + _BLOCK]])[:, ::step, ::step].astype(np.float32)
                gray = images.mean(axis=3)
                color = (images.max(axis=3) - images.min(axis=3)).mean(axis=(1, 2))
                numbers.append(np.stack([gray.mean(axis=(1, 2)), gray.std(axis=(1, 2)), color]))
        brightness, contrast, color = np.concatenate(numbers, axis=1).astype(np.float64)
        return cls(np.concatenate(labels), brightness, contrast, color, names)

    def named(self, chosen: NDArray[np.bool_]) -> str:
        return first_few([self.names[row] for row in np.flatnonzero(chosen)])


def check_pictures(dataset: ImageDataset) -> Iterator[Diagnosis]:
    """Find what the pixels of a data set say, the most serious first."""
    looks = _Looks.of(dataset)
    is_flat = looks.contrast < _FLAT
    shares = [(name, looks.labels == label) for label, name in enumerate(dataset.class_names)]
    spoiled = np.zeros(len(looks.labels), bool)
    for what, is_so in ((_("nearly black"), looks.brightness < _DARK), (_("of one color"), is_flat)):
        names = []
        for name, own in shares:
            if own.sum() >= _MIN_CLASS and is_so[own].mean() >= _MOST and not spoiled[own].any():
                spoiled |= own
                names.append(_("{name} (such as {named})", name=name, named=looks.named(own & is_so)))
        if names:
            yield Diagnosis(
                "dark_class",
                _(
                    "Nearly all images of a class are {what}: {first_few}. A model learns that instead "
                    "of what they show.",
                    what=what,
                    first_few=first_few(names),
                ),
                _("Look at the files. Values of 10 or 12 bits, an empty channel or a failed export look like this."),
            )
    if (blank := is_flat & ~spoiled).any():
        n = int(blank.sum())
        yield Diagnosis(
            "blank",
            ngettext(
                "{n} image is blank, of one color: {names}.",
                "{n} images are blank, of one color: {names}.",
                n,
                names=looks.named(blank),
            ),
            _("Leave them out: they show nothing, and whatever is answered is a guess."),
        )
    yield from _gray_classes(looks, [(name, own) for name, own in shares if not spoiled[own].any()])
    yield from _odd_ones(looks, is_flat | spoiled)
    yield from _repeated(dataset)


def _gray_classes(looks: _Looks, shares: list[tuple[str, NDArray[np.bool_]]]) -> Iterator[Diagnosis]:
    is_gray = looks.color < _GRAY
    gray = [(name, own) for name, own in shares if own.sum() >= _MIN_CLASS and is_gray[own].mean() >= _MOST]
    colored = [name for name, own in shares if own.sum() >= _MIN_CLASS and is_gray[own].mean() <= _FEW]
    if gray and colored:
        names = [_("{name} (such as {named})", name=name, named=looks.named(own & is_gray)) for name, own in gray]
        yield Diagnosis(
            "gray_class",
            ngettext(
                "In gray, while {colored} is in color: {names}. A model can tell them apart by that alone.",
                "In gray, while {colored} are in color: {names}. A model can tell them apart by that alone.",
                len(colored),
                colored=first_few(colored),
                names=first_few(names),
            ),
            _("Take images of all classes from the same source, or turn all of them gray."),
        )


def _odd_ones(looks: _Looks, known: NDArray[np.bool_]) -> Iterator[Diagnosis]:
    """Find a few images that are far from all others in color, brightness or contrast."""
    n = int((~known).sum())
    if n < _MIN_ALL:
        return
    is_gray = looks.color < _GRAY
    odd = np.zeros(len(known), bool)
    few = max(1, _MAX_ODD * n)
    for minority in (is_gray, ~is_gray):
        if 0 < (minority & ~known).sum() <= few:
            odd |= minority & ~known
    for numbers in (looks.brightness, looks.contrast):
        middle = np.median(numbers[~known])
        spread = 1.4826 * np.median(np.abs(numbers[~known] - middle))
        far = (np.abs(numbers - middle) > _FAR * max(spread, _FLAT)) & ~known
        if far.sum() <= few:
            odd |= far
    if odd.any():
        yield Diagnosis(
            "odd_one",
            _("Unlike all others in color, brightness or contrast: {named}.", named=looks.named(odd)),
            _("Look whether it belongs there: a scan, a screenshot or a drawing among photographs does not."),
        )


def _repeated(dataset: ImageDataset) -> Iterator[Diagnosis]:
    """Find pictures that were left out several times as copies: placeholders such as "image not available"."""
    if dataset.report is None:
        return
    copies: dict[str, list[str]] = defaultdict(list)
    for name, original in dataset.report.duplicates:
        copies[original].append(name)
    often = {name: [name, *others] for name, others in copies.items() if len(others) + 1 >= _MIN_REPEATED}
    if often:
        some = [
            _("{n_names} times ({first_few})", n_names=len(names), first_few=first_few(names, 2))
            for names in often.values()
        ]
        yield Diagnosis(
            "repeated",
            _(
                "The same picture is there under several names: {first_few}. It was used once.",
                first_few=first_few(some),
            ),
            _('Look whether it is a placeholder, such as "image not available", and leave it out.'),
        )
