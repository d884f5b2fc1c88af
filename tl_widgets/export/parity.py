"""An exported model and its original asked about the same test images."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, Event, OnEvent, raise_if_cancelled
from tl_widgets.core.lazy_tensorflow import silence
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset, Images
from tl_widgets.export.converters import OUTPUT, Answer, serving_function
from tl_widgets.records.comparison import RunResult

_BATCH = 32
_N_TIMED = 30  # images that the original answers one by one
_ROUNDING = 1e-3  # of the sum of a model's probabilities


def compare_answers(
    run: RunResult,
    open_export: Callable[[Path], tuple[str, Answer]],
    path: Path,
    dataset: ImageDataset,
    on_event: OnEvent,
    cancel: Cancel | None,
) -> dict[str, Any]:
    """Ask the original and the export about each test image; return the fields of the report.

    Raises:
        InputError: The answers of one of them are no probabilities.
        CancelledError: `cancel` was set.
    """
    images, labels, n = dataset.test.images, dataset.test.labels, len(dataset.test)
    with silence():
        runtime, ask = open_export(path)
        ask(np.asarray(images[:1]))  # LiteRT announces itself
    classify = serving_function(run.model, dataset.image_shape, None)

    def ask_original(images: Images) -> NDArray[np.float32]:
        answers: NDArray[np.float32] = classify(images)[OUTPUT].numpy()
        return answers

    seconds_before = [_timed(ask_original, images[i : i + 1])[1] for i in range(min(n, _N_TIMED))]
    seconds_after: list[float] = []
    n_equal = n_right_before = n_right_after = 0
    largest = 0.0
    for start in range(0, n, _BATCH):
        batch = np.asarray(images[start : start + _BATCH])
        before = ask_original(batch)
        if not np.isfinite(before).all():
            raise InputError(
                _(
                    "The model answers with NaN instead of numbers, because its training diverged. Train it again with "
                    "a lower learning rate."
                )
            )
        if before.min() < -_ROUNDING or np.abs(before.sum(axis=1) - 1).max() > _ROUNDING:
            raise InputError(
                _(
                    "The model's answers aren't probabilities that add up to 1. Its last layer needs softmax, or "
                    "sigmoid for two classes."
                )
            )
        after = np.empty_like(before)
        for i in range(len(batch)):
            raise_if_cancelled(cancel)
            answer, seconds = _timed(ask, batch[i : i + 1])
            after[i] = answer[0]
            seconds_after.append(seconds)
        if not np.isfinite(after).all():
            raise InputError(_("The export answers with NaN where the original gives numbers. Try another format."))
        given, truth = [answers.argmax(axis=1) for answers in (before, after)], labels[start : start + _BATCH]
        n_equal += int((given[0] == given[1]).sum())
        n_right_before += int((given[0] == truth).sum())
        n_right_after += int((given[1] == truth).sum())
        largest = max(largest, float(np.abs(before - after).max()))
        n_done = len(seconds_after)
        on_event(
            Event(
                "evaluate",
                _("asking the export about the test images: {n_done} of {n}", n_done=n_done, n=n),
                run.name,
                n_done,
                n,
            )
        )
    return {
        "n_images": n,
        "n_equal": n_equal,
        "n_right_before": n_right_before,
        "n_right_after": n_right_after,
        "largest_difference": largest,
        # The first image also pays for the start.
        "milliseconds_before": 1000 * median(seconds_before[1:] or seconds_before),
        "milliseconds_after": 1000 * median(seconds_after[1:] or seconds_after),
        "runtime": runtime,
    }


def _timed(ask: Callable[[Images], Any], image: Images) -> tuple[Any, float]:
    started = time.perf_counter()
    answer = ask(image)
    return answer, time.perf_counter() - started
