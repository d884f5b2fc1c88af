"""The figure of the "cures" study."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from tl_widgets.core.arguments import checked
from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import percent
from tl_widgets.core.translation import _
from tl_widgets.plots.style import (
    INK,
    PALE,
    add_axes,
    color_of,
    draw_intervals,
    finish_axes,
    legend_below,
    marker_of,
    new_figure,
    note,
    set_share_axis,
)
from tl_widgets.studies.cures.result import LABELS, NOTHING, OverfittingCures, model_of


@checked
def plot_cures(study: OverfittingCures, *, narrow: bool = False) -> Axes:
    """Draw training and test accuracy without a cure and with each, one row for each.

    Args:
        study: a study with at least one point.
        narrow: whether the figure is for a page of half the width.

    Returns:
        Axes with a full marker for the test accuracy and a hollow one for the training accuracy of each row (means
        with t intervals over the seeds), joined by a line: the gap. Beside it, what the cure gains, paired by seed.

    Raises:
        InputError: no point was measured.
    """
    cures = study.measured
    if not cures:
        raise InputError(_("This study has no point to draw: it was stopped before the first."))
    ax = add_axes(new_figure(5.2 if narrow else 8.2, 1.7 + (0.62 if narrow else 0.5) * len(cures)))
    for y, cure in enumerate(cures):
        _draw_row(ax, study, cure, y, narrow=narrow)
    before = study.mean(NOTHING)
    handles = [
        Line2D([], [], color=INK, marker="o", linestyle="none", label=_("test images")),
        Line2D([], [], color=INK, marker="o", markerfacecolor="white", linestyle="none", label=_("training images")),
        Line2D(
            [], [], color=PALE, linestyle=":", linewidth=1.5, label=_("chance ({chance})", chance=percent(study.chance))
        ),
    ]
    ax.axvline(study.chance, color=PALE, linestyle=":", linewidth=1.5)
    if before:
        ax.axvline(before.mean, color=PALE, linestyle="--", linewidth=1.2)
        handles.append(Line2D([], [], color=PALE, linestyle="--", linewidth=1.2, label=_("test without a cure")))
    gains = {cure: gain.difference_text for cure in study.ranking if narrow and (gain := study.difference(cure))}
    ax.set_yticks(
        range(len(cures)), [f"{LABELS[cure]}\n{gains[cure]}" if cure in gains else LABELS[cure] for cure in cures]
    )
    ax.set_ylim(len(cures) - 0.5, -0.6)
    set_share_axis(ax, "x")
    legend_below(ax, handles, n_columns=2 if narrow else 4)
    finish_axes(
        ax, study.headline if not narrow else _("What helps against overfitting"), x=_("accuracy (gain in points)")
    )
    return ax


def _draw_row(ax: Axes, study: OverfittingCures, cure: str, y: float, *, narrow: bool) -> None:
    color, marker = color_of(model_of(cure)), marker_of(model_of(cure))
    training, test, gain = study.mean(cure, training=True), study.mean(cure), study.difference(cure)
    assert training is not None
    assert test is not None
    ax.plot([test.mean, training.mean], [y, y], color=color, alpha=0.3, linewidth=6, solid_capstyle="butt")
    for mean, fill in ((training, "white"), (test, color)):
        style = {"color": color, "marker": marker, "markerfacecolor": fill, "markersize": 7}
        draw_intervals(ax, [mean.mean], [y], [mean.ci95], axis="x", **style)
    if gain and cure != NOTHING and not narrow:
        note(ax, gain.difference_text, (1.04, y), (6, 0), annotation_clip=False)
