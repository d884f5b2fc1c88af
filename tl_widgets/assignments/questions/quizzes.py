"""The questions of the tutorial; each wrong answer is a common misconception."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Option:
    """One answer; `why` is the reply to a learner who chooses it."""

    text: str
    why: str
    is_right: bool = False


@dataclass(frozen=True)
class Question:
    """A question with one right answer."""

    text: str
    options: tuple[Option, ...]


QUESTIONS = {
    "result": Question(
        "Suppose that both models reach 100% on the images they were trained on. Which number is the result?",
        (
            Option(
                "The accuracy on the training images: 100% for both",
                "A model can memorize its training images. That says little about new images.",
            ),
            Option(
                "The accuracy on the validation images",
                "You watch these while you make choices, so your choices fit them a little. They are too optimistic.",
            ),
            Option(
                "The accuracy on the test images, which neither model has seen",
                "They were used once, at the end, so nothing could be fitted to them.",
                is_right=True,
            ),
        ),
    ),
    "overfit": Question(
        "The training accuracy is at 100% and the validation accuracy stands still below it. What helps least?",
        (
            Option(
                "Many more epochs",
                "It makes no more mistakes on its training images, so there is nothing left to learn from them.",
                is_right=True,
            ),
            Option("More images", "This helps as a rule, above all if memorizing gets harder, too."),
            Option(
                "Dropout, or pictures that are a little different in every epoch", "This helps: memorizing gets harder."
            ),
        ),
    ),
    "trainable": Question(
        "You set backbone.trainable = False. What does that change when the finished model answers?",
        (
            Option(
                "Answers get faster, because frozen layers are skipped",
                "Every layer is still computed. Freezing saves work only in training, where no gradient is needed.",
            ),
            Option(
                "Nothing: the same weights give the same answer",
                "trainable is about training. In inference the arithmetic is the same.",
                is_right=True,
            ),
            Option(
                "The model takes less memory, because frozen parameters do not count",
                "They are still there and still needed. Frozen parameters count in full.",
            ),
        ),
    ),
    "too_close": Question(
        "Transfer gets 74 of 80 test images right, scratch 71. You ran it once. What may you say?",
        (
            Option(
                "Transfer is better: 74 is more than 71",
                "Three images are within what another seed or another 80 images would change.",
            ),
            Option(
                "Too close to call: collect more test images, or repeat with other seeds",
                "Three coins fall on one side often enough (p = 25%), and another seed may turn it around.",
                is_right=True,
            ),
            Option(
                "They are equally good",
                "That wasn't shown, either. Not seeing a difference with 80 images does not mean that there is none.",
            ),
        ),
    ),
    "heat_map": Question(
        "A heat map is bright on the grass, and the model answers 'grass'. What follows?",
        (
            Option(
                "The model has understood what grass is",
                "Anything else that always appears with grass would do as well. A place is not a reason.",
            ),
            Option(
                "These places raised its score for grass; why, and whether the answer is right, it does not say",
                "A wrong answer has a heat map of the same kind.",
                is_right=True,
            ),
            Option(
                "The model is sure, because the map is so bright",
                "Every map is scaled to its own maximum. Its probability shows how sure the model is.",
            ),
        ),
    ),
}
