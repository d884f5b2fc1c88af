"""What a study is: one declaration, from which its options, its form, its record and the text of its figure follow.

To add a study, make a folder with a subclass of `Study` as `STUDY`, and name the folder in the registry. This module
knows no study by name, and imports nothing heavy: every `--help` passes through here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeVar

from tl_widgets.core.config import Config, ImageSettings, require_workers
from tl_widgets.core.errors import InputError
from tl_widgets.core.settings import Name, Settings, Several, Whole, same_setting, setting, settings_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tl_widgets.core.events import Cancel, OnEvent
    from tl_widgets.data.dataset import ImageDataset
    from tl_widgets.records.comparison import DatasetSummary
    from tl_widgets.records.study import StudyFailure

    Drawing = Axes | Figure

IMAGES, MODELS = GROUPS = ("Images", "Models")  # headings of a form


class StudyResult(Protocol):
    """What every result of a study offers, whatever it measured."""

    @property
    def stopped(self) -> bool:
        """Whether Stop came before everything was measured."""

    @property
    def datasets(self) -> tuple[DatasetSummary, ...]:
        """The images that it was measured on."""

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """A table of texts, the titles first; empty if the sentences say everything."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was found, in plain sentences."""

    @property
    def failures(self) -> tuple[StudyFailure, ...]:
        """What could not be measured, and why."""

    @property
    def lost_arms(self) -> tuple[str, ...]:
        """The kinds of model of which nothing could be measured."""

    def to_json(self) -> str:
        """Return the record as JSON text."""

    @staticmethod
    def from_json(text: str) -> Any:
        """Read what `to_json` wrote, or raise InputError."""


class DataFacts(Protocol):
    """What is known about a data set before it is loaded."""

    @property
    def name(self) -> str:
        """Name of the data set."""

    @property
    def n_train(self) -> int:
        """Training images of all classes."""

    @property
    def n_classes(self) -> int:
        """Number of classes."""


@dataclass(frozen=True)
class StudyArguments(Settings):
    """Base of a study's arguments: a frozen dataclass whose fields are made by `setting`.

    A setting without a label has no field on a form; one whose option is "" has none in the terminal.
    """

    @property
    def image_settings(self) -> ImageSettings:
        """The images that the study is about."""
        return ImageSettings()

    @property
    def subject(self) -> str:
        """What files are named after."""
        return self.image_settings.dataset

    @property
    def most_per_class(self) -> int:
        """The largest number of training images of one class that is asked for; 0 if there is no such limit."""
        return 0

    def fitted(self, most: int) -> Self:  # noqa: ARG002 - for those that do ask for images
        """Return arguments that ask for no more than `most` training images of each class."""
        return self


@dataclass(frozen=True)
class ImageArguments(StudyArguments):
    """Arguments of a study that measures on images of the learner's choice."""

    dataset: str = same_setting(ImageSettings, "dataset", group=IMAGES)
    image_size: int = same_setting(ImageSettings, "image_size", group=IMAGES, default=64)
    n_per_class: int | None = same_setting(ImageSettings, "n_per_class", group=IMAGES)

    @property
    def image_settings(self) -> ImageSettings:
        """The images that the study is about."""
        return ImageSettings(self.dataset, self.image_size, self.n_per_class)

    @property
    def most_per_class(self) -> int:
        """The largest number of training images of one class that is asked for; 0 if there is no such limit."""
        return self.n_per_class or 0

    def fitted(self, most: int) -> Self:
        """Return arguments that ask for no more than `most` training images of each class."""
        return replace(self, n_per_class=None) if self.most_per_class > most else self

    def n_train(self, facts: DataFacts) -> int:
        """Return the number of training images of all classes."""
        return facts.n_train if self.n_per_class is None else self.n_per_class * facts.n_classes


@dataclass(frozen=True)
class _Workers(Whole):
    """A number of worker processes, as joblib counts them."""

    def check(self, name: str, value: object) -> int:
        """Return `value` as an int, or raise InputError."""
        require_workers(value, f"--{name}")
        return super().check(name, value)


def _backbone(name: str) -> str:
    from tl_widgets.backbones.catalogue import find_backbone

    return find_backbone(name).name


BACKBONE_NAME = Name(_backbone, listed_by="backbones")


def model_setting(name: str, **changes: Any) -> Any:
    """Declare a field as the setting of `Config` with the same name.

    Args:
        name: of the field of `Config`.
        changes: attributes of `Setting` that are different here, such as `default=True`.
    """
    kind = {"kind": BACKBONE_NAME} if name == "backbone" else {}
    return same_setting(Config, name, **{"group": MODELS, **kind, **changes})


def seeds_setting(n_seeds: int) -> Any:
    """Declare a field as several seeds; a form asks how many, and takes 0, 1, 2, ...

    Args:
        n_seeds: the default.
    """
    kind = Several(settings_of(Config)["seed"].kind, "0,1,2", count_to=20)  # type: ignore[arg-type]
    text = "How often each is trained, with other images and other initial weights"
    return setting(tuple(range(n_seeds)), kind, "Seeds", text, group=MODELS)


def jobs_setting() -> Any:
    """Declare a field as the number of worker processes, which only the terminal asks for."""
    return setting(1, _Workers(-1_000, 1_000), "", "Worker processes; -1 for one on each core", group=MODELS)


@dataclass(frozen=True)
class Plan:
    """What a study is going to do.

    Attributes:
        n_models: how many it trains.
        text: the same in words, a clause.
        n_passes: images that pass through training in all; the seconds grow about as it does.
    """

    n_models: int
    text: str
    n_passes: int


@dataclass(frozen=True)
class Guess:
    """A question that the learner answers before the result is shown.

    Attributes:
        question: about these arguments.
        options: the answers to choose from.
        subject: what the guess is about; for another subject it is asked anew.
        answer: returns the option that a result makes true.
    """

    question: str
    options: tuple[str, ...]
    subject: str
    answer: Callable[[Any], str]


Arguments = TypeVar("Arguments", bound=StudyArguments)
Result = TypeVar("Result", bound=StudyResult)


class Study(ABC, Generic[Arguments, Result]):
    """A study, declared once.

    Attributes:
        name: in `tl-widgets study NAME` and `StudyLab("NAME")`.
        question: what it answers, as a learner would ask it.
        about: what is measured, a clause.
        lead: what is done, a sentence or two for the form.
        chart: what the figure is, for those who do not see it: a sentence, before those of the result.
        arguments: the dataclass of its arguments, which declares options, fields, ranges and defaults.
        cost_by: names of the arguments that change what one image costs, and not only how many there are.
        brings_images: whether it has images of its own, for those who bring none.
    """

    name: ClassVar[str]
    question: ClassVar[str]
    about: ClassVar[str]
    lead: ClassVar[str]
    chart: ClassVar[str]
    arguments: type[Arguments]
    cost_by: ClassVar[tuple[str, ...]] = ("dataset", "image_size", "backbone", "control")
    brings_images: ClassVar[bool] = False

    @abstractmethod
    def results(self) -> tuple[type[Result], ...]:
        """Return the classes that a result may be of; their names stand in the records."""

    @abstractmethod
    def measure(self, arguments: Arguments, dataset: ImageDataset | None, on_event: OnEvent, cancel: Cancel) -> Result:
        """Measure.

        Args:
            arguments: what was asked for.
            dataset: the images; None only for a study that brings its own.
            on_event: receives progress.
            cancel: set from any thread, it stops the study; what was measured is returned, marked as stopped.

        Raises:
            InputError: the arguments do not fit the images, or nothing could be measured.
            CancelledError: it was stopped before anything was measured.
        """

    @property
    def can_go_on(self) -> bool:
        """Whether a study that was stopped can be gone on with."""
        return type(self).go_on is not Study.go_on

    def go_on(
        self, earlier: Result, arguments: Arguments, dataset: ImageDataset | None, on_event: OnEvent, cancel: Cancel
    ) -> Result:
        """Measure what is missing of an earlier result; other arguments and errors as in `measure`."""
        raise NotImplementedError

    @abstractmethod
    def draw(self, result: Result) -> Drawing:
        """Draw a result.

        Raises:
            InputError: there is nothing to draw, because it was stopped too early.
        """

    def draw_narrow(self, result: Result) -> Figure | None:  # noqa: ARG002 - for wide figures
        """Draw a result for a page of half the width; None if the figure of `draw` is not that wide."""
        return None

    @abstractmethod
    def plan(self, arguments: Arguments, facts: DataFacts) -> Plan:
        """Return what the arguments come to, before anything is loaded."""

    def guess(self, arguments: Arguments) -> Guess | None:  # noqa: ARG002 - for studies that have one
        """Return what the learner says first; None if there is nothing to guess."""
        return None

    def owns(self, result: Result) -> bool:  # noqa: ARG002 - for studies that share a class of results
        """Return whether a result of one of `results()` is of this study."""
        return True

    def sentences(self, result: Result) -> tuple[str, ...]:
        """Return what a result says on the screen."""
        return result.sentences

    def text(self, result: Result) -> str:
        """Return the text alternative of the figure of a result."""
        rows = (": ".join(row) for row in result.rows[1:])
        return " ".join((self.chart, *self.sentences(result), *(f"{row}." for row in rows)))

    def read(self, text: str, kind: str) -> Result | None:
        """Read the record of a result.

        Args:
            text: the record.
            kind: the name of its class.

        Returns:
            None if the record is not of this study.

        Raises:
            InputError: it calls itself so, but it is no such record.
        """
        for result_class in self.results():
            if result_class.__name__ == kind:
                result: Result = result_class.from_json(text)
                return result if self.owns(result) else None
        return None


AnyStudy = Study[Any, StudyResult]


def given(dataset: ImageDataset | None) -> ImageDataset:
    """Return the images of a study that brings none of its own."""
    if dataset is None:
        raise InputError("This study needs images: name a data set or a folder.")
    return dataset


def count(n: int, word: str) -> str:
    """Return a number with its noun: "1 seed", "3 seeds"."""
    return f"{n} {word}{'' if n == 1 else 's'}"
