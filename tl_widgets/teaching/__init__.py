"""What the tutorial notebooks need beside the toolkit: guesses, questions, checks of exercises, figures in words."""

from tl_widgets.teaching.catalogue import BackboneTable, plot_backbones
from tl_widgets.teaching.checks import check
from tl_widgets.teaching.costs import plot_costs
from tl_widgets.teaching.figures import (
    plot_layers,
    plot_learning,
    plot_named,
    plot_shares,
)
from tl_widgets.teaching.guess import Guess
from tl_widgets.teaching.panels import CountPanel
from tl_widgets.teaching.photographs import photographs
from tl_widgets.teaching.quiz import Quiz
from tl_widgets.teaching.show import say, show

__all__ = [
    "BackboneTable",
    "CountPanel",
    "Guess",
    "Quiz",
    "check",
    "photographs",
    "plot_backbones",
    "plot_costs",
    "plot_layers",
    "plot_learning",
    "plot_named",
    "plot_shares",
    "say",
    "show",
]
