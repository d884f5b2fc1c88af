"""Small pieces of HTML. Every text that comes from outside goes through `escape` here, and nowhere else."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape as _escape
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

NAMES = {
    "scratch": "From scratch",
    "transfer": "Transfer",
    "control": "Control (random weights)",
    "fine_tuned": "Fine-tuned",
}


def escape(text: object) -> str:
    """A text as HTML that shows exactly this text, inside an attribute, too."""
    return _escape(str(text), quote=True)


def style() -> str:
    """The style sheet of all views."""
    css = resources.files("tl_widgets.widgets").joinpath("lab.css").read_text("utf-8")
    return f"<style>{css}</style>"


def alert(sentence: str, details: str = "") -> str:
    """Something that went wrong, announced by screen readers.

    Args:
        sentence: for everybody.
        details: a traceback, shown only to whoever opens it.
    """
    more = f"<details><summary>Technical details</summary><pre>{escape(details)}</pre></details>" if details else ""
    return f'<div class="tlw-alert" role="alert">{escape(sentence)}{more}</div>'


def number(value: int) -> str:
    """A count with its thousands apart: "3,413,024"."""
    return f"{value:,}"


def seconds(value: float) -> str:
    """A duration: "0.4 s", "12 s" or "3 min 20 s"."""
    if value < 10:
        return f"{value:.1f} s"
    if value < 100:
        return f"{value:.0f} s"
    return f"{int(value) // 60} min {int(value) % 60} s"


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


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, numeric: Sequence[int] = ()) -> str:
    """A table with a caption.

    Args:
        caption: a text.
        head: the columns' names, texts.
        rows: cells as HTML: escape what comes from outside.
        numeric: columns that are set flush right.
    """
    classes = ['class="tlw-right"' if i in numeric else "" for i in range(len(head))]
    heads = "".join(f'<th scope="col" {kind}>{escape(name)}</th>' for name, kind in zip(head, classes, strict=True))
    lines = ("".join(f"<td {kind}>{cell}</td>" for cell, kind in zip(row, classes, strict=True)) for row in rows)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return (
        f'<div class="tlw-scroll"><table class="tlw-table"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def image(pixels: NDArray[Any], alt: str, side: int) -> str:
    """A small image of a data set.

    Args:
        pixels: uint8 (height, width, 3).
        alt: what it shows.
        side: on the screen, in CSS pixels.
    """
    from PIL import Image

    # Twice the side, for sharp screens; an image that is smaller is enlarged by the browser.
    picture = Image.fromarray(np.asarray(pixels))
    picture.thumbnail((2 * side, 2 * side))
    file = io.BytesIO()
    picture.save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode()
    return f'<img alt="{escape(alt)}" width="{side}" height="{side}" src="data:image/png;base64,{data}">'
