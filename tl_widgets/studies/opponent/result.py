"""The record of the "opponent" study, its statistics and sentences. No TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.config import Config
from tl_widgets.core.model_name import ModelName, heading_of, opening_of, phrase_of
from tl_widgets.core.numbers import accuracy_text, percent, points, points_range, seconds_text
from tl_widgets.core.text import listed
from tl_widgets.core.translation import _, ngettext
from tl_widgets.records.comparison import DatasetSummary, Environment, StudyFailure, StudyRecord
from tl_widgets.records.kinds import Answer, Count, Duration, RightAnswers
from tl_widgets.records.statistics import (
    Interval,
    Mean,
    PairedDifference,
    mean_of_shares,
    pair_answers,
    wilson_interval,
)
from tl_widgets.studies.opponent.search import Score, score_of
from tl_widgets.studies.outcome import all_sentences, arms_without
from tl_widgets.studies.prediction import OPPONENT, held

ARMS = (ModelName.SCRATCH, ModelName.TRANSFER)
DEFAULT = 0  # the trial with the default settings


@dataclass(frozen=True)
class Trial:
    """Settings that were tried: trial 0 of each model has the defaults."""

    arm: str
    number: Count
    config: Config


@dataclass(frozen=True)
class TrialPoint:
    """What a trial has reached when it paused.

    Attributes:
        arm: the model.
        trial: the number of the trial.
        epochs: its epochs so far.
        best_epoch: the epoch after which it was best on the validation images, from 1.
        val_accuracy, val_loss: on the validation images, after that epoch.
        passes: passes over the training images since its last pause; an epoch with n copies of each image counts 1 + n.
        seconds: the time since then.
    """

    arm: str
    trial: Count
    epochs: Count
    best_epoch: Count
    val_accuracy: Answer
    val_loss: float
    passes: Count
    seconds: Duration

    @property
    def score(self) -> Score:
        """The score by which trials are chosen; the smaller the better."""
        return score_of(self.val_accuracy, self.val_loss)


@dataclass(frozen=True)
class FinalModel:
    """A model with the default or the chosen settings, trained anew and tested once.

    Attributes:
        arm: the model.
        trial: the trial that it has the settings of.
        is_tuned: whether the search has chosen them.
        config: the settings, with the chosen number of epochs.
        right: which test images it gets right.
    """

    arm: str
    trial: Count
    is_tuned: bool
    config: Config
    right: RightAnswers

    @property
    def accuracy(self) -> float:
        """The share of test images that it gets right."""
        return sum(self.right) / len(self.right)

    @property
    def ci95(self) -> Interval:
        """Wilson's 95% interval of the accuracy."""
        return wilson_interval(sum(self.right), len(self.right))

    @property
    def text(self) -> str:
        """The accuracy with its interval."""
        return accuracy_text(self.accuracy, self.ci95)


@dataclass(frozen=True)
class TunedOpponent(StudyRecord):
    """Both models with their default settings, and after a search with the same budget.

    Attributes:
        dataset: the images.
        config: the default settings.
        budget: trials of each model, besides the defaults.
        passes: the most passes over the training images that one trial had.
        trials: the settings of all trials.
        points: one for each pause of a trial, in order.
        tested: the models that were tested.
        failures: what could not be measured.
        stopped: whether the study was stopped before the end.
        environment: the machine and the versions.
    """

    dataset: DatasetSummary
    config: Config
    budget: Count
    passes: Count
    trials: tuple[Trial, ...]
    points: tuple[TrialPoint, ...]
    tested: tuple[FinalModel, ...]
    failures: tuple[StudyFailure, ...]
    stopped: bool
    environment: Environment

    def __post_init__(self) -> None:
        known = {(trial.arm, trial.number) for trial in self.trials}
        if any(trial.arm not in ARMS for trial in self.trials) or len(known) < len(self.trials):
            raise ValueError("it has a trial of an unknown model, or the same trial twice")
        used = {(point.arm, point.trial) for point in self.points} | {(m.arm, m.trial) for m in self.tested}
        if not used <= known:
            raise ValueError("it has a point of a trial that it does not list")
        if any(not 1 <= point.best_epoch <= point.epochs for point in self.points):
            raise ValueError("the best epoch of a trial is none of its epochs")
        if len({(model.arm, model.is_tuned) for model in self.tested}) < len(self.tested):
            raise ValueError("it tested a model twice")
        if len({len(model.right) for model in self.tested} | {self.dataset.n_test}) > 1 or not self.dataset.n_test:
            raise ValueError("its models were not tested on all test images")

    def model(self, arm: str, *, tuned: bool) -> FinalModel | None:
        """Return a tested model, or None."""
        return next((model for model in self.tested if (model.arm, model.is_tuned) == (arm, tuned)), None)

    def best(self, arm: str) -> TrialPoint | None:
        """Return the point with the best validation score of a model, or None."""
        mine = [point for point in self.points if point.arm == arm]
        return min(mine, key=lambda point: point.score) if mine else None

    def lead(self, *, tuned: bool) -> PairedDifference | None:
        """Return the frozen backbone minus the network from scratch on the same images, or None."""
        transfer, scratch = (self.model(arm, tuned=tuned) for arm in (ModelName.TRANSFER, ModelName.SCRATCH))
        return None if transfer is None or scratch is None else pair_answers(_array(transfer), _array(scratch))

    @property
    def closed(self) -> Mean | None:
        """Half of the gap before tuning minus the gap after it, by a t interval over the images; None without a gap."""
        before = self.lead(tuned=False)
        models = [self.model(arm, tuned=tuned) for tuned in (False, True) for arm in ARMS]
        if before is None or before.ci95[0] <= 0 or any(model is None for model in models):
            return None
        scratch0, transfer0, scratch1, transfer1 = (_array(model).astype(float) for model in models if model)
        closed = (transfer0 - scratch0) / 2 - (transfer1 - scratch1)
        return mean_of_shares(closed.tolist(), n_images=2, low=-1.5)

    @property
    def held(self) -> bool | None:
        """Whether tuning closed more than half of the gap; None if these numbers can't tell, or there was no gap."""
        return held(self.closed.ci95 if self.closed else None)

    def spent(self, arm: str) -> tuple[int, float]:
        """Return the passes over the training images and the seconds of all trials of a model."""
        mine = [point for point in self.points if point.arm == arm]
        return sum(point.passes for point in mine), sum(point.seconds for point in mine)

    @property
    def lost_arms(self) -> tuple[str, ...]:
        """The models of which nothing could be measured."""
        return arms_without(self.points, ARMS, stopped=self.stopped)

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """A table of texts, titles first, with a row for each trial."""
        titles = (_("model"), _("trial"), _("settings"), _("epochs"), _("best on validation"), _("test"))
        last = {(point.arm, point.trial): point for point in self.points}
        return titles, *(_row(self, trial, last[key]) for trial in self.trials if (key := _key(trial)) in last)

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        parts = []
        for arm in ARMS:
            before, after = self.model(arm, tuned=False), self.model(arm, tuned=True)
            if before and after:
                parts.append(
                    _(
                        "{phrase} goes from {before_accuracy} to {after_accuracy}",
                        phrase=phrase_of(arm),
                        before_accuracy=percent(before.accuracy),
                        after_accuracy=percent(after.accuracy),
                    )
                )
        if len(parts) < 2:
            return _("Stopped before both models were tuned.") if self.stopped else _("Nothing could be compared.")
        return _("Tuned with the same budget, {parts}.", parts=", ".join(parts))

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings in plain sentences."""
        findings = [_lead_sentence(self)]
        for arm in ARMS:
            findings += [_chosen_sentence(self, arm), _luck_sentence(self, arm)]
        findings += [_budget_sentence(self), _seed_sentence(self)]
        outcome = OPPONENT.judge(self.closed, _("half of the gap minus what remains of it"))
        return all_sentences(self, findings, _("Stopped before everything was measured."), outcome)


def _array(model: FinalModel) -> NDArray[np.bool_]:
    return np.array(model.right, bool)


def _key(trial: Trial) -> tuple[str, int]:
    return trial.arm, trial.number


def settings_text(arm: str, config: Config) -> str:
    """Return the settings that the search changes, as a list for readers."""
    texts = [
        _("rate {learning_rate:g}", learning_rate=config.learning_rate),
        _("batches of {batch_size}", batch_size=config.batch_size),
    ]
    if arm == ModelName.TRANSFER:
        return listed([*texts, _("dropout {head_dropout:g}", head_dropout=config.head_dropout)])
    spec = config.scratch
    filters = "-".join(map(str, spec.filters))
    texts += [
        _("filters {filters}", filters=filters),
        _("flatten") if spec.head == "flatten" else _("global average"),
        _("dropout {dropout:g}", dropout=spec.dropout),
    ]
    copies = ngettext("{n} copy", "{n} copies", config.augment) if config.augment else _("no copies")
    return listed([*texts, copies])


def _row(study: TunedOpponent, trial: Trial, point: TrialPoint) -> tuple[str, ...]:
    tested = [model for model in study.tested if (model.arm, model.trial) == _key(trial)]
    is_chosen = any(model.is_tuned for model in tested)
    name = _("default") if trial.number == DEFAULT else str(trial.number)
    score = _(
        "{val_accuracy} after {best_epoch}", val_accuracy=percent(point.val_accuracy), best_epoch=point.best_epoch
    )
    tests = ", ".join(model.text for model in tested)
    name = _("{name}, chosen", name=name) if is_chosen else name
    return heading_of(trial.arm), name, settings_text(trial.arm, trial.config), str(point.epochs), score, tests


def _lead_sentence(study: TunedOpponent) -> str:
    before, after = study.lead(tuned=False), study.lead(tuned=True)
    if before is None or after is None:
        return ""
    texts = [
        _(
            "{lead_difference} points (95% interval {ci95})",
            lead_difference=points(lead.difference, signed=True),
            ci95=points_range(*lead.ci95),
        )
        for lead in (before, after)
    ]
    end = (
        _("which of the two is better is then too close to call")
        if not after.is_clear
        else _("a gap remains")
        if after.difference > 0
        else _("the network from scratch is then ahead")
    )
    return _(
        "Transfer minus scratch: {before} with default settings, {after} after tuning both; {end}.",
        before=texts[0],
        after=texts[1],
        end=end,
    )


def _chosen_sentence(study: TunedOpponent, arm: str) -> str:
    before, after = study.model(arm, tuned=False), study.model(arm, tuned=True)
    if before is None or after is None:
        return ""
    name = opening_of(arm)
    if after.trial == DEFAULT:
        return _(
            "{name} keeps its default settings, for {epochs} epochs: no trial was better on validation.",
            name=name,
            epochs=after.config.epochs,
        )
    return _(
        "{name} recognizes {before_text} of the test images with default settings, and {after_text} "
        "with the best of {budget} trials: {settings}, {epochs} epochs.",
        name=name,
        before_text=before.text,
        after_text=after.text,
        budget=study.budget,
        settings=settings_text(arm, after.config),
        epochs=after.config.epochs,
    )


def _luck_sentence(study: TunedOpponent, arm: str) -> str:
    after, best = study.model(arm, tuned=True), study.best(arm)
    if after is None or best is None or best.val_accuracy - after.accuracy < 0.05:
        return ""
    return _(
        "On the validation images it had {val_accuracy}: the best of many trials is partly lucky, so "
        "only the test counts.",
        val_accuracy=percent(best.val_accuracy),
    )


def _budget_sentence(study: TunedOpponent) -> str:
    if any(study.best(arm) is None for arm in ARMS):
        return ""
    (scratch, seconds), (transfer, fewer) = map(study.spent, ARMS)
    return _(
        "The trials cost {first} {n_passes} passes over the training images ({seconds}), and "
        "{second}, on kept features, {n_transfer} ({transfer_seconds}).",
        first=phrase_of(ARMS[0]),
        n_passes=scratch,
        seconds=seconds_text(seconds),
        second=phrase_of(ARMS[1]),
        n_transfer=transfer,
        transfer_seconds=seconds_text(fewer),
    )


def _seed_sentence(study: TunedOpponent) -> str:
    """Say what the intervals leave out: three searches would take three times as long."""
    if study.lead(tuned=True) is None:
        return ""
    return _(
        "This is one search with one seed ({seed}). The intervals cover the luck of the test images, "
        "not that of the search: another seed tries other settings and may choose others, which can "
        "move the lead by points. Repeat it with another seed.",
        seed=study.config.seed,
    )
