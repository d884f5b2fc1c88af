"""What the terminal says about the images of a folder before anything is trained."""

from __future__ import annotations

import numpy as np
from rich.console import Console

from tl_widgets.data.dataset import ImageDataset, LoadReport

_MAX_CLASSES = 20


def show_images(console: Console, dataset: ImageDataset, *, quiet: bool = False) -> None:
    """Print the classes of a folder, where each comes from, and what was guessed, skipped or left out.

    If `quiet`, only what was skipped and near-duplicates in two splits are printed.
    """
    report = dataset.report
    if report is None:
        return
    if quiet:
        for sentence in _warnings(dataset, report):
            console.print(f"Note: {sentence}", soft_wrap=True)
        return
    splits = (dataset.train, dataset.validation, dataset.test)
    counts = np.array([np.bincount(split.labels, minlength=dataset.n_classes) for split in splits])
    n_train, n_validation, n_test = counts.sum(axis=1)
    console.print(
        f"{dataset.name}: {counts.sum():,} images in {dataset.n_classes} classes; {n_train:,} for training, "
        f"{n_validation:,} for validation, {n_test:,} for the test",
        soft_wrap=True,
    )
    shown = dataset.class_names[:_MAX_CLASSES]
    width = min(max(map(len, shown)), 40)
    for name, n, where in zip(shown, counts.sum(axis=0), report.where or [""] * len(shown), strict=False):
        console.print(f"  {name:<{width}}  {n:>6,}  {where}".rstrip(), soft_wrap=True)
    if (rest := dataset.n_classes - len(shown)) > 0:
        console.print(f"  and {rest:,} more classes", soft_wrap=True)
    for sentence in report.sentences[1:]:
        console.print(f"Note: {sentence}", soft_wrap=True)


def _warnings(dataset: ImageDataset, report: LoadReport) -> list[str]:
    from tl_widgets.data.quality import check_dataset

    leaks = [issue for issue in check_dataset(dataset) if issue.kind == "near_duplicates"]
    skipped = [sentence for sentence in report.sentences if sentence.startswith("Skipped")]
    return [*(f"{issue.text} {issue.advice}" for issue in leaks), *skipped]
