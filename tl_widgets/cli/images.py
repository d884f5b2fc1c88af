"""What the terminal says about the images before anything is trained."""

from __future__ import annotations

from itertools import zip_longest

import numpy as np
from rich.console import Console

from tl_widgets.core.translation import _, in_english
from tl_widgets.data.dataset import ImageDataset, LoadReport
from tl_widgets.data.quality import check_dataset

_MAX_CLASSES = 20


_SERIOUS = ("near_duplicates", "dark_class", "blank", "repeated")  # told even if quiet


def show_images(console: Console, dataset: ImageDataset, *, quiet: bool = False, class_weights: bool = False) -> None:
    """Print the classes, where each comes from, what was guessed, skipped or left out, and what may be wrong.

    If `quiet`, only what was skipped or left aside and what spoils a comparison are printed.
    """
    report = dataset.report
    findings = check_dataset(dataset, class_weights=class_weights)
    if quiet:
        sentences = _warnings(report) if report else []
        sentences += [f"{issue.text} {issue.advice}" for issue in findings if issue.kind in _SERIOUS]
    else:
        _show_classes(console, dataset)
        sentences = report.sentences[1:] if report else []
        sentences += [f"{issue.text} {issue.advice}" for issue in findings]
    for sentence in sentences:
        console.print(_("Note: {sentence}", sentence=sentence), soft_wrap=True)


def _show_classes(console: Console, dataset: ImageDataset) -> None:
    splits = (dataset.train, dataset.validation, dataset.test)
    counts = np.array([np.bincount(split.labels, minlength=dataset.n_classes) for split in splits])
    n_train, n_validation, n_test = counts.sum(axis=1)
    console.print(
        _(
            "{dataset_name}: {n:,} images in {n_classes} classes; {n_train:,} for training, "
            "{n_validation:,} for validation, {n_test:,} for the test",
            dataset_name=dataset.name,
            n=counts.sum(),
            n_classes=dataset.n_classes,
            n_train=n_train,
            n_validation=n_validation,
            n_test=n_test,
        ),
        soft_wrap=True,
    )
    shown = dataset.class_names[:_MAX_CLASSES]
    places = dataset.report.where if dataset.report else ()
    width = min(max(map(len, shown)), 40)
    for name, n, where in zip_longest(shown, counts.sum(axis=0)[: len(shown)], places[: len(shown)], fillvalue=""):
        console.print(f"  {name:<{width}}  {n:>6,}  {where}".rstrip(), soft_wrap=True)
    if (rest := dataset.n_classes - len(shown)) > 0:
        console.print(_("  and {rest:,} more classes", rest=rest), soft_wrap=True)


def _warnings(report: LoadReport) -> list[str]:
    """Return the sentences of a report on what isn't used."""
    starts = ("Skipped", "Ignored", "Images that", "Left aside", "Left out")
    sentences = {text: in_english(text) for text in report.sentences}
    return [text for text, english in sentences.items() if english.startswith(starts) or "left aside" in english]
