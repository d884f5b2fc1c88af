"""What went wrong, for the screen: a sentence, and for the unexpected a traceback to open."""

from __future__ import annotations

import traceback

from tl_widgets.core.errors import InputError
from tl_widgets.widgets.shared.html import alert
from tl_widgets.widgets.shared.runner import log


def trouble(error: Exception) -> str:
    """An error as HTML with role="alert"; one that should not have happened is logged as well.

    Args:
        error: anything that was caught.
    """
    if isinstance(error, InputError):
        return alert(str(error))
    log.error("the run failed", exc_info=error)
    sentence = f"Something went wrong that should not have: {type(error).__name__}: {error}"
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        sentence = "The memory ran out. Use smaller images, fewer filters or a smaller batch size."
    return alert(sentence, "".join(traceback.format_exception(error)))
