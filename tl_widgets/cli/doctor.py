"""`tl-widgets doctor`: what this machine can do, and the command for what is missing."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tl_widgets.cli.diagnostics import Checkup, Finding, examine
from tl_widgets.cli.progress import make_console

_MARKS = {"good": ("ok", "green"), "missing": ("-", "dim"), "bad": ("BAD", "bold red")}


def show_doctor(*, home_given: bool) -> int:
    """Print the findings.

    Args:
        home_given: whether `--home` chose the folder, so that the commands must name it, too.

    Returns:
        0 where the default comparison can run, else 1.
    """
    # In a terminal the variable is gone when this process ends, so the option is repeated.
    options = f"--home {shlex.quote(os.environ['TL_WIDGETS_HOME'])}" if home_given else ""
    checkup = examine(options=options)
    console = make_console()
    _print_part(console, "This machine", checkup.machine)
    _print_part(console, "Backbones with ImageNet weights here", checkup.backbones)
    if missing := checkup.missing_backbones:
        fetch = f"tl-widgets {options} fetch".replace("  ", " ")
        example = "Xception" if "Xception" in missing else missing[0]
        text = f"{len(missing)} others are not here; for one of them: {fetch} {example}"
        console.print(f"  -    {text}", soft_wrap=True)
    _print_part(console, "Data sets", checkup.datasets)
    _print_end(console, checkup)
    return 0 if checkup.can_compare else 1


def _print_part(console: Console, title: str, findings: Sequence[Finding]) -> None:
    console.print(f"\n{title}", style="bold")
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in findings:
        mark, style = _MARKS[one.level]
        table.add_row(Text(f"  {mark:3}", style), one.what, one.text)
    console.print(table)


def _print_archive(console: Console, missing: Sequence[str], home: Path | None) -> None:
    names = " ".join(["Xception", *missing])
    console.print("\nFor machines without network, in one file", style="bold")
    console.print(f"  tl-widgets fetch {names} --archive class.zip", soft_wrap=True)
    if home is not None:
        text = f"\nNothing can be written to {home} here: fetch with --home and another folder, or on another machine."
        console.print(text, soft_wrap=True)


def _print_end(console: Console, checkup: Checkup) -> None:
    everything = (*checkup.machine, *checkup.backbones, *checkup.datasets)
    for title, level in (("To mend", "bad"), ("To have more, on a machine with network", "missing")):
        if found := [one for one in everything if one.level == level and one.command]:
            console.print(f"\n{title}", style="bold")
            for one in found:
                console.print(f"  {one.what}: {one.command}", soft_wrap=True)
    _print_archive(console, [one.what for one in checkup.datasets if one.level == "missing"], checkup.home)
    if checkup.can_compare:
        console.print("\n`tl-widgets compare` can run here, without network.", style="bold green", soft_wrap=True)
    else:
        console.print("\n`tl-widgets compare` cannot run here yet: see above.", style="bold red", soft_wrap=True)
