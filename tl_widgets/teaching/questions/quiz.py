"""A multiple-choice question."""

from __future__ import annotations

from ipywidgets import HTML, Button

from tl_widgets.assignments.questions.quizzes import QUESTIONS
from tl_widgets.core.errors import InputError
from tl_widgets.core.translation import _
from tl_widgets.teaching.box import PlainBox
from tl_widgets.teaching.questions.page import QuestionPage, answers
from tl_widgets.widgets.shared.html import escape, style


class Quiz(PlainBox):
    """A multiple-choice question of the tutorial, with an explanation of each answer.

    jupyterquiz 2.9.6 isn't an alternative. Its output is a script with random ids, which shows nothing without a
    browser and can't be compared in a test. It lacks roles and live regions for screen readers, and it loads MathJax
    from the network.

    Args:
        name: A key of `QUESTIONS`.

    Raises:
        InputError: There is no such question.
    """

    def __init__(self, name: str) -> None:
        if name not in QUESTIONS:
            raise InputError(
                _(
                    "There is no question {name!r}. The questions are {questions}.",
                    name=name,
                    questions=", ".join(QUESTIONS),
                )
            )
        self.question = QUESTIONS[name]
        texts = [option.text for option in self.question.options]
        self.choice = answers(texts)
        self.button = Button(description=_("Check my answer"))
        self.button.on_click(lambda _: self._check())
        self._feedback = HTML()
        title = _("Question.")
        heading = HTML(f"{style()}<p><b>{title}</b> {escape(self.question.text)}</p>")
        super().__init__([heading, self.choice, self.button, self._feedback])
        self._leave("")

    @property
    def feedback(self) -> str:
        """The reply to the chosen answer: whether it is right, and why."""
        chosen = next((option for option in self.question.options if option.text == self.choice.value), None)
        if chosen is None:
            return _("Choose an answer first.")
        return _("Right. {why}", why=chosen.why) if chosen.is_right else _("Not quite. {why}", why=chosen.why)

    def _check(self) -> None:
        self._feedback.value = f'<div class="tlw-live" role="status">{escape(self.feedback)}</div>'
        self._leave(self.feedback)

    def _leave(self, feedback: str) -> None:
        page = QuestionPage(_("Question."), self.question.text)
        page.add_answers(self.choice)
        page.add(feedback)
        self.paper.replace(page.html, page.text)
