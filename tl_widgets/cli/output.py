"""Standard output and error: what can't be written is left out, and work isn't lost for it."""

from __future__ import annotations

import io
import os
import sys
import threading
from contextlib import suppress
from typing import Any

from tl_widgets.core.text import escaped


class _Stream(io.FileIO):
    """A stream that a full disk or a closed pipe doesn't stop; `problem` is the first one."""

    problem: OSError | None = None

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.problem = self.problem or error
            return len(data)


_LEFT_ALONE = ("tl_widgets-step", "tl_widgets-import")  # threads
_screen: _Stream | None = None


def prepare_streams() -> None:
    """Make standard output and error safe to write to, whatever they are connected to."""
    global _screen
    while (descriptor := os.open(os.devnull, os.O_WRONLY)) <= 2:
        pass  # a closed stdout or stderr; otherwise the next file that is opened would take its place
    os.close(descriptor)
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # its encoding may lack a minus sign
    buffer = getattr(sys.stdout, "buffer", None)
    # Without buffering, the buffer is the file itself; Windows's console is another class.
    if sys.stdout is None or isinstance(getattr(buffer, "raw", buffer), io.FileIO):
        encoding = "utf-8" if sys.stdout is None else sys.stdout.encoding
        _screen = _Stream(1, "w", closefd=False)
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(_screen), encoding, errors="replace", line_buffering=_screen.isatty()
        )


def output_problem() -> OSError | None:
    """Return why some of the output couldn't be written; None if all was."""
    sys.stdout.flush()
    return None if _screen is None else _screen.problem


def leave_threads(status: int) -> None:
    """End the process if Ctrl-C left a step of TensorFlow alone: Python would wait for it, perhaps for a minute."""
    if any(thread.name in _LEFT_ALONE for thread in threading.enumerate()):
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):
                stream.flush()
        os._exit(status)


def escaped_lines(text: str) -> str:
    """Return a text whose only control characters are its line breaks."""
    return "\n".join(escaped(line) for line in text.split("\n"))
