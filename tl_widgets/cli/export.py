"""`tl-widgets export`: convert a saved model, and prove that the export answers the same."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from tl_widgets.cli.options import IMAGE_OPTIONS, read_columns, read_options, read_parts
from tl_widgets.cli.progress import cancel_on_interrupt, make_console, show_events
from tl_widgets.core.errors import InputError
from tl_widgets.core.files import require_new_folder
from tl_widgets.core.paths import absolute_path, user_file
from tl_widgets.core.text import printable
from tl_widgets.core.translation import _
from tl_widgets.data.catalogue import default_dataset
from tl_widgets.records.run import RunResult

if TYPE_CHECKING:
    from tl_widgets.models.trained_on import TrainedOn


def run_export(args: Namespace) -> None:
    """Run `tl-widgets export`."""
    from tl_widgets.cli.compare import load_images, plain_name
    from tl_widgets.core.lazy_tensorflow import import_tensorflow
    from tl_widgets.export.exporting import export_run, require_format
    from tl_widgets.export.programs import serve_command

    console = make_console()
    require_format(args.to, int8=args.int8)
    file = user_file(args.model, "MODEL")
    parts = read_parts(args)
    name = plain_name(default_dataset() if args.data is None else args.data)
    folder = args.folder or Path(f"tl-widgets-{name}-{args.to}{'-int8' if args.int8 else ''}")
    require_new_folder(absolute_path(folder, "--folder"))
    with cancel_on_interrupt() as cancel, show_events(console, quiet=args.quiet) as on_event:
        import_tensorflow(on_event, cancel)
        from tl_widgets.models.builders import count_parameters
        from tl_widgets.models.trained_on import read_trained_on
        from tl_widgets.setup_checks.untrusted import load_untrusted

        model = load_untrusted(file)
        images = read_options(args, IMAGE_OPTIONS[1:])
        shape = getattr(model, "input_shape", None)
        if images["image_size"] is None and isinstance(shape, tuple) and len(shape) == 4:
            images["image_size"] = shape[1]
        dataset = load_images(args.data, **images, columns=read_columns(args), parts=parts, seed=args.seed,
                              on_event=on_event, cancel=cancel)  # fmt: skip
        trained_on = read_trained_on(file)
        same_test = None if trained_on is None else trained_on.has_same_test(dataset)
        if trained_on is not None:
            _require_new_test_images(printable(file.name), trained_on, is_same=same_test or args.anyway)
        names = dataset.class_names if trained_on is None else trained_on.class_names
        run = RunResult(file.stem, names, count_parameters(model), model=model)
        report = export_run(run, args.to, folder, dataset=dataset, int8=args.int8, anyway=args.anyway,
                            same_test=same_test, on_event=on_event, cancel=cancel)  # fmt: skip
    for sentence in report.sentences[:1] if args.quiet else report.sentences:
        console.print(sentence, soft_wrap=True)
    if not args.quiet:
        console.print(_("Export: {folder}", folder=folder), soft_wrap=True)
        if report.kind == "web":
            command = f"`{serve_command(folder)}`"
            line = _("Run {command}, and open http://localhost:8000.", command=command)
            console.print(line, soft_wrap=True)


def _require_new_test_images(name: str, trained_on: TrainedOn, *, is_same: bool) -> None:
    """Raise InputError if a model may have learned from the test images."""
    if trained_on.is_cross_validated:
        raise InputError(
            _(
                "{name} comes from a cross-validated comparison, so it learned from images of the test split. Run "
                "`compare` without --folds, and export one of its models.",
                name=name,
            )
        )
    if not is_same:
        raise InputError(
            _(
                "{name} was trained on {data} and tested on other images than these. It may have learned from some of "
                "these test images, so they would prove nothing. Give the data and the options that `compare` got, "
                "such as --seed and --classes, or export it anyway with --anyway.",
                name=name,
                data=printable(trained_on.name),
            )
        )
