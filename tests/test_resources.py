"""What the machine has: psutil's figures for the host, cgroups for a container's limit."""

import ctypes
from types import SimpleNamespace

import psutil
import pytest

from tl_widgets.core import resources
from tl_widgets.core.errors import InputError
from tl_widgets.core.resources import PeakMemory, memory_available, memory_limit, require_memory


@pytest.fixture
def host(monkeypatch, tmp_path):
    """A host with 8 GB, 5 of them free, outside any container; a test may add a container's files."""
    for name, file in (("_CGROUP_LIMITS", "max"), ("_CGROUP_USAGE", "current"), ("_CGROUP_STATS", "stat")):
        monkeypatch.setattr(resources, name, (tmp_path / file,))
    memory = SimpleNamespace(total=8_000_000_000, available=5_000_000_000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    return tmp_path


def test_without_a_container_the_figures_are_those_of_the_host(host):
    # So it is on Windows and macOS, which have no cgroups.
    assert (memory_limit(), memory_available()) == (8_000_000_000, 5_000_000_000)
    with pytest.raises(InputError, match=r"needs about 6\.0 GB of memory, but only 5\.0 GB is free \(limit 8\.0 GB\)"):
        require_memory(6_000_000_000, "training", "Take smaller images")


@pytest.mark.parametrize(
    ("limit", "used", "expected"),
    [
        ("2000000000", "500000000", (2_000_000_000, 1_500_000_000)),
        ("64000000000", "1000000000", (8_000_000_000, 5_000_000_000)),  # more than the host has
        ("max", "1000000000", (8_000_000_000, 5_000_000_000)),
        ("9223372036854771712", "1000000000", (8_000_000_000, 5_000_000_000)),  # cgroup v1's "no limit"
    ],
)
def test_the_limit_of_a_container_holds_where_it_is_lower(host, limit, used, expected):
    (host / "max").write_text(limit)
    (host / "current").write_text(used)
    assert (memory_limit(), memory_available()) == expected


def test_a_container_full_of_page_cache_still_has_memory(host):
    for name, text in (("max", "2000000000"), ("current", "1990000000"), ("stat", "anon 1\ninactive_file 1600000000")):
        (host / name).write_text(text)
    assert (memory_limit(), memory_available()) == (2_000_000_000, 1_610_000_000)


def test_a_system_that_hides_its_memory_stops_nothing(host, monkeypatch):
    def hidden():
        raise FileNotFoundError("/proc/meminfo")

    monkeypatch.setattr(psutil, "virtual_memory", hidden)
    assert (memory_limit(), memory_available()) == (0, 0)
    require_memory(10**15, "training", "Take smaller images")


def test_the_peak_is_at_least_what_the_process_holds():
    resident = psutil.Process().memory_info().rss
    with PeakMemory() as memory:
        pass
    assert memory.n_bytes > resident / 2


def test_freed_memory_goes_back_to_the_system():
    if not hasattr(ctypes.CDLL(None), "malloc_trim"):
        pytest.skip("the C library of this system gives memory back by itself")
    process = psutil.Process()
    blocks = [bytes(1500) for _ in range(100_000)]
    kept = blocks[::1000]  # between the freed blocks, so the heap can't simply end earlier
    before = process.memory_info().rss
    blocks.clear()
    resources.release_memory()
    assert before - process.memory_info().rss > 80_000_000
    assert len(kept) == 100
