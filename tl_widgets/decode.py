"""One file's bytes as one image: every format and mode in, uint8 (size, size, 3) or a sentence out."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tl_widgets.data import Images

if TYPE_CHECKING:
    from PIL.Image import Image, Transpose

# What Pillow may open; JPEG includes MPO, which many phones write. EPS, which runs a program, stays shut.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
MAX_PIXELS = 100_000_000
BIG_PIXELS = 16_000_000  # 64 MB as RGBA: such images are decoded one at a time
_16_BIT_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N")
_ORIENTATION_TAG = 0x0112

# The first bytes of what people mistake for a picture, in lower case.
_MISTAKEN = (
    ((b"<!doctype html", b"<html", b"<head"), "a web page, not an image: download the picture itself"),
    ((b"<svg",), "an SVG drawing, which has no pixels: export it as PNG"),
    ((b"%pdf",), "a PDF document, not an image: export its page as PNG"),
    ((b"pk\x03\x04",), "a zip file or document, not an image: unpack it"),
)


class UnreadableError(Exception):
    """This file is no image that can be used; the text says why, as a clause."""


def decode_image(data: bytes, image_size: int, big: threading.RLock) -> Images:
    """The image in a file's bytes: upright, centre-cropped to a square and resized, over white, in colour.

    Read are JPEG, PNG, WebP, BMP, GIF and TIFF (of several frames the first), with 1, 8 or 16 bits, grey,
    palette, RGB, CMYK, with or without transparency. Sixteen bits are scaled so that 65535 becomes 255. The
    resize is Lanczos, averaging over all source pixels, when it shrinks, and bicubic when it enlarges.

    Args:
        data: the whole file.
        image_size: side of the result in pixels.
        big: held while an image of more than `BIG_PIXELS` is decoded, so that several threads do not hold
            several of them at once.

    Returns:
        uint8, shape (image_size, image_size, 3).

    Raises:
        UnreadableError: it cannot be used.
    """
    from PIL import Image, UnidentifiedImageError

    _refuse_what_is_no_image(data)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            n_pixels = image.width * image.height
            if n_pixels > MAX_PIXELS:
                raise UnreadableError(_too_large(f"{image.width:,} x {image.height:,} pixels"))
            if n_pixels <= BIG_PIXELS:
                return _square(image, image_size)
            with big:
                return _square(image, image_size)
    except UnreadableError:
        raise
    except UnidentifiedImageError as problem:
        raise UnreadableError("not an image of a kind that is read here (JPEG, PNG, WebP, BMP, GIF, TIFF)") from problem
    except Image.DecompressionBombError as problem:
        raise UnreadableError(_too_large("far too many pixels")) from problem
    except Exception as problem:  # a damaged file can fail anywhere in a decoder, with any error
        if "truncated" in str(problem).lower():
            raise UnreadableError("cut short: copy or download it again") from problem
        raise UnreadableError(f"damaged: {problem or type(problem).__name__}") from problem


def _too_large(what: str) -> str:
    return f"{what}, more than the {MAX_PIXELS // 1_000_000} megapixels allowed: make it smaller"


def _refuse_what_is_no_image(data: bytes) -> None:
    if not data:
        raise UnreadableError("empty")
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for marks, reason in _MISTAKEN:
        if start.startswith(marks):
            raise UnreadableError(reason)
    if start.startswith((b"<?xml", b"<!--", b"<!doctype svg")):
        raise UnreadableError(_MISTAKEN[1][1] if b"<svg" in start else "an XML text, not an image")
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif"):
        raise UnreadableError("a HEIC or AVIF picture, which is not read here: export it as JPEG")


def _square(image: Image, image_size: int) -> Images:
    """Decode `image` and make it upright, square and RGB."""
    from PIL import Image as PillowImage

    # Turning the small square is the same as turning the photograph, and cheaper.
    turn = _turns().get(image.getexif().get(_ORIENTATION_TAG, 1))
    # A JPEG can be decoded at a half, a quarter or an eighth: far faster, and still twice what is needed.
    image.draft(image.mode, (2 * image_size, 2 * image_size))
    image = _eight_bit(image)
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    shrinks = side > image_size
    small = image.resize(
        (image_size, image_size),
        PillowImage.Resampling.LANCZOS if shrinks else PillowImage.Resampling.BICUBIC,
        box=(left, top, left + side, top + side),
        reducing_gap=3.0 if shrinks else None,
    )
    if small.mode == "RGBA":
        white = PillowImage.new("RGBA", small.size, (255, 255, 255, 255))
        small = PillowImage.alpha_composite(white, small)
    small = small.convert("RGB")
    return np.asarray(small if turn is None else small.transpose(turn))


def _eight_bit(image: Image) -> Image:
    """The image as L, RGB or RGBA, loaded."""
    from PIL import Image as PillowImage

    if image.mode in _16_BIT_MODES:
        values = np.asarray(image)
        if values.size and (values.min() < 0 or values.max() > 65535):
            raise UnreadableError("values of 32 bits: save it with 8 or 16 bits")
        return PillowImage.fromarray(_scaled_to_eight_bits(values))
    if image.mode == "F":
        raise UnreadableError("floating-point values: save it with 8 or 16 bits")
    image.load()
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    if image.mode in ("L", "RGB"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _scaled_to_eight_bits(values: NDArray[np.integer[Any]]) -> NDArray[np.uint8]:
    """0..65535 as 0..255, rounded; by strips, because the arithmetic takes four bytes for each pixel."""
    scaled = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), 256):
        strip = values[top : top + 256].astype(np.uint32)
        scaled[top : top + 256] = (strip + 128) // 257  # 257 = 65535 / 255
    return scaled


def _turns() -> dict[int, Transpose]:
    """What makes an image upright, by EXIF orientation; 1 needs nothing."""
    from PIL.Image import Transpose

    return {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
