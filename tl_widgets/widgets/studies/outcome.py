"""The line below the stage: progress while a study measures, then its answer in one sentence, or what failed."""

from __future__ import annotations

from ipywidgets import HTML, HBox, VBox

from tl_widgets.core.html import Markup
from tl_widgets.widgets.shared.html import note
from tl_widgets.widgets.studies.progress import StudyProgress


class StudyOutcome(HBox):
    """A box of fixed height, so nothing moves; what is too long scrolls."""

    def __init__(self, problem: HTML, message: HTML, progress: StudyProgress, advice: HTML) -> None:
        self._progress, self.headline = progress, HTML()
        lines = VBox([problem, message, progress, advice, self.headline])
        lines.add_class("tlw-lines")
        super().__init__([lines])
        self.add_class("tlw-outcome")

    def show(self, sentence: str, guess: str, facts: str) -> None:
        """Show the answer, the sentence about the guess, and what it was measured on."""
        self.headline.value = Markup(
            '<div class="tlw-headline" role="status" tabindex="0">'
            '<b class="tlw-answer">{}</b> {}<small>{}</small></div>'
        ).format(sentence, guess, facts)

    def show_text(self, text: str) -> None:
        """Show a text in place of an answer."""
        self.headline.value = note(text)

    def show_running(self, running: bool) -> None:
        """Show the progress of a run in place of the last answer."""
        self.headline.layout.display = "none" if running else ""
