"""All exercises of the tutorial, with replies to the answers that learners give."""

from __future__ import annotations

from tl_widgets.teaching.exercises.choosing import CHOOSING_EXERCISES
from tl_widgets.teaching.exercises.convolutions import CONVOLUTIONS_EXERCISES
from tl_widgets.teaching.exercises.exercise import Exercise
from tl_widgets.teaching.exercises.fair_comparison import FAIR_COMPARISON_EXERCISES
from tl_widgets.teaching.exercises.fine_tuning import FINE_TUNING_EXERCISES
from tl_widgets.teaching.exercises.frozen_backbone import FROZEN_BACKBONE_EXERCISES
from tl_widgets.teaching.exercises.heat_maps import HEAT_MAPS_EXERCISES
from tl_widgets.teaching.exercises.how_much_data import HOW_MUCH_DATA_EXERCISES
from tl_widgets.teaching.exercises.learning import LEARNING_EXERCISES
from tl_widgets.teaching.exercises.mistakes import MISTAKES_EXERCISES
from tl_widgets.teaching.exercises.overfitting import OVERFITTING_EXERCISES
from tl_widgets.teaching.exercises.own_images import OWN_IMAGES_EXERCISES
from tl_widgets.teaching.exercises.trust import TRUST_EXERCISES

EXERCISES: dict[str, Exercise] = {
    **LEARNING_EXERCISES,
    **CONVOLUTIONS_EXERCISES,
    **OVERFITTING_EXERCISES,
    **FROZEN_BACKBONE_EXERCISES,
    **FAIR_COMPARISON_EXERCISES,
    **OWN_IMAGES_EXERCISES,
    **HOW_MUCH_DATA_EXERCISES,
    **CHOOSING_EXERCISES,
    **FINE_TUNING_EXERCISES,
    **MISTAKES_EXERCISES,
    **HEAT_MAPS_EXERCISES,
    **TRUST_EXERCISES,
}
