"""Small pieces of HTML for widgets. Every text that comes from outside goes through `escape`, and nothing else."""

from __future__ import annotations

import logging
import traceback
from importlib import resources

from tl_widgets.core.errors import InputError
from tl_widgets.core.html import escape, image, table

__all__ = ["alert", "empty", "escape", "image", "page_file", "progress", "style", "table"]


def plain_label(text: str) -> str:
    """A text from outside as a field's description, which JupyterLab would typeset as mathematics.

    Between dollars or after a backslash, MathJax takes commands, links among them; both signs stand here in their
    full-width forms, which mean nothing to it.
    """
    return text.replace("$", "\N{FULLWIDTH DOLLAR SIGN}").replace("\\", "\N{FULLWIDTH REVERSE SOLIDUS}")


def page_file(name: str) -> str:
    """A script or style sheet of this package.

    Args:
        name: of the file.
    """
    return resources.files("tl_widgets.widgets").joinpath(name).read_text("utf-8")


def style() -> str:
    """The style sheet of all views."""
    return f"<style>{page_file('shared/lab.css')}</style>"


def empty(text: str) -> str:
    """What a view says before there is anything to see."""
    return f'<p class="tlw-empty">{escape(text)}</p>'


def alert(sentence: str, details: str = "") -> str:
    """Something that went wrong, announced by screen readers.

    Args:
        sentence: for everybody.
        details: a traceback, shown only to whoever opens it.
    """
    more = f"<details><summary>Technical details</summary><pre>{escape(details)}</pre></details>" if details else ""
    return f'<div class="tlw-alert" role="alert">{escape(sentence)}{more}</div>'


def error_alert(error: Exception) -> str:
    """Return an error as an alert; one that should not have happened is logged, and its traceback can be opened.

    Args:
        error: anything that was caught.
    """
    if isinstance(error, InputError):
        return alert(str(error))
    logging.getLogger("tl_widgets").error("the run failed", exc_info=error)
    sentence = f"Something went wrong that should not have: {type(error).__name__}: {error}"
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        sentence = "The memory ran out. Use smaller images, fewer filters or a smaller batch size."
    return alert(sentence, "".join(traceback.format_exception(error)))


def note(text: str) -> str:
    """Return a quiet line, announced by screen readers; nothing for an empty text."""
    return f'<p class="tlw-note" role="status">{escape(text)}</p>' if text else ""


def progress(label: str, n_done: int, n_total: int, text: str) -> str:
    """A progress bar with its numbers beside it.

    Args:
        label: the bar's name.
        n_done: how much of `n_total`.
        n_total: 0 where it is not known; the bar then only shows that something goes on.
        text: the numbers.
    """
    at = f'value="{n_done}" max="{n_total}"' if n_total else ""
    return (
        f'<div class="tlw-progress"><span class="tlw-name">{escape(label)}</span>'
        f'<progress aria-label="{escape(label)}" {at}></progress><span class="tlw-numbers">{escape(text)}</span></div>'
    )
