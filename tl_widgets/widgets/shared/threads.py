"""Work in a thread of its own: Stop, an end that always comes, and of several wishes the newest."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, Literal, TypeVar

from ipywidgets import HTML

from tl_widgets.core.errors import CancelledError
from tl_widgets.core.events import Cancel
from tl_widgets.widgets.shared.html import error_alert, note

State = Literal["idle", "running", "done", "stopped", "error"]

log = logging.getLogger("tl_widgets")
Value = TypeVar("Value")
Wish = TypeVar("Wish")

_POLL = 0.05  # seconds


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


def run_and_explain(work: Callable[[Cancel], Value | None], line: HTML, stopped: str = "") -> Run[Value]:
    """Run work in the background; what goes wrong is explained in a line.

    Args:
        work: what to do.
        line: for the explanation.
        stopped: what to say if the work was stopped.
    """

    def go(cancel: Cancel) -> Value | None:
        try:
            return work(cancel)
        except CancelledError:
            line.value = note(stopped)
        except Exception as error:
            line.value = error_alert(error)
        return None

    return Run(go)


class Newest(Generic[Wish]):
    """Does one piece of work after another in the background, and never an outdated one.

    Args:
        work: what to do for a wish; runs in a thread.
    """

    def __init__(self, work: Callable[[Wish, Cancel], None]) -> None:
        self._do = work
        self._lock = threading.Lock()
        self._wanted: Wish | None = None
        self._cancel = threading.Event()
        self._run: Run[None] | None = None

    def want(self, wish: Wish) -> Run[None]:
        """Ask for the work; what is under way for an older wish ends.

        Args:
            wish: of the moment.
        """
        with self._lock:
            self._wanted = wish
            self._cancel.set()
            if self._run is None:
                self._run = Run(self._work)
            return self._run

    def stop(self) -> None:
        """End the work, and forget what was asked for."""
        with self._lock:
            self._wanted = None
            self._cancel.set()

    def _work(self, _: Cancel) -> None:
        while True:
            with self._lock:
                wanted, self._wanted = self._wanted, None
                if wanted is None:
                    self._run = None
                    return
                cancel = self._cancel = threading.Event()
            try:
                self._do(wanted, cancel)
            except CancelledError:
                pass
            except Exception:  # the next wish must still find somebody who works
                log.exception("work in the background failed")
