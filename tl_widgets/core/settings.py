"""Declare a setting once: for command line, forms, validation, help and records.

A class of settings is a frozen dataclass whose fields are made by `setting`:

    @dataclass(frozen=True)
    class Times(Settings):
        epochs: int = setting(10, Whole(1, 10_000), "Epochs", "Passes over the training images.")

A setting may be a part that has settings itself, such as the network of a Config. Forms and the command line use all
settings in one flat list: `flat_settings`, `flat_values` and `with_flat_values`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self, TypeVar

from tl_widgets.core.arguments import checked
from tl_widgets.core.errors import InputError
from tl_widgets.core.setting_kinds import (
    Choice,
    Flag,
    Kind,
    Name,
    Part,
    Real,
    Several,
    Whole,
    real_number,
    whole_number,
)
from tl_widgets.core.translation import _

__all__ = [
    "Choice",
    "Flag",
    "Kind",
    "Name",
    "Part",
    "Real",
    "Setting",
    "Settings",
    "Several",
    "Whole",
    "flat_settings",
    "flat_values",
    "real_number",
    "same_setting",
    "setting",
    "settings_of",
    "whole_number",
    "with_flat_values",
]

_KEY = "setting"


@dataclass(frozen=True)
class Setting:
    """Everything that is needed to show, parse and check a setting.

    Attributes:
        name: name of the dataclass's field.
        default: initial value.
        kind: which values are allowed.
        label: short label on a form; empty if no form shows the setting.
        help: a sentence for the tooltip and the command line's help.
        unit: unit of a number, such as "pixels"; may be empty.
        group: heading on a form and in `--help`.
        transfer_only: whether it leaves the network from scratch as it is.
        sets_pace: whether the seconds of a training step depend on it, rather than the number of steps.
        live: whether Live mode reacts to it, because it changes only the transfer model's head.
        option: command-line option, if it isn't the name with hyphens; empty if the command line has none.
        none: what None means, such as "all"; empty if None is not allowed.
        bare: value of the option without an argument, as in `--fine-tune`; None if it needs an argument.
    """

    name: str
    default: Any
    kind: Kind
    label: str
    help: str
    unit: str = ""
    group: str = ""
    live: bool = False
    option: str | None = None
    none: str = ""
    transfer_only: bool = False
    sets_pace: bool = False
    bare: Any = None

    def check(self, value: object) -> Any:
        """Return `value` in its proper type, or raise InputError."""
        return None if value is None and self.none else self.kind.check(self.name, value)


def setting(
    default: Any,
    kind: Kind,
    label: str,
    help: str,  # noqa: A002 - as in argparse
    *,
    unit: str = "",
    group: str = "",
    live: bool = False,
    option: str | None = None,
    none: str = "",
    transfer_only: bool = False,
    sets_pace: bool = False,
) -> Any:
    """Declare a dataclass's field as a setting, with the arguments of `Setting`."""
    declared = Setting("", default, kind, label, help, unit, group, live, option, none, transfer_only, sets_pace)
    return dataclasses.field(default=default, metadata={_KEY: declared})


_known: dict[type, Mapping[str, Setting]] = {}  # a form asks hundreds of times


def settings_of(kind: type) -> Mapping[str, Setting]:
    """Return the settings that a dataclass declares, by name, in order."""
    if kind not in _known:
        fields = (field for field in dataclasses.fields(kind) if _KEY in field.metadata)
        found = {field.name: dataclasses.replace(field.metadata[_KEY], name=field.name) for field in fields}
        _known[kind] = MappingProxyType(found)
    return _known[kind]


class Settings:
    """Base of frozen dataclasses of settings; creating one checks all its fields."""

    def __post_init__(self) -> None:
        for name, declared in settings_of(type(self)).items():
            # A frozen dataclass can set its fields only this way.
            object.__setattr__(self, name, declared.check(getattr(self, name)))

    @property
    def values(self) -> dict[str, Any]:
        """All values by their settings' names, including those of nested settings."""
        return flat_values(self)

    @checked
    def with_values(self, values: Mapping[str, Any]) -> Self:
        """Return a copy with some values changed, by the names that the property `values` has."""
        return with_flat_values(self, values)


def same_setting(kind: type, name: str, /, **changes: Any) -> Any:
    """Declare a field like the setting `name` of `kind`, with some changes."""
    declared = dataclasses.replace(settings_of(kind)[name], **changes)
    return dataclasses.field(default=declared.default, metadata={_KEY: declared})


def flat_settings(kind: type) -> dict[str, Setting]:
    """Return every setting that a form shows; the settings of a part replace it."""
    flat: dict[str, Setting] = {}
    for name, declared in settings_of(kind).items():
        part = declared.kind
        if not isinstance(part, Part):
            flat[name] = declared
        elif part.count:
            inner = settings_of(part.kind)[part.count]
            assert isinstance(inner.kind, Whole)
            default = 0 if declared.default is None else getattr(declared.default, part.count)
            flat[part.count_name] = dataclasses.replace(
                declared,
                name=part.count_name,
                default=default,
                kind=dataclasses.replace(inner.kind, low=0),
                none="",
                bare=inner.default,
            )
        else:
            flat |= flat_settings(part.kind)
    return flat


def flat_values(settings: Any) -> dict[str, Any]:
    """Return the value of every setting that `flat_settings` names."""
    flat: dict[str, Any] = {}
    for name, declared in settings_of(type(settings)).items():
        value, part = getattr(settings, name), declared.kind
        if not isinstance(part, Part):
            flat[name] = value
        elif part.count:
            flat[part.count_name] = 0 if value is None else getattr(value, part.count)
        else:
            flat |= flat_values(value)
    return flat


SettingsT = TypeVar("SettingsT")


def with_flat_values(settings: SettingsT, values: Mapping[str, Any]) -> SettingsT:
    """Return a copy with some values changed, by their names in `flat_settings`."""
    known = flat_settings(type(settings))
    unknown = [name for name in values if name not in known]
    if unknown:
        raise InputError(
            _("There is no setting {unknown!r}; the settings are {known}.", unknown=unknown[0], known=", ".join(known))
        )
    fields: dict[str, Any] = {}
    for name, declared in settings_of(type(settings)).items():
        part = declared.kind
        if not isinstance(part, Part):
            fields |= {name: values[name]} if name in values else {}
        elif part.count:
            if part.count_name in values:
                fields[name] = _with_count(part, getattr(settings, name), values[part.count_name])
        else:
            inner = {key: value for key, value in values.items() if key in flat_settings(part.kind)}
            fields |= {name: with_flat_values(getattr(settings, name), inner)} if inner else {}
    return dataclasses.replace(settings, **fields)  # type: ignore[type-var]  # classes of settings are dataclasses


def _with_count(part: Part, current: Any, number: Any) -> Any:
    """Return the part with another count; None for 0."""
    if number == 0 and not isinstance(number, bool):
        return None
    return dataclasses.replace(part.kind() if current is None else current, **{part.count: number})
