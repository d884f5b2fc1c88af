"""One training at a time in a kernel, and TensorFlow loaded before the first."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tl_widgets.core.events import Cancel, raise_if_cancelled
from tl_widgets.widgets.shared.threads import log

_POLL = 0.05  # seconds
_turn = threading.Lock()
_tensorflow_wanted = threading.Lock()
_tensorflow_loaded = threading.Event()


@contextmanager
def my_turn(cancel: Cancel, say_waiting: Callable[[], None]) -> Iterator[None]:
    """Wait until no other Lab of this kernel trains: two at once would be slow and falsify each other's seconds.

    Args:
        cancel: ends the wait.
        say_waiting: called once where there is a wait.

    Raises:
        CancelledError: somebody pressed Stop.
    """
    if not _turn.acquire(blocking=False):
        say_waiting()
        while not _turn.acquire(timeout=_POLL):
            raise_if_cancelled(cancel)
    try:
        yield
    finally:
        _turn.release()


def preload_tensorflow() -> None:
    """Import TensorFlow in the background, once in a process, while somebody looks at the controls."""
    if not _tensorflow_wanted.acquire(blocking=False):
        return  # another Lab has started it; the lock is never given back

    def load() -> None:
        try:
            from tl_widgets.core.lazy_tensorflow import import_tensorflow

            import_tensorflow()
            import tl_widgets.training.loop  # noqa: F401 - Keras and all that the first run would wait for
        except Exception:
            log.exception("TensorFlow could not be loaded in the background")
        finally:
            _tensorflow_loaded.set()

    threading.Thread(target=load, name="tl_widgets-preload", daemon=True).start()


def wait_for_tensorflow(cancel: Cancel, say_waiting: Callable[[], None]) -> None:
    """Wait until TensorFlow is loaded.

    Args:
        cancel: ends the wait; the import itself goes on, so that the next run finds it done.
        say_waiting: called once where there is a wait.

    Raises:
        CancelledError: somebody pressed Stop.
    """
    preload_tensorflow()
    if not _tensorflow_loaded.is_set():
        if "tl_widgets.training.loop" not in sys.modules:
            say_waiting()
        while not _tensorflow_loaded.wait(_POLL):
            raise_if_cancelled(cancel)
