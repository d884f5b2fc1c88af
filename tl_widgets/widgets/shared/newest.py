"""Live mode: retrain the transfer model's head whenever a control moves; the newest wish wins."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from tl_widgets.core.errors import CancelledError
from tl_widgets.core.events import Cancel
from tl_widgets.widgets.shared.runner import Run, log
from tl_widgets.widgets.shared.settings import LabSettings

Wish = TypeVar("Wish")


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


class LiveHead(Newest[LabSettings]):
    """Trains the head for the settings of the moment."""
