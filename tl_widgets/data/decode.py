"""Decode image files to uint8 RGB arrays, or say why a file can't be used."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.events import Cancel, Event, OnEvent, raise_if_cancelled, seconds_left
from tl_widgets.data.archives import ImageSource, SourceFile
from tl_widgets.data.dataset import Images, image_key

if TYPE_CHECKING:
    from PIL.Image import Image, Transpose

# JPEG includes MPO, which many phones write. EPS is excluded because Pillow runs a program to open it.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF")
_KINDS = "JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF"
MAX_PIXELS = 100_000_000
BIG_PIXELS = 16_000_000  # 64 MB as RGBA: such images are decoded one at a time
_16_BIT_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N")
_ORIENTATION_TAG = 0x0112
_Converted = TypeVar("_Converted")
_large_image_lock = threading.RLock()  # held while a large image is decoded: only one is in memory at a time

# The first bytes, in lower case, of files that people mistake for images.
_NOT_IMAGES = (
    ((b"<!doctype html", b"<html", b"<head"), "a web page, not an image: download the picture itself"),
    ((b"<svg",), "an SVG drawing, which has no pixels: export it as PNG"),
    ((b"%pdf",), "a PDF document, not an image: export its page as PNG"),
    ((b"pk\x03\x04",), "a zip file or document, not an image: unpack it"),
)


class UnreadableError(Exception):
    """The file is not a usable image; the message is a clause that says why."""


def decode_image(data: bytes, image_size: int) -> Images:
    """Decode an image file's center square, upright and over white, resized.

    The result is uint8, shape (image_size, image_size, 3). The file may be JPEG, PNG, WebP, BMP, GIF, TIFF or AVIF
    (the first frame counts), and with the extra `formats` HEIC or JPEG XL, with 1, 8 or 16 bits: gray, palette, RGB or
    CMYK, with or without transparency. 16-bit values are scaled so 65535 becomes 255. Lanczos shrinks images, and
    bicubic interpolation enlarges them.

    Raises:
        UnreadableError: the file can't be used.
    """
    return _convert(data, lambda image: _center_square(image, image_size))


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
            n_pixels = image.width * image.height
            if n_pixels > MAX_PIXELS:
                raise UnreadableError(_too_large(f"{image.width:,} x {image.height:,} pixels"))
            if n_pixels <= BIG_PIXELS:
                return convert(image)
            with _large_image_lock:
                return convert(image)
    except UnreadableError:
        raise
    except UnidentifiedImageError as error:
        if _plugin_formats(data):
            raise UnreadableError("damaged: copy or download it again") from error
        raise UnreadableError(f"not an image of a kind that is read here ({_KINDS})") from error
    except Image.DecompressionBombError as error:
        raise UnreadableError(_too_large("far too many pixels")) from error
    except Exception as error:  # a damaged file can fail anywhere in a decoder with any error
        if "truncated" in str(error).lower():
            raise UnreadableError("cut short: copy or download it again") from error
        raise UnreadableError(f"damaged: {error or type(error).__name__}") from error


# The first bytes of JPEG XL: a bare stream, or in a container.
_JPEG_XL = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_PLUGINS = {
    "HEIF": ("pillow_heif", "pillow-heif", "a HEIC picture"),
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
                raise UnreadableError("an AVIF picture, which needs Pillow 11.3 or newer: update it, or export as JPEG")
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
                f"{text}, which needs the package {package} (pip install 'tl_widgets[formats]'): or export it as JPEG"
            ) from None
        if kind == "HEIF":
            plugin.register_heif_opener()
    return (kind,)


def find_pages(source: ImageSource, files: Sequence[SourceFile]) -> list[str]:
    """Return the names of TIFF files with several pages, of which only the first is read; at most 50 are looked at."""
    from PIL import Image

    tiffs = [file for file in files if file.name.lower().endswith((".tif", ".tiff"))]
    several = []
    for file in tiffs[:: max(1, len(tiffs) // 50)][:50]:
        with contextlib.suppress(Exception), Image.open(io.BytesIO(source.read(file)), formats=("TIFF",)) as image:
            image.seek(1)  # EOFError if there is no second page
            several.append(file.name)
    return several


def _too_large(size: str) -> str:
    return f"{size}, more than the {MAX_PIXELS // 1_000_000} megapixels allowed: make it smaller"


def _require_image_file(data: bytes) -> None:
    if not data:
        raise UnreadableError("empty")
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for prefixes, reason in _NOT_IMAGES:
        if start.startswith(prefixes):
            raise UnreadableError(reason)
    if start.startswith((b"<?xml", b"<!--", b"<!doctype svg")):
        raise UnreadableError(_NOT_IMAGES[1][1] if b"<svg" in start else "an XML file, not an image")


def _center_square(image: Image, image_size: int) -> Images:
    """Return the upright center square as RGB."""
    turn = _transposition(image)
    # A JPEG can be decoded at 1/2, 1/4 or 1/8 of its size: far faster, and still twice the size that is needed.
    image.draft(image.mode, (2 * image_size, 2 * image_size))
    image = _eight_bit(image)
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    return _resized(image, (image_size, image_size), (left, top, left + side, top + side), turn)


def _whole_image(image: Image, longest: int) -> UprightImage:
    turn = _transposition(image)
    width, height = image.size
    image.draft(image.mode, (2 * longest, 2 * longest))
    image = _eight_bit(image)
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


def _eight_bit(image: Image) -> Image:
    """Load the image and return it in mode L, RGB or RGBA."""
    from PIL import Image as PillowImage

    if image.mode in _16_BIT_MODES:
        values = np.asarray(image)
        if values.size and (values.min() < 0 or values.max() > 65535):
            raise UnreadableError("32-bit values: save it with 8 or 16 bits")
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
    """Scale 0..65535 to 0..255, rounded; in strips, which saves memory."""
    scaled = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), 256):
        strip = values[top : top + 256].astype(np.uint32)
        scaled[top : top + 256] = (strip + 128) // 257  # 257 = 65535 / 255
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


_BIG_FILE = 16_000_000  # bytes; such files are read one at a time
_SECONDS_BETWEEN_EVENTS = 0.15
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class FileContent:
    """The decoded image of one file, or why there is none.

    Attributes:
        digest: hash of the file's bytes, or of the reason if it could not be read at all.
        image: uint8, shape (size, size, 3); None if the file is not a usable image.
        key: `image_key` of the image; b"" without one.
        reason: why there is no image, as a clause; "" if there is one.
    """

    digest: bytes
    image: Images | None
    key: bytes
    reason: str


def read_images(
    source: ImageSource,
    files: Sequence[SourceFile],
    image_size: int,
    on_event: OnEvent,
    cancel: Cancel | None,
) -> Generator[FileContent, None, None]:
    """Decode files in several threads and yield one FileContent per file, in order.

    Only a few images are in memory at a time. `on_event` receives about seven "decode" events per second, and always
    the last one.
    """

    def read(file: SourceFile) -> FileContent:
        with _large_image_lock if file.n_bytes > _BIG_FILE else contextlib.nullcontext():
            try:
                data = source.read(file)
            except OSError as error:
                reason = f"cannot be read: {error.strerror or error}"
                return FileContent(_digest(reason.encode()), None, b"", reason)
            digest = _digest(data)
            try:
                image = decode_image(data, image_size)
            except UnreadableError as error:
                return FileContent(digest, None, b"", str(error))
            return FileContent(digest, image, image_key(image), "")

    start, last_event = time.monotonic(), 0.0
    with warnings.catch_warnings():
        # Pillow warns about large images and odd metadata; FileContent.reason covers what matters.
        warnings.simplefilter("ignore")
        for n_done, content in enumerate(_map_in_order(read, files, cancel), 1):
            yield content
            now = time.monotonic()
            if now - last_event >= _SECONDS_BETWEEN_EVENTS or n_done == len(files):
                last_event, seconds = now, now - start
                text = f"reading images: {n_done:,} of {len(files):,}"
                left = seconds_left(seconds, n_done, len(files))
                on_event(Event("decode", text, n_done=n_done, n_total=len(files), seconds=seconds, seconds_left=left))


def file_digests(source: ImageSource, files: Sequence[SourceFile], cancel: Cancel | None) -> list[bytes]:
    """Return each `FileContent.digest` without decoding: 1 s per thousand photos."""

    def digest(file: SourceFile) -> bytes:
        try:
            return _digest(source.read(file))
        except OSError as error:
            return _digest(f"cannot be read: {error.strerror or error}".encode())

    return list(_map_in_order(digest, files, cancel))


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def _map_in_order(
    function: Callable[[SourceFile], _Result], files: Sequence[SourceFile], cancel: Cancel | None
) -> Iterator[_Result]:
    """Yield `map(function, files)`, computed in threads that run only a few results ahead."""
    n_workers = min(os.cpu_count() or 1, 8)
    executor = ThreadPoolExecutor(n_workers, thread_name_prefix="tl_widgets-read")
    pending: deque[Future[_Result]] = deque()
    try:
        for file in files:
            raise_if_cancelled(cancel)
            pending.append(executor.submit(function, file))
            if len(pending) >= 4 * n_workers:
                yield pending.popleft().result()
        while pending:
            raise_if_cancelled(cancel)
            yield pending.popleft().result()
    finally:
        # No thread outlives the call, even after Ctrl-C or when the caller stops early.
        executor.shutdown(cancel_futures=True)
