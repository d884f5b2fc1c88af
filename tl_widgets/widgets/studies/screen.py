"""The widgets of StudyLab that show progress, messages and results.

From top to bottom: the cards of the studies, the buttons, the stage or another tab in its place, and the answer in one
sentence. Every part has a fixed height, so nothing moves when something appears: see layout.css.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ipywidgets import HTML, Button, Combobox, HBox, Tab, Text, VBox, Widget

from tl_widgets.core.events import Event
from tl_widgets.core.html import Markup, join, table
from tl_widgets.core.numbers import rough_duration
from tl_widgets.core.translation import _, pgettext
from tl_widgets.studies.registry import STUDIES
from tl_widgets.studies.study import StudyResult
from tl_widgets.widgets.shared.app import AppScreen
from tl_widgets.widgets.shared.cells import close_tree
from tl_widgets.widgets.shared.fields import STYLE, SureButton
from tl_widgets.widgets.shared.html import empty, note, page_file, style
from tl_widgets.widgets.shared.views import FigureView
from tl_widgets.widgets.studies.cards import sketch
from tl_widgets.widgets.studies.files import list_records
from tl_widgets.widgets.studies.findings import Finding
from tl_widgets.widgets.studies.form import StudyForm
from tl_widgets.widgets.studies.guess import GuessBox
from tl_widgets.widgets.studies.outcome import StudyOutcome
from tl_widgets.widgets.studies.own_model import OwnModelView
from tl_widgets.widgets.studies.progress import StudyProgress
from tl_widgets.widgets.studies.stage import StudyStage

if TYPE_CHECKING:
    from tl_widgets.studies.study import Drawing

_PIXELS_PER_INCH = 96
_FIRST = _("Guess, then press “Run”: each point drops in as soon as it is measured.")
_PICTURES = _("Press “Run”: then you see where both models look, their first filters, and how they arrange the images.")
_WAITING = _("The result is ready. Keep your guess on the left to see it here.")


class StudyScreen(AppScreen[StudyProgress]):
    """The widgets of StudyLab, which holds the state and calls these methods."""

    def __init__(
        self,
        form: StudyForm,
        guess: GuessBox,
        studies: Sequence[str],
        own_model: OwnModelView | None,
        forget: Callable[[], None],
    ) -> None:
        super().__init__(pgettext("button", "Run"), StudyProgress(), _(" The last result is still shown below."))
        tip = _("Measure what the stopped study lacks; its results so far stay")
        self.go_on_button = Button(description=_("Go on"), icon="forward", tooltip=tip, disabled=True)
        self.guess, self.sentences, self.figure = guess, HTML(), FigureView()
        self.stage, self.outcome = (
            StudyStage(form, guess, self.sentences),
            StudyOutcome(form.problem, self.message, self.progress, self.advice),
        )
        self._form, self._study, self._can_resume = form, "", False
        views: dict[str, Widget] = {
            _("Chart"): self.stage,
            _("Details"): self.sentences,
            _("Figure"): self.figure,
            _("Files"): self._files(forget),
        }
        if own_model is not None:
            views[_("My model")] = own_model
        self.tabs = Tab(list(views.values()), titles=list(views), selected_index=0)
        self.tabs.add_class("tlw-views")
        bar = HBox(
            [self.run_button, self.stop_button, self.go_on_button, form.paces, form.front, self.stage.more_button]
        )
        bar.add_class("tlw-controls")
        css = HTML(style() + f"<style>{page_file('lab/layout.css')}{page_file('studies/layout.css')}</style>")
        css.add_class("tlw-css")
        self.children = [css, self._head(studies), bar, self.tabs, self.outcome, self.state_mark]
        self.show_nothing()

    def _head(self, studies: Sequence[str]) -> Widget:
        if len(studies) > 1:
            return self._form.cards
        (study,) = studies
        head = Markup('<h3 class="tlw-heading tlw-study-head">{} {}</h3>')
        return HTML(head.format(sketch(study, 32), STUDIES[study].question))

    def _files(self, forget: Callable[[], None]) -> Widget:
        self.file = Text(description=_("File name"), style=STYLE)
        self.save_button = Button(description=_("Save"), icon="save", tooltip=_("Record and figure"), disabled=True)
        self.record = Combobox(description=_("Record"), placeholder=_("a .json that was saved"), style=STYLE)
        self.load_button = Button(description=_("Load"), tooltip=_("Show what a record says"))
        rows = [HBox([self.file, self.save_button]), HBox([self.record, self.load_button])]
        for row in rows:
            row.add_class("tlw-row")
        self.file_message, self._kept = HTML(), HTML()
        self.forget_button = SureButton(
            _("Forget all results"), _("Empty all cards, and delete what is kept"), lambda: _("Really forget?"), forget
        )
        return VBox([*rows, self.file_message, self._kept, self.forget_button])

    def show_kept(self, sentences: str) -> None:
        """Say where the results are kept."""
        self._kept.value = note(sentences)

    def suggest_name(self, study: str) -> None:
        """Suggest a file name for a study; a typed name stays until the study changes."""
        if study != self._study:
            self._study, self.file.value = study, f"study-{study}"

    def show_go_on(self, can_resume: bool, seconds: float | None) -> None:
        """Enable the Go on button, with its cost, if a stopped study can be resumed; hide it for those that can't."""
        self._can_resume = can_resume
        cost = f" · {rough_duration(seconds)}" if can_resume and seconds is not None else ""
        self.go_on_button.description = _("Go on{cost}", cost=cost)
        self.go_on_button.disabled = not can_resume or self.state == "running"
        self.go_on_button.layout.visibility = "visible" if STUDIES[self._form.settings.study].can_go_on else "hidden"

    def list_records(self) -> None:
        """Offer the records next to the notebook, newest first."""
        self.record.options = list_records()

    def show_running(self, running: bool) -> None:
        """Enable or disable the controls and buttons; show the chart when a run starts."""
        super().show_running(running)
        self._form.enabled = not running
        self.load_button.disabled = self.forget_button.disabled = running
        self.forget_button.reset()
        self.go_on_button.disabled = running or not self._can_resume
        self.save_button.disabled = running or not self.has_result
        self.outcome.show_running(running)
        if running:
            self.guess.start()
            self.file_message.value = ""
            self.tabs.selected_index = 0
        else:
            self.guess.end()

    def start(self, n_models: int, points: tuple[object, ...]) -> None:
        """Start a run, whose chart shows the points of the result that it resumes."""
        self.progress.start(n_models)
        self.stage.start(points)
        self.stage.draw()

    def on_event(self, event: Event) -> None:
        """Record an event, and redraw if enough time has passed."""
        if self.stage.add_event(event):
            self.throttle.offer("chart", self.stage.draw_so_far)
        super().on_event(event)

    def figure_of(self, study: str, result: StudyResult, drawing: Drawing) -> str:
        """Return the figure of a result as HTML."""
        from tl_widgets.plots.style import root_figure

        width = round(root_figure(drawing).get_figwidth() * _PIXELS_PER_INCH)
        view = FigureView()
        view.show(drawing, STUDIES[study].text(result), width, narrow=STUDIES[study].draw_narrow(result))
        html = str(view.value)
        close_tree(view)
        return html

    def show_finding(self, finding: Finding) -> None:
        """Show a result."""
        self.has_result = True
        study, result = STUDIES[finding.study], finding.result
        images = dict.fromkeys(
            _("{data_name}, {image_size} pixels", data_name=data.name, image_size=data.image_size)
            for data in result.datasets
        )
        source = [_("read from {source}", source=finding.source)] if finding.source else []
        time = [_("measured {time}", time=finding.time)] if finding.time else []
        facts = "; ".join([*images, *source, *time])
        guess = [finding.guess] if finding.guess else []
        paragraphs = join(Markup("<p>{}</p>").format(text) for text in [*guess, *study.sentences(result)])
        self.sentences.value = Markup('<div class="tlw-verdict" tabindex="0"><small>{} · {}</small>{}</div>{}').format(
            study.question, facts, paragraphs, _rows(result)
        )
        self.figure.value = finding.figure
        facts += _("; stopped early") if result.stopped else ""
        self.outcome.show(study.headline(result), finding.guess, f"{study.question} · {facts}")
        self.save_button.disabled = self.state == "running"
        self.stage.draw(result, with_guess=bool(finding.subject))

    def show_nothing(self, text: str = "") -> None:
        """Show the empty axes and a text, because the card has no result to show."""
        self.has_result = False
        self.save_button.disabled = True
        self.sentences.value = empty(_("After a run: what was found, sentence by sentence, and the numbers."))
        self.figure.value = empty(_("Press “Run”: the figure appears here."))
        self.outcome.show_text(text or (_FIRST if self.stage.has_chart else _PICTURES))
        self.stage.start()
        self.stage.draw()

    def hide_result(self) -> None:
        """Show that a result waits for the learner's guess."""
        self.show_nothing(_WAITING)
        self.figure.value = empty(_WAITING)

    def show_figure(self) -> None:
        """Switch to the figure, for a study without a chart."""
        self.tabs.selected_index = self.tabs.titles.index(_("Figure"))

    def finish(self, text: str) -> None:
        """Show how a run ended."""
        self.throttle.flush()
        self.progress.finish(text)

    def show_empty_stop(self) -> None:
        """Show that the run was stopped before there was anything to show."""
        self.finish(
            _(
                "Stopped before there was anything to show.{earlier_result_text}",
                earlier_result_text=self.earlier_result_text,
            )
        )

    def show_failed(self, text: str) -> None:
        """Show that a run failed."""
        self.progress.clear()
        self.progress.show_text(text)


def _rows(result: StudyResult) -> Markup:
    if not result.rows:
        return Markup("")
    head, *rows = result.rows
    return table(_("The numbers"), head, rows)
