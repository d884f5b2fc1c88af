"""Test images as cards with what each model answered: HTML that the Lab and a report share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.html import NAMES, escape, image
from tl_widgets.data.dataset import Images
from tl_widgets.data.memmap_images import IndexedImages
from tl_widgets.records.comparison import RunResult, percent

_SIDE = 96  # CSS pixels


def cards(images: Images | IndexedImages, rows: Sequence[int], runs: Sequence[RunResult]) -> str:
    """Some test images, each with its class, and each model's answer as right or wrong.

    Args:
        images: all test images, uint8, shape (n_test, height, width, 3).
        rows: which of them.
        runs: tested on them.
    """
    pixels = images[np.asarray(rows, np.int64)] if len(rows) else ()
    shown = "".join(_card(each, row, runs) for each, row in zip(pixels, rows, strict=True))
    return f'<div class="tlw-cards">{shown}</div>'


def _card(pixels: NDArray[np.uint8], row: int, runs: Sequence[RunResult]) -> str:
    names = runs[0].class_names
    true = names[runs[0].labels[row]]
    lines = []
    for run in runs:
        is_right = run.predictions[row] == run.labels[row]
        mark, kind = ("✓", "tlw-right-answer") if is_right else ("✗", "tlw-wrong-answer")
        word = "right" if is_right else "wrong"
        sure = percent(max(run.probabilities[row])) if run.probabilities else ""
        said = f"{escape(NAMES.get(run.name, run.name))}: {escape(names[run.predictions[row]])} <small>{sure}</small>"
        lines.append(f'<span class="{kind}"><span role="img" aria-label="{word}">{mark}</span> {said}</span>')
    picture = image(pixels, f"Test image {row + 1}, {true}", _SIDE)
    return f"<figure>{picture}<figcaption><b>{escape(true)}</b>{''.join(lines)}</figcaption></figure>"
