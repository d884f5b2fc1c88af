"""Work in a thread of its own: Stop, an end that always comes, and one training at a time in a kernel."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Literal, TypeVar

from tl_widgets.core.errors import CancelledError
from tl_widgets.core.events import Cancel, raise_if_cancelled

State = Literal["idle", "running", "done", "stopped", "error"]

log = logging.getLogger("tl_widgets")
Value = TypeVar("Value")

_POLL = 0.05  # seconds
UPDATES_PER_SECOND = 7  # beyond about 1,000 messages a second Jupyter drops some; nobody can read 7
_turn = threading.Lock()
_tensorflow_wanted = threading.Lock()
_tensorflow_loaded = threading.Event()


class Run(Generic[Value]):
    """A piece of work that goes on in the background.

    `await run.done()` waits for it in a notebook and lets Stop through; `run.wait()` waits in a script.

    Attributes:
        cancel: set it, or call `stop`, to end the work at its next step.
        finished: set when the work has ended, whichever way.
        result: what the work gave back; None until then, or where it ended early.
    """

    def __init__(self, work: Callable[[Cancel], Value | None]) -> None:
        self.cancel = threading.Event()
        self.finished = threading.Event()
        self.result: Value | None = None
        self._work = work
        # A copied context: ipykernel finds in it the cell that the widgets' messages belong to.
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._go,), name="tl_widgets", daemon=True).start()

    def __repr__(self) -> str:
        # A fixed text: as the last line of a cell it must not differ from one execution to the next.
        return "A run in the background: `await run.done()` waits for it, `run.stop()` ends it."

    def _go(self) -> None:
        # The event has a `finally` of its own: nothing that goes wrong may leave a waiter waiting for ever.
        try:
            self.result = self._work(self.cancel)
        except CancelledError:
            pass
        except Exception:
            log.exception("background work failed")
        finally:
            self.finished.set()

    @property
    def is_running(self) -> bool:
        """Whether the work has not ended yet."""
        return not self.finished.is_set()

    def stop(self) -> None:
        """Ask the work to end; it does within one batch."""
        self.cancel.set()

    def wait(self, timeout: float | None = None) -> Value | None:
        """Wait for the end; an interrupt (Ctrl-C, the kernel's ■) stops the work as well.

        Args:
            timeout: in seconds; None waits as long as it takes.

        Returns:
            The result.
        """
        ends = None if timeout is None else time.monotonic() + timeout
        try:
            # Short waits: a long one would not let an interrupt through.
            while not self.finished.wait(_POLL) and (ends is None or time.monotonic() < ends):
                pass
        except KeyboardInterrupt:
            self.stop()
            raise
        return self.result

    async def done(self) -> Value | None:
        """Wait for the end without blocking the kernel; an interrupt stops the work as well.

        Returns:
            The result.
        """
        try:
            while not self.finished.is_set():
                await asyncio.sleep(_POLL)
        except (asyncio.CancelledError, KeyboardInterrupt):
            self.stop()
            raise
        return self.result


class Throttle:
    """Lets at most `UPDATES_PER_SECOND` views be drawn, the ones that waited longest first; `flush` draws the rest."""

    def __init__(self) -> None:
        self._waiting: dict[str, Callable[[], None]] = {}
        self._last = 0.0

    def offer(self, name: str, draw: Callable[[], None]) -> None:
        """Draw now if it is time, else later; a newer offer of the same name takes the place of an older one."""
        self._waiting[name] = draw
        if time.monotonic() - self._last >= 1 / UPDATES_PER_SECOND:
            self._waiting.pop(next(iter(self._waiting)))()
            # After drawing: what drawing costs must not eat the pause.
            self._last = time.monotonic()

    def flush(self) -> None:
        """Draw all that still waits."""
        while self._waiting:
            self._waiting.pop(next(iter(self._waiting)))()


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
