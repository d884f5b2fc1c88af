"""Read many image files at once: in parallel, in order, with progress, and never many in memory."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from tl_widgets.core.events import Cancel, Event, OnEvent, raise_if_cancelled, seconds_left
from tl_widgets.data.archives import ImageSource, SourceFile
from tl_widgets.data.dataset import Images, image_key
from tl_widgets.data.decode import UnreadableError, decode_image

_BIG_FILE = 16_000_000  # bytes; such files are read one at a time
_SECONDS_BETWEEN_EVENTS = 0.15
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class FileContent:
    """What one file turned out to be.

    Attributes:
        digest: hash of its bytes; of the reason where it could not be read at all.
        image: uint8, shape (size, size, 3); None where it is no usable image.
        key: `image_key` of the image; b"" without one.
        reason: why there is no image, a clause; "" where there is one.
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
    """Decode files in several threads and yield them in order.

    Args:
        source: where they are.
        files: which ones.
        image_size: side of the images in pixels.
        on_event: hears "decode" events, about seven a second and the last one always.
        cancel: stops it.

    Yields:
        One FileContent per file; a handful of images are in memory at a time.

    Raises:
        CancelledError: `cancel` was set.
    """
    big = threading.RLock()

    def read(file: SourceFile) -> FileContent:
        with big if file.n_bytes > _BIG_FILE else contextlib.nullcontext():
            try:
                data = source.read(file)
            except OSError as problem:
                reason = f"cannot be read: {problem.strerror or problem}"
                return FileContent(_digest(reason.encode()), None, b"", reason)
            digest = _digest(data)
            try:
                image = decode_image(data, image_size, big)
            except UnreadableError as problem:
                return FileContent(digest, None, b"", str(problem))
            return FileContent(digest, image, image_key(image), "")

    start, last_event = time.monotonic(), 0.0
    with warnings.catch_warnings():
        # Pillow warns about large images and odd metadata; what matters is in the reasons.
        warnings.simplefilter("ignore")
        for n_done, content in enumerate(_in_order(read, files, cancel), 1):
            yield content
            now = time.monotonic()
            if now - last_event >= _SECONDS_BETWEEN_EVENTS or n_done == len(files):
                last_event, seconds = now, now - start
                text = f"reading images: {n_done:,} of {len(files):,}"
                left = seconds_left(seconds, n_done, len(files))
                on_event(Event("decode", text, n_done=n_done, n_total=len(files), seconds=seconds, seconds_left=left))


def file_digests(source: ImageSource, files: Sequence[SourceFile], cancel: Cancel | None) -> list[bytes]:
    """The `FileContent.digest` of each file, without decoding it: a second for a thousand photographs.

    Raises:
        CancelledError: `cancel` was set.
    """

    def digest(file: SourceFile) -> bytes:
        try:
            return _digest(source.read(file))
        except OSError as problem:
            return _digest(f"cannot be read: {problem.strerror or problem}".encode())

    return list(_in_order(digest, files, cancel))


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def _in_order(
    work: Callable[[SourceFile], _Result], files: Sequence[SourceFile], cancel: Cancel | None
) -> Iterator[_Result]:
    """`map(work, files)` in threads, with at most a few results waiting to be taken."""
    n_workers = min(os.cpu_count() or 1, 8)
    executor = ThreadPoolExecutor(n_workers, thread_name_prefix="tl_widgets-read")
    waiting: deque[Future[_Result]] = deque()
    try:
        for file in files:
            raise_if_cancelled(cancel)
            waiting.append(executor.submit(work, file))
            if len(waiting) >= 4 * n_workers:
                yield waiting.popleft().result()
        while waiting:
            raise_if_cancelled(cancel)
            yield waiting.popleft().result()
    finally:
        # Also on Ctrl-C and when nobody asks for more: no thread outlives the call.
        executor.shutdown(cancel_futures=True)
