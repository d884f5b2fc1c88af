"""CameraView, which takes a learner's own pictures, class by class, with the browser's camera."""

from __future__ import annotations

import io
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Any

import anywidget
import traitlets

from tl_widgets.core.errors import InputError
from tl_widgets.core.translation import _, ngettext
from tl_widgets.data.decode import UnreadableError, decode_image
from tl_widgets.widgets.shared.html import page_file, script
from tl_widgets.widgets.shared.threads import log

# Don't trust the browser: camera.js stays far below these limits, and anything above them is rejected.
MAX_SIDE = 512  # pixels
MAX_BYTES = 1_000_000  # per picture; a PNG of noise has 0.8 MB
MAX_PER_SECOND = 10
MAX_PICTURES = 2_000
MAX_NAME = 60  # characters


class CameraView(anywidget.AnyWidget):
    """A live picture, a field for the class and a button. Without a camera, it explains what to do.

        CameraView(lambda name, picture: Path(name, ...).write_bytes(picture))

    Attributes:
        class_names: suggestions in the class field.
        class_name: the class in the field; "" to let the user say it.
        asks_class: whether pictures belong to classes; False leaves the field out, and takes one picture at a time.
        enabled: whether pictures can be taken; False switches the camera off.

    Args:
        on_picture: called with the class name ("" if it isn't asked for) and a picture's file (JPEG or PNG, at most
            512 pixels a side, which `decode_image` can read). The message of an `InputError` that it raises appears
            below the button.
        class_names: initial suggestions in the class field.
        asks_class: the attribute.
    """

    _esm = script("shared/correspondence", "images/camera")
    _css = page_file("images/camera.css")
    class_names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    class_name = traitlets.Unicode().tag(sync=True)
    asks_class = traitlets.Bool(True).tag(sync=True)
    enabled = traitlets.Bool(True).tag(sync=True)

    def __init__(
        self, on_picture: Callable[[str, bytes], None], class_names: Iterable[str] = (), *, asks_class: bool = True
    ) -> None:
        self._on_picture = on_picture
        self._counts: Counter[str] = Counter()
        self._times: deque[float] = deque(maxlen=MAX_PER_SECOND)
        super().__init__(class_names=list(class_names), asks_class=asks_class)
        self.on_msg(self._on_message)

    def __repr__(self) -> str:
        return _("CameraView: pictures from the browser's camera (needs a live notebook)")

    @property
    def counts(self) -> dict[str, int]:
        """The number of pictures kept, by class."""
        return dict(self._counts)

    def start(self) -> None:
        """Switch the camera on in the browser, which may ask the user for permission."""
        self.send({"do": "start"})

    def stop(self) -> None:
        """Switch the camera off."""
        self.send({"do": "stop"})

    def _on_message(self, _unused: Any, content: Any, buffers: Any) -> None:
        """Process a message from the browser and answer it; a burst waits for each answer."""
        kept, text = False, ""
        try:
            name = self._keep(content, buffers)
            n, kept = self._counts[name], True
            text = ngettext("{name}: {n:,} picture taken.", "{name}: {n:,} pictures taken.", n, name=name)
            text = text if name else _("Taken.")
        except InputError as error:
            text = str(error)
        except Exception as error:
            log.exception("a picture of the camera could not be kept")
            text = _("The picture could not be kept: {name}: {error}", name=type(error).__name__, error=error)
        number = content.get("number") if isinstance(content, dict) else None
        self.send({"number": number, "kept": kept, "text": text})

    def _keep(self, content: Any, buffers: Any) -> str:
        self._require_ready()
        if not isinstance(content, dict) or not isinstance(buffers, list | tuple) or len(buffers) != 1:
            raise InputError(_("The browser sent something that is not a picture. Reload the page and try again."))
        name = checked_name(content.get("name")) if self.asks_class else ""
        picture = bytes(buffers[0])
        _check_picture(picture)
        self._on_picture(name, picture)
        self._counts[name] += 1
        return name

    def _require_ready(self) -> None:
        if not self.enabled:
            raise InputError(_("The Lab is busy. Wait until it has finished, then take the picture again."))
        if self._counts.total() >= MAX_PICTURES:
            raise InputError(
                _(
                    "The camera has taken {max_pictures:,} pictures, the maximum. Upload pictures instead.",
                    max_pictures=MAX_PICTURES,
                )
            )
        now = time.monotonic()
        too_fast = len(self._times) == MAX_PER_SECOND and now - self._times[0] < 1
        self._times.append(now)
        if too_fast:
            raise InputError(
                _(
                    "The pictures arrive too fast: the maximum is {max_per_second} per second. Try again.",
                    max_per_second=MAX_PER_SECOND,
                )
            )


def checked_name(name: object) -> str:
    """Return a class name that can be shown and can name a folder, without extra spaces."""
    text = " ".join(name.split()) if isinstance(name, str) else ""
    if not text:
        raise InputError(_("Give the class a name first: what is in the picture?"))
    if len(text) > MAX_NAME:
        raise InputError(
            _(
                "A class name can have at most {max_name} letters; this one has {n_text}.",
                max_name=MAX_NAME,
                n_text=len(text),
            )
        )
    if not text.isprintable() or set(text) & set("/\\") or text.startswith("."):
        raise InputError(_('A class name can become a folder name: leave out "/", "\\" and a dot at the beginning.'))
    return text


def _check_picture(picture: bytes) -> None:
    """Raise `InputError` unless the picture is a readable JPEG or PNG within `MAX_SIDE` and `MAX_BYTES`."""
    from PIL import Image

    if len(picture) > MAX_BYTES:
        raise InputError(
            _(
                "The picture has {n_picture:,} bytes; the maximum is {max_bytes:,}.",
                n_picture=len(picture),
                max_bytes=MAX_BYTES,
            )
        )
    try:
        with Image.open(io.BytesIO(picture), formats=("JPEG", "PNG")) as image:
            width, height = image.size  # from the header, before decoding
    except Exception as error:  # a damaged file can fail with any error
        raise InputError(_("The browser sent neither a JPEG nor a PNG. Upload pictures instead.")) from error
    if max(width, height) > MAX_SIDE:
        raise InputError(
            _(
                "The picture has {width:,} x {height:,} pixels; the maximum is {max_side} x {max_side}.",
                width=width,
                height=height,
                max_side=MAX_SIDE,
            )
        )
    try:
        decode_image(picture, 32)
    except UnreadableError as error:
        raise InputError(_("The picture cannot be used: {error}. Take it again.", error=error)) from error
