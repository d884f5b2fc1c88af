"""Settings as command-line options, generated from their declarations."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from tl_widgets.core.config import ImageSettings
from tl_widgets.core.errors import InputError
from tl_widgets.core.settings import Choice, Flag, Name, Part, Real, Setting, Several, Whole, settings_of
from tl_widgets.core.translation import _, language, localized
from tl_widgets.records.provenance import Columns

Add = Callable[..., Any]

# Without --image-size, the data decide how large the images are.
IMAGE_OPTIONS = tuple(
    replace(setting, default=None, none=_("96 for built-in images, else 128")) if name == "image_size" else setting
    for name, setting in settings_of(ImageSettings).items()
)


def add_options(add: Add, settings: Iterable[Setting]) -> None:
    """Add an option for each setting that has one; `add` is an `add_argument`."""
    for setting in settings:
        if setting.option != "":
            _add_option(add, setting)


def _add_option(add: Add, setting: Setting) -> None:
    text = setting.help
    if language() != "de":  # where nouns have capitals
        text = text[:1].lower() + text[1:]
    if isinstance(setting.kind, Flag):
        name = f"--no-{_option_name(setting)}" if setting.default else option_of(setting)
        action = "store_false" if setting.default else "store_true"
        add(name, dest=setting.name, action=action, help=_("without: {text}", text=text) if setting.default else text)
        return
    kind = setting.kind
    # argparse formats help texts with %.
    text = _("{text} (default: {value})", text=f"{text}{_allowed(setting)}", value=_default_text(setting))
    text = text.replace("%", "%%")
    extra: dict[str, Any] = {} if setting.bare is None else {"nargs": "?", "const": setting.bare}
    add(option_of(setting), dest=setting.name, type=_parser(setting), default=setting.default, metavar=_metavar(kind),
        help=text, **extra)  # fmt: skip


def _allowed(setting: Setting) -> str:
    """Return the allowed values, if the metavariable doesn't show them."""
    match setting.kind:
        case Choice() as choice:
            options = [setting.none if value is None else str(value) for _label, value in choice.listed()]
            names = ", ".join(options)
            return _(": {names}, or a file", names=names) if choice.or_file else f": {names}"
        case Name(listed_by=command) if command:
            return _("; see `tl-widgets {command}`", command=command)
        case Several(example=example):
            return _(", such as {example}", example=example)
    return ""


def _option_name(setting: Setting) -> str:
    return setting.option or setting.name.replace("_", "-")


def option_of(setting: Setting) -> str:
    """Return the option of a setting: "--batch-size"."""
    return f"--{_option_name(setting)}"


def _default_text(setting: Setting) -> str:
    value = setting.default
    if value is None:
        return setting.none
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return localized(f"{value:g}") if isinstance(value, float) else str(value)


def _metavar(kind: object) -> str:
    if isinstance(kind, Several):
        return f"{_metavar(kind.kind)},{_metavar(kind.kind)}"
    if isinstance(kind, Whole | Real):
        return "N" if isinstance(kind, Whole) else "X"
    return "NAME"


def _parser(setting: Setting) -> Callable[[str], Any]:
    """Return a function that parses an option; the settings check its range later."""

    def parse(text: str) -> Any:
        if setting.none and text == setting.none:
            return None
        assert not isinstance(setting.kind, Part)  # replaced by its own settings
        try:
            return setting.kind.parse(text)
        except InputError as error:
            data = (
                _("; if that is the data, write it before {option}", option=option_of(setting))
                if setting.bare is not None
                else ""
            )
            raise ArgumentTypeError(f"{error}{data}") from None

    return parse


def read_options(args: Namespace, settings: Iterable[Setting]) -> dict[str, Any]:
    """Return the values by the settings' names; without an option, the default."""
    return {setting.name: getattr(args, setting.name, setting.default) for setting in settings}


def add_column_options(add: Add) -> None:
    """Add the options for a table of labels; `add` is an `add_argument`."""
    for kind, content in (("image", _("names the image files")), ("label", _("holds the classes"))):
        add(
            f"--{kind}-column",
            metavar="NAME",
            help=_(
                "of a table of labels: the column that {content}, where the guess is wrong or unclear "
                "(default: guessed from the content)",
                content=content,
            ),
        )


def read_columns(args: Namespace) -> Columns:
    """Return the columns that were named."""
    return Columns(args.image_column, args.label_column)


def add_part_options(add: Add) -> None:
    """Add the options for folders of each part of the split; `add` is an `add_argument`."""
    add("--train", metavar="DIR", help=_("the folder with the training images, in place of DATA (with --test)"))
    add("--test", metavar="DIR", help=_("the folder with the test images"))
    add("--validation", metavar="DIR", help=_("the folder with the validation images (default: a fifth of --train)"))


def read_parts(args: Namespace) -> dict[str, str]:
    """Return the folders that were named, and put the one for training in the place of DATA."""
    parts = {name: folder for name in ("test", "validation") if (folder := getattr(args, name)) is not None}
    if args.train is None:
        if parts:
            raise InputError(_("--{next} needs --train: name the folders of all parts.", next=next(iter(parts))))
        return {}
    if args.data is not None:
        raise InputError(_("Give either DATA ({data}) or --train and --test.", data=args.data))
    if "test" not in parts:
        raise InputError(_("--train needs --test; without test images of your own, give the folder as DATA."))
    args.data = args.train
    return parts
