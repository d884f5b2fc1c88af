"""Test images as cards with the models' answers, as HTML for the Lab and reports."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.html import Markup, image, join
from tl_widgets.core.model_name import heading_of
from tl_widgets.core.numbers import percent
from tl_widgets.data.dataset import Images
from tl_widgets.data.memmap_images import IndexedImages
from tl_widgets.records.comparison import RunResult

_SIDE = 96  # CSS pixels


def cards(images: Images | IndexedImages, rows: Sequence[int], runs: Sequence[RunResult]) -> Markup:
    """Return test images as cards; `images` is uint8, (n_test, height, width, 3)."""
    pixels = images[np.asarray(rows, np.int64)] if len(rows) else ()
    shown = [_card(picture, row, runs) for picture, row in zip(pixels, rows, strict=True)]
    return Markup('<div class="tlw-cards">{}</div>').format(join(shown))


def _card(pixels: NDArray[np.uint8], row: int, runs: Sequence[RunResult]) -> Markup:
    names = runs[0].class_names
    true = names[runs[0].labels[row]]
    lines = []
    for run in runs:
        is_right = run.predictions[row] == run.labels[row]
        mark, kind = ("✓", "tlw-right-answer") if is_right else ("✗", "tlw-wrong-answer")
        word = "right" if is_right else "wrong"
        confidence = percent(max(run.probabilities[row])) if run.probabilities else ""
        line = Markup(
            '<span class="{}"><span role="img" aria-label="{}">{}</span> {}: {} <small>{}</small></span>'
        ).format(kind, word, mark, heading_of(run.name), names[run.predictions[row]], confidence)
        lines.append(line)
    picture = image(pixels, f"Test image {row + 1}, {true}", _SIDE)
    return Markup("<figure>{}<figcaption><b>{}</b>{}</figcaption></figure>").format(picture, true, join(lines))
