"""What the tutorial notebooks need beside the toolkit: guesses, questions, checks of exercises, figures in words."""

from tl_widgets.teaching.catalogue import BackboneTable, backbones_words, plot_backbones
from tl_widgets.teaching.checks import check
from tl_widgets.teaching.figures import (
    layers_words,
    learning_words,
    named_words,
    plot_layers,
    plot_learning,
    plot_named,
    plot_shares,
    shares_words,
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
    "backbones_words",
    "check",
    "layers_words",
    "learning_words",
    "named_words",
    "photographs",
    "plot_backbones",
    "plot_layers",
    "plot_learning",
    "plot_named",
    "plot_shares",
    "say",
    "shares_words",
    "show",
]
