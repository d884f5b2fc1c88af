"""Where a data set came from, exactly enough to load the same images again. A leaf: stdlib only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True)
class Origin:
    """What to do to get the same images in the same split.

    Attributes:
        kind: "built-in" (the name of the data set says which) or "folder" (of your own, or a zip archive).
        seed: of the split and of the choice of `n_per_class` images.
        n_per_class: training images of each class that were taken; None for all.
        path: of the folder or zip archive, absolute; "" for a built-in one.
        folders: where the class folders lie below `path`: (("", folder),), or, where the split is given,
            one (split, folder) each for "train", "test" and perhaps "validation". Parts are joined by "/".
        classes: those that were chosen; () for all.
    """

    kind: Literal["built-in", "folder"]
    seed: int = 0
    n_per_class: int | None = None
    path: str = ""
    folders: tuple[tuple[str, str], ...] = ()
    classes: tuple[str, ...] = ()

    def take(self, n_per_class: int, seed: int) -> Origin | None:
        """The origin of what `ImageDataset.take` leaves; None where these fields cannot say it."""
        if self.n_per_class is not None or seed != self.seed:
            return None
        return replace(self, n_per_class=n_per_class)
