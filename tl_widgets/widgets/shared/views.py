"""Widgets that show a figure or the parameters, and HTML for thumbnails and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipywidgets import HTML

from tl_widgets.backbones.catalogue import size_note
from tl_widgets.core.errors import InputError
from tl_widgets.core.html import Markup, join
from tl_widgets.core.model_name import ModelName, heading_of, label_of
from tl_widgets.core.numbers import count_text, interval_text, percent
from tl_widgets.core.translation import _
from tl_widgets.data.archives import printable
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.plots.labels import Score, balanced_text, baseline_text, chance_level, scores_of, seeds_text
from tl_widgets.plots.parameter_areas import parameter_areas
from tl_widgets.records.comparison import Comparison, RunResult
from tl_widgets.records.parameters import LayerRow, count_rows
from tl_widgets.widgets.shared.costs import scratch_rows, transfer_rows
from tl_widgets.widgets.shared.html import alert, escape, image, style, table
from tl_widgets.widgets.shared.settings import LabSettings
from tl_widgets.widgets.shared.source import DataSource

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_READABLE = 760  # CSS pixels: a wider figure scrolls on a narrow page, as nobody could read it smaller
_N_THUMBNAILS = 3
_MOST_CLASSES = 10
_AREAS_WIDTH = 460  # CSS pixels


class FigureView(HTML):
    """A matplotlib figure with its text alternative. It updates without flicker, from any thread.

    view = FigureView()
    view.show(plot_accuracy(comparison), alt_text(comparison, "accuracy"))
    """

    def __init__(self) -> None:
        super().__init__()
        self.add_class("tlw-figure")

    def show(self, drawing: Figure | Axes, alt: str, width_px: int = 720, *, narrow: Figure | None = None) -> None:
        """Replace the figure.

        Args:
            drawing: what a plot function returned.
            alt: text alternative.
            width_px: width in CSS pixels; a narrower page scales the figure down.
            narrow: the same figure for a page so narrow that nobody could read the scaled one.
        """
        from tl_widgets.plots.comparison import figure_html
        from tl_widgets.plots.style import CSS_PIXELS_PER_INCH

        html: str = figure_html(drawing, alt, width_px)
        if narrow is not None:
            other = figure_html(narrow, alt, round(narrow.get_figwidth() * CSS_PIXELS_PER_INCH))
            both = f'<div class="tlw-wide">{html}</div><div class="tlw-narrow" style="display:none">{other}</div>'
            html = f'<div class="tlw-fits">{both}</div>'
        kind = "tlw-large" if narrow is None and width_px > _READABLE else ""
        # What may scroll can be reached with the keyboard.
        place = Markup('class="tlw-scroll {}" tabindex="0" role="group" aria-label="{}"').format(kind, _("Figure"))
        self.value = f"<div {place}>{html}</div>"


class LedgerView(HTML):
    """The parameters of both models: layer by layer with the arithmetic, and all of them as areas.

    Args:
        models: "scratch", "transfer" or both.
        source: provides the images; None for the built-in data sets.
    """

    def __init__(
        self, models: Sequence[str] = (ModelName.SCRATCH, ModelName.TRANSFER), *, source: DataSource | None = None
    ) -> None:
        super().__init__()
        self._models, self._source = tuple(models), source or DataSource()
        self.add_class("tlw")

    def show_settings(self, settings: LabSettings) -> None:
        """Show the parameters for these settings, without building a model."""
        facts = self._source.facts(settings)
        ledgers: dict[str, tuple[LayerRow, ...] | str] = {}
        for model in self._models:
            try:
                rows_of = scratch_rows if model == ModelName.SCRATCH else transfer_rows
                ledgers[model] = rows_of(settings, facts.n_classes)
            except InputError as error:
                ledgers[model] = str(error)
        tables = "".join(
            f"<div>{alert(rows)}</div>" if isinstance(rows, str) else ledger_table(model, rows)
            for model, rows in ledgers.items()
        )
        counts = {model: count_rows(rows) for model in ModelName if not isinstance(rows := ledgers.get(model, ""), str)}
        # One square alone would say nothing: its size is that of all largest squares.
        drawing = parameter_areas(counts, width=_AREAS_WIDTH) if len(self._models) > 1 else ""
        title = _("Layers")
        columns = f'<div class="tlw-columns" tabindex="0" role="region" aria-label="{title}">{tables}</div>'
        self.value = f"{style()}{drawing}{columns}"


def ledger_table(model: str, rows: tuple[LayerRow, ...]) -> Markup:
    """Return the parameters of a model as an HTML table, layer by layer with the arithmetic."""
    count = count_rows(rows)
    cells = [
        [
            row.layer,
            " x ".join(map(str, row.output_shape)),
            row.arithmetic.replace("x", " × ").replace("+", " + ") if not row.frozen else row.arithmetic,
            count_text(row.n_params),
        ]
        for row in rows
    ]
    total = Markup("<b>{}</b>").format(count_text(count.total))
    cells.append(
        [Markup(_("<b>Total</b>")), "", _("{trainable} trainable", trainable=count_text(count.trainable)), total]
    )
    return table(heading_of(model), [_("Layer"), _("Output"), _("Arithmetic"), _("Parameters")], cells, numeric=(3,))


def thumbnails(dataset: ImageDataset) -> str:
    """Return HTML with training images of the first 10 classes."""
    labels = dataset.train.labels
    rows = []
    for label, name in enumerate(dataset.class_names[:_MOST_CLASSES]):
        chosen = (labels == label).nonzero()[0][: _N_THUMBNAILS if dataset.n_classes <= 5 else 1]
        pictures = "".join(
            image(pixels, _("{name}, training image", name=name), 40) for pixels in dataset.train.images[chosen]
        )
        rows.append(f"<figure><span>{pictures}</span><figcaption>{escape(name)}</figcaption></figure>")
    more = (
        _("<p>and {n_classes} more classes</p>", n_classes=dataset.n_classes - _MOST_CLASSES)
        if dataset.n_classes > _MOST_CLASSES
        else ""
    )
    return f'<div class="tlw-thumbnails">{"".join(rows)}</div>{more}'


def confusion_tables(comparison: Comparison, number: int) -> str:
    """Return which class each model of run `number` takes for which, as an HTML table for each model.

    The deeper the color of a cell, the larger its share of the row.
    """
    return Markup('<div class="tlw-columns" tabindex="0" role="region" aria-label="{}">{}</div>').format(
        _("Confusion"), join([_confusion_table(run, number) for run in comparison.runs if run.labels])
    )


def _confusion_table(run: RunResult, number: int) -> Markup:
    matrix = run.confusion_matrix
    heads = join([Markup('<th scope="col">{}</th>').format(name) for name in run.class_names])
    rows = []
    for name, counts in zip(run.class_names, matrix.tolist(), strict=True):
        n = max(sum(counts), 1)
        cells = [Markup('<td style="--tlw-share:{}%">{}</td>').format(round(70 * count / n), count) for count in counts]
        rows.append(Markup('<tr><th scope="row">{}</th>{}</tr>').format(name, join(cells)))
    caption = _(
        "Run {number}, {heading}: {n_right} of {n_labels} right",
        number=number,
        heading=label_of(run.name),
        n_right=run.n_right,
        n_labels=len(run.labels),
    )
    return Markup(
        '<div class="tlw-scroll"><table class="tlw-table tlw-confusion tlw-of-{}"><caption>{}</caption>'
        '<thead><tr><th scope="col">{}</th>{}</tr></thead><tbody>{}</tbody></table></div>'
    ).format(run.name, caption, _("true class ↓ answer →"), heads, join(rows))


def verdict(comparison: Comparison, number_: int, source: str = "") -> str:
    """Return the verdict and the diagnoses as HTML; `source` names the record of a run that was loaded."""
    notes = "".join(
        f"<li><b>{heading_of(run.name)}.</b> {escape(diagnosis.text)} <i>{escape(diagnosis.advice)}</i></li>"
        for run in comparison.runs
        for diagnosis in run.diagnoses
    )
    data, config = comparison.dataset, comparison.config
    if config.weights and (far_below := size_note(config.backbone, data.image_size)):
        notes += f"<li>{escape(far_below)}</li>"
    loaded = _(", loaded from {source}", source=escape(printable(source))) if source else ""
    n_train = comparison.folds.points[0].n_train if comparison.folds else data.n_train
    what = _(
        "Run {number}{loaded}: {data_name}, {n_train} training images of {image_size} pixels, "
        "{epochs} epochs, learning rate {learning_rate:g}, {seeds}",
        number=number_,
        loaded=loaded,
        data_name=escape(data.name),
        n_train=n_train,
        image_size=data.image_size,
        epochs=config.epochs,
        learning_rate=config.learning_rate,
        seeds=seeds_text(comparison),
    )
    scores = scores_of(comparison)
    numbers = "".join(_figures(run, scores.get(run.name)) for run in comparison.runs)
    if any(run.is_uneven for run in comparison.runs):
        text = _(
            "{baseline}: {chance_level} of the test images",
            baseline=baseline_text(comparison.runs),
            chance_level=percent(chance_level(comparison.runs)),
        )
        numbers += f'<p class="tlw-note">{escape(text[0].upper() + text[1:])}.</p>'
    return (
        f'<div class="tlw-verdict" role="status" tabindex="0"><p>{escape(comparison.verdict.text)}</p>'
        f"<small>{what}</small></div>"
        f'<div class="tlw-results">{numbers}</div>' + (f'<ul class="tlw-notes">{notes}</ul>' if notes else "")
    )


def _figures(run: RunResult, score: Score | None) -> str:
    name = heading_of(run.name)
    result = _("<b>not tested</b>")
    if score is not None:
        label = (
            _("mean of {n_seeds} seeds, 95% over seeds", n_seeds=len(score.seeds)) if score.seeds else _("95% interval")
        )
        label = _("{n_folds} folds, {label}", n_folds=len(score.folds), label=label) if score.folds else label
        result = f"<b>{percent(score.accuracy)}</b> <small>{label} {interval_text(score.interval)}</small>"
    if balanced := balanced_text(run):
        result += _(" <small>· balanced {balanced}</small>", balanced=balanced)
    saved = _(", {saved:.1f} s saved by cached features", saved=run.seconds.saved) if run.seconds.saved else ""
    cost = _(
        "{trainable} trainable of {total} parameters · {seconds:.1f} s",
        trainable=count_text(run.params.trainable),
        total=count_text(run.params.total),
        seconds=run.seconds.total,
    )
    cost = cost.replace(" · ", "<br>")  # else its last letter may stand alone in a line
    return (
        f'<div class="tlw-result tlw-edge-{escape(run.name)}"><span>{name}</span><span>{result}</span>'
        f"<small>{cost}{saved}</small></div>"
    )
