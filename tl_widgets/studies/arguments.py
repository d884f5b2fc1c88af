"""The arguments of a study: what it asks of the learner, and what is known of the images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, Self

from tl_widgets.core.config import Config, ImageSettings, Workers
from tl_widgets.core.settings import Name, Settings, Several, same_setting, setting, settings_of
from tl_widgets.core.translation import _

if TYPE_CHECKING:
    from tl_widgets.experiments.seconds import Workload

IMAGES, MODELS = GROUPS = (_("Images"), _("Models"))  # headings of a form


class DataFacts(Protocol):
    """The facts about a data set that are known before it is loaded."""

    @property
    def name(self) -> str:
        """The name of the data set."""

    @property
    def is_own(self) -> bool:
        """Whether it is a learner's own, rather than one of those that have a name for everybody."""

    @property
    def n_train(self) -> int:
        """The number of training images in all classes together."""

    @property
    def n_validation(self) -> int:
        """The number of validation images."""

    @property
    def n_test(self) -> int:
        """The number of test images."""

    @property
    def n_classes(self) -> int:
        """The number of classes."""


FactsOf = Callable[[ImageSettings], DataFacts]


@dataclass(frozen=True)
class StudyArguments(Settings):
    """Base of a study's arguments: a frozen dataclass with fields made by `setting`.

    A setting without a label has no field on the form; one whose option is "" has none in the terminal.
    """

    @property
    def image_settings(self) -> ImageSettings:
        """The images that the study uses."""
        return ImageSettings()

    @property
    def subject(self) -> str:
        """The text that file names start from."""
        return self.image_settings.dataset

    @property
    def inputs(self) -> dict[str, Any]:
        """The arguments of the study's function by name: all settings but those that choose the images."""
        names = [name for name in settings_of(type(self)) if name not in settings_of(ImageSettings)]
        return {"n_jobs" if name == "jobs" else name: getattr(self, name) for name in names}

    @property
    def most_per_class(self) -> int:
        """The most training images per class that are asked for; 0 without a number."""
        return 0

    def fitted(self, most: int) -> Self:  # noqa: ARG002 - for subclasses that ask for images
        """Return arguments that ask for at most `most` training images per class."""
        return self


@dataclass(frozen=True)
class ImageArguments(StudyArguments):
    """Arguments of a study whose images the learner chooses."""

    dataset: str = same_setting(ImageSettings, "dataset", group=IMAGES)
    image_size: int = same_setting(ImageSettings, "image_size", group=IMAGES, default=64)
    n_per_class: int | None = same_setting(ImageSettings, "n_per_class", group=IMAGES)

    @property
    def image_settings(self) -> ImageSettings:
        """The images that the study uses."""
        return ImageSettings(self.dataset, self.image_size, self.n_per_class)

    @property
    def most_per_class(self) -> int:
        """The most training images per class that are asked for; 0 without a number."""
        return self.n_per_class or 0

    def fitted(self, most: int) -> Self:
        """Return arguments that ask for at most `most` training images per class."""
        return replace(self, n_per_class=None) if self.most_per_class > most else self

    @property
    def config(self) -> Config:
        """The settings of `compare`: those that this study declares, and the defaults of the others."""
        names = settings_of(type(self)).keys() & {"backbone", "control", "epochs", "repeats", "seed"}
        return Config(**{name: getattr(self, name) for name in names})

    def n_train(self, facts: DataFacts) -> int:
        """Return the number of training images in all classes together."""
        return facts.n_train if self.n_per_class is None else self.n_per_class * facts.n_classes

    def workload(self, facts_of: FactsOf) -> Workload:
        """Return the images that a comparison works on."""
        from tl_widgets.experiments.seconds import Workload

        facts = facts_of(self.image_settings)
        return Workload(self.image_size, facts.n_classes, self.n_train(facts), facts.n_validation, facts.n_test)


def _backbone(name: str) -> str:
    from tl_widgets.backbones.catalogue import find_backbone

    return find_backbone(name).name


BACKBONE_NAME = Name(_backbone, listed_by="backbones")


def model_setting(name: str, **changes: Any) -> Any:
    """Declare a field as the setting of `Config` with this name.

    `changes` are the attributes of `Setting` that are different here, such as `default=True`.
    """
    kind = {"kind": BACKBONE_NAME} if name == "backbone" else {}
    return same_setting(Config, name, **{"group": MODELS, **kind, **changes})


def seeds_setting(n_seeds: int) -> Any:
    """Declare a field for several seeds; a form asks how many and takes 0, 1, 2, ..."""
    kind = Several(settings_of(Config)["seed"].kind, "0,1,2", count_to=20)  # type: ignore[arg-type]
    text = _("How many times each model is trained, with different images and initial weights")
    return setting(tuple(range(n_seeds)), kind, _("Seeds"), text, group=MODELS)


def jobs_setting() -> Any:
    """Declare a field for the number of worker processes, for the terminal only."""
    return same_setting(Workers, "jobs", group=MODELS)
