"""What the tutorial notebooks need beside the toolkit: guesses, questions, checks of exercises, figures in words."""

from tl_widgets.teaching.catalogue import BackboneTable, plot_backbones
from tl_widgets.teaching.checks import check
from tl_widgets.teaching.guess import Guess
from tl_widgets.teaching.panels import CountPanel
from tl_widgets.teaching.pictures import plot_bars, plot_layers, plot_learning, plot_named, sample_pictures
from tl_widgets.teaching.quiz import Quiz
from tl_widgets.teaching.show import show

__all__ = [
    "BackboneTable",
    "CountPanel",
    "Guess",
    "Quiz",
    "check",
    "plot_backbones",
    "plot_bars",
    "plot_layers",
    "plot_learning",
    "plot_named",
    "sample_pictures",
    "show",
]
