"""The blocks after which the "depth" study cuts a backbone, and how long its heads learn."""

from __future__ import annotations

from collections.abc import Sequence

from tl_widgets.core.settings import Whole

EPOCHS = 50  # a head on the few features of the first blocks is far from trained after ten
_MOST = 16  # if the backbone has more and nobody says which


def chosen_blocks(backbone: str, blocks: Sequence[int] | None) -> tuple[int, ...]:
    """Return the numbers of the blocks after which a backbone is cut, ascending; the last one is the whole backbone.

    Raises:
        InputError: there is no such backbone, its blocks are not known, or it does not have one of them.
    """
    from tl_widgets.backbones.catalogue import find_backbone  # the help doesn't load it

    entry = find_backbone(backbone)
    entry.cut_after(1)  # or say that its blocks are not known
    n = len(entry.cuts) + 1
    if blocks is None:
        n_cuts = min(n, _MOST)
        return tuple(1 + round(i * (n - 1) / (n_cuts - 1)) for i in range(n_cuts))
    for block in blocks:
        Whole(1, n).check("blocks", block)
    return tuple(sorted({*map(int, blocks), n}))
