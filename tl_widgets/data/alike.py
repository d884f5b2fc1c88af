"""What to do about images that look almost the same: keep them together, or leave all but one of them out."""

from __future__ import annotations

from dataclasses import replace

from tl_widgets.core.arguments import checked
from tl_widgets.data.checks.near_duplicates import alike_pairs
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.records.provenance import NO_EDITS, Edits


def find_alike(dataset: ImageDataset) -> tuple[tuple[str, ...], ...]:
    """Return sets of files that look almost the same, in any split, as paths relative to the root of their folder.

    The result is empty for a data set that didn't come from a folder.
    """
    origin, report = dataset.origin, dataset.report
    if origin is None or origin.kind != "folder" or report is None:
        return ()
    splits = (dataset.train, dataset.validation, dataset.test)
    names = [report.files.get(key, "") for split in splits for key in split.keys]
    parent = {name: name for name in names if name}

    def root(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    for first, second in alike_pairs(splits):
        if names[first] and names[second]:
            parent[root(names[second])] = root(names[first])
    sets: dict[str, list[str]] = {}
    for name in parent:
        sets.setdefault(root(name), []).append(name)
    # Names in the report begin at the folder that holds the classes, or train/ and test/.
    split, place = origin.folders[0]
    above = place.rpartition("/")[0] if split else place
    prefix = f"{above}/" if above and not origin.parts else ""
    alike = (sorted(prefix + name for name in members) for members in sets.values() if len(members) > 1)
    return tuple(sorted(map(tuple, alike)))


@checked
def keep_together(dataset: ImageDataset) -> Edits:
    """Return the edits of a folder's data set, with images that look almost the same kept on one side of the split.

    Load it again with them: `load_folder(path, edits=keep_together(dataset))`. Images that are alike only to a person,
    such as other photographs of one scene, need the argument `groups` of `load_folder`.

    Args:
        dataset: What `load_folder` returned.
    """
    edits = dataset.origin.edits if dataset.origin else NO_EDITS
    new = tuple(members for members in find_alike(dataset) if members not in edits.together)
    return replace(edits, together=edits.together + new)


@checked
def leave_out_copies(dataset: ImageDataset) -> Edits:
    """Return the edits of a folder's data set, with one image left of those that look almost the same.

    Load it again with them: `load_folder(path, edits=leave_out_copies(dataset))`.

    Args:
        dataset: What `load_folder` returned.
    """
    edits = dataset.origin.edits if dataset.origin else NO_EDITS
    copies = {name for members in find_alike(dataset) for name in members[1:]}
    return replace(edits, left_out=tuple(sorted({*edits.left_out, *copies})))
