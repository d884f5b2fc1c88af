"""HTML fragments for widgets. Text from outside always goes through `escape`."""

from __future__ import annotations

import logging
import traceback
from importlib import resources

from tl_widgets.core.errors import InputError
from tl_widgets.core.html import escape, image, table
from tl_widgets.core.translation import _, in_script

__all__ = ["alert", "empty", "escape", "image", "page_file", "progress", "script", "style", "table"]


def plain_label(text: str) -> str:
    """Return a text that is safe as a field's description, which JupyterLab typesets with MathJax.

    Between dollar signs or after a backslash, MathJax runs commands, which can also make links. It ignores the
    full-width forms of both characters, so they replace the originals.
    """
    return text.replace("$", "\N{FULLWIDTH DOLLAR SIGN}").replace("\\", "\N{FULLWIDTH REVERSE SOLIDUS}")


def page_file(name: str) -> str:
    """Return a script or style sheet, by its path below `tl_widgets/widgets`."""
    return resources.files("tl_widgets.widgets").joinpath(name).read_text("utf-8")


def script(*names: str) -> str:
    """Return scripts, by their paths below `tl_widgets/widgets`, one after the other and in the reader's language."""
    return in_script("".join(page_file(f"{name}.js") for name in names))


def style() -> str:
    """Return the style sheet of all views."""
    return f"<style>{page_file('shared/lab.css')}{page_file('shared/stage.css')}</style>"


def empty(text: str) -> str:
    """Return the text of a view that has nothing to show yet."""
    return f'<p class="tlw-empty">{escape(text)}</p>'


def alert(sentence: str, details: str = "") -> str:
    """Return an error message that screen readers announce; `details`, a traceback, opens on a click."""
    title = _("Technical details")
    more = f"<details><summary>{title}</summary><pre>{escape(details)}</pre></details>" if details else ""
    return f'<div class="tlw-alert" role="alert">{escape(sentence)}{more}</div>'


def error_alert(error: Exception) -> str:
    """Return an error as an alert. An error other than InputError is also logged and shown with its traceback."""
    if isinstance(error, InputError):
        return alert(str(error))
    logging.getLogger("tl_widgets").error("the run failed", exc_info=error)
    sentence = _("Something went wrong unexpectedly: {name}: {error}", name=type(error).__name__, error=error)
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        sentence = _("The memory ran out. Use smaller images, fewer filters or a smaller batch size.")
    return alert(sentence, "".join(traceback.format_exception(error)))


def note(text: str) -> str:
    """Return an unobtrusive line that screen readers announce; "" for an empty text."""
    return f'<p class="tlw-note" role="status">{escape(text)}</p>' if text else ""


def progress(label: str, n_done: int, n_total: int, text: str) -> str:
    """Return a progress bar with a text next to it; if `n_total` is 0, it only shows that work is in progress."""
    at = f'value="{n_done}" max="{n_total}"' if n_total else ""
    return (
        f'<div class="tlw-progress"><span class="tlw-name">{escape(label)}</span>'
        f'<progress aria-label="{escape(label)}" {at}></progress><span class="tlw-numbers">{escape(text)}</span></div>'
    )
