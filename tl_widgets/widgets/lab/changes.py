"""What has changed since the last run, for the words and curves of Live mode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import number_text
from tl_widgets.core.translation import in_english, within_sentence
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.records.comparison import Comparison, RunResult
from tl_widgets.widgets.shared.settings import CONTROLS


def has_one_test(result: Comparison) -> bool:
    """Return whether a comparison tested two models once each, as Live mode shows them."""
    models = {run.name for run in result.runs}
    return result.config.repeats == result.config.folds == 1 and models == {ModelName.SCRATCH, ModelName.TRANSFER}


def same_images(last: Comparison, dataset: ImageDataset, run: RunResult) -> bool:
    """Return whether a run was tested on the same images as the last comparison."""
    edits = [origin.edits for origin in (last.dataset.origin, dataset.origin) if origin is not None]
    return last.runs[0].labels == run.labels and all(other == edits[0] for other in edits)


def values_text(values: Mapping[str, Any], preset: str = "", *, transfer: bool = False) -> str:
    """Return settings with their values as a few words: "10 images per class, seed 1".

    Args:
        values: the values by name.
        preset: the preset that has them, whose title is shorter; "" if there is none.
        transfer: whether the words are about the transfer model, which the settings of the other don't concern.
    """
    shown = [name for name in values if not (transfer and CONTROLS[name].group == "From scratch")]
    if preset and len(shown) == len(values) > 2:
        return f"“{preset}”"
    return ", ".join(_value_text(name, values[name]) for name in shown)


def _value_text(name: str, value: Any) -> str:
    declared = CONTROLS[name]
    shown = declared.none if value is None else number_text(value) if isinstance(value, float) else str(value)
    label = within_sentence(declared.label)
    is_count = in_english(declared.label).endswith(("pochs", "class"))
    return f"{shown} {label}" if is_count else f"{label} {shown}"
