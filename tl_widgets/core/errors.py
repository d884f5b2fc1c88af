"""What goes wrong in a way that the person in front of the screen can mend."""


class InputError(ValueError):
    """A mistake in what was asked for: one sentence on what was received, what is allowed, what to do.

    The command line prints it and exits with status 2; the Lab shows it as a sentence. Neither ever
    shows a stack trace for it.
    """

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in a notebook's cell: the sentence alone."""
        return [f"{type(self).__name__}: {self}"]


class WeightsUnavailableError(InputError):
    """Pretrained weights are neither on this machine nor to be had from the network now."""


class CancelledError(Exception):
    """Somebody pressed Stop; raised inside a step that has nothing to return yet."""
