"""Read the image files of a source in several threads, and look at what their headers say."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from tl_widgets.core.events import Cancel, Event, OnEvent, raise_if_cancelled, seconds_left
from tl_widgets.core.translation import _
from tl_widgets.data.archives import ImageSource, SourceFile
from tl_widgets.data.dataset import Images, image_key
from tl_widgets.data.decode import FULL_DEPTH, UnreadableError, decode_image, depth_of, large_image_lock

_BIG_FILE = 16_000_000  # bytes; such files are read one at a time
_SECONDS_BETWEEN_EVENTS = 0.15
_Result = TypeVar("_Result")


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


_MAY_BE_DEEP = (".png", ".tif", ".tiff", ".pgm")
_DEPTH_SAMPLE = 30


def find_depth(source: ImageSource, files: Sequence[SourceFile], cancel: Cancel | None) -> int:
    """Return how many bits the values in 16-bit files need, for all of them together; 0 if a sample has no such file.

    Microscopes and X-ray machines often write 10 or 12 bits. Each file's own largest value wouldn't do: a dark picture
    would become as bright as the others.
    """
    suspects = [file for file in files if file.name.lower().endswith(_MAY_BE_DEEP)]

    def depth(file: SourceFile) -> int:
        try:
            return depth_of(source.read(file))
        except OSError:
            return 0

    sample = suspects[:: max(1, len(suspects) // _DEPTH_SAMPLE)]
    if not any(map(depth, sample)):
        return 0
    largest = 0
    # Closing ends the threads as soon as the answer is known.
    with contextlib.closing(_map_in_order(depth, suspects, cancel)) as depths:
        for bits in depths:
            largest = max(largest, bits)
            if largest == FULL_DEPTH:
                break
    return largest


def read_images(
    source: ImageSource,
    files: Sequence[SourceFile],
    image_size: int,
    depth: int,
    on_event: OnEvent,
    cancel: Cancel | None,
) -> Generator[FileContent, None, None]:
    """Decode files in several threads and yield one FileContent per file, in order; `depth` is that of `find_depth`.

    Only a few images are in memory at a time. `on_event` receives about seven "decode" events per second, and always
    the last one.
    """

    def read(file: SourceFile) -> FileContent:
        with large_image_lock if file.n_bytes > _BIG_FILE else contextlib.nullcontext():
            try:
                data = source.read(file)
            except OSError as error:
                reason = _("cannot be read: {strerror}", strerror=error.strerror or error)
                return FileContent(_digest(reason.encode()), None, b"", reason)
            digest = _digest(data)
            try:
                image = decode_image(data, image_size, depth or None)
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
                text = _("reading images: {n_done:,} of {n_files:,}", n_done=n_done, n_files=len(files))
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
) -> Generator[_Result, None, None]:
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
