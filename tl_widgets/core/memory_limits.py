"""The memory that control groups (containers, systemd, Slurm) and `ulimit -v` allow this process.

psutil reports the memory of the host, which is no use where a process may have only a part of it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import psutil

PROC = Path("/proc/self")
_NO_LIMIT = 1 << 60  # cgroup v1 has numbers around 2**63 in place of "max"
_RESERVED = 1_400_000_000  # address space that TensorFlow's import reserves beyond the memory that it uses


@dataclass(frozen=True)
class MemoryLimit:
    """A limit of memory: the bytes that it allows, and how many of them are free."""

    n_bytes: int
    free: int


def memory_limits() -> list[MemoryLimit]:
    """Return every limit that holds for this process; none on systems without control groups."""
    return [*_cgroup_limits(), *_address_space()]


def _cgroup_limits() -> Iterator[MemoryLimit]:
    for folder in _cgroups():
        limit = _number(folder / "memory.max", folder / "memory.limit_in_bytes")
        used = _number(folder / "memory.current", folder / "memory.usage_in_bytes")
        if limit is not None:
            free = limit if used is None else limit - used + _page_cache(folder / "memory.stat")
            yield MemoryLimit(limit, max(0, min(free, limit)))


def _cgroups() -> Iterator[Path]:
    """Yield the folders of this process's control groups for memory, in both versions: a limit of any level holds."""
    try:
        groups = (PROC / "cgroup").read_text().splitlines()
        mounts = (PROC / "mountinfo").read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return
    lines = [line.split(":", 2) for line in groups if line.count(":") > 1]
    paths = {controller: path for _, controllers, path in lines for controller in controllers.split(",")}
    for line in mounts:
        fields, _, more = line.partition(" - ")
        kind, options = more.partition(" ")[0], more.rpartition(" ")[2]
        is_first = kind == "cgroup" and "memory" in options.split(",")
        path = paths.get("memory") if is_first else paths.get("") if kind == "cgroup2" else None
        if path is None:
            continue
        root, mounted = (_unescaped(text) for text in fields.split(" ")[3:5])
        yield from _levels(Path(mounted), root, path)


def _levels(mounted: Path, root: str, path: str) -> Iterator[Path]:
    """Yield the folder of a group and those above it, as far as they are mounted here."""
    inside = PurePosixPath(path)
    if inside.is_relative_to(root):
        inside = inside.relative_to(root)
    elif root != "/":  # a container shows its own group as the root, but its path may be that of the host
        inside = PurePosixPath()
    parts = [part for part in inside.parts if part not in ("/", "..")]
    for n in range(len(parts), -1, -1):
        yield mounted.joinpath(*parts[:n])


def _unescaped(text: str) -> str:
    return text.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")


def _number(*paths: Path) -> int | None:
    for path in paths:
        with suppress(OSError, UnicodeDecodeError):
            text = path.read_text().strip()
            return int(text) if text.isdigit() and int(text) < _NO_LIMIT else None
    return None


def _page_cache(path: Path) -> int:
    """Return the bytes of cached files in a group's usage, which are freed on demand."""
    with suppress(OSError, KeyError, ValueError):
        rows = dict(line.split() for line in path.read_text().splitlines())
        return int(rows.get("total_inactive_file") or rows["inactive_file"])
    return 0


def _address_space() -> Iterator[MemoryLimit]:
    """Yield the limit of `ulimit -v`, which counts what was reserved, whether it is used or not."""
    with suppress(ImportError, OSError, ValueError, psutil.Error):  # Windows has no such limit
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if 0 <= limit < _NO_LIMIT:
            used = psutil.Process().memory_info().vms
            reserved = 0 if "tensorflow" in sys.modules else _RESERVED
            yield MemoryLimit(limit, max(0, limit - used - reserved))
