"""What common mistakes cost: a record, its sentences, and the mistakes' own words. A leaf; no TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass

from tl_widgets.results import DatasetSummary, Environment, percent
from tl_widgets.study_record import study_from_json, study_to_json


@dataclass(frozen=True)
class Mistake:
    """A mistake in words.

    Attributes:
        wrong: what is done, a clause.
        right: what should be done instead, a clause.
        figure: which number is compared, in 0..1.
        why: what happens, a sentence or two.
    """

    wrong: str
    right: str
    why: str
    figure: str = "accuracy on the test images"


MISTAKES = {
    "raw_pixels": Mistake(
        "raw pixels, 0 to 255, go into the backbone",
        "pixels are scaled as they were when the backbone was trained",
        "Every filter answers to values about a hundred times too large, which it has never seen.",
    ),
    "rescaled_twice": Mistake(
        "pixels are divided by 255, then scaled once more by the model",
        "pixels are scaled once",
        "After the second scaling nearly all contrast is gone: each image looks almost black to the backbone.",
    ),
    "wrong_preprocessing": Mistake(
        "pixels are prepared for another family of backbones (ImageNet mean subtracted, BGR)",
        "pixels are prepared as this backbone's own function says",
        "Range and order of the colours differ between backbones; no error tells of it.",
    ),
    "batch_norm_training": Mistake(
        "the backbone's BatchNormalization trains along",
        "BatchNormalization stays in inference mode",
        "Averages over a few batches of few images replace those of a million; training and test see different layers.",
    ),
    "trainable_without_compile": Mistake(
        "trainable is set to True after the model was compiled and trained",
        "the model is compiled again after trainable was changed",
        "Keras fixes what is trained when it compiles the model, and says nothing when that changes later.",
        "share of the unfrozen weights that moved",
    ),
    "leaky_split": Mistake(
        "take() and skip() split a data set that is shuffled anew in every epoch",
        "the split is made once",
        "In every epoch other images land in the training part, so that validation images have been trained on. The "
        "labels here are drawn by lot: there is nothing to learn, and whatever is above chance is a leak.",
        "accuracy on the validation images, with labels drawn by lot",
    ),
    "training_accuracy": Mistake(
        "accuracy is read off the training images",
        "accuracy is measured on images that the model has not seen",
        "A network can know its training images by heart; that says little about new ones.",
        "accuracy that is reported for the same model",
    ),
    "sigmoid_from_logits": Mistake(
        "the loss is told from_logits=True and the model ends with a sigmoid",
        "the loss takes probabilities, as the model gives them",
        "The loss applies a second sigmoid, so that no answer can be surer than 73%, and gradients shrink.",
    ),
    "bottleneck": Mistake(
        "a hidden layer of 6 ReLU units stands before the answer",
        "the hidden layer has 64 units",
        "All that the network knows must pass 6 numbers; a unit that answers 0 to every image never learns again.",
    ),
    "learning_rate": Mistake(
        "the learning rate is 100 times too high, 0.1",
        "the learning rate is 0.001",
        "Each step overshoots, and ReLU units that a great step pushes below 0 for every image never come back.",
    ),
}


@dataclass(frozen=True)
class MistakeStudy:
    """A mistake measured beside the right way.

    Attributes:
        dataset: which images.
        mistake: a name in `MISTAKES`.
        right: the figure when it is done right, 0..1.
        wrong: the figure with the mistake, 0..1.
        environment: what it ran on.
        stopped: always False; a stopped study has no record.
    """

    dataset: DatasetSummary
    mistake: str
    right: float
    wrong: float
    environment: Environment
    stopped: bool = False

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was measured, and why it is so."""
        words = MISTAKES[self.mistake]
        measured = (
            f"Wrong: {words.wrong}: {percent(self.wrong)}. Right: {words.right}: {percent(self.right)} "
            f"({words.figure})."
        )
        if abs(self.right - self.wrong) < 0.02:
            measured += " Here it made next to no difference; on other images, or with more training, it may."
        return measured, words.why

    def to_json(self) -> str:
        """The record as JSON text; `MistakeStudy.from_json` reads it back."""
        return study_to_json(self)

    @staticmethod
    def from_json(text: str) -> MistakeStudy:
        """Read what `to_json` wrote.

        Raises:
            InputError: it is not such a record.
        """
        return study_from_json(MistakeStudy, text)
