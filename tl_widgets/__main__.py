"""`python -m tl_widgets` is `tl-widgets`."""

import sys

from tl_widgets.cli.main import main

sys.exit(main())
