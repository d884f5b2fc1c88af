"""Whether data from a file has the types that a dataclass promises. A leaf: stdlib only.

`Config(epochs="many")` raises nothing by itself: Python does not look at annotations, so whoever reads a record
from a file must.
"""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


def require_types(value: object, expected: Any, where: str = "") -> None:
    """Raise `TypeError` unless a value, and all that is in it, is what an annotation says.

    Known are dataclasses, tuples, dictionaries, unions, `Literal`, `Any`, None and plain classes. A whole number
    will do for a float; True and False do for neither.

    Args:
        value: to look at.
        expected: the annotation.
        where: what to call it in the message: "config.epochs".

    Raises:
        TypeError: it is something else; the message says where, what was found and what should be there.
    """
    origin, args = get_origin(expected), get_args(expected)
    if expected is Any:
        return
    if origin in (Union, types.UnionType):
        _require_one(value, args, where)
    elif origin is Literal:
        _require(value in args, value, where, expected)
    elif origin is tuple:
        _require_tuple(value, args, where, expected)
    elif origin in (dict, Mapping):
        _require(isinstance(value, Mapping), value, where, expected)
        assert isinstance(value, Mapping)
        for key, item in value.items():
            require_types(key, args[0], where)
            require_types(item, args[1], f"{where}[{key!r:.40}]")
    elif is_dataclass(expected):
        _require(isinstance(value, expected), value, where, expected)  # type: ignore[arg-type]
        hints = get_type_hints(expected)
        for field in fields(expected):
            require_types(getattr(value, field.name), hints[field.name], f"{where}.{field.name}".lstrip("."))
    else:
        kinds = (int, float) if expected is float else expected or type(None)
        is_truth = isinstance(value, bool) and expected in (int, float)
        _require(isinstance(value, kinds) and not is_truth, value, where, expected)


def _require_one(value: object, allowed: tuple[Any, ...], where: str) -> None:
    problems = []
    for one in allowed:
        try:
            require_types(value, one, where)
        except TypeError as problem:
            problems.append(problem)
        else:
            return
    # Of `RunResult | None` the more telling problem is the one inside of RunResult.
    raise max(problems, key=lambda problem: len(str(problem)), default=TypeError(where))


def _require_tuple(value: object, items: tuple[Any, ...], where: str, expected: Any) -> None:
    _require(isinstance(value, tuple), value, where, expected)
    assert isinstance(value, tuple)
    if len(items) == 2 and items[1] is Ellipsis:
        items = (items[0],) * len(value)
    _require(len(value) == len(items), value, where, expected)
    for i, (item, one) in enumerate(zip(value, items, strict=True)):
        require_types(item, one, f"{where}[{i}]")


def _require(ok: bool, value: object, where: str, expected: Any) -> None:
    if not ok:
        kind = getattr(expected, "__name__", "") if isinstance(expected, type) else str(expected)
        raise TypeError(f"{where} is {value!r:.60}, not {kind or expected}")


def why_no_record(error: Exception) -> str:
    """Why a text could not be read as a record, as a clause for somebody who does not know Python.

    Args:
        error: what reading it raised.
    """
    if isinstance(error, json.JSONDecodeError):
        return f"it is no JSON: line {error.lineno} cannot be read"
    if isinstance(error, RecursionError):
        return "its brackets are nested too deeply"
    if isinstance(error, KeyError):
        return f"it has no {str(error)[:200]}"
    if isinstance(error, AttributeError | IndexError):
        return "its parts are not where they should be"
    return str(error)[:200] or type(error).__name__
