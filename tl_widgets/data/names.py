"""Names of files and folders: one Unicode form, the code pages of old zips, and names that must not be used."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from tl_widgets.core.translation import _

MAX_DEPTH = 128  # folders above a file
MAX_NAME = 1_000  # characters of a path

# Bytes that aren't UTF-8 are read in the first of these in which every name consists of letters as people use them.
_CODE_PAGES = {
    "cp437": _("Western European"),
    "cp850": _("Western European"),
    "cp1252": _("Western European"),
    "cp866": _("Cyrillic"),
    "cp932": _("Japanese"),
    "cp949": _("Korean"),
    "gbk": _("Chinese"),
    "cp1251": _("Cyrillic"),
}
# The first bytes of the common characters; the others are so rare that a whole name of them is a wrong guess.
_COMMON: dict[str, Callable[[int], bool]] = {
    "cp932": lambda byte: 0x81 <= byte <= 0x97,
    "cp949": lambda byte: 0xB0 <= byte <= 0xC8,
    "gbk": lambda byte: 0xB0 <= byte <= 0xD7,
}
_MIN_KOREAN = 3  # characters: fewer may as well be Chinese


def one_form(name: str) -> str:
    """Return a name in the Unicode form NFC: macOS writes é as two characters, others as one."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def problem_of(name: str, parts: Sequence[str]) -> str:
    """Return why a member of an archive must not be read, from its name alone; "" if it may be."""
    if ".." in parts or "" in parts or parts[0].endswith(":"):
        return _("a name that points outside the archive")
    if len(name) > MAX_NAME:
        return _("a name of {n_name:,} characters; at most {max_name:,} are read", n_name=len(name), max_name=MAX_NAME)
    if len(parts) > MAX_DEPTH:
        return _("{n_parts:,} folders deep; at most {max_depth} are read", n_parts=len(parts), max_depth=MAX_DEPTH)
    return ""


def with_folders_above(name: str, folders: set[str]) -> None:
    """Add a folder and those above it to `folders`."""
    while name and name not in folders:
        folders.add(name)
        name = name.rpartition("/")[0]


def decode_names(raw: Iterable[bytes]) -> tuple[str, str]:
    """Return the encoding of names that aren't marked as Unicode, and what language it is for; "" for UTF-8."""
    names = {name for name in raw if not name.isascii()}
    if _all_decode(names, "utf-8"):
        return "utf-8", ""
    for encoding, language in _CODE_PAGES.items():
        if _all_decode(names, encoding) and _is_plausible(names, encoding):
            return encoding, language
    return "cp437", "unknown"  # as the zip format says


def _all_decode(names: set[bytes], encoding: str) -> bool:
    try:
        for name in names:
            name.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _is_plausible(names: set[bytes], encoding: str) -> bool:
    """Return whether names read in this encoding are words of one script."""
    texts = [name.decode(encoding) for name in names]
    letters = [c for text in texts for c in text if not c.isascii() and c not in "·–—’“”・ー、。（）【】　 "]
    if not letters or any(unicodedata.category(c) not in ("Lu", "Ll", "Lo") for c in letters):
        return False
    scripts = {unicodedata.name(c, "").split()[0] for c in letters}
    if encoding in _COMMON:
        is_common = _COMMON[encoding]
        leads = [c.encode(encoding)[0] for c in letters]
        n_common = sum(map(is_common, leads))
        if encoding == "cp949" and (n_common < len(leads) or len(set(letters)) < _MIN_KOREAN):
            return False
        return scripts <= {"CJK", "HIRAGANA", "KATAKANA", "HANGUL"} and 2 * n_common > len(leads)
    words = [word for text in texts for word in _words(text) if not word.isascii()]
    if any(a.islower() and b.isupper() for word in words for a, b in pairwise(word)):
        return False
    if scripts == {"LATIN"}:  # most letters of such words are ASCII
        return sum(not c.isascii() for word in words for c in word) <= sum(map(len, words)) / 2
    return scripts == {"CYRILLIC"} and not any(c.isascii() for word in words for c in word)


def _words(text: str) -> list[str]:
    return "".join(c if c.isalpha() else " " for c in text).split()
