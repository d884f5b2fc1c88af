"""`python -m tl_widgets` is `tl-widgets`."""

import sys

from tl_widgets.cli import main

sys.exit(main())
