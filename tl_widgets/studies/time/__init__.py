"""The "time" study: accuracy against seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from tl_widgets.core.model_name import ModelName
from tl_widgets.core.settings import Real, setting
from tl_widgets.core.translation import _
from tl_widgets.studies.arguments import MODELS, DataFacts, ImageArguments, model_setting
from tl_widgets.studies.guess import Guess
from tl_widgets.studies.study import Plan, Study

if TYPE_CHECKING:
    from tl_widgets.studies.time.result import TimeStudy

_TIMES = {_("less time"): 0.6, _("about as long"): 1.0, "2×": 2.0, "5×": 5.0, "10×": 10.0, _("30× or more"): 30.0}


@dataclass(frozen=True)
class TimeArguments(ImageArguments):
    """The models, and the accuracy that they are to reach."""

    backbone: str = model_setting("backbone")
    control: bool = model_setting("control")
    epochs: int = model_setting("epochs")
    seed: int = model_setting("seed")
    target: float | None = setting(
        None, Real(0, 1), "", _("Accuracy to reach, 0 to 1"), group=MODELS, none=_("what all models reach")
    )

    @property
    def inputs(self) -> dict[str, Any]:
        """The arguments of the study's function by name."""
        return {"config": self.config, "target": self.target}


class _Time(Study[TimeArguments, "TimeStudy"]):
    name = "time"
    topic = "effort"
    question = _("How much time?")
    about = _("accuracy against seconds")
    lead = _(
        "Both models learn from the same images, and the clock runs: computing the frozen backbone's "
        "features counts, too."
    )
    chart = _("Line chart of accuracy on the validation images against seconds.")
    arguments = TimeArguments
    record = ".result:TimeStudy"
    function = ".result:time_study"
    figure = ".figure:plot_time"
    stage_chart = ".stage:time_stage"
    quick: ClassVar[Mapping[str, Any]] = {"n_per_class": 10, "epochs": 5}
    sketch = (
        '<circle cx="22" cy="15" r="12" stroke="currentColor" stroke-width="2" fill="none"/>'
        '<path d="M22 15V6" stroke="var(--tlw-scratch,#d55e00)" stroke-width="2.6"/>'
        '<path d="M22 15l7 4" stroke="var(--tlw-transfer,#0072b2)" stroke-width="2.6"/>'
    )

    def plan(self, arguments: TimeArguments, facts: DataFacts) -> Plan:
        n, n_models = arguments.n_train(facts), 3 if arguments.control else 2
        text = _("each on the same {n:,} images, {epochs} times", n=n, epochs=arguments.epochs)
        return Plan(n_models, text)

    def headline(self, result: TimeStudy) -> str:
        return result.sentences[-1]

    def guess(self, arguments: TimeArguments) -> Guess:
        def spans(result: TimeStudy | None) -> list[tuple[float, float]]:
            seconds = None if result is None else result.seconds_to_target(ModelName.TRANSFER)
            return [((seconds or 1.0), (seconds or 1.0) * times) for times in _TIMES.values()]

        return Guess(
            _("How many times as long does the network from scratch take to the same accuracy?"),
            tuple(_TIMES),
            f"time {arguments.dataset} {arguments.backbone}",
            _times,
            is_required=False,
            axis="x",
            spans=spans,
        )


def _times(study: TimeStudy) -> str:
    """Return the option that is true for a result; "" if a model did not reach the target."""
    scratch, transfer = map(study.seconds_to_target, (ModelName.SCRATCH, ModelName.TRANSFER))
    if study.stopped or not (scratch and transfer):
        return ""
    limits = {_("less time"): 0.87, _("about as long"): 1.15, "2×": 3.5, "5×": 7.5, "10×": 20.0}
    return next((name for name, limit in limits.items() if scratch / transfer < limit), _("30× or more"))


STUDY = _Time()
