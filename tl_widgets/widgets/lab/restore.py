"""Read untrusted records and find out what a Lab can restore of them. There are no widgets here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.collections.collection import collection_of
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel
from tl_widgets.core.numbers import size_text
from tl_widgets.core.paths import is_elsewhere, read_user_file, user_file
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _
from tl_widgets.data.archives import printable
from tl_widgets.data.catalogue import get_dataset
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.records.comparison import Comparison, DatasetSummary
from tl_widgets.records.verdict import in_readers_language
from tl_widgets.widgets.shared.settings import LabSettings
from tl_widgets.widgets.shared.source import DataSource

MAX_RECORD_BYTES = 50_000_000  # 10,000 test images and 100 classes take about 25 MB


@dataclass(frozen=True)
class Restored:
    """What a Lab can restore of a record.

    Attributes:
        settings: for the controls.
        record_settings: the settings of the record, whether or not its images are available.
        dataset: the record's images; None if they are not available, or differ.
        notes: sentences about what could not be restored.
    """

    settings: LabSettings
    record_settings: LabSettings
    dataset: ImageDataset | None
    notes: tuple[str, ...]


def read_record_file(name: str) -> bytes:
    """Return the bytes of a record on this machine.

    Raises:
        InputError: the file does not exist, is too large, or cannot be read.
    """
    if not name:
        raise InputError(_("Give the name of a record beside the notebook, such as transfer-learning-run/record.json."))
    return read_user_file(name, _("The record"), MAX_RECORD_BYTES)


def _require_size(what: str, n_bytes: int) -> None:
    if n_bytes > MAX_RECORD_BYTES:
        raise InputError(
            _(
                "{what} has {n_bytes}; a record has at most {max_record_bytes}.",
                what=what,
                n_bytes=size_text(n_bytes),
                max_record_bytes=size_text(MAX_RECORD_BYTES),
            )
        )


def read_record(name: str, data: bytes) -> Comparison:
    """Return the comparison in the bytes of a record, without executing anything in them; `name` is for messages.

    Raises:
        InputError: the data is not a record, or the record has no trained model.
    """
    what = printable(name)
    _require_size(what, len(data))
    if data[:2] == b"PK":
        raise InputError(
            _("{what} is a zip file or a saved model, not a record. Give the record.json beside it.", what=what)
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(_("{what} is not a text file. Give the .json record that the Lab saved.", what=what)) from None
    comparison = Comparison.from_json(text)
    if not comparison.runs:
        raise InputError(_("{what} is the record of a run that was stopped before anything was trained.", what=what))
    return in_readers_language(comparison)


def restore(comparison: Comparison, source: DataSource, current: LabSettings, cancel: Cancel | None = None) -> Restored:
    """Find out what this Lab can restore of a record, and load its images.

    Args:
        comparison: the record.
        source: the images that this Lab has. A learner's own are added if they are still on this machine.
        current: the current settings; they stay where the record's cannot be restored.
        cancel: stops loading the images.

    Raises:
        InputError: the backbone does not exist or can't be cut there, or the images cannot be loaded.
        CancelledError: `cancel` was set.
    """
    data, config = comparison.dataset, comparison.config
    find_backbone(config.backbone).cut_after(config.cut)
    own_name = data.name
    data, missing = _restore_images(data, source, cancel)
    comparison, origin = replace(comparison, dataset=data), data.origin
    record_settings = replace(
        current,
        dataset=data.name,
        image_size=data.image_size,
        n_per_class=origin.n_per_class if origin else None,
        classes=(origin.classes or None) if origin else None,
        config=config,
    )
    notes = [missing] if missing else []
    if config.weights not in (None, "imagenet"):
        try:
            if is_elsewhere(config.weights):
                raise InputError(_("They are on another machine."))
            user_file(config.weights, "weights")
        except InputError:
            name = shown(config.weights, 60)
            notes.append(_("Its weights file {name} is not on this machine; choose other weights.", name=name))
    problem = _rejection_reason(comparison, source, record_settings, is_restored=not missing)
    if problem:
        return Restored(replace(current, config=config), record_settings, None, (problem, *notes))
    if origin and origin.seed:
        notes.append(_("Its images were split with seed {seed}; the Lab splits with seed 0.", seed=origin.seed))
    if source.facts(record_settings).n_bytes:
        notes.append(_("Its images are not on this machine yet; the next training downloads them."))
        return Restored(record_settings, record_settings, None, tuple(notes))
    dataset = source.load(record_settings, cancel=cancel)
    if replace(dataset, name=own_name).fingerprint == data.fingerprint:
        return Restored(record_settings, record_settings, dataset, tuple(notes))
    notes.append(_("The images here are not the same (their fingerprint differs), so expect other numbers."))
    return Restored(record_settings, record_settings, None, tuple(notes))


def _is_named(data: DatasetSummary) -> bool:
    """Return whether the images come from a built-in data set."""
    if data.origin is None or data.origin.kind == "built-in":
        return data.origin is not None
    # A learner's own folder may also be called "flowers".
    named = get_dataset(data.name)
    return named is not None and named.path is not None and Path(data.origin.path).parent.name == "datasets"


def _restore_images(data: DatasetSummary, source: DataSource, cancel: Cancel | None) -> tuple[DatasetSummary, str]:
    """Add a record's own images to the Lab again, with their edits, if they are still on this machine.

    Returns:
        Their summary, with the name that they have in this Lab; and why they could not be added, or "".

    Raises:
        CancelledError: `cancel` was set.
    """
    origin = data.origin
    if source.own is not None or origin is None or _is_named(data):
        return data, ""
    try:
        if is_elsewhere(origin.path):  # anybody may have written the record: contact no other machine
            raise InputError(_("The folder {origin_path} is on another machine.", origin_path=printable(origin.path)))
        collection = collection_of(origin, cancel)
        dataset = collection.build(image_size=data.image_size, cancel=cancel)
    except InputError as error:
        return data, str(error)
    return replace(data, name=source.add_collection(collection, replace(dataset, name=printable(data.name)[:80]))), ""


def _rejection_reason(comparison: Comparison, source: DataSource, settings: LabSettings, *, is_restored: bool) -> str:
    """Return why the images of a record cannot be chosen in this Lab with its settings; "" if they can."""
    data = comparison.dataset
    place = (
        _(" (the folder {origin_path})", origin_path=printable(data.origin.path))
        if data.origin and data.origin.path
        else ""
    )
    name = printable(data.name)
    unchanged = _("The data set and its size stay as they were; the other settings are those of the record.")
    # The name of a missing folder proves nothing, because a built-in data set may have the same name.
    if source.own is None and (not is_restored or data.origin is None or not source.has_dataset(data.name)):
        return _(
            "Its images, {name}{place}, are not built in, and this Lab does not have them. "
            '{unchanged} If they are on this machine, open them in the tab "My pictures".',
            name=name,
            place=place,
            unchanged=unchanged,
        )
    try:
        most = source.facts(settings).max_per_class
    except InputError as error:
        return f"{error} {unchanged}"
    own = source.own
    if own is not None and own.image_size != settings.image_size:
        sizes = _(
            "Its images are {size} pixels wide and high, but those of this Lab are {own}.",
            size=settings.image_size,
            own=own.image_size,
        )
        return f"{sizes} {unchanged}"
    if settings.n_per_class is not None and settings.n_per_class > most:
        return _(
            "It asks for {n_per_class} images of each class, but {name} has only {most} here. {unchanged}",
            n_per_class=settings.n_per_class,
            name=name,
            most=most,
            unchanged=unchanged,
        )
    return ""
