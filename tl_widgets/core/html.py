"""HTML that pages and widgets share: joined text, tables, images."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

__all__ = ["Markup", "escape", "image", "join", "table"]


def join(parts: Iterable[str]) -> Markup:
    """Join parts into HTML; parts that aren't `Markup` are escaped."""
    return Markup().join(parts)


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, numeric: Sequence[int] = ()) -> Markup:
    """Return a table; text is escaped, and `numeric` columns are aligned right."""
    classes = [Markup('class="tlw-right"') if i in numeric else "" for i in range(len(head))]
    heads = [Markup('<th scope="col" {}>{}</th>').format(kind, name) for name, kind in zip(head, classes, strict=True)]
    lines = (
        join([Markup("<td {}>{}</td>").format(kind, cell) for cell, kind in zip(row, classes, strict=True)])
        for row in rows
    )
    body = join([Markup("<tr>{}</tr>").format(line) for line in lines])
    return Markup(
        '<div class="tlw-scroll"><table class="tlw-table"><caption>{}</caption>'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
    ).format(caption, join(heads), body)


def image(pixels: NDArray[Any], alt: str, side: int, *, small_file: bool = False) -> Markup:
    """Return an image, uint8 (height, width, 3), as `<img>` with its data in it.

    Its longer `side` is in CSS pixels. `small_file` is for many photographs at once: it uses JPEG instead of PNG,
    because Jupyter drops output beyond a megabyte per second.
    """
    from PIL import Image

    # Twice the side, for high-resolution screens; the browser enlarges smaller images.
    picture = Image.fromarray(np.asarray(pixels))
    picture.thumbnail((2 * side, 2 * side))
    file = io.BytesIO()
    image_format = "jpeg" if small_file else "png"
    picture.save(file, image_format, quality=80)
    data = base64.b64encode(file.getvalue()).decode()
    longest = max(picture.size)
    width, height = (max(1, round(side * length / longest)) for length in picture.size)
    return Markup('<img alt="{}" width="{}" height="{}" src="data:image/{};base64,{}">').format(
        alt, width, height, image_format, data
    )
