"""Saving a comparison in one new folder, either completely or not at all."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from os import PathLike
from pathlib import Path

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.core.arguments import checked
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, Event, OnEvent, ignore, raise_if_cancelled
from tl_widgets.core.files import new_folder, reason_of, remove_unfinished, write_each
from tl_widgets.core.numbers import size_text
from tl_widgets.core.paths import absolute_path, user_path
from tl_widgets.core.translation import _
from tl_widgets.data.archives import printable
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.experiments.prediction import runs_with_models
from tl_widgets.export.script import save_backbone, to_script
from tl_widgets.records.comparison import Comparison, RunResult, require_comparison

RECORD, REPORT, SCRIPT = "record.json", "report.html", "transfer_learning.py"
_BYTES = 4  # of a parameter
_OTHER_BYTES = 30_000_000  # report, record, script and the backbone that the script reads


@checked
def save_comparison(
    comparison: Comparison,
    folder: str | PathLike[str],
    *,
    dataset: ImageDataset | None = None,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> tuple[Path, ...]:
    """Write a comparison into a new folder.

    The folder receives `record.json` (`Comparison.from_json` reads it back), `report.html` (one page with all figures),
    the experiment as a plain Keras script with the backbone that it loads, and each model that the comparison holds as
    `NAME.keras`: plain Keras, raw pixels in, probabilities out.

    Args:
        comparison: A comparison with at least one trained model. One read from its record holds no models to save.
        folder: The new folder; its parent must exist.
        dataset: The data set that was compared, for the images in the report.
        on_event: Receives a "save" event before each file.
        cancel: Stops between two files when set.

    Returns:
        The files, in that order.

    Raises:
        InputError: The folder exists already or can't be written, or the disk is full. No files are left behind.
        CancelledError: `cancel` was set. No files are left behind.
    """
    require_comparison(comparison)
    target = absolute_path(folder, "folder")
    with new_folder(target) as staging:
        n_bytes = _OTHER_BYTES + _model_bytes(comparison)
        if (free := _free_bytes(target.parent)) is not None and n_bytes > free:
            raise InputError(
                _("Nothing was saved: {no_room}", no_room=_no_room("it takes", n_bytes, free, target.parent))
            )
        names = _write_all(comparison, staging, dataset, on_event, cancel)
    return tuple(target / name for name in names)


def save_models(
    comparison: Comparison, folder: str | PathLike[str], dataset: ImageDataset | None = None
) -> tuple[Path, ...]:
    """Write each model as `NAME.keras`, plain Keras from raw pixels to probabilities.

    The folder is created if its parent exists. A model of the same name in it is replaced once the new file is
    complete. Each file says which images it learned from, and with the data set, which are its test images.

    Raises:
        InputError: The models are gone, or some can't be written; the message names those that were.
    """
    runs = runs_with_models(comparison)
    target = user_path(folder, "folder")
    try:
        target.mkdir(exist_ok=True)
        remove_unfinished(target)
    except OSError as error:
        raise InputError(
            _(
                "The models were not saved in {target}: {reason}.",
                target=printable(str(target)),
                reason=reason_of(error),
            )
        ) from None
    require_room_for_models(target, sum(run.params.total for run in runs))
    paths = {target / _model_file(run): _saver(run, comparison, dataset) for run in runs}
    write_each((path, partial(save, path)) for path, save in paths.items())
    return tuple(paths)


def require_room_for_models(folder: Path, n_params: int) -> None:
    """Raise `InputError` if models with so many parameters don't fit on the disk of a folder, which may not exist."""
    folder = folder if folder.is_dir() else folder.absolute().parent
    n_bytes, free = _BYTES * n_params, _free_bytes(folder)
    if free is not None and n_bytes > free:
        raise InputError(
            _("The models can't be saved: {no_room}", no_room=_no_room(_("they take"), n_bytes, free, folder))
        )


def _model_bytes(comparison: Comparison) -> int:
    return _BYTES * sum(run.params.total for run in comparison.runs if run.model is not None)


def _free_bytes(folder: Path) -> int | None:
    try:
        total, _, free = shutil.disk_usage(folder)
    except OSError:
        return None  # some file systems don't report it; writing will show
    return free if total else None


def _no_room(takes: str, n_bytes: int, free: int, folder: Path) -> str:
    return _(
        "{takes} about {n_bytes}, and {free} are free in {folder}. Free some space, or give a folder on another disk.",
        takes=takes,
        n_bytes=size_text(n_bytes),
        free=size_text(free),
        folder=printable(str(folder)),
    )


def _write_all(
    comparison: Comparison, folder: Path, dataset: ImageDataset | None, on_event: OnEvent, cancel: Cancel | None
) -> list[str]:
    steps = list(_steps(comparison, dataset))
    for i, (name, write) in enumerate(steps):
        raise_if_cancelled(cancel)
        on_event(Event("save", _("saving {name}", name=name), n_done=i, n_total=len(steps)))
        write(folder / name)
    raise_if_cancelled(cancel)
    return [name for name, _ in steps]


def _steps(comparison: Comparison, dataset: ImageDataset | None) -> Iterator[tuple[str, Callable[[Path], None]]]:
    from tl_widgets.export.report import to_report

    script = to_script(comparison)
    yield RECORD, lambda path: _write_text(path, comparison.to_json() + "\n")
    yield REPORT, lambda path: _write_text(path, to_report(comparison, dataset=dataset))
    yield SCRIPT, lambda path: _write_text(path, script)
    backbone = find_backbone(comparison.config.backbone)
    if backbone.script_file:
        yield backbone.script_file, lambda path: save_backbone(path, backbone.name)
    for run in comparison.runs:
        if run.model is not None:
            yield _model_file(run), _saver(run, comparison, dataset)


def _model_file(run: RunResult) -> str:
    return re.sub(r"\W", "_", run.name) + ".keras"


def _saver(run: RunResult, comparison: Comparison, dataset: ImageDataset | None) -> Callable[[Path], None]:
    from tl_widgets.models.builders import save_model
    from tl_widgets.models.trained_on import TrainedOn

    return lambda path: save_model(run.model, path, TrainedOn.of(comparison, dataset))


def _write_text(path: Path, text: str) -> None:
    # A file name in the text may hold bytes that aren't UTF-8; they must not prevent saving the rest.
    path.write_text(text, encoding="utf-8", errors="backslashreplace")
