"""Small pictures in records, as text: base64 of their pixels."""

from __future__ import annotations

import base64

import numpy as np
from numpy.typing import NDArray


def pixels_text(images: NDArray[np.uint8]) -> str:
    """Return one picture or several, uint8 (..., side, side, 3), as text."""
    return base64.b64encode(np.ascontiguousarray(images).tobytes()).decode()


def pictures_of(text: str, side: int) -> NDArray[np.uint8]:
    """Return the pictures that a text holds, uint8 (n, side, side, 3).

    Raises:
        ValueError: it is not the text of whole pictures of this side.
    """
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(-1, side, side, 3)


def picture_of(text: str, side: int) -> NDArray[np.uint8]:
    """Return the one picture that a text holds, uint8 (side, side, 3)."""
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(side, side, 3)


def require_pictures(text: str, side: int, n: int | None = 1) -> None:
    """Raise ValueError unless a text holds `n` pictures; None for at least one."""
    found = len(pictures_of(text, side)) if side else 0
    if not found or n not in (None, found):
        raise ValueError(f"a picture does not have {side} x {side} pixels")
