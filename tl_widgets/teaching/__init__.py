"""Helpers of the tutorial notebooks: guesses, questions, checks and figures."""

from tl_widgets.plots.comparison import alt_text
from tl_widgets.teaching.boxes import BackboneTable, CountPanel, Quiz
from tl_widgets.teaching.checks import check
from tl_widgets.teaching.descent import DescentSlider, plot_steps
from tl_widgets.teaching.figures import (
    photographs,
    plot_backbones,
    plot_named,
    plot_shares,
)
from tl_widgets.teaching.flattening import plot_flatten_gap
from tl_widgets.teaching.guess import Guess
from tl_widgets.teaching.kernels import KernelSlider, plot_kernel, plot_maps, plot_pooling, slide
from tl_widgets.teaching.lab_results import result_of, tested_images
from tl_widgets.teaching.labeled import plot_dataset, plot_predictions, plot_test_accuracy, with_interval
from tl_widgets.teaching.learning import plot_history, plot_weights
from tl_widgets.teaching.middle.fair import has_twin, plot_pairs, two_shots
from tl_widgets.teaching.middle.folders import plot_validation, write_folder
from tl_widgets.teaching.middle.overfitting import careless, compare_cures, plot_cures, plot_labeled, turning_point
from tl_widgets.teaching.practice.reading import plot_asked_again, plot_sideways, plot_top_classes
from tl_widgets.teaching.practice.trained_parts import plot_trained
from tl_widgets.teaching.practice.untidy import labeled_folder, untidy_folder
from tl_widgets.teaching.prediction import Prediction
from tl_widgets.teaching.show import say, show
from tl_widgets.teaching.trust.figures import plot_answers, plot_study, plot_sure

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
    "has_twin",
    "labeled_folder",
    "photographs",
    "plot_answers",
    "plot_asked_again",
    "plot_backbones",
    "plot_cures",
    "plot_dataset",
    "plot_flatten_gap",
    "plot_history",
    "plot_kernel",
    "plot_labeled",
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
