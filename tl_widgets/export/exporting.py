"""`export_model`: a trained model for other programs, with a proof that it still answers the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.arguments import checked
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, Event, OnEvent, ignore, raise_if_cancelled
from tl_widgets.core.files import new_folder
from tl_widgets.core.lazy_tensorflow import import_tensorflow, silence
from tl_widgets.core.model_name import heading_of
from tl_widgets.core.numbers import percent
from tl_widgets.core.paths import absolute_path
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset, Images
from tl_widgets.experiments.comparison import environment, summarize
from tl_widgets.experiments.prediction import require_new_test_images, runs_with_models
from tl_widgets.export import converters, programs
from tl_widgets.records.comparison import Comparison, RunResult
from tl_widgets.records.export import MOST_DISAGREEMENT, ExportReport

REPORT, README = "export.json", "README.txt"
_N_CALIBRATION = 200
_BATCH = 32
_N_TIMED = 30  # images that the original answers one by one
_BYTES = 4  # of a parameter
_ROUNDING = 1e-3  # of the sum of a model's probabilities
_MOST_NAMED = 12  # classes that the page names in its first sentence


@dataclass(frozen=True)
class ExportKind:
    """A format.

    Attributes:
        label: Its name in sentences.
        file: The model's file or folder.
        write: Converts the model; receives images for calibration if it's to hold 8-bit integers.
        open: Returns the runtime's name, and a function that answers one image.
        has_int8: Whether it can hold 8-bit integers.
    """

    label: str
    file: str
    write: Callable[..., None]
    open: Callable[[Path], tuple[str, converters.Answer]]
    has_int8: bool = True


EXPORT_KINDS = {
    "web": ExportKind(_("a web page"), "model.tflite", converters.write_tflite, converters.open_tflite),
    "tflite": ExportKind("TFLite", "model.tflite", converters.write_tflite, converters.open_tflite),
    "onnx": ExportKind("ONNX", "model.onnx", converters.write_onnx, converters.open_onnx),
    "saved_model": ExportKind(
        "a SavedModel", "saved_model", converters.write_saved_model, converters.open_saved_model, False
    ),
}


@checked
def export_model(
    result: Comparison | RunResult,
    format: str,  # noqa: A002
    folder: str | PathLike[str],
    *,
    dataset: ImageDataset,
    model: str = "transfer",
    int8: bool = False,
    anyway: bool = False,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> ExportReport:
    """Write a trained model for other programs into a new folder, and prove that it still answers the same.

    The exported model takes raw pixels, uint8, 0-255, and gives one probability for each class. Beside it are its
    labels, a short Python program without tl_widgets that asks it about a picture, and a report: the export and the
    original on all test images.

    Args:
        result: A comparison with its models, or one of its models.
        format: "web" (a page with a camera that runs in a browser, without network), "tflite" (for phones and small
            computers), "onnx", or "saved_model" (for TensorFlow).
        folder: The new folder; its parent must exist.
        dataset: The data set that the model was trained and tested on.
        model: Which model of a comparison: "scratch", "transfer", "control" or "fine_tuned".
        int8: Store and compute with 8-bit integers: about a quarter of the size. Their ranges are measured on training
            images.
        anyway: Write the export even if it disagrees with the original on more than 0.5% of the test images.
        on_event: Receives the progress.
        cancel: Stops the export when set.

    Returns:
        The report, which is also in the folder: as `export.json`, and in words in `README.txt`.

    Raises:
        InputError: The model is gone or can't be converted, `dataset` isn't the one that was compared, a package is
            missing, the export disagrees with the original, or the folder can't be written. No files are left behind.
        CancelledError: `cancel` was set. No files are left behind.
    """
    kind = _kind(format, int8)
    run = _chosen(result, model)
    if isinstance(result, Comparison):
        require_new_test_images(result, dataset)
    target = absolute_path(folder, "folder")
    raise_if_cancelled(cancel)
    with new_folder(target) as staging:
        import_tensorflow(on_event, cancel)
        _require_fit(run, dataset)
        on_event(Event("save", _("converting the model to {kind_label}", kind_label=kind.label), run.name))
        calibration = _calibration_images(dataset) if int8 else None
        started = time.perf_counter()
        _convert(kind, run, dataset.image_shape, staging / kind.file, calibration)
        seconds = time.perf_counter() - started
        raise_if_cancelled(cancel)
        parity = _compare(kind, run, dataset, staging / kind.file, on_event, cancel)
        report = ExportReport(
            summarize(dataset),
            run.name,
            format,
            int8,
            n_calibration=0 if calibration is None else len(calibration),
            megabytes_before=_BYTES * run.params.total / 1e6,
            megabytes_after=_size(staging / kind.file) / 1e6,
            seconds=seconds,
            environment=environment(),
            **parity,
        )
        if not report.agrees and not anyway:
            raise InputError(_refusal(report))
        report = _write_rest(report, run, staging)
        raise_if_cancelled(cancel)
    return report


def _kind(name: str, int8: bool) -> ExportKind:
    kind = EXPORT_KINDS.get(name)
    if kind is None:
        names = ", ".join(EXPORT_KINDS)
        raise InputError(_("format must be one of {names}; received {value}.", names=names, value=shown(name)))
    if int8 and not kind.has_int8:
        others = ", ".join(other for other, kind in EXPORT_KINDS.items() if kind.has_int8)
        raise InputError(
            _("The format {name} has no 8-bit integers. Export without them, or to {others}.", name=name, others=others)
        )
    return kind


def _chosen(result: Comparison | RunResult, model: str) -> RunResult:
    runs = runs_with_models(result) if isinstance(result, Comparison) else (result,)
    if isinstance(result, Comparison):
        names = ", ".join(run.name for run in runs)
        run = next((run for run in runs if run.name == model), None)
        if run is None:
            raise InputError(
                _("model must be one of this comparison ({names}); received {value}.", names=names, value=shown(model))
            )
        return run
    if result.model is None:
        raise InputError(
            _("This result holds no model: a record has none. Train again, or give a comparison with its models.")
        )
    return result


def _require_fit(run: RunResult, dataset: ImageDataset) -> None:
    """Raise InputError unless the model takes the data set's images and has one answer for each class."""
    shapes = [getattr(run.model, name, None) for name in ("input_shape", "output_shape")]
    inputs, outputs = (shape if isinstance(shape, tuple) else () for shape in shapes)
    if (len(inputs), len(outputs)) != (4, 2):
        raise InputError(
            _("This model doesn't take one image and give one row of probabilities, so it can't be exported.")
        )
    shape, n_answers, n_classes = inputs[1:], outputs[-1], len(run.class_names)
    if shape != dataset.image_shape or run.class_names != dataset.class_names:
        raise InputError(
            _(
                "This model takes images of shape {shape} in {n} classes, and {name} has {other_shape} in {other_n}. "
                "Give the data set that it was trained on.",
                shape=str(shape),
                n=n_classes,
                name=dataset.name,
                other_shape=str(dataset.image_shape),
                other_n=dataset.n_classes,
            )
        )
    if n_answers != n_classes and (n_answers, n_classes) != (1, 2):
        raise InputError(
            _(
                "This model has {n_outputs} outputs for {n} classes, so its answers have no names.",
                n_outputs=n_answers,
                n=n_classes,
            )
        )


def _calibration_images(dataset: ImageDataset) -> Images:
    """Return training images from all over the split, which may be sorted by class."""
    n = len(dataset.train)
    return np.asarray(dataset.train.images[np.unique(np.linspace(0, n - 1, min(n, _N_CALIBRATION)).astype(int))])


def _convert(
    kind: ExportKind, run: RunResult, image_shape: tuple[int, ...], target: Path, calibration: Images | None
) -> None:
    try:
        with silence():
            kind.write(run.model, image_shape, target, calibration)
    except (InputError, OSError):
        raise
    except Exception as error:  # converters raise anything for a layer that they don't know
        reason = " ".join(str(error).split())[:300]
        raise InputError(
            _(
                "{name} can't be converted to {kind} ({error}: {reason}). Try another format.",
                name=heading_of(run.name),
                kind=kind.label,
                error=type(error).__name__,
                reason=reason,
            )
        ) from error


def _compare(
    kind: ExportKind, run: RunResult, dataset: ImageDataset, path: Path, on_event: OnEvent, cancel: Cancel | None
) -> dict[str, Any]:
    """Ask the original and the export about each test image; return the fields of the report."""
    images, labels, n = dataset.test.images, dataset.test.labels, len(dataset.test)
    with silence():
        runtime, ask = kind.open(path)
        ask(np.asarray(images[:1]))  # LiteRT announces itself
    classify = converters.serving_function(run.model, dataset.image_shape, None)

    def ask_original(images: Images) -> NDArray[np.float32]:
        answers: NDArray[np.float32] = classify(images)[converters.OUTPUT].numpy()
        return answers

    seconds_before = [_timed(ask_original, images[i : i + 1])[1] for i in range(min(n, _N_TIMED))]
    seconds_after: list[float] = []
    n_equal = n_right_before = n_right_after = 0
    largest = 0.0
    for start in range(0, n, _BATCH):
        batch = np.asarray(images[start : start + _BATCH])
        before = ask_original(batch)
        if not np.isfinite(before).all():
            raise InputError(_("The model's answers are no numbers (NaN): its training diverged. Train it again."))
        if np.abs(before.sum(axis=1) - 1).max() > _ROUNDING:
            raise InputError(_("The model's answers don't add up to 1: its last layer needs softmax or sigmoid."))
        after = np.empty_like(before)
        for i in range(len(batch)):
            raise_if_cancelled(cancel)
            answer, seconds = _timed(ask, batch[i : i + 1])
            after[i] = answer[0]
            seconds_after.append(seconds)
        if not np.isfinite(after).all():
            raise InputError(_("The export's answers are no numbers (NaN), the original's are. Try another format."))
        given, truth = [answers.argmax(axis=1) for answers in (before, after)], labels[start : start + _BATCH]
        n_equal += int((given[0] == given[1]).sum())
        n_right_before += int((given[0] == truth).sum())
        n_right_after += int((given[1] == truth).sum())
        largest = max(largest, float(np.abs(before - after).max()))
        n_done = len(seconds_after)
        on_event(
            Event(
                "evaluate",
                _("asking the export about the test images: {n_done} of {n}", n_done=n_done, n=n),
                run.name,
                n_done,
                n,
            )
        )
    return {
        "n_images": n,
        "n_equal": n_equal,
        "n_right_before": n_right_before,
        "n_right_after": n_right_after,
        "largest_difference": largest,
        # The first image also pays for the start.
        "milliseconds_before": 1000 * median(seconds_before[1:] or seconds_before),
        "milliseconds_after": 1000 * median(seconds_after[1:] or seconds_after),
        "runtime": runtime,
    }


def _timed(ask: Callable[[Images], Any], image: Images) -> tuple[Any, float]:
    started = time.perf_counter()
    answer = ask(image)
    return answer, time.perf_counter() - started


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else (path,)
    return sum(file.stat().st_size for file in files if file.is_file())


def _refusal(report: ExportReport) -> str:
    return _(
        "Nothing was written: the export disagrees with the original on {n_other:,} of {n:,} test images ({share}; "
        "{limit} are allowed). The original has {n_before:,} right, the export {n_after:,}. Export without 8-bit "
        "integers, or write it all the same: anyway=True in Python, --anyway in the terminal, the tick in the Lab.",
        n_other=report.n_images - report.n_equal,
        n=report.n_images,
        share=percent(1 - report.agreement),
        limit=percent(MOST_DISAGREEMENT),
        n_before=report.n_right_before,
        n_after=report.n_right_after,
    )


def _write_rest(report: ExportReport, run: RunResult, folder: Path) -> ExportReport:
    """Write what stands beside the model, the report last."""
    side = run.model.input_shape[1]
    texts = {
        programs.LABELS: programs.labels_text(run.class_names),
        programs.PROGRAM: programs.program(report.kind, side),
    }
    if report.kind == "web":
        intro = _("A model that was trained with tl_widgets tells {n} classes apart", n=len(run.class_names))
        intro += f": {', '.join(run.class_names)}." if len(run.class_names) <= _MOST_NAMED else "."
        texts["index.html"] = programs.page(
            report.dataset.name, run.class_names, side, intro=intro, proof=report.headline
        )
        programs.write_browser_runtime(folder / "litert")
    files = (EXPORT_KINDS[report.kind].file, *texts, README, REPORT)
    report = replace(report, files=files)
    texts |= {README: _readme(report), REPORT: report.to_json() + "\n"}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", errors="backslashreplace")
    return report


def _readme(report: ExportReport) -> str:
    start = [
        _(
            "Export of the model {model!r}, trained on {dataset_name}",
            model=report.model,
            dataset_name=report.dataset.name,
        ),
        "",
    ]
    page = [
        _(
            "Run `python -m http.server` in this folder, and open http://localhost:8000: the page works "
            "without network."
        ),
        "",
    ]
    use = [
        _(
            "`python {program} PICTURE` asks the model about a picture; its first lines say what it needs.",
            program=programs.PROGRAM,
        ),
        _(
            "The model takes raw pixels, uint8, 0 to 255, shape (1, {image_size}, {image_size}, 3), and "
            "gives one probability for each line of {labels}.",
            image_size=report.dataset.image_size,
            labels=programs.LABELS,
        ),
        "",
    ]
    return "\n".join([*start, *(page if report.kind == "web" else []), *use, *report.sentences, ""])
