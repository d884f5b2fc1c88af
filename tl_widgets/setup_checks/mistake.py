"""The declaration of a mistake: how to measure it, explain it, and find it.

To add a mistake, declare a `Mistake` in a module of `setup_checks/mistakes/`; the study, its menus and `check_setup`
find it there. Don't import anything heavy here or at the top of those modules, because `--help` lists the mistakes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from tl_widgets.core.translation import _

if TYPE_CHECKING:
    from tl_widgets.records.verdict import TwoWays
    from tl_widgets.setup_checks.setup import Setup
    from tl_widgets.setup_checks.trial import Trial

TEST_IMAGES = _("accuracy on the test images")


class Subject(Enum):
    """The subjects of checks, in the order in which `check_setup` reports."""

    DATA = _("the data")
    IMAGES = _("whether the images fit")
    PIXELS = _("which pixels reach the backbone")
    BACKBONE = _("the backbone's state")
    ANSWERS = _("the shape of the answers")
    NETWORK = _("the layers")
    BOTTLENECKS = _("bottlenecks")
    RATE = _("the learning rate")
    TRAINABLE = _("whether trainable was changed")
    LABELS = _("the labels")
    LOSS = _("loss and labels")
    METRICS = _("the metrics")
    VALIDATION = _("whether the validation data are like the training data")
    SPLITS = _("whether images are in two splits")
    HISTORY = _("the course of the training")


@dataclass(frozen=True)
class Finding:
    """Something that a check found or couldn't check.

    Attributes:
        text: What is wrong and what to do, in one or two sentences.
        mistake: The name of the `Mistake` that measures what it costs; "" if the study doesn't measure it.
        was_checked: False if `text` says what couldn't be checked.
        where: The layer, the argument or the part of the data: "layer dense_1", "validation data".
        code: The line of code that is right; "" if there is none to give.
        is_certain: False if the learner may have meant it this way.
    """

    text: str
    mistake: str = ""
    was_checked: bool = True
    where: str = ""
    code: str = ""
    is_certain: bool = True

    @property
    def cost(self) -> str:
        """How to see what the mistake costs; "" if it isn't measured."""
        return f'tl_widgets.what_goes_wrong(mistake="{self.mistake}")' if self.mistake else ""

    @property
    def sentence(self) -> str:
        """The text, with the fixed code."""
        return (
            _("{text} Fix: {code}", text=self.text, code=self.code)
            if self.code and self.code not in self.text
            else self.text
        )

    @property
    def facts(self) -> dict[str, str]:
        """Where it is, the fixed code, how sure it is, and how to see its cost; without those that are unknown."""
        facts = {
            "where": self.where,
            "fix": self.code,
            "sure": "" if not self.was_checked else _("yes") if self.is_certain else _("likely; you may have meant it"),
            "cost": self.cost,
        }
        return {label: fact for label, fact in facts.items() if fact}

    @property
    def lines(self) -> list[str]:
        """The finding in full, one fact in each line."""
        return [self.text, *(f"    {label + ':':<8}{fact}" for label, fact in self.facts.items())]


class Report(tuple[str, ...]):
    """The sentences of what was found. Printed, it shows where, how sure, the fixed code, and how to see the cost."""

    findings: tuple[Finding, ...]

    def __new__(cls, findings: Iterable[Finding]) -> Report:
        """Make the report of these findings."""
        kept = tuple(findings)
        report = super().__new__(cls, (finding.sentence for finding in kept))
        report.findings = kept
        return report

    def __repr__(self) -> str:
        if not self:
            return "()"
        return "\n".join(line for finding in self.findings for line in finding.lines)


@dataclass(frozen=True)
class Check:
    """A way to find mistakes, which never trains or changes the learner's model."""

    subject: Subject
    find: Callable[[Setup], Iterator[Finding]]


@dataclass(frozen=True)
class Mistake:
    """A mistake that many people make.

    Attributes:
        name: Identifier in lower case with underscores.
        wrong: A clause: what is done.
        right: A clause: what should be done instead.
        why: A sentence or two: what happens.
        hides: A sentence: when the mistake makes no clear difference.
        measure: Does it both ways on a trial's images, and compares the results. It raises InputError if the
            trial's backbone can't show the mistake.
        check: Finds it in a learner's own model; None if it can't be found there.
        figure: Which number in 0..1 is compared.
        flatters: Whether the mistake makes that number look better than it is.
        dataset: A built-in data set that shows the effect within seconds.
        image_size: Side of these images in pixels.
        n_per_class: How many training images to load for each class; None for all.
        epochs: Passes over the training images.
        uses_backbone: Whether the choice of backbone matters.
        trains_backbone: Whether Keras trains through the backbone, which takes long to prepare.
        place: Position in lists; lower ones come first.
        label: The name for display, if it isn't the identifier with spaces.
    """

    name: str
    wrong: str
    right: str
    why: str
    hides: str
    measure: Callable[[Trial], TwoWays]
    check: Check | None = None
    figure: str = TEST_IMAGES
    flatters: bool = False
    dataset: str = "digits"
    image_size: int = 64
    n_per_class: int | None = 5
    epochs: int = 10
    uses_backbone: bool = True
    trains_backbone: bool = False
    place: int = 1000
    label: str = ""

    @property
    def title(self) -> str:
        """The name for display: Raw pixels."""
        return self.label or self.name.replace("_", " ").capitalize()
