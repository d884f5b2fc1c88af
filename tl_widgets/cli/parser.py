"""The parser of `tl-widgets`, which speaks the reader's language and reports a mistake in one line."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from typing import Any, NoReturn

from tl_widgets.core.text import printable
from tl_widgets.core.translation import _, in_english

MISTAKE = 2
_WORDS = (
    _("usage: "),
    _("options"),
    _("positional arguments"),
    _("show this help message and exit"),
    _("argument %(argument_name)s: %(message)s"),
    _("the following arguments are required: %s"),
    _("expected one argument"),
    _("expected at most one argument"),
    _("expected at least one argument"),
    _("invalid choice: %(value)r (choose from %(choices)s)"),
    _("unknown parser %(parser_name)r (choices: %(choices)s)"),
    _("ambiguous option: %(option)s could match %(matches)s"),
    _("ignored explicit argument %r"),
)


@contextlib.contextmanager
def _our_words() -> Iterator[None]:
    """Let argparse find its own words in our catalogue; it looks for a function `_` in its module."""
    theirs, words = vars(argparse), {in_english(text): text for text in _WORDS}
    before, theirs["_"] = theirs["_"], lambda text: words.get(text, text)
    try:
        yield
    finally:
        theirs["_"] = before


class Parser(argparse.ArgumentParser):
    """A parser that reports a mistake in one line."""

    @_our_words()
    def __init__(self, **facts: Any) -> None:
        super().__init__(**facts)

    @_our_words()
    def parse_known_args(self, *args: Any, **namespace: Any) -> Any:
        """Parse arguments, with mistakes in the reader's language."""
        return super().parse_known_args(*args, **namespace)

    @_our_words()
    def format_help(self) -> str:
        """Return the help in the reader's language."""
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Print a mistake and exit."""
        what = printable(one_line(message)).rstrip(".")
        self.exit(MISTAKE, _("{prog}: {what}. `{prog} --help` shows what is allowed.\n", prog=self.prog, what=what))


def one_line(text: str) -> str:
    """Return a text without line breaks."""
    return " ".join(text.split())
