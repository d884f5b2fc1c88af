"""What a common mistake is: declared once, and from there measured, explained, and found in a learner's own model.

A further mistake is one `Mistake` in a module of `setup_checks/mistakes/`, and nothing else: the study, its menus and
`check_setup` find it there. Nothing heavy is imported here or at the top of those modules, because `--help` lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tl_widgets.setup_checks.setup import Setup
    from tl_widgets.setup_checks.trial import Trial
    from tl_widgets.setup_checks.two_ways import TwoWays

TEST_IMAGES = "accuracy on the test images"


class Subject(Enum):
    """What a check looks at, in the order in which `check_setup` reports."""

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
    """Something that `check_setup` found, or could not look at.

    Attributes:
        text: a sentence or two: what is wrong, and what to do.
        mistake: the name of the mistake that it is a case of; empty if it is none of those that are measured.
        was_checked: False where `text` says what could not be looked at.
    """

    text: str
    mistake: str = ""
    was_checked: bool = True


@dataclass(frozen=True)
class Check:
    """A way to find mistakes in a learner's own model and data. Several mistakes may share one.

    Attributes:
        subject: what it looks at.
        find: yields what it finds in a setup; it never trains or changes the model.
    """

    subject: Subject
    find: Callable[[Setup], Iterator[Finding]]


@dataclass(frozen=True)
class Mistake:
    """A mistake that many people make.

    Attributes:
        name: what it is asked for by, in lower case with underscores.
        wrong: what is done, a clause.
        right: what should be done instead, a clause.
        why: what happens, a sentence or two.
        hides: when it does not show, a sentence for those who see no clear difference.
        measure: does it both ways on a trial's images, and compares them.
        check: finds it in a learner's own model; None if it cannot be seen there.
        figure: which number is compared, in 0..1.
        flatters: whether the mistake makes the number look better than it is, rather than worse.
        dataset: a built-in data set on which it shows within seconds.
        image_size: side of these images in pixels.
        n_per_class: how many of them to load for training; None for all.
        epochs: passes over the training images then.
        uses_backbone: whether the backbone makes a difference.
        place: its place in lists; lower ones come first.
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
    place: int = 1000

    @property
    def title(self) -> str:
        """The name as people write it: Raw pixels."""
        return self.name.replace("_", " ").capitalize()
