"""`export_model`: a trained model for other programs, with a proof that it still answers the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import numpy as np

from tl_widgets.core.arguments import checked
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.events import Cancel, Event, OnEvent, ignore, raise_if_cancelled
from tl_widgets.core.files import new_folder
from tl_widgets.core.lazy_tensorflow import import_tensorflow, silence
from tl_widgets.core.model_name import heading_of
from tl_widgets.core.numbers import percent
from tl_widgets.core.paths import absolute_path
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset, Images, Split, first_few, require_dataset
from tl_widgets.experiments.comparison import environment, summarize
from tl_widgets.experiments.prediction import require_new_test_images, runs_with_models
from tl_widgets.export import converters, programs
from tl_widgets.export.parity import compare_answers
from tl_widgets.records.comparison import Comparison, RunResult
from tl_widgets.records.export import MOST_DISAGREEMENT, ExportReport

REPORT, README = "export.json", "README.txt"
_N_CALIBRATION = 200
_BYTES = 4  # of a parameter
_MOST_NAMED = 12  # classes that the page names in its first sentence


@dataclass(frozen=True)
class ExportKind:
    """A format.

    Attributes:
        label: Its name in sentences.
        file: The model's file or folder.
        write: Converts the model; receives images for calibration if it's to hold 8-bit integers.
        open: Returns the runtime's name, and a function that answers one image.
        packages: What it needs beside TensorFlow.
        has_int8: Whether it can hold 8-bit integers.
    """

    label: str
    file: str
    write: Callable[..., None]
    open: Callable[[Path], tuple[str, converters.Answer]]
    packages: tuple[str, ...] = ()
    has_int8: bool = True


_TFLITE = ("model.tflite", converters.write_tflite, converters.open_tflite, ("ai_edge_litert.interpreter",))
EXPORT_KINDS = {
    "web": ExportKind(_("a web page"), *_TFLITE),
    "tflite": ExportKind("TFLite", *_TFLITE),
    "onnx": ExportKind("ONNX", "model.onnx", converters.write_onnx, converters.open_onnx, ("tf2onnx", "onnxruntime")),
    "saved_model": ExportKind(
        _("a SavedModel"), "saved_model", converters.write_saved_model, converters.open_saved_model, has_int8=False
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
    require_format(format, int8=int8)
    run = _chosen(result, model)
    same_test = None
    if isinstance(result, Comparison):
        require_new_test_images(result, dataset)
        same_test = True
    return export_run(run, format, folder, dataset=dataset, int8=int8, anyway=anyway, same_test=same_test,
                      on_event=on_event, cancel=cancel)  # fmt: skip


def export_run(
    run: RunResult,
    format: str,  # noqa: A002
    folder: str | PathLike[str],
    *,
    dataset: ImageDataset,
    int8: bool,
    anyway: bool,
    same_test: bool | None,
    on_event: OnEvent,
    cancel: Cancel | None,
) -> ExportReport:
    """Do what `export_model` does; `same_test` is that of the report."""
    kind = EXPORT_KINDS[format]
    require_dataset(dataset)
    target = absolute_path(folder, "folder")
    raise_if_cancelled(cancel)
    with new_folder(target) as staging:
        import_tensorflow(on_event, cancel)
        for package in kind.packages:
            converters.require_package(package, kind.label)
        _require_fit(run, dataset)
        on_event(Event("save", _("converting the model to {kind_label}", kind_label=kind.label), run.name))
        calibration = _Calibration.of(dataset.train, cancel) if int8 else None
        started = time.perf_counter()
        _convert(kind, run, dataset.image_shape, staging / kind.file, calibration)
        seconds = time.perf_counter() - started
        raise_if_cancelled(cancel)
        answers = compare_answers(run, kind.open, staging / kind.file, dataset, on_event, cancel)
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
            same_test=same_test,
            **answers,
        )
        if not report.agrees and not anyway:
            raise InputError(_refusal(report))
        report = _write_rest(report, run, staging)
        raise_if_cancelled(cancel)
    return report


def require_format(name: str, *, int8: bool) -> None:
    """Raise InputError unless there is such a format, with 8-bit integers if they are asked for."""
    kind = EXPORT_KINDS.get(name)
    if kind is None:
        names = ", ".join(EXPORT_KINDS)
        raise InputError(_("format must be one of {names}; received {value}.", names=names, value=shown(name)))
    if int8 and not kind.has_int8:
        others = ", ".join(other for other, kind in EXPORT_KINDS.items() if kind.has_int8)
        raise InputError(
            _(
                "The format {name} has no 8-bit integers. Leave them out, or choose one of {others}.",
                name=name,
                others=others,
            )
        )


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
            _(
                "This result holds no model, as records don't keep them. Train again, or give a comparison with its "
                "models."
            )
        )
    return result


def _require_fit(run: RunResult, dataset: ImageDataset) -> None:
    """Raise InputError unless the model takes the data set's images and has one answer for each class."""
    shapes = [getattr(run.model, name, None) for name in ("input_shape", "output_shape")]
    inputs, outputs = (shape if isinstance(shape, tuple) else () for shape in shapes)
    if (len(inputs), len(outputs)) != (4, 2):
        raise InputError(
            _(
                "Only a model that takes images and gives one row of probabilities for each can be exported. This one "
                "has the input shape {inputs} and the output shape {outputs}.",
                inputs=shown(shapes[0]),
                outputs=shown(shapes[1]),
            )
        )
    shape, n_answers, n_classes = inputs[1:], outputs[-1], dataset.n_classes
    if shape != dataset.image_shape:
        raise InputError(
            _(
                "This model takes images of shape {shape}, and those of {name} have {other_shape}. Give the images "
                "that it was trained on, in the same size.",
                shape=str(shape),
                name=dataset.name,
                other_shape=str(dataset.image_shape),
            )
        )
    if shape[0] != shape[1]:
        raise InputError(
            _(
                "This model takes images of {height} x {width} pixels. Only models of square images can be exported.",
                height=shape[0],
                width=shape[1],
            )
        )
    if run.class_names != dataset.class_names:
        raise InputError(
            _(
                "This model was trained on the classes {names}, and {name} has {other_names}. Give the data set that "
                "it was trained on.",
                names=first_few([*run.class_names], _MOST_NAMED),
                name=dataset.name,
                other_names=first_few([*dataset.class_names], _MOST_NAMED),
            )
        )
    if n_answers != n_classes and (n_answers, n_classes) != (1, 2):
        raise InputError(
            _(
                "This model gives {n_outputs} probabilities for an image, and {name} has {n} classes. Give the data "
                "set that it was trained on.",
                n_outputs=n_answers,
                name=dataset.name,
                n=n_classes,
            )
        )


@dataclass(frozen=True)
class _Calibration:
    """Training images, which a converter asks for one by one."""

    images: Images
    cancel: Cancel | None

    @classmethod
    def of(cls, split: Split, cancel: Cancel | None) -> _Calibration:
        """Return images from all over the split, which may be sorted by class."""
        n = len(split)
        rows = np.unique(np.linspace(0, n - 1, min(n, _N_CALIBRATION)).astype(int))
        return cls(np.asarray(split.images[rows]), cancel)

    def __len__(self) -> int:
        return len(self.images)

    def __iter__(self) -> Iterator[Images]:
        for image in self.images:
            raise_if_cancelled(self.cancel)
            yield image


def _convert(
    kind: ExportKind, run: RunResult, image_shape: tuple[int, ...], target: Path, calibration: _Calibration | None
) -> None:
    try:
        with silence():
            kind.write(run.model, image_shape, target, calibration)
    except (InputError, CancelledError, OSError):
        raise
    except Exception as error:  # converters raise anything for a layer that they don't know
        reason = " ".join(str(error).split())[:300]
        raise InputError(
            _(
                "The model {name} can't be converted to {kind} ({error}: {reason}). Try another format.",
                name=heading_of(run.name),
                kind=kind.label,
                error=type(error).__name__,
                reason=reason,
            )
        ) from error


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else (path,)
    return sum(file.stat().st_size for file in files if file.is_file())


def _refusal(report: ExportReport) -> str:
    facts = _(
        "Nothing was written: on {n_other:,} of {n:,} test images ({share}), the export and the original answer "
        "differently, and at most {limit} may differ. The original gets {n_before:,} right, the export {n_after:,}.",
        n_other=report.n_images - report.n_equal,
        n=report.n_images,
        share=percent(1 - report.agreement),
        limit=percent(MOST_DISAGREEMENT),
        n_before=report.n_right_before,
        n_after=report.n_right_after,
    )
    advice = (
        _("Export it without 8-bit integers, which usually changes no answer.")
        if report.int8
        else _("Try another format.")
    )
    anyway = _(
        "If these answers are good enough for you, write it anyway: with “Write it even if it disagrees” in the Lab, "
        "--anyway in the terminal, or anyway=True in Python."
    )
    return f"{facts} {advice} {anyway}"


def _write_rest(report: ExportReport, run: RunResult, folder: Path) -> ExportReport:
    """Write what stands beside the model, the report last."""
    side = run.model.input_shape[1]
    texts = {
        programs.LABELS: programs.labels_text(run.class_names),
        programs.PROGRAM: programs.program(report.kind, side),
    }
    if report.kind == "web":
        names = run.class_names
        intro = (
            _("A model trained with tl_widgets tells these classes apart: {names}.", names=", ".join(names))
            if len(names) <= _MOST_NAMED
            else _("A model trained with tl_widgets tells {n} classes apart.", n=len(names))
        )
        texts[programs.PAGE] = programs.page(report.dataset.name, names, side, intro=intro, proof=report.headline)
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
            "Run `python -m http.server` in this folder, and open http://localhost:8000: the page works offline. If "
            "another program already uses port 8000, add another number to the command, such as 8001, and use it in "
            "the address."
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
