"""The question that a learner answers before the result is shown."""

from __future__ import annotations

from collections.abc import Callable

from ipywidgets import HTML, Button, HBox, VBox

from tl_widgets.core.translation import _
from tl_widgets.studies.guess import Guess
from tl_widgets.studies.stage_guess import GuessMarks
from tl_widgets.studies.study import StudyResult
from tl_widgets.widgets.shared.fields import menu_widget
from tl_widgets.widgets.shared.html import alert, escape

_NOTHING_CHOSEN = _("choose …")
_Asked = tuple[str, tuple[str, ...]]  # a question and its options


class GuessBox(VBox):
    """A question with a menu of answers, hidden if there is nothing to guess.

    Args:
        on_choose: called when another answer is chosen.
        on_keep: called when the answer is kept.
    """

    def __init__(self, on_choose: Callable[[], None], on_keep: Callable[[], None]) -> None:
        self._on_choose, self._on_keep = on_choose, on_keep
        self._guesses: dict[str, str] = {}
        self._seen: set[str] = set()  # subjects whose result was shown
        self._last: dict[_Asked, str] = {}  # what the learner chose last
        self._kept: dict[_Asked, str] = {}  # the subject for which a guess was kept last
        self._guess: Guess | None = None
        self._running = False
        self._question, self._line = HTML(), HTML()
        self.field = menu_widget(_("My guess"), _("What do you expect?"), [])
        self.button = Button(description=_("Keep my guess"))
        self.button.on_click(lambda _: self._keep())
        row = HBox([self.field, self.button])
        super().__init__([self._question, row, self._line])
        self.add_class("tlw-guess")
        self.field.observe(lambda _: self._chosen(), "value")
        self.layout.display = "none"

    def ask(self, guess: Guess | None) -> None:
        """Show a question, or hide the box if there is none.

        A guess stays as long as its question and options do; kept, it stays kept until its answer was shown.
        """
        self.layout.display = "none" if guess is None else ""
        is_same = guess is not None and self._guess is not None and guess.subject == self._guess.subject
        self._guess = guess
        if guess is None or is_same:  # the learner may be choosing an answer
            return
        self._question.value = _("<p><b>Your guess first.</b> {question}</p>", question=escape(guess.question))
        asked, subject = (guess.question, guess.options), guess.subject
        chosen = self._last.get(asked, _NOTHING_CHOSEN)
        if subject not in self._seen and self._kept.get(asked, subject) not in {subject, *self._seen}:
            self._guesses.setdefault(subject, self._guesses[self._kept[asked]])
            self._kept[asked] = subject
        self.field.options = [_NOTHING_CHOSEN, *guess.options]
        self.field.value = self._guesses.get(subject, _NOTHING_CHOSEN if subject in self._seen else chosen)
        self._last[asked] = chosen
        self._show()

    def choose(self, place: int) -> None:
        """Choose an answer by its place, as a click on the axes does."""
        if self._guess is not None and self.is_open:
            self.field.value = self._guess.options[place]

    @property
    def is_open(self) -> bool:
        """Whether the guess can still be changed. Once kept, it can't: the answer may be visible."""
        subject = self._guess.subject if self._guess else ""
        return bool(subject) and not self._running and subject not in self._guesses and subject not in self._seen

    def marks(self, result: StudyResult | None) -> GuessMarks | None:
        """Return the answers on the axes of the study's chart; None if they have no place there."""
        guess = self._guess
        if guess is None or not guess.axis:
            return None
        options = tuple(zip(guess.options, guess.spans(result), strict=True))
        return GuessMarks(guess.axis, options, str(self.field.value), self.is_open)

    def start(self) -> None:
        """Keep the chosen answer, because a run starts, and allow no other until it has ended."""
        if self.is_open and self.field.value != _NOTHING_CHOSEN and self._guess is not None:
            self._keep_chosen(self._guess)
        self._running = True
        self._show()

    def end(self) -> None:
        """Allow a guess again, unless its answer was shown."""
        self._running = False
        self._show()

    def close_subject(self, guess: Guess) -> None:
        """Allow no guess any more about what was shown."""
        self._seen.add(guess.subject)
        self._show()

    def take_up(self, guess: Guess, place: int) -> None:
        """Keep the answer at this place, which the learner gave in an earlier kernel."""
        if 0 <= place < len(guess.options) and guess.subject not in self._guesses:
            self._guesses[guess.subject] = guess.options[place]
            if self._guess is not None and self._guess.subject == guess.subject:
                self.field.value = guess.options[place]
                self._show()

    def place(self, guess: Guess) -> int | None:
        """Return the place of the guess that was kept about this subject, or None."""
        kept = self.kept_guess(guess)
        return guess.options.index(kept) if kept in guess.options else None

    def forget(self) -> None:
        """Ask again, as if nothing had been guessed or shown."""
        for kept in (self._guesses, self._last, self._kept):
            kept.clear()
        self._seen.clear()
        guess, self._guess = self._guess, None
        self.ask(guess)

    def kept_guess(self, guess: Guess) -> str | None:
        """Return the guess that was kept about this subject, or None."""
        return self._guesses.get(guess.subject)

    def sentence(self, guess: Guess, result: StudyResult) -> str:
        """Return a sentence that compares the guess with the result; "" without a guess."""
        guessed, measured = self.kept_guess(guess), guess.answer(result)
        if guessed is None:
            return ""
        end = (
            _(", and that is right")
            if guessed == measured
            else _("; the result is “{measured}”", measured=measured)
            if measured
            else ""
        )
        return _("You guessed “{guessed}”{end}.", guessed=guessed, end=end)

    def _chosen(self) -> None:
        if self.field.value is not None:
            if self._guess is not None:
                self._last[self._guess.question, self._guess.options] = self.field.value
            self._line.value = ""
            self._on_choose()

    def _keep(self) -> None:
        if self._guess is None or self.field.value == _NOTHING_CHOSEN:
            self._line.value = alert(_("Choose an answer first."))
            return
        self._keep_chosen(self._guess)
        self._show()
        self._on_keep()

    def _keep_chosen(self, guess: Guess) -> None:
        self._guesses[guess.subject] = self.field.value
        self._kept[guess.question, guess.options] = guess.subject

    def _show(self) -> None:
        subject = self._guess.subject if self._guess else ""
        self.field.disabled = self.button.disabled = not self.is_open
        kept = _('<p role="status" class="tlw-note">Your guess is kept.</p>')
        late = _('<p class="tlw-note">The result was here before a guess.</p>') if subject in self._seen else ""
        self._line.value = kept if subject in self._guesses else late
