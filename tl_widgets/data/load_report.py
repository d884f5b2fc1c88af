"""LoadReport, what was read from a folder and what was not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tl_widgets.core.translation import _, ngettext


@dataclass(frozen=True)
class LoadReport:
    """How many files of a folder were read, and which were not and why.

    Attributes:
        n_read: number of images in all splits.
        skipped: (file, reason) for each unusable file.
        duplicates: (file, identical file) for each file that was left out as a copy.
        notes: sentences on what was guessed, and on anything else that affects the result.
        files: printable file name of each image that was read, by its `image_key`.
        where: for each class, where its images come from, such as "cat/" or "labels.csv, label = cat".
    """

    n_read: int
    skipped: tuple[tuple[str, str], ...] = ()
    duplicates: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    files: Mapping[bytes, str] = field(default_factory=dict, compare=False, repr=False)
    where: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """The report in a few sentences; long lists are cut to their first three items."""
        return " ".join(self.sentences)

    @property
    def sentences(self) -> list[str]:
        """The sentences of `summary`: number of images, skipped files, copies, notes."""
        sentences = [_("Read {n_read:,} images.", n_read=self.n_read)]
        if self.skipped:
            examples = first_few([f"{name} ({reason})" for name, reason in self.skipped])
            sentences.append(_("Skipped {files}: {examples}.", files=self.skipped_count, examples=examples))
        if self.duplicates:
            examples = first_few(
                [_("{name} equals {other}", name=name, other=other) for name, other in self.duplicates]
            )
            sentences.append(
                _(
                    "Left out {n_duplicates:,} with the same content as another: {examples}.",
                    n_duplicates=len(self.duplicates),
                    examples=examples,
                )
            )
        return [*sentences, *self.notes]

    @property
    def skipped_count(self) -> str:
        """Number of skipped files as text, such as "1 file" or "1,204 files"."""
        return ngettext("{n:,} file", "{n:,} files", len(self.skipped))


def first_few(items: list[str], n_shown: int = 3) -> str:
    """Join the items, cut to the first few: "a; b; c and 7 more"."""
    rest = len(items) - n_shown
    return "; ".join(items[:n_shown]) + (_(" and {rest:,} more", rest=rest) if rest > 0 else "")
