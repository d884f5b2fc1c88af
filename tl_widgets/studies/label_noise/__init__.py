"""The "noise" study: wrong training labels, and who finds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from tl_widgets.core.settings import Several, Whole, same_setting, setting
from tl_widgets.core.translation import _
from tl_widgets.studies.arguments import (
    MODELS,
    DataFacts,
    FactsOf,
    ImageArguments,
    jobs_setting,
    model_setting,
    seeds_setting,
)
from tl_widgets.studies.guess import Guess, guess_share
from tl_widgets.studies.study import Plan, Study, count

if TYPE_CHECKING:
    from tl_widgets.experiments.seconds import Speed
    from tl_widgets.studies.label_noise.result import LabelNoise

_SEARCH = 0.5  # seconds to build a model around the head, and to search for wrong labels


@dataclass(frozen=True)
class NoiseArguments(ImageArguments):
    """The shares of wrong labels, the models and the seeds."""

    n_per_class: int | None = same_setting(ImageArguments, "n_per_class", default=20)
    shares: tuple[int, ...] = setting(
        (0, 20, 40),
        Several(Whole(0, 80), "0,20,40"),
        _("Wrong labels (%)"),
        _("Percentages of the training labels that are made wrong, between commas"),
        group=MODELS,
    )
    backbone: str = model_setting("backbone")
    epochs: int = model_setting("epochs")
    seeds: tuple[int, ...] = seeds_setting(3)
    jobs: int = jobs_setting()


class _Noise(Study[NoiseArguments, "LabelNoise"]):
    name = "noise"
    topic = "faults"
    question = _("Wrong labels?")
    about = _("accuracy against the share of wrong training labels, and how many of them a model finds")
    lead = _(
        "Some training labels are made wrong, and both models learn from them. Then the frozen "
        "backbone looks for the labels that can't be right."
    )
    chart = _(
        "Line charts of test accuracy and of found labels against the share of wrong labels, and suspicious images."
    )
    arguments = NoiseArguments
    record = ".result:LabelNoise"
    function = ".measurement:label_noise"
    figure = ".figure:plot_label_noise"
    stage_chart = ".stage:noise_stage"
    quick: ClassVar[Mapping[str, Any]] = {"n_per_class": 10, "shares": (0, 40), "seeds": (0,)}
    sketch = (
        '<rect x="4" y="9" width="17" height="12" rx="2" stroke="currentColor" stroke-width="1.8" fill="none"/>'
        '<path d="M8 18l9-6M8 12l9 6" stroke="currentColor" stroke-width="2.2"/>'
        '<path d="M25 15h5" stroke="currentColor" stroke-width="1.8"/>'
        '<path d="M32 15l3 4 6-9" stroke="currentColor" stroke-width="2.6" fill="none"/>'
    )

    def plan(self, arguments: NoiseArguments, facts: DataFacts) -> Plan:  # noqa: ARG002 - as declared
        n_shares, n_seeds = len(arguments.shares), len(arguments.seeds)
        return Plan(
            2 * n_shares * n_seeds,
            _("{shares} × {seeds} × 2 kinds of model", shares=count(n_shares, "share"), seeds=count(n_seeds, "seed")),
        )

    def seconds(self, arguments: NoiseArguments, facts_of: FactsOf, speed: Speed) -> float:
        from tl_widgets.experiments.seconds import SCRATCH_DONE, comparison_seconds, scratch_seconds

        images, n = replace(arguments.workload(facts_of), n_validation=0), len(arguments.shares) * len(arguments.seeds)
        features = comparison_seconds(arguments.config, images, speed, SCRATCH_DONE)
        return features + n * _SEARCH + scratch_seconds(arguments.config, n * [images], speed)

    def guess(self, arguments: NoiseArguments) -> Guess:
        def share(result: LabelNoise) -> float | None:
            from tl_widgets.core.model_name import ModelName

            mean = result.mean(ModelName.TRANSFER, result.shares[-1])
            return mean.mean if mean else None

        most = max(arguments.shares)
        question = _("With {most}% wrong labels, how many test images will the frozen backbone get right?", most=most)
        return guess_share(question, f"noise {arguments.dataset} {arguments.backbone} {most}", share)


STUDY = _Noise()
