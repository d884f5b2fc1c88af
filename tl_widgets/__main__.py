"""`python -m tl_widgets` is `tl-widgets`."""

import sys

from tl_widgets.cli import run

sys.exit(run())
