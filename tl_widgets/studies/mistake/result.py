"""Records of the "mistake" study, and their sentences. No TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass

from tl_widgets.core.numbers import accuracy_text, points
from tl_widgets.core.translation import _
from tl_widgets.records.comparison import DatasetSummary, Environment, StudyFailure, StudyRecord
from tl_widgets.records.kinds import Count
from tl_widgets.records.statistics import unclear_reason
from tl_widgets.records.verdict import TwoWays
from tl_widgets.setup_checks.mistake import Mistake
from tl_widgets.setup_checks.registry import find_mistake
from tl_widgets.studies.outcome import all_sentences


@dataclass(frozen=True)
class MistakeStudy(StudyRecord):
    """A mistake measured beside the right way.

    Attributes:
        dataset: the images.
        mistake: name of the mistake.
        backbone: name of the backbone; "" if the mistake needs none.
        epochs: passes over the training images.
        seed: seed of the weights, the order of the images, and random labels.
        measured: both numbers with their intervals and the p-value.
        environment: the machine and the versions.
        stopped: always False; a stopped study has no record.
    """

    dataset: DatasetSummary
    mistake: str
    backbone: str
    epochs: Count
    seed: Count
    measured: TwoWays
    environment: Environment
    stopped: bool = False

    @property
    def declared(self) -> Mistake:
        """The declaration of the mistake."""
        return find_mistake(self.mistake)

    @property
    def right(self) -> float:
        """The number that the right way gives, 0..1."""
        return self.measured.right

    @property
    def wrong(self) -> float:
        """The number that the mistake gives, 0..1."""
        return self.measured.wrong

    @property
    def verdict(self) -> str:
        """The verdict: "clear" or "too close to call"."""
        return _("clear") if self.measured.is_clear else _("too close to call")

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        return _verdict_sentence(self.declared, self.measured)

    @property
    def failures(self) -> tuple[StudyFailure, ...]:
        """Always empty: a mistake that cannot be measured has no record."""
        return ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """The measurement, whether the difference is clear, and the reason for it."""
        mistake, measured = self.declared, self.measured
        wrong, right = (
            accuracy_text(measured.wrong, measured.wrong_ci95),
            accuracy_text(measured.right, measured.right_ci95),
        )
        ways = _(
            "Wrong: {mistake}: {wrong}. Right: {right_way}: {right}",
            mistake=mistake.wrong,
            wrong=wrong,
            right_way=mistake.right,
            right=right,
        )
        return f"{ways} ({mistake.figure}; {_basis(measured)}).", _verdict_sentence(mistake, measured), mistake.why


@dataclass(frozen=True)
class MistakeStudies(StudyRecord):
    """Several mistakes, each measured beside the right way.

    Attributes:
        studies: the mistakes that were measured, in the order of the request.
        failures: mistakes that could not be measured on these images or with this backbone.
        stopped: whether the study was stopped before all mistakes were measured.
    """

    studies: tuple[MistakeStudy, ...]
    failures: tuple[StudyFailure, ...] = ()
    stopped: bool = False

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """A table of texts, titles first, with a row for each mistake; empty without one."""
        titles = (_("mistake"), _("images"), _("right (95% interval)"), _("wrong (95% interval)"), _("verdict"))
        return (titles, *(_row(study) for study in self.studies)) if self.studies else ()

    @property
    def datasets(self) -> tuple[DatasetSummary, ...]:
        """The data sets of the mistakes, in the same order."""
        return tuple(study.dataset for study in self.studies)

    @property
    def sentences(self) -> tuple[str, ...]:
        """How many differences are clear, which are not, and which mistakes failed."""
        unclear = [study.declared.title for study in self.studies if not study.measured.is_clear]
        n_clear = len(self.studies) - len(unclear)
        findings = [
            _(
                "{n_clear} of {n_studies} mistakes make a clear difference on these images.",
                n_clear=n_clear,
                n_studies=len(self.studies),
            )
        ]
        if unclear:
            findings.append(
                _(
                    "Too close to call: {unclear}. That does not make them harmless elsewhere.",
                    unclear=", ".join(unclear),
                )
            )
        return all_sentences(self, findings, _("Stopped before all mistakes were measured."))


def _row(study: MistakeStudy) -> tuple[str, ...]:
    data, measured = study.dataset, study.measured
    images = _(
        "{data_name}, {image_size} px, {n_train}", data_name=data.name, image_size=data.image_size, n_train=data.n_train
    )
    right = accuracy_text(measured.right, measured.right_ci95)
    return study.declared.title, images, right, accuracy_text(measured.wrong, measured.wrong_ci95), study.verdict


def _basis(measured: TwoWays) -> str:
    right, wrong = measured.n_right, measured.n_wrong
    return {
        "images": _("{right} images, in brackets 95% intervals", right=right),
        "other images": _(
            "{wrong} training and {right} test images, in brackets 95% intervals", wrong=wrong, right=right
        ),
        "seeds": _("mean over {right} seeds, in brackets 95% intervals", right=right),
        "weights": _("all {right} of them counted", right=right),
    }[measured.counted]


def _verdict_sentence(mistake: Mistake, measured: TwoWays) -> str:
    if measured.difference_ci95 is None:
        return (
            _("Clear: this was counted, not estimated.")
            if measured.is_clear
            else _("No difference. {hides}", hides=mistake.hides)
        )
    low, high = measured.difference_ci95
    if not measured.is_clear:
        but = "" if measured.p_value is None else unclear_reason(measured.difference_ci95, measured.p_value)
        return _(
            "Too close to call: right minus wrong may be anything from {low} to {high} points (95% "
            "interval){but}. {hides}",
            low=points(low),
            high=points(high),
            but=but,
            hides=mistake.hides,
        )
    size, interval = points(abs(measured.difference)), sorted((abs(low), abs(high)))
    between = _("95% interval {low} to {high}", low=points(interval[0]), high=points(interval[1]))
    if (measured.difference < 0) == mistake.flatters:
        text = (
            _("makes the score look {size} points better", size=size)
            if mistake.flatters
            else _("costs {size} points", size=size)
        )
        return _("Clear: the mistake {text} ({between}).", text=text, between=between)
    if mistake.flatters:
        return _(
            "Clear, and the other way round: with the mistake the number is {size} points lower here ({between}).",
            size=size,
            between=between,
        )
    return _(
        "Clear, and the other way round: with the mistake the number is {size} points higher here ({between}).",
        size=size,
        between=between,
    )
