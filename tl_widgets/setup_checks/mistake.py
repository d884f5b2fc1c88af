"""The declaration of a mistake: how to measure it, explain it, and find it.

To add a mistake, declare a `Mistake` in a module of `setup_checks/mistakes/`; the study, its menus and `check_setup`
find it there. Don't import anything heavy here or at the top of those modules, because `--help` lists the mistakes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tl_widgets.records.verdict import TwoWays
    from tl_widgets.setup_checks.setup import Setup
    from tl_widgets.setup_checks.trial import Trial

TEST_IMAGES = "accuracy on the test images"


class Subject(Enum):
    """The subjects of checks, in the order in which `check_setup` reports."""

    IMAGES = "whether the images fit"
    PIXELS = "which pixels reach the backbone"
    BACKBONE = "the backbone's state"
    ANSWERS = "the shape of the answers"
    BOTTLENECKS = "bottlenecks"
    RATE = "the learning rate"
    TRAINABLE = "whether trainable was changed"
    LOSS = "loss and labels"
    SPLITS = "whether images are in two splits"


@dataclass(frozen=True)
class Finding:
    """Something that `check_setup` found or couldn't check.

    `text` says what is wrong and what to do. `mistake` is the name of a `Mistake`, or "" if the study doesn't measure
    it. `was_checked` is False if `text` says what couldn't be checked.
    """

    text: str
    mistake: str = ""
    was_checked: bool = True


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

    @property
    def title(self) -> str:
        """The name for display: Raw pixels."""
        return self.name.replace("_", " ").capitalize()
