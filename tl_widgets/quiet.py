"""Keep TensorFlow's start-up notes off the screen. A leaf: stdlib only."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

# "I0000 00:00:1795521710.923743   25080 port.cc:153] oneDNN custom operations are on ...", and the complaint that
# there is no CUDA driver on a machine without a GPU.
_NOISE = re.compile(rb"[IW]\d{4} .*\.cc:\d+\] |WARNING: All log messages before absl|E\d{4} .*cuda_platform\.cc")


@contextmanager
def without_native_notes() -> Iterator[None]:
    """Hold back what libraries write to the process's standard error while the block runs.

    TensorFlow's C++ part (2.21) writes some notes before it looks at `TF_CPP_MIN_LOG_LEVEL`, past Python's
    `sys.stderr`, so that only the file descriptor itself can be turned away. What is no such note is written
    when the block ends.
    """
    try:
        terminal = os.dup(2)
    except OSError:  # a program without a standard error
        yield
        return
    with tempfile.TemporaryFile() as held:
        _flush()
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            _flush()
            os.dup2(terminal, 2)
            os.close(terminal)
            held.seek(0)
            rest = b"".join(line for line in held if not _NOISE.match(line))
            if rest:
                os.write(2, rest)


def _flush() -> None:
    if sys.stderr is not None:
        sys.stderr.flush()
