"""What one comparison leaves for the next, so that nothing is computed twice. Imports no TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tl_widgets.records.comparison import RunResult

if TYPE_CHECKING:
    from tl_widgets.training.features import FrozenPart

_KEPT_RUNS = 8


@dataclass(eq=False)
class Workbench:
    """What one comparison leaves for the next, so that nothing is computed twice.

    The same data, settings and seed give the same model again, so a finished run can stand for its repetition.
    Whoever makes many comparisons (a Lab, a study) holds one; it must not be used from two threads at once.

    Attributes:
        runs: finished runs by all that decides them, the newest last.
        backbones: the frozen layers that were used last, one entry for each kind of arm.
    """

    runs: dict[Any, RunResult] = field(default_factory=dict)
    backbones: dict[str, tuple[Any, tuple[Any, ...], FrozenPart | None]] = field(default_factory=dict)

    def run(self, key: Any, make: Callable[[], RunResult]) -> RunResult:
        """The finished run of this key, or a new one."""
        if key not in self.runs:
            result = make()
            if result.stopped:
                return result
            self.runs[key] = result
            while len(self.runs) > _KEPT_RUNS:
                del self.runs[next(iter(self.runs))]
        return self.runs[key]
