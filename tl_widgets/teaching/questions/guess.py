"""A question that the learner answers with a guess before the measurement."""

from __future__ import annotations

from collections.abc import Sequence

from ipywidgets import HTML, Button, Dropdown, HBox, Text

from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import count_text, number_text, typed_number
from tl_widgets.core.translation import _
from tl_widgets.teaching.box import PlainBox
from tl_widgets.teaching.questions.page import QuestionPage
from tl_widgets.teaching.show import say
from tl_widgets.widgets.shared.html import escape, style

Answer = float | str
_NOTHING_CHOSEN = "choose …"
_kept: dict[str, Answer] = {}  # by question; a cell that runs again keeps its guess


class Guess(PlainBox):
    """A question with a field for the learner's guess.

    It doesn't block: Run All continues without a guess.

        guess = Guess("How many of 100 pictures will it get right?", unit="of 100")
        guess                 # the last line of a cell shows it
        guess.reveal(91)      # in a later cell: prints guess and measurement, and shows them in the widget

    Args:
        question: A sentence.
        unit: The unit after each number: "%", "parameters".
        low: The smallest number that makes sense.
        high: The largest one; None for no limit.
        options: Answers to choose from, for a question that isn't about a number.

    Attributes:
        guess: The learner's guess; None before one is kept.
        measured: The measurement; None before it is revealed.
    """

    def __init__(
        self,
        question: str,
        *,
        unit: str = "",
        low: float = 0,
        high: float | None = None,
        options: Sequence[str] = (),
    ) -> None:
        self.question, self.options = question, tuple(options)
        self._unit, self._low, self._high = unit, low, high
        self.guess: Answer | None = _kept.get(question)
        self.measured: Answer | None = None
        wide = {"description_width": "initial"}
        if self.options:
            choices = [_NOTHING_CHOSEN, *self.options]
            self.field = Dropdown(
                options=choices, value=self.guess or _NOTHING_CHOSEN, description=_("My guess"), style=wide
            )
        else:
            shown = "" if self.guess is None else _number(float(self.guess))
            placeholder = _("a number, in {unit}", unit=unit) if unit else _("a number")
            self.field = Text(shown, description=_("My guess"), placeholder=placeholder, style=wide)
        self.button = Button(description=_("Keep my guess"))
        self.button.on_click(lambda _: self._keep_field())
        self._line = HTML()
        row = HBox([self.field, self.button])
        row.add_class("tlw-row")
        heading = HTML(_("{style}<p><b>Your guess first.</b> {question}</p>", style=style(), question=escape(question)))
        super().__init__([heading, row, self._line])
        self._show()

    def keep(self, guess: Answer) -> None:
        """Keep a guess, as the button does.

        Args:
            guess: A number, or one of the options.

        Raises:
            InputError: The guess isn't a number within the limits, or isn't one of the options.
        """
        if self.options:
            if guess not in self.options:
                raise InputError(_("Choose one of: {options}.", options=", ".join(self.options)))
            kept: Answer = str(guess)
        else:
            kept = self._checked_number(guess)
        self.guess = _kept[self.question] = kept
        self._show()

    def reveal(self, measured: Answer) -> None:
        """Show and print the guess beside the measurement.

        Args:
            measured: A number in the unit of the question, or one of the options.
        """
        self.measured = measured
        self._show()
        say(self.sentence)

    @property
    def sentence(self) -> str:
        """Guess and measurement in words."""
        if self.measured is None:
            return (
                ""
                if self.guess is None
                else _("Your guess is kept: {with_unit}.", with_unit=self._with_unit(self.guess))
            )
        measured = _("Measured: {measured}.", measured=self._with_unit(self.measured))
        if self.guess is None:
            return _("{measured} No guess yet.", measured=measured)
        return _(
            "{measured} You guessed {with_unit}: {distance}.",
            measured=measured,
            with_unit=self._with_unit(self.guess),
            distance=self._distance(self.guess, self.measured),
        )

    def _keep_field(self) -> None:
        try:
            if self.options and self.field.value == _NOTHING_CHOSEN:
                raise InputError(_("Choose an answer first."))
            self.keep(self.field.value)
        except InputError as error:
            self._line.value = f'<div class="tlw-alert" role="alert">{escape(error)}</div>'

    def _checked_number(self, guess: Answer) -> float:
        limits = _("from {number}", number=_number(self._low)) + (
            _(" to {number}", number=_number(self._high)) if self._high is not None else _(" up")
        )
        try:
            number = typed_number(str(guess).strip().removesuffix(self._unit))
        except ValueError:
            raise InputError(_("Type a number {limits}; “{guess}” is not one.", limits=limits, guess=guess)) from None
        if not self._low <= number <= (float("1e15") if self._high is None else self._high):
            raise InputError(_("Type a number {limits}; {guess} is outside this range.", limits=limits, guess=guess))
        return number

    def _with_unit(self, answer: Answer) -> str:
        if isinstance(answer, str):
            return answer
        return f"{_number(answer)} {self._unit}".strip()

    def _distance(self, guess: Answer, measured: Answer) -> str:
        if isinstance(guess, str) or isinstance(measured, str):
            return _("right") if guess == measured else _("not what happened")
        if abs(guess - measured) <= 0.02 * abs(measured):
            return _("right, or nearly")
        small, large = sorted((guess, measured))
        if small > 0 and large >= 3 * small:
            times = large / small
            if guess < measured:
                return _("{times:.0f} times too low", times=times)
            return _("{times:.0f} times too high", times=times)
        number = _number(large - small)
        return _("{number} too low", number=number) if guess < measured else _("{number} too high", number=number)

    def _show(self) -> None:
        shown = self.sentence
        if self.guess is None and self.measured is not None:  # after Run All: don't give it away
            shown = _("It has been measured already. Keep a guess, and you see both here.")
        self._line.value = f'<p role="status">{escape(shown)}</p>' if shown else ""
        page = QuestionPage(_("Your guess first."), self.question)
        page.add("" if self.guess is None else self.sentence)
        self.paper.replace(page.html, page.text)


def _number(value: float) -> str:
    """Format a number as people write it: 291,405, or 91.1, or 0.3."""
    if float(value).is_integer() or abs(value) >= 1000:
        return count_text(round(value))
    return number_text(value, ".1f" if abs(value) >= 1 else ".2g")
