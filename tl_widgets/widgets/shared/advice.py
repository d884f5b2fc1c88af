"""What to lower when a run would take long; both apps say it the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol, Self, TypeVar

from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import rough_duration
from tl_widgets.core.settings import Setting, Several
from tl_widgets.core.translation import _

_LONG = 120  # seconds
# The values that are worth trying in place of larger ones, mildest first.
_LOWER = {
    "n_per_class": (100, 50, 20, 10),
    "epochs": (20, 10, 5),
    "more_epochs": (10, 5, 3),
    "image_size": (128, 96, 64),
    "folds": (5, 2),
    "repeats": (5, 3, 2, 1),
    "augment": (1, 0),
}


class Adjustable(Protocol):
    """The settings of an app."""

    @property
    def values(self) -> Mapping[str, Any]:
        """The value of every control, by name."""

    def with_values(self, values: Mapping[str, Any]) -> Self:
        """Return a copy with other values of some controls."""


SettingsT = TypeVar("SettingsT", bound=Adjustable)


def what_to_lower(
    settings: SettingsT,
    seconds: Callable[[SettingsT], float | None],
    controls: Iterable[Setting],
    *,
    most_per_class: int,
    least_size: int,
) -> str:
    """Say which change of one control saves most time; "" if the run takes less than two minutes.

    Args:
        settings: the settings of the run.
        seconds: returns the estimated seconds of a run, or None for impossible settings.
        controls: those that may be changed.
        most_per_class: training images per class, where None means all.
        least_size: smallest image size in pixels.
    """
    now = seconds(settings)
    if now is None or now <= _LONG:
        return ""
    options: list[tuple[float, str, str]] = []
    for control in controls:
        best = None
        for value in _lower_values(control.name, settings.values[control.name], most_per_class, least_size):
            try:
                after = seconds(settings.with_values({control.name: value}))
            except InputError:  # this app doesn't allow the value
                continue
            if after is not None:
                best = after, control.label, _value_text(control, value)
                if after <= _LONG:
                    break
        options += [best] if best else []
    if not options:
        return ""
    after, label, value = min(options)
    if after > 0.8 * now:
        return ""
    return _(
        "about {now}: lower {label} to {value} for {after}",
        now=rough_duration(now),
        label=label,
        value=value,
        after=rough_duration(after),
    )


def _lower_values(name: str, now: Any, most_per_class: int, least_size: int) -> Iterator[Any]:
    """Yield smaller values of a setting, mildest first; of several sizes or seeds, the first ones."""
    if name in ("sizes", "seeds"):
        yield from (now[:n] for n in range(len(now) - 1, 0, -1))
    most = most_per_class if name == "n_per_class" and now is None else now
    least = least_size if name == "image_size" else 0
    yield from (value for value in _LOWER.get(name, ()) if least <= value < most)


def _value_text(control: Setting, value: Any) -> str:
    if not isinstance(control.kind, Several):
        return str(value)
    return str(len(value)) if control.kind.count_to else ", ".join(map(str, value))
