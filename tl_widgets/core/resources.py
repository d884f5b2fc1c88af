"""Resources of this machine: the cache folder, memory, cores and disk."""

from __future__ import annotations

import ctypes
import gc
import os
import shutil
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import platformdirs
import psutil

from tl_widgets.core.errors import InputError
from tl_widgets.core.memory_limits import memory_limits
from tl_widgets.core.numbers import size_text
from tl_widgets.core.paths import user_path
from tl_widgets.core.translation import _

# Traced networks of so many weights together are kept for the next training (`training.kept_learners`): 32 MB, with
# Adam's moments and a gradient.
MOST_KEPT_WEIGHTS = 2_000_000

_M_ARENA_MAX = -8  # in glibc's malloc.h
_MADV_DONTNEED = 4  # in Linux's mman.h
_LARGE = 1_000_000  # bytes; there are hundreds of smaller parts, which hold little
_LONG = 3.0  # seconds
_RELEASES_SHARE = 0.1  # of the time, at most


def home_folder() -> Path:
    """Return the folder for caches and downloads, which TL_WIDGETS_HOME can set."""
    chosen = os.environ.get("TL_WIDGETS_HOME")
    if not chosen:
        return Path(platformdirs.user_cache_dir("tl_widgets"))
    return user_path(chosen, "TL_WIDGETS_HOME")


def n_cores() -> int:
    """Return how many cores this process may use; a container can limit them."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS and Windows
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _host_memory() -> tuple[int, int]:
    """Return (total, available) bytes of the host; (0, 0) if a sandbox hides them."""
    try:
        memory = psutil.virtual_memory()
    except (OSError, RuntimeError, psutil.Error):
        return 0, 0
    return memory.total, memory.available


def memory_limit() -> int:
    """Return the bytes that the host, a container or `ulimit` allows this process; 0 if unknown."""
    total, _ = _host_memory()
    return min([limit.n_bytes for limit in memory_limits()] + [total] * (total > 0), default=0)


def memory_available() -> int:
    """Return how many bytes are still free under every limit, at least 1; 0 if unknown."""
    total, available = _host_memory()
    free = [limit.free for limit in memory_limits()] + [available] * (total > 0)
    return max(1, min(free)) if free else 0


def require_memory(n_bytes: int, subject: str, advice: str) -> None:
    """Raise `InputError` if `n_bytes` is more than the free memory.

    `subject` is the subject of the message, such as "training on 9,000 images"; `advice` has no period.
    """
    free = memory_available()
    if free and n_bytes > free:
        raise InputError(
            _(
                "{subject} needs about {n_bytes} of memory, but only {free} is free (limit {memory_limit}). {advice}.",
                subject=subject,
                n_bytes=size_text(n_bytes),
                free=size_text(free),
                memory_limit=size_text(memory_limit()),
                advice=advice,
            )
        )


def require_training_memory(subject: str, *, n_params: int, n_values: int, batch_size: int) -> None:
    """Raise `InputError` if there is too little free memory to train a network.

    Training needs the weights, their gradients and Adam's two moments, and each layer's output with its gradient:
    `n_values` numbers for one image.
    """
    require_memory(
        4 * (4 * n_params + 2 * batch_size * n_values),
        subject,
        _("Use smaller images, a smaller batch size, fewer filters or global average pooling"),
    )


def existing_part(folder: Path) -> Path:
    """Return the folder, which is absolute, or the nearest existing one above it."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def can_write(folder: Path) -> bool:
    """Return whether a file can be created; permissions don't show that for root."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def require_disk(folder: Path, n_bytes: int, subject: str) -> None:
    """Raise `InputError` if `folder`, which may not exist yet, has less free space.

    `subject` is the subject of the message, such as "Downloading Xception".
    """
    free = shutil.disk_usage(existing_part(folder.absolute())).free
    if n_bytes > free:
        raise InputError(
            _(
                "{subject} needs {n_bytes} of disk space in {folder}, but only {free} is free. Free some "
                "space, use a smaller image size, or point TL_WIDGETS_HOME at a larger disk.",
                subject=subject,
                n_bytes=size_text(n_bytes),
                folder=folder,
                free=size_text(free),
            )
        )


def share_heaps() -> None:
    """Let the threads that are started from now on share a few of glibc's heaps, one for each core.

    Otherwise each of TensorFlow's threads gets a heap of its own, which keeps what was freed in it: 40 MB here.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, max(2, n_cores()))


def release_libraries() -> None:
    """Unmap what was read of large libraries so far; what is called again comes back by itself.

    Loading TensorFlow reads 0.33 GB of its files, mostly names of symbols, and training needs a quarter of that. Linux
    counts the rest as this process's memory until it's unmapped. It stays in the cache of files, which the system drops
    where it needs memory, and from which a part comes back in microseconds.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError, TypeError, psutil.Error):
        madvise = ctypes.CDLL(None).madvise
        for part in psutil.Process().memory_maps(grouped=False):
            # What the loader or a debugger has changed would be lost. A library that another thread is about to map has
            # next to nothing in memory yet.
            is_as_in_file = "w" not in part.perms and not part.anonymous and not part.swap
            if is_as_in_file and part.rss > _LARGE and ".so" in part.path:
                start, end = (int(address, 16) for address in part.addr.split("-"))
                madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_DONTNEED)


def release_memory() -> None:
    """Give the memory of what was dropped back to the system.

    Models contain reference cycles, and glibc keeps what TensorFlow's many threads freed: 50 to 150 MB after a study.
    """
    gc.collect()
    with suppress(OSError, AttributeError, TypeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


_not_before = 0.0


def release_after(started: float) -> None:
    """Release memory if work that began at this time (`time.monotonic`) took seconds.

    The search takes 0.3 s itself, and more in a session with many objects, so it doesn't follow each of many models.
    """
    global _not_before
    now = time.monotonic()
    if now - started > _LONG and now > _not_before:
        release_memory()
        ended = time.monotonic()
        _not_before = ended + (ended - now) / _RELEASES_SHARE


class PeakMemory:
    """Measure the peak memory of this process while the block runs.

    Attributes:
        n_bytes: largest resident size in bytes, including TensorFlow and everything else; None if unknown.
    """

    _INTERVAL = 0.005  # seconds

    def __init__(self) -> None:
        self.n_bytes: int | None = None
        self._process = psutil.Process()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        gc.collect()  # models contain reference cycles, so an earlier one might still be counted here
        self._measure()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._measure()

    def _watch(self) -> None:
        while not self._ended.wait(self._INTERVAL):
            self._measure()

    def _measure(self) -> None:
        try:
            resident = self._process.memory_info().rss
        except (OSError, psutil.Error):
            return
        self.n_bytes = max(self.n_bytes or 0, resident)
