"""The question that a learner answers before the result is shown."""

from __future__ import annotations

from collections.abc import Callable

from ipywidgets import HTML, Button, HBox, VBox

from tl_widgets.studies.study import Guess, StudyResult
from tl_widgets.widgets.shared.fields import menu_widget
from tl_widgets.widgets.shared.html import alert, escape

_NOTHING_CHOSEN = "choose …"


class GuessBox(VBox):
    """A question with a menu of answers, hidden if there is nothing to guess."""

    def __init__(self, on_keep: Callable[[], None]) -> None:
        self._on_keep = on_keep
        self._guesses: dict[str, str] = {}
        self._subject = ""
        self._question, self._line = HTML(), HTML()
        self.field = menu_widget("My guess", "What the mistake will do", [])
        self.button = Button(description="Keep my guess")
        self.button.on_click(lambda _: self._keep())
        row = HBox([self.field, self.button])
        row.add_class("tlw-row")
        super().__init__([self._question, row, self._line])
        self.add_class("tlw-guess")
        self.layout.display = "none"

    def ask(self, guess: Guess | None) -> None:
        """Show a question, or hide the box if there is none."""
        self.layout.display = "none" if guess is None else ""
        if guess is None:
            return
        if guess.subject == self._subject:
            return  # the learner may be choosing an answer
        self._subject = guess.subject
        self._question.value = f"<p><b>Your guess first.</b> {escape(guess.question)}</p>"
        self.field.options = [_NOTHING_CHOSEN, *guess.options]
        self.field.value = self._guesses.get(guess.subject, _NOTHING_CHOSEN)
        self._show()

    def kept_guess(self, guess: Guess) -> str | None:
        """Return the guess that was kept about this subject, or None."""
        return self._guesses.get(guess.subject)

    def sentence(self, guess: Guess, result: StudyResult) -> str:
        """Return a sentence that compares the guess with the result; "" without a guess."""
        guessed, measured = self.kept_guess(guess), guess.answer(result)
        if guessed is None:
            return ""
        end = ", and that is right" if guessed == measured else f"; the result is “{measured}”"
        return f"You guessed “{guessed}”{end}."

    def _keep(self) -> None:
        if self.field.value == _NOTHING_CHOSEN:
            self._line.value = alert("Choose an answer first.")
            return
        self._guesses[self._subject] = self.field.value
        self._show()
        self._on_keep()

    def _show(self) -> None:
        # Once kept, a guess cannot be changed: the answer may be visible.
        is_kept = self._subject in self._guesses
        self.field.disabled = self.button.disabled = is_kept
        self._line.value = '<p role="status" class="tlw-note">Your guess is kept.</p>' if is_kept else ""
