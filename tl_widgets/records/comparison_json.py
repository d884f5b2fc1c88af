"""A comparison as one JSON object, so that other programs can read a run. Standard library only."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from tl_widgets.core.config import Config, FineTuningSpec, ScratchSpec
from tl_widgets.core.errors import InputError
from tl_widgets.core.model_name import ModelName
from tl_widgets.records.comparison import (
    Comparison,
    DatasetSummary,
    Diagnosis,
    Environment,
    FineTuning,
    History,
    RunResult,
    Seconds,
    Verdict,
)
from tl_widgets.records.parameters import ParameterCount
from tl_widgets.records.provenance import Edits, Origin
from tl_widgets.records.repeats import Repeat, Repeats
from tl_widgets.records.type_checks import require_types, why_no_record

FORMAT = 1
_MOST_CLASSES = 5_000  # a confusion matrix of them takes 200 MB
_LONGEST_TEXT = 20_000
_MOST = 10**15


def _run_to_record(run: RunResult | None) -> dict[str, Any] | None:
    if run is None:
        return None
    record = {
        "name": run.name,
        "test_accuracy": run.test_accuracy,
        "test_accuracy_ci95": run.test_accuracy_ci95,
        "trainable_params": run.params.trainable,
        "frozen_params": run.params.frozen,
        "total_params": run.params.total,
        "seconds": {**asdict(run.seconds), "total": run.seconds.total},
        "history": asdict(run.history),
        "labels": run.labels,
        "predictions": run.predictions,
        "probabilities": run.probabilities,
        "diagnoses": [asdict(diagnosis) for diagnosis in run.diagnoses],
        "stopped": run.stopped,
        "device": run.device,
    }
    if run.backbone:
        record |= {"backbone": run.backbone, "weights": run.weights, "weights_sha256": run.weights_sha256}
    if run.fine_tuning:
        record["fine_tuning"] = asdict(run.fine_tuning)
    return record


def _run_from_record(record: dict[str, Any] | None, class_names: tuple[str, ...]) -> RunResult | None:
    if record is None:
        return None
    seconds = {name: value for name, value in record["seconds"].items() if name != "total"}
    return RunResult(
        name=record["name"],
        class_names=class_names,
        params=ParameterCount(record["trainable_params"], record["frozen_params"]),
        seconds=Seconds(**seconds),
        history=History(**{name: tuple(values) for name, values in record["history"].items()}),
        labels=tuple(record["labels"]),
        predictions=tuple(record["predictions"]),
        probabilities=tuple(tuple(row) for row in record["probabilities"]),
        diagnoses=tuple(Diagnosis(**diagnosis) for diagnosis in record["diagnoses"]),
        stopped=record["stopped"],
        device=record["device"],
        backbone=record.get("backbone", ""),
        weights=record.get("weights", ""),
        weights_sha256=record.get("weights_sha256", ""),
        fine_tuning=FineTuning(**record["fine_tuning"]) if "fine_tuning" in record else None,
    )


def _repeats_to_record(repeats: Repeats | None) -> dict[str, Any] | None:
    if repeats is None:
        return None
    means = {name: repeats.mean(name) for name in ModelName}
    found = {name: asdict(mean) for name, mean in means.items() if mean}
    difference = repeats.difference()
    # The statistics are for other programs; `_repeats_from_record` computes them again.
    return {**asdict(repeats), "means": found, "difference": asdict(difference) if difference else None}


def _repeats_from_record(record: dict[str, Any] | None) -> Repeats | None:
    if record is None:
        return None
    fields = {name: record[name] for name in ("n_wanted", "n_test", "stopped")}
    points = tuple(Repeat(**point) for point in record["points"])
    return Repeats(**fields, points=points, failures=tuple(record["failures"]))


def config_from_record(record: dict[str, Any]) -> Config:
    """Read the `config` of a record.

    Raises:
        InputError: a value is not allowed.
    """
    tuning = record.get("fine_tuning")  # older records have none
    spec = FineTuningSpec(**tuning) if tuning else None
    return Config(**{**record, "scratch": ScratchSpec(**record["scratch"]), "fine_tuning": spec})


def comparison_to_json(comparison: Comparison) -> str:
    """The record that `tl-widgets compare --json` writes."""
    record = {
        "format": FORMAT,
        "dataset": asdict(comparison.dataset),
        "config": asdict(comparison.config),
        "scratch": _run_to_record(comparison.scratch),
        "transfer": _run_to_record(comparison.transfer),
        "control": _run_to_record(comparison.control),
        "fine_tuned": _run_to_record(comparison.fine_tuned),
        "repeats": _repeats_to_record(comparison.repeats),
        "verdict": asdict(comparison.verdict),
        "environment": asdict(comparison.environment),
    }
    # A loss can become infinite or NaN; JSON has no word for either, and Python's own is read back by Python only.
    return json.dumps(_plain(record), indent=1, allow_nan=False)


def _plain(value: Any) -> Any:
    """Replace NaN and infinities by strings, which `float` reads back."""
    if isinstance(value, float) and value - value != 0:
        return str(value)
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _floats(value: Any) -> Any:
    """Undo `_plain` inside numbers' places."""
    if value in ("nan", "inf", "-inf"):
        return float(value)
    if isinstance(value, list):
        return [_floats(item) for item in value]
    return value


def _origin(dataset: dict[str, Any]) -> Origin | None:
    record = dataset["origin"]
    if not record:
        return None
    classes = tuple(record.get("classes", ()))  # older records have none
    edits = Edits(**{name: tuple(_hashable(value) for value in values)
                     for name, values in record.get("edits", {}).items()})  # fmt: skip
    return Origin(**{**record, "folders": tuple(map(tuple, record["folders"])), "classes": classes, "edits": edits})


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def comparison_from_json(text: str) -> Comparison:
    """Read what `comparison_to_json` wrote.

    Raises:
        InputError: it is not such a record.
    """
    try:
        record = json.loads(text)
        if not isinstance(record, dict):
            raise ValueError("it is JSON, but of something else")
        if record["format"] != FORMAT:
            raise InputError(
                f"This record has format {record['format']!r}; this version of tl_widgets reads format {FORMAT}."
            )
        class_names = tuple(record["dataset"]["class_names"])
        for name in ModelName:
            if record[name] is not None:
                record[name]["history"] = {key: _floats(values) for key, values in record[name]["history"].items()}
        verdict = record["verdict"]
        comparison = Comparison(
            dataset=DatasetSummary(
                **{**record["dataset"], "class_names": class_names, "origin": _origin(record["dataset"])}
            ),
            config=config_from_record(record["config"]),
            scratch=_run_from_record(record["scratch"], class_names),
            transfer=_run_from_record(record["transfer"], class_names),
            control=_run_from_record(record["control"], class_names),
            fine_tuned=_run_from_record(record["fine_tuned"], class_names),
            repeats=_repeats_from_record(record.get("repeats")),  # older records have none
            verdict=Verdict(**{**verdict, "ci95": tuple(verdict["ci95"]) if verdict["ci95"] else None}),
            environment=Environment(**record["environment"]),
        )
        require_types(comparison, Comparison)
        _require_sound(comparison)
        return comparison
    except InputError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as error:
        raise InputError(
            f"This text is not a record of a comparison ({why_no_record(error)}). "
            "Give the JSON that `tl-widgets compare --json FILE` or Comparison.to_json() wrote."
        ) from None


def _require_reasonable(comparison: Comparison) -> None:
    """Raise `ValueError` where a number or a text is none that an experiment gives, and would choke who shows it."""
    dataset, names = comparison.dataset, tuple(ModelName)
    if len(dataset.class_names) > _MOST_CLASSES:
        raise ValueError(f"it has {len(dataset.class_names):,} classes; at most {_MOST_CLASSES:,} are read")
    texts = (dataset.name, *dataset.class_names, *(one.text for run in comparison.runs for one in run.diagnoses))
    if max(map(len, (*texts, dataset.source, comparison.verdict.text))) > _LONGEST_TEXT:
        raise ValueError(f"a text in it has more than {_LONGEST_TEXT:,} letters")
    if max(dataset.image_size, dataset.n_train, dataset.n_validation, dataset.n_test) > _MOST:
        raise ValueError("its data set has sizes that cannot be")
    for run in comparison.runs:
        if getattr(comparison, run.name if run.name in names else "", None) is not run:
            raise ValueError(f"{run.name!r:.40} stands in the place of another model")
        if not all(0 <= n <= _MOST for n in (run.params.trainable, run.params.frozen)):
            raise ValueError(f"{run.name} has numbers of parameters that cannot be")
        seconds, history = run.seconds, run.history
        if not all(0 <= s <= _MOST for s in (*asdict(seconds).values(), *history.seconds)):
            raise ValueError(f"{run.name} has seconds that cannot be")
        shares = (*history.accuracy, *history.val_accuracy)
        # A model whose training ran away answers NaN, and a record may say so.
        if any(p < 0 or p > 1 for row in (shares, *run.probabilities) for p in row):
            raise ValueError(f"{run.name} has shares that are not between 0 and 1")
    verdict = comparison.verdict
    numbers = (verdict.accuracy_difference, verdict.p_value, *(verdict.ci95 or ()))
    if any(number is not None and not -1 <= number <= 1 for number in numbers):
        raise ValueError("its verdict has numbers that cannot be")


def _require_sound(comparison: Comparison) -> None:
    """Raise `ValueError` where numbers cannot belong together: a file may say anything."""
    dataset = comparison.dataset
    n_classes = len(dataset.class_names)
    _require_reasonable(comparison)
    if n_classes < 2 or dataset.image_size < 1 or min(dataset.n_train, dataset.n_validation, dataset.n_test) < 0:
        raise ValueError("its data set has fewer than two classes, or sizes that cannot be")
    for run in comparison.runs:
        n_test = len(run.labels)
        if len(run.predictions) != n_test or len(run.probabilities) != n_test:
            raise ValueError(f"{run.name!r:.40} has {n_test} labels, but other numbers of predictions")
        if any(not 0 <= label < n_classes for label in (*run.labels, *run.predictions)):
            raise ValueError(f"{run.name!r:.40} has answers that are none of its {n_classes} classes")
        if any(len(row) != n_classes for row in run.probabilities):
            raise ValueError(f"{run.name!r:.40} has not one probability for each of its {n_classes} classes")
    points = comparison.repeats.points if comparison.repeats else ()
    if len({point.seed for point in points}) < len(points):
        raise ValueError("two of its repeats have the same seed")
    for point in points:
        accuracies = (point.scratch, point.transfer, point.control, point.fine_tuned)
        if any(accuracy is not None and not 0 <= accuracy <= 1 for accuracy in accuracies):
            raise ValueError(f"the accuracies of seed {point.seed} are not all between 0 and 1")
