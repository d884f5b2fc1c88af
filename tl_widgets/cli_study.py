"""`tl-widgets study NAME`: load, measure, print the sentences, write figure and record."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

from tl_widgets.cli_compare import FIGURES, load_images, plain_name
from tl_widgets.cli_files import check_writable, write_whole
from tl_widgets.cli_progress import make_console, stoppable, watching
from tl_widgets.data import ImageDataset
from tl_widgets.errors import CancelledError, InputError
from tl_widgets.events import Cancel, OnEvent
from tl_widgets.settings import Config


@dataclass(frozen=True)
class Study:
    """One study as the command line knows it.

    Attributes:
        measure: (arguments, data set, on_event, cancel) to a result with `stopped` and `to_json()`.
        draw: a result to axes or a figure.
        sentences: what a result says.
    """

    measure: Callable[[Namespace, ImageDataset, OnEvent, Cancel], Any]
    draw: Callable[[Any], Any]
    sentences: Callable[[Any], tuple[str, ...]] = attrgetter("sentences")


def run_study(args: Namespace) -> None:
    """Do what the arguments of `tl-widgets study` say.

    Raises:
        InputError: they say something that cannot be done.
        CancelledError: Ctrl-C; what was measured until then is written all the same.
    """
    study, console = STUDIES[args.study], make_console()
    stem = f"tl-widgets-{args.study}-{plain_name(args.data)}"
    figure, record = args.figure or Path(f"{stem}.png"), args.json or Path(f"{stem}.json")
    if figure.suffix.lower() not in FIGURES:
        raise InputError(f"--figure {figure} must end in {', '.join(FIGURES[:-1])} or {FIGURES[-1]}.")
    if figure.absolute() == record.absolute():
        raise InputError("--figure and --json must be different files.")
    check_writable(figure, "--figure")
    check_writable(record, "--json")
    with stoppable() as cancel, watching(console, quiet=args.quiet) as on_event:
        dataset = load_images(args, on_event, cancel)
        result = study.measure(args, dataset, on_event, cancel)
    for sentence in study.sentences(result):
        console.print(sentence, soft_wrap=True)
    text = result.to_json()
    write_whole(record, lambda part: _write_text(part, text))
    if not result.stopped:
        from tl_widgets.plot_style import root_figure

        drawing = root_figure(study.draw(result))
        write_whole(figure, lambda part: drawing.savefig(part, dpi=150, format=figure.suffix[1:].lower()))
    if not args.quiet:
        written = f"Record: {record}" if result.stopped else f"Figure: {figure}\nRecord: {record}"
        console.print(written, soft_wrap=True)
    if result.stopped:
        raise CancelledError("stopped")


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _measure_data(args: Namespace, dataset: ImageDataset, on_event: OnEvent, cancel: Cancel) -> Any:
    from tl_widgets.learning_curve import learning_curve

    return learning_curve(
        dataset,
        n_per_class=args.sizes,
        seeds=args.seeds,
        arms=args.arms,
        backbone=args.backbone,
        epochs=args.epochs,
        n_jobs=args.jobs,
        on_event=on_event,
        cancel=cancel,
    )


def _draw_data(result: Any) -> Any:
    from tl_widgets.plot_studies import plot_learning_curve

    return plot_learning_curve(result)


def _measure_time(args: Namespace, dataset: ImageDataset, on_event: OnEvent, cancel: Cancel) -> Any:
    from tl_widgets.learning_curve import time_study

    config = Config(backbone=args.backbone, epochs=args.epochs, seed=args.seed, control=args.control)
    return time_study(dataset, target=args.target, config=config, on_event=on_event, cancel=cancel)


def _draw_time(result: Any) -> Any:
    from tl_widgets.plot_studies import plot_time

    return plot_time(result)


def _measure_fine_tuning(args: Namespace, dataset: ImageDataset, on_event: OnEvent, cancel: Cancel) -> Any:
    from tl_widgets.experiments import compare
    from tl_widgets.fine_tuning import fine_tune

    how: dict[str, Any] = {"on_event": on_event, "cancel": cancel}
    comparison = compare(dataset, backbone=args.backbone, epochs=args.epochs, seed=args.seed, **how)
    if comparison.stopped:
        return comparison
    more: dict[str, Any] = {"epochs": args.more_epochs, "learning_rate": args.low_rate, "n_blocks": args.blocks}
    return fine_tune(comparison, dataset, **more, **how)


def _draw_fine_tuning(result: Any) -> Any:
    from tl_widgets.plots import plot_comparison

    return plot_comparison(result)


def _measure_mistake(args: Namespace, dataset: ImageDataset, on_event: OnEvent, cancel: Cancel) -> Any:
    from tl_widgets.tensorflow_import import import_tensorflow

    import_tensorflow(on_event)
    from tl_widgets.mistakes import what_goes_wrong

    how: dict[str, Any] = {"epochs": args.epochs, "seed": args.seed, "on_event": on_event, "cancel": cancel}
    return what_goes_wrong(dataset, mistake=args.mistake, backbone=args.backbone, **how)


def _draw_mistake(result: Any) -> Any:
    from tl_widgets.plot_studies import plot_mistake

    return plot_mistake(result)


STUDIES = {
    "data": Study(_measure_data, _draw_data),
    "time": Study(_measure_time, _draw_time),
    "fine-tuning": Study(_measure_fine_tuning, _draw_fine_tuning, lambda result: (result.verdict.text,)),
    "mistake": Study(_measure_mistake, _draw_mistake),
}
