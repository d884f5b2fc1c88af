"""Text from outside as it may be shown: in a message, in a terminal."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable
from functools import reduce

from tl_widgets.core.translation import ENGLISH, _, language, pgettext

MOST_SHOWN = 200  # letters of what was received, in a message
_NO_BREAK = "\N{NO-BREAK SPACE}"  # stands before units and percent signs in German


def printable(name: str) -> str:
    r"""Return a file name with control characters and non-UTF-8 bytes as \xNN."""
    text = name.encode("utf-8", "surrogateescape" if _is_file_name(name) else "surrogatepass")
    return escaped(text.decode("utf-8", "backslashreplace"))


def escaped(text: str) -> str:
    r"""Return a text with control characters and direction overrides as \xNN or \uNNNN."""
    return text if text.isprintable() else "".join(c if c.isprintable() or c == _NO_BREAK else _escape(c) for c in text)


def shown(value: object, most: int = MOST_SHOWN) -> str:
    """Return the `repr` of a value on one line, cut to `most` letters; what it raises is no matter."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10 ** (most - 1):
        return _(
            "a whole number of {bit_length:,} bits", bit_length=value.bit_length()
        )  # Python refuses to print some of them
    try:
        text = " ".join(repr(value[: most + 1] if isinstance(value, str | bytes) else value).split())
    except Exception:
        text = _("an object of class {name}", name=type(value).__name__)
    return escaped(text if len(text) <= most else f"{text[: most - 3]}...")


def all_of(items: Iterable[str]) -> str:
    """Return a list within a sentence: "a, b and c"."""
    *first, last = items
    if not first:
        return last
    if language() == "es" and re.match(r"i|hi(?!e)", last, re.IGNORECASE):
        return pgettext("before the sound i", "{first} and {last}", first=_with_commas(first), last=last)
    return _("{first} and {last}", first=_with_commas(first), last=last)


def any_of(items: Iterable[str]) -> str:
    """Return alternatives within a sentence: "a, b or c"."""
    *first, last = items
    if not first:
        return last
    if language() == "es" and re.match(r"h?o|8", last, re.IGNORECASE):
        return pgettext("before the sound o", "{first} or {last}", first=_with_commas(first), last=last)
    return _("{first} or {last}", first=_with_commas(first), last=last)


def listed(numbers: Iterable[str]) -> str:
    """Return numbers as a list, which a decimal comma separates by semicolons: "0.4, 0.2"; "0,4; 0,2"."""
    return (", " if language() == ENGLISH else "; ").join(numbers)


def _with_commas(items: list[str]) -> str:
    return reduce(lambda text, item: text + ", " + item, items)  # each keeps its English text, unlike in `join`


def shell_word(text: str) -> str:
    """Return a text as one word of a command line, in quotation marks where the system's shell needs them."""
    if os.name == "nt":  # no name holds a quotation mark there
        return text if re.fullmatch(r"[\w.:\\/-]+", text) else f'"{text}"'
    return shlex.quote(text)


def is_text(value: object) -> bool:
    """Return whether a value is text that can be written as UTF-8."""
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def _is_file_name(name: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" and not "\udc80" <= c <= "\udcff" for c in name)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()
