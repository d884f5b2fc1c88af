"""The chart of the "fine-tuning" study while it measures: accuracy by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tl_widgets.core.events import Event
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.translation import _
from tl_widgets.records.comparison import Comparison
from tl_widgets.studies.stage import Axis, Dot, StageChart

_MODELS = (ModelName.SCRATCH, ModelName.TRANSFER, ModelName.FINE_TUNED)

if TYPE_CHECKING:
    from tl_widgets.studies.fine_tuning import FineTuningArguments
    from tl_widgets.studies.study import SoFar


def fine_tuning_stage(arguments: FineTuningArguments, so_far: SoFar) -> StageChart:
    """Return the chart; the curve of the fine-tuned model begins where the frozen stage ends."""
    epochs, more_epochs, result = arguments.epochs, arguments.more_epochs, so_far.result
    if result is not None and result.config.fine_tuning is not None:
        epochs, more_epochs = result.config.epochs, result.config.fine_tuning.epochs
    curves = curves_so_far(so_far.found) if result is None else curves_of(result)
    dots = []
    for model, accuracies in curves.items():
        start = epochs if model == ModelName.FINE_TUNED else 0
        dots += [
            Dot(model, start + i, share, label=_("Epoch {start}", start=start + i))
            for i, share in enumerate(accuracies, 1)
        ]
    x = Axis.even(_("epochs"), 1, max(2, epochs + more_epochs))
    y = Axis.share(_("accuracy on the validation images"))
    return StageChart(_("Accuracy on the validation images by epoch"), x, y, _MODELS, tuple(dots))


def curves_of(result: Comparison) -> dict[str, Sequence[float]]:
    """Return the accuracies by epoch of a result."""
    starts = {run.name: run.fine_tuning.start if run.fine_tuning else 0 for run in result.runs}
    return {run.name: run.history.val_accuracy[starts[run.name] :] for run in result.runs}


def curves_so_far(found: Sequence[Event]) -> dict[str, Sequence[float]]:
    """Return the accuracies of the epochs so far."""
    curves: dict[str, list[float]] = {}
    for event in found:
        if event.phase == "train" and event.model in _MODELS and "val_accuracy" in event.metrics:
            curves.setdefault(event.model, []).append(event.metrics["val_accuracy"])
    return dict(curves)
