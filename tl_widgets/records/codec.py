"""Conversion of frozen dataclasses to JSON and back.

cattrs does most of the work. This module adds NaN as text, strict types, and errors that a learner can understand.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

from tl_widgets.core.errors import InputError
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _, in_english
from tl_widgets.records.kinds import Marks, Text, check_real, check_text, check_whole, read_marks, write_marks

if TYPE_CHECKING:
    from cattrs import Converter

FORMAT = 1
_NOT_FINITE = ("nan", "inf", "-inf")
_ANY_TEXT = Text()
_NAMES = {
    bool: _("true or false"),
    int: _("a whole number"),
    float: "a number",
    str: "text",
    dict: _("an object"),
    list: "a list",
}

Record = TypeVar("Record")


def dump(plain: dict[str, Any]) -> str:
    """Return the result of `to_plain` as JSON text."""
    return json.dumps(plain, indent=1, allow_nan=False)


def load(text: str) -> dict[str, Any]:
    """Parse JSON text that holds an object.

    Raises:
        InputError: The text doesn't hold one; the message is a clause that says why.
    """
    if not isinstance(text, str | bytes | bytearray):
        raise InputError(_("it is {text}, not text", text=shown(text, 60)))
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(_("it isn't valid JSON: line {line} can't be parsed", line=error.lineno)) from None
    except RecursionError:
        raise InputError(_("its brackets are nested too deeply")) from None
    except ValueError:
        raise InputError(_("it holds a number with thousands of digits")) from None
    if not isinstance(value, dict):
        raise InputError(_("it is valid JSON, but it isn't a record"))
    return value


def to_plain(record: Any) -> dict[str, Any]:
    """Return a frozen dataclass as dictionaries, lists, numbers and text.

    Fields with `compare=False`, such as a trained model, are left out. NaN and infinities become text, and translated
    text is English again.
    """
    return cast("dict[str, Any]", _plain_values(_converter().unstructure(record)))


def from_plain(kind: type[Record], plain: Any) -> Record:
    """Build a record of class `kind` from the result of `to_plain`.

    A missing field gets its default, so records of older versions can be read.

    Raises:
        InputError: Something doesn't fit; the message is a clause that says what, and where.
    """
    try:
        return _converter().structure(plain, kind)
    except RecursionError:
        raise InputError(_("its brackets are nested too deeply")) from None
    except Exception as error:  # cattrs groups errors of any kind
        raise InputError(_first_problem(error)) from None


def _plain_values(value: Any) -> Any:
    if isinstance(value, float) and value - value != 0:
        return str(value)
    if isinstance(value, dict):
        return {in_english(name): _plain_values(item) for name, item in value.items()}
    if isinstance(value, str):
        return in_english(value)
    return [_plain_values(item) for item in value] if isinstance(value, list | tuple) else value


@cache
def _converter() -> Converter:
    """Return a converter that is strict about types; cattrs is imported on first use."""
    from cattrs import Converter
    from cattrs.cols import homogenous_tuple_structure_factory
    from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

    converter = Converter()
    converter.register_structure_hook(bool, lambda value, kind: _require(kind, value))
    converter.register_structure_hook(int, lambda value, _: check_whole(_require(int, value), None))
    converter.register_structure_hook(float, lambda value, _: check_real(_number(value), None))
    converter.register_structure_hook(str, lambda value, _: check_text(_require(str, value), _ANY_TEXT))

    @converter.register_structure_hook_factory(lambda kind: _is_a(kind, Annotated))
    def read_kind(kind: Any) -> Any:
        plain, declared = get_args(kind)  # of records.kinds
        if isinstance(declared, Marks):
            return lambda value, _: read_marks(value)
        if plain is float:
            return lambda value, _: check_real(_number(value), declared)
        check: Any = check_whole if plain is int else check_text
        return lambda value, _: check(_require(plain, value), declared)

    def left_out(kind: type) -> dict[str, Any]:
        return {field.name: override(omit=True) for field in fields(kind) if not field.compare}

    def keep_kinds(kind: type) -> None:
        hints = get_type_hints(kind, include_extras=True)  # cattrs would drop what `Annotated` adds
        for field in fields(kind):
            field.type = hints[field.name]

    @converter.register_unstructure_hook_factory(lambda kind: _is_a(kind, Annotated) and Marks() in get_args(kind))
    def write_kind(_: Any) -> Any:
        return write_marks

    @converter.register_unstructure_hook_factory(is_dataclass)
    def write(kind: type) -> Any:
        keep_kinds(kind)
        return make_dict_unstructure_fn(kind, converter, **left_out(kind))

    @converter.register_structure_hook_factory(is_dataclass)
    def read(kind: type) -> Any:
        keep_kinds(kind)
        build: Any = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True, **left_out(kind))
        return lambda value, kind: build(_require(dict, value), kind)

    @converter.register_structure_hook_factory(lambda kind: _is_a(kind, Literal))
    def read_choice(kind: Any) -> Any:
        return lambda value, _: _require_choice(get_args(kind), value)

    @converter.register_structure_hook_factory(lambda kind: _is_a(kind, tuple))
    def read_tuple(kind: Any) -> Any:
        arms = get_args(kind)
        if arms[-1] is Ellipsis:
            build = homogenous_tuple_structure_factory(kind, converter)
            return lambda value, kind: build(_require(list, value), kind)
        # Tuples of a fixed length hold only numbers or text, so an error needs no index.
        return lambda value, _: tuple(
            converter.structure(item, arm) for item, arm in zip(_require(list, value), arms, strict=True)
        )

    return converter


def _is_a(kind: object, origin: object) -> bool:
    return get_origin(kind) is origin


def _require(kind: type, value: Any) -> Any:
    # In Python True is an int, but it isn't a number of epochs.
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"is {value!r:.60}, not {_NAMES[kind]}")
    return value


def _require_choice(choices: tuple[Any, ...], value: Any) -> Any:
    if value not in choices:
        raise TypeError(f"is {value!r:.60}, not one of {', '.join(map(repr, choices))}")
    return value


def _number(value: Any) -> float:
    if value in _NOT_FINITE:
        return float(value)
    if isinstance(value, bool | str) or not isinstance(value, int | float):
        raise TypeError(f"is {value!r:.60}, not {_NAMES[float]}")
    return float(check_whole(value, None)) if isinstance(value, int) else value


def _first_problem(error: BaseException, where: str = "") -> str:
    """Return cattrs's first error: "config.epochs is 'many', not a whole number"."""
    notes = getattr(error, "__notes__", ())
    for note in notes:
        if (name := getattr(note, "name", None)) is not None:
            where = f"{where}.{name}" if where else name
        elif (index := getattr(note, "index", None)) is not None:
            where = f"{where}[{index}]"
    if isinstance(error, BaseExceptionGroup):
        return _first_problem(error.exceptions[0], where)
    if isinstance(error, KeyError):
        return f"{where or 'it'} is missing"
    if extra := getattr(error, "extra_fields", None):
        return f"{where or 'it'} has unknown fields: {', '.join(sorted(map(str, extra)))}"[:200]
    text = str(error)
    return (f"{where or 'it'} {text}" if text.startswith("is ") else f"{where}: {text}" if where else text)[:200]
