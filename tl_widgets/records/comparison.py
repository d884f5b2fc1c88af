"""The record of a comparison, and the base of all studies' records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from tl_widgets.core.config import Config
from tl_widgets.core.errors import InputError
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.text import shown
from tl_widgets.records.codec import FORMAT, dump, from_plain, load, to_plain
from tl_widgets.records.folds import Folds
from tl_widgets.records.kinds import Count, Difference, Share
from tl_widgets.records.provenance import Origin
from tl_widgets.records.repeats import Repeats
from tl_widgets.records.run import ClassFigures, Diagnosis, FineTuning, History, RunResult, Seconds
from tl_widgets.records.statistics import Interval

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class StudyFailure:
    """A point that couldn't be measured: its description, and why."""

    point: str
    text: str


class StudyRecord:
    """Base of a study's result: a frozen dataclass with JSON output and input.

    `tl_widgets.studies.study.StudyResult` lists what else every result has.
    """

    dataset: DatasetSummary

    @property
    def datasets(self) -> tuple[DatasetSummary, ...]:
        """The data sets that the study used."""
        return (self.dataset,)

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """A table of texts, titles first; empty if the sentences say everything."""
        return ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings in plain sentences."""
        return ()

    @property
    def headline(self) -> str:
        """The answer in one sentence; the first one if the study has no shorter one."""
        return next(iter(self.sentences), "")

    @property
    def lost_arms(self) -> tuple[str, ...]:
        """The kinds of model whose points all failed."""
        return ()

    def to_json(self) -> str:
        """Return the record as JSON text for `from_json` of the same class."""
        return dump({"format": FORMAT, "study": type(self).__name__, **to_plain(self)})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a record that `to_json` wrote."""
        advice = "Give the JSON that `tl-widgets study NAME --json FILE` or to_json() wrote."
        try:
            record = load(text)
            if (record.pop("format", None), record.pop("study", None)) != (FORMAT, cls.__name__):
                raise InputError(f"it is not a {cls.__name__} of format {FORMAT}")
            result = from_plain(cls, record)
            require_usable(result)
            return result
        except InputError as error:
            raise InputError(f"This text is not a record of a {cls.__name__} ({error}). {advice}") from None


def require_usable(record: StudyRecord) -> None:
    """Raise `InputError` if a record that was read can't be shown or written again."""
    try:
        _ = record.rows, record.sentences, record.to_json()
    except Exception as error:  # numbers that contradict each other may fail in any of the statistics
        raise InputError(f"its parts contradict each other: {type(error).__name__}: {error}"[:200]) from None


__all__ = [
    "ClassFigures",
    "Comparison",
    "DatasetSummary",
    "Diagnosis",
    "Environment",
    "FineTuning",
    "History",
    "RunResult",
    "Seconds",
    "Verdict",
    "require_comparison",
    "require_usable",
]

# Limits for files: no experiment exceeds them, and larger values would freeze the page that shows them.
_MAX_CLASSES = 5_000  # a confusion matrix of them takes 200 MB


@dataclass(frozen=True)
class DatasetSummary:
    """The images of an experiment.

    Attributes:
        image_size: The side in pixels.
        class_names: One name for each label.
        n_train, n_validation, n_test: Images in each split.
        source: Where the images come from, for people.
        origin: How to load them again; None if that isn't known.
        fingerprint: A hash of all images and labels (`ImageDataset.fingerprint`).
    """

    name: str
    image_size: Count
    class_names: tuple[str, ...]
    n_train: Count
    n_validation: Count
    n_test: Count
    source: str = ""
    origin: Origin | None = None
    fingerprint: str = ""


@dataclass(frozen=True)
class Environment:
    """The versions and the hardware of an experiment.

    Attributes:
        python, tensorflow, keras, tl_widgets: Versions.
        cpu_count: CPU cores that the process could use.
        device: "CPU" or the GPU's name.
        onednn: Whether TensorFlow used oneDNN, which rounds in other places; None in records from before.
    """

    python: str
    tensorflow: str
    keras: str
    tl_widgets: str
    cpu_count: Count
    device: str = "CPU"
    onednn: bool | None = None


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
            StudyFailure(part, text) for part, texts in (("a seed", seeds), ("a fold", folds)) for text in texts
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
                f"This text is not a record of a comparison ({error}). "
                "Give the JSON that `tl-widgets compare --json FILE` or Comparison.to_json() wrote."
            ) from None

    def to_frame(self) -> pandas.DataFrame:
        """Return a pandas DataFrame with one row for each model.

        Raises:
            InputError: pandas isn't installed.
        """
        try:
            import pandas
        except ModuleNotFoundError:
            raise InputError("to_frame() needs pandas, which is not installed: pip install pandas.") from None
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
        raise InputError(f"Give a Comparison, such as the result of compare(dataset); received {shown(comparison)}.")


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
            raise InputError(f"{name} is missing")
    fields["params"] = {"trainable": fields.pop("trainable_params"), "frozen": fields.pop("frozen_params")}
    fields["seconds"] = {name: value for name, value in flat["seconds"].items() if name != "total"}
    return {**fields, "class_names": class_names}


def _read(record: dict[str, Any]) -> Comparison:
    if record.get("format") != FORMAT:
        raise InputError(f"it has format {record.pop('format', None)!r:.40}; this version reads format {FORMAT}")
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
        raise InputError(f"it has {len(dataset.class_names):,} classes; at most {_MAX_CLASSES:,} are allowed")
    for run in comparison.runs:
        if getattr(comparison, run.name if run.name in names else "", None) is not run:
            raise InputError(f"{run.name!r:.40} is in the place of another model")


def _require_consistent(comparison: Comparison) -> None:
    """Reject numbers that contradict each other, because a file may hold anything."""
    dataset = comparison.dataset
    n_classes = len(dataset.class_names)
    _require_plausible(comparison)
    if n_classes < 2 or dataset.image_size < 1:
        raise InputError("its data set has fewer than two classes, or impossible sizes")
    for run in comparison.runs:
        n_test = len(run.labels)
        if len(run.predictions) != n_test or len(run.probabilities) != n_test:
            raise InputError(f"{run.name!r:.40} has {n_test} labels, but a different number of predictions")
        if any(not 0 <= label < n_classes for label in (*run.labels, *run.predictions)):
            raise InputError(f"{run.name!r:.40} has answers outside its {n_classes} classes")
        if any(len(row) != n_classes for row in run.probabilities):
            raise InputError(f"{run.name!r:.40} doesn't have one probability for each of its {n_classes} classes")
    if len({run.labels for run in comparison.runs if run.labels}) > 1:
        raise InputError("its models were not tested on the same images")
    if comparison.folds:
        _require_folds(comparison, comparison.folds)
    points = comparison.repeats.points if comparison.repeats else ()
    if len({point.seed for point in points}) < len(points):
        raise InputError("two of its repeats have the same seed")


def _require_folds(comparison: Comparison, folds: Folds) -> None:
    """Reject folds that test no images, or one image twice, or that don't fit the answers."""
    rows, dataset = folds.rows, comparison.dataset
    n_images = dataset.n_train + dataset.n_validation + dataset.n_test
    if not folds.points or not all(fold.rows for fold in folds.points):
        raise InputError("one of its folds has no images")
    if len(np.unique(rows)) < len(rows) or rows[0] < 0 or rows[-1] >= n_images:
        raise InputError(f"its folds do not test each of its {n_images} images at most once")
    if any(len(run.labels) not in (0, len(rows)) for run in comparison.runs):
        raise InputError(f"its folds tested {len(rows)} images, but a model has a different number of answers")
