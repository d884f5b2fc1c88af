"""Small pieces of HTML that pages and widgets share: texts, numbers, tables, images. A leaf: NumPy and Pillow."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape as _escape
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


def number(value: int) -> str:
    """A count with its thousands apart: "3,413,024"."""
    return f"{value:,}"


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


def image(pixels: NDArray[Any], alt: str, side: int, *, small_file: bool = False) -> str:
    """A small image as `<img>` with the picture in it.

    Args:
        pixels: uint8 (height, width, 3).
        alt: what it shows.
        side: its longer one on the screen, in CSS pixels.
        small_file: as JPEG, for many photographs at once: Jupyter drops what is more than a megabyte a second.
    """
    from PIL import Image

    # Twice the side, for sharp screens; an image that is smaller is enlarged by the browser.
    picture = Image.fromarray(np.asarray(pixels))
    picture.thumbnail((2 * side, 2 * side))
    file = io.BytesIO()
    kind = "jpeg" if small_file else "png"
    picture.save(file, kind, quality=80)
    data = base64.b64encode(file.getvalue()).decode()
    longest = max(picture.size)
    width, height = (max(1, round(side * length / longest)) for length in picture.size)
    return f'<img alt="{escape(alt)}" width="{width}" height="{height}" src="data:image/{kind};base64,{data}">'
