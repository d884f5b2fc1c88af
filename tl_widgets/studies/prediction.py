"""What a study predicts before it measures: a claim that can fail, with the finding that it comes from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tl_widgets.core.numbers import points, points_range
from tl_widgets.core.translation import _

if TYPE_CHECKING:
    from tl_widgets.records.statistics import Mean

_ENDS = {True: _("It held"), False: _("It failed"), None: _("These numbers can't tell")}


@dataclass(frozen=True)
class Prediction:
    """A claim about a study's result, written down before anything was measured.

    Attributes:
        text: the claim, as a sentence: a sign, an order or a crossover.
        source: the published finding that it comes from.
    """

    text: str
    source: str

    @property
    def _start(self) -> str:
        return _("Predicted before the measurement ({source}): {text} ", source=self.source, text=self.text)

    def outcome(self, held: bool | None, measured: str = "") -> str:
        """Return the prediction, whether it held (None if the numbers can't tell), and the measurement that decides."""
        return f"{self._start}{_ENDS[held]}{f': {measured}' if measured else ''}."

    def judge(self, difference: Mean | None, name: str = "") -> str:
        """Return the outcome of a claim that a difference of accuracies, in 0..1, is above 0.

        `name` says what it is, as in "the loss is +1.5 points", if the claim doesn't.
        """
        if difference is None:
            return self.outcome(None)
        interval = _("one value, without an interval")
        if difference.ci95 is not None:
            interval = _("95% interval {ci95}", ci95=points_range(*difference.ci95))
        start = _("{name} is ", name=name) if name else ""
        measured = _(
            "{start}{difference_mean} points ({interval})",
            start=start,
            difference_mean=points(difference.mean, signed=True),
            interval=interval,
        )
        return self.outcome(held(difference.ci95), measured)

    def find_outcome(self, sentences: Iterable[str]) -> str | None:
        """Return what follows the claim where one of the sentences is its outcome, or None."""
        return next((s.removeprefix(self._start) for s in sentences if s.startswith(self._start)), None)


STRESS = Prediction(
    _(
        "Averaged over all changes at their strongest, the frozen backbone recognizes more images than "
        "the network from scratch."
    ),
    _("Hendrycks et al. 2019, arXiv 1901.09960"),
)
STRESS_TUNED = Prediction(
    _(
        "From the unchanged images to the strongest changes, the fine-tuned backbone loses more points "
        "than the frozen one."
    ),
    _("Kumar et al. 2022, arXiv 2202.10054"),
)
NOISE = Prediction(
    _("As more training labels are wrong, the frozen backbone loses fewer points than the network from scratch."),
    _("Hendrycks et al. 2019, arXiv 1901.09960"),
)
DOUBT = Prediction(
    _(
        "The probabilities of the network from scratch are further from the truth than those of the "
        "frozen backbone: its expected calibration error is larger."
    ),
    _("Hendrycks et al. 2019, arXiv 1901.09960"),
)
OPPONENT = Prediction(
    _(
        "Tuning both models with the same budget closes more than half of the gap between the frozen "
        "backbone and the network from scratch."
    ),
    _("Zhai et al. 2019, arXiv 1910.04867"),
)
SIZE = Prediction(
    _("From the smallest images to the largest, the lead of the frozen backbone over the network from scratch grows."),
    _("Touvron et al. 2019, arXiv 1906.06423"),
)
DOMAIN = Prediction(
    _(
        "The lead of the frozen backbone over the network from scratch is larger on photographs than on "
        "handwritten digits."
    ),
    _("Zhai et al. 2019, arXiv 1910.04867"),
)

DEPTH = Prediction(
    _(
        "From the first block to the whole backbone, features gain more points with pretrained weights "
        "than with random ones."
    ),
    _("Yosinski et al. 2014, arXiv 1411.1792"),
)
DEPTH_CUT = Prediction(
    _(
        "Cut where the validation images say, the pretrained backbone recognizes more test images than "
        "the whole one, because its last blocks are made for ImageNet's classes."
    ),
    _("Yosinski et al. 2014, arXiv 1411.1792"),
)
HEADS = Prediction(
    _("No other head is more than 5 points better than logistic regression on the same features."),
    _("Kornblith et al. 2019, arXiv 1805.08974"),
)
SEARCH = Prediction(
    _(
        "Of a test image's nearest training images, more have its class by pretrained features than by "
        "those of the same backbone with random weights."
    ),
    _("Kornblith et al. 2019, arXiv 1805.08974"),
)
CURES = Prediction(
    _("Transfer raises the test accuracy of an overfitted network more than any other cure."),
    _("Zhai et al. 2019, arXiv 1910.04867"),
)
CURES_AUGMENTED = Prediction(
    _("Augmentation raises the test accuracy more than dropout."),
    _("Hernández-García and König 2018, arXiv 1806.03852"),
)


def held(interval: tuple[float, float] | None) -> bool | None:
    """Return whether a difference that was predicted to be above 0 is, by its 95% interval; None if it contains 0."""
    if interval is None or interval[0] <= 0 <= interval[1]:
        return None
    return interval[0] > 0


def declared_predictions() -> tuple[Prediction, ...]:
    """Return all predictions of this module, in their order."""
    return tuple(value for value in globals().values() if isinstance(value, Prediction))
