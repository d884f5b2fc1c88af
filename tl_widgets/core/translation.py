"""Translate the texts that people read, with catalogues in `tl_widgets/locale`.

Write a whole sentence with named placeholders, and give their values:

    _("Press Train both.")
    _("{name} has {count:,} images.", name=name, count=len(images))
    ngettext("{n:,} image was left out.", "{n:,} images were left out.", n_out)  # {n} is the number
    Markup(_("<b>{name}</b> wins")).format(name=name)  # HTML: Markup escapes the values
    _("{name} has arrived.", { name })  // JavaScript, which `in_script` translates

- The text is a literal: the extraction doesn't find an f-string. Values are names, numbers and texts that fit into any
  sentence; never build a sentence from parts.
- A format such as `{share:.1f}` or a function of `core.numbers` writes numbers as the language does.
- Identifiers, command-line options, JSON keys and what is compared in code stay English. A record on disk is English:
  what `_` returns carries its English text, `in_english`, which the codec writes.
- Tests read English texts: an unknown language, and the tests, use the literals as they are.

The language is decided once per process, on first use, so texts may be translated on import. `docs/contributing.md`
says how to update the catalogues.
"""

from __future__ import annotations

import gettext
import json
import os
import re
import string
import sys
from collections.abc import Callable, Iterator
from functools import cache
from numbers import Real
from pathlib import Path
from typing import Any, cast

# The languages that are chosen without being asked for: their catalogues are complete, which tests/test_languages.py
# checks. Others can be tried with TL_WIDGETS_LANG.
OFFERED = frozenset({"de", "es"})
VARIABLE = "TL_WIDGETS_LANG"
ENGLISH = "en"
DOMAIN = "tl_widgets"
FOLDER = Path(__file__).parents[1] / "locale"
_COUNT = r"\d[\d,]*(?:\.\d+)?%?"
_FEWEST_LETTERS = 10  # of a text that can be recognized by its words
_SETTINGS = Path("lab", "user-settings", "@jupyterlab", "translation-extension", "plugin.jupyterlab-settings")
_DECIMAL_COMMA = str.maketrans(",.", ".,")
_CLOSE_PERCENT = frozenset({ENGLISH, "es"})  # languages without a space before the percent sign
_SCRIPT_WORDS = r"""const _ = (text, values = {}) => text.replace(/{(\w+)}/g, (place, name) => values[name] ?? place);
const numberText = (value, options) => value.toLocaleString("LANGUAGE", options);
const percentText = (share, digits) =>
  `${numberText(100 * share, { minimumFractionDigits: digits, maximumFractionDigits: digits })}SIGN`;
"""
_SCRIPT_TEXT = re.compile(r'\b_\(("(?:[^"\\]|\\.)*")')


class Translated(str):
    """A translated text that carries the English one.

    Attributes:
        english: the text in English.
    """

    __slots__ = ("english",)
    english: str

    def __str__(self) -> str:
        return self  # str() would drop the English text

    def __add__(self, other: str, /) -> str:
        if hasattr(other, "__html__"):
            return NotImplemented  # Markup escapes what it is added to
        return _translated(str.__str__(self) + str.__str__(other), self.english + in_english(other))

    def __radd__(self, other: str, /) -> str:
        return _translated(other + str.__str__(self), other + self.english)

    def __reduce__(self) -> tuple[Any, ...]:
        return _translated, (str.__str__(self), self.english)


def _(message: str, /, **values: object) -> str:
    """Return a text in the reader's language, with `values` in its placeholders."""
    catalogue = _catalogue()
    if catalogue is None:
        return message.format(**values) if values else message
    return _filled(catalogue.gettext(message), message, values)


def ngettext(singular: str, plural: str, n: int, /, **values: object) -> str:
    """Return the form of a text that goes with the number `n`, which also fills the placeholder {n}."""
    catalogue, english = _catalogue(), singular if n == 1 else plural
    if catalogue is None:
        return english.format(**{"n": n, **values})
    return _filled(catalogue.ngettext(singular, plural, n), english, {"n": n, **values})


def pgettext(context: str, message: str, /, **values: object) -> str:
    """Return a text like `_`; `context` tells apart equal texts with different meanings, such as "none" and "none"."""
    catalogue = _catalogue()
    if catalogue is None:
        return message.format(**values) if values else message
    return _filled(catalogue.pgettext(context, message), message, values)


def localized(number: str) -> str:
    """Return a number, written with commas between thousands and a decimal point, as the language writes it."""
    if language() == ENGLISH:
        return number
    return _translated(number.translate(_DECIMAL_COMMA).replace("%", _percent_sign()), number)


def _percent_sign() -> str:
    return "%" if language() in _CLOSE_PERCENT else "\N{NO-BREAK SPACE}%"


def within_sentence(label: str) -> str:
    """Return a label as it stands within a sentence: "Epochs" as "epochs"; German nouns keep their capital."""
    return label if language() == "de" else f"{label[:1].lower()}{label[1:]}"


def in_script(script: str) -> str:
    """Return JavaScript with the texts in its `_("...")` translated, and with `_` and `numberText`, which it calls."""
    catalogue = _catalogue()
    if catalogue is not None:
        script = _SCRIPT_TEXT.sub(lambda call: f"_({json.dumps(catalogue.gettext(json.loads(call[1])))}", script)
    return _SCRIPT_WORDS.replace("LANGUAGE", language()).replace("SIGN", _percent_sign()) + script


def in_english(text: str | BaseException) -> str:
    """Return the English text of what `_` returned, or of an error with such a message."""
    text = str(text)
    return text.english if isinstance(text, Translated) else text


def from_english(text: str) -> str:
    """Return a sentence of a record, which is English, in the reader's language, as far as the catalogue has it."""
    catalogue = _catalogue()
    if catalogue is None or isinstance(text, Translated) or not text:
        return text
    if (translation := catalogue.gettext(text)) != text:
        return _translated(translation, text)
    for message, words in _sentences():
        found = all(word in text for word in words) and re.fullmatch(_pattern(message), text, re.DOTALL)
        if found:
            return _translated(_with_english_values(catalogue.gettext(message), found.groupdict()), text)
    return text


def _with_english_values(translation: str, values: dict[str, str]) -> str:
    def value(place: re.Match[str]) -> str:
        text = values[place[1]]
        is_number = re.fullmatch(r"[-+\N{MINUS SIGN}]?[\d,]*\.?\d+%?", text)
        return localized(text) if is_number else from_english(text) if text.endswith(".") else text

    return re.sub(r"{(\w+)[^}]*}", value, translation)


@cache
def _sentences() -> list[tuple[str, list[str]]]:
    """Return the English texts with placeholders, each with its words around these; those with most words first."""
    found = []
    for message in getattr(_catalogue(), "_catalog", ()):
        if isinstance(message, str) and "{" in message and "\x04" not in message:  # not one with a context
            words = [part[0] for part in _parsed(message)]
            found.append((sum(map(len, words)), message, words))
    return [(message, words) for n, message, words in sorted(found, reverse=True) if n >= _FEWEST_LETTERS]


def _parsed(message: str) -> list[tuple[str, str | None]]:
    try:
        return [part[:2] for part in string.Formatter().parse(message)]
    except ValueError:  # braces of an example in code
        return []


def _pattern(message: str) -> str:
    """Return the pattern of an English text with values; it tries no value twice, however long the text is."""
    pattern, parts = "", [*_parsed(message), ("", None)]
    names = [name for _words, name in parts if name]
    for i, (words, name) in enumerate(parts):
        pattern += re.escape(words)
        if not name:
            continue
        if f"(?P<{name}>" in pattern:
            pattern += f"(?P={name})"
        elif _is_count(name):
            pattern += f"(?P<{name}>{_COUNT})"
        elif i == len(names) - 1:
            pattern += f"(?P<{name}>.+)"
        else:
            after = re.escape(parts[i + 1][0])
            if _is_count(parts[i + 1][1]):  # " 5 of the" says more of where a value ends than " " does
                after += _COUNT + re.escape(parts[i + 2][0])
            pattern += f"(?P<{name}>(?>.+?(?={after})))"
    return pattern


def _is_count(name: str | None) -> bool:
    return name is not None and (name == "n" or name.startswith("n_"))


def in_both(text: str, change: Callable[[str], str]) -> str:
    """Return a text that was changed, such as shortened, in the reader's language and in English."""
    if isinstance(text, Translated):
        return _translated(change(str.__str__(text)), change(text.english))
    return change(text)


@cache
def language() -> str:
    """Return the language of all texts, such as "de".

    It is `TL_WIDGETS_LANG`, else what JupyterLab is set to, else the system's, if there is a complete catalogue.
    """
    asked = _code(os.environ.get(VARIABLE, ""))
    if asked:
        return asked if gettext.find(DOMAIN, FOLDER, [asked]) else ENGLISH
    chosen = _jupyterlab_language()
    known = (_code(name) for name in ([chosen] if chosen else _system_languages()))
    return next((code for code in known if code in OFFERED or code == ENGLISH), ENGLISH)


@cache
def _catalogue() -> gettext.NullTranslations | None:
    """Return the catalogue of the language; None for English."""
    code = language()
    return None if code == ENGLISH else gettext.translation(DOMAIN, FOLDER, [code])


def _filled(translation: str, message: str, values: dict[str, object]) -> str:
    if not values:
        return _translated(translation, message)
    texts = str | BaseException
    english = {name: in_english(value) if isinstance(value, texts) else value for name, value in values.items()}
    return _translated(_Formatter().vformat(translation, (), values), message.format(**english))


class _Formatter(string.Formatter):
    """Formats numbers as the language writes them."""

    def format_field(self, value: Any, format_spec: str) -> str:
        text = format(value, format_spec)
        return str(localized(text)) if isinstance(value, Real) and not isinstance(value, bool) else text


def _translated(text: str, english: str) -> Translated:
    translated = Translated(text)
    translated.english = english
    return translated


def _code(name: str) -> str:
    """Return "de" for "de_AT.UTF-8", "" for none."""
    return name.replace("-", "_").partition(".")[0].partition("_")[0].lower()


def _jupyterlab_language() -> str:
    """Return the language that JupyterLab is set to; "" if its user never chose one."""
    try:
        folder = Path(os.environ.get("JUPYTER_CONFIG_DIR") or Path.home() / ".jupyter")
        text = (folder / _SETTINGS).read_text("utf-8")
        lines = (line for line in text.splitlines() if not line.lstrip().startswith("//"))  # it is JSON with comments
        name = json.loads("\n".join(lines)).get("locale")
    except (OSError, RuntimeError, ValueError, AttributeError):
        return ""
    return name if isinstance(name, str) and name != "default" else ""


def _system_languages() -> Iterator[str]:
    """Yield the languages of the system, the preferred first, as GNU gettext reads them."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if name := os.environ.get(variable, ""):
            if _code(name) in ("c", "posix"):
                yield ENGLISH
            yield from os.environ.get("LANGUAGE", "").split(":")
            yield name
            return
    if sys.platform == "win32":
        import ctypes
        import locale

        yield locale.windows_locale.get(ctypes.windll.kernel32.GetUserDefaultUILanguage(), "")
    elif sys.platform == "darwin":
        import locale

        yield cast("str", locale.getlocale()[0] or "")
