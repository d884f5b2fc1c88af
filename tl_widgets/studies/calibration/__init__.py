"""The "sure" study: how sure models are of their answers, and how often these are right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from tl_widgets.core.translation import _
from tl_widgets.studies.arguments import DataFacts, FactsOf, ImageArguments, model_setting
from tl_widgets.studies.guess import Guess, guess_share
from tl_widgets.studies.study import Plan, Study

if TYPE_CHECKING:
    from tl_widgets.experiments.seconds import Speed
    from tl_widgets.studies.calibration.result import Calibration


@dataclass(frozen=True)
class SureArguments(ImageArguments):
    """The models, and what they learn from."""

    backbone: str = model_setting("backbone")
    epochs: int = model_setting("epochs")
    seed: int = model_setting("seed")

    @property
    def inputs(self) -> dict[str, Any]:
        """The arguments of the study's function by name."""
        return {"config": self.config}


class _Sure(Study[SureArguments, "Calibration"]):
    name = "sure"
    topic = "trust"
    question = _("How sure is it?")
    about = _("how sure models are and how often they are right, also with pictures of none of their classes")
    lead = _(
        "Both models say how sure they are of each test image, and then of pictures of something "
        "else. Are they as often right as they are sure?"
    )
    chart = _(
        "Charts of how often the models are right by how sure they are, of accuracy against the "
        "share of images that get an answer, and of how sure they are of pictures of something else."
    )
    arguments = SureArguments
    record = ".result:Calibration"
    function = ".measurement:calibration"
    figure = ".figure:plot_calibration"
    stage_chart = ".stage:sure_stage"
    cost_by = ("dataset", "image_size", "backbone")
    quick: ClassVar[Mapping[str, Any]] = {"n_per_class": 10, "epochs": 5}
    sketch = (
        '<path d="M6 27L40 3" stroke="currentColor" stroke-opacity=".5" stroke-width="1.4" stroke-dasharray="2 2.5"/>'
        '<path d="M10 26L24 22L38 13" stroke="var(--tlw-scratch,#d55e00)" stroke-width="2.4" fill="none"/>'
        '<path d="M12 19L26 12L38 3" stroke="var(--tlw-transfer,#0072b2)" stroke-width="2.4" fill="none"/>'
    )

    def plan(self, arguments: SureArguments, facts: DataFacts) -> Plan:  # noqa: ARG002 - as declared
        return Plan(2, _("asked about {n_test} test images and pictures of something else", n_test=facts.n_test))

    def seconds(self, arguments: SureArguments, facts_of: FactsOf, speed: Speed) -> float:
        from tl_widgets.experiments.seconds import comparison_seconds

        images = arguments.workload(facts_of)
        # Validation images and up to 100 others are asked about once, as test images are.
        asked = replace(images, n_validation=0, n_test=images.n_test + images.n_validation + 100)
        return comparison_seconds(arguments.config, asked, speed)

    def guess(self, arguments: SureArguments) -> Guess:
        def share(result: Calibration) -> float | None:
            from tl_widgets.core.model_name import ModelName

            if ModelName.TRANSFER not in result.arms:
                return None
            strangers = result.of(ModelName.TRANSFER).strangers
            return sum(strangers) / len(strangers)

        question = _("How sure will the frozen backbone be, on average, about pictures that show none of its classes?")
        return guess_share(question, f"sure {arguments.dataset} {arguments.backbone}", share, axis="x")


STUDY = _Sure()
