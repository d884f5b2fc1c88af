"""Models that train in turn: an epoch of each, then the next epoch of each."""

from __future__ import annotations

from collections.abc import Generator, Mapping

from tl_widgets.core.errors import CancelledError
from tl_widgets.records.comparison import RunResult

# The training of one model, which pauses after its preparation and after each epoch, and returns the result.
Turns = Generator[None, None, RunResult]


def finish(turns: Turns) -> RunResult:
    """Train a model without pauses.

    Raises:
        CancelledError: It was stopped before training began.
    """
    while True:
        try:
            next(turns)
        except StopIteration as end:
            result: RunResult = end.value
            return result


def race(arms: Mapping[str, Turns]) -> dict[str, RunResult]:
    """Prepare all models, train an epoch of each in turn, then test them; return the results by name.

    A model that was stopped before its training began has no result.
    """
    waiting, results = dict(arms), dict[str, RunResult]()
    try:
        while waiting:
            for name, turns in list(waiting.items()):
                try:
                    next(turns)
                    continue
                except StopIteration as end:
                    results[name] = end.value
                except CancelledError:
                    pass
                del waiting[name]
    finally:
        for turns in waiting.values():  # after an error in one of them
            turns.close()
    return results
