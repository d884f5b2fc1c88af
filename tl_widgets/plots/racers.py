"""What the charts of a race show: the models, their epochs so far, and what is known about the run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from tl_widgets.core.model_name import ModelName, heading_of
from tl_widgets.core.translation import _
from tl_widgets.plots.labels import Score
from tl_widgets.records.comparison import ClassFigures, History

_NOTHING = History()
_N_UNKNOWN = (10, 20, 50, 100, 200, 500, 1000)  # what the axis shows while the number of epochs is unknown


@dataclass(frozen=True)
class Racer:
    """A model in the race.

    Attributes:
        name: A `ModelName`.
        history: The epochs so far.
        ghost: Its history in the last run, drawn pale.
        score: Its accuracy on the test images; None before the test.
        per_class: Its figures for each class of the test images; empty before the test.
        outdated: Why the curve belongs to earlier settings, as a clause; such a curve is dashed.
    """

    name: str
    history: History = _NOTHING
    ghost: History = _NOTHING
    score: Score | None = None
    per_class: tuple[ClassFigures, ...] = ()
    outdated: str = ""

    @property
    def heading(self) -> str:
        """The model's name as a label, without what stands in parentheses."""
        return heading_of(self.name).split(" (")[0]


@dataclass(frozen=True)
class Race:
    """What the chart shows.

    Attributes:
        racers: The models, in their order.
        n_epochs: The number of epochs of the longest run; None if unknown.
        chance: The accuracy, 0..1, of always answering the most frequent class; None draws no line.
        backbone: The backbone's name, for the text alternative.
        fine_tuning_start: Epochs of the frozen stage, after which fine-tuning continues; 0 without fine-tuning.
        status: What is going on while there is no curve: "Reading features: 40 of 120 images".
        note: A remark under the chart: "seed 0; the test is the mean of 5 seeds".
        baseline: What `chance` is called, such as "always bird".
    """

    racers: tuple[Racer, ...]
    n_epochs: int | None = None
    chance: float | None = None
    backbone: str = ""
    fine_tuning_start: int = 0
    status: str = ""
    note: str = ""
    baseline: str = _("chance")

    def first_epoch(self, racer: Racer) -> int:
        """Return the first epoch to draw; a fine-tuned model's earlier ones belong to the transfer model's curve."""
        if racer.name != ModelName.FINE_TUNED:
            return 1
        start = max(self.fine_tuning_start, 1)
        # A cached transfer model sends no events, so the end of its frozen stage may be unknown.
        is_unknown = any(math.isnan(value) for value in racer.history.accuracy[start - 1 : start])
        return start + is_unknown

    def diverged(self, racer: Racer) -> int | None:
        """Return the first epoch whose loss is infinite or not a number; None if there is none."""
        trained = self.fine_tuning_start if racer.name == ModelName.FINE_TUNED else 0
        losses = (racer.history.loss, racer.history.val_loss)
        epochs = [e for values in losses for e, loss in enumerate(values, 1) if e > trained and not math.isfinite(loss)]
        return min(epochs, default=None)

    @cached_property
    def n_drawn(self) -> int:
        """The number of epochs of the longest history."""
        histories = [history for racer in self.racers for history in (racer.history, racer.ghost)]
        return max((len(values) for h in histories for values in (h.accuracy, h.val_accuracy)), default=0)

    @property
    def axis_end(self) -> int:
        """The last epoch on the axis."""
        if self.n_epochs:
            return max(self.n_epochs, self.n_drawn)
        return next((n for n in _N_UNKNOWN if n >= self.n_drawn), self.n_drawn)
