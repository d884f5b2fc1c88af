"""The changes of the "stress" study: what can happen to a picture between the lesson and the world."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.numbers import number_text
from tl_widgets.core.translation import _

Images = NDArray[np.uint8]
_PLAIN = 8  # a background pixel differs at most this much from the edge's usual color
_PLAIN_SHARE = 0.6  # of the edge, in an image with a plain background


@dataclass(frozen=True)
class Change:
    """A change of pictures in three degrees of severity.

    Attributes:
        name: the name in records.
        label: the name in figures.
        levels: how strong it is at severity 1, 2 and 3.
        unit: what the levels are, with {} for their number.
        apply: takes an image, uint8 (side, side, 3), a level and a random generator, and returns the changed image.
    """

    name: str
    label: str
    levels: tuple[float, float, float]
    unit: str
    apply: Callable[[Images, float, np.random.Generator], Images]

    def level_text(self, severity: int) -> str:
        """Return how strong the change is at a severity from 1 to 3."""
        return self.unit.format(number_text(self.levels[severity - 1]))


def change_images(images: Images, change: Change, severity: int, *, seed: int = 0) -> Images:
    """Return changed copies, uint8 like `images` (n, side, side, 3); severity 0 changes nothing.

    Each image has noise of its own, which depends on the seed and its place.
    """
    if not severity:
        return images
    level = change.levels[severity - 1]
    changed = [change.apply(image, level, np.random.default_rng([seed, 3, i])) for i, image in enumerate(images)]
    return np.stack(changed) if changed else images


def _rounded(values: NDArray[np.floating]) -> Images:
    pixels: Images = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return pixels


def _scale(image: Images, factor: float, _: np.random.Generator) -> Images:
    return _rounded(image * factor)


def _blur(image: Images, sigma: float, _: np.random.Generator) -> Images:
    from PIL import Image, ImageFilter

    radius = sigma / 100 * len(image)
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius)))


def _noise(image: Images, deviation: float, random: np.random.Generator) -> Images:
    return _rounded(image + random.normal(0, deviation, image.shape))


def _rotate(image: Images, degrees: float, _: np.random.Generator) -> Images:
    if degrees % 90 == 0:
        return np.rot90(image, int(degrees // 90)).copy()
    from PIL import Image

    # A mirrored margin fills the corners with what is there anyway.
    margin = len(image) // 4
    wide = np.pad(image, ((margin, margin), (margin, margin), (0, 0)), mode="symmetric")
    turned = np.asarray(Image.fromarray(wide).rotate(degrees, Image.Resampling.BILINEAR))
    return turned[margin:-margin, margin:-margin].copy()


def _shrink(image: Images, share: float, _: np.random.Generator) -> Images:
    from PIL import Image

    side = len(image)
    small = max(1, round(side * share / 100))
    changed = np.empty_like(image)
    changed[:] = edge_color(image)
    start = (side - small) // 2
    shrunk = Image.fromarray(image).resize((small, small), Image.Resampling.LANCZOS)
    changed[start : start + small, start : start + small] = np.asarray(shrunk)
    return changed


def _jpeg(image: Images, quality: float, _: np.random.Generator) -> Images:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=int(quality))
    return np.asarray(Image.open(file).convert("RGB"))


def _gray(image: Images, share: float, _: np.random.Generator) -> Images:
    gray = image @ np.array([0.299, 0.587, 0.114])  # luma, as in Rec. 601
    return _rounded(image + share / 100 * (gray[..., None] - image))


def edge_color(image: Images) -> NDArray[np.uint8]:
    """Return the usual color at the edge of an image, uint8 (3,)."""
    color: NDArray[np.uint8] = np.median(_edge(image), axis=0).astype(np.uint8)
    return color


def _edge(image: Images) -> Images:
    return np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])


def background_of(image: Images) -> NDArray[np.bool_]:
    """Return which pixels are background, bool (side, side): those of the edge's color that touch the edge."""
    from scipy.ndimage import label

    like_edge = (np.abs(image.astype(int) - edge_color(image)) <= _PLAIN).all(axis=2)
    parts, _ = label(like_edge)
    touching = np.unique(_edge(parts[..., None]))
    return np.isin(parts, touching[touching > 0])


def has_plain_background(image: Images) -> bool:
    """Return whether most of the edge has one color, as around the stamps."""
    return bool((np.abs(_edge(image).astype(int) - edge_color(image)) <= _PLAIN).all(axis=1).mean() > _PLAIN_SHARE)


@cache
def _grass() -> Images:
    from skimage import data as photographs

    grass: Images = photographs.grass()
    return grass


def _background(image: Images, share: float, random: np.random.Generator) -> Images:
    if not has_plain_background(image):
        return image
    side, grass = len(image), _grass()
    top, left = random.integers(0, 512 - side, 2) if side < 512 else (0, 0)
    lawn = grass[top : top + side, left : left + side, None] * np.array([0.55, 0.9, 0.4])
    faded = image + share / 100 * (lawn - image)
    return np.where(background_of(image)[..., None], _rounded(faded), image)


CHANGES = (
    Change("darker", _("darker"), (0.6, 0.35, 0.15), _("light × {}"), _scale),
    Change("brighter", _("brighter"), (1.4, 1.9, 2.8), _("light × {}"), _scale),
    Change("blurred", _("blurred"), (1, 2.5, 5), _("blur of {}% of the side"), _blur),
    Change("noisy", _("noisy"), (15, 40, 80), _("noise of ±{} gray levels"), _noise),
    Change("rotated", _("rotated"), (15, 45, 90), _("by {}°"), _rotate),
    Change("smaller", _("smaller"), (75, 50, 30), _("{}% of its size"), _shrink),
    Change("jpeg", _("JPEG-compressed"), (30, 10, 4), _("quality {}"), _jpeg),
    Change("gray", _("gray"), (33, 67, 100), _("{}% of the color gone"), _gray),
    Change("background", _("on grass"), (33, 67, 100), _("{}% grass"), _background),
)
SEVERITIES = (1, 2, 3)


def applicable(images: Images) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """Return the changes that make a difference to these images, and a sentence for each of the others."""
    reasons = {}
    if (images == images[..., :1]).all():
        reasons["gray"] = _("“Gray” is left out: these images have no color.")
    plain = np.mean([has_plain_background(image) for image in images])
    if plain < 0.5:
        reasons["background"] = _("“On grass” is left out: these images have no plain background to replace.")
    return tuple(change for change in CHANGES if change.name not in reasons), tuple(reasons.values())
