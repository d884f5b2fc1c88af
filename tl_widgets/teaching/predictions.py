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
        values: The number that each answer stands for, where the measurement is a number.
    """

    text: str
    answers: tuple[str, ...]
    reasons: Mapping[str, str]
    example: tuple[str, str]
    values: tuple[float, ...] = ()


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
    "learning_rate": Prediction(
        "Ten steps with a learning rate of 3 in place of 0.05: what becomes of the loss?",
        ("the loss falls further", "the loss ends higher than it began"),
        {
            "larger steps get down sooner": (
                "that holds as long as a step ends before the bottom. A step that is too long lands on the other side."
            ),
            "a step that is too long lands on the other side of the valley": (
                "the gradient only knows the slope where you stand. It doesn't know how far away the bottom is."
            ),
            "the gradient shows the way, so a step can't make things worse": (
                "the direction is right, and only for a short way. How far you go is up to the learning rate."
            ),
        },
        ("the loss falls further", "larger steps get down sooner"),
    ),
    "first_epoch": Prediction(
        "After the first epoch, which accuracy will Keras report as the higher one?",
        ("training", "validation"),
        {
            "the network has learned from the training images": (
                "so it has, and after many epochs this often shows. In the first one there isn't much to memorize yet."
            ),
            "the training accuracy is an average over the epoch, in which the network was bad at first": (
                "validation images are looked at when the epoch is over, by a network that has already taken its steps."
            ),
            "there are few validation images, so luck decides": (
                "with 20 images, each one is worth 5 points, so small differences mean nothing. This one has a cause, "
                "too: look at when each number is measured."
            ),
        },
        ("training", "the network has learned from the training images"),
    ),
    "printed_shape": Prediction(
        "What comes out of the printed network for one picture of 128 × 128 pixels?",
        ("1 number", "6 numbers", "16,384 numbers"),
        {
            "the last layer has one unit": (
                "Dense works on the last axis only. Without Flatten before it, it answers at every place."
            ),
            "nothing in it brings the places of the picture together": (
                "Conv2D keeps the places, and so does Dense. Pooling makes them fewer, Flatten puts them into one row."
            ),
            "the Dense layer of 6 looks at the whole picture": (
                "it would, with Flatten before it. So it looks at the 128 channels of one place after the other."
            ),
        },
        ("1 number", "the last layer has one unit"),
    ),
    "patient": Prediction(
        "Which one of these changes will make the network learn?",
        ("three times as many epochs", "a tenth of the learning rate", "pixels that are scaled once"),
        {
            "it learns slowly, so it needs more time": (
                "a loss that falls slowly needs time. This one doesn't move, and time won't move it."
            ),
            "its steps are too large, so it jumps across the valley": (
                "then the loss would jump up and down. This one stands still at ln 3."
            ),
            "nearly the same numbers go in for every image": (
                "then nearly the same answer comes out, and no weight can tell the classes apart. It stands at chance "
                "on the images that it was shown, which rules out everything about new ones."
            ),
            "it has too few images": (
                "few images are easy to memorize, so its training accuracy would be high. Here it's at chance."
            ),
        },
        ("three times as many epochs", "it learns slowly, so it needs more time"),
    ),
    "leak": Prediction(
        "Random labels, two classes, and a split that is drawn anew in every epoch: what is the validation accuracy?",
        ("near 50%: chance", "near 100%"),
        {
            "there is nothing to learn in random labels": (
                "there is nothing to understand, but a network can still memorize every single one."
            ),
            "sooner or later each validation image is trained on": (
                "after some epochs each image has been in the training part, with its random label."
            ),
            "validation images are never trained on": (
                "that is what the word promises, and what this split breaks without saying so."
            ),
        },
        ("near 50%: chance", "there is nothing to learn in random labels"),
    ),
    "wrong_labels": Prediction(
        "After 25 epochs, for how many of its training pictures does the network answer what the friend has written?",
        (
            "hardly any: wrong labels confuse it",
            "about 70%: those with a right label",
            "nearly all, the wrong labels included",
        ),
        {
            "a wrong label fits nothing that the network can see in the picture": (
                "it fits nothing that other pictures share. But a picture has some detail that no other one has, and a "
                "network with enough parameters can tie any answer to it."
            ),
            "training makes the loss smaller, whatever the labels say": (
                "the loss knows nothing of right and wrong. It compares the answers with the labels that are there."
            ),
            "contradicting labels cancel each other out": (
                "they do in the first epochs, when the network looks for what many pictures share. Later it treats "
                "them one by one."
            ),
        },
        ("about 70%: those with a right label", "a wrong label fits nothing that the network can see in the picture"),
        (0.1, 0.7, 1.0),
    ),
    "darkness": Prediction(
        "A seventh of the light is left. How sure will the network from scratch be of its answers?",
        ("less sure than before", "as sure as before, or surer"),
        {
            "it sees less, so it doubts more": (
                "you would. A network only multiplies and adds up; nothing in its training told it what too dark is."
            ),
            "it has never learned when to doubt": (
                "it was only ever rewarded for being sure of the right class of pictures like those it learned from."
            ),
            "its probabilities always add up to 1": (
                "they do, and they could still be one quarter each. It takes more than that to be sure."
            ),
        },
        ("less sure than before", "it sees less, so it doubts more"),
    ),
}
