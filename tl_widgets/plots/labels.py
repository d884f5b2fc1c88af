"""What figures and their text alternatives are made from: runs, and numbers in few characters."""

from __future__ import annotations

from dataclasses import dataclass

from tl_widgets.core.errors import InputError
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import accuracy_text
from tl_widgets.records.comparison import Comparison, RunResult
from tl_widgets.records.statistics import Interval

Result = Comparison | RunResult | tuple[RunResult, ...]


def runs_of(result: Result) -> tuple[RunResult, ...]:
    """The runs in a result, at least one.

    Raises:
        InputError: there is none.
    """
    if isinstance(result, Comparison):
        runs = result.runs
    else:
        runs = (result,) if isinstance(result, RunResult) else tuple(result)
    if not runs:
        raise InputError(
            "There is no trained model to plot: the experiment was stopped before the first. Run it again."
        )
    return runs


@dataclass(frozen=True)
class Score:
    """What a model reaches on the test images.

    Attributes:
        accuracy: 0..1; over several seeds the mean.
        interval: 95%: Wilson's over images, or Student's t over seeds.
        seeds: the accuracy of each seed; empty with one seed.
    """

    accuracy: float
    interval: Interval
    seeds: tuple[float, ...] = ()

    @property
    def text(self) -> str:
        """In few characters: 91.1% (83 to 95)."""
        return accuracy_text(self.accuracy, self.interval)


def scores_of(result: Result) -> dict[str, Score]:
    """The score of each tested model, by name.

    Args:
        result: over several seeds where it is a comparison with repeats.
    """
    scores = {}
    repeats = result.repeats if isinstance(result, Comparison) else None
    for run in runs_of(result):
        mean = repeats.mean(run.name) if repeats else None
        if repeats and mean and mean.ci95:
            scores[run.name] = Score(mean.mean, mean.ci95, repeats.accuracies(run.name))
        elif run.test_accuracy is not None and run.test_accuracy_ci95 is not None:
            scores[run.name] = Score(run.test_accuracy, run.test_accuracy_ci95)
    return scores


def interval_words(scores: dict[str, Score]) -> str:
    """What the intervals of these scores are: "95% interval", "mean of 5 seeds, 95% t interval over seeds"."""
    n = max((len(score.seeds) for score in scores.values()), default=0)
    return f"mean of {n} seeds, 95% interval over seeds" if n else "95% interval"


def seed_words(result: Result) -> str:
    """The end of a title, ", seed 4", where a figure shows one seed of several; else nothing."""
    if isinstance(result, Comparison) and result.repeats and len(result.repeats.points) > 1:
        return f", seed {result.config.seed}"
    return ""


def seeds_text(comparison: Comparison) -> str:
    """Which seeds a comparison was made with: "seed 0", "5 seeds from 0 to 4"."""
    seeds = comparison.repeats.seeds if comparison.repeats else ()
    if len(seeds) < 2:
        return f"seed {comparison.config.seed}"
    return f"{len(seeds)} seeds from {seeds[0]} to {seeds[-1]}"


def own_epochs(run: RunResult) -> range:
    """The epochs, from 1, whose curve is the run's own: that of a fine-tuned model begins where the frozen one ends."""
    start = run.fine_tuning.start if run.fine_tuning else 1
    return range(max(start, 1), len(run.history.val_accuracy) + 1)


def answering_runs(runs: tuple[RunResult, ...]) -> list[RunResult]:
    """The tested models whose answers are looked at one by one: all but the control, which is there to fail."""
    tested = [run for run in runs if run.labels]
    return [run for run in tested if run.name != ModelName.CONTROL] or tested


def n_disagreed(tested: list[RunResult]) -> int:
    """Test images to which not all of these models give the same answer."""
    return sum(len(set(answers)) > 1 for answers in zip(*(run.predictions for run in tested), strict=True))


def chance_level(runs: tuple[RunResult, ...]) -> float:
    """Accuracy, 0..1, of always giving the most frequent class of the test images.

    Without test images all classes are taken to be equally frequent.
    """
    labels = next((run.labels for run in runs if run.labels), ())
    if not labels:
        return 1 / len(runs[0].class_names)
    return max(labels.count(label) for label in set(labels)) / len(labels)


def shortened(text: str, most: int) -> str:
    """The text in at most `most` characters: its beginning and its end, where names often differ."""
    if len(text) <= most:
        return text
    n_end = (most - 1) // 3
    return f"{text[: most - 1 - n_end]}…{text[len(text) - n_end :]}"
