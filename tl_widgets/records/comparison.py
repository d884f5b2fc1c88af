"""The record of a comparison, and the base of all studies' records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tl_widgets.core.config import Config
from tl_widgets.core.errors import InputError
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _
from tl_widgets.records.codec import FORMAT, dump, from_plain, load, to_plain
from tl_widgets.records.folds import Folds
from tl_widgets.records.kinds import Difference, Share
from tl_widgets.records.repeats import Repeats
from tl_widgets.records.run import (
    ClassFigures as ClassFigures,
    Diagnosis as Diagnosis,
    FineTuning as FineTuning,
    History as History,
    RunResult as RunResult,
    Seconds as Seconds,
)
from tl_widgets.records.statistics import Interval
from tl_widgets.records.study_record import (
    DatasetSummary as DatasetSummary,
    Environment as Environment,
    StudyFailure as StudyFailure,
    StudyRecord as StudyRecord,
    require_usable as require_usable,
)

if TYPE_CHECKING:
    import pandas

# Limits for files: no experiment exceeds them, and larger values would freeze the page that shows them.
_MAX_CLASSES = 5_000  # a confusion matrix of them takes 200 MB


@dataclass(frozen=True)
class Verdict:
    """Which of two models won on the same test images, if either did.

    Attributes:
        text: The verdict in a sentence or two.
        winner: "transfer", "scratch", or "" if it is too close to call or was stopped.
        accuracy_difference: Transfer minus scratch, -1..1, or its mean over several seeds; None if a test is missing.
        ci95: Newcombe's 95% interval of that difference over test images; with several seeds, Student's t over seeds.
        p_value: McNemar's exact p-value; None with several seeds, where the interval decides.
    """

    text: str
    winner: str = ""
    accuracy_difference: Difference | None = None
    ci95: Interval | None = None
    p_value: Share | None = None


@dataclass(frozen=True)
class Comparison(StudyRecord):
    """The result of training models on the same images and testing each of them once.

    Attributes:
        dataset: A summary of the images.
        config: All settings.
        scratch, transfer: The two models; None if Stop was pressed before their training.
        control: The backbone with random weights, if it was requested.
        verdict: Which model won, if either did.
        environment: The versions and the hardware.
        fine_tuned: The transfer model after fine-tuning, if it was requested.
        repeats: The test accuracies of all seeds; the models above belong to the first seed. None with one seed.
        folds: Which image was tested in which fold; None without cross-validation. With it, each run above holds the
            answers to all these images, the mean curves, the sum of seconds, and the model of the first fold.
    """

    dataset: DatasetSummary
    config: Config
    scratch: RunResult | None
    transfer: RunResult | None
    control: RunResult | None
    verdict: Verdict
    environment: Environment
    fine_tuned: RunResult | None = None
    repeats: Repeats | None = None
    folds: Folds | None = None

    @property
    def runs(self) -> tuple[RunResult, ...]:
        """The trained models, in the order of `ModelName`."""
        return tuple(run for run in (self.scratch, self.transfer, self.control, self.fine_tuned) if run is not None)

    @property
    def stopped(self) -> bool:
        """Whether Stop was pressed before the end."""
        return not self.is_whole or any(part.stopped for part in (self.repeats, self.folds) if part is not None)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The verdict's text, in a tuple as in every study."""
        return (self.verdict.text,)

    @property
    def headline(self) -> str:
        """The verdict without its reasons."""
        return f"{self.verdict.text.partition(': ')[0].rstrip('.')}."

    @property
    def failures(self) -> tuple[StudyFailure, ...]:
        """The seeds or folds that could not be measured."""
        seeds = self.repeats.failures if self.repeats else ()
        folds = self.folds.failures if self.folds else ()
        return tuple(
            StudyFailure(part, text) for part, texts in ((_("a seed"), seeds), (_("a fold"), folds)) for text in texts
        )

    @property
    def is_whole(self) -> bool:
        """Whether all models of the first seed or fold were trained to the end."""
        names = {run.name for run in self.runs}
        return names >= set(self.config.model_names) and not any(run.stopped for run in self.runs)

    def fold_accuracies(self, name: str) -> tuple[float, ...]:
        """Return a model's test accuracy in each fold, 0..1; empty without folds or test."""
        run = next((run for run in self.runs if run.name == name and run.labels), None)
        if self.folds is None or run is None:
            return ()
        return self.folds.accuracies(np.equal(run.labels, run.predictions))

    def without_models(self) -> Comparison:
        """Return a copy without the trained models, which take memory."""
        runs: dict[str, Any] = {run.name: replace(run, model=None) for run in self.runs}
        return replace(self, **runs)

    def to_json(self) -> str:
        """Return the record as JSON text, which `Comparison.from_json` reads back."""
        plain = to_plain(self)
        runs = {run.name: _flat_run(run, plain[run.name]) for run in self.runs}
        repeats = self.repeats and {**plain["repeats"], **self.repeats.statistics}
        folds = self.folds and {**plain["folds"], "accuracies": {name: self.fold_accuracies(name) for name in runs}}
        return dump({"format": FORMAT, **plain, **runs, "repeats": repeats, "folds": folds})

    @staticmethod
    def from_json(text: str) -> Comparison:
        """Read a record that `to_json` wrote.

        Raises:
            InputError: The text isn't such a record.
        """
        try:
            return _read(load(text))
        except InputError as error:
            raise InputError(
                _(
                    "This text is not a record of a comparison ({error}). Give the JSON that `tl-widgets "
                    "compare --json FILE` or Comparison.to_json() wrote.",
                    error=error,
                )
            ) from None

    def to_frame(self) -> pandas.DataFrame:
        """Return a pandas DataFrame with one row for each model.

        Raises:
            InputError: pandas isn't installed.
        """
        try:
            import pandas
        except ModuleNotFoundError:
            raise InputError(_("to_frame() needs pandas, which is not installed: pip install pandas.")) from None
        return pandas.DataFrame(
            {
                "test_accuracy": run.test_accuracy,
                "ci95_low": run.test_accuracy_ci95[0] if run.test_accuracy_ci95 else None,
                "ci95_high": run.test_accuracy_ci95[1] if run.test_accuracy_ci95 else None,
                "trainable_params": run.params.trainable,
                "frozen_params": run.params.frozen,
                "total_params": run.params.total,
                "seconds": run.seconds.total,
            }
            for run in self.runs
        ).set_index(pandas.Index([run.name for run in self.runs], name="model"))


def require_comparison(comparison: object) -> None:
    """Raise `InputError` unless the argument is a `Comparison`."""
    if not isinstance(comparison, Comparison):
        raise InputError(
            _(
                "Give a Comparison, such as the result of compare(dataset); received {comparison}.",
                comparison=shown(comparison),
            )
        )


def _flat_run(run: RunResult, plain: dict[str, Any]) -> dict[str, Any]:
    """Return a run as records hold it: accuracy added, fields that don't apply left out."""
    left_out = {"name", "class_names", "params", *([] if run.backbone else ["backbone", "weights", "weights_sha256"])}
    figures = {
        "name": run.name,
        "test_accuracy": run.test_accuracy,
        "test_accuracy_ci95": run.test_accuracy_ci95,
        "trainable_params": run.params.trainable,
        "frozen_params": run.params.frozen,
        "total_params": run.params.total,
    }
    rest = {name: value for name, value in plain.items() if name not in left_out}
    if run.is_uneven:
        figures |= {"balanced_accuracy": run.balanced_accuracy, "balanced_accuracy_ci95": run.balanced_accuracy_ci95}
    if rest["fine_tuning"] is None:
        del rest["fine_tuning"]
    return {**figures, **rest, "seconds": {**rest["seconds"], "total": run.seconds.total}}


def _run_fields(flat: Any, class_names: Any) -> Any:
    """Undo `_flat_run`."""
    if not isinstance(flat, dict) or not isinstance(flat.get("seconds"), dict):
        return flat
    computed = ("test_accuracy", "test_accuracy_ci95", "total_params", "balanced_accuracy", "balanced_accuracy_ci95")
    fields = {name: value for name, value in flat.items() if name not in computed}
    for name in ("trainable_params", "frozen_params"):
        if name not in fields:
            raise InputError(_("{name} is missing", name=name))
    fields["params"] = {"trainable": fields.pop("trainable_params"), "frozen": fields.pop("frozen_params")}
    fields["seconds"] = {name: value for name, value in flat["seconds"].items() if name != "total"}
    return {**fields, "class_names": class_names}


def _read(record: dict[str, Any]) -> Comparison:
    if record.get("format") != FORMAT:
        raise InputError(
            _(
                "it has format {value!r:.40}; this version reads format {format}",
                value=record.pop("format", None),
                format=FORMAT,
            )
        )
    del record["format"]
    dataset, repeats = record.get("dataset"), record.get("repeats")
    class_names = dataset.get("class_names") if isinstance(dataset, dict) else None
    runs = {name.value: _run_fields(record[name], class_names) for name in ModelName if name in record}
    if isinstance(repeats, dict):  # the statistics are for other programs; we compute them again
        record["repeats"] = {name: value for name, value in repeats.items() if name not in ("means", "difference")}
    if isinstance(record.get("folds"), dict):
        record["folds"] = {name: value for name, value in record["folds"].items() if name != "accuracies"}
    comparison = from_plain(Comparison, {**record, **runs})
    _require_consistent(comparison)
    require_usable(comparison)
    return comparison


def _require_plausible(comparison: Comparison) -> None:
    """Reject values that no experiment can produce."""
    dataset, names = comparison.dataset, tuple(ModelName)
    if len(dataset.class_names) > _MAX_CLASSES:
        raise InputError(
            _(
                "it has {n_class_names:,} classes; at most {max_classes:,} are allowed",
                n_class_names=len(dataset.class_names),
                max_classes=_MAX_CLASSES,
            )
        )
    for run in comparison.runs:
        if getattr(comparison, run.name if run.name in names else "", None) is not run:
            raise InputError(_("{run_name!r:.40} is in the place of another model", run_name=run.name))


def _require_consistent(comparison: Comparison) -> None:
    """Reject numbers that contradict each other, because a file may hold anything."""
    dataset = comparison.dataset
    n_classes = len(dataset.class_names)
    _require_plausible(comparison)
    if n_classes < 2 or dataset.image_size < 1:
        raise InputError(_("its data set has fewer than two classes, or impossible sizes"))
    for run in comparison.runs:
        n_test = len(run.labels)
        if len(run.predictions) != n_test or len(run.probabilities) != n_test:
            raise InputError(
                _(
                    "{run_name!r:.40} has {n_test} labels, but a different number of predictions",
                    run_name=run.name,
                    n_test=n_test,
                )
            )
        if any(not 0 <= label < n_classes for label in (*run.labels, *run.predictions)):
            raise InputError(
                _(
                    "{run_name!r:.40} has answers outside its {n_classes} classes",
                    run_name=run.name,
                    n_classes=n_classes,
                )
            )
        if any(len(row) != n_classes for row in run.probabilities):
            raise InputError(
                _(
                    "{run_name!r:.40} doesn't have one probability for each of its {n_classes} classes",
                    run_name=run.name,
                    n_classes=n_classes,
                )
            )
    if len({run.labels for run in comparison.runs if run.labels}) > 1:
        raise InputError(_("its models were not tested on the same images"))
    if comparison.folds:
        _require_folds(comparison, comparison.folds)
    points = comparison.repeats.points if comparison.repeats else ()
    if len({point.seed for point in points}) < len(points):
        raise InputError(_("two of its repeats have the same seed"))


def _require_folds(comparison: Comparison, folds: Folds) -> None:
    """Reject folds that test no images, or one image twice, or that don't fit the answers."""
    rows, dataset = folds.rows, comparison.dataset
    n_images = dataset.n_train + dataset.n_validation + dataset.n_test
    if not folds.points or not all(fold.rows for fold in folds.points):
        raise InputError(_("one of its folds has no images"))
    if len(np.unique(rows)) < len(rows) or rows[0] < 0 or rows[-1] >= n_images:
        raise InputError(_("its folds do not test each of its {n_images} images at most once", n_images=n_images))
    if any(len(run.labels) not in (0, len(rows)) for run in comparison.runs):
        raise InputError(
            _("its folds tested {n_rows} images, but a model has a different number of answers", n_rows=len(rows))
        )
