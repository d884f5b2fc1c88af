"""to_report: a comparison as one HTML page, with everything that somebody needs to read, print and check it.

The page holds its figures and its style; it loads nothing and runs nothing, and its own policy forbids both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib import resources
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tl_widgets.core.errors import InputError
from tl_widgets.core.html import NAMES, escape, number, table
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.data.gallery import cards
from tl_widgets.data.quality import check_dataset
from tl_widgets.plots import classes as plot_classes
from tl_widgets.plots import comparison as plots
from tl_widgets.plots.alt_text import FigureKind
from tl_widgets.plots.labels import runs_of
from tl_widgets.records.answers import confident_mistakes, disagreements, judged
from tl_widgets.records.comparison import Comparison, RunResult, percent, require_comparison
from tl_widgets.records.curves import accuracy_text

_USE = (
    "<p>Saved models (scratch.keras, transfer.keras) are plain Keras; they scale the pixels themselves:</p>"
    "<pre><code>import keras\n"
    'model = keras.models.load_model("transfer.keras", compile=False)\n'
    "model.predict(images)  # raw pixels 0-255, RGB, shape (n, side, side, 3), at the size given above</code></pre>"
    "<p>They answer with one probability for each class, in the order given above; with two classes with one number, "
    "the probability of the second. Together the probabilities are always 1, also for a picture of none of them.</p>"
)
N_CARDS = 12
_MOST_CLASSES = 100  # rows of the table of classes
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_FIGURES: tuple[tuple[FigureKind, Callable[..., Axes | Figure], str, int], ...] = (
    ("accuracy", plots.plot_accuracy, "Accuracy by epoch, and on the test images.", 720),
    ("test_accuracy", plots.plot_test_accuracy, "Accuracy on the test images, with 95% intervals.", 520),
    ("parameters", plots.plot_parameters, "How many numbers each model learned, and how many it took over.", 520),
    ("seconds", plots.plot_seconds, "What each model cost.", 520),
    ("recall", plots.plot_recall, "Share of each class's test images that were recognised.", 520),
    ("confusion", plots.plot_confusion, "Which class each model takes for which.", 0),
)
_FAIR = (
    "The test images were looked at once, at the end.",
    "Preprocessing is part of each model: a saved model takes raw pixels from 0 to 255.",
    "A network from scratch that is stuck is reported as stuck.",
    "No model fell back to random weights silently.",
    "The same seed gives the same numbers on the same machine.",
    "The frozen backbone looked at each image once, not once in every epoch; the result is the same.",
    "The interval of a model says how far its accuracy may move with other test images of the same kind, that of a "
    "mean over seeds how far it may move with other seeds. Neither covers photographs of another kind.",
)


def to_report(comparison: Comparison, *, dataset: ImageDataset | None = None) -> str:
    """A comparison as one HTML page: verdict, tables, figures, settings, data, versions, and what is fair about it.

    Args:
        comparison: with at least one trained model; one that was read from its record will do.
        dataset: the data set that it was made on, for its images, its report and its warnings; without it they are
            left out.

    Returns:
        A whole page. It needs no network, no script and no other file, and prints on paper.

    Raises:
        InputError: nothing was trained, or these are not the images that it was made on.
    """
    require_comparison(comparison)
    if dataset is not None and dataset.fingerprint != comparison.dataset.fingerprint:
        raise InputError(
            f"The images of {dataset.name} are not those that this comparison was made on. Give that data set, or none."
        )
    runs_of(comparison)  # refuses one without any model
    title = f"{comparison.dataset.name}: from scratch and transfer"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="pale">A report of tl_widgets {escape(comparison.environment.tl_widgets)}.</p>',
        f'<p class="verdict">{escape(comparison.verdict.text)}</p>',
        _diagnoses(comparison),
        _section(
            "Results", _results(comparison.runs), _seeds(comparison), _figures(comparison), _classes(comparison.runs)
        ),
        _galleries(comparison, dataset) if dataset is not None else "",
        _section("Data", *_data(comparison, dataset)),
        _section("Settings", _settings(comparison)),
        _section("What is fair here", _list([_split(comparison), *_FAIR])),
        _section("Using the models", _USE) if any(run.model is not None for run in comparison.runs) else "",
        _section("Made with", _versions(comparison)),
    ]
    return _page(title, "\n".join(part for part in parts if part))


def _split(comparison: Comparison) -> str:
    if comparison.dataset.origin is None:
        return "The split was made by whoever made the data set; this page cannot say how."
    return "One split, made once; no image is in two parts of it."


def _page(title: str, body: str) -> str:
    css = resources.files("tl_widgets.export").joinpath("report.css").read_text("utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{css}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n"
        "</html>\n"
    )


def _section(heading: str, *parts: str) -> str:
    return f"<section>\n<h2>{escape(heading)}</h2>\n{''.join(parts)}\n</section>"


def _list(sentences: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f'<ul class="notes">{items}</ul>' if items else ""


def _name(run: RunResult) -> str:
    return NAMES.get(run.name, run.name)


def _diagnoses(comparison: Comparison) -> str:
    return _list([f"{_name(run)}: {one.text} {one.advice}" for run in comparison.runs for one in run.diagnoses])


def _results(runs: Sequence[RunResult]) -> str:
    head = ["Model", "Test accuracy", "95% interval", "Right", "Trainable", "Frozen", "Seconds", "of which training"]
    rows = []
    for run in runs:
        if run.test_accuracy is None or run.test_accuracy_ci95 is None:
            score = ["not tested", "", ""]
        else:
            low, high = run.test_accuracy_ci95
            interval = f"{100 * low:.1f} to {100 * high:.1f}"
            score = [f"<b>{percent(run.test_accuracy)}</b>", interval, f"{run.n_right} of {len(run.labels)}"]
        cost = [f"{run.seconds.total:.1f}", f"{run.seconds.train:.1f}"]
        name = f"{escape(_name(run))}{f' <small>{escape(run.backbone)}</small>' if run.backbone else ''}"
        rows.append([name, *score, number(run.params.trainable), number(run.params.frozen), *cost])
    saved = [
        f"{_name(run)}: features kept from before saved {run.seconds.saved:.1f} s, which are not in its seconds."
        for run in runs
        if run.seconds.saved > 0
    ]
    return table("Each model", head, rows, numeric=range(1, len(head))) + _list(saved)


def _seeds(comparison: Comparison) -> str:
    """The accuracies of all seeds, where there are several."""
    repeats = comparison.repeats
    if repeats is None or not repeats.points:
        return ""
    names = [name for name in comparison.config.model_names if repeats.accuracies(name)]
    found = [[getattr(point, name) for name in names] for point in repeats.points]  # a record may lack some
    rows = [
        [str(point.seed), *("" if share is None else percent(share) for share in shares)]
        for point, shares in zip(repeats.points, found, strict=True)
    ]
    means = [accuracy_text(mean) for name in names if (mean := repeats.mean(name))]
    rows.append(["<b>Mean (95% interval over seeds)</b>", *means])
    caption = f"Test accuracy seed by seed; all else on this page is of seed {comparison.config.seed}"
    return table(caption, ["Seed", *(NAMES[name] for name in names)], rows, numeric=range(1, len(names) + 1))


def _figures(comparison: Comparison) -> str:
    shown = []
    for kind, plot, caption, width in _FIGURES:
        width = width or 420 * plot_classes.confusion_columns(len(comparison.runs))
        picture = plots.figure_html(plot(comparison), plots.alt_text(comparison, kind), width)
        wide = ' class="wide"' if width > 520 else ""
        shown.append(f"<figure{wide}>{picture}<figcaption>{escape(caption)}</figcaption></figure>")
    return f'<div class="figures">{"".join(shown)}</div>'


def _classes(runs: Sequence[RunResult]) -> str:
    tested = [run for run in runs if run.labels]
    if not tested:
        return ""
    figures = [run.per_class for run in tested]
    head = ["Class", "Test images"]
    for run in tested:
        head += [f"{_name(run)}: recall", "precision"]

    def share(value: float | None) -> str:
        return "none" if value is None else percent(value)

    rows = []
    for i, one in enumerate(figures[0][:_MOST_CLASSES]):
        shares = [share(value) for each in figures for value in (each[i].recall, each[i].precision)]
        rows.append([escape(one.name), number(one.n), *shares])
    n_more = len(figures[0]) - len(rows)
    more = f"<p>and {n_more} more classes</p>" if n_more else ""
    caption = (
        "Class by class. Recall: share of the class's images that were recognised. Precision: share of right answers "
        "among those that named it."
    )
    return table(caption, head, rows, numeric=range(1, len(head))) + more


def _galleries(comparison: Comparison, dataset: ImageDataset) -> str:
    tested = [run for run in comparison.runs if run.labels]
    if not tested:
        return ""
    runs, n_test = judged(tested), len(tested[0].labels)
    rows = disagreements(runs)
    said = f"The models disagree on {len(rows)}" if rows else "The models give the same answers to all"
    parts = [_gallery("Disagreements", f"{said} of the {n_test} test images", rows, tested, dataset)]
    rows = confident_mistakes(runs)
    said = f"At least one model is wrong on {len(rows)}" if rows else "No model is wrong on any"
    said = f"{said} of the {n_test} test images, the most confident mistakes first"
    parts.append(_gallery("Confident mistakes", said, rows, tested, dataset))
    if len(runs) < len(tested):
        parts.insert(0, "<p>The control's answers are shown, and do not count: its backbone knows nothing.</p>")
    return _section("Test images worth a look", *parts)


def _gallery(heading: str, said: str, rows: Sequence[int], tested: Sequence[RunResult], dataset: ImageDataset) -> str:
    n = min(N_CARDS, len(rows))
    shown = f"; here {'is' if n == 1 else 'are'} {n}" if n else ""
    pictures = cards(dataset.test.images, rows[:n], tested) if n else ""
    return f"<h3>{heading}</h3><p>{escape(said)}{shown}.</p>{pictures}"


def _data(comparison: Comparison, dataset: ImageDataset | None) -> list[str]:
    data = comparison.dataset
    counts = {"training": data.n_train, "validation": data.n_validation, "test": data.n_test}
    facts = [
        ["Name", escape(data.name)],
        ["Source", escape(data.source or "not known")],
        ["Images", escape(", ".join(f"{number(n)} {split}" for split, n in counts.items()))],
        ["Size", f"{data.image_size} × {data.image_size} pixels"],
        [f"{len(data.class_names)} classes", escape(", ".join(data.class_names[:_MOST_CLASSES]))],
    ]
    if data.origin is not None:
        facts.append(["Seed of the split", str(data.origin.seed)])
        if data.origin.path:
            facts.append(["Folder", escape(data.origin.path)])
    if data.fingerprint:
        facts.append(["Fingerprint", f"<code>{escape(data.fingerprint)}</code>"])
    parts = [_facts("The images", facts)]
    if dataset is not None:
        warnings = [f"{one.text} {one.advice}" for one in check_dataset(dataset)]
        parts.append(_list([*warnings, *([dataset.report.summary] if dataset.report else [])]))
        picture = plots.figure_html(plots.plot_dataset(dataset), plots.dataset_alt_text(dataset), 620)
        parts.append(f'<div class="figures"><figure class="wide">{picture}</figure></div>')
    return parts


def _facts(caption: str, rows: Sequence[Sequence[str]]) -> str:
    return table(caption, ["What", "Value"], rows)


def _settings(comparison: Comparison) -> str:
    config: dict[str, Any] = asdict(comparison.config)
    scratch = {f"scratch: {name}": value for name, value in config.pop("scratch").items()}
    tuning = {f"fine-tuning: {name}": value for name, value in (config.pop("fine_tuning") or {}).items()}
    values = {**config, **tuning, **scratch}
    rows = [[escape(name.replace("_", " ")), escape(_value(value))] for name, value in values.items()]
    return _facts("What compare was told", rows)


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _versions(comparison: Comparison) -> str:
    rows = [[escape(name.replace("_", " ")), escape(value)] for name, value in asdict(comparison.environment).items()]
    weights = [
        [f"weights: {escape(_name(run))}", f"{escape(run.weights)} <code>{escape(run.weights_sha256)}</code>"]
        for run in comparison.runs
        if run.weights
    ]
    return _facts("Versions and machine", [*rows, *weights])
