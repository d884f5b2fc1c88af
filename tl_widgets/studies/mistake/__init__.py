"""The "mistake" study: a common mistake, measured beside the right way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tl_widgets.core.config import Config, ImageSettings
from tl_widgets.core.settings import Choice, setting
from tl_widgets.core.translation import _, within_sentence
from tl_widgets.setup_checks.registry import MISTAKES
from tl_widgets.studies.arguments import MODELS, DataFacts, FactsOf, StudyArguments, model_setting
from tl_widgets.studies.guess import Guess
from tl_widgets.studies.study import Plan, Study

if TYPE_CHECKING:
    from tl_widgets.experiments.seconds import Speed
    from tl_widgets.setup_checks.mistake import Mistake
    from tl_widgets.studies.mistake.result import MistakeStudies, MistakeStudy

ALL = "all"
_GRADIENTS = 6  # tracing a backbone with its gradients takes this many times as long as without
_COSTS = (
    _("it looks better than it is"),
    _("too close to call"),
    _("a little worse (up to 10 points)"),
    _("much worse (10 to 30 points)"),
    _("ruined (more than 30 points)"),
)


def _mistakes() -> list[tuple[str, str]]:
    return [
        *((within_sentence(mistake.title), name) for name, mistake in MISTAKES.items()),
        (_("all {n_mistakes}, one by one", n_mistakes=len(MISTAKES)), ALL),
    ]


@dataclass(frozen=True)
class MistakeArguments(StudyArguments):
    """The mistake, and how it is made."""

    mistake: str = setting("rescaled_twice", Choice(_mistakes), _("Mistake"), _("What is done"), group=MODELS)
    backbone: str = model_setting("backbone")
    seed: int = model_setting("seed")
    epochs: int | None = model_setting("epochs", default=None, label="", none=_("what shows it"))

    @property
    def subject(self) -> str:
        """The text that file names start from."""
        return self.mistake

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The mistakes that are made."""
        return tuple(MISTAKES.values()) if self.mistake == ALL else (MISTAKES[self.mistake],)

    @property
    def image_settings(self) -> ImageSettings:
        """The images on which the mistake shows; for all mistakes, the largest images."""
        largest = max(self.mistakes, key=lambda mistake: mistake.image_size)
        return ImageSettings(largest.dataset, largest.image_size, largest.n_per_class)


class _Mistake(Study[MistakeArguments, "MistakeStudy | MistakeStudies"]):
    name = "mistake"
    topic = "faults"
    question = _("What goes wrong?")
    about = _("what a common mistake costs, beside the right way")
    lead = _("A common mistake is made on purpose and measured beside the right way. Guess first.")
    chart = _("Chart of the right way beside the wrong one.")
    arguments = MistakeArguments
    function = ".measurement:one_or_all_mistakes"
    figure = ".figure:plot_mistake_study"
    stage_chart = ".stage:mistake_stage"
    cost_by = ("backbone", "mistake")
    brings_images = True
    front = ("mistake",)
    sketch = (
        '<path d="M22 3L36 27H8z" stroke="currentColor" stroke-width="2" stroke-linejoin="round" fill="none"/>'
        '<path d="M22 11v8M22 22v2.5" stroke="currentColor" stroke-width="2.4"/>'
    )

    def results(self) -> tuple[type[MistakeStudy] | type[MistakeStudies], ...]:
        from tl_widgets.studies.mistake.result import MistakeStudies, MistakeStudy

        return MistakeStudy, MistakeStudies

    def plan(self, arguments: MistakeArguments, facts: DataFacts) -> Plan:
        mistakes = arguments.mistakes
        if len(mistakes) > 1:
            its_own = facts.name in {mistake.dataset for mistake in mistakes}
            images = (
                _("each on its own images")
                if its_own
                else _("on {n_train:,} images of {facts_name}", n_train=facts.n_train, facts_name=facts.name)
            )
            text = _(
                "each of {n_mistakes} mistakes beside the right way, {images}", n_mistakes=len(mistakes), images=images
            )
            return Plan(2 * len(mistakes), text)
        (mistake,) = mistakes
        n = facts.n_train
        if facts.name == mistake.dataset and mistake.n_per_class is not None:
            n = mistake.n_per_class * facts.n_classes
        text = _("the right way and the wrong one, on {n:,} images of {facts_name}", n=n, facts_name=facts.name)
        return Plan(2, text)

    def seconds(self, arguments: MistakeArguments, facts_of: FactsOf, speed: Speed) -> float:
        return sum(_seconds(mistake, arguments, facts_of, speed) for mistake in arguments.mistakes)

    def guess(self, arguments: MistakeArguments) -> Guess:
        n = len(arguments.mistakes)
        if arguments.mistake == ALL:
            question = _("{n} mistakes, each beside the right way. How many of them will make a clear difference?", n=n)
            options = (_("none"), _("1 to 3"), _("4 to 6"), _("7 to {n}", n=n - 1), _("all {n}", n=n))
            return Guess(question, options, ALL, lambda result: options[_place(_n_clear(result), n)])
        (mistake,) = arguments.mistakes
        question = _(
            "The mistake: {wrong}. The right way: {right}. Measured: {figure}. What will the mistake do?",
            wrong=mistake.wrong,
            right=mistake.right,
            figure=mistake.figure,
        )
        return Guess(question, _COSTS, arguments.mistake, _cost_of, axis="x", spans=_spans)


def _seconds(mistake: Mistake, arguments: MistakeArguments, facts_of: FactsOf, speed: Speed) -> float:
    from tl_widgets.experiments.seconds import SCRATCH_DONE, Workload, comparison_seconds, scratch_seconds

    facts = facts_of(ImageSettings(mistake.dataset, mistake.image_size, mistake.n_per_class))
    n = facts.n_train
    if facts.name == mistake.dataset and mistake.n_per_class is not None:
        n = mistake.n_per_class * facts.n_classes
    images = Workload(mistake.image_size, facts.n_classes, n, facts.n_validation, facts.n_test)
    config = Config(backbone=arguments.backbone, epochs=arguments.epochs or mistake.epochs)
    if not mistake.uses_backbone:
        return 2 * scratch_seconds(config, [images], speed)
    seconds = comparison_seconds(config, images, speed, SCRATCH_DONE) + speed.backbone_tracing
    return seconds + _GRADIENTS * speed.backbone_tracing * mistake.trains_backbone


def _spans(study: MistakeStudy | None) -> list[tuple[float, float]]:
    """Return the range of each option; before anything is measured, the right way is taken to give 80%."""
    right = 0.8 if study is None else study.right
    return [
        (right, min(1.0, right + 0.2)),
        (right - 0.01, right + 0.01),
        (right - 0.1, right),
        (right - 0.3, right - 0.1),
        (0.0, right - 0.3),
    ]


def _cost_of(study: MistakeStudy) -> str:
    points = 100 * study.measured.difference
    if not study.measured.is_clear:
        return _COSTS[1]
    return _COSTS[0] if points < 0 else _COSTS[2 if points < 10 else 3 if points < 30 else 4]


def _place(n_clear: int, n: int) -> int:
    """Return the index of the option that holds for `n_clear` of `n` mistakes."""
    return 4 if n_clear == n else min(-(-n_clear // 3), 3)


def _n_clear(result: MistakeStudies) -> int:
    return sum(study.measured.is_clear for study in result.studies)


STUDY = _Mistake()
