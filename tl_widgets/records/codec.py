"""Records as JSON: any frozen dataclass of numbers, text, tuples and other such dataclasses, and back.

cattrs builds and takes apart the dataclasses; here stands what JSON and files from elsewhere need beside that: NaN has
no word in JSON, types must be exactly those declared, and an error is a sentence that a learner can use.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, get_args, get_origin

from tl_widgets.core.errors import InputError

if TYPE_CHECKING:
    from cattrs import Converter

FORMAT = 1
_NOT_FINITE = ("nan", "inf", "-inf")
_NAMES = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    dict: "an object",
    list: "a list",
}

Record = TypeVar("Record")


def dump(plain: dict[str, Any]) -> str:
    """Return what `to_plain` made as JSON text."""
    return json.dumps(plain, indent=1, allow_nan=False)


def load(text: str) -> dict[str, Any]:
    """Return the object that JSON text holds.

    Raises:
        InputError: with a clause that says why it holds none.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"it is no JSON: line {error.lineno} cannot be read") from None
    except RecursionError:
        raise InputError("its brackets are nested too deeply") from None
    except ValueError as error:  # a number of thousands of digits
        raise InputError(f"{error}"[:200]) from None
    if not isinstance(value, dict):
        raise InputError("it is JSON, but not a record")
    return value


def to_plain(record: Any) -> dict[str, Any]:
    """Return a record as dictionaries, lists, numbers and text.

    Fields that take no part in comparisons (a trained model) are left out; NaN and infinities become text.

    Args:
        record: a frozen dataclass.
    """
    return cast("dict[str, Any]", _without_nan(_converter().unstructure(record)))


def from_plain(kind: type[Record], plain: Any) -> Record:
    """Build a record from what `to_plain` made, or an older version of it: a field that is missing has its default.

    Args:
        kind: the record's class.
        plain: what JSON held.

    Raises:
        InputError: with a clause that says what does not fit, and where.
    """
    try:
        return _converter().structure(plain, kind)
    except RecursionError:
        raise InputError("its brackets are nested too deeply") from None
    except Exception as error:  # cattrs groups what went wrong, whatever it is
        raise InputError(_first_problem(error)) from None


def _without_nan(value: Any) -> Any:
    if isinstance(value, float) and value - value != 0:
        return str(value)
    if isinstance(value, dict):
        return {name: _without_nan(item) for name, item in value.items()}
    return [_without_nan(item) for item in value] if isinstance(value, list | tuple) else value


@cache
def _converter() -> Converter:
    """Return cattrs's converter, strict about types; importing cattrs waits until a record is written or read."""
    from cattrs import Converter
    from cattrs.cols import homogenous_tuple_structure_factory
    from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

    converter = Converter()
    for kind in (int, str, bool):
        converter.register_structure_hook(kind, lambda value, kind: _require(kind, value))
    converter.register_structure_hook(float, lambda value, _: _number(value))

    def left_out(kind: type) -> dict[str, Any]:
        return {field.name: override(omit=True) for field in fields(kind) if not field.compare}

    @converter.register_unstructure_hook_factory(is_dataclass)
    def write(kind: type) -> Any:
        return make_dict_unstructure_fn(kind, converter, **left_out(kind))

    @converter.register_structure_hook_factory(is_dataclass)
    def read(kind: type) -> Any:
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
        # Tuples of a fixed length hold numbers or text; what is wrong in one of them is shown whole.
        return lambda value, _: tuple(
            converter.structure(item, arm) for item, arm in zip(_require(list, value), arms, strict=True)
        )

    return converter


def _is_a(kind: object, origin: object) -> bool:
    return get_origin(kind) is origin


def _require(kind: type, value: Any) -> Any:
    # True is an int to Python, but no number of epochs.
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
    return float(value)


def _first_problem(error: BaseException, where: str = "") -> str:
    """Return the first of cattrs's grouped errors as a clause: "config.epochs is 'many', not a whole number"."""
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
        return f"{where or 'it'} has fields that are not known: {', '.join(sorted(map(str, extra)))}"[:200]
    text = str(error)
    return (f"{where or 'it'} {text}" if text.startswith("is ") else f"{where}: {text}" if where else text)[:200]
