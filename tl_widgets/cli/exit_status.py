"""The end of a failed command: one line and a status. Standard library only."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

FAULT, MISTAKE, STOPPED = 1, 2, 130


def one_line(text: str) -> str:
    """Return a text without line breaks."""
    return " ".join(text.split())


def print_error(text: str, status: int) -> int:
    """Print one line to standard error and return the exit status."""
    sys.stderr.write(f"tl-widgets: {one_line(text)}\n")
    return status


def missing_package(error: ImportError) -> str:
    """Return advice on a missing or broken package; "" for modules of tl_widgets."""
    module = (error.name or "").partition(".")[0]
    if module in ("", "tl_widgets"):
        return ""
    package = {"PIL": "pillow", "skimage": "scikit-image", "sklearn": "scikit-learn"}.get(module, module)
    if isinstance(error, ModuleNotFoundError):
        install = f"Install it with `pip install {package}`"
        return f"The package {package} is missing. {install}, in this Python ({sys.executable})."
    again = f"Reinstall it with `pip install --force-reinstall {package}`"
    return f"The package {package} can't be loaded ({str(error)[:200]}). {again}, in this Python ({sys.executable})."


def report_fault(error: Exception) -> int:
    """Log the stack trace for developers and print what happened in one line."""
    what = f"{type(error).__name__}: {one_line(str(error))[:200]}"
    for folder in _log_folders():
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            log = folder / "tl-widgets-error.log"
            log.write_text("".join(traceback.format_exception(error)), encoding="utf-8", errors="replace")
            return print_error(f"{what}. This is a bug in tl_widgets; please report it with {log}", FAULT)
    return print_error(f"{what}. This is a bug in tl_widgets", FAULT)


def _log_folders() -> Iterator[Path]:
    """Yield folders for the log; finding one may be what has just failed."""
    with contextlib.suppress(Exception):
        from tl_widgets.core.resources import home_folder

        yield home_folder()
    with contextlib.suppress(Exception):
        import tempfile

        yield Path(tempfile.gettempdir())
