"""UploadView, which uploads files of any size from the browser, in parts small enough for every server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from tl_widgets.collections.storage import Incoming, require_size
from tl_widgets.core.errors import InputError
from tl_widgets.core.translation import _
from tl_widgets.widgets.shared.html import page_file, script
from tl_widgets.widgets.shared.threads import log

# Don't trust the browser: upload.js sends a million bytes at a time, and larger parts are rejected.
MAX_PART_BYTES = 2_000_000
_TIMEOUT_SECONDS = 600  # seconds without a message, after which an upload ends, as its page was probably closed
_IDLE_SECONDS = 15  # seconds without a message, after which another page may start an upload
_INVALID_MESSAGE = _("The browser sent something that is not an upload. Reload the page and try again.")


class UploadView(anywidget.AnyWidget):
    """A button for the browser's file dialog, an area to drop files onto, and the upload's progress with Cancel.

        UploadView(lambda goal, incoming: ..., max_bytes=10**9, label="Upload a zip", accept=".zip")

    The browser waits for an answer after each part, so neither side holds more than one in memory.

    Attributes:
        enabled: whether an upload can start; if False, one that is complete waits until it is True.
        missing: what the user has to do before choosing files; "" if nothing.
        goal: what the files are for; `on_files` receives its value from the start of the upload.
        label: text of the button.
        purpose: what screen readers add to the label, where several buttons have the same one.
        hint: text next to the button.
        accept: file types in the dialog, as in HTML.
        max_files: maximum number of files in an upload.
        kind: what messages call a file, such as "zip".

    Args:
        on_files: called with the goal and the complete files, which it must close, at once or later.
        max_bytes: maximum size of a file.
        facts: values of the attributes above.
    """

    _esm = script("shared/correspondence", "shared/upload")
    _css = page_file("shared/upload.css")
    label = traitlets.Unicode().tag(sync=True)
    purpose = traitlets.Unicode().tag(sync=True)
    hint = traitlets.Unicode().tag(sync=True)
    accept = traitlets.Unicode().tag(sync=True)
    kind = traitlets.Unicode(_("file"))
    max_files = traitlets.Int(1).tag(sync=True)
    enabled = traitlets.Bool(True).tag(sync=True)
    missing = traitlets.Unicode().tag(sync=True)
    goal = traitlets.Unicode()

    def __init__(self, on_files: Callable[[str, Incoming], object], *, max_bytes: int, **facts: object) -> None:
        self._on_files, self._max_bytes = on_files, max_bytes
        self._incoming: Incoming | None = None
        self._token = self._upload_goal = ""
        self._last_message_at = 0.0
        super().__init__(**facts)
        self.on_msg(self._on_message)

    def __repr__(self) -> str:
        return _("UploadView: {label} (needs a live notebook)", label=self.label)

    def close(self) -> None:
        """Close the widget, and discard an unfinished upload."""
        self._discard()
        super().close()

    def _on_message(self, _unused: Any, content: Any, buffers: Any) -> None:
        """Process a message from the browser and answer it; the browser waits for the answer."""
        text, waits = "", False
        message = content if isinstance(content, dict) else {}
        try:
            waits = self._process(message, buffers if isinstance(buffers, list | tuple) else ())
        except InputError as error:
            text = str(error)
        except Exception as error:
            log.exception("an upload could not be taken")
            text = _("The upload could not be kept: {name}: {error}", name=type(error).__name__, error=error)
        if text and message.get("upload") == self._token:
            self._discard()
        self.send({"number": message.get("number"), "text": text, "waits": waits})

    def _process(self, message: dict[str, Any], buffers: Any) -> bool:
        """Carry out a message; return True if the browser has to repeat it later."""
        step, token = message.get("step"), message.get("upload")
        if not isinstance(token, str) or not 0 < len(token) <= 40:
            raise InputError(_INVALID_MESSAGE)
        if step == "begin":
            self._begin(token, message.get("files"))
            return False
        if step == "cancel":
            if token == self._token:
                self._discard()
            return False
        if self._incoming is None or self._incoming.ended.is_set() or token != self._token:
            raise InputError(_("This upload has ended. Choose the files again."))
        self._last_message_at = time.monotonic()
        if step == "part":
            self._add(self._incoming, message.get("file"), message.get("start"), buffers)
            return False
        if step != "end":
            raise InputError(_INVALID_MESSAGE)
        return self._end(self._incoming)

    def _begin(self, token: str, files: Any) -> None:
        if not self.enabled or self.missing:
            raise InputError(
                self.missing or _("The Lab is busy. Wait until it has finished, then choose the files again.")
            )
        if self._incoming is not None and time.monotonic() - self._last_message_at < _IDLE_SECONDS:
            raise InputError(_("Another upload is in progress, perhaps on another page. Wait until it has finished."))
        if not isinstance(files, list) or not all(_is_file(file) for file in files):
            raise InputError(_INVALID_MESSAGE)
        if not 0 < len(files) <= self.max_files:
            raise InputError(
                _(
                    "Received {n_files:,} files. Choose at most {max_files:,}.",
                    n_files=len(files),
                    max_files=self.max_files,
                )
            )
        for name, size in files:
            require_size(name, size, self._max_bytes, self.kind)
        self._discard()  # an unfinished upload from a closed page
        # A lone surrogate is not valid text. No browser sends one.
        self._incoming = Incoming([(name.encode("utf-8", "replace").decode(), size) for name, size in files])
        self._token, self._upload_goal = token, self.goal
        self._last_message_at = time.monotonic()
        threading.Thread(target=self._watch, args=(self._incoming,), name="tl_widgets-upload", daemon=True).start()

    def _add(self, incoming: Incoming, index: Any, start: Any, buffers: Any) -> None:
        if type(index) is not int or type(start) is not int or len(buffers) != 1:
            raise InputError(_INVALID_MESSAGE)
        data = memoryview(buffers[0])
        if data.nbytes > MAX_PART_BYTES:
            raise InputError(_INVALID_MESSAGE)
        incoming.add(index, start, data.cast("B"))

    def _end(self, incoming: Incoming) -> bool:
        incoming.files()  # raises unless all are complete
        if not self.enabled:
            return True
        self._incoming, self._token = None, ""
        try:
            self._on_files(self._upload_goal, incoming)
        except BaseException:
            incoming.close()
            raise
        return False

    def _discard(self) -> None:
        """Discard an unfinished upload."""
        incoming, self._incoming, self._token = self._incoming, None, ""
        if incoming is not None:
            incoming.close()

    def _watch(self, incoming: Incoming) -> None:
        """End an upload that has sent no message for `_TIMEOUT_SECONDS` seconds."""
        while not incoming.ended.wait(_TIMEOUT_SECONDS / 10) and self._incoming is incoming:
            if time.monotonic() - self._last_message_at > _TIMEOUT_SECONDS:
                incoming.close()


def _is_file(facts: Any) -> bool:
    """Return whether `facts` is [name, size]; any name will do, because `safe_name` checks it before use."""
    return (
        isinstance(facts, list)
        and len(facts) == 2
        and isinstance(facts[0], str)
        and len(facts[0]) <= 4_000
        and type(facts[1]) is int
        and 0 <= facts[1] < 10**15
    )
