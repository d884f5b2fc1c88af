"""`tl-widgets check`: look for mistakes in a saved Keras model and its images."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from tl_widgets.cli.options import IMAGE_OPTIONS, read_columns, read_options
from tl_widgets.cli.progress import cancel_on_interrupt, make_console, show_events
from tl_widgets.core.translation import _

if TYPE_CHECKING:
    from tl_widgets.data.dataset import ImageDataset

FOUND = 1


def run_check(args: Namespace) -> int:
    """Run `tl-widgets check` and return the exit status: 0 if no mistake was found, else 1."""
    from tl_widgets.core.lazy_tensorflow import import_keras

    import_keras()
    from tl_widgets.cli.compare import load_images
    from tl_widgets.setup_checks.untrusted import check_saved

    console = make_console()
    images = read_options(args, IMAGE_OPTIONS[1:])
    with cancel_on_interrupt() as cancel, show_events(console, quiet=args.quiet) as on_event:

        def load(side: int | None) -> ImageDataset:
            size = images["image_size"] or side
            return load_images(args.data, **{**images, "image_size": size}, columns=read_columns(args), seed=0,
                               on_event=on_event, cancel=cancel)  # fmt: skip

        report = check_saved(args.model, load)
    if not report:
        sys.stdout.write(_("No mistake was found. That doesn't prove that there is none.\n"))
        return 0
    sys.stdout.write(f"{report!r}\n")
    return FOUND if any(finding.was_checked for finding in report.findings) else 0
