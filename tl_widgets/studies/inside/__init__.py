"""The "inside" study: heat maps, first filters and features of the models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from tl_widgets.core.errors import CancelledError
from tl_widgets.core.settings import Whole, same_setting, setting
from tl_widgets.core.translation import _
from tl_widgets.studies.arguments import MODELS, DataFacts, FactsOf, ImageArguments, model_setting
from tl_widgets.studies.study import Plan, Study, count

if TYPE_CHECKING:
    from tl_widgets.core.config import Config
    from tl_widgets.core.events import Cancel, OnEvent
    from tl_widgets.data.dataset import ImageDataset
    from tl_widgets.experiments.seconds import Speed
    from tl_widgets.studies.inside.result import LookInside

MOST_IMAGES = 12  # with heat maps: more do not fit side by side


@dataclass(frozen=True)
class InsideArguments(ImageArguments):
    """The models to look into, and the number of heat maps."""

    image_size: int = same_setting(ImageArguments, "image_size", default=96)
    n_per_class: int | None = same_setting(ImageArguments, "n_per_class", default=20)
    backbone: str = model_setting("backbone")
    control: bool = model_setting("control")
    epochs: int = model_setting("epochs")
    images: int = setting(
        6,
        Whole(1, MOST_IMAGES, counted=_("test images")),
        _("Heat maps of"),
        _("How many test images, 1 to {most_images}", most_images=MOST_IMAGES),
        group=MODELS,
    )
    seed: int = model_setting("seed")

    @property
    def inputs(self) -> dict[str, Any]:
        """The arguments of the study's function by name."""
        return {"config": self.config, "n_images": self.images}


class _Inside(Study[InsideArguments, "LookInside"]):
    name = "inside"
    topic = "trust"
    question = _("Look inside")
    about = _("where both models look, their first filters, and how they arrange the test images")
    lead = _(
        "Both models are trained. Then you see where they look, their first filters, and how they "
        "arrange the test images, before and after training."
    )
    chart = _("Heat maps over test images, first filters as small pictures, and scatter charts of the test images.")
    arguments = InsideArguments
    record = ".result:LookInside"
    function = ":train_and_look"
    figure = ".figure:plot_inside"
    quick: ClassVar[Mapping[str, Any]] = {"n_per_class": 10, "epochs": 5, "images": 3}
    sketch = (
        '<path d="M4 15q18-22 36 0q-18 22-36 0z" stroke="currentColor" stroke-width="2" fill="none"/>'
        '<circle cx="22" cy="15" r="6" fill="currentColor"/>'
    )

    def plan(self, arguments: InsideArguments, facts: DataFacts) -> Plan:
        n, n_models = arguments.n_train(facts), 3 if arguments.control else 2
        text = _(
            "trained on {n:,} images, then examined with {count}", n=n, count=count(arguments.images, "test image")
        )
        return Plan(n_models, text)

    def seconds(self, arguments: InsideArguments, facts_of: FactsOf, speed: Speed) -> float | None:
        models = super().seconds(arguments, facts_of, speed)
        # To look into them takes another backbone with random weights, and each part traces its models again.
        return models and models + 2 * (speed.building + speed.tracing) + 5 * speed.backbone_tracing


def train_and_look(
    dataset: ImageDataset, *, config: Config, n_images: int, on_event: OnEvent, cancel: Cancel
) -> LookInside:
    """Do what `look_inside` does, with models that are trained first.

    Raises:
        CancelledError: it was stopped before there were models to look into.
    """
    from tl_widgets.experiments.comparison import compare_config

    comparison = compare_config(dataset, config, on_event=on_event, cancel=cancel)
    if comparison.stopped:
        raise CancelledError(_("stopped before there were models to look into"))
    from tl_widgets.studies.inside.measurement import look_inside  # it needs TensorFlow

    return look_inside(comparison, dataset, n_images=n_images, on_event=on_event, cancel=cancel)


STUDY = _Inside()
