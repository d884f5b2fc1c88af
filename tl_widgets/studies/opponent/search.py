"""The search of the "opponent" study: which settings are tried, and successive halving. No TensorFlow."""

from __future__ import annotations

from dataclasses import replace
from math import inf, isfinite, log10

import numpy as np

from tl_widgets.core.config import Config, ScratchSpec
from tl_widgets.core.errors import InputError
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.translation import _

_N_RUNGS = 3
_BATCHES, _DROPOUTS = (8, 16, 32), (0.0, 0.25, 0.5)
_KERNELS = (5, 3, 3, 3)


def propose(arm: ModelName, n_trials: int, passes: int, config: Config) -> tuple[Config, ...]:
    """Return random settings of one model for each trial; a larger number of trials begins with those of a smaller one.

    Every trial may use `passes` passes over the training images at most, so one with augmented copies has fewer epochs.

    Source: J. Bergstra, Y. Bengio, Random search for hyper-parameter optimization, JMLR 13 (2012), 281-305.
    """
    random = np.random.default_rng([config.seed, 7, arm.order])
    draw = _scratch if arm == ModelName.SCRATCH else _transfer
    trials = (draw(random, config) for _ in range(n_trials))
    return tuple(replace(trial, epochs=epochs_of(trial, passes)) for trial in trials)


def epochs_of(config: Config, passes: int) -> int:
    """Return how many epochs, at least 1, are no more than this many passes over the images without copies."""
    return max(1, passes // (1 + config.augment))


def _scratch(random: np.random.Generator, config: Config) -> Config:
    depth, width = int(random.integers(2, 5)), int(random.choice([16, 32, 48]))
    spec = ScratchSpec(
        filters=tuple(width * 2**i for i in range(depth)),
        kernel_sizes=_KERNELS[:depth],
        head=str(random.choice(["flatten", "global_average"])),
        dropout=float(random.choice(_DROPOUTS)),
    )
    rate, batch_size = _rate(random, 1e-4, 1e-2), int(random.choice(_BATCHES))
    augment = int(random.choice([0, 1, 3]))
    return replace(config, scratch=spec, learning_rate=rate, batch_size=batch_size, augment=augment)


def _transfer(random: np.random.Generator, config: Config) -> Config:
    rate, batch_size = _rate(random, 1e-4, 1e-1), int(random.choice(_BATCHES))
    return replace(config, learning_rate=rate, batch_size=batch_size, head_dropout=float(random.choice(_DROPOUTS)))


def _rate(random: np.random.Generator, low: float, high: float) -> float:
    """Return a learning rate, on a logarithmic scale, with two digits."""
    return float(f"{10 ** random.uniform(log10(low), log10(high)):.1e}")


Score = tuple[float, float]  # the smaller the better


def score_of(val_accuracy: float, val_loss: float) -> Score:
    """Return a score that prefers a higher accuracy, then a lower loss; what diverged comes last."""
    return (-val_accuracy if isfinite(val_accuracy) else inf, val_loss if isfinite(val_loss) else inf)


class Halving:
    """Successive halving: all trials train for a while, the better half goes on for twice as long, and so on.

    Source: K. Jamieson, A. Talwalkar, Non-stochastic best arm identification and hyperparameter optimization,
    AISTATS 2016, arXiv 1502.07943.

    Attributes:
        rungs: (number of trials, passes over the training images from the first one on) of each rung.
    """

    def __init__(self, n_trials: int, passes: int) -> None:
        last = _N_RUNGS - 1
        self.rungs = tuple((max(1, n_trials >> i), max(1, passes >> (last - i))) for i in range(_N_RUNGS))
        self._scores: tuple[dict[int, Score], ...] = tuple({} for _ in self.rungs)

    @property
    def passes(self) -> int:
        """The passes of all trials together, at most."""
        before = (0, *(passes for _, passes in self.rungs))
        return sum(n * (passes - before[i]) for i, (n, passes) in enumerate(self.rungs))

    def trials(self, rung: int) -> tuple[int, ...]:
        """Return the trials of a rung, the best of the rung before first."""
        n_trials = self.rungs[rung][0]
        if not rung:
            return tuple(range(n_trials))
        scores = self._scores[rung - 1]
        return tuple(sorted(scores, key=lambda trial: (scores[trial], trial))[:n_trials])

    def trial(self, rung: int, place: int) -> int:
        """Return one of the trials of a rung, the best of the rung before having place 0.

        Raises:
            InputError: too many trials have failed.
        """
        trials = self.trials(rung)
        if place >= len(trials):
            raise InputError(_("too few trials were left, because others failed"))
        return trials[place]

    def add(self, rung: int, trial: int, score: Score) -> None:
        """Record the score that a trial has reached by the end of a rung."""
        self._scores[rung][trial] = score
