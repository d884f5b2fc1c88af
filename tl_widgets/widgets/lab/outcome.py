"""OutcomeView, the line below the stage: progress while models train, then the result in brief, or what failed."""

from __future__ import annotations

import base64

from ipywidgets import HTML, Button, HBox, VBox

from tl_widgets.core.html import Markup
from tl_widgets.core.model_name import ModelName, heading_of, label_of
from tl_widgets.core.numbers import percent, points_range
from tl_widgets.core.text import all_of
from tl_widgets.core.translation import _
from tl_widgets.export.networks import plot_networks
from tl_widgets.plots.labels import Score, scores_of
from tl_widgets.records.comparison import Comparison, RunResult
from tl_widgets.widgets.shared.html import note
from tl_widgets.widgets.shared.live import ProgressView

_FIRST = _("Press “Train both”: both networks learn from the same images, epoch by epoch, and are tested at the end.")


class OutcomeView(HBox):
    """A box of fixed height, so that nothing below it moves; what is too long scrolls.

    Attributes:
        details_button: asks for the whole result; enabled once there is one.

    Args:
        problem: explains a rejected setting.
        message: explains a run that failed.
        progress: progress of the run.
        advice: says what to lower if a run would take long.
    """

    def __init__(self, problem: HTML, message: HTML, progress: ProgressView, advice: HTML) -> None:
        self.headline, self.live_line = HTML(), HTML()
        self.details_button = Button(description=_("Why?"), tooltip=_("The result with its intervals, in full"))
        self._progress = progress
        lines = VBox([problem, message, progress, advice, self.headline, self.live_line])
        lines.add_class("tlw-lines")
        super().__init__([lines, self.details_button])
        self.add_class("tlw-outcome")
        self.clear()

    def clear(self) -> None:
        """Show how to start."""
        self._result: tuple[Comparison, int, str] | None = None
        self.headline.value, self.live_line.value = note(_FIRST), ""
        self.show_running(False)

    def show_running(self, running: bool) -> None:
        """Show the progress of a run in place of the last result."""
        self.headline.layout.display = "none" if running else ""
        if running:
            self.live_line.value = ""
            if self._result is None:
                self.headline.value = ""  # how to start is known by now
        self.details_button.disabled = running or self._result is None

    def show(self, comparison: Comparison, number: int, lead: str = "") -> None:
        """Show a finished comparison, after a word about its run, such as "Loaded."."""
        self._result = comparison.without_models(), number, lead  # a closed Lab lets go of them
        self.show_last_run()
        self.details_button.disabled = False

    def show_last_run(self, *, is_charted: bool = True) -> None:
        """Show the last finished comparison, large if the chart shows it, or else in a line that names its run."""
        if self._result is None:
            self.headline.value = ""
        elif is_charted:
            self.headline.value = headline(*self._result)
        else:
            self.headline.value = Markup('<div class="tlw-headline" tabindex="0">{}</div>').format(self._earlier())

    def show_live(self, run: RunResult, accuracy: float, now: str, same_run: int | None = None) -> None:
        """Show what the transfer model that Live mode has trained gets right, `now` with these settings.

        `same_run` is the run that had these settings before, if there is one.
        """
        if self._result is not None and self._result[1] == same_run:
            self.show_last_run()
            return
        n = len(run.labels)
        title = _(
            "{heading} now: {accuracy} of {n} right", heading=heading_of(run.name), accuracy=round(accuracy * n), n=n
        )
        self.headline.value = Markup(
            '<div class="tlw-headline" role="status" tabindex="0"><b class="tlw-winner tlw-ink-{}">{}</b> '
            '<span class="tlw-count">{}</span></div>{}'
        ).format(run.name, title, _("with {now}", now=now) if now else "", self._earlier())

    def _earlier(self) -> Markup:
        """Return what the last finished comparison found, for a chart that shows something newer."""
        if self._result is None:
            return Markup()
        comparison, number, _lead = self._result
        winner = comparison.verdict.winner
        result = _("{model} wins", model=label_of(winner)) if winner else _("too close to call")
        return Markup(
            _('<p class="tlw-earlier" data-run="{number}">Run {number} ({about}): {result}; {counts}.</p>')
        ).format(number=number, about=_about(comparison), result=result, counts=_counts(comparison, "; "))


def on_paper(comparison: Comparison) -> Markup:
    """Return both networks and their curves as pictures, for a notebook without a kernel."""
    from tl_widgets.plots.comparison import alt_text, figure_html, plot_accuracy

    networks = plot_networks(comparison)
    data = base64.b64encode(networks.svg.encode()).decode()
    drawing = Markup('<img alt="{}" src="data:image/svg+xml;base64,{}">').format(networks.text, data)
    return drawing + Markup(figure_html(plot_accuracy(comparison), alt_text(comparison, "accuracy"), 640))


def headline(comparison: Comparison, number: int, lead: str = "") -> Markup:
    """Return who won and how many test images each model got right, as HTML."""
    winner, interval = comparison.verdict.winner, comparison.verdict.ci95
    facts = [lead, _("Run {n}: {about}.", n=number, about=_about(comparison))]
    if interval is not None:
        order = interval if winner != ModelName.SCRATCH else (-interval[1], -interval[0])
        facts.append(_("Difference: {order} points (95% interval).", order=points_range(*order)))
    if balanced := _balanced(comparison):
        facts.append(f"{balanced}.")
    return Markup(
        '<div class="tlw-headline" role="status" tabindex="0">'
        '<b class="tlw-winner tlw-ink-{}">{}</b> {}<small>{}</small></div>'
    ).format(winner or "none", _title(comparison), _counts(comparison), " ".join(filter(None, facts)))


def _title(comparison: Comparison) -> str:
    winner = comparison.verdict.winner
    return _("{heading} wins", heading=heading_of(winner)) if winner else _("Too close to call")


def _about(comparison: Comparison) -> str:
    data = comparison.dataset
    return _(
        "{data_name}, {n_train} training images of {image_size} pixels",
        data_name=data.name,
        n_train=data.n_train,
        image_size=data.image_size,
    )


def _tested(comparison: Comparison) -> list[tuple[RunResult, Score]]:
    """Return the tested models, the winner first."""
    scores, winner = scores_of(comparison), comparison.verdict.winner
    runs = sorted((run for run in comparison.runs if run.name in scores), key=lambda run: run.name != winner)
    return [(run, scores[run.name]) for run in runs]


def _counts(comparison: Comparison, separator: str = " ") -> Markup:
    return Markup(separator).join(_count(run, score) for run, score in _tested(comparison))


def _count(run: RunResult, score: Score) -> Markup:
    n = len(run.labels)
    text = (
        _("{score_accuracy} on average", score_accuracy=percent(score.accuracy))
        if score.seeds
        else _("{score_accuracy} of {n} right", score_accuracy=round(score.accuracy * n), n=n)
    )
    label = label_of(run.name).split(" (")[0]  # three models fit in a line
    return Markup('<span class="tlw-count tlw-ink-{}"><b>{}</b> {}</span>').format(run.name, text, label)


def _balanced(comparison: Comparison) -> str:
    """Return what is right if all classes count the same; "" if they have about as many test images each."""
    tested = [run for run, _ in _tested(comparison)]
    if not any(run.is_uneven for run in tested):
        return ""
    shares = [percent(run.balanced_accuracy) for run in tested if run.balanced_accuracy is not None]
    return _("Classes counted equally: {shares}", shares=all_of(shares)) if len(shares) == len(tested) else ""
