"""Stoppable, a slow step of TensorFlow that Stop doesn't wait for."""

from __future__ import annotations

import contextvars
import math
import threading
import time
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar

from tl_widgets.core.events import Cancel, raise_if_cancelled

_QUICK = 0.3  # seconds; a step that takes less may end by itself
_POLL = 0.02  # seconds

Arguments = ParamSpec("Arguments")
Value = TypeVar("Value")


class Stoppable(Generic[Arguments, Value]):
    """A function that is called again and again; `cancel` interrupts a call that takes long.

    TensorFlow can't interrupt a step, and one with images of 512 pixels takes many seconds. So a slow call runs in a
    thread of its own, which is left alone after a Stop: its result is dropped when it ends. The first call is slow,
    because TensorFlow traces the function; from then on the last call decides.
    """

    def __init__(self, function: Callable[Arguments, Value], cancel: Cancel | None) -> None:
        self._function, self._cancel = function, cancel
        self._seconds = math.inf

    def __call__(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Value:
        """Call the function.

        Raises:
            CancelledError: `cancel` was set before the call or during a slow one.
        """
        raise_if_cancelled(self._cancel)
        started = time.perf_counter()
        if self._cancel is None or self._seconds < _QUICK:
            value = self._function(*args, **kwargs)
        else:
            value = self._call_beside(*args, **kwargs)
        self._seconds = time.perf_counter() - started
        return value

    def _call_beside(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Value:
        values: list[Value] = []
        errors: list[BaseException] = []
        ended = threading.Event()

        def call() -> None:
            try:
                values.append(self._function(*args, **kwargs))
            except BaseException as error:  # raised below, in the caller's thread
                errors.append(error)
            finally:
                ended.set()

        context: Any = contextvars.copy_context()
        # Not a daemon: Python must not shut down in the middle of a step.
        threading.Thread(target=context.run, args=(call,), name="tl_widgets-step", daemon=False).start()
        while not ended.wait(_POLL):
            raise_if_cancelled(self._cancel)
        if errors:
            raise errors[0]
        return values[0]
