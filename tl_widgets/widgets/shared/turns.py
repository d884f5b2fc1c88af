"""A lock that lets one app of a kernel train at a time, and loading TensorFlow in the background."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tl_widgets.core.events import Cancel, raise_if_cancelled
from tl_widgets.widgets.shared.threads import log

_POLL = 0.05  # seconds
_lock = threading.Lock()
_import_claimed = threading.Lock()
_tensorflow_loaded = threading.Event()


@contextmanager
def training_lock(cancel: Cancel, on_wait: Callable[[], None]) -> Iterator[None]:
    """Wait until no other app of this kernel trains: two at once would be slow and distort each other's timings."""
    if not _lock.acquire(blocking=False):
        on_wait()
        while not _lock.acquire(timeout=_POLL):
            raise_if_cancelled(cancel)
    try:
        yield
    finally:
        _lock.release()


def preload_tensorflow() -> None:
    """Import TensorFlow in the background, once per process, while the user looks at the controls."""
    if not _import_claimed.acquire(blocking=False):
        return  # another app has started the import; nothing ever releases the lock

    def load() -> None:
        try:
            from tl_widgets.core.lazy_tensorflow import import_tensorflow

            import_tensorflow()
            import tl_widgets.plots.comparison  # the rest that the first run needs
            import tl_widgets.training.loop  # noqa: F401
        except Exception:
            log.exception("TensorFlow could not be loaded in the background")
        finally:
            _tensorflow_loaded.set()

    threading.Thread(target=load, name="tl_widgets-preload", daemon=True).start()


def wait_for_tensorflow(cancel: Cancel, on_wait: Callable[[], None]) -> None:
    """Wait until TensorFlow is loaded; `cancel` ends the wait, but the import continues for the next run."""
    preload_tensorflow()
    if not _tensorflow_loaded.is_set():
        if "tl_widgets.training.loop" not in sys.modules:
            on_wait()
        while not _tensorflow_loaded.wait(_POLL):
            raise_if_cancelled(cancel)
