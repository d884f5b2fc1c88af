"""Measurement of the "time" study."""

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
    """Train the models of a comparison and measure accuracy against seconds.

    `TimeStudy.of` returns the same for a comparison that you have already.

    Args:
        dataset: images and their split.
        target: validation accuracy whose time is compared, 0..1; if None, the greatest that all models but the control
            reach.
        config: settings of the comparison; `Config()` if None.
        on_event: receives each phase, epoch and batch.
        cancel: set from any thread, it stops the study within one batch.

    Returns:
        The curves that were measured, even after a Stop.

    Raises:
        InputError: an argument is not allowed.
        WeightsUnavailableError: the weights are not on this machine and cannot be downloaded.
    """
    if target is not None:
        require_share("target", target)
    config = config or Config()
    comparison = compare_config(dataset, config, on_event=on_event, cancel=cancel)
    return TimeStudy.of(comparison, target=target)
