"""Decode image files to uint8 RGB arrays, or say why a file can't be used."""

from __future__ import annotations

import contextlib
import io
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.translation import _
from tl_widgets.data.dataset import Images
from tl_widgets.data.tiff import tiff_reason

if TYPE_CHECKING:
    from PIL.Image import Image, Transpose

# JPEG includes MPO, which many phones write. EPS is excluded because Pillow runs a program to open it.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "PPM")
_KINDS = "JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF, PPM"
MAX_PIXELS = 120_000_000
MAX_JPEG_PIXELS = 250_000_000  # of a JPEG that can be decoded at a fraction of its size
BIG_PIXELS = 16_000_000  # 64 MB as RGBA: such images are decoded one at a time
FULL_DEPTH = 16
_16_BIT_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N")
_ORIENTATION_TAG = 0x0112
_Converted = TypeVar("_Converted")
large_image_lock = threading.RLock()  # held while a large image is decoded: only one is in memory at a time

# The first bytes, in lower case, of files that people mistake for images.
_NOT_IMAGES = (
    ((b"<!doctype html", b"<html", b"<head"), _("a web page, not an image: download the picture itself")),
    ((b"<svg",), _("an SVG drawing, which has no pixels: export it as PNG")),
    ((b"%pdf",), _("a PDF document, not an image: export its page as PNG")),
    ((b"pk\x03\x04",), _("a zip file or document, not an image: unpack it")),
    (
        (b"version https://git-lfs",),
        _("a pointer of Git LFS, not the picture itself: run `git lfs pull` in its folder"),
    ),
    ((b"8bps",), _("a Photoshop document: export it as PNG or JPEG")),
    ((b"\x93numpy",), _("a NumPy array, not an image: save it as PNG")),
    ((b"\x00\x00\x00\x0cjp  ", b"\xff\x6f\xff\x71"), _("a JPEG 2000 picture: export it as PNG or JPEG")),
)


class UnreadableError(Exception):
    """The file is not a usable image; the message is a clause that says why."""


def decode_image(data: bytes, image_size: int, depth: int | None = None) -> Images:
    """Decode an image file's center square, upright and over white, resized.

    The result is uint8, shape (image_size, image_size, 3). The file may be JPEG, PNG, WebP, BMP, GIF, TIFF or AVIF
    (the first frame counts), PPM, and with the extra `formats` HEIC or JPEG XL, with 1, 8 or 16 bits: gray, palette,
    RGB or CMYK, with or without transparency. Gray or RGB values of 16 bits that only use `depth` of them, such as 12
    bits of a microscope, are stretched, so the largest becomes 255. Lanczos shrinks images, and bicubic interpolation
    enlarges them.

    Args:
        data: the content of the file.
        image_size: side of the result in pixels.
        depth: bits that the data set's 16-bit files use; None for those that this file uses.

    Raises:
        UnreadableError: the file can't be used.
    """
    return _convert(data, lambda image: _center_square(image, image_size, depth))


def depth_of(data: bytes) -> int:
    """Return how many bits the values of a 16-bit image need: 8, 10, 12, 14 or 16; 0 for another file."""
    from PIL import Image

    is_other_png = data.startswith(b"\x89PNG") and data[24:25] != b"\x10"
    with contextlib.suppress(Exception):  # a damaged file can raise any error; decoding reports it
        if not is_other_png:
            with Image.open(io.BytesIO(data), formats=("PNG", "TIFF", "PPM")) as image:
                if image.width * image.height > MAX_PIXELS:
                    return 0
                if image.mode in _16_BIT_MODES:
                    return _depth(np.asarray(image))
                if (low := _low_bytes(image)) is not None:
                    return _depth(_deep_colors(image, low)) if _is_dark(image) else FULL_DEPTH
    return 0


def _depth(values: NDArray[np.integer[Any]]) -> int:
    largest = int(values.max()) if values.size else 0
    return next((bits for bits in (8, 10, 12, 14) if 0 < largest < 2**bits), 16)


@dataclass(frozen=True, eq=False)
class UprightImage:
    """A whole image, turned upright.

    Attributes:
        pixels: uint8, shape (height, width, 3), perhaps smaller than the original.
        width, height: size of the original in pixels, upright.
    """

    pixels: Images
    width: int
    height: int


def decode_upright(data: bytes, longest: int) -> UprightImage:
    """Decode a whole image, its longer side at most `longest` pixels.

    It is upright, over white and in color. The supported formats are those of `decode_image`.

    Raises:
        UnreadableError: the file can't be used.
    """
    return _convert(data, lambda image: _whole_image(image, longest))


def _convert(data: bytes, convert: Callable[[Image], _Converted]) -> _Converted:
    """Open an image and return `convert(image)`; all failures are UnreadableErrors."""
    from PIL import Image, UnidentifiedImageError

    _require_image_file(data)
    try:
        with Image.open(io.BytesIO(data), formats=(*FORMATS, *_plugin_formats(data))) as image:
            return _convert_open(image, convert)
    except UnreadableError:
        raise
    except UnidentifiedImageError as error:
        if reason := tiff_reason(data):
            raise UnreadableError(reason) from error
        if _plugin_formats(data):
            raise UnreadableError(_("damaged: copy or download it again")) from error
        raise UnreadableError(_("not an image of a kind that is read here ({kinds})", kinds=_KINDS)) from error
    except Image.DecompressionBombError as error:
        if data.startswith(b"\xff\xd8"):
            return _convert_huge_jpeg(data, convert)
        raise UnreadableError(_too_large(_("far too many pixels"))) from error
    except Exception as error:  # a damaged file can fail anywhere in a decoder with any error
        if "truncated" in str(error).lower():
            raise UnreadableError(_("cut short: copy or download it again")) from error
        raise UnreadableError(_("damaged: {error}", error=error or type(error).__name__)) from error


def _convert_open(image: Image, convert: Callable[[Image], _Converted]) -> _Converted:
    n_pixels = image.width * image.height
    # A baseline JPEG is decoded at a fraction of its size. A progressive one is held whole.
    shrinks = image.format in ("JPEG", "MPO") and not image.info.get("progressive")
    if n_pixels > (MAX_JPEG_PIXELS if shrinks else MAX_PIXELS):
        raise UnreadableError(_too_large(_("{width:,} x {height:,} pixels", width=image.width, height=image.height)))
    if n_pixels <= BIG_PIXELS:
        return convert(image)
    with large_image_lock:
        return convert(image)


def _convert_huge_jpeg(data: bytes, convert: Callable[[Image], _Converted]) -> _Converted:
    """Convert a JPEG that `Image.open` rejects for its size, without changing Pillow's limit for others."""
    from PIL.JpegImagePlugin import JpegImageFile

    try:
        with JpegImageFile(io.BytesIO(data)) as image:
            return _convert_open(image, convert)
    except UnreadableError:
        raise
    except Exception as error:  # a damaged file can fail anywhere in a decoder with any error
        raise UnreadableError(_("damaged: {error}", error=error or type(error).__name__)) from error


_JPEG_XL = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_PLUGINS = {
    "HEIF": ("pillow_heif", "pillow-heif", _("a HEIC picture")),
    "JXL": ("pillow_jxl", "pillow-jxl-plugin", "JPEG XL"),
}
_plugin_lock = threading.Lock()


def readable_formats() -> str:
    """Return which formats can be read here; what is kept of files depends on it."""
    from PIL import features

    names = [name for name, (module, *_) in _PLUGINS.items() if find_spec(module)]
    return " ".join([*names, *(["AVIF"] if features.check("avif") else [])])


def _plugin_formats(data: bytes) -> tuple[str, ...]:
    """Return the format that a plugin of Pillow reads, if the file has one; load the plugin."""
    kind = "JXL" if data.startswith(_JPEG_XL) else ""
    if data[4:8] == b"ftyp":
        brands = (data[8:12], *(data[i : i + 4] for i in range(16, min(int.from_bytes(data[:4], "big"), 128), 4)))
        if b"avif" in brands or b"avis" in brands:
            from PIL import features

            if not features.check("avif"):
                raise UnreadableError(
                    _("an AVIF picture, which needs Pillow 11.3 or newer: update it, or export as JPEG")
                )
        elif any(brand in _HEIC_BRANDS for brand in brands):
            kind = "HEIF"
    if not kind:
        return ()
    module, package, text = _PLUGINS[kind]
    with _plugin_lock:
        try:
            plugin = import_module(module)
        except ImportError:
            raise UnreadableError(
                _(
                    "{text}, which needs the package {package} (pip install 'tl_widgets[formats]'): or "
                    "export it as JPEG",
                    text=text,
                    package=package,
                )
            ) from None
        if kind == "HEIF":
            plugin.register_heif_opener()
    return (kind,)


def _too_large(size: str) -> str:
    most = MAX_PIXELS // 1_000_000
    return _("{size}, more than the {most} megapixels allowed: make it smaller", size=size, most=most)


def _require_image_file(data: bytes) -> None:
    if not data:
        raise UnreadableError("empty")
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for prefixes, reason in _NOT_IMAGES:
        if start.startswith(prefixes):
            raise UnreadableError(reason)
    if start[4:11] in (b"ftypiso", b"ftypmp4", b"ftypqt ", b"ftypm4v") or (start[:4], start[8:11]) == (b"riff", b"avi"):
        raise UnreadableError(_("a video, not an image: save single pictures of it"))
    if start.startswith((b"<?xml", b"<!--", b"<!doctype svg")):
        raise UnreadableError(_NOT_IMAGES[1][1] if b"<svg" in start else _("an XML file, not an image"))


def _center_square(image: Image, image_size: int, depth: int | None) -> Images:
    """Return the upright center square as RGB."""
    low = _low_bytes(image)  # before anything reads the image, as looking for its orientation does
    turn = _transposition(image)
    # A JPEG can be decoded at 1/2, 1/4 or 1/8 of its size: far faster, and still twice the size that is needed.
    image.draft(image.mode, (2 * image_size, 2 * image_size))
    image = _eight_bit(image, low, depth)
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    return _resized(image, (image_size, image_size), (left, top, left + side, top + side), turn)


def _whole_image(image: Image, longest: int) -> UprightImage:
    low = _low_bytes(image)
    turn = _transposition(image)
    width, height = image.size
    image.draft(image.mode, (2 * longest, 2 * longest))
    image = _eight_bit(image, low)
    scale = min(1.0, longest / max(image.size))
    size = (max(1, round(scale * image.width)), max(1, round(scale * image.height)))
    pixels = _resized(image, size, (0, 0, image.width, image.height), turn)
    is_turned = turn is not None and turn.name in ("TRANSPOSE", "ROTATE_270", "TRANSVERSE", "ROTATE_90")
    return UprightImage(pixels, *((height, width) if is_turned else (width, height)))


def _transposition(image: Image) -> Transpose | None:
    # The small image is turned instead of the photograph: the result is the same, and it is cheaper.
    return _transpositions().get(image.getexif().get(_ORIENTATION_TAG, 1))


def _resized(
    image: Image, size: tuple[int, int], box: tuple[float, float, float, float], turn: Transpose | None
) -> Images:
    """Crop an 8-bit image to `box` and resize it: RGB, over white, turned upright."""
    from PIL import Image as PillowImage

    shrinks = box[2] - box[0] > size[0] or box[3] - box[1] > size[1]
    small = image.resize(
        size,
        PillowImage.Resampling.LANCZOS if shrinks else PillowImage.Resampling.BICUBIC,
        box=box,
        reducing_gap=3.0 if shrinks else None,
    )
    if small.mode == "RGBA":
        white = PillowImage.new("RGBA", small.size, (255, 255, 255, 255))
        small = PillowImage.alpha_composite(white, small)
    small = small.convert("RGB")
    return np.asarray(small if turn is None else small.transpose(turn))


def _eight_bit(image: Image, low: Image | None, depth: int | None = None) -> Image:
    """Load the image and return it in mode L, RGB or RGBA; `low` is what `_low_bytes` returns for it."""
    from PIL import Image as PillowImage

    if image.mode in _16_BIT_MODES:
        values = np.asarray(image)
        if values.size and (values.min() < 0 or values.max() > 65535):
            raise UnreadableError(_("32-bit values: save it with 8 or 16 bits"))
        return PillowImage.fromarray(_scaled_to_eight_bits(values, depth or _depth(values)))
    if image.mode == "F":
        raise UnreadableError(_("floating-point values: save it with 8 or 16 bits"))
    image.load()
    if low is not None and depth != FULL_DEPTH and _is_dark(image):
        colors = _deep_colors(image, low)
        stretched = PillowImage.fromarray(_scaled_to_eight_bits(colors, depth or _depth(colors)))
        if image.mode == "RGBA":
            stretched.putalpha(image.getchannel("A"))
        return stretched
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    if image.mode in ("L", "RGB"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _low_bytes(image: Image) -> Image | None:
    """Return an unread RGB image of 16 bits with the low byte of each value, which Pillow drops; None for another.

    Read in the other byte order, the low byte is the high one.
    """
    from PIL import Image as PillowImage

    def mode_of(tile: Any) -> str:
        return str(tile.args[0] if isinstance(tile.args, tuple) else tile.args)

    def in_other_order(tile: Any) -> Any:
        kind, order = mode_of(tile).split(";16")
        is_big = order == "B" or (order == "N" and sys.byteorder == "big")
        mode = f"{kind};16{'L' if is_big else 'B'}"
        return tile._replace(args=(mode, *tile.args[1:]) if isinstance(tile.args, tuple) else mode)

    file, tiles = getattr(image, "fp", None), getattr(image, "tile", [])
    if file is None or not tiles or not all(mode_of(tile).startswith(("RGB;16", "RGBA;16")) for tile in tiles):
        return None
    file.seek(0)
    low = PillowImage.open(io.BytesIO(file.read()), formats=FORMATS)
    low.tile = [in_other_order(tile) for tile in low.tile]
    return low


def _is_dark(image: Image) -> bool:
    """Return whether the high bytes of an RGB image leave two bits free or more."""
    return bool(np.asarray(image)[..., :3].max() < 2 ** (FULL_DEPTH - 8 - 2))


def _deep_colors(image: Image, low: Image) -> NDArray[np.uint16]:
    """Return the RGB values of 16 bits from their high and low bytes."""
    colors: NDArray[np.uint16] = np.asarray(image)[..., :3].astype(np.uint16) << 8 | np.asarray(low)[..., :3]
    return colors


def _scaled_to_eight_bits(values: NDArray[np.integer[Any]], depth: int) -> NDArray[np.uint8]:
    """Scale 0..2^depth - 1 to 0..255, rounded; in strips, which saves memory."""
    largest = 2**depth - 1
    scaled = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), 256):
        strip = values[top : top + 256].astype(np.uint32)
        scaled[top : top + 256] = (np.minimum(strip, largest) * 255 + largest // 2) // largest
    return scaled


def _transpositions() -> dict[int, Transpose]:
    """Return the transposition that each EXIF orientation needs; 1 needs none."""
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
