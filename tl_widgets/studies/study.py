"""The declaration of a study, from which its options, form and record follow.

To add a study, make a folder with a subclass of `Study` as `STUDY`, and name the folder in the registry. This module
names no study and imports nothing heavy, because every `--help` loads it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeVar

from tl_widgets.core.config import Config, ImageSettings, Workers
from tl_widgets.core.errors import InputError
from tl_widgets.core.settings import Name, Settings, Several, same_setting, setting, settings_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tl_widgets.core.events import Cancel, Event, OnEvent
    from tl_widgets.data.dataset import ImageDataset
    from tl_widgets.experiments.seconds import Speed, Workload
    from tl_widgets.records.comparison import Comparison, DatasetSummary, StudyFailure
    from tl_widgets.studies.guess import Guess
    from tl_widgets.studies.stage import StageChart

    Drawing = Axes | Figure

IMAGES, MODELS = GROUPS = ("Images", "Models")  # headings of a form


class StudyResult(Protocol):
    """The interface of every study's result."""

    @property
    def stopped(self) -> bool:
        """Whether the study was stopped before everything was measured."""

    @property
    def datasets(self) -> tuple[DatasetSummary, ...]:
        """The data sets that the study used."""

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """A table of texts, the titles first; empty if the sentences say everything."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings in plain sentences."""

    @property
    def headline(self) -> str:
        """The answer to the question in one sentence."""

    @property
    def failures(self) -> tuple[StudyFailure, ...]:
        """What could not be measured, and why."""

    @property
    def lost_arms(self) -> tuple[str, ...]:
        """The kinds of model for which nothing could be measured."""

    def to_json(self) -> str:
        """Return the record as JSON text."""

    @staticmethod
    def from_json(text: str) -> Any:
        """Read what `to_json` wrote, or raise InputError."""


class DataFacts(Protocol):
    """The facts about a data set that are known before it is loaded."""

    @property
    def name(self) -> str:
        """The name of the data set."""

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
    text = "How many times each model is trained, with different images and initial weights"
    return setting(tuple(range(n_seeds)), kind, "Seeds", text, group=MODELS)


def jobs_setting() -> Any:
    """Declare a field for the number of worker processes, for the terminal only."""
    return same_setting(Workers, "jobs", group=MODELS)


@dataclass(frozen=True)
class Plan:
    """The work that a study will do.

    Attributes:
        n_models: number of models that are trained.
        text: the plan as a clause.
    """

    n_models: int
    text: str


@dataclass(frozen=True)
class SoFar:
    """What is known of a study before, while and after it measures.

    Attributes:
        facts: facts about the images.
        found: the events that carry a point or the metrics of an epoch, or end the reading of features.
        result: the result, once there is one.
    """

    facts: DataFacts
    found: tuple[Event, ...] = ()
    result: Any = None

    @property
    def points(self) -> list[Any]:
        """The points measured so far."""
        return [event.point for event in self.found if event.point is not None]


Arguments = TypeVar("Arguments", bound=StudyArguments)
Result = TypeVar("Result", bound=StudyResult)


class Study(ABC, Generic[Arguments, Result]):
    """The one declaration of a study.

    Attributes:
        name: NAME in `tl-widgets study NAME` and `StudyLab("NAME")`.
        topic: the key in the registry's `TOPICS` under which StudyLab shows it.
        question: the question that it answers, as a learner would ask it.
        about: what is measured, as a clause.
        lead: what the study does, in a sentence or two for the form.
        chart: what kind of figure it is, the first sentence of the text alternative.
        arguments: dataclass that declares the options, fields, ranges and defaults.
        cost_by: names of the arguments that change the cost of one image, rather than the number of images.
        brings_images: whether it has built-in images for learners who choose none.
        sketch: the content of a small SVG, 44 by 30 pixels, for its card.
        front: names of the arguments whose field is in view all the time.
        quick: values of arguments with which it takes seconds; the defaults are thorough.
    """

    name: ClassVar[str]
    topic: ClassVar[str]
    question: ClassVar[str]
    about: ClassVar[str]
    lead: ClassVar[str]
    chart: ClassVar[str]
    arguments: type[Arguments]
    cost_by: ClassVar[tuple[str, ...]] = ("dataset", "image_size", "backbone", "control")
    brings_images: ClassVar[bool] = False
    sketch: ClassVar[str] = ""
    front: ClassVar[tuple[str, ...]] = ("dataset",)
    quick: ClassVar[Mapping[str, Any]] = {}

    @abstractmethod
    def results(self) -> tuple[type[Result], ...]:
        """Return the classes that a result may have; records hold their names."""

    @abstractmethod
    def measure(self, arguments: Arguments, dataset: ImageDataset | None, on_event: OnEvent, cancel: Cancel) -> Result:
        """Run the study; after a Stop, return what was measured, marked as stopped.

        `dataset` is None only if the study brings its own images. `cancel` may be set from any thread.

        Raises:
            InputError: the arguments do not fit the images, or nothing could be measured.
            CancelledError: the study was stopped before anything was measured.
        """

    @property
    def can_go_on(self) -> bool:
        """Whether a stopped study can be resumed."""
        return type(self).go_on is not Study.go_on

    def go_on(
        self, earlier: Result, arguments: Arguments, dataset: ImageDataset | None, on_event: OnEvent, cancel: Cancel
    ) -> Result:
        """Measure what an earlier result lacks; see `measure` for the errors."""
        raise NotImplementedError

    @abstractmethod
    def draw(self, result: Result) -> Drawing:
        """Draw a result.

        Raises:
            InputError: the study was stopped before there was anything to draw.
        """

    def draw_narrow(self, result: Result) -> Figure | None:  # noqa: ARG002 - for wide figures
        """Draw a result for a page of half the width; return None if `draw` fits there."""
        return None

    @abstractmethod
    def plan(self, arguments: Arguments, facts: DataFacts) -> Plan:
        """Return the work that the arguments ask for, without loading anything."""

    def seconds(self, arguments: Arguments, facts_of: FactsOf, speed: Speed) -> float | None:
        """Estimate the seconds of a run on a machine of this speed, once TensorFlow is loaded; None if nobody knows.

        A study with the settings of `compare` is taken for one comparison. An impossible network raises InputError.
        """
        from tl_widgets.experiments.seconds import comparison_seconds

        if not isinstance(arguments, ImageArguments):
            return None
        return comparison_seconds(arguments.config, arguments.workload(facts_of), speed)

    def guess(self, arguments: Arguments) -> Guess | None:  # noqa: ARG002 - for studies that have one
        """Return the question that the learner answers first, or None."""
        return None

    def stage(self, arguments: Arguments, so_far: SoFar) -> StageChart | None:  # noqa: ARG002 - for those with one
        """Return the chart that stands there from the start and fills while the study measures, or None.

        With a result, the axes are the result's; otherwise they follow from the arguments.
        """
        return None

    def points(self, result: Result) -> Sequence[object]:  # noqa: ARG002 - for studies that can be resumed
        """Return the points of a result from which `go_on` resumes."""
        return ()

    def headline(self, result: Result) -> str:
        """Return the answer to the question in one sentence."""
        return result.headline

    def owns(self, result: Result) -> bool:  # noqa: ARG002 - for studies that share a class of results
        """Return whether a result of one of the classes in `results()` is of this study."""
        return True

    def sentences(self, result: Result) -> tuple[str, ...]:
        """Return the sentences that are shown for a result."""
        return result.sentences

    def text(self, result: Result) -> str:
        """Return the text alternative of a result's figure."""
        rows = (": ".join(row) for row in result.rows[1:])
        return " ".join((self.chart, *self.sentences(result), *(f"{row}." for row in rows)))

    def read(self, text: str, kind: str) -> Result | None:
        """Read a record of the class named `kind`; None if it is not of this study.

        Raises:
            InputError: the record names a class of this study but is not valid.
        """
        for result_class in self.results():
            if result_class.__name__ == kind:
                result: Result = result_class.from_json(text)
                return result if self.owns(result) else None
        return None


class ComparisonStudy(Study[Arguments, "Comparison"]):
    """Base of the studies whose result is one `Comparison`."""

    def results(self) -> tuple[type[Comparison], ...]:
        """Return the class that these studies share; `owns` tells their results apart."""
        from tl_widgets.records.comparison import Comparison

        return (Comparison,)

    def draw(self, result: Comparison) -> Figure:
        """Draw the page of a comparison."""
        from tl_widgets.plots.comparison import plot_comparison

        return plot_comparison(result)

    def draw_narrow(self, result: Comparison) -> Figure:
        """Draw it for a page of half the width."""
        from tl_widgets.plots.comparison import plot_comparison

        return plot_comparison(result, narrow=True)


AnyStudy = Study[Any, StudyResult]


def require_images(dataset: ImageDataset | None) -> ImageDataset:
    """Return the images, or raise InputError if there are none."""
    if dataset is None:
        raise InputError("This study needs images: name a data set or a folder.")
    return dataset


def count(n: int, word: str) -> str:
    """Return a number with its noun, such as "1 seed" or "3 seeds"."""
    return f"{n} {word}{'' if n == 1 else 's'}"
