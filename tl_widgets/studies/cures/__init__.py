"""The "cures" study: a network that overfits, and one cure at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from tl_widgets.core.settings import Whole, same_setting, setting
from tl_widgets.core.translation import _
from tl_widgets.studies.arguments import (
    IMAGES,
    DataFacts,
    FactsOf,
    ImageArguments,
    jobs_setting,
    model_setting,
    seeds_setting,
)
from tl_widgets.studies.guess import Guess
from tl_widgets.studies.study import Plan, Study, StudyResult, count

if TYPE_CHECKING:
    from tl_widgets.experiments.seconds import Speed

_N_CURES = 6  # besides none


@dataclass(frozen=True)
class CuresArguments(ImageArguments):
    """The images, the models and the seeds."""

    image_size: int = same_setting(ImageArguments, "image_size", default=32)
    n_per_class: int | None = None  # `few` takes its place
    few: int = setting(
        10,
        Whole(1, field_high=10_000),
        _("Images per class"),
        _("Training images of each class of the network that overfits"),
        group=IMAGES,
    )
    backbone: str = model_setting("backbone")
    epochs: int = model_setting("epochs", default=30)
    seeds: tuple[int, ...] = seeds_setting(3)
    jobs: int = jobs_setting()

    @property
    def most_per_class(self) -> int:
        """The images per class of the network that overfits."""
        return self.few

    def fitted(self, most: int) -> Self:
        """Return arguments that ask for at most `most` training images per class."""
        return replace(self, few=min(self.few, most))


class _Cures(Study[CuresArguments, StudyResult]):
    name = "cures"
    topic = "faults"
    question = _("Overfitting?")
    about = _("training and test accuracy of a network that overfits, and with one cure at a time")
    lead = _(
        "A network learns from few images until it has memorized them. Then more images, "
        "augmentation, dropout, fewer parameters, early stopping and transfer try to help, one at a "
        "time."
    )
    chart = _("Chart of training and test accuracy, one row for each cure.")
    arguments = CuresArguments
    record = ".result:OverfittingCures"
    function = ".measurement:overfitting_cures"
    figure = ".figure:plot_cures"
    stage_chart = ".stage:cures_stage"
    cost_by = ("dataset", "image_size", "backbone")
    quick: ClassVar[Mapping[str, Any]] = {"few": 5, "seeds": (0,)}
    sketch = (
        '<path d="M5 6h34M5 15h24M5 24h14" stroke="currentColor" stroke-opacity=".25" stroke-width="5"/>'
        '<circle cx="39" cy="6" r="3" fill="none" stroke="currentColor" stroke-width="1.6"/>'
        '<circle cx="14" cy="6" r="3.2" fill="var(--tlw-scratch,#d55e00)"/>'
        '<circle cx="22" cy="15" r="3.2" fill="var(--tlw-scratch,#d55e00)"/>'
        '<path d="M31 21h6v6h-6z" fill="var(--tlw-transfer,#0072b2)"/>'
    )

    def plan(self, arguments: CuresArguments, facts: DataFacts) -> Plan:  # noqa: ARG002 - as declared
        n_seeds = len(arguments.seeds)
        return Plan(
            (1 + _N_CURES) * n_seeds,
            _("no cure and {n_cures} cures × {count}", n_cures=_N_CURES, count=count(n_seeds, "seed")),
        )

    def seconds(self, arguments: CuresArguments, facts_of: FactsOf, speed: Speed) -> float:
        from tl_widgets.experiments.seconds import SCRATCH_DONE, Workload, comparison_seconds, scratch_seconds
        from tl_widgets.studies.cures.measurement import TIMES_MORE, with_cure
        from tl_widgets.studies.cures.result import ALL, MORE, TRANSFER

        facts = facts_of(arguments.image_settings)
        few, n_seeds = min(arguments.few * facts.n_classes, facts.n_train), len(arguments.seeds)

        def images(n: int) -> Workload:  # the training images are answered in the end, too
            return Workload(arguments.image_size, facts.n_classes, n, 0, facts.n_test + n)

        seconds = comparison_seconds(arguments.config, images(min(n_seeds * few, facts.n_train)), speed, SCRATCH_DONE)
        for cure in ALL:
            if cure != TRANSFER:
                work = images(min(TIMES_MORE * few, facts.n_train) if cure == MORE else few)
                seconds += scratch_seconds(with_cure(arguments.config, cure), n_seeds * [work], speed)
        return seconds

    def guess(self, arguments: CuresArguments) -> Guess:
        from tl_widgets.studies.cures.result import ALL, LABELS, NOTHING

        return Guess(
            _("What will raise the test accuracy most?"),
            tuple(LABELS[cure] for cure in ALL if cure != NOTHING),
            f"cures {arguments.dataset} {arguments.backbone}",
            lambda result: LABELS[result.ranking[0]] if result.ranking else "",
            is_required=False,
        )


STUDY = _Cures()
