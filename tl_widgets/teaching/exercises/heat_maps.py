"""The exercises on heat maps (notebook 11)."""

from __future__ import annotations

from tl_widgets.core.translation import _
from tl_widgets.teaching.exercises.exercise import Exercise
from tl_widgets.teaching.exercises.judges import choice, number

HEAT_MAPS_EXERCISES: dict[str, Exercise] = {
    "11-a": Exercise(
        _("Every place of the backbone's map stands for 32 pixels along each side."),
        _("160 / 32 = 5 places along each side."),
        number(
            25,
            {
                5: _("That is one side. The map has two."),
                9: _("That is the map of 96 × 96 pixels. Here the picture is larger."),
                800: _("The sides are halved five times: divide 160 by 2 × 2 × 2 × 2 × 2."),
                1_600: _("That is the network from scratch, which halves its sides twice. The backbone: five times."),
            },
            _("Halve 160 five times; that is one side. Then multiply the two sides."),
        ),
        _("160, 80, 40, 20, 10, 5: five places along each side."),
    ),
    "11-b": Exercise(
        _("Each map needs one weight. Over what has to be averaged, and what has to stay?"),
        _("Averaged over rows and columns, one weight for each map is left."),
        choice(
            "(0, 1)",
            {
                "-1": _("That is her line. It averages over the maps, and leaves one number for each place."),
                "2": _("The last axis holds the maps, as -1 does. There must be one weight left for each of them."),
                "0": _("That averages over the rows alone. Which other axis are places, too?"),
                "1": _("That averages over the columns alone. Which other axis are places, too?"),
            },
        ),
        _("The shape is (rows, columns, maps), and a weight is the mean over all places. axis can be two numbers."),
    ),
    "11-c": Exercise(
        _("Which of these could show that the map has nothing to do with what was learned?"),
        _("If it's as bright on the lungs, the map only shows where lungs are. The solutions have a checklist."),
        choice(
            "an untrained network's map",
            {
                "brighter colors": _("Each map is scaled to its own maximum. Colors say nothing about strength."),
                "a finer map": _("Finer isn't truer: pooling decides how fine a map is."),
            },
        ),
        _("Which of the three did this notebook use as a sanity check?"),
    ),
}
