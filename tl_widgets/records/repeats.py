"""The repeats of a comparison: one accuracy for each model and seed, and their statistics."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tl_widgets.core.model_name import ModelName
from tl_widgets.records.kinds import Count, Duration, Share
from tl_widgets.records.statistics import Mean, mean_of_shares


@dataclass(frozen=True)
class Repeat:
    """The test accuracies of one seed.

    Attributes:
        seed: The seed of the training; images and split are the same for all seeds.
        scratch, transfer: The share of right answers on the test images, 0..1.
        control, fine_tuned: The same; None if the model wasn't requested.
        seconds: The time of all its models together.
    """

    seed: Count
    scratch: Share
    transfer: Share
    control: Share | None = None
    fine_tuned: Share | None = None
    seconds: Duration = 0.0

    def accuracy(self, name: str) -> float | None:
        """Return the test accuracy of a `ModelName`; None if it wasn't requested."""
        accuracies: dict[str, float | None] = {
            ModelName.SCRATCH: self.scratch,
            ModelName.TRANSFER: self.transfer,
            ModelName.CONTROL: self.control,
            ModelName.FINE_TUNED: self.fine_tuned,
        }
        return accuracies[name]


@dataclass(frozen=True)
class Repeats:
    """A comparison over several seeds, each of which trains all models on the same images.

    The intervals are Student's t over the seeds, which change initial weights and the order of the images. The test
    images are the same for all seeds, so no interval here covers other images.

    Attributes:
        n_wanted: The requested number of seeds.
        n_test: The number of test images.
        points: The seeds that were measured, ascending.
        failures: A sentence for each seed that couldn't be measured.
        stopped: Whether Stop was pressed before the last seed was done.
    """

    n_wanted: Count
    n_test: Count
    points: tuple[Repeat, ...]
    failures: tuple[str, ...] = ()
    stopped: bool = False

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that were measured."""
        return tuple(point.seed for point in self.points)

    @property
    def seconds(self) -> float:
        """The sum over all seeds, even if they ran in parallel."""
        return sum(point.seconds for point in self.points)

    def accuracies(self, name: str) -> tuple[float, ...]:
        """Return the test accuracies of a `ModelName`, for each seed that has one."""
        accuracies = (point.accuracy(name) for point in self.points)
        return tuple(accuracy for accuracy in accuracies if accuracy is not None)

    def mean(self, name: str) -> Mean | None:
        """Return a model's mean test accuracy with its 95% t interval, within 0..1; None if no seed has it."""
        values = self.accuracies(name)
        return mean_of_shares(values, n_images=self.n_test) if values else None

    def difference(self, first: str = ModelName.TRANSFER, second: str = ModelName.SCRATCH) -> Mean | None:
        """Return the mean of first minus second, paired by seed, in -1..1; None if no seed has both models."""
        pairs = ((point.accuracy(first), point.accuracy(second)) for point in self.points)
        values = [a - b for a, b in pairs if a is not None and b is not None]
        return mean_of_shares(values, n_images=self.n_test, low=-1.0) if values else None

    @property
    def statistics(self) -> dict[str, Any]:
        """Means and difference, which records hold for other programs."""
        means = {name.value: asdict(mean) for name in ModelName if (mean := self.mean(name))}
        difference = self.difference()
        return {"means": means, "difference": asdict(difference) if difference else None}
