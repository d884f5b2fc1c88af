"""UploadView: files of any size from whoever sits before the browser, in parts that every server lets through."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from tl_widgets.collections.storage import Incoming, require_size
from tl_widgets.core.errors import InputError
from tl_widgets.widgets.shared.html import page_file
from tl_widgets.widgets.shared.threads import log

# A browser is outside input: upload.js sends a million bytes at a time, and what goes beyond is refused.
MAX_PART_BYTES = 2_000_000
_PATIENCE = 600  # seconds without a word, after which an upload is given up: its page was closed
_QUIET = 15  # seconds without a word, after which another page may begin
_BAD = "The browser sent something that is no upload. Reload the page and try again."


class UploadView(anywidget.AnyWidget):
    """A button that opens the browser's file dialogue, a place to drop files onto, and what is left with Cancel.

        UploadView(lambda goal, incoming: ..., label="Upload a zip", accept=".zip")

    Each part waits for the answer to the one before, so that neither side holds more than one in memory.

    Attributes:
        enabled: whether an upload can begin now; one that has begun waits at its end until the next can.
        missing: what to do before files can be chosen; "" if nothing.
        goal: what the files are for, as the app likes to know it; the one when they were chosen is handed on.

    Args:
        on_files: called with the goal and the files when all of them are there. It closes them, at once or later.
        label: of the button.
        hint: what stands beside it.
        accept: the kinds of files that the dialogue shows, as in HTML.
        most: how many may come at a time.
        max_bytes: of one file.
        kind: what to call one file: "zip".
    """

    _esm = page_file("shared/correspondence.js") + page_file("shared/upload.js")
    _css = page_file("shared/upload.css")
    label = traitlets.Unicode().tag(sync=True)
    hint = traitlets.Unicode().tag(sync=True)
    accept = traitlets.Unicode().tag(sync=True)
    kind = traitlets.Unicode("file").tag(sync=True)
    most = traitlets.Int(1).tag(sync=True)
    enabled = traitlets.Bool(True).tag(sync=True)
    missing = traitlets.Unicode().tag(sync=True)
    goal = traitlets.Unicode()

    def __init__(self, on_files: Callable[[str, Incoming], object], *, max_bytes: int, **facts: object) -> None:
        self._on_files, self._max_bytes = on_files, max_bytes
        self._incoming: Incoming | None = None
        self._token = self._goal_then = ""
        self._heard = 0.0
        super().__init__(**facts)
        self.on_msg(self._hear)

    def __repr__(self) -> str:
        return f"UploadView: {self.label} (needs a live notebook)"

    def close(self) -> None:
        """Take the widget away; half an upload goes with it."""
        self._drop()
        super().close()

    def _hear(self, _: Any, content: Any, buffers: Any) -> None:
        """Take a message of the browser, and answer it: the next part waits for the answer."""
        said, waits = "", False
        message = content if isinstance(content, dict) else {}
        try:
            waits = self._take(message, buffers if isinstance(buffers, list | tuple) else ())
        except InputError as error:
            said = str(error)
        except Exception as error:
            log.exception("an upload could not be taken")
            said = f"The upload could not be kept: {type(error).__name__}: {error}"
        if said and message.get("upload") == self._token:
            self._drop()
        self.send({"number": message.get("number"), "text": said, "waits": waits})

    def _take(self, message: dict[str, Any], buffers: Any) -> bool:
        """Do what a message asks for; true if it has to be asked again later.

        Raises:
            InputError: it cannot be done; the upload has ended.
        """
        step, token = message.get("step"), message.get("upload")
        if not isinstance(token, str) or not 0 < len(token) <= 40:
            raise InputError(_BAD)
        if step == "begin":
            self._begin(token, message.get("files"))
            return False
        if step == "cancel":
            if token == self._token:
                self._drop()
            return False
        if self._incoming is None or self._incoming.ended.is_set() or token != self._token:
            raise InputError("This upload has ended: choose the files again.")
        self._heard = time.monotonic()
        if step == "part":
            self._add(self._incoming, message.get("file"), message.get("start"), buffers)
            return False
        if step != "end":
            raise InputError(_BAD)
        return self._end(self._incoming)

    def _begin(self, token: str, files: Any) -> None:
        if not self.enabled or self.missing:
            raise InputError(self.missing or "The Lab is busy: wait until it has ended, then choose the files again.")
        if self._incoming is not None and time.monotonic() - self._heard < _QUIET:
            raise InputError("Another upload goes on here, on another page perhaps: wait until it has ended.")
        if not isinstance(files, list) or not all(_is_file(each) for each in files):
            raise InputError(_BAD)
        if not 0 < len(files) <= self.most:
            raise InputError(f"{len(files):,} files came; choose {self.most:,} at most.")
        for name, size in files:
            require_size(name, size, self._max_bytes, self.kind)
        self._drop()  # one whose page has gone
        # Half a surrogate pair is no text; no browser sends one.
        self._incoming = Incoming([(name.encode("utf-8", "replace").decode(), size) for name, size in files])
        self._token, self._goal_then = token, self.goal
        self._heard = time.monotonic()
        threading.Thread(target=self._watch, args=(self._incoming,), name="tl_widgets-upload", daemon=True).start()

    def _add(self, incoming: Incoming, index: Any, start: Any, buffers: Any) -> None:
        if type(index) is not int or type(start) is not int or len(buffers) != 1:
            raise InputError(_BAD)
        data = memoryview(buffers[0])
        if data.nbytes > MAX_PART_BYTES:
            raise InputError(_BAD)
        incoming.add(index, start, data.cast("B"))

    def _end(self, incoming: Incoming) -> bool:
        incoming.files()  # raises unless they are whole
        if not self.enabled:
            return True
        self._incoming, self._token = None, ""
        try:
            self._on_files(self._goal_then, incoming)
        except BaseException:
            incoming.close()
            raise
        return False

    def _drop(self) -> None:
        """Remove what has come of an upload."""
        incoming, self._incoming, self._token = self._incoming, None, ""
        if incoming is not None:
            incoming.close()

    def _watch(self, incoming: Incoming) -> None:
        """Give an upload up of which nothing has been heard for long."""
        while not incoming.ended.wait(_PATIENCE / 10) and self._incoming is incoming:
            if time.monotonic() - self._heard > _PATIENCE:
                incoming.close()


def _is_file(facts: Any) -> bool:
    """Whether it is [name, size]; the name may be anything, as it names nothing until `safe_name` has seen it."""
    return (
        isinstance(facts, list)
        and len(facts) == 2
        and isinstance(facts[0], str)
        and len(facts[0]) <= 4_000
        and type(facts[1]) is int
        and 0 <= facts[1] < 10**15
    )
