"""Formulas in descriptions of assignments: arithmetic with names, and nothing else."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from tl_widgets.core.errors import InputError
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _

_MOST = 1e15
_MOST_LETTERS = 500
_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: math.pow,  # of floats: 9**9**9 overflows at once instead of filling the memory
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs, "ceil": math.ceil, "floor": math.floor, "log": math.log, "max": max, "min": min, "round": round,
    "sqrt": math.sqrt,
}  # fmt: skip


def evaluate(formula: str, names: Mapping[str, float]) -> float:
    """Return the value of a formula, such as "1280 * n_classes + n_classes" or "transfer.test_accuracy".

    Args:
        formula: Numbers, names, + - * / // % **, parentheses, and the functions abs, ceil, floor, log, max, min, round
            and sqrt.
        names: The values of the names; a name may have one dot.

    Raises:
        InputError: It can't be computed; the message is a clause that says why.
    """
    if len(formula) > _MOST_LETTERS:
        raise InputError(_("the formula has more than {n} letters", n=_MOST_LETTERS))
    try:
        tree = ast.parse(formula.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise InputError(_("{formula} isn't a formula", formula=shown(formula, 60))) from None
    try:
        value = float(_value(tree, names))
    except InputError:
        raise
    except (ArithmeticError, ValueError, TypeError, RecursionError):
        raise InputError(_("{formula} can't be computed", formula=shown(formula, 60))) from None
    if not abs(value) <= _MOST:
        raise InputError(_("{formula} is too large, or isn't a number", formula=shown(formula, 60)))
    return value


def _value(node: ast.expr, names: Mapping[str, float]) -> float:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return float(number)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, names)
        case ast.BinOp(left=left, op=operation, right=right) if type(operation) in _OPERATORS:
            result: float = _OPERATORS[type(operation)](_value(left, names), _value(right, names))
            return result
        case ast.Call(func=ast.Name(id=function), args=arguments, keywords=[]) if function in _FUNCTIONS:
            return float(_FUNCTIONS[function](*(_value(argument, names) for argument in arguments)))
        case ast.Name(id=name):
            return _named(name, names)
        case ast.Attribute(value=ast.Name(id=owner), attr=name):
            return _named(f"{owner}.{name}", names)
    raise InputError(_("{part} isn't allowed in a formula", part=shown(ast.unparse(node), 60)))


def _named(name: str, names: Mapping[str, float]) -> float:
    if name not in names:
        raise InputError(
            _("there is no {name}; there are {names}", name=shown(name, 60), names=", ".join(sorted(names)))
        )
    return names[name]
