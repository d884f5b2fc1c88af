"""`tl-widgets study NAME`: everything about a study comes from its declaration."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tl_widgets.cli.options import (
    IMAGE_OPTIONS,
    add_column_options,
    add_options,
    add_part_options,
    read_columns,
    read_options,
    read_parts,
)
from tl_widgets.core.config import Config, ImageSettings
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.model_name import word_of
from tl_widgets.core.paths import read_user_file
from tl_widgets.core.settings import Setting, settings_of
from tl_widgets.core.text import all_of
from tl_widgets.core.translation import _
from tl_widgets.studies.arguments import StudyArguments
from tl_widgets.studies.registry import STUDIES
from tl_widgets.studies.study import AnyStudy, StudyResult

if TYPE_CHECKING:
    from rich.table import Table

    from tl_widgets.core.events import Cancel, OnEvent
    from tl_widgets.data.dataset import ImageDataset

_MOST_RECORD_BYTES = 200_000_000
_IMAGES = {setting.name for setting in IMAGE_OPTIONS}
_SPLIT_SEED = replace(settings_of(Config)["seed"], help=_("Decides which images are in which split"))


@dataclass(frozen=True)
class _Usual:
    """The value of an option that nobody typed: the study's own, as the help shows it."""

    text: str

    def __str__(self) -> str:
        return self.text


def add_study(commands: Any) -> None:
    """Add the command `study`, with one sub-command for each study."""
    text = _("measure one question with many models: how much data, how much time, ...")
    studies = commands.add_parser("study", help=text).add_subparsers(dest="study", metavar="NAME", required=True)
    for study in STUDIES.values():
        title = f"{study.question.rstrip('?')}: {study.about}"
        add = studies.add_parser(study.name, help=title, description=f"{title}.").add_argument
        data = _("a built-in data set, a folder with a sub-folder for each class, or its zip")
        add(
            "data",
            nargs="?",
            metavar="DATA",
            help=_("{data} (default: {usual_data})", data=data, usual_data=_usual_data(study)),
        )
        add_options(add, _image_options(study))
        add_column_options(add)
        add_part_options(add)
        add_options(add, _options(study))
        if study.can_go_on:
            add("--resume", type=Path, metavar="FILE", help=_("the record of a stopped study, to continue it"))
        add("--json", type=Path, metavar="FILE", help=_("the record of everything"))
        add("--figure", type=Path, metavar="FILE", help=_("a .png, .svg or .pdf"))
        add("--quiet", action="store_true", help=_("print only the sentences"))


def _usual_data(study: AnyStudy) -> str:
    # Read from the declaration: an instance would check its backbone and load the catalog for every --help.
    return _("images on which it shows") if study.brings_images else settings_of(study.arguments)["dataset"].default


def _image_options(study: AnyStudy) -> list[Setting]:
    """Return the settings of the images; without an option, the study decides, whatever the data are."""
    declared, options = {**settings_of(ImageSettings), **settings_of(study.arguments)}, list[Setting]()
    for option in IMAGE_OPTIONS[1:]:
        if option.name in ("image_size", "n_per_class"):
            own = declared[option.name]
            text = own.none if own.default is None else str(own.default)
            option = replace(own, default=_Usual(_("what shows it") if study.brings_images else text))
        options.append(option)
    return options


def _options(study: AnyStudy) -> list[Setting]:
    """Return the settings of a study that aren't about its images."""
    settings = settings_of(study.arguments)
    seed = [] if "seed" in settings else [_SPLIT_SEED]
    return [*(setting for name, setting in settings.items() if name not in _IMAGES), *seed]


def run_study(args: Namespace) -> None:
    """Run `tl-widgets study`.

    Raises:
        InputError: An argument is invalid, or no point of one kind of model could be measured; in the second case, the
            other measurements are written first.
        CancelledError: Ctrl-C; the measurements so far are written first.
    """
    from tl_widgets.cli.progress import cancel_on_interrupt, make_console, show_events
    from tl_widgets.core.files import write_each, write_text

    study, console, parts = STUDIES[args.study], make_console(), read_parts(args)
    images = {
        name: value
        for name, value in read_options(args, _image_options(study)).items()
        if not isinstance(value, _Usual)
    }
    if study.brings_images and args.data is None and any(images.values()):
        raise InputError(_("--image-size, --images-per-class and --classes need DATA: give a data set or a folder."))
    options = _options(study)
    known = {field.name for field in fields(study.arguments)}
    values = {name: value for name, value in {**images, **read_options(args, options)}.items() if name in known}
    arguments: StudyArguments = study.arguments(**values)
    figure, record = _outputs(args, arguments.subject if args.data is None else args.data)
    earlier = _read_earlier(study, args.resume) if study.can_go_on and args.resume else None
    with cancel_on_interrupt() as cancel, show_events(console, quiet=args.quiet) as on_event:
        dataset = None
        if args.data is not None or not study.brings_images:
            from tl_widgets.cli.images import show_images

            usual = arguments.image_settings
            if earlier is not None:  # what is added must be measured on the same images
                used = earlier.datasets[0]
                n_per_class = used.origin.n_per_class if used.origin else None
                usual = replace(usual, image_size=used.image_size, n_per_class=n_per_class)
            dataset = _load(args, parts, usual, images, on_event, cancel)
            show_images(console, dataset, quiet=args.quiet)
            if not args.quiet:
                console.print(_used_text(dataset), soft_wrap=True)
            arguments = _fitted(arguments, dataset, args, options)
        if earlier is None:
            result = study.measure(arguments, dataset, on_event, cancel)
        else:
            result = study.go_on(earlier, arguments, dataset, on_event, cancel)
    writers: list[tuple[Path, Callable[[], object]]] = [(record, lambda: write_text(record, result.to_json()))]
    if not result.stopped:
        writers.append((figure, lambda: _write_figure(study, result, figure)))
    try:
        if result.rows:
            console.print(_table(result.rows))
        for sentence in study.sentences(result):
            console.print(sentence, soft_wrap=True)
    finally:
        write_each(writers)
    if not args.quiet:
        written = (
            _("Record: {record}", record=record)
            if result.stopped
            else _("Figure: {figure}\nRecord: {record}", figure=figure, record=record)
        )
        console.print(written, soft_wrap=True)
    if result.stopped:
        raise CancelledError("stopped")
    if result.lost_arms:
        raise InputError(
            _(
                "No point of {lost_arms} could be measured; the sentences say why.",
                lost_arms=all_of(map(word_of, result.lost_arms)),
            )
        )


def _write_figure(study: AnyStudy, result: StudyResult, path: Path) -> None:
    from tl_widgets.core.files import write_whole
    from tl_widgets.plots.style import root_figure

    drawing = root_figure(study.draw(result))
    write_whole(path, lambda part: drawing.savefig(part, dpi=150, format=path.suffix[1:].lower()))


def _outputs(args: Namespace, subject: str) -> tuple[Path, Path]:
    """Return the files for figure and record, checked before anything is loaded."""
    from tl_widgets.cli.compare import FIGURES, plain_name
    from tl_widgets.core.files import check_writable

    stem = f"tl-widgets-{args.study}-{plain_name(subject)}"
    figure, record = args.figure or Path(f"{stem}.png"), args.json or Path(f"{stem}.json")
    if figure.suffix.lower() not in FIGURES:
        raise InputError(
            _(
                "--figure {figure} must end in {endings} or {last}.",
                figure=figure,
                endings=", ".join(FIGURES[:-1]),
                last=FIGURES[-1],
            )
        )
    if os.path.realpath(figure) == os.path.realpath(record):
        raise InputError(_("--figure and --json must be different files."))
    check_writable(figure, "--figure")
    check_writable(record, "--json")
    return figure, record


def _read_earlier(study: AnyStudy, path: Path) -> StudyResult:
    try:
        text = read_user_file(path, "--resume", _MOST_RECORD_BYTES).decode("utf-8-sig")
    except (InputError, UnicodeDecodeError) as error:
        raise InputError(
            _(
                "The record to resume, {path}, cannot be read ({error}). Give the JSON file that "
                "`tl-widgets study {study_name}` wrote.",
                path=path,
                error=error,
                study_name=study.name,
            )
        ) from None
    (kind,) = study.results()
    earlier: StudyResult = kind.from_json(text)
    return earlier


def _load(
    args: Namespace,
    parts: Mapping[str, str],
    usual: ImageSettings,
    typed: Mapping[str, Any],
    on_event: OnEvent,
    cancel: Cancel,
) -> ImageDataset:
    """Return the requested images, in the size and number of `usual` unless others were typed."""
    from tl_widgets.cli.compare import load_images

    choices = {"image_size": usual.image_size, "n_per_class": None, **typed}
    dataset = load_images(usual.dataset if args.data is None else args.data, **choices, columns=read_columns(args),
                          parts=parts, seed=args.seed, on_event=on_event, cancel=cancel)  # fmt: skip
    if "n_per_class" in typed or usual.n_per_class is None or usual.n_per_class >= _n_smallest(dataset):
        return dataset
    return dataset.take(usual.n_per_class, seed=args.seed)


def _used_text(dataset: ImageDataset) -> str:
    """Return a sentence on the images that the study works on."""
    return _(
        "The study uses {n:,} training images of {side} x {side} pixels; --image-size and --images-per-class change "
        "that.",
        n=len(dataset.train),
        side=dataset.image_size,
    )


def _n_smallest(dataset: ImageDataset) -> int:
    """Return the number of training images of the smallest class."""
    import numpy as np

    return int(np.bincount(dataset.train.labels, minlength=dataset.n_classes).min())


def _fitted(
    arguments: StudyArguments, dataset: ImageDataset, args: Namespace, options: list[Setting]
) -> StudyArguments:
    """Return arguments that need no more images than there are; typed ones stay."""
    fitted = arguments.fitted(_n_smallest(dataset))
    typed = [option.name for option in options if getattr(args, option.name) is not option.default]
    return replace(fitted, **{name: getattr(arguments, name) for name in typed if name in settings_of(type(arguments))})


def _table(rows: tuple[tuple[str, ...], ...]) -> Table:
    """Return a table of texts; the first row holds the titles."""
    from rich.table import Table

    table = Table(*rows[0], box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for row in rows[1:]:
        table.add_row(*row)
    return table
