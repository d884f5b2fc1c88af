"""Live mode: retrain the transfer model's head whenever a control moves; the newest wish wins."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tl_widgets.errors import CancelledError
from tl_widgets.events import Cancel
from tl_widgets.widgets.runner import Run, log
from tl_widgets.widgets.settings import LabSettings


class LiveHead:
    """Does one piece of work after another in the background, and never an outdated one.

    Args:
        train: does the work for some settings; runs in a thread.
    """

    def __init__(self, train: Callable[[LabSettings, Cancel], None]) -> None:
        self._train = train
        self._lock = threading.Lock()
        self._wanted: LabSettings | None = None
        self._cancel = threading.Event()
        self._run: Run[None] | None = None

    def want(self, settings: LabSettings) -> Run[None]:
        """Ask for the work; what is under way for older settings ends.

        Args:
            settings: of the moment.
        """
        with self._lock:
            self._wanted = settings
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
                self._train(wanted, cancel)
            except CancelledError:
                pass
            except Exception:  # the next wish must still find somebody who works
                log.exception("Live mode failed")
