"""The "opponent" study: both models, tuned with the same budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from tl_widgets.core.settings import Whole, same_setting, setting
from tl_widgets.studies.guess import BANDS, Guess, band_of
from tl_widgets.studies.study import (
    MODELS,
    DataFacts,
    FactsOf,
    ImageArguments,
    Plan,
    SoFar,
    Study,
    count,
    model_setting,
    require_images,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tl_widgets.core.events import Cancel, OnEvent
    from tl_widgets.data.dataset import ImageDataset
    from tl_widgets.experiments.seconds import Speed
    from tl_widgets.studies.opponent.result import TunedOpponent
    from tl_widgets.studies.stage import StageChart

_WIDER = 1.2  # the mean arithmetic of the networks that are tried, compared with the default's


@dataclass(frozen=True)
class OpponentArguments(ImageArguments):
    """The budget of the search."""

    n_per_class: int | None = same_setting(ImageArguments, "n_per_class", default=20)
    budget: int = setting(8, Whole(1, 100), "Trials", "How many settings are tried for each model", group=MODELS)
    passes: int = setting(
        24,
        Whole(4, 10_000, field_high=1_000),
        "Passes",
        "Passes over the training images in the longest trial; most trials stop earlier",
        group=MODELS,
    )
    backbone: str = model_setting("backbone")
    seed: int = model_setting("seed")


class _Opponent(Study[OpponentArguments, "TunedOpponent"]):
    name = "opponent"
    topic = "models"
    question = "A fair opponent?"
    about = "both models after a search for their best settings, with the same budget"
    lead = (
        "Random settings are tried for both models, and the bad ones stop early. The best on the validation images are "
        "tested, once."
    )
    chart = "Line chart of validation accuracy against the budget spent, and test accuracy before and after tuning."
    arguments = OpponentArguments
    quick: ClassVar[Mapping[str, Any]] = {"n_per_class": 10, "budget": 4, "passes": 8}
    sketch = (
        '<path d="M4 24h8v-6h9v-4h9v-2h10" stroke="var(--tlw-scratch,#d55e00)" stroke-width="2.4" fill="none"/>'
        '<path d="M4 11h6V7h30" stroke="var(--tlw-transfer,#0072b2)" stroke-width="2.4" fill="none"/>'
        '<path d="M12 27v-3M21 27v-3M30 27v-3" stroke="currentColor" stroke-width="1.8"/>'
    )

    def results(self) -> tuple[type[TunedOpponent], ...]:
        from tl_widgets.studies.opponent.result import TunedOpponent

        return (TunedOpponent,)

    def measure(
        self, arguments: OpponentArguments, dataset: ImageDataset | None, on_event: OnEvent, cancel: Cancel
    ) -> TunedOpponent:
        from tl_widgets.studies.opponent.measurement import tuned_opponent

        return tuned_opponent(
            require_images(dataset),
            budget=arguments.budget,
            passes=arguments.passes,
            backbone=arguments.backbone,
            seed=arguments.seed,
            on_event=on_event,
            cancel=cancel,
        )

    def draw(self, result: TunedOpponent) -> Figure:
        from tl_widgets.studies.opponent.figure import plot_tuned_opponent

        return plot_tuned_opponent(result)

    def draw_narrow(self, result: TunedOpponent) -> Figure:
        from tl_widgets.studies.opponent.figure import plot_tuned_opponent

        return plot_tuned_opponent(result, narrow=True)

    def plan(self, arguments: OpponentArguments, facts: DataFacts) -> Plan:  # noqa: ARG002 - as declared
        n = arguments.budget
        return Plan(2 * (n + 2), f"{count(n, 'trial')}, the defaults and the final training × 2 kinds of model")

    def seconds(self, arguments: OpponentArguments, facts_of: FactsOf, speed: Speed) -> float:
        from tl_widgets.experiments.seconds import SCRATCH_DONE, TRANSFER_DONE, comparison_seconds
        from tl_widgets.studies.opponent.search import Halving

        images, config = arguments.workload(facts_of), arguments.config
        passes = Halving(arguments.budget, arguments.passes).passes + arguments.passes // 2
        trials = comparison_seconds(replace(config, epochs=round(_WIDER * passes)), images, speed, TRANSFER_DONE)
        defaults = comparison_seconds(config, images, speed, TRANSFER_DONE)
        tracing = arguments.budget * speed.tracing  # of the trials but one, and of the final training
        return comparison_seconds(config, images, speed, SCRATCH_DONE) + trials + defaults + tracing

    def stage(self, arguments: OpponentArguments, so_far: SoFar) -> StageChart:
        from tl_widgets.studies.opponent.result import FinalModel, TrialPoint
        from tl_widgets.studies.opponent.stage import opponent_stage

        result = so_far.result
        if result is not None:
            epochs = result.config.epochs
            return opponent_stage(result.budget, result.passes, epochs, result.points, result.tested)
        points = [point for point in so_far.points if isinstance(point, TrialPoint)]
        tested = [point for point in so_far.points if isinstance(point, FinalModel)]
        return opponent_stage(arguments.budget, arguments.passes, arguments.config.epochs, points, tested)

    def guess(self, arguments: OpponentArguments) -> Guess:
        def answer(result: TunedOpponent) -> str:
            from tl_widgets.core.model_name import ModelName

            model = result.model(ModelName.SCRATCH, tuned=True)
            return band_of(model.accuracy) if model else ""

        return Guess(
            "After tuning, how many test images will the network from scratch get right?",
            tuple(BANDS),
            f"opponent {arguments.dataset} {arguments.n_per_class}",
            answer,
            is_required=False,
            axis="y",
            spans=lambda _: tuple(BANDS.values()),
        )


STUDY = _Opponent()
