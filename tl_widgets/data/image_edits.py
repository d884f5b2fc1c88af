"""Classes renamed or dropped and files left out, without touching a file: applied to a layout that was found."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from tl_widgets.core.errors import InputError
from tl_widgets.data.archives import printable
from tl_widgets.data.dataset import Rows
from tl_widgets.data.folder_layout import Layout
from tl_widgets.records.provenance import Edits

MAX_NAME = 80  # characters of a class name: it must fit into figures and tables


def require_class_name(name: object) -> str:
    """A class name without spaces around it.

    Raises:
        InputError: it is empty, too long, or holds characters that cannot be shown.
    """
    text = name.strip() if isinstance(name, str) else ""
    if not text or len(text) > MAX_NAME or printable(text) != text:
        raise InputError(
            f"{name!r:.100} cannot be the name of a class: give 1 to {MAX_NAME} characters that can be shown."
        )
    return text


def require_edits(layout: Layout, edits: Edits, where: str) -> None:
    """Raise `InputError` unless the edits fit these images.

    Args:
        layout: of all that is there.
        edits: to be applied.
        where: the images' path, for messages.

    Raises:
        InputError: a folder is not there, two classes would bear one name, or fewer than two would be left.
    """
    folders = [folder for folder, _ in edits.renamed] + list(edits.dropped)
    if missing := sorted(set(folders) - set(layout.class_names)):
        raise InputError(
            f"{where} has no class folder {missing[0]!r}, which was renamed or dropped. Put it back, or begin anew."
        )
    names = [edits.name_of(folder) for folder in layout.class_names if folder not in edits.dropped]
    if twice := [name for name, n in Counter(names).items() if n > 1]:
        raise InputError(f"Two classes of {where} would be called {twice[0]!r}. Give each a name of its own.")
    if len(names) < 2:
        raise InputError(f"{where} has {len(names)} class left; it takes at least two. Take one back.")


def edited(layout: Layout, edits: Edits) -> tuple[Layout, Rows]:
    """The layout after the edits.

    Args:
        layout: of all or of some classes.
        edits: those that fit it (`require_edits`).

    Returns:
        The layout, its classes sorted by their new names, its files class by class; and for each file its row in
        the layout before, int64, shape (n_files,). Unchanged where there are no edits.
    """
    if not edits:
        return layout, np.arange(len(layout.files), dtype=np.int64)
    kept = [folder for folder in layout.class_names if folder not in edits.dropped]
    names = sorted(edits.name_of(folder) for folder in kept)
    label_of = {layout.class_names.index(folder): names.index(edits.name_of(folder)) for folder in kept}
    left_out = set(edits.left_out)
    rows = [i for i, one in enumerate(layout.files) if one.label in label_of and one.file.name not in left_out]
    rows.sort(key=lambda i: (label_of[layout.files[i].label], i))
    files = tuple(replace(layout.files[i], label=label_of[layout.files[i].label]) for i in rows)
    n_out = sum(one.file.name in left_out for one in layout.files if one.label in label_of)
    notes = layout.notes
    if dropped := [folder for folder in layout.class_names if folder in edits.dropped]:
        notes += (f"Classes left aside: {', '.join(dropped)}.",)
    if n_out:
        notes += (f"Left out by hand: {n_out:,} image{'s' if n_out != 1 else ''}.",)
    return replace(layout, files=files, class_names=tuple(names), notes=notes), np.array(rows, np.int64)
