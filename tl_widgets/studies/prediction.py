"""What a study predicts before it measures: a claim that can fail, with the finding that it comes from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Prediction:
    """A claim about a study's result, written down before anything was measured.

    Attributes:
        text: the claim, as a sentence: a sign, an order or a crossover.
        source: the published finding that it comes from.
    """

    text: str
    source: str

    def outcome(self, held: bool | None) -> str:
        """Return the prediction and whether it held; None if the numbers can't tell."""
        end = "These numbers can't tell." if held is None else "It held." if held else "It failed."
        return f"Predicted before the measurement ({self.source}): {self.text} {end}"


STRESS = Prediction(
    "Averaged over all changes at their strongest, the frozen backbone recognizes more images than the network from "
    "scratch.",
    "Hendrycks et al. 2019, arXiv 1901.09960",
)
STRESS_TUNED = Prediction(
    "From the unchanged images to the strongest changes, the fine-tuned backbone loses more points than the frozen "
    "one.",
    "Kumar et al. 2022, arXiv 2202.10054",
)
NOISE = Prediction(
    "As more training labels are wrong, the frozen backbone loses fewer points than the network from scratch.",
    "Hendrycks et al. 2019, arXiv 1901.09960",
)
DOUBT = Prediction(
    "The probabilities of the network from scratch are further from the truth than those of the frozen backbone: its "
    "expected calibration error is larger.",
    "Hendrycks et al. 2019, arXiv 1901.09960",
)


def held(interval: tuple[float, float] | None) -> bool | None:
    """Return whether a difference that was predicted to be above 0 is, by its 95% interval; None if it contains 0."""
    if interval is None or interval[0] <= 0 <= interval[1]:
        return None
    return interval[0] > 0
