"""`tl-widgets doctor`: what works on this machine, and commands for the rest."""

from __future__ import annotations

import json
import math
import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tl_widgets.backbones.catalogue import list_backbones
from tl_widgets.backbones.family import Backbone, memory_needed
from tl_widgets.backbones.weights import is_published, local_weights_file
from tl_widgets.cli.progress import make_console
from tl_widgets.core.config import Config
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import ignore
from tl_widgets.core.kernel_memory import fits_a_lab, what_fits
from tl_widgets.core.numbers import percent, size_text
from tl_widgets.core.resources import (
    can_write,
    existing_part,
    home_folder,
    memory_available,
    memory_limit,
    n_cores,
)
from tl_widgets.core.translation import _
from tl_widgets.data.catalogue import list_datasets
from tl_widgets.data.hosted import is_intact

_MARKS = {"good": ("ok", "green"), "missing": ("-", "dim"), "bad": ("BAD", "bold red")}
NEEDED_MEMORY = 850_000_000  # the default comparison took 0.77 GB at most (TensorFlow 2.21, 2 cores)
_PACKAGES = (("tensorflow", (2, 18)), ("keras", (3, 8)), ("scikit-image", (0, 24)), ("pillow", (10, 4)))
_TYPICAL_SIZE = 96  # pixels, the side of the built-in images
_GPU_FILES = ("/dev/nvidia0", "/dev/kfd", "/dev/dxg")  # NVIDIA, AMD, Windows' Linux
_GPU_SECONDS = 300  # for a small training on CPU and GPU; the first use of a GPU compiles for a minute
_PYTHON = ((3, 11), (3, 14))  # the first supported version, and the first that isn't

Level = Literal["good", "missing", "bad"]


def show_doctor(*, home_given: bool) -> int:
    """Print the findings; return 0 if the default comparison can run, else 1."""
    # The environment variable ends with this process, so the printed commands repeat the option.
    options = f"--home {shlex.quote(os.environ['TL_WIDGETS_HOME'])}" if home_given else ""
    checkup = examine(options=options)
    console = make_console()
    _print_part(console, _("This machine"), checkup.machine)
    _print_part(console, _("Backbones with ImageNet weights here"), checkup.backbones)
    if missing := checkup.missing_backbones:
        fetch = f"tl-widgets {options} fetch".replace("  ", " ")
        example = "Xception" if "Xception" in missing else missing[0]
        text = _(
            "{n_missing} others are not downloaded yet; to get one: {fetch} {example}",
            n_missing=len(missing),
            fetch=fetch,
            example=example,
        )
        console.print(f"  -    {text}", soft_wrap=True)
    _print_part(console, _("Data sets"), checkup.datasets)
    _print_end(console, checkup)
    return 0 if checkup.can_compare else 1


def _print_part(console: Console, title: str, findings: Sequence[Finding]) -> None:
    console.print(f"\n{title}", style="bold")
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        mark, style = _MARKS[finding.level]
        table.add_row(Text(f"  {mark:3}", style), finding.subject, finding.text)
    console.print(table)


def _print_archive(console: Console, missing: Sequence[str], home: Path | None) -> None:
    names = " ".join(["Xception", *missing])
    console.print(_("\nFor machines without network, in one file"), style="bold")
    console.print(_("  tl-widgets fetch {names} --archive class.zip", names=names), soft_wrap=True)
    if home is not None:
        text = _(
            "\n{home} isn't writable here: fetch with --home and another folder, or on another machine.", home=home
        )
        console.print(text, soft_wrap=True)


def _print_end(console: Console, checkup: Checkup) -> None:
    everything = (*checkup.machine, *checkup.backbones, *checkup.datasets)
    for title, level in ((_("To fix"), "bad"), (_("To download, on a machine with network"), "missing")):
        if subset := [finding for finding in everything if finding.level == level and finding.command]:
            console.print(f"\n{title}", style="bold")
            for finding in subset:
                console.print(f"  {finding.subject}: {finding.command}", soft_wrap=True)
    _print_archive(
        console, [finding.subject for finding in checkup.datasets if finding.level == "missing"], checkup.home
    )
    if checkup.can_compare:
        console.print(_("\n`tl-widgets compare` can run here, without network."), style="bold green", soft_wrap=True)
    else:
        console.print(_("\n`tl-widgets compare` cannot run here yet: see above."), style="bold red", soft_wrap=True)


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        level: "good"; "missing" if something optional could be added; "bad" if it must be repaired.
        command: The command or advice that adds or repairs it; "" without one.
        needed: Whether the default comparison needs it to be good.
    """

    subject: str
    level: Level
    text: str
    command: str = ""
    needed: bool = False


@dataclass(frozen=True)
class Checkup:
    """All findings, in display order.

    Attributes:
        backbones: Those whose ImageNet weights are here or damaged; the bundled ones first.
        missing_backbones: Names of the others, which could be fetched, the smallest download first.
        home: The folder for fetched files if it can't be written; None if it can.
    """

    machine: tuple[Finding, ...]
    backbones: tuple[Finding, ...]
    datasets: tuple[Finding, ...]
    missing_backbones: tuple[str, ...]
    home: Path | None = None

    @property
    def can_compare(self) -> bool:
        """Whether the default comparison can run here."""
        return all(
            finding.level == "good" for finding in (*self.machine, *self.backbones, *self.datasets) if finding.needed
        )


def examine(*, options: str = "") -> Checkup:
    """Check this machine, which takes some seconds if large weights files are hashed.

    `options`, such as "--home FOLDER", are added to the commands of tl-widgets.
    """
    fetch = f"tl-widgets{f' {options}' if options else ''} fetch"
    home = home_folder().absolute()
    entries = [entry for entry in list_backbones() if entry.bundled or local_weights_file(entry.weights_file)]
    missing = sorted(
        (entry for entry in list_backbones() if entry not in entries), key=lambda entry: entry.download_mb or math.inf
    )
    return Checkup(
        machine=(_python(), *map(_package, _PACKAGES), *_hardware(), _gpu(), _disk()),
        backbones=tuple(_bundled(entry) if entry.bundled else _backbone(entry, fetch) for entry in entries),
        datasets=tuple(_datasets(fetch)),
        missing_backbones=tuple(entry.name for entry in missing),
        home=None if _is_file(home) or can_write(existing_part(home)) else home,
    )


def _python() -> Finding:
    text = _(
        "{python_version} on {system} {machine}",
        python_version=platform.python_version(),
        system=platform.system(),
        machine=platform.machine(),
    )
    if _PYTHON[0] <= sys.version_info[:2] < _PYTHON[1]:
        return Finding("Python", "good", text, needed=True)
    allowed = _("{first} or later, below {last}", first=_dotted(_PYTHON[0]), last=_dotted(_PYTHON[1]))
    return Finding(
        "Python",
        "bad",
        _("{text}; TensorFlow needs {allowed}", text=text, allowed=allowed),
        _("install Python 3.12"),
        needed=True,
    )


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _package(package: tuple[str, tuple[int, int]]) -> Finding:
    name, least = package
    command = f'pip install "{name}>={_dotted(least)}"'
    try:
        version = metadata.version(name)  # reads metadata, imports nothing
    except metadata.PackageNotFoundError:
        return Finding(name, "bad", _("not installed"), command, needed=True)
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < least:
        return Finding(
            name,
            "bad",
            _("{version}, which is too old: {dotted} or later", version=version, dotted=_dotted(least)),
            command,
            needed=True,
        )
    return Finding(name, "good", version, needed=True)


def _hardware() -> Iterator[Finding]:
    limit, free = memory_limit(), memory_available()
    needs = _("the default comparison needs {needed_memory}", needed_memory=size_text(NEEDED_MEMORY))
    if not limit:
        yield Finding("memory", "good", _("unknown: the system doesn't report it; {needs}", needs=needs), needed=True)
    else:
        text = _("limit {limit}, {free} of it free; {needs}", limit=size_text(limit), free=size_text(free), needs=needs)
        enough = free >= NEEDED_MEMORY
        command = "" if enough else _("close other programs and notebooks, or raise the container's memory limit")
        yield Finding("memory", "good" if enough else "bad", text, command, needed=True)
        megabytes = limit / 1e6
        yield Finding("kernels", "good" if fits_a_lab(megabytes) else "missing", what_fits(megabytes))
    yield Finding("cores", "good", str(n_cores()))


def _gpu() -> Finding:
    """Ask TensorFlow only where there may be a GPU: loading it takes seconds."""
    if not has_gpu_driver():
        return Finding("GPU", "good", _("none that TensorFlow could use; the built-in data sets don't need one"))
    command = [sys.executable, "-m", "tl_widgets.experiments.devices"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_GPU_SECONDS, check=True)  # noqa: S603
        report = json.loads(done.stdout.splitlines()[-1])
        name, problem, accuracy = report["name"], report["problem"], report["accuracy"]
    except (OSError, subprocess.SubprocessError, ValueError, LookupError) as error:
        is_slow = isinstance(error, subprocess.TimeoutExpired)
        text = (
            _("a small training on the CPU and the GPU took too long")
            if is_slow
            else _("a small training on the CPU and the GPU ended with an error")
        )
        return Finding("GPU", "bad", text, _without_gpu(), needed=not is_slow)
    if not name:
        text = _("its driver is here, but TensorFlow sees no GPU, and uses the CPU")
        return Finding("GPU", "missing", text, _('pip install "tensorflow[and-cuda]", for a GPU by NVIDIA on Linux'))
    if problem:
        text = _("{name} computes wrongly. {problem}", name=name, problem=problem)
        return Finding("GPU", "bad", text, _without_gpu(), needed=True)
    share = percent(accuracy)
    text = _("{name}; a small training goes there as on the CPU ({share} right)", name=name, share=share)
    return Finding("GPU", "good", text)


def _without_gpu() -> str:
    return _(
        "update the driver and TensorFlow's packages for it; until then, set CUDA_VISIBLE_DEVICES=-1 to leave the GPU "
        "out, or, on a Mac, pip uninstall tensorflow-metal"
    )


def has_gpu_driver() -> bool:
    """Return whether this machine has the driver of a GPU that isn't hidden, or Apple's plugin for TensorFlow."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return False
    try:
        return bool(metadata.version("tensorflow-metal"))
    except metadata.PackageNotFoundError:
        return any(map(os.path.exists, _GPU_FILES))


def _disk() -> Finding:
    home = home_folder().absolute()
    if _is_file(home):
        text = _("{home} is a file, not a folder", home=home) + (
            _("; unpack it") if home.suffix in (".zip", ".tar") else ""
        )
        return Finding("folder", "bad", text, _("give a folder with --home or TL_WIDGETS_HOME"))
    existing = existing_part(home)
    text = _("{home}: {free} free", home=home, free=size_text(shutil.disk_usage(existing).free))
    if existing != home:
        if not can_write(existing):
            text = _("{home} doesn't exist and can't be created: {existing} is read-only", home=home, existing=existing)
            return Finding("folder", "good", _("{text}. Images and features are kept in memory instead", text=text))
        text += _("; it doesn't exist yet, and is created when needed")
    elif not (home / "weights").is_dir() and (inner := _home_inside(home)):
        return Finding(
            "folder", "bad", _("{text}; the downloaded files are one folder deeper", text=text), f"--home {inner}"
        )
    if can_write(existing):
        return Finding("folder", "good", text)
    more = _("read-only: its files can be used; images and features are kept in memory instead")
    return Finding("folder", "good", f"{text}, {more}")


def _is_file(home: Path) -> bool:
    return home.exists() and not home.is_dir()


def _home_inside(home: Path) -> str:
    """Return a subfolder that looks like an unpacked archive, shell-quoted, or ""."""
    try:
        homes = [path for path in sorted(home.iterdir()) if (path / "weights").is_dir() or (path / "datasets").is_dir()]
    except OSError:
        return ""
    return shlex.quote(str(homes[0])) if homes and not (home / "datasets").is_dir() else ""


def _bundled(entry: Backbone) -> Finding:
    is_default = entry.name == Config.backbone
    try:
        path = entry.family.find_weights(entry, ignore, None)  # checks the hash
    except InputError as error:
        text = str(error).split(". ")[0]
        return Finding(entry.name, "bad", text, entry.family.repair(entry), needed=is_default)
    size = size_text(path.stat().st_size)
    return Finding(entry.name, "good", _("bundled, {size}, hash verified", size=size), needed=is_default)


def _backbone(entry: Backbone, fetch: str) -> Finding:
    path = local_weights_file(entry.weights_file)
    assert path is not None
    try:
        text = _("{size} in {parent}", size=size_text(path.stat().st_size), parent=path.parent)
        if entry.weights_hash is not None and not is_published(path, entry.weights_hash):
            return Finding(
                entry.name, "bad", _("{path} is damaged: its hash is wrong", path=path), f"{fetch} {entry.name}"
            )
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        return Finding(
            entry.name,
            "bad",
            _("{path} cannot be read: {strerror}", path=path, strerror=error.strerror or error),
            f"{fetch} {entry.name}",
        )
    text += _(", hash verified") if entry.weights_hash else _("; no hash is published for it")
    needed, free = memory_needed(entry, _TYPICAL_SIZE), memory_available()
    if free and needed > free:
        text += _(
            "; but it needs about {needed} of memory, and {free} are free",
            needed=size_text(needed),
            free=size_text(free),
        )
        return Finding(entry.name, "missing", text)
    return Finding(entry.name, "good", text)


def _datasets(fetch: str) -> Iterator[Finding]:
    for info in list_datasets():
        command = f"{fetch} {info.name}"
        if info.path is None:
            yield Finding(info.name, "good", _("built in"))
        elif not info.offline:
            yield Finding(
                info.name, "missing", _("not here; {n_bytes} to download", n_bytes=size_text(info.n_bytes)), command
            )
        elif not info.path.is_file():
            yield Finding(info.name, "good", _("installed here; its first use makes a copy in seconds"))
        elif not is_intact(info.path):
            yield Finding(info.name, "bad", _("{info_path} is damaged, or can't be read", info_path=info.path), command)
        else:
            size = size_text(info.path.stat().st_size)
            yield Finding(
                info.name, "good", _("{size} in {parent}, checksums verified", size=size, parent=info.path.parent)
            )
