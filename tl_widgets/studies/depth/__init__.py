"""The "depth" study: a backbone that is cut after each of its blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from tl_widgets.core.settings import Several, Whole, setting
from tl_widgets.core.translation import _
from tl_widgets.studies.arguments import MODELS, DataFacts, FactsOf, ImageArguments, model_setting, seeds_setting
from tl_widgets.studies.depth.blocks import EPOCHS, chosen_blocks
from tl_widgets.studies.guess import Guess
from tl_widgets.studies.study import Plan, Study, count

if TYPE_CHECKING:
    from tl_widgets.experiments.seconds import Speed
    from tl_widgets.studies.depth.result import DepthStudy

_THIRDS = (_("first third"), _("middle third"), _("last third"))
_HEAD, _STEP = 0.03, 1e-4  # seconds to build a head, and for each step of its training


@dataclass(frozen=True)
class DepthArguments(ImageArguments):
    """The backbone, its cuts and its heads."""

    backbone: str = model_setting("backbone")
    blocks: tuple[int, ...] | None = setting(
        None,
        Several(Whole(1), "1,4,8"),
        _("Blocks"),
        _("Numbers of the blocks after which it is cut, between commas"),
        group=MODELS,
        none=_("all, 16 at most"),
    )
    control: bool = model_setting("control", default=True)
    epochs: int = model_setting("epochs", default=EPOCHS)
    seeds: tuple[int, ...] = seeds_setting(3)

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.numbers  # or say why it can't be cut there

    @property
    def numbers(self) -> tuple[int, ...]:
        """The blocks, ascending; the last one stands for the whole backbone."""
        return chosen_blocks(self.backbone, self.blocks)


class _Depth(Study[DepthArguments, "DepthStudy"]):
    name = "depth"
    topic = "models"
    question = _("How deep?")
    about = _("accuracy, parameters and milliseconds of a backbone that is cut after each of its blocks")
    lead = _(
        "The frozen backbone is cut after each of its blocks, and a new head learns from the "
        "features there. Do all of its blocks help on these images?"
    )
    chart = _("Line charts of test accuracy, parameters and time against the block after which the backbone is cut.")
    arguments = DepthArguments
    record = ".result:DepthStudy"
    function = ".measurement:depth_study"
    figure = ".figure:plot_depth"
    stage_chart = ".stage:depth_stage"
    quick: ClassVar[Mapping[str, Any]] = {"n_per_class": 10, "control": False, "seeds": (0,)}
    sketch = (
        '<path d="M4 4v22M12 7v16M20 9v12M28 11v8M36 12v6" stroke="currentColor" stroke-opacity=".45" '
        'stroke-width="5"/><path d="M24 2v26" stroke="var(--tlw-transfer,#0072b2)" stroke-width="2.4" '
        'stroke-dasharray="4 3"/>'
    )

    def plan(self, arguments: DepthArguments, facts: DataFacts) -> Plan:  # noqa: ARG002 - as declared
        n_cuts, n_seeds, n_arms = len(arguments.numbers), len(arguments.seeds), 1 + arguments.control
        text = _("{ends} of the backbone × {heads}", ends=count(n_cuts, "end"), heads=count(n_seeds, "head"))
        text += _(", each with pretrained and with random weights") if arguments.control else ""
        return Plan(n_arms * n_cuts * n_seeds, text)

    def seconds(self, arguments: DepthArguments, facts_of: FactsOf, speed: Speed) -> float:
        from tl_widgets.experiments.seconds import SCRATCH_DONE, comparison_seconds

        images, n_heads = arguments.workload(facts_of), len(arguments.numbers) * len(arguments.seeds)
        steps = arguments.epochs * -(-images.n_train // arguments.config.batch_size)
        heads = (1 + arguments.control) * n_heads * (_HEAD + _STEP * steps)
        features = comparison_seconds(arguments.config, images, speed, SCRATCH_DONE)
        return features + speed.backbone_tracing + heads  # each part of the backbone is traced for its time

    def guess(self, arguments: DepthArguments) -> Guess:
        n_blocks = arguments.numbers[-1]

        def answer(result: DepthStudy) -> str:
            chosen = result.chosen
            if chosen is None or result.stopped:
                return ""
            return _THIRDS[min(3 * (chosen.block - 1) // result.whole.block, 2)]

        def spans(result: DepthStudy | None) -> tuple[tuple[float, float], ...]:
            n = result.whole.block if result else n_blocks
            return tuple((0.5 + i * n / 3, 0.5 + (i + 1) * n / 3) for i in range(3))

        return Guess(
            _("In which third of the backbone will the validation images find the best place to cut?"),
            _THIRDS,
            f"depth {arguments.dataset} {arguments.backbone}",
            answer,
            is_required=False,
            axis="x",
            spans=spans,
        )


STUDY = _Depth()
