"""The "opponent" study: both models, tuned with the same budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from tl_widgets.core.settings import Whole, same_setting, setting
from tl_widgets.core.translation import _
from tl_widgets.studies.arguments import MODELS, DataFacts, FactsOf, ImageArguments, model_setting
from tl_widgets.studies.guess import Guess, guess_share
from tl_widgets.studies.study import Plan, Study, count

if TYPE_CHECKING:
    from tl_widgets.experiments.seconds import Speed
    from tl_widgets.studies.opponent.result import TunedOpponent

_WIDER = 1.2  # the mean arithmetic of the networks that are tried, compared with the default's


@dataclass(frozen=True)
class OpponentArguments(ImageArguments):
    """The budget of the search."""

    n_per_class: int | None = same_setting(ImageArguments, "n_per_class", default=20)
    budget: int = setting(8, Whole(1, 100), _("Trials"), _("How many settings are tried for each model"), group=MODELS)
    passes: int = setting(
        24,
        Whole(4, 10_000, field_high=1_000),
        _("Passes"),
        _("Passes over the training images in the longest trial; most trials stop earlier"),
        group=MODELS,
    )
    backbone: str = model_setting("backbone")
    seed: int = model_setting("seed")


class _Opponent(Study[OpponentArguments, "TunedOpponent"]):
    name = "opponent"
    topic = "models"
    question = _("A fair opponent?")
    about = _("both models after a search for their best settings, with the same budget")
    lead = _(
        "Random settings are tried for both models, and the bad ones stop early. The best on the "
        "validation images are tested, once."
    )
    chart = _("Line chart of validation accuracy against the budget spent, and test accuracy before and after tuning.")
    arguments = OpponentArguments
    record = ".result:TunedOpponent"
    function = ".measurement:tuned_opponent"
    figure = ".figure:plot_tuned_opponent"
    stage_chart = ".stage:opponent_stage"
    quick: ClassVar[Mapping[str, Any]] = {"n_per_class": 10, "budget": 4, "passes": 8}
    sketch = (
        '<path d="M4 24h8v-6h9v-4h9v-2h10" stroke="var(--tlw-scratch,#d55e00)" stroke-width="2.4" fill="none"/>'
        '<path d="M4 11h6V7h30" stroke="var(--tlw-transfer,#0072b2)" stroke-width="2.4" fill="none"/>'
        '<path d="M12 27v-3M21 27v-3M30 27v-3" stroke="currentColor" stroke-width="1.8"/>'
    )

    def plan(self, arguments: OpponentArguments, facts: DataFacts) -> Plan:  # noqa: ARG002 - as declared
        n = arguments.budget
        return Plan(
            2 * (n + 2), _("{count}, the defaults and the final training × 2 kinds of model", count=count(n, "trial"))
        )

    def seconds(self, arguments: OpponentArguments, facts_of: FactsOf, speed: Speed) -> float:
        from tl_widgets.experiments.seconds import SCRATCH_DONE, comparison_seconds, scratch_seconds
        from tl_widgets.studies.opponent.search import Halving

        images, config = arguments.workload(facts_of), arguments.config
        passes = Halving(arguments.budget, arguments.passes).passes + arguments.passes // 2
        trials = scratch_seconds(replace(config, epochs=round(_WIDER * passes)), [images], speed)
        defaults = scratch_seconds(config, [images], speed)
        tracing = arguments.budget * speed.tracing  # of the trials but one, and of the final training
        return comparison_seconds(config, images, speed, SCRATCH_DONE) + trials + defaults + tracing

    def guess(self, arguments: OpponentArguments) -> Guess:
        def share(result: TunedOpponent) -> float | None:
            from tl_widgets.core.model_name import ModelName

            model = result.model(ModelName.SCRATCH, tuned=True)
            return model.accuracy if model else None

        question = _("After tuning, how many test images will the network from scratch get right?")
        return guess_share(question, f"opponent {arguments.dataset} {arguments.n_per_class}", share)


STUDY = _Opponent()
