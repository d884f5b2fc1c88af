"""Helpers of the tutorial notebooks: guesses, questions, checks and figures."""

from tl_widgets.plots.comparison import alt_text
from tl_widgets.teaching.exercises.checks import check
from tl_widgets.teaching.figures.flattening import plot_flatten_gap
from tl_widgets.teaching.figures.labeled import (
    plot_dataset,
    plot_predictions,
    plot_test_accuracy,
    plot_validation,
    with_interval,
)
from tl_widgets.teaching.figures.learning import plot_history, plot_weights
from tl_widgets.teaching.figures.luck import plot_luck
from tl_widgets.teaching.figures.named import (
    photographs,
    plot_named,
    plot_shares,
)
from tl_widgets.teaching.figures.overfitting import careless, compare_cures, plot_cures, plot_labeled, turning_point
from tl_widgets.teaching.figures.pairs import plot_pairs
from tl_widgets.teaching.figures.reading import plot_asked_again, plot_sideways, plot_top_classes
from tl_widgets.teaching.figures.studies import compare_neighbors, plot_answers, plot_heat_maps, plot_study, plot_sure
from tl_widgets.teaching.figures.trained_parts import plot_trained
from tl_widgets.teaching.folders.twins import has_twin, two_shots
from tl_widgets.teaching.folders.untidy import labeled_folder, untidy_folder
from tl_widgets.teaching.folders.written import write_folder
from tl_widgets.teaching.lab_results import result_of, tested_images
from tl_widgets.teaching.questions.guess import Guess
from tl_widgets.teaching.questions.prediction import Prediction
from tl_widgets.teaching.questions.quiz import Quiz
from tl_widgets.teaching.show import say, show
from tl_widgets.teaching.sliders.descent import DescentSlider, plot_steps
from tl_widgets.teaching.sliders.kernels import KernelSlider, plot_kernel, plot_maps, plot_pooling, slide
from tl_widgets.teaching.tables import BackboneTable, CountPanel

__all__ = [
    "BackboneTable",
    "CountPanel",
    "DescentSlider",
    "Guess",
    "KernelSlider",
    "Prediction",
    "Quiz",
    "alt_text",
    "careless",
    "check",
    "compare_cures",
    "compare_neighbors",
    "has_twin",
    "labeled_folder",
    "photographs",
    "plot_answers",
    "plot_asked_again",
    "plot_cures",
    "plot_dataset",
    "plot_flatten_gap",
    "plot_heat_maps",
    "plot_history",
    "plot_kernel",
    "plot_labeled",
    "plot_luck",
    "plot_maps",
    "plot_named",
    "plot_pairs",
    "plot_pooling",
    "plot_predictions",
    "plot_shares",
    "plot_sideways",
    "plot_steps",
    "plot_study",
    "plot_sure",
    "plot_test_accuracy",
    "plot_top_classes",
    "plot_trained",
    "plot_validation",
    "plot_weights",
    "result_of",
    "say",
    "show",
    "slide",
    "tested_images",
    "turning_point",
    "two_shots",
    "untidy_folder",
    "with_interval",
    "write_folder",
]
