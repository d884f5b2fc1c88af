"""`tl-widgets compare`: load images, compare, print and write the results."""

from __future__ import annotations

import os
import re
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from rich.console import Console
from rich.table import Table

from tl_widgets.backbones.catalogue import find_backbone, size_note
from tl_widgets.cli.images import show_images
from tl_widgets.cli.options import IMAGE_OPTIONS, read_columns, read_options, read_parts
from tl_widgets.cli.progress import cancel_on_interrupt, make_console, show_events
from tl_widgets.core.config import Config, Workers
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.events import Cancel, OnEvent
from tl_widgets.core.files import check_writable, write_each, write_text, write_whole
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import accuracy_text, count_text, percent, points_range
from tl_widgets.core.paths import absolute_path, user_path, working_folder
from tl_widgets.core.settings import flat_settings, with_flat_values
from tl_widgets.core.text import printable
from tl_widgets.core.translation import _, localized
from tl_widgets.data.archives import archive_stem
from tl_widgets.data.catalogue import default_dataset, get_dataset, list_datasets, load_dataset
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.records.comparison import Comparison, RunResult
from tl_widgets.records.parameters import count_rows, scratch_ledger
from tl_widgets.records.provenance import NO_COLUMNS, Columns
from tl_widgets.records.statistics import wilson_interval

_MAX_STEM = 60  # characters, each of up to four bytes, of a name that also gets an ending
_MAX_CLASSES = 30  # rows in the table of classes
FIGURES = (".png", ".svg", ".pdf")


@dataclass(frozen=True)
class _Outputs:
    """The files to write, and the folder for the models."""

    figure: Path
    json: Path
    script: Path | None
    report: Path | None
    models: Path | None
    backbone: Path | None  # which the script loads; None if Keras has it


_KINDS = {"json": _("Record"), "figure": _("Figure"), "script": _("Script"), "report": _("Report")}


def run_compare(args: Namespace) -> None:
    """Run `tl-widgets compare`."""
    from tl_widgets.experiments.comparison import compare_config

    console = make_console()
    n_jobs = Workers(args.jobs).jobs
    parts = read_parts(args)
    config = _config(args)
    outputs = _outputs(args, config)
    with cancel_on_interrupt() as cancel, show_events(console, quiet=args.quiet) as on_event:
        images = read_options(args, IMAGE_OPTIONS[1:])
        dataset = load_images(args.data, **images, columns=read_columns(args), parts=parts, seed=config.seed,
                              on_event=on_event, cancel=cancel)  # fmt: skip
        show_images(console, dataset, quiet=args.quiet, class_weights=config.class_weights)
        if outputs.models:
            _require_room(outputs.models, dataset, config)
        comparison = compare_config(dataset, config, n_jobs=n_jobs, on_event=on_event, cancel=cancel)
        # Repeats and folds that finished before a stop are a result.
        is_partial = comparison.repeats is not None or comparison.folds is not None
        if not comparison.is_whole or (cancel.is_set() and not is_partial):
            raise CancelledError("stopped")
    try:
        if args.quiet:
            console.print(comparison.verdict.text, soft_wrap=True)
        else:
            _print(console, comparison, dataset)
    finally:
        write_each(_writers(comparison, dataset, outputs))
    if not args.quiet:
        for kind in ("figure", "json", "script", "report", "models"):
            if path := getattr(outputs, kind):
                console.print(f"{_KINDS.get(kind, kind.title())}: {path}", soft_wrap=True)
    if comparison.stopped:
        raise CancelledError("stopped")


def _config(args: Namespace) -> Config:
    config = with_flat_values(Config(), read_options(args, flat_settings(Config).values()))
    return replace(config, backbone=find_backbone(config.backbone).name)


def _outputs(args: Namespace, config: Config) -> _Outputs:
    """Return the files to write, checked before any training."""
    data = default_dataset() if args.data is None else args.data
    stem, script_file = f"tl-widgets-{plain_name(data)}", find_backbone(config.backbone).script_file
    backbone_file = args.script.absolute().parent / script_file if args.script and script_file else None
    outputs = _Outputs(args.figure or Path(f"{stem}.png"), args.json or Path(f"{stem}.json"), args.script,
                       args.report, args.save_models, backbone_file)  # fmt: skip
    if outputs.figure.suffix.lower() not in FIGURES:
        raise InputError(
            _(
                "--figure {figure} must end in {endings} or {last}.",
                figure=outputs.figure,
                endings=", ".join(FIGURES[:-1]),
                last=FIGURES[-1],
            )
        )
    files = {"--figure": outputs.figure, "--json": outputs.json}
    if outputs.script:
        files["--script"] = outputs.script
    if outputs.report:
        files["--report"] = outputs.report
    for option, path in files.items():
        check_writable(path, option)
    if backbone_file:
        check_writable(backbone_file, "--script")
        files["the backbone of --script"] = backbone_file
    if outputs.models:
        _check_folder(outputs.models)
        files["--save-models"] = outputs.models
    if len({os.path.realpath(path) for path in files.values()}) < len(files):
        raise InputError(_("{files} must be different files.", files=", ".join(files)))
    return outputs


def _check_folder(folder: Path) -> None:
    """Raise `InputError` if models can't be written into the folder."""
    user_path(folder, "--save-models")
    if folder.exists() and not folder.is_dir():
        raise InputError(
            _(
                "Cannot write into {folder}: it is a file. Give a folder with --save-models.",
                folder=printable(str(folder)),
            )
        )
    check_writable(folder / "model.keras" if folder.is_dir() else folder, "--save-models")


def _require_room(folder: Path, dataset: ImageDataset, config: Config) -> None:
    """Raise `InputError` before the training if the models won't fit into the folder."""
    from tl_widgets.export.saving import require_room_for_models

    rows = scratch_ledger(dataset.image_shape, dataset.n_classes, config.scratch)
    n_backbones = 1 + config.control + (config.fine_tuning is not None)
    backbone = find_backbone(config.backbone)
    n_params = (backbone.cut_after(config.cut) or backbone).n_params or 0
    require_room_for_models(folder, count_rows(rows).total + n_backbones * n_params)


def plain_name(data: str) -> str:
    """Return the name of the data as part of a file name: "textures", "my_photos"."""
    name = archive_stem(absolute_path(data, "DATA").name)
    return re.sub(r"[^\w.-]+", "_", name)[:_MAX_STEM].strip("._") or "images"


def load_images(
    data: str | None,
    *,
    image_size: int | None,
    n_per_class: int | None,
    classes: tuple[str, ...] | None,
    groups: str | None,
    columns: Columns = NO_COLUMNS,
    parts: Mapping[str, str] = MappingProxyType({}),
    seed: int,
    on_event: OnEvent,
    cancel: Cancel,
) -> ImageDataset:
    """Load a named data set, a folder or an archive.

    None stands for the default data set, the usual image size, all images, or all classes.
    """
    from tl_widgets.data.folder import load_folder

    is_there = data is not None and user_path(data, "DATA").exists()
    data = default_dataset() if data is None else data
    known = None if parts else get_dataset(data)
    # The user's folder "flowers" takes precedence over the downloadable data set of that name.
    if known and not (known.path and is_there):
        if groups is not None:
            raise InputError(
                _("--groups is for folders of your own; {data} is a data set whose split is documented.", data=data)
            )
        size = known.default_size if image_size is None else image_size
        return load_dataset(data, image_size=size, n_per_class=n_per_class, seed=seed, classes=classes,
                            on_event=on_event, cancel=cancel)  # fmt: skip
    if not is_there and not parts:
        names = [info.name for info in list_datasets()]
        raise InputError(
            _(
                "There is no folder, zip file or data set called {data!r}. The data sets are {names}. "
                "Check the spelling; you are in {working_folder}.",
                data=data,
                names=", ".join(names),
                working_folder=working_folder(),
            )
        )
    size = 128 if image_size is None else image_size
    return load_folder(data, image_size=size, n_per_class=n_per_class, seed=seed, classes=classes, groups=groups,
                       image_column=columns.image, label_column=columns.label,
                       test=parts.get("test"), validation=parts.get("validation"),
                       on_event=on_event, cancel=cancel)  # fmt: skip


def _print(console: Console, comparison: Comparison, dataset: ImageDataset) -> None:
    from tl_widgets.plots.labels import images_text

    summary = comparison.dataset
    size, n_classes = summary.image_size, len(summary.class_names)
    line = _(
        "\n{summary_name}: {images} of {size} x {size} pixels in {n_classes} classes",
        summary_name=summary.name,
        images=images_text(comparison),
        size=size,
        n_classes=n_classes,
    )
    console.print(line, soft_wrap=True)
    console.print(_table(comparison))
    if tested := [run for run in comparison.runs if run.is_uneven]:
        console.print(_class_table(tested))
    for run in comparison.runs:
        if run.seconds.saved > 0:
            console.print(
                _("{run_name}: cached features saved {saved:.1f} s", run_name=run.name, saved=run.seconds.saved),
                soft_wrap=True,
            )
    if comparison.repeats:
        for name in comparison.config.model_names:
            accuracies = ", ".join(percent(accuracy) for accuracy in comparison.repeats.accuracies(name))
            console.print(_("{name}, seed by seed: {accuracies}", name=name, accuracies=accuracies), soft_wrap=True)
    for name in comparison.config.model_names if comparison.folds else ():
        accuracies = ", ".join(percent(accuracy) for accuracy in comparison.fold_accuracies(name))
        console.print(_("{name}, fold by fold: {accuracies}", name=name, accuracies=accuracies), soft_wrap=True)
    for note in _notes(comparison, dataset):
        console.print(_("Note: {note}", note=note), soft_wrap=True)
    console.print(f"\n{comparison.verdict.text}\n", style="bold", soft_wrap=True)


def _table(comparison: Comparison) -> Table:
    from tl_widgets.plots.labels import baseline_text, scores_of, seed_suffix

    scores, seed = scores_of(comparison), seed_suffix(comparison).lstrip(", ")
    n_seeds = max((len(score.seeds) for score in scores.values()), default=0)
    table = Table("\n" + _("model"), box=None, pad_edge=False, padding=(0, 2, 0, 0))
    accuracy = (
        _("mean over {n_seeds} seeds\n(95% interval)", n_seeds=n_seeds)
        if n_seeds
        else _("test accuracy\n(95% interval)")
    )
    seconds = _("seconds,\n{seed}", seed=seed) if seed else _("\nseconds")
    titles = (accuracy, _("trainable\nparameters"), _("\nfrozen"), _("\ntotal"), seconds)
    for title in titles:
        table.add_column(title, justify="right", no_wrap=True)
    for run in comparison.runs:
        numbers = (run.params.trainable, run.params.frozen, run.params.total)
        name = _("transfer (random)") if (run.name, run.weights) == (ModelName.TRANSFER, "random") else run.name
        score = scores.get(run.name)
        accuracy = f"{percent(score.accuracy)} ({points_range(*score.interval)})" if score else ""
        table.add_row(name, accuracy, *map(count_text, numbers), localized(f"{run.seconds.total:.1f}"))
    tested = next((run for run in comparison.runs if run.is_uneven), None)
    if tested is not None:
        n_right, n = tested.largest_class[1], len(tested.labels)
        table.add_row(
            baseline_text(comparison.runs), f"{percent(n_right / n)} ({points_range(*wilson_interval(n_right, n))})"
        )
    return table


def _class_table(tested: Sequence[RunResult]) -> Table:
    """Return the recall of each class with its interval, and the balanced accuracy."""
    from tl_widgets.plots.labels import balanced_text

    table = Table("\n" + _("class"), box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(_("test\nimages"), justify="right")
    for run in tested:
        table.add_column(_("{run_name}: share recognized\n(95% interval)", run_name=run.name), justify="right")
    for figures in list(zip(*(run.per_class for run in tested), strict=True))[:_MAX_CLASSES]:
        shares = ["" if item.recall is None else accuracy_text(item.recall, item.recall_ci95) for item in figures]
        table.add_row(figures[0].name, count_text(figures[0].n), *shares)
    table.add_row(_("mean: balanced accuracy"), "", *map(balanced_text, tested))
    return table


def _notes(comparison: Comparison, dataset: ImageDataset) -> list[str]:
    from tl_widgets.data.quality import check_dataset

    # What was said of the images before training isn't said again for each model.
    dataset_kinds = {warning.kind for warning in check_dataset(dataset)}
    notes = [
        f"{run.name}: {warning.text} {warning.advice}"
        for run in comparison.runs
        for warning in run.diagnoses
        if warning.kind not in dataset_kinds
    ]
    far_below = size_note(comparison.config.backbone, comparison.dataset.image_size)
    return [*notes, far_below] if far_below and comparison.config.weights else notes


def _writers(
    comparison: Comparison, dataset: ImageDataset, outputs: _Outputs
) -> Iterator[tuple[Path, Callable[[], object]]]:
    """Yield all outputs, the record first."""
    yield outputs.json, lambda: write_text(outputs.json, comparison.to_json() + "\n")
    yield outputs.figure, lambda: _write_figure(comparison, outputs.figure)
    if script := outputs.script:
        from tl_widgets.export.script import save_backbone, script_for

        config, backbone = comparison.config, outputs.backbone
        if backbone:
            yield backbone, lambda: save_backbone(backbone, config.backbone)
        file = str(backbone) if backbone else None
        yield script, lambda: write_text(script, script_for(comparison.dataset, config, backbone_file=file))
    if report := outputs.report:
        from tl_widgets.export.report import to_report

        yield report, lambda: write_text(report, to_report(comparison, dataset=dataset))
    if models := outputs.models:
        from tl_widgets.export.saving import save_models

        yield models, lambda: save_models(comparison, models, dataset)


def _write_figure(comparison: Comparison, path: Path) -> None:
    from tl_widgets.plots.comparison import plot_comparison

    figure = plot_comparison(comparison)
    write_whole(path, lambda part: figure.savefig(part, format=path.suffix.lower().lstrip(".")))
