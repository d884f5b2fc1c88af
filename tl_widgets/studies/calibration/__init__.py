"""The "sure" study: how sure models are of their answers, and how often these are right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from tl_widgets.studies.guess import BANDS, Guess, band_of
from tl_widgets.studies.study import (
    DataFacts,
    FactsOf,
    ImageArguments,
    Plan,
    SoFar,
    Study,
    model_setting,
    require_images,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tl_widgets.core.events import Cancel, OnEvent
    from tl_widgets.data.dataset import ImageDataset
    from tl_widgets.experiments.seconds import Speed
    from tl_widgets.studies.calibration.result import Calibration
    from tl_widgets.studies.stage import StageChart


@dataclass(frozen=True)
class SureArguments(ImageArguments):
    """The models, and what they learn from."""

    backbone: str = model_setting("backbone")
    epochs: int = model_setting("epochs")
    seed: int = model_setting("seed")


class _Sure(Study[SureArguments, "Calibration"]):
    name = "sure"
    topic = "trust"
    question = "How sure is it?"
    about = "how sure models are against how often they are right, and of pictures of none of the classes"
    lead = (
        "Both models say how sure they are of each test image, and then of pictures of something else. Are they as "
        "often right as they are sure?"
    )
    chart = (
        "Charts of how often the models are right by how sure they are, of accuracy against the share of images that "
        "get an answer, and of how sure they are of pictures of something else."
    )
    arguments = SureArguments
    cost_by = ("dataset", "image_size", "backbone")
    quick: ClassVar[Mapping[str, Any]] = {"n_per_class": 10, "epochs": 5}
    sketch = (
        '<path d="M6 27L40 3" stroke="currentColor" stroke-opacity=".5" stroke-width="1.4" stroke-dasharray="2 2.5"/>'
        '<path d="M10 26L24 22L38 13" stroke="var(--tlw-scratch,#d55e00)" stroke-width="2.4" fill="none"/>'
        '<path d="M12 19L26 12L38 3" stroke="var(--tlw-transfer,#0072b2)" stroke-width="2.4" fill="none"/>'
    )

    def results(self) -> tuple[type[Calibration], ...]:
        from tl_widgets.studies.calibration.result import Calibration

        return (Calibration,)

    def measure(
        self, arguments: SureArguments, dataset: ImageDataset | None, on_event: OnEvent, cancel: Cancel
    ) -> Calibration:
        from tl_widgets.studies.calibration.measurement import calibration

        return calibration(require_images(dataset), config=arguments.config, on_event=on_event, cancel=cancel)

    def draw(self, result: Calibration) -> Figure:
        from tl_widgets.studies.calibration.figure import plot_calibration

        return plot_calibration(result)

    def draw_narrow(self, result: Calibration) -> Figure:
        from tl_widgets.studies.calibration.figure import plot_calibration

        return plot_calibration(result, narrow=True)

    def plan(self, arguments: SureArguments, facts: DataFacts) -> Plan:  # noqa: ARG002 - as declared
        return Plan(2, f"asked about {facts.n_test} test images and pictures of something else")

    def seconds(self, arguments: SureArguments, facts_of: FactsOf, speed: Speed) -> float:
        from tl_widgets.experiments.seconds import comparison_seconds

        images = arguments.workload(facts_of)
        # Validation images and up to 100 others are asked about once, as test images are.
        asked = replace(images, n_validation=0, n_test=images.n_test + images.n_validation + 100)
        return comparison_seconds(arguments.config, asked, speed)

    def stage(self, arguments: SureArguments, so_far: SoFar) -> StageChart:  # noqa: ARG002 - as declared
        from tl_widgets.core.model_name import ModelName
        from tl_widgets.studies.calibration.stage import sure_stage

        result = so_far.result
        if result is not None:
            return sure_stage(result.arms, result.points)
        return sure_stage((ModelName.SCRATCH, ModelName.TRANSFER), so_far.points)

    def guess(self, arguments: SureArguments) -> Guess:
        def answer(result: Calibration) -> str:
            from tl_widgets.core.model_name import ModelName

            if ModelName.TRANSFER not in result.arms:
                return ""
            strangers = result.of(ModelName.TRANSFER).strangers
            return band_of(sum(strangers) / len(strangers))

        return Guess(
            "How sure will the frozen backbone be, on average, of pictures of none of its classes?",
            tuple(BANDS),
            f"sure {arguments.dataset} {arguments.backbone}",
            answer,
            is_required=False,
            axis="x",
            spans=lambda _: tuple(BANDS.values()),
        )


STUDY = _Sure()
