"""`tl-widgets export`: convert a saved model, and prove that the export answers the same."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from tl_widgets.cli.options import IMAGE_OPTIONS, read_columns, read_options, read_parts
from tl_widgets.cli.progress import cancel_on_interrupt, make_console, show_events
from tl_widgets.core.files import require_new_folder
from tl_widgets.core.paths import absolute_path
from tl_widgets.core.translation import _
from tl_widgets.data.catalogue import default_dataset
from tl_widgets.records.run import RunResult


def run_export(args: Namespace) -> None:
    """Run `tl-widgets export`."""
    from tl_widgets.cli.compare import load_images, plain_name
    from tl_widgets.core.lazy_tensorflow import import_tensorflow
    from tl_widgets.export.exporting import export_model

    console = make_console()
    parts = read_parts(args)
    name = plain_name(default_dataset() if args.data is None else args.data)
    folder = args.folder or Path(f"tl-widgets-{name}-{args.to}{'-int8' if args.int8 else ''}")
    require_new_folder(absolute_path(folder, "--folder"))
    with cancel_on_interrupt() as cancel, show_events(console, quiet=args.quiet) as on_event:
        import_tensorflow(on_event, cancel)
        from tl_widgets.models.builders import count_parameters
        from tl_widgets.setup_checks.untrusted import load_untrusted

        model = load_untrusted(args.model)
        images = read_options(args, IMAGE_OPTIONS[1:])
        shape = getattr(model, "input_shape", None)
        if images["image_size"] is None and isinstance(shape, tuple) and len(shape) == 4:
            images["image_size"] = shape[1]
        dataset = load_images(args.data, **images, columns=read_columns(args), parts=parts, seed=args.seed,
                              on_event=on_event, cancel=cancel)  # fmt: skip
        run = RunResult(args.model.stem, dataset.class_names, count_parameters(model), model=model)
        report = export_model(run, args.to, folder, dataset=dataset, int8=args.int8, anyway=args.anyway,
                              on_event=on_event, cancel=cancel)  # fmt: skip
    for sentence in report.sentences[:1] if args.quiet else report.sentences:
        console.print(sentence, soft_wrap=True)
    if not args.quiet:
        console.print(_("Export: {folder}", folder=folder), soft_wrap=True)
        if report.kind == "web":
            command = _("`python -m http.server --directory {folder}`", folder=folder)
            line = _("Run {command}, and open http://localhost:8000.", command=command)
            console.print(line, soft_wrap=True)
