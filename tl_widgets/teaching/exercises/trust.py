"""The exercises of notebook 12, with replies to the answers that learners give."""

from __future__ import annotations

from typing import Any

from tl_widgets.core.translation import _
from tl_widgets.teaching.exercises.exercise import Exercise
from tl_widgets.teaching.exercises.judges import choice, number


def threshold_choice(answer: Any) -> str | None:
    """Judge (split, threshold) for a guide to mushrooms that may say "I don't know"."""
    if not isinstance(answer, (tuple, list)) or len(answer) != 2:
        return _("Give two things: (the split that you choose it on, the threshold), such as ('training', 0.5).")
    split, threshold = str(answer[0]).strip().lower(), answer[1]
    if isinstance(threshold, bool) or not isinstance(threshold, (int, float)):
        return _("The threshold is a number from 0 to 1; this is {threshold!r}.", threshold=threshold)
    if not 0 <= threshold <= 1:
        return _("A probability lies between 0 and 1, and {threshold} doesn't. 90% is 0.9.", threshold=threshold)
    if "train" in split:
        return _("A model is far too sure of pictures that it has learned from. Which are new, and not the test?")
    if "test" in split:
        return _("Then the test has decided something, and isn't new any more. Which pictures are there for choices?")
    if "valid" not in split:
        return _("Name a split: training, validation or test; this is {answer!r}.", answer=answer[0])
    if threshold < 0.8:
        return _(
            "At {threshold:g} the guide still answers when it is far from sure, and one wrong meal is enough.",
            threshold=threshold,
        )
    if threshold == 1:
        return _("At 1 it never answers, and nobody needs such a guide. How many answers are you willing to lose?")
    return None


TRUST_EXERCISES: dict[str, Exercise] = {
    "12-a": Exercise(
        _("Which values become 255 and can't be told apart any more?"),
        _(
            "86 are left, 0 to 85: every pixel above becomes 255, and no network can bring back what "
            "stood there. Times 0.15 and rounded there are only 39 left, so darkness loses more. Which "
            "of the two costs a model more accuracy is another question, and only a measurement answers "
            "it."
        ),
        number(
            86,
            {
                256: _("Values above 255 don't exist. What happens to a pixel of 100, times 3?"),
                85: _("Nearly. 0 counts, too."),
                768: _("That would be without the limit of 255. What is the largest value of a pixel?"),
                39: _("That is darkness, times 0.15 and rounded. And times 3?"),
                3: _("3 is the factor. How many values of a pixel stay different from one another?"),
            },
            _("Multiply 0, 1, 2, … by 3 and stop at 255. How many different numbers are there?"),
        ),
        _("0 × 3 = 0 up to 85 × 3 = 255. From 86 on, everything is 255."),
    ),
    "12-b": Exercise(
        _("The probabilities of one picture add up to 1. What is their average, whatever the model answers?"),
        _(
            "The average of four numbers that add up to 1 is always one quarter. How sure a model is of "
            "its answer is the largest of them: max."
        ),
        choice(
            "c",
            {
                "a": _("Line A asks the model for its probabilities. That's right."),
                "b": _("Line B takes the most probable class of each picture. That's right."),
                "d": _("Line D only prints. What does it print?"),
            },
        ),
        _("Try it with 0.7, 0.1, 0.1, 0.1, and then with 0.4, 0.3, 0.2, 0.1."),
    ),
    "12-c": Exercise(
        _("Which pictures are there to make choices by? And what does a wrong answer cost here, compared with none?"),
        _(
            "Chosen on validation images, and high, because a wrong answer costs more than none. "
            "Whatever you chose: test it once on new pictures, and say how many get no answer. And a "
            "mushroom that isn't in the book gets an answer, too."
        ),
        threshold_choice,
        _("Not the images that it learned from, and not those of the final test. And rather 0.9 than 0.5."),
    ),
}
