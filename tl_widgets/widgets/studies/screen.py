"""The widgets of StudyLab that show progress, messages and results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipywidgets import HTML, Button, Combobox, HBox, Text

from tl_widgets.studies.registry import STUDIES
from tl_widgets.studies.study import StudyResult
from tl_widgets.widgets.shared.app import AppScreen
from tl_widgets.widgets.shared.fields import STYLE
from tl_widgets.widgets.shared.html import empty, escape, style
from tl_widgets.widgets.shared.views import FigureView
from tl_widgets.widgets.studies.files import list_records
from tl_widgets.widgets.studies.form import StudyForm
from tl_widgets.widgets.studies.guess import GuessBox
from tl_widgets.widgets.studies.progress import StudyProgress

if TYPE_CHECKING:
    from tl_widgets.studies.study import Drawing

_PIXELS_PER_INCH = 96


class StudyScreen(AppScreen[StudyProgress]):
    """The widgets of StudyLab, which holds the state and calls these methods."""

    def __init__(self, form: StudyForm, guess: GuessBox, studies: Sequence[str]) -> None:
        super().__init__("Run", StudyProgress(), " The last result is still shown below.")
        tip = "Measure what the stopped study lacks; its results so far stay"
        self.go_on_button = Button(description="Go on", icon="forward", tooltip=tip)
        actions = HBox([self.run_button, self.go_on_button, self.stop_button])
        actions.add_class("tlw-actions")
        self.guess, self.sentences, self.figure = guess, HTML(), FigureView()
        self.sentences.add_class("tlw-outcome")
        self.file = Text(description="File name", style=STYLE)
        self.save_button = Button(description="Save", icon="save", tooltip="Record and figure", disabled=True)
        self.record = Combobox(description="Record", placeholder="a .json that was saved", style=STYLE)
        self.load_button = Button(description="Load", tooltip="Show what a record says")
        files = HBox([self.file, self.save_button, self.record, self.load_button])
        files.add_class("tlw-row")
        self.file_message, self._form, self._study = HTML(), form, ""
        title = "What do you want to know?" if len(studies) > 1 else STUDIES[studies[0]].question
        head = HTML(f'{style()}<h3 class="tlw-heading">{escape(title)}</h3>')
        self.children = [head, form, guess, actions, self.progress, self.message, self.sentences, self.figure]
        self.children += [files, self.file_message, self.state_mark]
        self.figure.value = empty("Press “Run”: the figure appears here.")
        self.show_go_on(False)

    def suggest_name(self, study: str) -> None:
        """Suggest a file name for a study; a typed name stays until the study changes."""
        if study != self._study:
            self._study, self.file.value = study, f"study-{study}"

    def show_go_on(self, can_resume: bool) -> None:
        """Show the Go on button if a stopped study can be resumed."""
        self.go_on_button.layout.display = "" if can_resume else "none"

    def list_records(self) -> None:
        """Offer the records next to the notebook, newest first."""
        self.record.options = list_records()

    def show_running(self, running: bool) -> None:
        """Enable or disable the controls and buttons."""
        super().show_running(running)
        self._form.enabled = not running
        self.go_on_button.disabled = self.load_button.disabled = running
        self.save_button.disabled = running or not self.has_result
        if running:
            self.file_message.value = ""

    def show_result(
        self, study: str, result: StudyResult, drawing: Drawing, *, guess: str = "", source: str = ""
    ) -> None:
        """Show a result.

        `guess` is a sentence that compares it with the learner's guess, `source` the name of the file that it was read
        from; either may be "".
        """
        from tl_widgets.plots.style import root_figure

        self.has_result = True
        sentences = [*([guess] if guess else []), *STUDIES[study].sentences(result)]
        images = dict.fromkeys(f"{data.name}, {data.image_size} pixels" for data in result.datasets)
        facts = "; ".join([*images, *([f"read from {source}"] if source else [])])
        paragraphs = "".join(f"<p>{escape(text)}</p>" for text in sentences)
        self.sentences.value = (
            f'<div class="tlw-verdict" role="status">{paragraphs}'
            f"<small>{escape(STUDIES[study].question)} · {escape(facts)}</small></div>"
        )
        width = round(root_figure(drawing).get_figwidth() * _PIXELS_PER_INCH)
        narrow = STUDIES[study].draw_narrow(result)
        self.figure.show(drawing, STUDIES[study].text(result), width, narrow=narrow)
        self.save_button.disabled = False

    def hide_result(self) -> None:
        """Show that a result waits for the learner's guess."""
        self.has_result = False
        self.save_button.disabled = True
        self.sentences.value = ""
        self.figure.value = empty("The result is ready. Keep your guess above to see it here.")

    def finish(self, text: str) -> None:
        """Show how a run ended."""
        self.throttle.flush()
        self.progress.finish(text)

    def show_empty_stop(self) -> None:
        """Show that the run was stopped before there was anything to show."""
        self.finish(f"Stopped before there was anything to show.{self.earlier_result_text}")

    def show_failed(self, text: str) -> None:
        """Show that a run failed."""
        self.progress.clear()
        self.progress.show_text(text)
