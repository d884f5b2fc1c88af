"""The "time" study: accuracy against seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tl_widgets.core.settings import Real, setting
from tl_widgets.studies.study import MODELS, DataFacts, ImageArguments, Plan, Study, model_setting, require_images

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tl_widgets.core.events import Cancel, OnEvent
    from tl_widgets.data.dataset import ImageDataset
    from tl_widgets.studies.time.result import TimeStudy


@dataclass(frozen=True)
class TimeArguments(ImageArguments):
    """The models, and the accuracy that they are to reach."""

    backbone: str = model_setting("backbone")
    control: bool = model_setting("control")
    epochs: int = model_setting("epochs")
    seed: int = model_setting("seed")
    target: float | None = setting(
        None, Real(0, 1), "", "Accuracy to reach, 0 to 1", group=MODELS, none="what all models reach"
    )


class _Time(Study[TimeArguments, "TimeStudy"]):
    name = "time"
    question = "How much time?"
    about = "accuracy against seconds"
    lead = (
        "Both models learn from the same images, and the clock runs: computing the frozen backbone's features "
        "counts, too."
    )
    chart = "Line chart of accuracy on the validation images against seconds."
    arguments = TimeArguments

    def results(self) -> tuple[type[TimeStudy], ...]:
        from tl_widgets.studies.time.result import TimeStudy

        return (TimeStudy,)

    def measure(
        self, arguments: TimeArguments, dataset: ImageDataset | None, on_event: OnEvent, cancel: Cancel
    ) -> TimeStudy:
        from tl_widgets.studies.time.result import time_study

        images, config = require_images(dataset), arguments.config
        return time_study(images, target=arguments.target, config=config, on_event=on_event, cancel=cancel)

    def draw(self, result: TimeStudy) -> Axes:
        from tl_widgets.studies.time.figure import plot_time

        return plot_time(result)

    def plan(self, arguments: TimeArguments, facts: DataFacts) -> Plan:
        n, n_models = arguments.n_train(facts), 3 if arguments.control else 2
        text = f"each on the same {n:,} images, {arguments.epochs} times"
        return Plan(n_models, text, n_models * n * arguments.epochs)


STUDY = _Time()
