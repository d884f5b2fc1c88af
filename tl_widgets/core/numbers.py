"""Format numbers the same way in every widget, figure, report and terminal, and as the language writes them."""

from __future__ import annotations

import re

from tl_widgets.core.translation import ENGLISH, _, language, localized

MINUS = "\N{MINUS SIGN}"


def number_text(value: float, form: str = "g") -> str:
    """Return a number in a format of Python's: "0.001"."""
    return localized(format(value, form))


def percent(share: float, digits: int = 1) -> str:
    """Return a share in 0..1 as text: "91.1%"."""
    return localized(f"{100 * share:.{digits}f}%")


def points(difference: float, digits: int = 1, *, signed: bool = False) -> str:
    """Return a difference of shares in percentage points: "−3.3"; "+3.3" if `signed`."""
    return localized(f"{100 * difference:{'+' if signed else ''}.{digits}f}".replace("-", MINUS))


def points_range(low: float, high: float) -> str:
    """Return an interval of differences or shares in points: "−3.3 to 12.0"."""
    return _("{low} to {high}", low=points(low), high=points(high))


def interval_text(interval: tuple[float, float]) -> str:
    """Return an interval of accuracies, in 0..1, in percent: "83 to 95".

    A decimal is added if both ends would look the same: "99.6 to 100.0".
    """
    low, high = (100 * end for end in interval)
    digits = 1 if f"{low:.0f}" == f"{high:.0f}" else 0
    return _("{low} to {high}", low=localized(f"{low:.{digits}f}"), high=localized(f"{high:.{digits}f}"))


def accuracy_text(accuracy: float, interval: tuple[float, float] | None) -> str:
    """Return an accuracy with its interval, if there is one: "91.1% (88 to 94)"."""
    return f"{percent(accuracy)} ({interval_text(interval)})" if interval else percent(accuracy)


def count_text(n: int) -> str:
    """Return a count with commas between its thousands: "3,413,024"."""
    return localized(f"{n:,}")


def short_count(n: float) -> str:
    """Return a count with at most three digits: "64", "291 k", "4.69 M"."""
    for unit, name in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if n >= unit * 0.9995:
            return localized(f"{n / unit:.3g}{name}")
    return f"{n:.0f}"


def seconds_text(seconds: float) -> str:
    """Return a measured duration: "0.04 s", "6.9 s", "210 s"."""
    digits = 2 if seconds < 0.1 else 1 if seconds < 100 else 0
    return localized(f"{seconds:,.{digits}f} s")


def milliseconds_text(milliseconds: float) -> str:
    """Return a measured duration: "0.85 ms", "1.2 ms", "130 ms"."""
    digits = 0 if milliseconds >= 10 else 1 if milliseconds >= 1 else 2
    return localized(f"{milliseconds:,.{digits}f} ms")


def duration_text(seconds: float) -> str:
    """Return a waiting time: "0.4 s", "12 s" or "3 min 20 s"."""
    if seconds < 10:
        return localized(f"{seconds:.1f} s")
    if seconds < 100:
        return f"{seconds:.0f} s"
    return _("{minutes} min {seconds} s", minutes=int(seconds) // 60, seconds=int(seconds) % 60)


def rough_duration(seconds: float) -> str:
    """Return an estimated time: "4 s", "50 s", "5 min" or "3 h"."""
    if seconds < 10:
        return f"{max(1, round(seconds))} s"
    if seconds < 98:
        return f"{5 * round(seconds / 5)} s"
    return _("{minutes} min", minutes=round(seconds / 60)) if seconds < 5700 else f"{round(seconds / 3600)} h"


def size_text(n_bytes: float, *, kilobytes: bool = False) -> str:
    """Return a size as "12 MB", "3.4 GB" or, if `kilobytes`, "512 kB"."""
    if kilobytes and n_bytes < 1e6:
        return f"{n_bytes / 1e3:.0f} kB"
    return localized(f"{n_bytes / 1e9:.1f} GB") if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"


def typed_number(text: str) -> float:
    """Return the number in a text: "1,234", "2,5", "12 000"; in a language with a decimal comma "1.234".

    A comma groups thousands (1,234) or is a decimal comma (2,5 is 2.5, never 25; 0,911 is 0.911).

    Raises:
        ValueError: It isn't one.
    """
    text = text.strip().replace(" ", "").replace(MINUS, "-")
    if language() != ENGLISH:
        text = text.translate(str.maketrans(",.", ".,"))
    is_grouped = re.fullmatch(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?", text)
    return float(text.replace(",", "" if is_grouped else "."))
