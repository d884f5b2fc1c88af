"""`tl-widgets lab`: open the notebooks in JupyterLab."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

FIRST_NOTEBOOK = "00_start_here.ipynb"


def find_notebooks() -> Path:
    """Return the first notebook, here or in the checkout; else a notebook folder."""
    places = (Path.cwd() / "notebooks", Path.cwd(), Path(__file__).resolve().parents[2] / "notebooks")
    notebooks = [place / FIRST_NOTEBOOK for place in places]
    candidates = [path for path in notebooks if path.is_file()] + [
        place for place in places if place.name == "notebooks" and place.is_dir()
    ]
    return candidates[0] if candidates else Path.cwd()


def open_lab(options: Sequence[str]) -> int:
    """Run `jupyter lab` with these options and return its exit status.

    On Linux and macOS it replaces this process.

    Raises:
        ModuleNotFoundError: JupyterLab isn't installed.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise ModuleNotFoundError("there is no JupyterLab", name="jupyterlab")
    command = [sys.executable, "-m", "jupyterlab", *options, str(find_notebooks())]
    if os.name == "posix":
        sys.stdout.flush()
        os.execv(command[0], command)  # noqa: S606  # signals then reach JupyterLab itself
    return subprocess.run(command, check=False).returncode  # noqa: S603
