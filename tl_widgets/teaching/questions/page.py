"""Answers to choose from, and a question on paper."""

from __future__ import annotations

from collections.abc import Sequence

from ipywidgets import RadioButtons

from tl_widgets.core.html import Markup


def answers(texts: Sequence[str], chosen: str | None = None) -> RadioButtons:
    """Return answers of which one can be chosen, however long they are."""
    field = RadioButtons(options=list(texts), value=chosen, layout={"width": "auto", "height": "auto"})
    field.add_class("tlw-quiz")  # see lab.css
    return field


class QuestionPage:
    """A question on paper: its answers, the one that was chosen, and the reply.

    Args:
        heading: What kind of question it is.
        question: The question.
    """

    def __init__(self, heading: str, question: str) -> None:
        self.html = Markup("<p><b>{}</b> {}</p>").format(heading, question)
        self.text = f"{heading} {question}"

    def add_answers(self, field: RadioButtons) -> None:
        """Add the answers to choose from, with a mark at the chosen one."""
        lines = [("●" if text == field.value else "○", text) for text in field.options]
        self.html += Markup("<p>{}</p>").format(Markup("<br>").join(f"{mark} {text}" for mark, text in lines))
        self.text += "".join(f"\n  ({'x' if mark == '●' else ' '}) {text}" for mark, text in lines)

    def add(self, sentence: str) -> None:
        """Add a paragraph; nothing for an empty one."""
        if sentence:
            self.html += Markup("<p>{}</p>").format(sentence)
            self.text += f"\n{sentence}"
