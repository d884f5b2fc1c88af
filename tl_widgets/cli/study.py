"""`tl-widgets study NAME`: load, measure, print the sentences, write figure and record."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from rich.table import Table

from tl_widgets.cli.compare import FIGURES, load_images, plain_name
from tl_widgets.cli.files import check_writable, write_whole
from tl_widgets.cli.options import IMAGE_OPTIONS, read_options
from tl_widgets.cli.progress import make_console, stoppable, watching
from tl_widgets.cli.study_checks import check_asked
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.studies.registry import STUDIES


def run_study(args: Namespace) -> None:
    """Do what the arguments of `tl-widgets study` say.

    Raises:
        InputError: they say something that cannot be done, or one kind of model could not be measured at all; what
            was measured of the others is written all the same.
        CancelledError: Ctrl-C; what was measured until then is written all the same.
    """
    study, console = STUDIES[args.study], make_console()
    if args.data is None and (args.image_size, args.n_per_class, args.classes) != (None, None, None):
        raise InputError("--image-size, --images-per-class and --classes need DATA: name a data set or a folder.")
    stem = f"tl-widgets-{args.study}-{plain_name(args.data or args.mistake)}"
    figure, record = args.figure or Path(f"{stem}.png"), args.json or Path(f"{stem}.json")
    if figure.suffix.lower() not in FIGURES:
        raise InputError(f"--figure {figure} must end in {', '.join(FIGURES[:-1])} or {FIGURES[-1]}.")
    if figure.absolute() == record.absolute():
        raise InputError("--figure and --json must be different files.")
    check_writable(figure, "--figure")
    check_writable(record, "--json")
    check_asked(args)
    with stoppable() as cancel, watching(console, quiet=args.quiet) as on_event:
        images = {**read_options(args, IMAGE_OPTIONS[1:]), "seed": args.seed}
        dataset: Any = load_images(args.data, **images, on_event=on_event, cancel=cancel) if args.data else None
        result = study.measure(args, dataset, on_event, cancel)
    if rows := getattr(result, "rows", ()):
        console.print(_table(rows))
    for sentence in study.sentences(result):
        console.print(sentence, soft_wrap=True)
    text = result.to_json()
    write_whole(record, lambda part: _write_text(part, text))
    if not result.stopped:
        from tl_widgets.plots.style import root_figure

        drawing = root_figure(study.draw(result))
        write_whole(figure, lambda part: drawing.savefig(part, dpi=150, format=figure.suffix[1:].lower()))
    if not args.quiet:
        written = f"Record: {record}" if result.stopped else f"Figure: {figure}\nRecord: {record}"
        console.print(written, soft_wrap=True)
    if result.stopped:
        raise CancelledError("stopped")
    if lost := getattr(result, "lost_arms", ()):
        raise InputError(f"No point of {' and '.join(lost)} could be measured; the sentences above say why.")


def _table(rows: tuple[tuple[str, ...], ...]) -> Table:
    """Titles, then rows of texts."""
    table = Table(*rows[0], box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for row in rows[1:]:
        table.add_row(*row)
    return table


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
