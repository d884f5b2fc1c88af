"""A prediction with a reason, which a learner makes before the measurement."""

from __future__ import annotations

import numpy as np
from ipywidgets import HTML

from tl_widgets.assignments.questions.predictions import PREDICTIONS
from tl_widgets.core.errors import InputError
from tl_widgets.core.translation import _
from tl_widgets.teaching.box import PlainBox
from tl_widgets.teaching.questions.page import QuestionPage, answers
from tl_widgets.teaching.show import say
from tl_widgets.widgets.shared.html import escape, style

_kept: dict[str, tuple[str | None, str | None]] = {}  # by question; a cell that runs again keeps its choice


class Prediction(PlainBox):
    """A question with answers and reasons to choose from, before anything is measured.

        prediction = Prediction("who_wins")
        prediction                      # the last line of a cell shows it
        prediction.reveal("transfer")   # in a later cell: compares prediction and reason with the measurement

    Args:
        name: A key of `PREDICTIONS`.

    Raises:
        InputError: There is no such question.
    """

    def __init__(self, name: str) -> None:
        if name not in PREDICTIONS:
            raise InputError(
                _(
                    "There is no prediction {name!r}. There are {predictions}.",
                    name=name,
                    predictions=", ".join(PREDICTIONS),
                )
            )
        self._asked = PREDICTIONS[name]
        answer, reason = _kept.get(name, (None, None))
        self.answer = answers(tuple(self._asked.answers), answer)
        self.because = answers(tuple(self._asked.reasons), reason)
        for field in (self.answer, self.because):
            field.observe(lambda _: self._keep(name), "value")
        self._line = HTML()
        heading = HTML(
            _("{style}<p><b>Your prediction.</b> {asked_text}</p>", style=style(), asked_text=escape(self._asked.text))
        )
        because = HTML(_("<p><b>Because …</b></p>"))
        super().__init__([heading, self.answer, because, self.because, self._line])
        self._outcome = ""
        self._keep(name)

    def reveal(self, measured: str | bool | float | None) -> None:
        """Print the prediction and its reason beside the measurement, and a comment on the reason.

        Without a prediction, a common one takes its place.

        Args:
            measured: One of the answers; True for the second of two and False for the first; None, for a comparison
                without a winner, for "too close to call"; a number for the nearest answer.

        Raises:
            InputError: It isn't one of them.
        """
        if measured is None:
            measured = _("too close to call")
        elif isinstance(measured, (bool, np.bool_)):
            measured = self._asked.answers[int(measured)]
        elif not isinstance(measured, str):
            measured = self._nearest(float(measured))
        if measured not in self._asked.answers:
            raise InputError(
                _(
                    "The measurement must be one of {answers}; received {measured!r}.",
                    answers=", ".join(self._asked.answers),
                    measured=measured,
                )
            )
        answer, reason = self.answer.value, self.because.value
        told = _("Measured: {measured}.", measured=measured)
        say(told)
        if answer is None or reason is None:
            answer, reason = self._asked.example
            say(_("A common prediction is “{answer}”, because “{reason}”.", answer=answer, reason=reason))
            say(self._comment(measured, answer, reason))
            return
        say(_("You predicted “{answer}”, because “{reason}”.", answer=answer, reason=reason))
        comment = self._comment(measured, answer, reason)
        say(comment)
        self._outcome = f"{told} {comment}"
        self._show()

    def _comment(self, measured: str, answer: str, reason: str) -> str:
        came_true = _("That came true.") if answer == measured else _("That isn't what happened.")
        return _("{came_true} About the reason: {reason}", came_true=came_true, reason=self._asked.reasons[reason])

    def _nearest(self, measured: float) -> str:
        if not self._asked.values:
            raise InputError(
                _(
                    "The measurement must be one of {answers}; received {measured}.",
                    answers=", ".join(self._asked.answers),
                    measured=measured,
                )
            )
        distances = [abs(value - measured) for value in self._asked.values]
        return self._asked.answers[distances.index(min(distances))]

    def _keep(self, name: str) -> None:
        _kept[name] = self.answer.value, self.because.value
        self._outcome = ""  # of another prediction
        self._show()

    def _show(self) -> None:
        is_made = None not in (self.answer.value, self.because.value)
        line = _("Your prediction is kept.") if is_made else _("Choose an answer and a reason.")
        self._line.value = f'<p role="status">{line}</p>'
        page = QuestionPage(_("Your prediction."), self._asked.text)
        page.add_answers(self.answer)
        page.add("Because …")
        page.add_answers(self.because)
        page.add(self._outcome)
        self.paper.replace(page.html, page.text)
