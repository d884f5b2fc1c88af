"""PredictionsView, pages of test images with every model's answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ipywidgets import HTML, Button, VBox

from tl_widgets.core.translation import _
from tl_widgets.data.dataset import Images
from tl_widgets.data.memmap_images import IndexedImages
from tl_widgets.records.answers import comparable_runs, confident_mistakes, disagreements, interleave_classes
from tl_widgets.records.comparison import Comparison, RunResult
from tl_widgets.widgets.lab.answers import AnswerView
from tl_widgets.widgets.shared.fields import menu_widget, row
from tl_widgets.widgets.shared.html import empty, note

IMAGES_PER_PAGE = 24
_DISAGREEMENTS, _MISTAKES, _ALL = "disagreements", "mistakes", "all"
_CHOICES = (
    (_("where the models disagree"), _DISAGREEMENTS),
    (_("the most confident mistakes"), _MISTAKES),
    (_("all test images"), _ALL),
)


class PredictionsView(VBox):
    """Test images with the models' answers: where they disagree, the most confident mistakes, or all."""

    def __init__(self) -> None:
        self.choice = menu_widget(_("Show"), _("Which test images"), _CHOICES)
        self.back_button = Button(description=_("Previous page"), icon="arrow-left")
        self.next_button = Button(description=_("Next page"), icon="arrow-right")
        self._row = row(self.choice, self.back_button, self.next_button)
        self._text, self.closely = HTML(), AnswerView()
        self._tested: tuple[RunResult, ...] = ()
        self._images: Images | IndexedImages | None = None
        self._page = 0
        super().__init__([self.closely, self._row, self._text])
        self.choice.observe(self._turn_to_first, "value")
        self.back_button.on_click(lambda _: self._turn(-1))
        self.next_button.on_click(lambda _: self._turn(1))
        self.show(None, None)

    def show(
        self, comparison: Comparison | None, images: Images | IndexedImages | None, number: int | None = None
    ) -> None:
        """Show the answers.

        Args:
            comparison: whose answers; None if there is none yet.
            images: its test images, uint8, shape (n_test, height, width, 3); None if they are not available.
            number: of the comparison's run, if there are several.
        """
        self._run = _("Run {n}: ", n=number) if number else ""
        self._tested = tuple(run for run in comparison.runs if run.labels) if comparison is not None else ()
        self._images = images
        self._page = 0
        self.closely.clear()
        self._row.layout.display = "" if self._tested and images is not None else "none"
        if not self._tested:
            untrained = _("After training: test images with the models' answers.")
            self._text.value = empty(untrained if comparison is None else _("No model has been tested yet."))
        elif images is None:
            self._text.value = empty(_("The images of this run are not available, so there is nothing to look at."))
        else:
            self._draw()

    def look_at(self, comparison: Comparison, images: Images | IndexedImages, row: int) -> None:
        """Show one test image closely, above the others."""
        self.closely.show(comparison, images, row)

    def _turn_to_first(self, _: dict[str, Any]) -> None:
        self._page = 0
        self._draw()

    def _turn(self, n_pages: int) -> None:
        self._page += n_pages
        self._draw()

    def _draw(self) -> None:
        from tl_widgets.plots.images import cards  # Matplotlib is slow to import, and a new Lab needs no figure

        if not self._tested or self._images is None:
            return
        rows, text = _chosen(self.choice.value, self._tested)
        n_pages = max(1, -(-len(rows) // IMAGES_PER_PAGE))
        self._page = min(max(self._page, 0), n_pages - 1)
        self.back_button.disabled = self._page == 0
        self.next_button.disabled = self._page == n_pages - 1
        where = _(" Page {page} of {n_pages}.", page=self._page + 1, n_pages=n_pages) if n_pages > 1 else ""
        shown = rows[self._page * IMAGES_PER_PAGE : (self._page + 1) * IMAGES_PER_PAGE]
        line = note(self._run + text + where)
        self._text.value = f"{line}{cards(self._images, shown, self._tested) if shown else ''}"


def _chosen(kind: str, tested: Sequence[RunResult]) -> tuple[tuple[int, ...], str]:
    """Return the rows to show, in order, and a sentence about them."""
    runs, labels = comparable_runs(tested), tested[0].labels
    rows: tuple[int, ...]
    if kind == _DISAGREEMENTS:
        rows = disagreements(runs)
        text = _("the models disagree on {n_rows}.", n_rows=len(rows))
    elif kind == _MISTAKES:
        rows = confident_mistakes(runs)
        text = _("at least one model is wrong on {n_rows}, the most confident mistakes first.", n_rows=len(rows))
    else:
        rows = interleave_classes(range(len(labels)), labels)
        text = _("all are shown, with the classes taking turns.")
    uncounted = ""
    if kind != _ALL and len(runs) < len(tested):
        uncounted = _(" The control's answers are shown but do not count, because its backbone has random weights.")
    return rows, _("{n_labels} test images; {text}{uncounted}", n_labels=len(labels), text=text, uncounted=uncounted)
