"""The exercises of notebook 07, and their judges."""

from __future__ import annotations

from typing import Any

from tl_widgets.core.translation import _
from tl_widgets.teaching.exercises.exercise import Exercise
from tl_widgets.teaching.exercises.judges import choice, number

_MOST_RUNS = 60


def _plan(answer: Any) -> str | None:
    """Judge (sizes, number of seeds) for two models and 60 trainings."""
    if not isinstance(answer, (tuple, list)) or len(answer) != 2 or not isinstance(answer[0], (tuple, list)):
        return _("Give the sizes and the number of seeds: ((5, 10, 20), 3).")
    sizes, n_seeds = answer
    if not all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in (*sizes, n_seeds)):
        return _("Sizes and the number of seeds are whole numbers above 0.")
    if len(set(sizes)) < 3:
        return _("With fewer than three sizes there is no curve to read a number of pictures from.")
    if n_seeds < 3:
        return _("With fewer than three seeds you can't tell a difference from luck.")
    if max(sizes) > 100:
        return _("There are 100 pictures of each class to learn from, not more.")
    n_runs = 2 * len(set(sizes)) * n_seeds
    if n_runs > _MOST_RUNS:
        return _(
            "That makes {n_runs} trainings: sizes times seeds, for two models. There is time for {most_runs}.",
            n_runs=n_runs,
            most_runs=_MOST_RUNS,
        )
    if max(sizes) < 10 * min(sizes):
        return _(
            "These sizes are close together. Where curves are steep and where they level off, one plan should show."
        )
    return None


HOW_MUCH_DATA_EXERCISES: dict[str, Exercise] = {
    "07-a": Exercise(
        _("With so many seeds only the square root of their number counts."),
        _("Four times the seeds, half the length. That is why intervals are expensive."),
        number(
            2,
            {
                4: _("Four times the seeds, but the length only goes with the square root of their number."),
                1: _("More seeds do make the bar shorter. Which cell did you run again?"),
                36: _("That's how many seeds there are more. How many times shorter is the bar?"),
                0.5: _("That's the new length as a part of the old one. How many times shorter is it?"),
            },
            _("Divide the length of the bar of 12 seeds by that of 48, and round it."),
        ),
        _("What is the square root of 48 / 12?"),
    ),
    "07-b": Exercise(
        _("“Times less data” compares numbers of pictures. What does the friend's line compare?"),
        _("Read sideways: choose an accuracy, and divide the pictures that both need for it. The friend read upwards."),
        choice(
            "pictures",
            {
                "accuracies": _("That is what the friend divides. Is 84% “1.5 times the data” of 56%?"),
                "seconds": _("Those tell how long it takes. The question is about data."),
                "parameters": _("The frozen model has more of them, and needs fewer pictures. Divide what is needed."),
            },
        ),
        _("At one height of the figure, two numbers can be read below the curves. Numbers of what?"),
    ),
    "07-c": Exercise(
        _(
            "Each size is trained once for each seed and model. Does a curve bend between 50 and 60, or "
            "between 2 and 10?"
        ),
        _("Few, well spread sizes and several seeds: the curve's shape shows, and so does the luck."),
        _plan,
        _("For example sizes that grow about threefold, from a few pictures to all of them, with five seeds or more."),
    ),
}
