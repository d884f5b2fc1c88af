"""The exercises on convolutions (notebook 02), with their judges."""

from __future__ import annotations

from typing import Any

from tl_widgets.core.config import ScratchSpec
from tl_widgets.core.translation import _
from tl_widgets.records.parameters import count_rows, scratch_ledger
from tl_widgets.teaching.exercises.exercise import Exercise
from tl_widgets.teaching.exercises.judges import number

MAX_PARAMETERS = 100_000


def layer_before_dense(answer: Any) -> str | None:
    """Judge the name of the layer that turns feature maps into one row: two layers do."""
    name = str(getattr(answer, "__name__", answer)).strip().removesuffix("()").lower()
    if name in ("flatten", "globalaveragepooling2d", "globalmaxpooling2d"):
        return None
    if "pooling" in name:
        return _("Pooling makes the maps smaller, and they are still maps. What puts them into one row?")
    if name in ("dense", "dropout"):
        return _(
            "{answer} changes nothing about the places: there is still one answer for each of them.", answer=answer
        )
    return _("Write the name of one layer of Keras; this is {answer!r}.", answer=answer)


def small_network(answer: Any) -> str | None:
    """Judge a `ScratchSpec`: the article's blocks and fewer than 100,000 parameters."""
    spec = getattr(answer, "spec", answer)
    if not isinstance(spec, ScratchSpec):
        return _("Give the panel, or its panel.spec.")
    if spec.filters != (32, 64, 128) or spec.kernel_sizes != (5, 3, 3):
        return _(
            "The filters {filters} or kernels {kernel_sizes} were changed. Keep (32, 64, 128) and (5, 3, 3).",
            filters=spec.filters,
            kernel_sizes=spec.kernel_sizes,
        )
    if spec.dense_units != 6:
        return _("Keep the hidden Dense layer as it was: set Dense units to 6 again. There is another way.")
    n_params = count_rows(scratch_ledger((128, 128, 3), 2, spec)).total
    if n_params >= MAX_PARAMETERS:
        return _(
            "{n_params:,} parameters are still too many. What if Flatten did not hand over every pixel?",
            n_params=n_params,
        )
    return None


CONVOLUTIONS_EXERCISES: dict[str, Exercise] = {
    "02-a": Exercise(
        _("Each pooling halves both sides of the maps: 192, 96, … And how many maps are there at the end?"),
        _(
            "24 × 24 places in each of 128 maps. The Dense layer after Flatten grows with them. A kernel "
            "has the same weights however many places it visits, so the convolutions stay as they are."
        ),
        number(
            73_728,
            {
                128: _("128 is the number of maps. Flatten keeps every place of each of them."),
                576: _("24 × 24 is one map. There are 128 of them."),
                4_718_592: _("That is without pooling, 192 × 192 × 128. Three poolings halve the sides three times."),
                294_912: _("That is after two poolings. There are three."),
                8_192: _("That is with pictures of 64 × 64 pixels. Here they are larger."),
            },
            _("Three poolings halve 192 three times. Multiply the two sides by the number of maps."),
        ),
        _("192 / 2 / 2 / 2 = 24 places along each side, and 128 maps."),
    ),
    "02-b": Exercise(
        _("Keep blocks and filters as they are. Which layer holds most of the parameters, and what comes before it?"),
        _("One number for each map in place of all its places. 95,565: the printed network had as many."),
        small_network,
        _("In the panel, look at Last feature maps. One of its choices keeps one number for each map."),
    ),
    "02-c": Exercise(
        _("What comes out of MaxPooling2D, and what does Dense need to see the whole picture?"),
        _("Flatten puts the maps into one row. GlobalAveragePooling2D does as well, with far fewer weights after it."),
        layer_before_dense,
        _("Two layers turn feature maps into one row of numbers. Both are in this notebook."),
    ),
}
