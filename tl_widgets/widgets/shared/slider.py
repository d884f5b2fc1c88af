"""Slider, a number that is dragged, moved with the arrow keys or typed, and NumberInput, one that is typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import anywidget
import traitlets

from tl_widgets.core.errors import InputError
from tl_widgets.core.settings import Real, Whole
from tl_widgets.core.translation import _
from tl_widgets.widgets.shared.html import script
from tl_widgets.widgets.shared.threads import log

_MAX_TEXT = 100  # characters; longer texts are not numbers


def _number(default: int = 0) -> Any:
    """Return a trait for a whole number, which stays an int, or any other."""
    return traitlets.Union([traitlets.Int(), traitlets.Float()], default_value=default).tag(sync=True)


class Slider(anywidget.AnyWidget):
    """A slider with a label, its limits, and its value in a number field.

        Slider("Epochs", 10, 1, 50)
        Slider("Image size", 96, stops=(32, 64, 96, 128), unit="pixels")

    The traits have the names of ipywidgets' number fields, so a form can use either. While the slider is dragged,
    `value` changes at most 15 times a second. A number typed outside the limits is rejected with a sentence.

    Attributes:
        description: the label.
        value: the number.
        min: the lower limit.
        max: the upper limit.
        step: distance between the slider's positions.
        stops: the positions, if they are not evenly spaced; the limits and the current value are among them.
        unit: shown and spoken after the number; may be empty.
        tooltip: what the number means.
        top: what the upper limit means, such as "all", which can be typed; empty if it is a number like others.
        disabled: whether it cannot be changed.
        usual_ends: the limits that it was made with.
    """

    _esm = script("shared/correspondence", "shared/keys", "shared/slider")
    description = traitlets.Unicode().tag(sync=True)
    value, min, max, step = _number(), _number(), _number(100), _number(1)
    stops = traitlets.List(_number()).tag(sync=True)
    unit = traitlets.Unicode().tag(sync=True)
    tooltip = traitlets.Unicode().tag(sync=True)
    top = traitlets.Unicode().tag(sync=True)
    disabled = traitlets.Bool().tag(sync=True)
    has_track = traitlets.Bool(True).tag(sync=True)

    def __init__(
        self,
        label: str,
        value: float,
        low: float = 0,
        high: float = 100,
        step: float = 1,
        *,
        stops: Sequence[float] = (),
        unit: str = "",
        tooltip: str = "",
    ) -> None:
        if stops:
            low, high = min(stops), max(stops)
        self.usual_ends = low, high  # the limits go back to them after a number beyond
        self._on_text: Callable[[str], object] | None = None
        super().__init__(description=label, value=value, min=low, max=high, step=step, stops=list(stops), unit=unit,
                         tooltip=tooltip)  # fmt: skip
        self.on_msg(self._on_message)

    def __repr__(self) -> str:
        return _(
            "{name}: {description} (needs a live notebook)", name=type(self).__name__, description=self.description
        )

    def on_text(self, listener: Callable[[str], object]) -> None:
        """Let a function, such as a form's, decide about every number that is typed; it receives the text."""
        self._on_text = listener

    def _on_message(self, _unused: Any, content: Any, buffers: Any) -> None:  # noqa: ARG002 - ipywidgets' signature
        text = content.get("text") if isinstance(content, dict) else None
        if not isinstance(text, str) or self.disabled:
            return
        problem = ""
        try:
            (self._on_text or self._set)(text[:_MAX_TEXT])
        except InputError as error:
            problem = f"{self.description}: {str(error).rstrip('.')}."
        except Exception as error:
            log.exception("the number %r could not be set", text[:_MAX_TEXT])
            problem = _("The number could not be set: {name}: {error}", name=type(error).__name__, error=error)
        self.send({"problem": problem})  # the page shows the value again

    def _set(self, text: str) -> None:
        """Set the value to a typed number; raise InputError if it's outside the limits."""
        if self.top and text == self.top:
            self.value = self.max
            return
        whole = all(isinstance(number, int) for number in (self.value, self.min, self.step))
        number = (Whole(0) if whole else Real(0, 0)).parse(text)
        if not self.min <= number <= self.max:
            raise InputError(
                _("Choose a number from {min:,} to {max:,}; received {text}.", min=self.min, max=self.max, text=text)
            )
        self.value = number


class NumberInput(Slider):
    """A number field with a label: a Slider without the track. Up and Down change the number by `step`.

    NumberInput("Batch size", 16, 1, 4096)
    """

    has_track = traitlets.Bool(False).tag(sync=True)
