"""Records of studies: any frozen dataclass of the results as one JSON object, and back. Standard library only."""

from __future__ import annotations

import json
from dataclasses import MISSING, asdict, fields, is_dataclass
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from tl_widgets.core.errors import InputError
from tl_widgets.records.type_checks import require_types, why_no_record

FORMAT = 1
Record = TypeVar("Record")


def study_to_json(study: Any) -> str:
    """The record of a study: its fields, with the study's name and the format's number.

    Args:
        study: a frozen dataclass of numbers, texts, tuples and other such dataclasses.
    """
    record = {"format": FORMAT, "study": type(study).__name__, **asdict(study)}
    return json.dumps(_plain(record), indent=1, allow_nan=False)


def study_from_json(kind: type[Record], text: str) -> Record:
    """Read what `study_to_json` wrote.

    Args:
        kind: the study's class.
        text: the record.

    Raises:
        InputError: it is not the record of such a study.
    """
    try:
        record = json.loads(text)
        if record.pop("format") != FORMAT or record.pop("study") != kind.__name__:
            raise ValueError(f"it is no {kind.__name__} of format {FORMAT}")
        study: Record = _read(kind, record)
        require_types(study, kind)
        return study
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(
            f"This text is not a record of a {kind.__name__} ({why_no_record(error)}). "
            "Give the JSON that `tl-widgets study NAME --json FILE` or to_json() wrote."
        ) from None


def _plain(value: Any) -> Any:
    # JSON has no word for NaN and infinities; `float` reads their names back.
    if isinstance(value, float) and value - value != 0:
        return str(value)
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _read(kind: Any, value: Any) -> Any:
    """Rebuild a value of an annotated type from what JSON made of it."""
    if get_origin(kind) in (Union, UnionType):
        (kind,) = (arm for arm in get_args(kind) if arm is not type(None))
        return None if value is None else _read(kind, value)
    if get_origin(kind) is tuple:
        arms = get_args(kind)
        if arms[-1] is Ellipsis:
            return tuple(_read(arms[0], item) for item in value)
        return tuple(_read(arm, item) for arm, item in zip(arms, value, strict=True))
    if is_dataclass(kind):
        names = {field.name for field in fields(kind)}
        # A record that is older than a field has the field's default.
        needed = {f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING}
        if not needed <= set(value) <= names:
            raise ValueError(f"the fields of a {kind} differ")
        hints = get_type_hints(kind)
        build: Any = kind
        return build(**{name: _read(hints[name], item) for name, item in value.items()})
    return float(value) if kind is float else value
