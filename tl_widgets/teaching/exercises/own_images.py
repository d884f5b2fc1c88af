"""The exercises of notebook 06."""

from __future__ import annotations

from tl_widgets.core.translation import _
from tl_widgets.teaching.exercises.exercise import Exercise
from tl_widgets.teaching.exercises.judges import choice, number

OWN_IMAGES_EXERCISES: dict[str, Exercise] = {
    "06-a": Exercise(
        _("The model scales its pixels itself. What do pixels from 0 to 1 look like to a model that expects 0 to 255?"),
        _(
            "Divided by 255, every picture is nearly black to this model, so all get the same answer. "
            "Nothing warns you."
        ),
        number(
            1,
            {
                4: _("One for each class? That is without / 255, if at all. Run both cells again after the change."),
                3: _("That is without / 255, if at all. Run both cells again after the change."),
                2: _("Did you run both cells again: the one that writes the program, and the one that runs it?"),
                0: _("A classifier always answers. Count the different classes among its answers."),
            },
            _("Count how many different class names the program prints."),
        ),
        _(
            "Change the line in program, run that cell and the one with the coffee, and compare the "
            "names that it prints."
        ),
    ),
    "06-b": Exercise(
        _("How many numbers does a model for two classes answer with? What is the place of the largest of them?"),
        _(
            "One sigmoid unit gives one number, the share of the second class. The largest of one number "
            "is at place 0, always, so argmax says background. Ask instead whether the number is above "
            "one half."
        ),
        choice(
            "argmax",
            {
                "predict": _("It answers with the right share. What does the program make of one number?"),
                "target_size": _("The size is that of the model's own input. What comes out at its other end?"),
                "names": _("Both names are there, in the right order. Which of them does the program pick, and how?"),
            },
        ),
        _("A model for two classes ends in one sigmoid unit, so shares has length 1. Which place is argmax of that?"),
    ),
    "06-c": Exercise(
        _("Two photographs of one dog are nearly the same picture. What happens if one trains and the other tests?"),
        _("All photographs of one dog go to the same side, so the test shows dogs the model has never seen."),
        choice(
            "by dog",
            {
                "by photograph": _("Then one dog trains and tests: the model can recognize the dog, not the breed."),
                "by breed": _("Then the test holds breeds that were never trained, and the model can't know them."),
                "by date": _("Photographs of one dog from two days would still be on both sides."),
            },
        ),
        _("Later, the model will meet dogs that it has never seen. What must the test be about?"),
    ),
}
