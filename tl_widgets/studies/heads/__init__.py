"""The "heads" study: several heads on the same kept features, and image search by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from tl_widgets.core.settings import Several, setting
from tl_widgets.core.translation import _
from tl_widgets.studies.arguments import BACKBONE_NAME, MODELS, DataFacts, FactsOf, ImageArguments, model_setting
from tl_widgets.studies.guess import Guess
from tl_widgets.studies.study import Plan, Study, count

if TYPE_CHECKING:
    from tl_widgets.experiments.seconds import Speed
    from tl_widgets.studies.heads.result import HeadStudy

# How far apart the best head and the worst are, in points, and the end of each range.
_APART = {_("under 2 points"): 0.02, _("2 to 5 points"): 0.05, _("5 to 10 points"): 0.1, _("over 10 points"): 1.0}
_PER_IMAGE = 0.02  # seconds for all values that are tried for scikit-learn's heads


@dataclass(frozen=True)
class HeadsArguments(ImageArguments):
    """The backbone of the heads, and more backbones for the search."""

    backbone: str = model_setting("backbone")
    others: tuple[str, ...] | None = setting(
        None,
        Several(BACKBONE_NAME, "SqueezeNet,MobileNetV2"),
        _("More for the search"),
        _("More backbones that search for similar images, names between commas"),
        group=MODELS,
        none=_("none"),
    )
    control: bool = model_setting("control", default=True)
    epochs: int = model_setting("epochs")
    seed: int = model_setting("seed")

    @property
    def inputs(self) -> dict[str, Any]:
        """The arguments of the study's function by name."""
        return {**super().inputs, "others": self.others or ()}

    @property
    def searches(self) -> tuple[str, ...]:
        """The names of the searches."""
        more = [name for name in self.others or () if name != self.backbone]
        return tuple(
            dict.fromkeys(
                [self.backbone, *more, *[_("{backbone}, random weights", backbone=self.backbone)] * self.control]
            )
        )


class _Heads(Study[HeadsArguments, "HeadStudy"]):
    name = "heads"
    topic = "models"
    question = _("Which head?")
    about = _("other heads on the same features: nearest neighbors, logistic regression, a small MLP; and image search")
    lead = _(
        "The frozen backbone's features are kept, and four different heads learn from them. Then "
        "each test image looks for its nearest training images."
    )
    chart = _("Dot chart of the test accuracy of each head, and test images with their nearest training images.")
    arguments = HeadsArguments
    record = ".result:HeadStudy"
    function = ".measurement:head_study"
    figure = ".figure:plot_heads"
    stage_chart = ".stage:heads_stage"
    quick: ClassVar[Mapping[str, Any]] = {"n_per_class": 10, "control": False}
    sketch = (
        '<rect x="3" y="6" width="14" height="18" stroke="currentColor" stroke-width="1.8" fill="none"/>'
        '<path d="M17 15h6M23 15l7-10M23 15l7-3M23 15l7 4M23 15l7 10" stroke="currentColor" stroke-opacity=".5"/>'
        '<path d="M32 5h8M32 12h8M32 19h8M32 25h8" stroke="var(--tlw-transfer,#0072b2)" stroke-width="3.4"/>'
    )

    def plan(self, arguments: HeadsArguments, facts: DataFacts) -> Plan:  # noqa: ARG002 - as declared
        n = len(arguments.searches)
        return Plan(4, _("4 heads on the same features, and image search by {count}", count=count(n, "backbone")))

    def seconds(self, arguments: HeadsArguments, facts_of: FactsOf, speed: Speed) -> float:
        from tl_widgets.experiments.seconds import SCRATCH_DONE, comparison_seconds

        images, first = arguments.workload(facts_of), arguments.config
        more = [replace(first, backbone=name, control=False) for name in set(arguments.others or ()) - {first.backbone}]
        features = sum(comparison_seconds(config, images, speed, SCRATCH_DONE) for config in (first, *more))
        return features + _PER_IMAGE * images.n_train

    def guess(self, arguments: HeadsArguments) -> Guess:
        def answer(result: HeadStudy) -> str:
            shares = [head.accuracy for head in result.heads]
            if result.stopped or len(shares) < 2:
                return ""
            apart = max(shares) - min(shares)
            return next(name for name, end in _APART.items() if apart < end or end == 1.0)

        return Guess(
            _("How far apart will the best head and the worst be on the test images?"),
            tuple(_APART),
            f"heads {arguments.dataset} {arguments.backbone}",
            answer,
            is_required=False,
        )


STUDY = _Heads()
