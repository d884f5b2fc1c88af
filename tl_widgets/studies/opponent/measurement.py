"""Measurement of the "opponent" study: a search over the settings of both models, and one test of what it chose."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from tl_widgets.backbones.catalogue import require_backbone
from tl_widgets.backbones.weights import resolve_weights
from tl_widgets.core.arguments import checked
from tl_widgets.core.config import Config
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.events import Cancel, Event, OnEvent, ignore
from tl_widgets.core.lazy_tensorflow import import_tensorflow
from tl_widgets.core.model_name import ModelName, phrase_of
from tl_widgets.core.settings import Whole
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset, require_dataset
from tl_widgets.experiments.arms import Arms, RunCache
from tl_widgets.experiments.comparison import environment, summarize
from tl_widgets.experiments.parallel import WorkContext, measure_all
from tl_widgets.studies.opponent.result import DEFAULT, FinalModel, Trial, TrialPoint, TunedOpponent
from tl_widgets.studies.opponent.search import Halving, epochs_of, propose, score_of
from tl_widgets.studies.outcome import right_answers
from tl_widgets.training.race import Turns


@dataclass(frozen=True)
class _Job:
    """One step of the search: the default settings, one place of a rung, or a test."""

    arm: ModelName
    step: Literal["default", "rung", "test default", "test tuned"]
    rung: int = 0
    place: int = 0

    def describe(self) -> str:
        rung = (
            _("place {place} of round {rung}", place=self.place + 1, rung=self.rung + 1)
            if self.step == "rung"
            else self.step
        )
        return phrase_of(self.arm) + ", " + rung


@checked
def tuned_opponent(
    dataset: ImageDataset,
    *,
    budget: int = 8,
    passes: int = 24,
    backbone: str = Config.backbone,
    seed: int = Config.seed,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> TunedOpponent:
    """Tune the network from scratch and the frozen backbone with the same budget, and compare them before and after.

    The settings of the network from scratch are its learning rate, width, depth, dropout, last feature maps, augmented
    copies, batch size and epochs; those of the frozen backbone are its head's learning rate, dropout, batch size and
    epochs. Random settings are tried by successive halving: all trials train for a quarter of `passes`, the better half
    goes on to half of it, and the better half of those to the end. Only the validation images choose. The chosen
    settings are trained anew, as `compare` does, and tested once.

    Args:
        dataset: images and their split.
        budget: trials of each model, besides the default settings.
        passes: the most passes over the training images in one trial; an epoch with n augmented copies counts 1 + n.
        backbone: a name in the catalogue (`list_backbones`).
        seed: determines the settings that are tried, the initial weights and the order of the images.
        on_event: receives each pause of a trial, and each test.
        cancel: set from any thread, it stops the study within one batch.

    Returns:
        Everything that was measured, even after a Stop.

    Raises:
        InputError: an argument is not allowed, or nothing could be measured.
    """
    require_dataset(dataset)
    Whole(1, 100).check("budget", budget)
    Whole(4, 10_000).check("passes", passes)
    config = Config(backbone=require_backbone(backbone, dataset.image_size).name, seed=seed)
    import_tensorflow(on_event, cancel)
    searches = {
        arm: _Search(arm, dataset, (config, *propose(arm, budget, passes, config)), Halving(budget, passes))
        for arm in (ModelName.TRANSFER, ModelName.SCRATCH)  # the quick one first
    }
    jobs = [job for search in searches.values() for job in search.jobs()]
    measured = measure_all(
        jobs,
        lambda job, context: searches[job.arm].measure(job, context),
        describe=_Job.describe,
        on_event=on_event,
        cancel=cancel,
    )
    trials = [
        Trial(arm, i, trial) for arm in ModelName if arm in searches for i, trial in enumerate(searches[arm].configs)
    ]
    return TunedOpponent(
        dataset=summarize(dataset),
        config=config,
        budget=budget,
        passes=passes,
        trials=tuple(trials),
        points=tuple(point for point in measured.points if isinstance(point, TrialPoint)),
        tested=tuple(point for point in measured.points if isinstance(point, FinalModel)),
        failures=measured.failures,
        stopped=measured.stopped,
        environment=environment(),
    )


@dataclass
class _Training:
    """A trial that trains up to an epoch and then waits; it is never tested."""

    turns: Turns
    val_accuracy: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)

    @staticmethod
    def start(arm: ModelName, dataset: ImageDataset, config: Config, context: WorkContext) -> _Training:
        """Return a trial before its first epoch."""

        def keep_metrics(event: Event) -> None:
            if event.metrics:
                training.val_accuracy.append(event.metrics["val_accuracy"])
                training.val_loss.append(event.metrics["val_loss"])
            context.on_event(event)

        # Kept runs would end at once, which looks like a Stop.
        cache = RunCache(backbones=context.cache.backbones)
        arms = Arms(dataset, config, keep_metrics, context.cancel, cache)
        if arm == ModelName.SCRATCH:
            training = _Training(arms.scratch())
        else:
            weights = resolve_weights(arms.entry, config.weights, on_event=context.on_event, cancel=context.cancel)
            training = _Training(arms.transfer(arm, weights))
        return training

    def train_to(self, epochs: int) -> None:
        """Train up to this number of epochs."""
        while len(self.val_loss) < epochs:
            try:
                next(self.turns)
            except StopIteration:  # it was stopped; at its end, it would wait before the test
                raise CancelledError("stopped") from None


@dataclass
class _Search:
    """The search for the settings of one model.

    Attributes:
        configs: the default settings, then those of each trial.
    """

    arm: ModelName
    dataset: ImageDataset
    configs: tuple[Config, ...]
    halving: Halving
    running: dict[int, _Training] = field(default_factory=dict)
    best: TrialPoint | None = None

    def jobs(self) -> list[_Job]:
        """Return all steps, in order."""
        rungs = [
            _Job(self.arm, "rung", rung, place)
            for rung, (n_trials, _) in enumerate(self.halving.rungs)
            for place in range(n_trials)
        ]
        return [_Job(self.arm, "default"), *rungs, _Job(self.arm, "test default"), _Job(self.arm, "test tuned")]

    def measure(self, job: _Job, context: WorkContext) -> TrialPoint | FinalModel:
        """Take one step."""
        if job.step == "default":
            started = time.perf_counter()
            history = context.train(self.dataset, self.configs[DEFAULT], self.arm).history
            return self._add(DEFAULT, history.val_accuracy, history.val_loss, 0, started)
        if job.step == "rung":
            return self._climb(job, context)
        if job.step == "test default":
            return self._test(DEFAULT, self.configs[DEFAULT], context, is_tuned=False)
        if self.best is None:
            raise InputError(_("no trial could be measured"))
        chosen = replace(self.configs[self.best.trial], epochs=self.best.best_epoch)
        return self._test(self.best.trial, chosen, context, is_tuned=True)

    def _climb(self, job: _Job, context: WorkContext) -> TrialPoint:
        """Train one trial to the end of a rung."""
        if not job.place:  # forget those that are out
            self.running = {
                trial: self.running[trial] for trial in self.halving.trials(job.rung) if trial in self.running
            }
        trial = self.halving.trial(job.rung, job.place)
        config, started = self.configs[trial + 1], time.perf_counter()
        if trial not in self.running:
            self.running[trial] = _Training.start(self.arm, self.dataset, config, context)
        training = self.running[trial]
        before = len(training.val_loss)
        training.train_to(epochs_of(config, self.halving.rungs[job.rung][1]))
        point = self._add(trial + 1, training.val_accuracy, training.val_loss, before, started)
        self.halving.add(job.rung, trial, point.score)
        return point

    def _add(
        self, trial: int, val_accuracy: Sequence[float], val_loss: Sequence[float], before: int, started: float
    ) -> TrialPoint:
        """Return what a trial has reached, and keep the best."""
        scores = [score_of(*both) for both in zip(val_accuracy, val_loss, strict=True)]
        best = scores.index(min(scores))
        passes = (len(scores) - before) * (1 + self.configs[trial].augment)
        point = TrialPoint(
            self.arm,
            trial,
            len(scores),
            best + 1,
            val_accuracy[best],
            val_loss[best],
            passes,
            time.perf_counter() - started,
        )
        if self.best is None or point.score < self.best.score:
            self.best = point
        return point

    def _test(self, trial: int, config: Config, context: WorkContext, *, is_tuned: bool) -> FinalModel:
        run = context.train(self.dataset, config, self.arm)
        return FinalModel(self.arm, trial, is_tuned, config, right_answers(run))
