"""The exceptions that tl_widgets raises for users and for cancellation."""


class InputError(ValueError):
    """A mistake that the user can fix.

    The message says what was received, what is allowed and what to do. The command line prints it and exits with
    status 2, and the Lab shows it, both without a stack trace. Any function may raise it: only the public functions
    list the reasons.
    """

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows in a notebook: the message, no stack trace."""
        return [f"{type(self).__name__}: {self}"]


class WeightsUnavailableError(InputError):
    """Pretrained weights are not on this machine and can't be downloaded now."""


class CancelledError(Exception):
    """The step was cancelled (Stop was pressed) before it had a result to return."""
