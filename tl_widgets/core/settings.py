"""A setting, declared once: the command line, the forms in JupyterLab, validation, help and records read it from here.

A class of settings is a frozen dataclass whose fields are made by `setting`:

    @dataclass(frozen=True)
    class Times(Settings):
        epochs: int = setting(10, Whole(1, 10_000), "Epochs", "Passes over the training images.")

A setting may be a part with settings of its own, as the network of a Config is. Forms and the command line see them
all in one row, by name: `flat_settings`, `flat_values` and `with_flat_values`. This module knows no setting by name, no
widget and no command line.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

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
    """What everybody who shows, reads or checks a setting needs to know.

    Attributes:
        name: of the dataclass's field.
        default: its first value.
        kind: which values are allowed.
        label: on the form, two words or so; empty if it has no field on a form.
        help: a sentence: the tooltip, and the option's help.
        unit: of a number, such as "pixels"; empty for none.
        group: under which heading it stands on a form and in `--help`.
        live: whether Live mode follows it: it changes the transfer model's head only.
        option: of the command line, where it is not the name with hyphens; empty if the command line has none.
        none: what None means, such as "all"; empty if None is not allowed.
        bare: the value of an option that stands alone, as in `--fine-tune`; None if a value must follow it.
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
    bare: Any = None

    def check(self, value: object) -> Any:
        """Return `value` in its proper type.

        Raises:
            InputError: it is not allowed; the message names the setting and what is allowed.
        """
        return None if value is None and self.none else self.kind.check(self.name, value)


def setting(
    default: Any,
    kind: Kind,
    label: str,
    help: str,  # noqa: A002 - what argparse calls it, too
    *,
    unit: str = "",
    group: str = "",
    live: bool = False,
    option: str | None = None,
    none: str = "",
) -> Any:
    """Declare a field of a dataclass as a setting; the arguments are those of `Setting`."""
    declared = Setting("", default, kind, label, help, unit, group, live, option, none)
    return dataclasses.field(default=default, metadata={_KEY: declared})


def settings_of(kind: type) -> dict[str, Setting]:
    """Return the settings that a dataclass declares, by name, in their order."""
    fields = (field for field in dataclasses.fields(kind) if _KEY in field.metadata)
    return {field.name: dataclasses.replace(field.metadata[_KEY], name=field.name) for field in fields}


class Settings:
    """Base of a frozen dataclass of settings: checks every declared field when it is made."""

    def __post_init__(self) -> None:
        for name, declared in settings_of(type(self)).items():
            # A frozen dataclass sets its own fields only in this way.
            object.__setattr__(self, name, declared.check(getattr(self, name)))

    @property
    def values(self) -> dict[str, Any]:
        """Every value by its setting's name in `flat_settings`."""
        return flat_values(self)

    def with_values(self, values: Mapping[str, Any]) -> Self:
        """Return a copy with some values changed.

        Args:
            values: by their settings' names, as in `values`.

        Raises:
            InputError: there is no such setting, or a value is not allowed.
        """
        return with_flat_values(self, values)


def same_setting(kind: type, name: str, /, **changes: Any) -> Any:
    """Declare a field as the setting of another dataclass, with its label, help, kind and so on.

    Args:
        kind: the other dataclass.
        name: of its field.
        changes: attributes of `Setting` that are different here, such as `default=5`.
    """
    declared = dataclasses.replace(settings_of(kind)[name], **changes)
    return dataclasses.field(default=declared.default, metadata={_KEY: declared})


def flat_settings(kind: type) -> dict[str, Setting]:
    """Return every setting that a form shows, by name: those of a part stand in its place."""
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


SomeSettings = TypeVar("SomeSettings")


def with_flat_values(settings: SomeSettings, values: Mapping[str, Any]) -> SomeSettings:
    """Return a copy of settings with some values changed.

    Args:
        settings: an instance of a dataclass of settings.
        values: by their names in `flat_settings`.

    Raises:
        InputError: there is no setting of such a name, or a value is not allowed.
    """
    known = flat_settings(type(settings))
    unknown = [name for name in values if name not in known]
    if unknown:
        raise InputError(f"There is no setting {unknown[0]!r}; there are {', '.join(known)}.")
    fields: dict[str, Any] = {}
    for name, declared in settings_of(type(settings)).items():
        part = declared.kind
        if not isinstance(part, Part):
            fields |= {name: values[name]} if name in values else {}
        elif part.count:
            if part.count_name in values:
                fields[name] = _counted(part, getattr(settings, name), values[part.count_name])
        else:
            inner = {key: value for key, value in values.items() if key in flat_settings(part.kind)}
            fields |= {name: with_flat_values(getattr(settings, name), inner)} if inner else {}
    return dataclasses.replace(settings, **fields)  # type: ignore[type-var]  # every class of settings is a dataclass


def _counted(part: Part, now: Any, number: Any) -> Any:
    """Return a part with another count; None for 0."""
    if number == 0 and not isinstance(number, bool):
        return None
    return dataclasses.replace(part.kind() if now is None else now, **{part.count: number})
