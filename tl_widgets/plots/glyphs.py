"""Class names in any script: drawn in a font that has their letters, else in Latin letters, else numbered."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

from matplotlib.font_manager import FontEntry, fontManager, get_font

from tl_widgets.core.translation import _

# DejaVu Sans comes with matplotlib. Other fonts are added when a name needs them; these are looked at first.
FONTS = ["DejaVu Sans"]
_PREFERRED = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "WenQuanYi Micro Hei",
    "PingFang SC",
    "Hiragino Sans",
    "Microsoft YaHei",
    "Malgun Gothic",
    "Arial Unicode MS",
)
_NO_LETTERS = re.compile(r"last ?resort|blank|symbol|emoji|icons?", re.IGNORECASE)
_LETTER = re.compile(r"(?:[A-Z]+ )+?(?:CAPITAL |SMALL )?(?:LETTER|SYLLABLE|VOWEL SIGN) (?:SMALL )?([A-Z]+)")


def drawable_names(names: Sequence[str]) -> list[str]:
    """Return the names as figures can show them: unchanged where a font has their letters."""
    return [name if can_draw(name) else _latin(name) or _("class {i}", i=i) for i, name in enumerate(names, 1)]


def drawable_text(text: str) -> str:
    """Return a text in which words that no font has are in Latin letters, or else a question mark."""
    if can_draw(text):
        return text
    parts = re.split(r"(\s+)", text)
    return "".join(part if can_draw(part) else _latin(part) or "?" for part in parts)


def can_draw(text: str) -> bool:
    """Return whether fonts have all characters; add a font to `FONTS` if it is needed."""
    if text.isascii():
        return True
    missing = {ord(c) for c in text if not c.isspace()} - _known(tuple(FONTS))
    if missing and (font := _font_with(frozenset(missing))):
        FONTS.append(font)
        return True
    return not missing


@cache
def _known(fonts: tuple[str, ...]) -> frozenset[int]:
    return frozenset().union(*(_characters(entry.fname) for entry in _entries() if entry.name in fonts))


@cache
def _font_with(characters: frozenset[int]) -> str:
    """Return the name of an installed font that has all of these characters; "" if none has."""
    return next((entry.name for entry in _entries() if characters <= _characters(entry.fname)), "")


@cache
def _entries() -> tuple[FontEntry, ...]:
    """Return the upright fonts of usual weight, the preferred ones first."""
    entries = [
        entry
        for entry in fontManager.ttflist
        if entry.style == "normal" and str(entry.weight) in ("400", "normal") and not _NO_LETTERS.search(entry.name)
    ]
    order = {name: i for i, name in enumerate((*FONTS, *_PREFERRED))}
    return tuple(sorted(entries, key=lambda entry: (order.get(entry.name, len(order)), entry.name)))


@cache
def _characters(path: str) -> frozenset[int]:
    try:
        return frozenset(get_font(path).get_charmap())
    except (OSError, RuntimeError):  # a damaged font
        return frozenset()


def _latin(text: str) -> str:
    """Return a text in Latin letters, by the names that Unicode gives its letters; "" if they have none."""
    found = ""
    for c in text:
        plain = unicodedata.normalize("NFKD", c)
        name = unicodedata.name(c, "")
        if c.isascii():
            found += c
        elif plain[0].isascii() and plain[0].isalnum():
            found += plain[0]
        elif "VIRAMA" in name or "VOWEL SIGN" in name:  # takes the place of the a in a letter such as KA
            found = found.removesuffix("a") + (match[1].lower() if (match := _LETTER.match(name)) else "")
        elif match := _LETTER.match(name):
            found += match[1].lower()
        elif name.endswith(" FACE") or unicodedata.category(c) == "So":
            found += name.lower()
        else:
            return ""
    return found.strip()
