"""The memory that JupyterLab and kernels take at their peak, as measured, and what of it fits under a limit.

The page docs/how-to/small-hubs.md says how it was measured, and tests hold its figures against these.
"""

from __future__ import annotations

from collections.abc import Iterator

from tl_widgets.core.translation import _

# MB, with TensorFlow 2.21 on two cores; notebooks with one thread.
SERVER = 100  # JupyterLab itself
LAB = 690  # a Lab with one comparison at 64 pixels
TWO_LABS = 1180  # two kernels with such a Lab: what they share counts once
NOTEBOOKS = {
    "00_start_here": 720,
    "01_how_a_network_learns": 460,
    "02_convolutions": 570,
    "03_overfitting": 560,
    "04_frozen_backbone": 710,
    "05_fair_comparison": 740,
    "06_your_own_images": 600,
    "07_how_much_data": 660,
    "08_choosing_a_backbone": 590,
    "09_fine_tuning": 760,
    "10_what_goes_wrong": 680,
    "11_look_inside": 730,
    "12_is_it_any_good": 680,
}

_ELSEWHERE = 1.06  # the same kernel takes up to 6% more on another machine


def fits_a_lab(limit: float) -> bool:
    """Return whether a Lab fits under a limit in MB, beside JupyterLab."""
    return _left(limit) >= LAB


def what_fits(limit: float) -> str:
    """Return which kernels fit under a limit in MB, beside JupyterLab, in a few sentences."""
    return " ".join(_sentences(limit))


def _left(limit: float) -> float:
    return (limit - SERVER) / _ELSEWHERE


def _sentences(limit: float) -> Iterator[str]:
    left, most = _left(limit), max(NOTEBOOKS.values())
    yield _("JupyterLab takes {server:,} MB of {limit:,.0f}.", server=SERVER, limit=limit)
    if fits_a_lab(limit):
        yield _("A Lab with one comparison at 64 pixels fits ({lab:,} MB).", lab=LAB)
    else:
        yield _("A Lab with one comparison at 64 pixels takes {lab:,} MB, which doesn't fit.", lab=LAB)
    fitting = [name[:2] for name, taken in NOTEBOOKS.items() if taken <= left]
    if len(fitting) == len(NOTEBOOKS):
        yield _("Every notebook fits ({most:,} MB at most).", most=most)
    elif fitting:
        names = ", ".join(fitting)
        yield _("Of the notebooks, {names} fit; others take up to {most:,} MB.", names=names, most=most)
    else:
        yield _("No notebook fits: they take {least:,} to {most:,} MB.", least=min(NOTEBOOKS.values()), most=most)
    if left < min(LAB, *NOTEBOOKS.values()):
        return
    if left < TWO_LABS:
        yield _("Run one kernel at a time: two such Labs take {two:,} MB.", two=TWO_LABS)
    else:
        yield _("Two kernels at once fit ({two:,} MB for two such Labs).", two=TWO_LABS)
