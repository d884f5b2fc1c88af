"""Helpers of the tutorial notebooks: guesses, questions, checks and figures."""

from tl_widgets.teaching.boxes import BackboneTable, CountPanel, Quiz
from tl_widgets.teaching.checks import check
from tl_widgets.teaching.figures import (
    photographs,
    plot_backbones,
    plot_costs,
    plot_layers,
    plot_learning,
    plot_named,
    plot_shares,
)
from tl_widgets.teaching.guess import Guess
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
