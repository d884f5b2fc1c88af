"""Import TensorFlow once, in silence, and say so to whoever waits. A leaf beside `events`."""

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
    """Keep what C++ writes to file descriptor 2 off the screen, unless it ends in an error.

    TensorFlow's first words ("Could not find cuda drivers", "failed call to cuInit") come before any setting of
    its own holds, and frighten beginners who have done nothing wrong.
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
    """Import TensorFlow, which takes seconds, and tell before and after; at once where it is there already.

    Args:
        on_event: hears of it.
    """
    # "keras" stands in sys.modules from the start of its import: only the lock tells that it is finished.
    with _lock:
        if "tensorflow" in sys.modules:
            return
        started = time.perf_counter()
        on_event(Event("load", "loading TensorFlow"))
        with _silence():
            import tensorflow as tf

            # Every run has a tf.function of its own, which TensorFlow takes for a mistake after the fifth.
            tf.get_logger().addFilter(lambda record: "triggered tf.function retracing" not in record.getMessage())
            tf.config.list_physical_devices()  # looks for GPUs, and complains where there is none
        on_event(Event("load", "TensorFlow is loaded", n_done=1, n_total=1, seconds=time.perf_counter() - started))
