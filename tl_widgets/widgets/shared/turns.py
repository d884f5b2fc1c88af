"""A lock that lets one app of a kernel train at a time, and loading TensorFlow and measuring speed before."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.events import Cancel, raise_if_cancelled
from tl_widgets.widgets.shared.threads import log

if TYPE_CHECKING:
    from tl_widgets.experiments.seconds import Speed

_POLL = 0.05  # seconds
_lock = threading.Lock()
_import_claimed = threading.Lock()
_tensorflow_loaded = threading.Event()
_measuring_claimed = threading.Lock()
_stop_measuring = threading.Event()
_speed: list[Speed] = []


@contextmanager
def training_lock(cancel: Cancel, on_wait: Callable[[], None]) -> Iterator[None]:
    """Wait until no other app of this kernel trains: two at once would be slow and distort each other's timings."""
    _stop_measuring.set()
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
        except InputError:
            pass  # the first run says so
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


def measured_speed() -> Speed | None:
    """Return the speed of this machine; None until it was measured."""
    return _speed[0] if _speed else None


def measure_when_idle(measure: Callable[[Cancel], Speed], then: Callable[[], None]) -> None:
    """Measure this machine's speed in the background, once per process, when TensorFlow is loaded.

    An app that trains ends the measuring at once, and shows the speed itself. TL_WIDGETS_NO_TIMING turns it off.

    Args:
        measure: returns the speed, or raises CancelledError.
        then: called after it.
    """
    if os.environ.get("TL_WIDGETS_NO_TIMING") or not _measuring_claimed.acquire(blocking=False):
        return

    def work() -> None:
        _tensorflow_loaded.wait()
        if not _lock.acquire(blocking=False):
            return
        try:
            if not _stop_measuring.is_set():
                _speed.append(measure(_stop_measuring))
        except CancelledError:
            return
        except Exception:
            log.exception("the speed of this machine could not be measured")
            return
        finally:
            _lock.release()
        then()

    threading.Thread(target=work, name="tl_widgets-speed", daemon=True).start()
