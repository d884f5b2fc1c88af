"""Import TensorFlow once, without its startup messages, and send events."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tl_widgets.core.events import Event, OnEvent, ignore

_lock = threading.Lock()


@contextmanager
def _silence() -> Iterator[None]:
    """Hide what C++ code writes to file descriptor 2, unless the block fails.

    TensorFlow writes its first messages ("Could not find cuda drivers", "failed call to cuInit") before its own log
    settings apply, and they worry beginners who have done nothing wrong.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        screen = os.dup(2)
    except OSError:  # a process without a stderr has nothing to hide
        yield
        return
    with tempfile.TemporaryFile() as hidden:
        os.dup2(hidden.fileno(), 2)
        try:
            yield
        except BaseException:
            hidden.seek(0)
            os.write(screen, hidden.read())
            raise
        finally:
            os.dup2(screen, 2)
            os.close(screen)


def import_tensorflow(on_event: OnEvent = ignore) -> None:
    """Import TensorFlow, with "load" events if it isn't imported yet."""
    # A module is in sys.modules from the start of its import; only the lock shows that the import is finished.
    with _lock:
        if "tensorflow" in sys.modules:
            return
        started = time.perf_counter()
        on_event(Event("load", "loading TensorFlow"))
        with _silence():
            import tensorflow as tf

            # Every run has its own tf.function, and TensorFlow warns about that after the fifth.
            tf.get_logger().addFilter(lambda record: "triggered tf.function retracing" not in record.getMessage())
            tf.config.list_physical_devices()  # looks for GPUs now, because it warns if there are none
        on_event(Event("load", "TensorFlow is loaded", n_done=1, n_total=1, seconds=time.perf_counter() - started))
