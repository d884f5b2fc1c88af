"""Quiz: one question, a few answers, and for each an explanation.

A few lines of ipywidgets. jupyterquiz 2.9.6 was looked at: its output is a script with random ids, so it shows
nothing without a kernel's browser, cannot be compared by a test, says nothing to screen readers (no role, no
live region) and fetches MathJax from the network.
"""

from __future__ import annotations

from ipywidgets import HTML, Button, RadioButtons

from tl_widgets.core.errors import InputError
from tl_widgets.teaching.plain import PlainBox
from tl_widgets.teaching.questions import QUESTIONS, Question
from tl_widgets.widgets.shared.html import escape, style


class Quiz(PlainBox):
    """A multiple-choice question of the tutorial.

    Args:
        name: which, a key of `QUESTIONS`.

    Raises:
        InputError: there is no such question.
    """

    def __init__(self, name: str) -> None:
        if name not in QUESTIONS:
            raise InputError(f"There is no question {name!r}; there are {', '.join(QUESTIONS)}.")
        self.question = QUESTIONS[name]
        texts = [option.text for option in self.question.options]
        self.choice = RadioButtons(options=texts, value=None, layout={"width": "auto", "height": "auto"})
        self.choice.add_class("tlw-quiz")
        self.button = Button(description="Check my answer")
        self.button.on_click(lambda _: self._check())
        self._feedback = HTML()
        # ipywidgets cuts the labels of radio buttons off at one line.
        css = "<style>.tlw-quiz label{white-space:normal;height:auto;line-height:1.4;padding:2px 0;display:flex;"
        # The button comes after its text there and floats: beside the last line of it, not the first.
        css += "flex-direction:row-reverse;justify-content:flex-end;align-items:start}</style>"
        heading = HTML(f"{style()}{css}<p><b>Question.</b> {escape(self.question.text)}</p>")
        super().__init__([heading, self.choice, self.button, self._feedback], _as_text(self.question))

    @property
    def feedback(self) -> str:
        """What is said to the chosen answer, a text; "" before one is checked."""
        chosen = next((option for option in self.question.options if option.text == self.choice.value), None)
        if chosen is None:
            return "Choose an answer first."
        return f"{'Right' if chosen.is_right else 'Not quite'}. {chosen.why}"

    def _check(self) -> None:
        self._feedback.value = f'<div class="tlw-live" role="status">{escape(self.feedback)}</div>'


def _as_text(question: Question) -> str:
    return "\n".join([f"Question. {question.text}", *(f"  ( ) {option.text}" for option in question.options)])
