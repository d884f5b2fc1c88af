"""`tl-widgets check`: look for mistakes in a saved Keras model and its images."""

from __future__ import annotations

import sys
from argparse import Namespace

from tl_widgets.cli.options import IMAGE_OPTIONS, read_columns, read_options
from tl_widgets.cli.progress import cancel_on_interrupt, make_console, show_events

FOUND = 1


def run_check(args: Namespace) -> int:
    """Run `tl-widgets check` and return the exit status: 0 if no mistake was found, else 1."""
    from tl_widgets.core.lazy_tensorflow import import_tensorflow

    import_tensorflow()
    from tl_widgets.cli.compare import load_images
    from tl_widgets.setup_checks.check import check_setup
    from tl_widgets.setup_checks.untrusted import load_untrusted

    console = make_console()
    model = load_untrusted(args.model)
    images = read_options(args, IMAGE_OPTIONS[1:])
    shape = getattr(model, "input_shape", None)
    if images["image_size"] is None and isinstance(shape, tuple) and len(shape) == 4 and isinstance(shape[1], int):
        images["image_size"] = shape[1]
    with cancel_on_interrupt() as cancel, show_events(console, quiet=args.quiet) as on_event:
        dataset = load_images(args.data, **images, columns=read_columns(args), seed=0, on_event=on_event,
                              cancel=cancel)  # fmt: skip
        report = check_setup(model, dataset)
    if not report:
        sys.stdout.write("No mistake was found. That doesn't prove that there is none.\n")
        return 0
    sys.stdout.write(f"{report!r}\n")
    return FOUND if any(finding.was_checked for finding in report.findings) else 0
