"""Names beside points, placed where they cover the least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from tl_widgets.plots.style import SMALL_SIZE, note, root_figure

_PAPER = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.8}
_LETTER = 0.54  # mean width of a letter, in font sizes
# (right, up) in points, and the alignment of the text there; the best place first.
_PLACES = (
    (10, 0, "left"),
    (-10, 0, "right"),
    (8, 12, "left"),
    (8, -12, "left"),
    (-8, 12, "right"),
    (-8, -12, "right"),
    (0, 18, "center"),
    (0, -18, "center"),
    (12, 24, "left"),
    (12, -24, "left"),
    (-12, 24, "right"),
    (-12, -24, "right"),
    (12, -38, "left"),
    (-12, -38, "right"),
)


@dataclass(frozen=True)
class NamedPoint:
    """A named point and its vertical bar from `low` to `high`, in the data's units."""

    name: str
    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class _Box:
    """A rectangle in points (1/72 inch)."""

    left: float
    bottom: float
    right: float
    top: float

    def overlap(self, other: _Box) -> float:
        """Return the area that both cover, in square points."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(width, 0.0) * max(height, 0.0)

    @property
    def area(self) -> float:
        return (self.right - self.left) * (self.top - self.bottom)


def name_points(ax: Axes, points: Sequence[NamedPoint]) -> None:
    """Write each point's name where it covers least: beside it, above or below.

    Limits and scales of `ax` must be set; a small shift by a later layout does no harm. The first points are placed
    first and get the best places.
    """
    scale = 72 / root_figure(ax).dpi
    extent = ax.get_window_extent()
    frame = _Box(*(scale * edge for edge in (extent.x0, extent.y0, extent.x1, extent.y1)))

    def place(x: float, y: float) -> tuple[float, float]:
        right, up = ax.transData.transform((x, y))
        return scale * float(right), scale * float(up)

    taken = []
    for point in points:
        (x, y), (_, low), (_, high) = place(point.x, point.y), place(point.x, point.low), place(point.x, point.high)
        taken += [_Box(x - 7, y - 7, x + 7, y + 7), _Box(x - 4, low - 1, x + 4, high + 1)]
    for point in points:
        x, y = place(point.x, point.y)
        boxes = [_text_box(point.name, x + right, y + up, side) for right, up, side in _PLACES]
        # Area outside the axes counts like area on top of something.
        covered = [sum(box.overlap(other) for other in taken) + box.area - box.overlap(frame) for box in boxes]
        best = covered.index(min(covered))
        right, up, side = _PLACES[best]
        taken.append(boxes[best])
        note(ax, point.name, (point.x, point.y), (right, up), ha=side, bbox=_PAPER, zorder=5)


def _text_box(text: str, x: float, y: float, side: str) -> _Box:
    width, height = _LETTER * SMALL_SIZE * len(text), 1.3 * SMALL_SIZE
    left = {"left": x, "right": x - width, "center": x - width / 2}[side]
    return _Box(left, y - height / 2, left + width, y + height / 2)
