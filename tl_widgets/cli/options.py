"""Settings as options of the command line: name, type, default and help come from their declaration."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from tl_widgets.core.config import ImageSettings
from tl_widgets.core.errors import InputError
from tl_widgets.core.settings import Choice, Flag, Name, Part, Real, Setting, Several, Whole, settings_of

Add = Callable[..., Any]

# How large the images are is up to the data, unless somebody says it.
IMAGE_OPTIONS = tuple(
    replace(setting, default=None, none="96 for built-in images, else 128") if name == "image_size" else setting
    for name, setting in settings_of(ImageSettings).items()
)


def add_options(add: Add, settings: Iterable[Setting]) -> None:
    """Add an option for every setting that the command line has.

    Args:
        add: `add_argument` of a parser or of a group.
        settings: their declarations, from `settings_of` or `flat_settings`.
    """
    for setting in settings:
        if setting.option != "":
            _add_option(add, setting)


def _add_option(add: Add, setting: Setting) -> None:
    text = setting.help[:1].lower() + setting.help[1:]
    if isinstance(setting.kind, Flag):
        name = f"--no-{_hyphens(setting)}" if setting.default else option_of(setting)
        action = "store_false" if setting.default else "store_true"
        add(name, dest=setting.name, action=action, help=f"without: {text}" if setting.default else text)
        return
    kind = setting.kind
    # Argparse would take a percent sign for one of its own.
    text = f"{text}{_allowed(setting)} (default: {_shown(setting)})".replace("%", "%%")
    more: dict[str, Any] = {} if setting.bare is None else {"nargs": "?", "const": setting.bare}
    add(option_of(setting), dest=setting.name, type=_parser(setting), default=setting.default, metavar=_metavar(kind),
        help=text, **more)  # fmt: skip


def _allowed(setting: Setting) -> str:
    """Return what may be typed, where the metavariable does not say it."""
    match setting.kind:
        case Choice() as choice:
            options = [setting.none if value is None else str(value) for _, value in choice.listed()]
            return f": {', '.join(options)}{', or a file' if choice.or_file else ''}"
        case Name(listed_by=command) if command:
            return f"; see `tl-widgets {command}`"
        case Several(example=example):
            return f", such as {example}"
    return ""


def _hyphens(setting: Setting) -> str:
    return setting.option or setting.name.replace("_", "-")


def option_of(setting: Setting) -> str:
    """Return the option of a setting: "--batch-size"."""
    return f"--{_hyphens(setting)}"


def _shown(setting: Setting) -> str:
    value = setting.default
    if value is None:
        return setting.none
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _metavar(kind: object) -> str:
    if isinstance(kind, Several):
        return f"{_metavar(kind.kind)},{_metavar(kind.kind)}"
    if isinstance(kind, Whole | Real):
        return "N" if isinstance(kind, Whole) else "X"
    return "NAME"


def _parser(setting: Setting) -> Callable[[str], Any]:
    """Return a function that reads what somebody typed; the range is checked when the settings are made."""

    def parse(text: str) -> Any:
        if setting.none and text == setting.none:
            return None
        assert not isinstance(setting.kind, Part)  # its settings stand in its place
        try:
            return setting.kind.parse(text)
        except InputError as error:
            data = f"; if that is the data, write it before {option_of(setting)}" if setting.bare is not None else ""
            raise ArgumentTypeError(f"{error}{data}") from None

    return parse


def read_options(args: Namespace, settings: Iterable[Setting]) -> dict[str, Any]:
    """Return what was asked for, by the settings' names; a setting without an option has its default.

    Args:
        args: what argparse read.
        settings: as `add_options` received them.
    """
    return {setting.name: getattr(args, setting.name, setting.default) for setting in settings}
