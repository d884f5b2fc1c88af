"""What this machine can take: where to keep files, how much memory and disk there is. A leaf: stdlib + platformdirs."""

from __future__ import annotations

import gc
import os
import shutil
import threading
from pathlib import Path

import platformdirs

from tl_widgets.core.errors import InputError

# cgroup v2, then v1; the values "max" and 2**63-ish mean "no limit".
_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_CGROUP_STATS = (Path("/sys/fs/cgroup/memory.stat"), Path("/sys/fs/cgroup/memory/memory.stat"))
_CGROUP_USAGE = (Path("/sys/fs/cgroup/memory.current"), Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"))


def home_folder() -> Path:
    """Where everything that may be thrown away is kept: `TL_WIDGETS_HOME`, else the platform's cache folder.

    Raises:
        InputError: it begins with the home of a user that is not there.
    """
    chosen = os.environ.get("TL_WIDGETS_HOME")
    if not chosen:
        return Path(platformdirs.user_cache_dir("tl_widgets"))
    try:
        return Path(chosen).expanduser()
    except RuntimeError as error:
        raise InputError(f"TL_WIDGETS_HOME={chosen}: there is no user of that name. Name a folder.") from error


def _read_number(paths: tuple[Path, ...]) -> int | None:
    for path in paths:
        try:
            text = path.read_text().strip()
        except OSError:
            continue
        if text.isdigit() and int(text) < 1 << 60:
            return int(text)
    return None


def _page_cache() -> int:
    """Bytes of a container's usage that the kernel gives back when they are wanted: files that were read before."""
    for path in _CGROUP_STATS:
        try:
            rows = dict(line.split() for line in path.read_text().splitlines())
            return int(rows.get("total_inactive_file") or rows["inactive_file"])
        except (OSError, KeyError, ValueError):
            continue
    return 0


def _host_memory() -> tuple[int, int]:
    """(total, available) bytes of the host; (0, 0) where the system does not say."""
    try:
        rows = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        kib = {name: int(rows[name].split()[0]) for name in ("MemTotal", "MemAvailable")}
    except (OSError, KeyError, ValueError):
        try:
            total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        except (AttributeError, OSError, ValueError):  # Windows
            return 0, 0
        return total, total
    return kib["MemTotal"] * 1024, kib["MemAvailable"] * 1024


def memory_limit() -> int:
    """Bytes of memory that this process may use: the container's limit or the host's, whichever is less.

    Returns:
        0 where the system does not say.
    """
    total, _ = _host_memory()
    limit = _read_number(_CGROUP_LIMITS)
    return min(limit, total) if limit and total else limit or total


def memory_available() -> int:
    """Bytes still free under `memory_limit`; 0 where the system does not say.

    Windows says nothing, and macOS only how much there is in all; no check can fire there that needs more.
    """
    _, available = _host_memory()
    limit, used = _read_number(_CGROUP_LIMITS), _read_number(_CGROUP_USAGE)
    if limit is None or used is None:
        return available
    free = min(max(limit - used + _page_cache(), 0), limit)
    return min(free, available) if available else free


def megabytes(n_bytes: float) -> str:
    """A size as text in decimal units: 12 MB, 3.4 GB."""
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"


def require_memory(n_bytes: int, what: str, advice: str) -> None:
    """Raise `InputError` when `what` needs more memory than is free.

    Args:
        n_bytes: what it will take, in bytes.
        what: the subject of the sentence: "training on 9,000 images".
        advice: what to do instead, a sentence without a full stop.

    Raises:
        InputError: it does not fit.
    """
    free = memory_available()
    if free and n_bytes > free:
        raise InputError(
            f"{what} needs about {megabytes(n_bytes)} of memory, and {megabytes(free)} are free "
            f"(limit {megabytes(memory_limit())}). {advice}."
        )


def require_disk(folder: Path, n_bytes: int, what: str) -> None:
    """Raise `InputError` when `what` needs more disk than `folder` has left.

    Raises:
        InputError: it does not fit.
    """
    existing = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    free = shutil.disk_usage(existing).free
    if n_bytes > free:
        raise InputError(
            f"{what} needs {megabytes(n_bytes)} of disk in {folder}, and {megabytes(free)} are free. "
            "Free some space, use a smaller image size, or point TL_WIDGETS_HOME at a larger disk."
        )


class PeakMemory:
    """Watches the memory of this process, while its block runs.

    Attributes:
        n_bytes: the most that was resident at once, TensorFlow and all else included; None where the system does not
            say.
    """

    _EVERY = 0.005  # seconds

    def __init__(self) -> None:
        self.n_bytes: int | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        gc.collect()  # models are full of cycles: what an earlier one left would be counted here
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._ended.wait(self._EVERY):
            self._look()

    def _look(self) -> None:
        try:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
        except (OSError, IndexError, ValueError):  # not Linux
            return
        self.n_bytes = max(self.n_bytes or 0, pages * os.sysconf("SC_PAGE_SIZE"))
