"""The figure of the "noise" study."""

from __future__ import annotations

import textwrap
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tl_widgets.core.arguments import checked
from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import percent
from tl_widgets.core.translation import _
from tl_widgets.plots.glyphs import drawable_names
from tl_widgets.plots.labels import label_of, shortened
from tl_widgets.plots.style import (
    INK,
    PALE,
    SMALL_SIZE,
    add_axes,
    answer_color,
    color_of,
    draw_chance,
    draw_intervals,
    draw_picture,
    finish_axes,
    legend_below,
    marker_of,
    new_figure,
    set_fonts,
    set_share_axis,
    write_title,
)
from tl_widgets.records.statistics import wilson_interval
from tl_widgets.studies.label_noise.result import ARMS, MOST_SHOWN, LabelNoise, Suspect

_FOUND = "#7B3294"  # of no model


@checked
def plot_label_noise(study: LabelNoise, *, narrow: bool = False) -> Figure:
    """Draw accuracy against the share of wrong labels, how many wrong labels were found, and proposed corrections.

    Args:
        study: a study with at least one point.
        narrow: whether the figure is for a page of half the width.

    Returns:
        A figure with a chart of accuracy (means with t intervals over the seeds), a chart of the labels that the search
        found (Wilson's intervals), and the most suspicious training images. ✓ marks a proposal that is right,
        (✓) a wrong label for which the proposal is wrong, too, and ✗ a false alarm.

    Raises:
        InputError: no point was measured.
    """
    if not study.points:
        raise InputError(_("This study has no point to draw: it was stopped before the first."))
    shown = _shown(study)
    n_columns = 4 if narrow else 6
    n_rows = -(-len(shown) // n_columns)
    width = 5.2 if narrow else 8.2
    heights = [*([3.4, 3.1] if narrow else [3.6]), 0.5 + 2.0 * n_rows if n_rows else 0.01]
    figure = new_figure(width, sum(heights) + 0.5)
    pages = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False).ravel()
    charts = [add_axes(page) for page in pages[:2]] if narrow else [
        add_axes(pages[0], place) for place in pages[0].add_gridspec(1, 2, width_ratios=(1.15, 1))
    ]  # fmt: skip
    _draw_accuracy(charts[0], study)
    _draw_found(charts[1], study)
    if shown:
        _draw_gallery(pages[-1], study, shown, n_columns, n_rows)
    return figure


def _shown(study: LabelNoise) -> tuple[Suspect, ...]:
    share = study.gallery_share
    search = None if share is None else study.search(share)
    return search.shown[:MOST_SHOWN] if search else ()


def _draw_accuracy(ax: Axes, study: LabelNoise) -> None:
    for i, arm in enumerate(ARMS):
        means = {share: mean for share in study.shares if (mean := study.mean(arm, share))}
        x = [share + 0.6 * (i - 0.5) for share in means]
        y, ends = [mean.mean for mean in means.values()], [mean.ci95 for mean in means.values()]
        draw_intervals(ax, x, y, ends, color=color_of(arm), marker=marker_of(arm), linewidth=2)
    handles = [Line2D([], [], color=color_of(arm), marker=marker_of(arm), label=label_of(arm)) for arm in ARMS]
    legend_below(ax, [*handles, draw_chance(ax, study.chance)], n_columns=3)
    _finish(ax, study, _("What wrong labels cost"), _("accuracy on the test images"))


def _draw_found(ax: Axes, study: LabelNoise) -> None:
    looks: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
        ("n_wrong", _("found, of all wrong labels"), "P", {}),
        ("n_suspected", _("wrong, of all doubted labels"), "X", {"linestyle": "--"}),
    )
    for name, _unused, marker, style in looks:
        counts = [
            (share, found.n_found, getattr(found, name))
            for share in study.shares
            if share and (found := study.search(share)) and getattr(found, name)
        ]
        y = [n / n_all for _, n, n_all in counts]
        ends = [wilson_interval(n, n_all) for _, n, n_all in counts]
        draw_intervals(
            ax, [share for share, _, _ in counts], y, ends, color=_FOUND, marker=marker, linewidth=2, **style
        )
    ax.plot(study.shares, [share / 100 for share in study.shares], color=PALE, linestyle=":", linewidth=1.5)
    handles = [Line2D([], [], color=_FOUND, marker=m, label=label, **style) for _, label, m, style in looks]
    picked = Line2D([], [], color=PALE, linestyle=":", linewidth=1.5, label=_("wrong, of labels picked at random"))
    legend_below(ax, [*handles, picked], n_columns=1)
    _finish(ax, study, _("How many a model finds"), _("share of labels"))


def _finish(ax: Axes, study: LabelNoise, title: str, y: str) -> None:
    reach = max(study.shares[-1] - study.shares[0], 1)
    ax.set_xlim(study.shares[0] - 0.08 * reach, study.shares[-1] + 0.08 * reach)
    ax.set_xticks(list(study.shares), [percent(share / 100, 0) for share in study.shares])
    set_share_axis(ax)
    finish_axes(ax, title, x=_("wrong training labels"), y=y)


def _wrapped(text: str) -> str:
    """Break a text into lines that are as wide as a picture; a long word keeps its line."""
    return textwrap.fill(text, 17, break_long_words=False)


def _draw_gallery(page: Any, study: LabelNoise, shown: tuple[Suspect, ...], n_columns: int, n_rows: int) -> None:
    names = drawable_names(study.dataset.class_names)
    title = _("The most doubted labels ({gallery_share}% are wrong), with proposals", gallery_share=study.gallery_share)
    write_title(page, title)
    grid = page.add_gridspec(n_rows, n_columns)
    for i, suspect in enumerate(shown):
        ax = add_axes(page, grid[i // n_columns, i % n_columns])
        draw_picture(ax, study.picture(suspect))
        is_wrong = suspect.given != suspect.true
        mark = "✗" if not is_wrong else "✓" if suspect.proposed == suspect.true else "(✓)"
        ax.set_title(
            _wrapped(_("labeled {shortened}", shortened=shortened(names[suspect.given], 24))),
            fontsize=SMALL_SIZE,
            color=INK,
        )
        proposal = _wrapped(f"{mark} {shortened(names[suspect.proposed], 24)}, {percent(suspect.probability, 0)}")
        ax.set_xlabel(proposal, fontsize=SMALL_SIZE, color=answer_color(is_wrong))
        set_fonts([ax.title, ax.xaxis.label])
