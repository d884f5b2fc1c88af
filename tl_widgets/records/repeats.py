"""The repeats of a comparison: one accuracy for each model and seed, and their statistics."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tl_widgets.core.model_name import ModelName
from tl_widgets.records.statistics import Mean, mean_of_shares


@dataclass(frozen=True)
class Repeat:
    """The test accuracies of one seed.

    Attributes:
        seed: of the training; images and split are the same for all.
        scratch, transfer: share of right answers on the test images, 0..1.
        control, fine_tuned: the same; None where the model was not asked for.
        seconds: that all its models took.
    """

    seed: int
    scratch: float
    transfer: float
    control: float | None = None
    fine_tuned: float | None = None
    seconds: float = 0.0

    def accuracy(self, name: str) -> float | None:
        """Return the test accuracy of one model; None where it was not asked for.

        Args:
            name: a `ModelName`.
        """
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

    Its intervals are Student's t over the seeds: what initial weights and the images' order change. The test images
    are the same for all seeds, so no interval here covers other images.

    Attributes:
        n_wanted: how many seeds were asked for.
        n_test: test images.
        points: the seeds that were measured, ascending.
        failures: seeds that could not be measured, a sentence each.
        stopped: whether Stop was pressed before all were done.
    """

    n_wanted: int
    n_test: int
    points: tuple[Repeat, ...]
    failures: tuple[str, ...] = ()
    stopped: bool = False

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that were measured."""
        return tuple(point.seed for point in self.points)

    @property
    def seconds(self) -> float:
        """Seconds of all seeds together, whether they ran one after the other or at once."""
        return sum(point.seconds for point in self.points)

    def accuracies(self, name: str) -> tuple[float, ...]:
        """Return the test accuracy of one model for each seed that has one.

        Args:
            name: a `ModelName`.
        """
        accuracies = (point.accuracy(name) for point in self.points)
        return tuple(accuracy for accuracy in accuracies if accuracy is not None)

    def mean(self, name: str) -> Mean | None:
        """Mean test accuracy of one model with its 95% t interval over seeds, kept within 0..1.

        Args:
            name: of the model.

        Returns:
            None where no seed has it.
        """
        values = self.accuracies(name)
        return mean_of_shares(values, n_images=self.n_test) if values else None

    def difference(self, first: str = ModelName.TRANSFER, second: str = ModelName.SCRATCH) -> Mean | None:
        """Test accuracy of one model minus another's, paired by seed, with its 95% t interval, within -1..1.

        Args:
            first: name of a model.
            second: of the one that is taken away.

        Returns:
            None where no seed has both.
        """
        pairs = ((point.accuracy(first), point.accuracy(second)) for point in self.points)
        values = [a - b for a, b in pairs if a is not None and b is not None]
        return mean_of_shares(values, n_images=self.n_test, low=-1.0) if values else None

    @property
    def statistics(self) -> dict[str, Any]:
        """Means and difference as records have them, for other programs."""
        means = {name.value: asdict(mean) for name in ModelName if (mean := self.mean(name))}
        difference = self.difference()
        return {"means": means, "difference": asdict(difference) if difference else None}
