"""Text in figures, computed without matplotlib: names, scores, text alternatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tl_widgets.core.errors import InputError
from tl_widgets.core.model_name import ModelName, find_model
from tl_widgets.core.numbers import accuracy_text, interval_text, percent, seconds_text
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _, ngettext
from tl_widgets.records.comparison import ClassFigures, Comparison, History, RunResult
from tl_widgets.records.run import is_uneven, largest_label
from tl_widgets.records.statistics import Interval

if TYPE_CHECKING:
    from tl_widgets.data.dataset import ImageDataset

FigureKind = Literal[
    "accuracy", "test_accuracy", "parameters", "seconds", "confusion", "recall", "comparison", "predictions"
]
Result = Comparison | RunResult | tuple[RunResult, ...]


def runs_of(result: Result) -> tuple[RunResult, ...]:
    """Return the runs in a result, at least one."""
    if isinstance(result, Comparison):
        runs = result.runs
    else:
        runs = (result,) if isinstance(result, RunResult) else tuple(result)
    if not runs:
        raise InputError(
            _("There is no trained model to plot: the experiment was stopped before the first. Run it again.")
        )
    return runs


@dataclass(frozen=True)
class Score:
    """The accuracy of a model on the test images.

    Attributes:
        accuracy: 0..1; the mean if there are several seeds.
        interval: 95%: Wilson's over images, or Student's t over seeds.
        seeds: The accuracy of each seed; empty with one seed.
        folds: The accuracy in each fold; empty without cross-validation.
    """

    accuracy: float
    interval: Interval
    seeds: tuple[float, ...] = ()
    folds: tuple[float, ...] = ()

    @property
    def parts(self) -> tuple[str, tuple[float, ...]]:
        """What the score is made of: "seed" or "fold", and the accuracies."""
        return ("fold", self.folds) if self.folds else ("seed", self.seeds)

    @property
    def text(self) -> str:
        """The score in a few characters: "91.1% (83 to 95)"."""
        return accuracy_text(self.accuracy, self.interval)


def scores_of(result: Result) -> dict[str, Score]:
    """Return the score of each tested model by name; repeats give means over seeds."""
    scores = {}
    repeats = result.repeats if isinstance(result, Comparison) else None
    for run in runs_of(result):
        mean = repeats.mean(run.name) if repeats else None
        if repeats and mean and mean.ci95:
            scores[run.name] = Score(mean.mean, mean.ci95, repeats.accuracies(run.name))
        elif run.test_accuracy is not None and run.test_accuracy_ci95 is not None:
            folds = result.fold_accuracies(run.name) if isinstance(result, Comparison) else ()
            scores[run.name] = Score(run.test_accuracy, run.test_accuracy_ci95, folds=folds)
    return scores


def interval_label(scores: dict[str, Score]) -> str:
    """Describe the intervals: "95% interval", "mean of 5 seeds, 95% interval ..."."""
    n = max((len(score.seeds) for score in scores.values()), default=0)
    n_folds = max((len(score.folds) for score in scores.values()), default=0)
    if n:
        return _("mean of {n} seeds, 95% interval over seeds", n=n)
    return _("{n_folds} folds, 95% interval", n_folds=n_folds) if n_folds else _("95% interval")


def seed_suffix(result: Result) -> str:
    """Return ", seed 4" if a figure shows one seed of several, ", 5 folds" if it shows all folds, else ""."""
    if isinstance(result, Comparison) and result.folds:
        return _(", {n_points} folds", n_points=len(result.folds.points))
    if isinstance(result, Comparison) and result.repeats and len(result.repeats.points) > 1:
        return _(", seed {seed}", seed=result.config.seed)
    return ""


def seeds_text(comparison: Comparison) -> str:
    """Return the seeds of a comparison: "seed 0", "5 seeds from 0 to 4", "5 folds, seed 0"."""
    if comparison.folds:
        return _("{n_points} folds, seed {seed}", n_points=len(comparison.folds.points), seed=comparison.config.seed)
    seeds = comparison.repeats.seeds if comparison.repeats else ()
    if len(seeds) < 2:
        return _("seed {seed}", seed=comparison.config.seed)
    return _("{n_seeds} seeds from {first} to {last}", n_seeds=len(seeds), first=seeds[0], last=seeds[-1])


def images_text(comparison: Comparison) -> str:
    """Return how many images there were and what for: "90 training, 30 validation and 60 test images"."""
    data, folds = comparison.dataset, comparison.folds
    if folds is None:
        return _(
            "{n_train:,} training, {n_validation:,} validation and {n_test:,} test images",
            n_train=data.n_train,
            n_validation=data.n_validation,
            n_test=data.n_test,
        )
    n_all, n_tested, first = data.n_train + data.n_validation + data.n_test, len(folds.rows), folds.points[0]
    tested = _("each") if n_tested == n_all else _("{n_tested:,} of them", n_tested=n_tested)
    return _(
        "{n_all:,} images, {tested} tested once in {n_points} folds (about {n_train:,} for training "
        "and {n_validation:,} for validation in each)",
        n_all=n_all,
        tested=tested,
        n_points=len(folds.points),
        n_train=first.n_train,
        n_validation=first.n_validation,
    )


def epochs_to_draw(run: RunResult) -> range:
    """Return the epochs to draw, from 1; fine-tuning starts at the last frozen epoch."""
    start = run.fine_tuning.start if run.fine_tuning else 1
    return range(max(start, 1), len(run.history.val_accuracy) + 1)


def answering_runs(runs: tuple[RunResult, ...]) -> list[RunResult]:
    """Return the tested models without the control, unless it is the only one."""
    tested = [run for run in runs if run.labels]
    return [run for run in tested if run.name != ModelName.CONTROL] or tested


def n_disagreed(tested: list[RunResult]) -> int:
    """Return the number of test images on which these models disagree."""
    return sum(len(set(answers)) > 1 for answers in zip(*(run.predictions for run in tested), strict=True))


def chance_level(runs: tuple[RunResult, ...]) -> float:
    """Return the accuracy, 0..1, of always answering the test set's largest class."""
    labels = next((run.labels for run in runs if run.labels), ())
    if not labels:
        return 1 / len(runs[0].class_names)
    return max(labels.count(label) for label in set(labels)) / len(labels)


def baseline_text(runs: tuple[RunResult, ...]) -> str:
    """Return what an accuracy of `chance_level` is: "chance", or "always bird" where classes differ in size."""
    run = next((run for run in runs if run.labels), runs[0])
    return baseline_name(run.labels, run.class_names)


def baseline_name(labels: Sequence[int], class_names: Sequence[str]) -> str:
    """Return the same for test images with these labels."""
    largest = largest_label(labels) if is_uneven(labels) else None
    return _("chance") if largest is None else _("always {shortened}", shortened=shortened(class_names[largest], 20))


def balanced_text(run: RunResult) -> str:
    """Return the balanced accuracy with its interval: "64.2% (55 to 72)"; "" where accuracy says the same."""
    if not run.is_uneven or run.balanced_accuracy is None:
        return ""
    return accuracy_text(run.balanced_accuracy, run.balanced_accuracy_ci95)


def shortened(text: str, most: int) -> str:
    """Cut the middle of a text to `most` characters; names often differ at the end."""
    if len(text) <= most:
        return text
    n_end = (most - 1) // 3
    return f"{text[: most - 1 - n_end]}…{text[len(text) - n_end :]}"


def label_of(name: str, backbone: str = "") -> str:
    """Return a model's name for figures; a name of no model stays as it is."""
    model = find_model(name)
    if model is ModelName.TRANSFER and backbone:
        return f"{model.label} ({backbone})"
    return model.label if model else name


def run_label(run: RunResult, *, broken: bool = False) -> str:
    """Return a run's name for figures; `broken` splits it at its parentheses."""
    random = _(", random weights") if run.weights == "random" and run.name != ModelName.CONTROL else ""
    label = label_of(run.name, run.backbone + random)
    return label.replace(" (", "\n(").replace(", ", ",\n") if broken else label


def alt_text(result: Result, kind: FigureKind) -> str:
    """Return a figure's text alternative; `kind` is its function without "plot_"."""
    runs = runs_of(result)
    if kind == "comparison":
        verdict = f"{result.verdict.text} " if isinstance(result, Comparison) else ""
        return f"{verdict}{_parameters(runs)} {_seconds(runs)}"
    sentences = {
        "parameters": _parameters,
        "seconds": _seconds,
        "confusion": _confusion,
        "recall": _recall,
        "predictions": _predictions,
    }
    if kind in ("accuracy", "test_accuracy"):
        return _accuracy(result) if kind == "accuracy" else _test_accuracy(result)
    if kind not in sentences:
        kinds = ("accuracy", "test_accuracy", *sentences, "comparison")
        raise InputError(_("kind={kind}; it must be one of {kinds}.", kind=shown(kind), kinds=", ".join(kinds)))
    return sentences[kind](runs)


def curves_alt_text(histories: Mapping[str, History], *, n_epochs: int | None = None, backbone: str = "") -> str:
    """Return the text alternative of curves of accuracy that are still growing."""
    of_all = _(" of {n_epochs}", n_epochs=n_epochs) if n_epochs else ""
    descriptions = [
        _(
            "{label} {val_accuracy} after {n_val_accuracy}{of_all} epochs",
            label=label_of(name, backbone),
            val_accuracy=percent(history.val_accuracy[-1]),
            n_val_accuracy=len(history.val_accuracy),
            of_all=of_all,
        )
        for name, history in histories.items()
        if history.val_accuracy
    ]
    what = "; ".join(descriptions) or _("nothing yet")
    return _("Line chart of accuracy by epoch. On the validation images: {what}.", what=what)


def most_different_classes(per_class: Sequence[Sequence[ClassFigures]], most: int) -> list[int]:
    """Return the labels of at most `most` classes, in order: those whose recall differs most between the models."""
    n = min(map(len, per_class), default=0)

    def gap(i: int) -> float:
        recalls = [recall for figures in per_class if (recall := figures[i].recall) is not None]
        return max(recalls) - min(recalls) if recalls else -1.0

    return sorted(sorted(range(n), key=gap, reverse=True)[:most])


def dataset_alt_text(dataset: ImageDataset, n_per_class: int = 6) -> str:
    """Return the text alternative of `plot_dataset`."""
    names = ", ".join(dataset.class_names[:12])
    more = _(" and {n_classes} more classes", n_classes=dataset.n_classes - 12) if dataset.n_classes > 12 else ""
    return _(
        "Up to {n_per_class} training images of each class of {dataset_name}: {names}{more}.",
        n_per_class=n_per_class,
        dataset_name=dataset.name,
        names=names,
        more=more,
    )


def _accuracy(result: Result) -> str:
    parts = []
    for run in runs_of(result):
        values = run.history.val_accuracy
        n = len(values)
        epochs = ngettext("after {n} epoch", "after {n} epochs", n)
        if n > 1:
            course = _("{first} to {last} {epochs}", first=percent(values[0]), last=percent(values[-1]), epochs=epochs)
        else:
            course = f"{percent(values[0])} {epochs}" if n else _("no finished epoch")
        parts.append(f"{run_label(run)} {course}")
    chart = _("Line chart of accuracy by epoch{seed_suffix}.", seed_suffix=seed_suffix(result))
    return _(
        "{chart} Validation accuracy: {parts}. {test_accuracy}",
        chart=chart,
        parts="; ".join(parts),
        test_accuracy=_test_accuracy(result),
    )


def _test_accuracy(result: Result) -> str:
    parts, runs, scores = [], runs_of(result), scores_of(result)
    for run in runs:
        score = scores.get(run.name)
        if score is None:
            parts.append(_("{run_label} not tested", run_label=run_label(run)))
        else:
            interval = f"{interval_label({run.name: score})} {interval_text(score.interval)}"
            balanced = _(", balanced {balanced}", balanced=balanced_text(run)) if run.is_uneven else ""
            parts.append(f"{run_label(run)} {percent(score.accuracy)} ({interval}){balanced}")
    return _(
        "Test accuracy: {parts}; {baseline} {chance_level}.",
        parts="; ".join(parts),
        baseline=baseline_text(runs),
        chance_level=percent(chance_level(runs)),
    )


def _parameters(runs: tuple[RunResult, ...]) -> str:
    parts = [
        _(
            "{run_label} {trainable:,} trainable and {frozen:,} frozen",
            run_label=run_label(run),
            trainable=run.params.trainable,
            frozen=run.params.frozen,
        )
        for run in runs
    ]
    return _("Parameters: {texts}.", texts="; ".join(parts))


def _seconds(runs: tuple[RunResult, ...]) -> str:
    parts = []
    for run in runs:
        saved = (
            _(" (cached features saved {saved})", saved=seconds_text(run.seconds.saved)) if run.seconds.saved else ""
        )
        parts.append(f"{run_label(run)} {seconds_text(run.seconds.total)}{saved}")
    return _("Time in all: {parts}.", parts="; ".join(parts))


def _confusion(runs: tuple[RunResult, ...]) -> str:
    parts = []
    for run in runs:
        mistakes: dict[tuple[int, int], int] = {}
        for pair in zip(run.labels, run.predictions, strict=True):
            if pair[0] != pair[1]:
                mistakes[pair] = mistakes.get(pair, 0) + 1
        text = (
            _(
                "{run_label} {n_right} of {n_labels} right",
                run_label=run_label(run),
                n_right=run.n_right,
                n_labels=len(run.labels),
            )
            if run.labels
            else _("{run_label} not tested", run_label=run_label(run))
        )
        if mistakes:
            (true, answer), n = max(mistakes.items(), key=lambda item: item[1])
            text += _(
                ", most often taking {true} for {answer} ({n})",
                true=run.class_names[true],
                answer=run.class_names[answer],
                n=n,
            )
        parts.append(text)
    return _(
        "Confusion matrix of {n_class_names} classes: {parts}.",
        n_class_names=len(runs[0].class_names),
        parts="; ".join(parts),
    )


def _recall(runs: tuple[RunResult, ...]) -> str:
    parts = []
    for run in runs:
        known = [(figures.recall, figures.name) for figures in run.per_class if figures.recall is not None]
        if known:
            (low, worst), (high, best) = min(known), max(known)
            parts.append(
                _(
                    "{run_label} from {worst} ({low}) to {best} ({high})",
                    run_label=run_label(run),
                    worst=worst,
                    low=percent(low),
                    best=best,
                    high=percent(high),
                )
            )
        else:
            parts.append(_("{run_label} not tested", run_label=run_label(run)))
    return _("Share of each class's test images recognized: {parts}.", parts="; ".join(parts))


def _predictions(runs: tuple[RunResult, ...]) -> str:
    tested = answering_runs(runs)
    text = "; ".join(
        _(
            "{run_label} is right on {n_right} of {n_labels}",
            run_label=run_label(run),
            n_right=run.n_right,
            n_labels=len(run.labels),
        )
        for run in tested
    )
    if len(tested) > 1:
        text += _("; they disagree on {n_disagreed}, which are shown first", n_disagreed=n_disagreed(tested))
    return _("Test images with the models' answers: {text}.", text=text or _("none was tested"))
