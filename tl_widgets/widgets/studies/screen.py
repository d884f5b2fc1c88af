"""Everything of a StudyLab that is on the screen beside its controls, and how each piece of news changes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ipywidgets import HTML, Button, Combobox, HBox, Text

from tl_widgets.core.events import Event
from tl_widgets.studies.registry import STUDIES
from tl_widgets.widgets.shared.html import empty, error_alert, escape, style
from tl_widgets.widgets.shared.live import Throttle
from tl_widgets.widgets.shared.threads import State
from tl_widgets.widgets.shared.views import FigureView
from tl_widgets.widgets.studies.files import list_records
from tl_widgets.widgets.studies.form import StudyForm
from tl_widgets.widgets.studies.guess import GuessBox
from tl_widgets.widgets.studies.progress import StudyProgress

_STYLE = {"description_width": "initial"}
_STILL_THERE = " What was found before is still shown below."
_PIXELS_PER_INCH = 96


class StudyScreen:
    """The widgets of a StudyLab. It decides nothing: whoever holds the state calls its methods.

    Args:
        form: the controls.
        guess: the question that comes first.
        studies: names of those that are offered.
    """

    def __init__(self, form: StudyForm, guess: GuessBox, studies: Sequence[str]) -> None:
        self.run_button = Button(description="Run", button_style="primary", icon="play")
        self.stop_button = Button(description="Stop", icon="stop", disabled=True)
        tip = "Measure what is missing of the stopped study; what it measured stays"
        self.go_on_button = Button(description="Go on", icon="forward", tooltip=tip)
        actions = HBox([self.run_button, self.go_on_button, self.stop_button])
        actions.add_class("tlw-actions")
        self.progress, self.message, self.sentences, self.figure = StudyProgress(), HTML(), HTML(), FigureView()
        self.sentences.add_class("tlw-outcome")
        self.file = Text(description="File name", style=_STYLE)
        self.save_button = Button(description="Save", icon="save", tooltip="Record and figure", disabled=True)
        self.record = Combobox(description="Record", placeholder="a .json that was saved", style=_STYLE)
        self.load_button = Button(description="Load", tooltip="Show what a record says")
        files = HBox([self.file, self.save_button, self.record, self.load_button])
        files.add_class("tlw-row")
        self.said, self._state = HTML(), HTML()
        self._form, self._throttle, self._has_result, self._study = form, Throttle(), False, ""
        title = "What do you want to know?" if len(studies) > 1 else STUDIES[studies[0]].question
        head = HTML(f'{style()}<h3 class="tlw-heading">{escape(title)}</h3>')
        self.children = [head, form, guess, actions, self.progress, self.message, self.sentences, self.figure]
        self.children += [files, self.said, self._state]
        self.figure.value = empty("Press “Run”: the figure appears here.")
        self.show_go_on(False)
        self.set_state("idle")

    def set_state(self, state: State) -> None:
        """Mark what the app does, for tests and style sheets."""
        self._state.value = f'<span class="tlw-state" data-state="{state}" hidden></span>'

    def suggest_name(self, study: str) -> None:
        """Suggest a name for the files of a study; what somebody typed stays while the study does."""
        if study != self._study:
            self._study, self.file.value = study, f"study-{study}"

    def show_go_on(self, there_is_more: bool) -> None:
        """Offer to go on with a stopped study where there is one."""
        self.go_on_button.layout.display = "" if there_is_more else "none"

    def list_records(self) -> None:
        """Offer the records beside the notebook, the newest first."""
        self.record.options = list_records()

    def show_running(self, running: bool) -> None:
        """Enable and disable controls and buttons."""
        self._form.enabled = not running
        self.stop_button.disabled = not running
        self.run_button.disabled = self.go_on_button.disabled = self.load_button.disabled = running
        self.save_button.disabled = running or not self._has_result
        if running:
            self.message.value = self.said.value = ""
            self.set_state("running")

    def hear(self, event: Event) -> None:
        """Take an event; draw at most seven times a second."""
        self.progress.note(event)
        self._throttle.offer("progress", self.progress.draw)

    def show_result(self, study: str, result: Any, drawing: Any, *, guess: str = "", source: str = "") -> None:
        """Show what a study found.

        Args:
            study: its name.
            result: what it found.
            drawing: its figure.
            guess: the learner's beside what was measured, a sentence or nothing.
            source: the file that it was read from, if it was.
        """
        from tl_widgets.plots.style import root_figure

        self._has_result = True
        said = [*([guess] if guess else []), *STUDIES[study].sentences(result)]
        images = dict.fromkeys(f"{data.name}, {data.image_size} pixels" for data in result.datasets)
        facts = "; ".join([*images, *([f"read from {source}"] if source else [])])
        paragraphs = "".join(f"<p>{escape(sentence)}</p>" for sentence in said)
        self.sentences.value = (
            f'<div class="tlw-verdict" role="status">{paragraphs}'
            f"<small>{escape(STUDIES[study].question)} · {escape(facts)}</small></div>"
        )
        width = round(root_figure(drawing).get_figwidth() * _PIXELS_PER_INCH)
        narrow = STUDIES[study].draw_narrow(result)
        self.figure.show(drawing, STUDIES[study].text(result), width, narrow=narrow)
        self.save_button.disabled = False

    def hide_result(self) -> None:
        """Show that something was measured, and not yet what: the guess comes first."""
        self._has_result = False
        self.save_button.disabled = True
        self.sentences.value = ""
        self.figure.value = empty("It has been measured. Keep your guess above, and it is shown here.")

    def finish(self, text: str) -> None:
        """Say how a run ended."""
        self._throttle.flush()
        self.progress.finish(text)

    def show_empty_stop(self) -> None:
        """Say that Stop came before anything was measured."""
        self.finish("Stopped before there was anything to show." + self._still_there)

    def show_error(self, error: Exception) -> None:
        """Say what went wrong in a run."""
        self._throttle.flush()
        self.message.value = error_alert(error)
        self.progress.clear()
        self.progress.say("Not finished." + self._still_there)

    @property
    def _still_there(self) -> str:
        return _STILL_THERE if self._has_result else ""
