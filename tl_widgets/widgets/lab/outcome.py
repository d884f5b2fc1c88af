"""OutcomeView, the line below the stage: progress while models train, then the result in brief, or what failed."""

from __future__ import annotations

from ipywidgets import HTML, Button, HBox, VBox

from tl_widgets.core.html import Markup, join
from tl_widgets.core.model_name import ModelName, heading_of
from tl_widgets.core.numbers import percent, points_range
from tl_widgets.plots.labels import scores_of
from tl_widgets.records.comparison import Comparison, RunResult
from tl_widgets.widgets.shared.html import note
from tl_widgets.widgets.shared.live import ProgressView

_FIRST = "Press “Train both”: both networks learn from the same images, epoch by epoch, and are tested at the end."
_BALANCED = "Balanced accuracy: every class counts the same, however many images it has"


class OutcomeView(HBox):
    """A box of fixed height, so that nothing below it moves; what is too long scrolls.

    Attributes:
        details_button: asks for the whole result; enabled once there is one.

    Args:
        problem: explains a rejected setting.
        message: explains a run that failed.
        progress: progress of the run.
        advice: says what to lower if a run would take long.
    """

    def __init__(self, problem: HTML, message: HTML, progress: ProgressView, advice: HTML) -> None:
        self.headline, self.live_line = HTML(note(_FIRST)), HTML()
        self.details_button = Button(description="Why?", tooltip="The result with its intervals, in full")
        self._progress = progress
        lines = VBox([problem, message, progress, advice, self.headline, self.live_line])
        lines.add_class("tlw-lines")
        super().__init__([lines, self.details_button])
        self.add_class("tlw-outcome")
        self.show_running(False)

    def show_running(self, running: bool) -> None:
        """Show the progress of a run in place of the last result."""
        self.headline.layout.display = "none" if running else ""
        if running:
            self.live_line.value = ""
            if "data-result" not in self.headline.value:
                self.headline.value = ""  # how to start is known by now
        self.details_button.disabled = running or "data-result" not in self.headline.value

    def show(self, comparison: Comparison, lead: str = "") -> None:
        """Show a finished comparison, after a word about its run, such as "Loaded."."""
        self.headline.value = headline(comparison, lead)
        self.details_button.disabled = False


def headline(comparison: Comparison, lead: str = "") -> Markup:
    """Return who won and how many test images each model got right, as HTML."""
    winner = comparison.verdict.winner
    title = f"{heading_of(winner)} wins" if winner else "Too close to call"
    scores = scores_of(comparison)
    tested = sorted((run for run in comparison.runs if run.name in scores), key=lambda run: run.name != winner)
    counts = join([_count(run, scores[run.name].accuracy, bool(scores[run.name].seeds)) for run in tested])
    interval = comparison.verdict.ci95
    difference = ""
    if interval is not None:
        order = interval if winner != ModelName.SCRATCH else (-interval[1], -interval[0])
        difference = f" Difference, 95% interval: {points_range(*order)} points."
    data = comparison.dataset
    about = f"{data.name}, {data.n_train} training images of {data.image_size} pixels."
    return Markup(
        '<div class="tlw-headline" data-result="1" role="status" tabindex="0">'
        '<b class="tlw-winner tlw-ink-{}">{}</b> {}<small>{} {}{}</small></div>'
    ).format(winner or "none", title, counts, lead, about, difference)


def _count(run: RunResult, accuracy: float, is_mean: bool) -> Markup:
    n = len(run.labels)
    text = f"{percent(accuracy)} on average" if is_mean else f"{round(accuracy * n)} of {n} right"
    balanced = ""
    if run.is_uneven and run.balanced_accuracy is not None:
        balanced = Markup(', <span title="{}">balanced {}</span>').format(_BALANCED, percent(run.balanced_accuracy))
    return Markup('<span class="tlw-count tlw-ink-{}"><b>{}</b> {}{}</span> ').format(
        run.name, text, heading_of(run.name).lower(), balanced
    )
