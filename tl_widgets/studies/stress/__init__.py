"""The "stress" study: accuracy on changed copies of the test images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from tl_widgets.core.config import Config, FineTuningSpec
from tl_widgets.core.settings import Flag, Whole, setting
from tl_widgets.core.translation import _
from tl_widgets.studies.arguments import IMAGES, MODELS, DataFacts, FactsOf, ImageArguments, model_setting
from tl_widgets.studies.guess import Guess, guess_share
from tl_widgets.studies.study import Plan, Study

if TYPE_CHECKING:
    from tl_widgets.experiments.seconds import Speed
    from tl_widgets.studies.stress.result import StressTest

_N_COPIES = 9 * 3  # of each picture, if all changes apply


@dataclass(frozen=True)
class StressArguments(ImageArguments):
    """The models, and the pictures that are changed."""

    images: int = setting(
        100, Whole(1, field_high=1_000), _("Pictures"), _("How many test images are changed, at most"), group=IMAGES
    )
    backbone: str = model_setting("backbone")
    epochs: int = model_setting("epochs")
    fine_tuned: bool = setting(False, Flag(), _("Fine-tuned"), _("Also test a fine-tuned backbone"), group=MODELS)
    seed: int = model_setting("seed")

    @property
    def inputs(self) -> dict[str, Any]:
        """The arguments of the study's function by name."""
        return {"config": self.config, "n_images": self.images}

    @property
    def config(self) -> Config:
        """The settings of `compare`."""
        return replace(super().config, fine_tuning=FineTuningSpec() if self.fine_tuned else None)


class _Stress(Study[StressArguments, "StressTest"]):
    name = "stress"
    topic = "trust"
    question = _("Changed pictures?")
    about = _("accuracy on darker, blurred, rotated and otherwise changed test images")
    lead = _(
        "Both models learn from clean pictures. Then the test images become darker, brighter, "
        "blurred, noisy, rotated, smaller or gray, step by step."
    )
    chart = _("Line charts of accuracy against severity, one for each change, with a picture at each severity.")
    arguments = StressArguments
    record = ".result:StressTest"
    function = ".measurement:stress_test"
    figure = ".figure:plot_stress"
    stage_chart = ".stage:stress_stage"
    cost_by = ("dataset", "image_size", "backbone", "fine_tuned")
    quick: ClassVar[Mapping[str, Any]] = {"n_per_class": 10, "epochs": 5, "images": 30}
    sketch = (
        '<rect x="4" y="8" width="10" height="14" fill="currentColor" fill-opacity=".75"/>'
        '<rect x="17" y="8" width="10" height="14" fill="currentColor" fill-opacity=".4"/>'
        '<rect x="30" y="8" width="10" height="14" fill="currentColor" fill-opacity=".15"/>'
        '<path d="M5 5h34" stroke="var(--tlw-transfer,#0072b2)" stroke-width="2.4"/>'
        '<path d="M5 5L39 27" stroke="var(--tlw-scratch,#d55e00)" stroke-width="2.4"/>'
    )

    def plan(self, arguments: StressArguments, facts: DataFacts) -> Plan:
        n = min(arguments.images, facts.n_test)
        return Plan(
            len(arguments.config.model_names),
            _("tested on {n} pictures with up to {n_copies} changes each", n=n, n_copies=_N_COPIES),
        )

    def seconds(self, arguments: StressArguments, facts_of: FactsOf, speed: Speed) -> float:
        from tl_widgets.experiments.seconds import comparison_seconds

        images = arguments.workload(facts_of)
        n_more = min(arguments.images, images.n_test) * _N_COPIES
        # The changed pictures cost what test images cost.
        more = replace(images, n_test=images.n_test + n_more)
        return comparison_seconds(arguments.config, more, speed)

    def guess(self, arguments: StressArguments) -> Guess:
        def share(result: StressTest) -> float | None:
            from tl_widgets.core.model_name import ModelName
            from tl_widgets.studies.stress.changes import SEVERITIES

            mean = result.mean(ModelName.TRANSFER, SEVERITIES[-1])
            return mean.mean if mean else None

        question = _(
            "Under the strongest changes, how many pictures will the frozen backbone still recognize on average?"
        )
        return guess_share(question, f"stress {arguments.dataset} {arguments.backbone}", share)


STUDY = _Stress()
