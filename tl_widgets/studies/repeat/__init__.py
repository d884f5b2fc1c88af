"""The "repeat" study: the comparison with several seeds, on the same images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tl_widgets.core.settings import Whole, same_setting
from tl_widgets.studies.study import (
    ComparisonStudy,
    DataFacts,
    ImageArguments,
    Plan,
    count,
    jobs_setting,
    model_setting,
    require_images,
)

if TYPE_CHECKING:
    from tl_widgets.core.events import Cancel, OnEvent
    from tl_widgets.data.dataset import ImageDataset
    from tl_widgets.records.comparison import Comparison


@dataclass(frozen=True)
class RepeatArguments(ImageArguments):
    """The models and the number of seeds."""

    n_per_class: int | None = same_setting(ImageArguments, "n_per_class", default=10)
    backbone: str = model_setting("backbone")
    control: bool = model_setting("control")
    epochs: int = model_setting("epochs")
    repeats: int = model_setting("repeats", default=3, kind=Whole(2, 100, counted="seeds", field_high=20))
    seed: int = model_setting("seed")
    jobs: int = jobs_setting()

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.config  # raises InputError if the last seed is too large


class _Repeat(ComparisonStudy[RepeatArguments]):
    name = "repeat"
    question = "Repeat"
    about = "the comparison with several seeds, on the same images"
    lead = "The comparison is repeated with other seeds, on the same images: how much of the difference is luck?"
    chart = "Charts of accuracy by epoch and on the test images, with a dot for each seed, of parameters and seconds."
    arguments = RepeatArguments

    def owns(self, result: Comparison) -> bool:
        return result.repeats is not None

    def measure(
        self, arguments: RepeatArguments, dataset: ImageDataset | None, on_event: OnEvent, cancel: Cancel
    ) -> Comparison:
        from tl_widgets.experiments.comparison import compare_config

        images = require_images(dataset)
        return compare_config(images, arguments.config, n_jobs=arguments.jobs, on_event=on_event, cancel=cancel)

    def plan(self, arguments: RepeatArguments, facts: DataFacts) -> Plan:
        n, n_arms, n_seeds = arguments.n_train(facts), 3 if arguments.control else 2, arguments.repeats
        text = f"{n_arms} on the same {n:,} images with each of {count(n_seeds, 'seed')}"
        return Plan(n_arms * n_seeds, text, n_arms * n_seeds * n * arguments.epochs)


STUDY = _Repeat()
