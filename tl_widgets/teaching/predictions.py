"""The predictions of the tutorial: answers from common misconceptions, and reasons with a comment on each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Prediction:
    """A question about a measurement that follows.

    Attributes:
        text: The question.
        answers: What can be measured.
        reasons: Reasons to choose from, each with what there is to say about it, whatever was measured.
        example: The answer and the reason that are shown where nobody chose any.
    """

    text: str
    answers: tuple[str, ...]
    reasons: Mapping[str, str]
    example: tuple[str, str]


PREDICTIONS = {
    "who_wins": Prediction(
        "Which model will get more of the test photographs right?",
        ("scratch", "transfer", "too close to call"),
        {
            "a network that learns only my photographs fits them best": (
                "it does fit the photographs it learns from, nearly all of them. The test asks about other "
                "photographs, and a hundred examples say little about those."
            ),
            "edges, fur and petals look alike in most photographs": (
                "this is the idea of transfer learning. What a network learned from a million photographs is useful in "
                "yours as well."
            ),
            "the larger network has more parameters": (
                "most of them are frozen and learn nothing here. A large network that starts from random numbers would "
                "need far more photographs, not fewer."
            ),
        },
        ("scratch", "a network that learns only my photographs fits them best"),
    ),
}
