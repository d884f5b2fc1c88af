"""The "fine-tuning" study: training continues with the last blocks unfrozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from tl_widgets.core.config import Config, FineTuningSpec
from tl_widgets.core.numbers import percent, points
from tl_widgets.core.settings import Whole, same_setting
from tl_widgets.core.translation import _
from tl_widgets.studies.arguments import MODELS, DataFacts, ImageArguments, model_setting
from tl_widgets.studies.guess import Guess, guess_share
from tl_widgets.studies.study import ComparisonStudy, Plan, count

if TYPE_CHECKING:
    from tl_widgets.records.comparison import Comparison


@dataclass(frozen=True)
class FineTuningArguments(ImageArguments):
    """The settings of the frozen stage and of the fine-tuning stage."""

    dataset: str = same_setting(ImageArguments, "dataset", default="digits")
    n_per_class: int | None = same_setting(ImageArguments, "n_per_class", default=20)
    backbone: str = model_setting("backbone")
    epochs: int = model_setting("epochs")
    blocks: int = same_setting(FineTuningSpec, "n_blocks", kind=Whole(1, field_high=8), group=MODELS)
    more_epochs: int = same_setting(FineTuningSpec, "epochs", kind=Whole(1, 10_000, field_high=1_000), group=MODELS)
    low_rate: float = same_setting(FineTuningSpec, "learning_rate", group=MODELS)
    seed: int = model_setting("seed")

    @property
    def inputs(self) -> dict[str, Any]:
        """The arguments of the study's function by name."""
        return {"config": self.config}

    @property
    def config(self) -> Config:
        """The settings of `compare`."""
        return replace(super().config, fine_tuning=FineTuningSpec(self.blocks, self.more_epochs, self.low_rate))


class _FineTuning(ComparisonStudy[FineTuningArguments]):
    name = "fine-tuning"
    topic = "models"
    question = _("Fine-tuning")
    about = _("what unfreezing the backbone's last blocks brings")
    lead = _(
        "First the backbone stays frozen. Then its last blocks are trained, too, with small steps. Is that better?"
    )
    chart = _("Charts of accuracy by epoch, with a mark where fine-tuning starts, of parameters, seconds and recall.")
    arguments = FineTuningArguments
    stage_chart = ".stage:fine_tuning_stage"
    cost_by = ("dataset", "image_size", "backbone", "blocks")
    quick: ClassVar[Mapping[str, Any]] = {"n_per_class": 10, "epochs": 5, "more_epochs": 3}
    sketch = (
        '<path d="M5 2v24h36" stroke="currentColor" stroke-opacity=".5" fill="none"/>'
        '<path d="M8 22q6-9 14-9" stroke="var(--tlw-transfer,#0072b2)" stroke-width="2.4" fill="none"/>'
        '<path d="M22 13q8-1 18-8" stroke="var(--tlw-fine_tuned,#009e73)" stroke-width="2.4" fill="none"/>'
        '<path d="M22 3v23" stroke="currentColor" stroke-opacity=".6" stroke-dasharray="2 2"/>'
    )

    def owns(self, result: Comparison) -> bool:
        return result.repeats is None

    def plan(self, arguments: FineTuningArguments, facts: DataFacts) -> Plan:
        n, first, second = arguments.n_train(facts), arguments.epochs, arguments.more_epochs
        text = _(
            "scratch and frozen for {first} epochs on {n:,} images, then {second} more with ",
            first=first,
            n=n,
            second=second,
        )
        return Plan(3, _("{text}{count} unfrozen", text=text, count=count(arguments.blocks, "block")))

    def headline(self, result: Comparison) -> str:
        from tl_widgets.records.verdict import paired_difference

        frozen, tuned = result.transfer, result.fine_tuned
        if not (frozen and tuned and frozen.test_accuracy is not None and tuned.test_accuracy is not None):
            return _("Stopped before the fine-tuned model was tested.")
        paired = paired_difference(tuned, frozen)
        shares = _(
            "{tuned} of the test images right, frozen {frozen}",
            tuned=percent(tuned.test_accuracy),
            frozen=percent(frozen.test_accuracy),
        )
        if not paired.is_clear:
            return _("Whether fine-tuning helps is too close to call: {shares}.", shares=shares)
        difference = points(abs(paired.difference))
        if paired.difference > 0:
            return _("Fine-tuning gains {difference} points: {shares}.", difference=difference, shares=shares)
        return _("Fine-tuning loses {difference} points: {shares}.", difference=difference, shares=shares)

    def guess(self, arguments: FineTuningArguments) -> Guess:
        def share(result: Comparison) -> float | None:
            curve = result.fine_tuned.history.val_accuracy if result.fine_tuned else ()
            return curve[-1] if curve else None

        question = _("Of the validation images, how many will the fine-tuned model get right at the end?")
        return guess_share(question, f"fine-tuning {arguments.dataset} {arguments.backbone}", share)


STUDY = _FineTuning()
