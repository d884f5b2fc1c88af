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
    """The first notebook, in the current folder or in the checkout that this package was installed from.

    Returns:
        The notebook; else a folder of notebooks; else the current folder.
    """
    places = (Path.cwd() / "notebooks", Path.cwd(), Path(__file__).resolve().parents[2] / "notebooks")
    notebooks = [place / FIRST_NOTEBOOK for place in places]
    candidates = [path for path in notebooks if path.is_file()] + [
        place for place in places if place.name == "notebooks" and place.is_dir()
    ]
    return candidates[0] if candidates else Path.cwd()


def open_lab(options: Sequence[str]) -> int:
    """Run `jupyter lab` until it ends.

    Args:
        options: passed on, "--no-browser" for instance.

    Returns:
        Its exit status; on Linux and macOS it takes the place of this process.

    Raises:
        ModuleNotFoundError: there is no JupyterLab.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise ModuleNotFoundError("there is no JupyterLab", name="jupyterlab")
    command = [sys.executable, "-m", "jupyterlab", *options, str(find_notebooks())]
    if os.name == "posix":
        sys.stdout.flush()
        os.execv(command[0], command)  # noqa: S606  # signals then reach JupyterLab itself
    return subprocess.run(command, check=False).returncode  # noqa: S603
