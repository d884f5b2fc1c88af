"""Reports: the content for the template `report.html.jinja`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tl_widgets.backbones.catalogue import size_note
from tl_widgets.core.arguments import checked
from tl_widgets.core.errors import InputError
from tl_widgets.core.html import Markup
from tl_widgets.core.model_name import heading_of
from tl_widgets.core.numbers import accuracy_text, count_text, percent, points_range
from tl_widgets.core.translation import _, localized, ngettext
from tl_widgets.data.dataset import ImageDataset, Images
from tl_widgets.data.folds import answered_images
from tl_widgets.data.memmap_images import IndexedImages
from tl_widgets.data.quality import check_dataset
from tl_widgets.export.networks import NOTEBOOK_SIZE, plot_networks
from tl_widgets.export.pages import render
from tl_widgets.plots import classes as plot_classes, comparison as plots
from tl_widgets.plots.images import cards
from tl_widgets.plots.labels import FigureKind, balanced_text, images_text, runs_of, scores_of
from tl_widgets.records.answers import comparable_runs, confident_mistakes, disagreements
from tl_widgets.records.comparison import ClassFigures, Comparison, RunResult, require_comparison
from tl_widgets.records.folds import Folds
from tl_widgets.records.statistics import wilson_interval

N_CARDS = 12
_MAX_CLASSES = 100  # rows in the table of classes
_FIGURES: tuple[tuple[FigureKind, Callable[..., Axes | Figure], str, int], ...] = (
    ("accuracy", plots.plot_accuracy, _("Accuracy by epoch, and on the test images."), 720),
    ("test_accuracy", plots.plot_test_accuracy, _("Accuracy on the test images, with 95% intervals."), 520),
    (
        "parameters",
        plots.plot_parameters,
        _("How many parameters each model trained, and how many it kept frozen."),
        520,
    ),
    ("seconds", plots.plot_seconds, _("What each model cost."), 520),
    ("recall", plots.plot_recall, _("Share of each class's test images that were recognized."), 520),
    ("confusion", plots.plot_confusion, _("Which classes each model confuses."), 0),
)


@dataclass(frozen=True)
class _Table:
    """A table of the page; all columns but the first hold numbers."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""

    @property
    def numeric(self) -> range:
        return range(1, len(self.head))


@checked
def to_report(comparison: Comparison, *, dataset: ImageDataset | None = None) -> str:
    """Return a comparison as one HTML page.

    The page holds the verdict, tables, figures, settings, data, versions, and what makes the comparison fair.

    Args:
        comparison: A comparison with at least one trained model; one read from its record will do.
        dataset: The data set that was compared, for its images, its report and its warnings. None leaves them out.

    Returns:
        A complete page that needs no network, no script and no other file, and can be printed.

    Raises:
        InputError: No model was trained, or `dataset` isn't the one that was compared.
    """
    require_comparison(comparison)
    if dataset is not None and dataset.fingerprint != comparison.dataset.fingerprint:
        raise InputError(
            _(
                "The images of {dataset_name} are not the ones that were compared. Give the data set "
                "that was, or none.",
                dataset_name=dataset.name,
            )
        )
    runs_of(comparison)  # raises InputError if there is no model
    tested = [run for run in comparison.runs if run.labels]
    return render(
        "tl_widgets.export",
        "report.html.jinja",
        title=_("{dataset_name}: from scratch and transfer", dataset_name=comparison.dataset.name),
        comparison=comparison,
        diagnoses=_diagnoses(comparison),
        results=_results(comparison.runs),
        saved_seconds=[
            _(
                "{value}: cached features saved {saved:.1f} s, which its seconds do not include.",
                value=_name(run),
                saved=run.seconds.saved,
            )
            for run in comparison.runs
            if run.seconds.saved > 0
        ],
        seeds=_seeds(comparison),
        networks=plot_networks(comparison).markup(*NOTEBOOK_SIZE, interactive=False),
        figures=list(_figures(comparison)),
        classes=_classes(tested) if tested else None,
        n_more_classes=max(0, len(comparison.dataset.class_names) - _MAX_CLASSES) if tested else 0,
        galleries=list(_galleries(tested, answered_images(comparison, dataset)))
        if tested and dataset is not None
        else [],
        control_is_shown=len(comparable_runs(tested)) < len(tested),
        data=_data(comparison),
        data_notes=_data_notes(dataset, class_weights=comparison.config.class_weights) if dataset is not None else [],
        examples=plots.figure_html(plots.plot_dataset(dataset), plots.dataset_alt_text(dataset), 620)
        if dataset is not None
        else None,
        settings=_settings(comparison),
        split=_split(comparison),
        has_models=any(run.model is not None for run in comparison.runs),
        versions=_versions(comparison),
    )


def _split(comparison: Comparison) -> str:
    if comparison.folds is not None:
        return _("Each image was tested once, by models that had not been trained on it.")
    if comparison.dataset.origin is None:
        return _("The data set came with its split; this page doesn't know how it was made.")
    return _("One split, made once; no image is in two parts of it.")


def _name(run: RunResult) -> str:
    return heading_of(run.name)


def _bold(text: str) -> Markup:
    return Markup("<b>{}</b>").format(text)


def _results(runs: Sequence[RunResult]) -> _Table:
    head = [
        _("Model"),
        _("Test accuracy"),
        _("95% interval"),
        _("Right"),
        _("Trainable"),
        _("Frozen"),
        _("Seconds"),
        _("of which training"),
    ]
    rows = []
    uneven = [run for run in runs if run.is_uneven]
    is_uneven = bool(uneven)
    for run in runs:
        if run.test_accuracy is None or run.test_accuracy_ci95 is None:
            score = [_("not tested"), "", ""]
        else:
            interval = points_range(*run.test_accuracy_ci95)
            score = [
                _bold(percent(run.test_accuracy)),
                interval,
                _("{n_right} of {n_labels}", n_right=run.n_right, n_labels=len(run.labels)),
            ]
        cost = [localized(f"{value:.1f}") for value in (run.seconds.total, run.seconds.train)]
        name = Markup("{} <small>{}</small>").format(_name(run), run.backbone) if run.backbone else _name(run)
        balanced = [balanced_text(run)] if is_uneven else []
        rows.append([name, *score, *balanced, count_text(run.params.trainable), count_text(run.params.frozen), *cost])
    if is_uneven:
        head.insert(4, _("Balanced accuracy"))
        (largest, n_right), n = uneven[0].largest_class, len(uneven[0].labels)
        score = [
            percent(n_right / n),
            points_range(*wilson_interval(n_right, n)),
            _("{n_right} of {n}", n_right=n_right, n=n),
        ]
        chance = percent(1 / len([figures for figures in uneven[0].per_class if figures.n]))
        rows.append([_("Always {name}", name=largest), *score, chance, *[""] * 4])
    return _Table(head, rows)


def _seeds(comparison: Comparison) -> _Table | None:
    """Return the accuracies of all seeds or folds, or None if there is only one."""
    repeats = comparison.repeats
    if comparison.folds is not None:
        return _folds(comparison, comparison.folds)
    if repeats is None or not repeats.points:
        return None
    names = [name for name in comparison.config.model_names if repeats.accuracies(name)]
    shares = [[point.accuracy(name) for name in names] for point in repeats.points]  # a record may lack some accuracies
    rows = [
        [str(point.seed), *("" if share is None else percent(share) for share in row)]
        for point, row in zip(repeats.points, shares, strict=True)
    ]
    means = [mean.text for name in names if (mean := repeats.mean(name))]
    rows.append([_bold(_("Mean (95% interval over seeds)")), *means])
    caption = _(
        "Test accuracy seed by seed; everything else on this page is from seed {seed}", seed=comparison.config.seed
    )
    return _Table([_("Seed"), *(heading_of(name) for name in names)], rows, caption)


def _folds(comparison: Comparison, folds: Folds) -> _Table:
    accuracies = {
        name: shares for name in comparison.config.model_names if (shares := comparison.fold_accuracies(name))
    }
    rows = [
        [str(fold.number), str(len(fold.rows)), *(percent(shares[i]) for shares in accuracies.values())]
        for i, fold in enumerate(folds.points)
    ]
    scores = scores_of(comparison)
    rows.append(
        [_bold(_("All (95% interval over images)")), str(len(folds.rows)), *(scores[n].text for n in accuracies)]
    )
    caption = _("Test accuracy fold by fold; the curves on this page are means over the folds, its seconds are sums")
    return _Table([_("Fold"), _("Test images"), *map(heading_of, accuracies)], rows, caption)


def _figures(comparison: Comparison) -> Iterator[dict[str, Any]]:
    for kind, plot, caption, width in _FIGURES:
        width = width or 420 * plot_classes.confusion_columns(len(comparison.runs))
        picture = plots.figure_html(plot(comparison), plots.alt_text(comparison, kind), width)
        yield {"picture": picture, "caption": caption, "is_wide": width > 520}


def _classes(tested: Sequence[RunResult]) -> _Table:
    def share(value: float | None) -> str:
        return _("none") if value is None else percent(value)

    def recall(figures: ClassFigures) -> str:
        if figures.recall is None or not tested[0].is_uneven:
            return share(figures.recall)
        return accuracy_text(figures.recall, figures.recall_ci95)

    head = [_("Class"), _("Test images")]
    for run in tested:
        head += [_("{value}: recall", value=_name(run)), _("precision")]
    rows = []
    for figures in list(zip(*(run.per_class for run in tested), strict=True))[:_MAX_CLASSES]:
        shares = [text for figure in figures for text in (recall(figure), share(figure.precision))]
        rows.append([figures[0].name, count_text(figures[0].n), *shares])
    caption = _(
        "Class by class. Recall: share of the class's images that were recognized. Precision: share "
        "of right answers among those that named it."
    ) + (_(" Intervals are 95%.") if tested[0].is_uneven else "")
    return _Table(head, rows, caption)


def _galleries(tested: Sequence[RunResult], images: Images | IndexedImages) -> Iterator[dict[str, str]]:
    runs, n_test = comparable_runs(tested), len(tested[0].labels)

    def gallery(heading: str, sentence: str, rows: Sequence[int]) -> dict[str, str]:
        n = min(N_CARDS, len(rows))
        shown = ngettext("; here is {n}", "; here are {n}", n) if n else ""
        pictures = cards(images, rows[:n], tested) if n else ""
        return {"heading": heading, "sentence": sentence + shown, "cards": pictures}

    rows = disagreements(runs)
    sentence = (
        _("The models disagree on {n_rows}", n_rows=len(rows)) if rows else _("The models give the same answers to all")
    )
    sentence = _("{sentence} of the {n_test} test images", sentence=sentence, n_test=n_test)
    yield gallery(_("Disagreements"), sentence, rows)
    rows = confident_mistakes(runs)
    sentence = _("At least one model is wrong on {n_rows}", n_rows=len(rows)) if rows else _("No model is wrong on any")
    sentence += _(" of the {n_test} test images, the most confident mistakes first", n_test=n_test)
    yield gallery(_("Confident mistakes"), sentence, rows)


def _data(comparison: Comparison) -> list[list[str]]:
    data = comparison.dataset
    facts = [
        [_("Name"), data.name],
        [_("Source"), data.source or _("not known")],
        [_("Images"), images_text(comparison)],
        [_("Size"), _("{image_size} × {image_size} pixels", image_size=data.image_size)],
        [_("{n_class_names} classes", n_class_names=len(data.class_names)), ", ".join(data.class_names[:_MAX_CLASSES])],
    ]
    if data.origin is not None:
        facts.append([_("Seed of the split"), str(data.origin.seed)])
        if data.origin.path:
            facts.append([_("Folder"), data.origin.path])
    if data.fingerprint:
        facts.append([_("Fingerprint"), _code(data.fingerprint)])
    return facts


def _diagnoses(comparison: Comparison) -> list[str]:
    found = [f"{_name(run)}: {item.text} {item.advice}" for run in comparison.runs for item in run.diagnoses]
    far_below = size_note(comparison.config.backbone, comparison.dataset.image_size)
    return [*found, far_below] if far_below and comparison.config.weights else found


def _data_notes(dataset: ImageDataset, *, class_weights: bool) -> list[str]:
    found = check_dataset(dataset, class_weights=class_weights)
    warnings = [f"{warning.text} {warning.advice}" for warning in found]
    return [*warnings, *([dataset.report.summary] if dataset.report else [])]


def _settings(comparison: Comparison) -> list[list[str]]:
    config: dict[str, Any] = asdict(comparison.config)
    parts = {
        f"{part}.{name}": value
        for part in ("fine_tuning", "scratch")
        for name, value in (config.pop(part) or {}).items()
    }
    return [[_code(name), _value(value)] for name, value in {**config, **parts}.items()]


def _code(name: str) -> Markup:
    return Markup("<code>{}</code>").format(name)


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return _("none") if value is None else localized(f"{value:g}") if isinstance(value, float) else str(value)


def _versions(comparison: Comparison) -> list[list[str]]:
    rows = [[_code(name), _value(value)] for name, value in asdict(comparison.environment).items()]
    weights = [
        [_("weights: {value}", value=_name(run)), Markup("{} <code>{}</code>").format(run.weights, run.weights_sha256)]
        for run in comparison.runs
        if run.weights
    ]
    return [*rows, *weights]
