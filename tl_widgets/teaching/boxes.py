"""Widgets that only the notebooks use: parameter counts, backbones, and quizzes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ipywidgets import HTML, Button, Checkbox, Dropdown, HBox, RadioButtons, VBox

from tl_widgets.backbones.catalogue import list_backbones
from tl_widgets.backbones.family import Backbone
from tl_widgets.core.config import Config, ScratchSpec
from tl_widgets.core.errors import InputError
from tl_widgets.core.html import Markup
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import count_text
from tl_widgets.records.parameters import LayerRow, ParameterCount, count_rows, scratch_ledger
from tl_widgets.teaching.questions import QUESTIONS
from tl_widgets.widgets.lab.panel import ControlPanel
from tl_widgets.widgets.shared.cells import close_previous_apps, close_tree
from tl_widgets.widgets.shared.html import escape, style, table
from tl_widgets.widgets.shared.keys import KeyGuard
from tl_widgets.widgets.shared.paper import Paper
from tl_widgets.widgets.shared.settings import LabSettings
from tl_widgets.widgets.shared.views import LedgerView, ledger_table

_ORDERS: dict[str, tuple[Callable[[Backbone], Any], bool]] = {
    "accuracy, best first": (lambda backbone: backbone.top1_pct or 0.0, True),
    "size, smallest first": (lambda backbone: backbone.download_mb or 1e9, False),
    "parameters, fewest first": (lambda backbone: backbone.n_params or 10**12, False),
    "smallest input, smallest first": (lambda backbone: backbone.min_input or 10**6, False),
    "name": (lambda backbone: backbone.name.lower(), False),
}


class PlainBox(VBox):
    """A VBox that leaves something to read where no kernel runs.

    Args:
        children: its parts.
        note: what stands above its paper; "" if the paper says everything.

    Attributes:
        paper: what it leaves. Subclasses fill it.
    """

    def __init__(self, children: list[Any], note: str = "") -> None:
        super().__init__([*children, KeyGuard()])
        self._note = note
        self.paper = Paper()
        self.add_class("tlw")
        self.layout.margin = "6px 0"
        close_previous_apps(self)

    def close(self) -> None:
        """Remove the widget and all its parts."""
        close_tree(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:  # noqa: ARG002 - IPython's signature
        bundle: Any = super()._repr_mimebundle_()
        bundle.pop("text/plain", None)
        return {**bundle, "text/plain": self._note} if self._note else bundle

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self._repr_mimebundle_(), raw=True)
        self.paper.display()


class CountPanel(PlainBox):
    """Controls of an untrained network from scratch, with its layers and parameters.

    Args:
        spec: The network that is shown first.
        image_size: The side of its images in pixels.
    """

    def __init__(self, spec: ScratchSpec | None = None, *, image_size: int = 128) -> None:
        settings = LabSettings("faces", image_size, config=Config(scratch=spec or ScratchSpec()))
        names = ["image_size", "blocks", "filters", "kernel_sizes", "pooling", "head", "dense_units"]
        self.panel = ControlPanel(settings, show=names)
        self.ledger = LedgerView([ModelName.SCRATCH])
        note = "Controls for blocks, filters and kernel sizes, with the parameter count (needs a live notebook)"
        super().__init__([self.panel, self.ledger], note)
        self.panel.follow(self._show)

    @property
    def spec(self) -> ScratchSpec:
        """The network that the controls show."""
        return self.panel.settings.config.scratch

    @property
    def count(self) -> ParameterCount:
        """The number of its parameters, with one sigmoid unit at the end."""
        return count_rows(self._rows)

    @property
    def _rows(self) -> tuple[LayerRow, ...]:
        size = self.panel.settings.image_size
        return scratch_ledger((size, size, 3), 2, self.spec)

    def _show(self, settings: LabSettings) -> None:
        self.ledger.show_settings(settings)
        try:
            rows = self._rows
        except InputError as error:
            self.paper.show((str(error),))
            return
        layers = [f"{row.layer}: {count_text(row.n_params)}" for row in rows]
        lines = ["Parameters:", *layers, f"Total: {count_text(count_rows(rows).total)}"]
        self.paper.replace(ledger_table(ModelName.SCRATCH, rows), "\n".join(lines))


class BackboneTable(PlainBox):
    """A table of all backbones, with menus that sort and filter it."""

    def __init__(self) -> None:
        wide = {"description_width": "initial"}
        self.order = Dropdown(options=list(_ORDERS), description="Sort by", style=wide)
        self.only_offline = Checkbox(False, description="only those that are on this machine", indent=False)
        self._table = HTML()
        for field in (self.order, self.only_offline):
            field.observe(lambda _: self._show(), "value")
        row = HBox([self.order, self.only_offline])
        row.add_class("tlw-row")
        note = f"A table of {len(list_backbones())} backbones to sort (needs a live notebook)"
        super().__init__([HTML(style()), row, self._table], note)
        self._show()

    @property
    def rows(self) -> list[Backbone]:
        """The backbones that are shown, in this order."""
        key, is_reversed = _ORDERS[self.order.value]
        shown = [backbone for backbone in list_backbones() if backbone.offline or not self.only_offline.value]
        return sorted(shown, key=key, reverse=is_reversed)

    def _show(self) -> None:
        head = [
            "Backbone",
            "Weights",
            "Right on ImageNet",
            "Parameters without top",
            "Features",
            "Smallest input",
            "Here?",
        ]
        rows = [
            [
                backbone.name,
                f"{backbone.download_mb:.0f} MB" if backbone.download_mb else "–",
                f"{backbone.top1_pct:.1f} %" if backbone.top1_pct else "–",
                count_text(backbone.n_params) if backbone.n_params else "–",
                count_text(backbone.feature_width) if backbone.feature_width else "–",
                f"{backbone.min_input} px" if backbone.min_input else "–",
                "yes" if backbone.offline else "to download",
            ]
            for backbone in self.rows
        ]
        caption = f"{len(rows)} backbones, sorted by {self.order.value}"
        inner = table(caption, head, rows, numeric=(1, 2, 3, 4, 5))
        self._table.value = f'<div style="max-height:360px;overflow:auto" tabindex="0">{inner}</div>'
        self.paper.replace(inner, caption)


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
            raise InputError(f"There is no question {name!r}. The questions are {', '.join(QUESTIONS)}.")
        self.question = QUESTIONS[name]
        texts = [option.text for option in self.question.options]
        self.choice = answers(texts)
        self.button = Button(description="Check my answer")
        self.button.on_click(lambda _: self._check())
        self._feedback = HTML()
        heading = HTML(f"{style()}<p><b>Question.</b> {escape(self.question.text)}</p>")
        super().__init__([heading, self.choice, self.button, self._feedback])
        self._leave("")

    @property
    def feedback(self) -> str:
        """The reply to the chosen answer: whether it is right, and why."""
        chosen = next((option for option in self.question.options if option.text == self.choice.value), None)
        if chosen is None:
            return "Choose an answer first."
        return f"{'Right' if chosen.is_right else 'Not quite'}. {chosen.why}"

    def _check(self) -> None:
        self._feedback.value = f'<div class="tlw-live" role="status">{escape(self.feedback)}</div>'
        self._leave(self.feedback)

    def _leave(self, feedback: str) -> None:
        page = QuestionPage("Question.", self.question.text)
        page.add_answers(self.choice)
        page.add(feedback)
        self.paper.replace(page.html, page.text)
