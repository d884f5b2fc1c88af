"""Run, work in a background thread that can be stopped; LatestRequest, which drops outdated work; Relay, for Colab."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Any, Generic, Literal, TypeVar

from ipywidgets import HTML

from tl_widgets.core.errors import CancelledError
from tl_widgets.core.events import Cancel
from tl_widgets.core.translation import _
from tl_widgets.widgets.shared.html import error_alert, note

State = Literal["idle", "running", "done", "stopped", "error"]

log = logging.getLogger("tl_widgets")
Value = TypeVar("Value")
Request = TypeVar("Request")

_POLL = 0.05  # seconds


class Run(Generic[Value]):
    """Work that runs in the background.

    `await run.done()` waits for it in a notebook and lets Stop through; `run.wait()` waits in a script.

    Attributes:
        cancel: set it, or call `stop`, to end the work at its next step.
        finished: set when the work has ended for any reason.
        result: the work's return value; None until then, or if it ended early.
    """

    def __init__(self, work: Callable[[Cancel], Value | None]) -> None:
        self.cancel = threading.Event()
        self.finished = threading.Event()
        self.result: Value | None = None
        self._work = work
        start_relay()
        # In the copied context, ipykernel finds the cell that the widgets' messages belong to.
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._execute,), name="tl_widgets", daemon=True).start()

    def __repr__(self) -> str:
        # As the last line of a cell, the text must be the same in every execution.
        return _("A run in the background: `await run.done()` waits for it, `run.stop()` ends it.")

    def _execute(self) -> None:
        # Whatever goes wrong, `finally` sets the event, or else `wait` would never return.
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
        """Ask the work to end, which takes one batch at most."""
        self.cancel.set()

    def wait(self, timeout: float | None = None) -> Value | None:
        """Wait for the end, at most `timeout` seconds; an interrupt (Ctrl-C, the kernel's ■) stops the work as well."""
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            # Short waits, because a long one would not let an interrupt through.
            while not self.finished.wait(_POLL) and (deadline is None or time.monotonic() < deadline):
                _send_waiting()
            _send_waiting()
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
                _send_waiting()
            _send_waiting()
        except (asyncio.CancelledError, KeyboardInterrupt):
            self.stop()
            raise
        return self.result


def run_and_explain(work: Callable[[Cancel], Value | None], line: HTML, stopped: str = "") -> Run[Value]:
    """Run work in the background; show an error, or the text `stopped` after a stop, in `line`."""

    def go(cancel: Cancel) -> Value | None:
        try:
            return work(cancel)
        except CancelledError:
            line.value = note(stopped)
        except Exception as error:
            line.value = error_alert(error)
        return None

    return Run(go)


class LatestRequest(Generic[Request]):
    """Handles one request at a time in a thread, always the newest; a new one cancels the current work."""

    def __init__(self, work: Callable[[Request, Cancel], None]) -> None:
        self._handle = work
        self._lock = threading.Lock()
        self._request: Request | None = None
        self._cancel = threading.Event()
        self._run: Run[None] | None = None

    def submit(self, request: Request) -> Run[None]:
        """Request the work, and cancel that of an older request."""
        with self._lock:
            self._request = request
            self._cancel.set()
            if self._run is None:
                self._run = Run(self._work)
            return self._run

    def stop(self) -> None:
        """Cancel the work, and drop the request that waits."""
        with self._lock:
            self._request = None
            self._cancel.set()

    def _work(self, _: Cancel) -> None:
        while True:
            with self._lock:
                request, self._request = self._request, None
                if request is None:
                    self._run = None
                    return
                cancel = self._cancel = threading.Event()
            try:
                self._handle(request, cancel)
            except CancelledError:
                pass
            except Exception:  # this thread must survive for the next request
                log.exception("work in the background failed")


_SHOWING = ("comm_open", "comm_msg", "comm_close", "display_data", "update_display_data")  # kinds of messages


class Relay:
    """Lets the main thread send what other threads show: Google Colab and VS Code may drop a thread's own messages.

    The main thread sends whenever it's free, before it shows something itself, and while a cell waits for a run. Of the
    updates that wait for it, only the latest of each kind is kept.

    Args:
        kernel: IPython's kernel.
        loop: The event loop of its main thread.
    """

    def __init__(self, kernel: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._kernel, self._loop = kernel, loop
        self._send = kernel.session.send
        self._lock = threading.Lock()
        self._waiting: dict[Hashable, tuple[Any, ...]] = {}
        kernel.session.send = self._take

    def _take(self, stream: Any, message: Any, *args: Any, **options: Any) -> Any:
        """Stand in for the session's `send`."""
        kind = message["header"]["msg_type"] if isinstance(message, dict) else message
        if kind not in _SHOWING:
            return self._send(stream, message, *args, **options)
        if threading.current_thread() is threading.main_thread():
            self.send_waiting()
            return self._send(stream, message, *args, **options)
        content = message["content"] if isinstance(message, dict) else args[0] if args else options["content"]
        key = _replaced_by_later(kind, content)
        with self._lock:
            is_first = not self._waiting
            self._waiting.pop(key, None)
            self._waiting[key] = stream, message, args, options
        if is_first:
            with suppress(RuntimeError):  # the kernel is shutting down
                # In this thread's context, ipykernel 7 would find the cell that started the run; in an empty one, it
                # finds the last cell, which may be waiting.
                self._loop.call_soon_threadsafe(self.send_waiting, context=contextvars.Context())
        return None

    def send_waiting(self) -> None:
        """Send what waits; in the main thread."""
        while True:
            with self._lock:
                if not self._waiting:
                    return
                stream, message, args, options = self._waiting.pop(next(iter(self._waiting)))
            # An update now belongs to the cell that waits, which may be another than the one that started the run.
            parent = self._kernel.get_parent("shell")
            if not isinstance(message, dict):
                options = {**options, "parent": parent}
            elif message["header"]["msg_type"] == "update_display_data":
                message = {**message, "parent_header": parent.get("header", {})}
            try:
                self._send(stream, message, *args, **options)
            except Exception:  # those that wait behind it must arrive
                log.exception("a message could not be sent")


def _replaced_by_later(kind: str, content: dict[str, Any]) -> Hashable:
    """Return what is the same for a later message that shows the same things."""
    data = content.get("data", {})
    if kind == "comm_msg" and "state" in data:
        return (content["comm_id"], data.get("method"), *sorted(data["state"]))
    return (kind, content["transient"].get("display_id")) if kind == "update_display_data" else object()


_relay: Relay | None = None


def start_relay() -> None:
    """Relay messages from now on if this notebook needs it, which TL_WIDGETS_RELAY (1 or 0) decides if it's set."""
    global _relay
    chosen = os.environ.get("TL_WIDGETS_RELAY")
    if _relay is not None or chosen == "0" or threading.current_thread() is not threading.main_thread():
        return
    try:
        from IPython import get_ipython

        shell = get_ipython()
        # Where VS Code runs its kernels on another machine, they have only its variable with the notebook's path.
        is_vs_code = "VSCODE_PID" in os.environ or "__vsc_ipynb_file__" in shell.user_ns
        if chosen == "1" or is_vs_code or "google.colab" in sys.modules:
            _relay = Relay(shell.kernel, asyncio.get_running_loop())
    except (ImportError, AttributeError, RuntimeError):  # no kernel
        return


def _send_waiting() -> None:
    if _relay is not None and threading.current_thread() is threading.main_thread():
        _relay.send_waiting()
