"""The "backbones" study: accuracy against cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import milliseconds_text, percent
from tl_widgets.core.settings import Name, Several, same_setting, setting
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _
from tl_widgets.studies.arguments import (
    BACKBONE_NAME,
    IMAGES,
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
    from tl_widgets.studies.backbones.result import BackboneStudy

_TIMED = 0.7  # seconds in which each backbone is timed
_EXAMPLE = "MobileNetV2=mobilenet.weights.h5"


def _file(text: str) -> str:
    """Return NAME=FILE with the official name, or raise InputError."""
    from tl_widgets.backbones.catalogue import find_backbone
    from tl_widgets.backbones.weights import resolve_weights

    name, _unused, path = text.partition("=")
    if not name or not path:
        raise InputError(
            _("weights must be files by name, such as {example}; received {text}.", example=_EXAMPLE, text=shown(text))
        )
    backbone = find_backbone(name.strip())
    resolve_weights(backbone, path.strip())
    return f"{backbone.name}={path.strip()}"


@cache  # because a form calls it after every change
def _on_this_machine() -> tuple[str, ...]:
    from tl_widgets.backbones.catalogue import list_backbones

    return tuple(backbone.name for backbone in list_backbones() if backbone.offline)


@dataclass(frozen=True)
class BackbonesArguments(ImageArguments):
    """The backbones, their weights and their heads."""

    n_per_class: int | None = same_setting(ImageArguments, "n_per_class", default=10, group=IMAGES)
    backbones: tuple[str, ...] | None = setting(
        None,
        Several(BACKBONE_NAME, "MobileNetV2,Xception"),
        _("Backbones"),
        _("Names between commas; they are downloaded if necessary"),
        group=MODELS,
        none=_("all on this machine"),
    )
    control: bool = model_setting("control", default=True)
    epochs: int = model_setting("epochs")
    seeds: tuple[int, ...] = seeds_setting(1)
    weights: tuple[str, ...] | None = setting(
        None, Several(Name(_file), _EXAMPLE), "", _("Weights files in other places"), group=MODELS, none=_("no files")
    )
    jobs: int = jobs_setting()

    @property
    def inputs(self) -> dict[str, Any]:
        """The arguments of the study's function by name."""
        return {**super().inputs, "weights": dict(text.split("=", 1) for text in self.weights or ())}


class _Backbones(Study[BackbonesArguments, "BackboneStudy"]):
    name = "backbones"
    topic = "models"
    question = _("Which backbone?")
    about = _("accuracy, milliseconds and memory of every backbone whose weights are on this machine")
    lead = _(
        "Each frozen backbone on this machine gets a new head, learns from the same images, and is "
        "timed. Are backbones that are better on ImageNet better here, too?"
    )
    chart = _(
        "Scatter charts of test accuracy, against milliseconds per image and against published ImageNet accuracy."
    )
    arguments = BackbonesArguments
    record = ".result:BackboneStudy"
    function = ".measurement:backbone_study"
    figure = ".figure:plot_backbone_study"
    stage_chart = ".stage:backbones_stage"
    can_go_on = True
    cost_by = ("dataset", "image_size", "control")
    quick: ClassVar[Mapping[str, Any]] = {"n_per_class": 5, "epochs": 5}
    sketch = (
        '<path d="M5 2v24h36" stroke="currentColor" stroke-opacity=".5" fill="none"/>'
        '<rect x="10" y="17" width="5" height="5" fill="var(--tlw-transfer,#0072b2)"/>'
        '<rect x="20" y="10" width="7" height="7" fill="var(--tlw-transfer,#0072b2)"/>'
        '<rect x="31" y="4" width="8" height="8" fill="var(--tlw-transfer,#0072b2)"/>'
    )

    def plan(self, arguments: BackbonesArguments, facts: DataFacts) -> Plan:  # noqa: ARG002 - as declared
        n_backbones, n_seeds = len(arguments.backbones or _on_this_machine()), len(arguments.seeds)
        text = count(n_backbones, "backbone") + " × " + count(n_seeds, "head")
        text += _(", and the smallest with random weights") if arguments.control else ""
        return Plan((n_backbones + arguments.control) * n_seeds, text)

    def seconds(self, arguments: BackbonesArguments, facts_of: FactsOf, speed: Speed) -> float:
        from tl_widgets.backbones.catalogue import find_backbone
        from tl_widgets.experiments.seconds import SCRATCH_DONE, comparison_seconds

        images = arguments.workload(facts_of)
        names = list(arguments.backbones or _on_this_machine())
        names += sorted(names, key=lambda name: find_backbone(name).n_params or 0)[: arguments.control]
        config = replace(arguments.config, control=False)
        heads = (replace(config, backbone=name) for name in names)
        return sum(comparison_seconds(head, images, speed, SCRATCH_DONE) + _TIMED for head in heads)

    def points(self, result: BackboneStudy) -> Sequence[object]:
        return result.points

    def headline(self, result: BackboneStudy) -> str:
        chosen = result.chosen
        if chosen is None:
            return next(iter(result.sentences), _("Nothing was measured."))
        lead = _("The choice is {name}", name=chosen.name)
        if result.stopped:
            lead = _("The choice so far is {name}", name=chosen.name)
        if len(result.points) == 1:
            lead = _("Only {chosen_name} was measured", chosen_name=chosen.name)
        cost = milliseconds_text(chosen.cost.ms_per_image)
        return _(
            "{lead}: {test_accuracy} of the test images right, {cost} each.",
            lead=lead,
            test_accuracy=percent(chosen.test_accuracy),
            cost=cost,
        )

    def guess(self, arguments: BackbonesArguments) -> Guess:
        return guess_share(
            _("How many of the test images will the chosen backbone get right?"),
            f"backbones {arguments.dataset}",
            lambda result: result.chosen and result.chosen.test_accuracy,
        )

    def sentences(self, result: BackboneStudy) -> tuple[str, ...]:
        return (*result.lines, *result.sentences)


STUDY = _Backbones()
