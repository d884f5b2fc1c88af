"""The declaration of a study, from which its options, form and record follow.

To add a study, make a folder with a subclass of `Study` as `STUDY`, and name the folder in the registry. This module
names no study and imports nothing heavy, because every `--help` loads it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from tl_widgets.core.errors import InputError
from tl_widgets.core.translation import _, ngettext
from tl_widgets.studies.arguments import DataFacts, FactsOf, ImageArguments, StudyArguments

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tl_widgets.core.events import Cancel, Event, OnEvent
    from tl_widgets.data.dataset import ImageDataset
    from tl_widgets.experiments.seconds import Speed
    from tl_widgets.records.comparison import DatasetSummary, StudyFailure
    from tl_widgets.studies.guess import Guess
    from tl_widgets.studies.stage import StageChart

    Drawing = Axes | Figure


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
        """The points of the result, or those measured so far."""
        if self.result is not None:
            return list(self.result.points)
        return [event.point for event in self.found if event.point is not None]

    @property
    def n_test(self) -> int:
        """The number of test images."""
        return self.facts.n_test if self.result is None else int(self.result.dataset.n_test)

    @property
    def level(self) -> tuple[float, str] | None:
        """Chance on the y axis of a chart, once it is known."""
        return None if self.result is None else (self.result.chance, _("chance"))


Arguments = TypeVar("Arguments", bound=StudyArguments)
Result = TypeVar("Result", bound=StudyResult)


class Study(ABC, Generic[Arguments, Result]):
    """The one declaration of a study.

    The function that measures, the class of its results, its figure and its chart are named by their places, because
    they import much: ".result:TimeStudy" is a name in a module of the study's folder, ":TimeStudy" one beside it.

    Attributes:
        name: NAME in `tl-widgets study NAME` and `StudyLab("NAME")`.
        topic: the key in the registry's `TOPICS` under which StudyLab shows it.
        question: the question that it answers, as a learner would ask it.
        about: what is measured, as a clause.
        lead: what the study does, in a sentence or two for the form.
        chart: what kind of figure it is, the first sentence of the text alternative.
        arguments: dataclass that declares the options, fields, ranges and defaults.
        record: place of the class of its results.
        function: place of the function that measures, (dataset, *, on_event, cancel) and `arguments.inputs`.
        figure: place of the function that draws a result, and with `narrow=True` for half the width, if it can.
        stage_chart: place of the function from arguments and `SoFar` to the chart of StudyLab; "" for none.
        can_go_on: whether `function` resumes a stopped study, which it takes as `resume`.
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
    record: ClassVar[str]
    function: ClassVar[str]
    figure: ClassVar[str]
    stage_chart: ClassVar[str] = ""
    can_go_on: ClassVar[bool] = False
    cost_by: ClassVar[tuple[str, ...]] = ("dataset", "image_size", "backbone", "control")
    brings_images: ClassVar[bool] = False
    sketch: ClassVar[str] = ""
    front: ClassVar[tuple[str, ...]] = ("dataset",)
    quick: ClassVar[Mapping[str, Any]] = {}

    def find(self, place: str) -> Any:
        """Return what a place names."""
        return resolve_name(f"{type(self).__module__}{place}" if place[0] in ".:" else place)

    def results(self) -> tuple[type[Result], ...]:
        """Return the classes that a result may have; records hold their names."""
        return (self.find(self.record),)

    def measure(self, arguments: Arguments, dataset: ImageDataset | None, on_event: OnEvent, cancel: Cancel) -> Result:
        """Run the study; after a Stop, return what was measured, marked as stopped.

        `dataset` is None only if the study brings its own images. `cancel` may be set from any thread.

        Raises:
            InputError: the arguments do not fit the images, or nothing could be measured.
            CancelledError: the study was stopped before anything was measured.
        """
        return self._run(dataset, {**arguments.inputs, "on_event": on_event, "cancel": cancel})

    def go_on(
        self, earlier: Result, arguments: Arguments, dataset: ImageDataset | None, on_event: OnEvent, cancel: Cancel
    ) -> Result:
        """Measure what an earlier result lacks; see `measure` for the errors."""
        inputs = {**arguments.inputs, "resume": earlier}
        return self._run(dataset, {**inputs, "on_event": on_event, "cancel": cancel})

    def _run(self, dataset: ImageDataset | None, inputs: Mapping[str, Any]) -> Result:
        if dataset is None and not self.brings_images:
            raise InputError(_("This study needs images: name a data set or a folder."))
        result: Result = self.find(self.function)(dataset, **inputs)
        return result

    def draw(self, result: Result) -> Drawing:
        """Draw a result.

        Raises:
            InputError: the study was stopped before there was anything to draw.
        """
        drawing: Drawing = self.find(self.figure)(result)
        return drawing

    def draw_narrow(self, result: Result) -> Figure | None:
        """Draw a result for a page of half the width; return None if `draw` fits there."""
        from tl_widgets.plots.style import root_figure

        figure = self.find(self.figure)
        return root_figure(figure(result, narrow=True)) if "narrow" in signature(figure).parameters else None

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

    def stage(self, arguments: Arguments, so_far: SoFar) -> StageChart | None:
        """Return the chart that stands there from the start and fills while the study measures, or None.

        With a result, the axes are the result's; otherwise they follow from the arguments.
        """
        return self.find(self.stage_chart)(arguments, so_far) if self.stage_chart else None

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
        titles, *rows = result.rows or ((),)
        lines = []
        for name, *cells in rows:
            named = (f"{title} {cell}" for title, cell in zip(titles[1:], cells, strict=True) if cell)
            lines.append(f"{name}: {'; '.join(named)}.")
        return " ".join((self.chart, *self.sentences(result), *lines))

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


class ComparisonStudy(Study[Arguments, Any]):
    """Base of the studies whose result is one `Comparison`; `owns` tells their results apart."""

    record = "tl_widgets.records.comparison:Comparison"
    function = "tl_widgets.experiments.comparison:compare_config"
    figure = "tl_widgets.plots.comparison:plot_comparison"


AnyStudy = Study[Any, StudyResult]


def count(n: int, word: str) -> str:
    """Return a number with its noun, such as "1 seed" or "3 seeds"."""
    return _COUNTED[word](n)


_COUNTED: dict[str, Callable[[int], str]] = {
    "seed": lambda n: ngettext("{n} seed", "{n} seeds", n),
    "end": lambda n: ngettext("{n} end", "{n} ends", n),
    "head": lambda n: ngettext("{n} head", "{n} heads", n),
    "backbone": lambda n: ngettext("{n} backbone", "{n} backbones", n),
    "block": lambda n: ngettext("{n} block", "{n} blocks", n),
    "test image": lambda n: ngettext("{n} test image", "{n} test images", n),
    "size": lambda n: ngettext("{n} size", "{n} sizes", n),
    "data set": lambda n: ngettext("{n} data set", "{n} data sets", n),
    "kind": lambda n: ngettext("{n} kind", "{n} kinds", n),
    "share": lambda n: ngettext("{n} share", "{n} shares", n),
    "trial": lambda n: ngettext("{n} trial", "{n} trials", n),
}
