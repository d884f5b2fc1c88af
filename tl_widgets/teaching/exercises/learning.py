"""The exercises on how a network learns (notebooks 00 and 01), with their judges."""

from __future__ import annotations

from typing import Any

from tl_widgets.core.translation import _
from tl_widgets.records.comparison import Comparison
from tl_widgets.teaching.exercises.exercise import Exercise
from tl_widgets.teaching.exercises.judges import choice, number


def few_images(answer: Any) -> str | None:
    """Judge the result of a Lab that should have trained on 5 images of each class."""
    if not isinstance(answer, Comparison):
        return _("Give lab.result, the Lab's latest comparison.")
    if answer.stopped:
        return _("This run was stopped. Press Train both again and let it finish.")
    n_each = answer.dataset.n_train / len(answer.dataset.class_names)
    if n_each != 5:
        n = answer.dataset.n_train
        return _(
            "This result was made with {n} training images in all. Set Images per class to 5 and train again.", n=n
        )
    return None


def three_parts(answer: Any) -> str | None:
    """Judge how many of 300 images are for training, validation and test."""
    if not isinstance(answer, (tuple, list)) or len(answer) != 3:
        return _("Give three numbers: (training, validation, test).")
    if not all(isinstance(part, int) and not isinstance(part, bool) for part in answer):
        return _("Each of the three is a whole number of images.")
    train, validation, test = answer
    if sum(answer) != 300:
        return _("Together these are {n} images, and there are 300. No image may be in two parts.", n=sum(answer))
    if min(answer) <= 0:
        return _("Each part needs images: to learn from, to make choices by, and to be tested on.")
    if train < 150:
        return _("{train} images to learn from are less than half. What are the others for?", train=train)
    if test < 30:
        return _(
            "With {n} test images, each one is worth {points:.1f} points: too coarse to tell models apart.",
            n=test,
            points=100 / test,
        )
    if validation < 15:
        return _(
            "{validation} validation images are too few: any choice between two models would be luck.",
            validation=validation,
        )
    return None


LEARNING_EXERCISES: dict[str, Exercise] = {
    "00-a": Exercise(
        _("Which model has to learn what an edge is from your photographs, and which one knows it already?"),
        _(
            "Both lose something. But transfer with 5 photographs of each class is usually still ahead "
            "of scratch with all of them: it can already see, and only has to learn which of its "
            "features go with which class."
        ),
        few_images,
        _(
            "In the Lab, set Images per class to 5, press Train both, wait, then run this cell again. "
            "The Lab's tab Runs shows the results of both runs."
        ),
    ),
    "00-b": Exercise(
        _("Imagine ten networks that are equally good. Why would one of them still look the best?"),
        _(
            "The best of ten owes some of its score to luck with these test photographs. Choose by the "
            "validation images, and the test stays honest."
        ),
        choice(
            "choosing",
            {
                "training": _("You may train as many networks as you like. What must the test images not be used for?"),
                "reporting": _(
                    "Reporting a test accuracy is right, as long as nothing was decided by it. Was anything?"
                ),
            },
        ),
        _("Which of the three steps uses the test images to decide something?"),
    ),
    "01-a": Exercise(
        _("How many batches of 50 are 100 pictures? Each batch is one step."),
        _(
            "Two steps for each epoch in place of seven. The same passes over the data, and far fewer "
            "steps to learn in."
        ),
        number(
            40,
            {
                20: _("That is the number of epochs. How many steps does each of them take?"),
                2: _("That is one epoch. There are 20."),
                140: _("That is with batches of 16: seven steps for each epoch."),
                2_000: _("The optimizer takes one step for each batch, not for each picture."),
                1_000: _("That counts pictures. How many batches are they?"),
            },
            _("Divide the pictures by the size of a batch, then multiply by the number of epochs."),
        ),
        _("100 pictures are two batches of 50. There are 20 epochs."),
    ),
    "01-b": Exercise(
        _("Which images may a network see while it learns?"),
        _("The network learned the very images that it was tested on. 100% says only that it can memorize."),
        choice(
            "fit",
            {
                "compile": _(
                    "It chooses loss and learning rate; there is nothing wrong with it. Which images are used?"
                ),
                "evaluate": _("Testing on the test images is right, as long as they are new. Were they?"),
            },
        ),
        _("fit is where the weights change. Look at what it is given."),
    ),
    "01-c": Exercise(
        _("Most of them should teach. But how sure can you be of a result from ten test images?"),
        _("Most images teach, and the rest are enough to tell a good model from a bad one."),
        three_parts,
        _("For example 200 for training, 40 for validation and 60 for the test. Other numbers do, too."),
    ),
}
