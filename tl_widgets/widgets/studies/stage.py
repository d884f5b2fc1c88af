"""The stage of StudyLab: the question and the guess, or the other controls, beside the chart."""

from __future__ import annotations

from ipywidgets import HTML, HBox, ToggleButton, VBox

from tl_widgets.core.events import Event
from tl_widgets.core.html import Markup
from tl_widgets.core.translation import _
from tl_widgets.studies.registry import STUDIES
from tl_widgets.studies.stage import StageChart, stage_svg
from tl_widgets.studies.stage_guess import GuessMarks
from tl_widgets.studies.study import SoFar, StudyResult
from tl_widgets.widgets.shared.picture import Picture
from tl_widgets.widgets.studies.cards import sketch
from tl_widgets.widgets.studies.form import StudyForm
from tl_widgets.widgets.studies.guess import GuessBox

_SIZE = 626, 326  # CSS pixels, where the page has not said how much room there is


class StudyStage(HBox):
    """What a study does, the guess and the cost on the left, the chart on the right; "More" opens the other controls.

    On a wide screen, the sentences stand beside the chart.

    Attributes:
        more_button: opens and closes the other controls.
        chart: axes from the start, and points while they are measured.
    """

    def __init__(self, form: StudyForm, guess: GuessBox, sentences: HTML) -> None:
        self._form, self._guess = form, guess
        self._found: tuple[Event, ...] = ()
        self.more_button = ToggleButton(False, description=_("More"), tooltip=_("All other controls"))
        self.more_button.add_class("tlw-more")
        self.more_button.observe(lambda change: self._show_drawer(change["new"]), "value")
        self._shown: tuple[StageChart, GuessMarks | None] | None = None
        self.about, self.drawer = VBox([form.lead, guess, form.cost]), VBox([form])
        self.chart = Picture(reports_size=True)
        self.chart.observe(lambda _: self._show(), "size")
        parts = {"about": self.about, "drawer": self.drawer, "race": self.chart, "aside": VBox([sentences])}
        for name, widget in parts.items():
            widget.add_class(f"tlw-{name}")
        super().__init__(list(parts.values()))
        self.add_class("tlw-stage")
        self.chart.on_click(lambda key: guess.choose(int(key.removeprefix("guess:"))))
        self._show_drawer(False)

    def start(self, points: tuple[object, ...] = ()) -> None:
        """Start without points, or with those of the result that is resumed."""
        self._found = tuple(Event("study", "", point=point) for point in points)

    def add_event(self, event: Event) -> bool:
        """Record an event; return whether the chart changes."""
        is_read = event.phase == "features" and event.n_done == event.n_total
        if event.point is None and not event.metrics and not is_read:
            return False
        self._found += (event,)
        return True

    @property
    def has_chart(self) -> bool:
        """Whether the study has a chart."""
        settings = self._form.settings
        return STUDIES[settings.study].stage(settings.arguments, SoFar(self._form.facts)) is not None

    def draw_so_far(self) -> None:
        """Show the points so far."""
        self.draw()

    def draw(self, result: StudyResult | None = None, *, with_guess: bool = True) -> None:
        """Show the points of a result, or those so far.

        `with_guess` draws the guess on it; that needs a result of what the guess is about.
        """
        settings = self._form.settings
        study = STUDIES[settings.study]
        chart = study.stage(settings.arguments, SoFar(self._form.facts, self._found, result))
        if chart is None:
            self._shown = None
            self.chart.markup = Markup(
                _(
                    '<div class="tlw-no-chart">{sketch}<p>This study answers with pictures: you find '
                    "them under “Figure” when it has measured.</p></div>"
                )
            ).format(sketch=sketch(settings.study, 132))
            return
        self._shown = chart, self._guess.marks(result) if with_guess else None
        self._show()

    def _show(self) -> None:
        """Show the chart in the size of its place."""
        with self.chart.drawing:
            if self._shown is None:
                return
            width, height = _SIZE
            if self.chart.size:
                width = min(max(self.chart.size[0] // 10 * 10, 240), 760)
                height = max(self.chart.size[1] - 4, 240)
            self.chart.markup = stage_svg(*self._shown, width=width, height=height)

    def _show_drawer(self, is_open: bool) -> None:
        self.drawer.layout.display, self.about.layout.display = ("", "none") if is_open else ("none", "")
