"""What the machine has: psutil's figures for the host, cgroups for a container's limit."""

import ctypes
import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest

from tl_widgets.core import memory_limits, resources
from tl_widgets.core.errors import InputError
from tl_widgets.core.resources import PeakMemory, memory_available, memory_limit, require_memory


@pytest.fixture
def host(monkeypatch, tmp_path):
    """A host with 8 GB, 5 of them free, outside any container; a test may add control groups."""
    monkeypatch.setattr(memory_limits, "PROC", tmp_path)
    memory = SimpleNamespace(total=8_000_000_000, available=5_000_000_000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    return tmp_path


def add_group(host, version, path, **files):
    """Write the files of a control group, with the names that version 1 or 2 has for them."""
    names = {1: ("memory.limit_in_bytes", "memory.usage_in_bytes"), 2: ("memory.max", "memory.current")}[version]
    folder = host / f"mounted{version}" / path
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in zip((*names, "memory.stat"), (files["most"], files["used"], files.get("stat", "")), strict=True):
        (folder / name).write_text(str(text))


def mount(host, groups, *lines):
    (host / "cgroup").write_text(groups)
    (host / "mountinfo").write_text("".join(f"31 23 0:28 {line}\n" for line in lines))


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
    mount(host, "0::/", f"/ {host}/mounted2 rw - cgroup2 cgroup2 rw")
    add_group(host, 2, "", most=limit, used=used)
    assert (memory_limit(), memory_available()) == expected


def test_a_container_full_of_page_cache_still_has_memory(host):
    mount(host, "0::/", f"/ {host}/mounted2 rw - cgroup2 cgroup2 rw")
    add_group(host, 2, "", most=2_000_000_000, used=1_990_000_000, stat="anon 1\ninactive_file 1600000000")
    assert (memory_limit(), memory_available()) == (2_000_000_000, 1_610_000_000)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("lowest", ["", "slurm", "slurm/job_7", "slurm/job_7/step 0"])
def test_the_lowest_limit_of_every_level_holds(host, version, lowest):
    kind = "cgroup2 cgroup2 rw" if version == 2 else "cgroup cgroup rw,memory"
    mount(host, f"3:cpuset:/else\n{'0::' if version == 2 else '4:memory:'}/slurm/job_7/step 0\nodd",
          f"/ {host}/mounted{version} rw - {kind}", "odd")  # fmt: skip
    for path in ("", "slurm", "slurm/job_7", "slurm/job_7/step 0"):
        add_group(host, version, path, most=380_000_000 if path == lowest else "9223372036854771712", used=80_000_000)
    assert (memory_limit(), memory_available()) == (380_000_000, 300_000_000)


def test_a_container_that_shows_its_own_group_as_the_root(host):
    # Docker without a namespace for groups: the path is the host's, the mounted root is the container's.
    mount(host, "4:memory:/docker/ab/job", f"/docker/ab {host}/mounted1 rw - cgroup cgroup rw,memory")
    add_group(host, 1, "", most=3_000_000_000, used=0)
    add_group(host, 1, "job", most=2_000_000_000, used=500_000_000)
    assert (memory_limit(), memory_available()) == (2_000_000_000, 1_500_000_000)


@pytest.mark.parametrize("limit", ["1.5 GB", "1.1 GB"])  # of which nothing is left
def test_too_little_for_tensorflow_is_said_before_it_is_loaded(limit):
    pytest.importorskip("resource")
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_AS, (int({limit[:3]}e9),) * 2)\n"
        "from tl_widgets.core.lazy_tensorflow import import_tensorflow; import_tensorflow()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert "InputError: Loading TensorFlow needs about 350 MB of memory, but only " in done.stderr
    assert f"is free (limit {limit}). Close other programs" in done.stderr


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


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count libraries in another way")
def test_what_was_read_of_a_library_is_unmapped_and_comes_back():
    import numpy  # noqa: F401 - brings a large library

    process = psutil.Process()
    parts = process.memory_maps(grouped=False)
    code = max((part for part in parts if ".so" in part.path and "x" in part.perms), key=lambda part: part.size)
    start, end = (int(address, 16) for address in code.addr.split("-"))
    before = ctypes.string_at(start, end - start)  # reads all of it
    resident = process.memory_info().rss
    resources.release_libraries()
    assert resident - process.memory_info().rss > 0.8 * (end - start)
    assert ctypes.string_at(start, end - start) == before
