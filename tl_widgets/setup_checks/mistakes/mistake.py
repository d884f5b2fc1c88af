"""The mistakes that fill the forums, in words, and the images on which each one shows. A leaf; no TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass

from tl_widgets.core.errors import InputError
from tl_widgets.records.comparison import Interval

TEST_IMAGES = "accuracy on the test images"


@dataclass(frozen=True)
class Mistake:
    """A mistake in words.

    Attributes:
        wrong: what is done, a clause.
        right: what should be done instead, a clause.
        why: what happens, a sentence or two.
        hides: when it does not show, a sentence for whoever sees no clear difference.
        figure: which number is compared, in 0..1.
        flatters: the mistake makes the number look better than it is, rather than worse.
        dataset: a built-in data set on which it shows within seconds.
        image_size: with which to load it, in pixels.
        n_per_class: likewise; None for all.
        epochs: passes over the training images then.
    """

    wrong: str
    right: str
    why: str
    hides: str
    figure: str = TEST_IMAGES
    flatters: bool = False
    dataset: str = "digits"
    image_size: int = 64
    n_per_class: int | None = 5
    epochs: int = 10


@dataclass(frozen=True)
class TwoWays:
    """The same figure, measured the right way and with the mistake.

    Attributes:
        right: done right, 0..1.
        wrong: with the mistake, 0..1.
        n_right: how many images, seeds or weight arrays `right` rests on.
        n_wrong: likewise `wrong`.
        counted: "images" (the same ones for both), "other images", "seeds" (paired), or "weights".
        right_ci95: 95% interval of `right`: Wilson's over images, Student's t over seeds; None for weights, which
            are all there is.
        wrong_ci95: likewise of `wrong`.
        difference_ci95: 95% interval of right minus wrong: Newcombe's over images, t over seeds.
        p_value: McNemar's exact one where both were measured on the same images.
    """

    right: float
    wrong: float
    n_right: int
    n_wrong: int
    counted: str
    right_ci95: Interval | None = None
    wrong_ci95: Interval | None = None
    difference_ci95: Interval | None = None
    p_value: float | None = None

    @property
    def difference(self) -> float:
        """Right minus wrong."""
        return self.right - self.wrong

    @property
    def is_clear(self) -> bool:
        """Whether there is a difference: the interval leaves out 0, and the p-value, where there is one, agrees."""
        if self.difference_ci95 is None:
            return self.right != self.wrong
        low, high = self.difference_ci95
        return (low > 0 or high < 0) and (self.p_value is None or self.p_value < 0.05)


def require_mistake(name: str) -> None:
    """Refuse a name of no mistake.

    Raises:
        InputError: there is no such mistake.
    """
    if name not in MISTAKES:
        raise InputError(f"There is no mistake {name!r}; there are {', '.join(MISTAKES)}.")


_EASY = "Where classes are as easy to tell apart as brick, grass and gravel, distorted features do it as well"

MISTAKES = {
    "raw_pixels": Mistake(
        "raw pixels, 0 to 255, go into the backbone",
        "pixels are scaled as they were when the backbone was trained",
        "Every filter answers to values about a hundred times too large, which it has never seen.",
        f"{_EASY}; on harder images, and with other backbones, it costs more.",
    ),
    "rescaled_twice": Mistake(
        "pixels are divided by 255, then scaled once more by the model",
        "pixels are scaled once",
        "After the second scaling nearly all contrast is gone: each image looks almost the same to the backbone.",
        "A head that is trained for long enough can find what little contrast is left.",
    ),
    "wrong_preprocessing": Mistake(
        "pixels are prepared for another family of backbones (ImageNet mean subtracted, BGR)",
        "pixels are prepared as this backbone's own function says",
        "Range and order of the colours differ between backbones; no error tells of it.",
        f"{_EASY}; and in grey images the order of the colours does not matter.",
    ),
    "batch_norm_training": Mistake(
        "the backbone's BatchNormalization trains along",
        "BatchNormalization stays in inference mode",
        "Averages over a few batches of few images replace those of a million; training and test see different layers.",
        "After many batches the new averages settle, and the damage is mended in part.",
        dataset="faces",
        image_size=48,
        n_per_class=20,
        epochs=3,
    ),
    "trainable_without_compile": Mistake(
        "trainable is set to True after the model was compiled and trained",
        "the model is compiled again after trainable was changed",
        "Keras fixes what is trained when it first trains the compiled model, and says nothing when that changes "
        "later.",
        "This version of Keras seems to take the change up without being told.",
        "share of the unfrozen weight arrays that two more batches move",
        dataset="faces",
        image_size=32,
        n_per_class=4,
        epochs=1,
    ),
    "leaky_split": Mistake(
        "take() and skip() split a data set that is shuffled anew in every epoch",
        "the split is made once",
        "In every epoch other images land in the training part, so that validation images have been trained on. The "
        "labels here are drawn by lot: there is nothing to learn, and whatever is above chance is a leak.",
        "A head that cannot learn its training images by heart, because they are many, has less to leak.",
        "accuracy on the validation images, with labels drawn by lot",
        flatters=True,
        dataset="textures",
        image_size=48,
        n_per_class=40,
        epochs=30,
    ),
    "training_accuracy": Mistake(
        "accuracy is read off the training images",
        "accuracy is measured on images that the model has not seen",
        "A network can know its training images by heart; that says little about new ones.",
        "With many training images, and few epochs, a network cannot know them by heart.",
        "accuracy that is reported for the same model",
        flatters=True,
        image_size=32,
    ),
    "sigmoid_from_logits": Mistake(
        "the model ends with a sigmoid and the loss is told from_logits=True, which applies another",
        "the loss takes probabilities, as the model gives them",
        "No answer can look surer than 73% to this loss, and where the model is sure and wrong next to no gradient is "
        "left. Keras on TensorFlow sees a layer's own sigmoid, warns and undoes it; it cannot see one that is written "
        "out, as here, and on other backends it undoes none.",
        "Where both classes are equally frequent and easy to tell apart, the order of the answers survives.",
        "accuracy on the test images, on the question: is it the last class or not",
        image_size=64,
        n_per_class=10,
    ),
    "bottleneck": Mistake(
        "a hidden layer of 6 ReLU units stands before the answer",
        "the hidden layer has 64 units",
        "All that the network knows must pass 6 numbers; a unit that answers 0 to every image never learns again.",
        "For two classes 6 numbers are enough as long as some of the units stay alive; with another seed they may not.",
        image_size=32,
        n_per_class=20,
        epochs=5,
    ),
    "learning_rate": Mistake(
        "the learning rate is 100 times too high, 0.1",
        "the learning rate is 0.001",
        "Each step overshoots, and ReLU units that a great step pushes below 0 for every image never come back.",
        "A head alone, without hidden ReLU units, forgives a high rate more than a whole network does.",
        image_size=32,
        n_per_class=20,
        epochs=5,
    ),
}
