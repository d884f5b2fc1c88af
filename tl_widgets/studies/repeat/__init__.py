"""The "repeat" study: the comparison with several seeds, on the same images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from tl_widgets.core.model_name import ModelName, heading_of, label_of
from tl_widgets.core.numbers import percent
from tl_widgets.core.settings import Whole, same_setting
from tl_widgets.core.translation import _
from tl_widgets.studies.arguments import DataFacts, ImageArguments, jobs_setting, model_setting
from tl_widgets.studies.guess import Guess
from tl_widgets.studies.study import ComparisonStudy, Plan, count

if TYPE_CHECKING:
    from tl_widgets.records.comparison import Comparison

_SPREADS = {_("under 3 points"): 0.03, _("3 to 10 points"): 0.1, _("10 to 20 points"): 0.2, _("over 20 points"): 0.4}


@dataclass(frozen=True)
class RepeatArguments(ImageArguments):
    """The models and the number of seeds."""

    n_per_class: int | None = same_setting(ImageArguments, "n_per_class", default=10)
    backbone: str = model_setting("backbone")
    control: bool = model_setting("control")
    epochs: int = model_setting("epochs")
    repeats: int = model_setting("repeats", default=3, kind=Whole(2, 100, counted="seeds", field_high=20))
    seed: int = model_setting("seed")
    jobs: int = jobs_setting()

    @property
    def inputs(self) -> dict[str, Any]:
        """The arguments of the study's function by name."""
        return {"config": self.config, "n_jobs": self.jobs}

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.config  # raises InputError if the last seed is too large


class _Repeat(ComparisonStudy[RepeatArguments]):
    name = "repeat"
    topic = "trust"
    question = _("Repeat")
    about = _("the comparison with several seeds, on the same images")
    lead = _("The comparison is repeated with other seeds, on the same images: how much of the difference is luck?")
    chart = _(
        "Charts of accuracy by epoch and on the test images, with a dot for each seed, of parameters and seconds."
    )
    arguments = RepeatArguments
    stage_chart = ".stage:repeat_stage"
    quick: ClassVar[Mapping[str, Any]] = {"repeats": 2, "epochs": 5}
    sketch = (
        '<circle cx="10" cy="21" r="3" fill="var(--tlw-scratch,#d55e00)"/>'
        '<circle cx="18" cy="13" r="3" fill="var(--tlw-scratch,#d55e00)"/>'
        '<circle cx="26" cy="24" r="3" fill="var(--tlw-scratch,#d55e00)"/>'
        '<circle cx="34" cy="17" r="3" fill="var(--tlw-scratch,#d55e00)"/>'
        '<circle cx="10" cy="8" r="3" fill="var(--tlw-transfer,#0072b2)"/>'
        '<circle cx="18" cy="6" r="3" fill="var(--tlw-transfer,#0072b2)"/>'
        '<circle cx="26" cy="9" r="3" fill="var(--tlw-transfer,#0072b2)"/>'
        '<circle cx="34" cy="5" r="3" fill="var(--tlw-transfer,#0072b2)"/>'
    )

    def owns(self, result: Comparison) -> bool:
        return result.repeats is not None

    def plan(self, arguments: RepeatArguments, facts: DataFacts) -> Plan:
        n, n_arms, n_seeds = arguments.n_train(facts), 3 if arguments.control else 2, arguments.repeats
        text = _(
            "{n_arms} on the same {n:,} images with each of {count}", n_arms=n_arms, n=n, count=count(n_seeds, "seed")
        )
        return Plan(n_arms * n_seeds, text)

    def headline(self, result: Comparison) -> str:
        repeats = result.repeats
        difference = repeats and repeats.difference()
        if not repeats or not difference or difference.ci95 is None:
            return super().headline(result)
        names = [ModelName.TRANSFER, ModelName.SCRATCH]
        if result.verdict.winner == ModelName.SCRATCH:
            names.reverse()
        first, second = (percent(sum(shares) / len(shares)) for shares in map(repeats.accuracies, names))
        seeds = count(len(repeats.points), "seed")
        if not result.verdict.winner:
            return _(
                "Too close to call over {seeds}: {first} right on average, from scratch {second}.",
                seeds=seeds,
                first=first,
                second=second,
            )
        other = label_of(names[1])
        return _(
            "{heading} wins over {seeds}: {first} right on average, {other} {second}.",
            heading=heading_of(names[0]),
            seeds=seeds,
            first=first,
            other=other,
            second=second,
        )

    def guess(self, arguments: RepeatArguments) -> Guess:
        def scratch(result: Comparison | None) -> tuple[float, ...]:
            return result.repeats.accuracies(ModelName.SCRATCH) if result and result.repeats else ()

        def answer(result: Comparison) -> str:
            shares = scratch(result)
            apart = round(max(shares) - min(shares), 6) if len(shares) > 1 else None
            if apart is None or result.stopped:
                return ""
            limits = (0.03, 0.1, 0.2)
            return list(_SPREADS)[sum(apart >= limit for limit in limits)]

        def spans(result: Comparison | None) -> list[tuple[float, float]]:
            low = min(scratch(result), default=0.5)
            return [(low, low + reach) for reach in _SPREADS.values()]

        return Guess(
            _("How far apart are the best and the worst seed of the network from scratch?"),
            tuple(_SPREADS),
            f"repeat {arguments.dataset} {arguments.backbone} {arguments.repeats}",
            answer,
            is_required=False,
            axis="y",
            spans=spans,
        )


STUDY = _Repeat()
