"""The "size" study: image size and kind of images, one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from tl_widgets.core.config import MAX_IMAGE_SIZE, MIN_IMAGE_SIZE, ImageSettings
from tl_widgets.core.settings import Choice, Several, Whole, same_setting, setting
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
from tl_widgets.studies.study import Plan, Study, count

if TYPE_CHECKING:
    from tl_widgets.experiments.seconds import Speed
    from tl_widgets.studies.image_size.result import SizeStudy

_LEADS = {_("is behind"): -1.0, _("0 to 10 points"): 0.0, _("10 to 20"): 0.1, _("20 to 40"): 0.2, _("over 40"): 0.4}


@dataclass(frozen=True)
class SizeArguments(ImageArguments):
    """What changes, and the values that it takes."""

    image_size: int = same_setting(
        ImageArguments, "image_size", help=_("Side of the square images in pixels, if their kind changes")
    )
    n_per_class: int | None = same_setting(ImageArguments, "n_per_class", default=10)
    vary: str = setting(
        "size",
        Choice(((_("the image size"), "size"), (_("the kind of images"), "domain"))),
        _("What changes"),
        _("The same images in several sizes, or several data sets in one size"),
        group=IMAGES,
    )
    sizes: tuple[int, ...] = setting(
        (32, 64, 96, 128),
        Several(Whole(MIN_IMAGE_SIZE, MAX_IMAGE_SIZE, 16), "32,64,96"),
        _("Sizes"),
        _("Sides of the images in pixels, between commas, if the size changes"),
        unit=_("pixels"),
        group=IMAGES,
    )
    backbone: str = model_setting("backbone")
    epochs: int = model_setting("epochs")
    seeds: tuple[int, ...] = seeds_setting(2)
    jobs: int = jobs_setting()

    @property
    def inputs(self) -> dict[str, Any]:
        """The arguments of the study's function by name."""
        return {**super().inputs, "image_size": self.image_size}

    @property
    def image_settings(self) -> ImageSettings:
        """The images that the study uses, in the largest size."""
        size = max(self.sizes) if self.vary == "size" else self.image_size
        return ImageSettings(self.dataset, size, self.n_per_class)

    def names(self, facts: DataFacts | None) -> tuple[str, ...]:
        """Return the names of the conditions for images with these facts, or for built-in ones."""
        if self.vary == "size":
            return tuple(_("{side} px", side=side) for side in sorted(self.sizes))
        from tl_widgets.data.catalogue import get_dataset
        from tl_widgets.studies.image_size.result import DOMAINS, own_name

        known = tuple(name for name in DOMAINS if (found := get_dataset(name)) and found.offline)
        if facts is None or (facts.name in known and not facts.is_own):
            return known
        return (own_name(facts.name), *known)


class _Size(Study[SizeArguments, "SizeStudy"]):
    name = "size"
    topic = "effort"
    question = _("How large, what kind?")
    about = _("accuracy with smaller and larger images, or with photographs, faces and digits")
    lead = _(
        "Both models learn from the same images in several sizes. Under More, you can keep the size "
        "and compare photographs, faces and digits instead."
    )
    chart = _("Charts of test accuracy and of the lead of transfer by image size, or by kind of images.")
    arguments = SizeArguments
    record = ".result:SizeStudy"
    function = ".measurement:size_study"
    figure = ".figure:plot_size_study"
    stage_chart = ".stage:size_stage"
    cost_by = ("dataset", "image_size", "backbone", "vary", "sizes")
    quick: ClassVar[Mapping[str, Any]] = {"n_per_class": 5, "sizes": (32, 64), "seeds": (0,)}
    sketch = (
        '<rect x="4" y="18" width="8" height="8" stroke="currentColor" stroke-width="1.8" fill="none"/>'
        '<rect x="15" y="13" width="13" height="13" stroke="currentColor" stroke-width="1.8" fill="none"/>'
        '<path d="M31 26V8M31 8l-4 5M31 8l4 5" stroke="var(--tlw-transfer,#0072b2)" stroke-width="2.2" fill="none"/>'
    )

    def plan(self, arguments: SizeArguments, facts: DataFacts) -> Plan:
        names = arguments.names(facts)
        n, n_seeds = len(names), len(arguments.seeds)
        what = count(n, "size") if arguments.vary == "size" else count(n, "data set")
        return Plan(2 * n * n_seeds, _("{what} × {count} × 2 kinds of model", what=what, count=count(n_seeds, "seed")))

    def seconds(self, arguments: SizeArguments, facts_of: FactsOf, speed: Speed) -> float:
        from tl_widgets.experiments.seconds import SCRATCH_DONE, comparison_seconds, scratch_seconds

        images = replace(arguments.workload(facts_of), n_validation=0)
        sides = arguments.sizes if arguments.vary == "size" else [arguments.image_size] * len(arguments.names(None))
        seconds = 0.0
        for side in sides:
            work = replace(images, image_size=side)
            seconds += comparison_seconds(arguments.config, work, speed, SCRATCH_DONE)
            seconds += scratch_seconds(arguments.config, len(arguments.seeds) * [work], speed)
        return seconds

    def guess(self, arguments: SizeArguments) -> Guess:
        def answer(result: SizeStudy) -> str:
            lead = result.lead(len(result.conditions) - 1) if result.conditions else None
            return [name for name, low in _LEADS.items() if lead.mean >= low][-1] if lead else ""

        where = _("at {sizes} px", sizes=max(arguments.sizes)) if arguments.vary == "size" else _("on digits")
        return Guess(
            _("How far will the frozen backbone be ahead {where}?", where=where),
            tuple(_LEADS),
            f"size {arguments.dataset} {arguments.vary} {max(arguments.sizes)}",
            answer,
            is_required=False,
        )


STUDY = _Size()
