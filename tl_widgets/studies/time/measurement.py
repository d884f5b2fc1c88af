"""How much time: accuracy against seconds."""

from __future__ import annotations

from tl_widgets.core.config import Config, require_share
from tl_widgets.core.events import Cancel, OnEvent, ignore
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.experiments.comparison import compare_config
from tl_widgets.studies.time.result import TimeStudy


def time_study(
    dataset: ImageDataset,
    *,
    target: float | None = None,
    config: Config | None = None,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> TimeStudy:
    """Measure accuracy against seconds for the models of one comparison.

    `TimeStudy.of` reads the same from a comparison that was made already.

    Args:
        dataset: images and their split.
        target: accuracy whose time is asked for; the greatest that both models reach where None.
        config: of the comparison; `Config()` where None.
        on_event: hears of each phase, epoch and batch.
        cancel: set from any thread, it stops within one batch.

    Raises:
        InputError: an argument is not allowed.
        WeightsUnavailableError: the weights are neither on this machine nor to be had.
    """
    if target is not None:
        require_share("target", target)
    config = config or Config()
    comparison = compare_config(dataset, config, on_event=on_event, cancel=cancel)
    return TimeStudy.of(comparison, target=target)
