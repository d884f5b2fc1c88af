"""The "data" study: accuracy against training images per class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from tl_widgets.core.errors import InputError
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.settings import Name, Several, Whole, setting
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _
from tl_widgets.studies.arguments import (
    IMAGES,
    MODELS,
    DataFacts,
    FactsOf,
    ImageArguments,
    jobs_setting,
    model_setting,
    seeds_setting,
)
from tl_widgets.studies.guess import Guess
from tl_widgets.studies.study import Plan, Study, count

if TYPE_CHECKING:
    from tl_widgets.experiments.seconds import Speed
    from tl_widgets.studies.learning_curve.result import LearningCurve

_TIMES = {_("fewer"): 0.8, _("about as many"): 1.0, "2×": 2.0, "3×": 3.0, "5×": 5.0, _("10× or more"): 10.0}
_ARMS = (ModelName.SCRATCH, ModelName.TRANSFER, ModelName.CONTROL)


def _arm(name: str) -> str:
    if name not in _ARMS:
        raise InputError(_("arms must be some of {arms}; received {name}.", arms=", ".join(_ARMS), name=shown(name)))
    return name


@dataclass(frozen=True)
class DataArguments(ImageArguments):
    """The sizes, the models and the seeds."""

    n_per_class: int | None = None  # `sizes` takes its place
    sizes: tuple[int, ...] = setting(
        (2, 5, 10, 20),
        Several(Whole(1), "2,5,10"),
        _("Images per class"),
        _("Training images of each class, whole numbers between commas"),
        group=IMAGES,
    )
    arms: tuple[str, ...] = setting(
        _ARMS[:2],
        Several(
            Name(_arm),
            "scratch,transfer",
            menu=(
                (_("from scratch and transfer"), _ARMS[:2]),
                (_("these and the control (random weights)"), _ARMS),
                (_("transfer alone"), _ARMS[1:2]),
            ),
        ),
        _("Kinds"),
        _("Which models are trained"),
        group=MODELS,
    )
    backbone: str = model_setting("backbone")
    epochs: int = model_setting("epochs")
    seeds: tuple[int, ...] = seeds_setting(3)
    jobs: int = jobs_setting()

    @property
    def inputs(self) -> dict[str, Any]:
        """The arguments of the study's function by name."""
        inputs = super().inputs
        return {"n_per_class": inputs.pop("sizes"), **inputs}

    @property
    def most_per_class(self) -> int:
        """The largest of the sizes."""
        return max(self.sizes)

    def fitted(self, most: int) -> Self:
        """Return arguments in which `most` replaces all larger sizes."""
        if self.most_per_class <= most:
            return self
        return replace(self, sizes=(*(n for n in self.sizes if n < most), most))


class _Data(Study[DataArguments, "LearningCurve"]):
    name = "data"
    topic = "effort"
    question = _("How much data?")
    about = _("accuracy against images per class, over several seeds")
    lead = _(
        "The models are trained with more and more images, each time from the beginning. Several "
        "seeds show how much of it is luck."
    )
    chart = _("Line chart of test accuracy against training images per class.")
    arguments = DataArguments
    record = ".result:LearningCurve"
    function = ".measurement:learning_curve"
    figure = ".figure:plot_learning_curve"
    stage_chart = ".stage:data_stage"
    cost_by = ("dataset", "image_size", "arms", "backbone")
    quick: ClassVar[Mapping[str, Any]] = {"sizes": (2, 5, 10), "seeds": (0,)}
    sketch = (
        '<path d="M5 2v24h36" stroke="currentColor" stroke-opacity=".5" fill="none"/>'
        '<path d="M8 14q10-9 32-9" stroke="var(--tlw-transfer,#0072b2)" stroke-width="2.4" fill="none"/>'
        '<path d="M8 24q17-1 32-14" stroke="var(--tlw-scratch,#d55e00)" stroke-width="2.4" fill="none"/>'
    )

    def plan(self, arguments: DataArguments, facts: DataFacts) -> Plan:  # noqa: ARG002 - as declared
        n_arms, n_sizes, n_seeds = len(arguments.arms), len(arguments.sizes), len(arguments.seeds)
        text = _(
            "{sizes} × {seeds} × {kinds} of model",
            sizes=count(n_sizes, "size"),
            seeds=count(n_seeds, "seed"),
            kinds=count(n_arms, "kind"),
        )
        return Plan(n_arms * n_sizes * n_seeds, text)

    def seconds(self, arguments: DataArguments, facts_of: FactsOf, speed: Speed) -> float:
        from tl_widgets.experiments.seconds import SCRATCH_DONE, Workload, comparison_seconds, scratch_seconds

        facts, n_seeds = facts_of(arguments.image_settings), len(arguments.seeds)
        config = replace(arguments.config, control=False)

        def images(n: int) -> Workload:
            return Workload(arguments.image_size, facts.n_classes, n, 0, facts.n_test)

        most = max(arguments.sizes) * facts.n_classes
        seconds = 0.0
        if ModelName.TRANSFER in arguments.arms:  # each seed takes other images
            seconds += comparison_seconds(config, images(min(most * n_seeds, facts.n_train)), speed, SCRATCH_DONE)
        if ModelName.CONTROL in arguments.arms:  # each seed has other random weights
            seconds += n_seeds * comparison_seconds(config, images(most), speed, SCRATCH_DONE)
        if ModelName.SCRATCH in arguments.arms:
            seconds += scratch_seconds(config, n_seeds * [images(n * facts.n_classes) for n in arguments.sizes], speed)
        return seconds

    def guess(self, arguments: DataArguments) -> Guess | None:
        if not set(_ARMS[:2]) <= set(arguments.arms):
            return None
        least = float(min(arguments.sizes))

        def spans(result: LearningCurve | None) -> list[tuple[float, float]]:
            ratio = result and not result.stopped and result.data_ratio
            start = ratio.transfer if ratio else least
            return [(start, start * times) for times in _TIMES.values()]

        return Guess(
            _("For the same accuracy, how many times the images does the network from scratch need?"),
            tuple(_TIMES),
            f"data {arguments.dataset} {arguments.backbone} {arguments.sizes}",
            _times,
            is_required=False,
            axis="x",
            spans=spans,
        )


def _times(curve: LearningCurve) -> str:
    """Return the option that is true for a curve, or a bound; "" without a ratio."""
    ratio = curve.data_ratio
    if ratio is None or curve.stopped:
        return ""
    limits = {_("fewer"): 0.8, _("about as many"): 1.25, "2×": 2.5, "3×": 4.0, "5×": 7.5}
    option = next((name for name, limit in limits.items() if ratio.ratio < limit), _("10× or more"))
    is_bound = ratio.at_least and 1.25 <= ratio.ratio < 7.5
    return _("at least {option}", option=option) if is_bound else option


STUDY = _Data()
