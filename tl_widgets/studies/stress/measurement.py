"""Measurement of the "stress" study: trained models on changed copies of the test images."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tl_widgets.core.arguments import checked
from tl_widgets.core.config import Config
from tl_widgets.core.errors import CancelledError
from tl_widgets.core.events import Cancel, OnEvent, ignore
from tl_widgets.core.settings import Whole
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset, Split, require_dataset, subset
from tl_widgets.experiments.answers import Answerer, answerers
from tl_widgets.experiments.comparison import RunCache, compare_config, environment, summarize
from tl_widgets.experiments.parallel import WorkContext, measure_all
from tl_widgets.experiments.prediction import require_new_test_images, runs_with_models
from tl_widgets.records.answers import interleave_classes
from tl_widgets.records.comparison import Comparison
from tl_widgets.records.pixels import pixels_text
from tl_widgets.studies.stress.changes import CHANGES, SEVERITIES, Change, applicable, change_images
from tl_widgets.studies.stress.result import ArmAnswers, StressPoint, StressTest

_EXAMPLE_BYTES = 120_000  # of a record: nine pictures of 64 pixels, one of 224


@dataclass(frozen=True)
class _Job:
    """One change at one severity."""

    change: Change
    severity: int

    def describe(self) -> str:
        return _("{change_label}, severity {severity}", change_label=self.change.label, severity=self.severity)


@checked
def stress_test(
    dataset: ImageDataset,
    *,
    n_images: int = 100,
    config: Config | None = None,
    comparison: Comparison | None = None,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> StressTest:
    """Train the models of a comparison once, and test them on changed copies of the test images.

    The pictures become darker, brighter, blurred, noisy, rotated, smaller, JPEG-compressed, gray, and, if their
    background is plain, stand on grass; each in three degrees of severity. No model has trained on such pictures.

    Args:
        dataset: images and their split.
        n_images: how many test images are changed, at most; the classes take turns.
        config: settings of the comparison; `Config()` if None. With `fine_tuning`, the fine-tuned model is tested, too.
        comparison: the models to test, as `compare(dataset)` returned them; they are trained if it is None.
        on_event: receives each phase, each epoch, and each finished change.
        cancel: set from any thread, it stops the study within one batch.

    Returns:
        Everything that was measured, even after a Stop.

    Raises:
        InputError: an argument is not allowed.
        CancelledError: the study was stopped before the models were trained.
        WeightsUnavailableError: the weights are not on this machine and cannot be downloaded.
    """
    require_dataset(dataset)
    Whole(1).check("n_images", n_images)
    cache = RunCache()
    if comparison is None:
        config = replace(config or Config(), folds=1)  # there is one test
        comparison = compare_config(dataset, config, on_event=on_event, cancel=cancel, cache=cache)
        if comparison.stopped:
            raise CancelledError(_("stopped before there were models to test"))
    else:
        runs_with_models(comparison)  # or say that they are gone
    require_new_test_images(comparison, dataset)
    labels = dataset.test.labels
    rows = np.sort(np.array(interleave_classes(range(len(labels)), labels.tolist())[:n_images], np.int64))
    tested, models = subset(dataset.test, rows), answerers(comparison, cache)
    pixels = np.asarray(tested.images[:])
    changes, left_out = applicable(pixels)
    seed = comparison.config.seed

    def measure(job: _Job, context: WorkContext) -> StressPoint:
        split = Split(change_images(pixels, job.change, job.severity, seed=seed), tested.labels)
        how = (context.on_event, context.cancel)
        answers = tuple(_answers(name, model, split, *how) for name, model in models.items())
        return StressPoint(job.change.name, job.severity, answers)

    jobs = [_Job(change, severity) for severity in SEVERITIES for change in changes]
    measured = measure_all(jobs, measure, describe=_Job.describe, on_event=on_event, cancel=cancel)
    clean = tuple(
        ArmAnswers(run.name, tuple(run.predictions[row] == run.labels[row] for row in rows.tolist()))
        for run in comparison.runs
    )
    examples = pixels[_examples(clean, tested)]
    return StressTest(
        dataset=summarize(dataset),
        config=comparison.config,
        clean=clean,
        changes=tuple(change.name for change in changes),
        points=measured.points,
        left_out=left_out,
        example=pixels_text(examples),
        failures=measured.failures,
        stopped=measured.stopped,
        environment=environment(),
    )


def _answers(name: str, model: Answerer, split: Split, on_event: OnEvent, cancel: Cancel | None) -> ArmAnswers:
    found = model.probabilities(split, on_event=on_event, cancel=cancel).argmax(axis=1)
    return ArmAnswers(name, tuple((found == split.labels).tolist()))


def _examples(clean: tuple[ArmAnswers, ...], tested: Split) -> list[int]:
    """Return the places of pictures that most models recognize and that have detail to lose, the classes in turn."""
    n_right = np.sum([arm.right for arm in clean], axis=0)
    pixels = tested.images[:]
    detail = np.array([np.asarray(image).std() for image in pixels])
    best_first = np.lexsort((-detail, -n_right)).tolist()
    n_fitting = max(1, _EXAMPLE_BYTES // pixels[0].nbytes)
    return list(interleave_classes(best_first, tested.labels.tolist()))[: min(n_fitting, len(CHANGES))]
