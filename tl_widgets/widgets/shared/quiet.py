"""Quiet: tells what code does to a field from what a person does to it."""

from __future__ import annotations

import threading


class Quiet:
    """`with quiet:` around what code sets; while it lasts, `quiet.is_on` for this thread.

    JupyterLab sends its first message to the kernel's main thread and the others to a thread of their own, so that a
    person may move a field while another thread is setting fields: that change counts, and must not be lost.
    """

    def __init__(self) -> None:
        self._thread: int | None = None

    def __enter__(self) -> None:
        self._thread = threading.get_ident()

    def __exit__(self, *_: object) -> None:
        self._thread = None

    @property
    def is_on(self) -> bool:
        """Whether this very thread is setting fields now."""
        return self._thread == threading.get_ident()
