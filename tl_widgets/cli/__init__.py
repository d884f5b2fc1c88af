"""The command `tl-widgets`."""

import signal


def run() -> int:
    """Run the command and return its exit status.

    Until its modules are loaded, which takes 0.2 seconds, Ctrl-C ends the process: no stack trace is shown.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from tl_widgets.cli.main import main
    from tl_widgets.cli.output import leave_threads

    signal.signal(signal.SIGINT, before)
    status = main()
    leave_threads(status)
    return status
