"""What studies found, in plain sentences that claim no more than was measured."""

from __future__ import annotations

from tl_widgets.records.comparison import percent
from tl_widgets.records.curves import WORDS, LearningCurve, TimeCurve, TimeStudy, accuracy_text


def learning_curve_sentences(curve: LearningCurve) -> tuple[str, ...]:
    """How much data each model needs.

    Args:
        curve: a learning curve, whole or stopped.
    """
    sentences = [_ratio_sentence(curve), _luck_sentence(curve), *_end_sentences(curve)]
    if len(curve.seeds) == 1:
        sentences.append("One seed only: how much of this is luck cannot be seen. Use three seeds or more.")
    n_stuck = sum(point.stuck for point in curve.points)
    if n_stuck:
        sentences.append(f"{n_stuck} of the {len(curve.points)} models never left chance.")
    if curve.failures:
        first = curve.failures[0]
        sentences += [f"Of {WORDS[arm]} no point could be measured." for arm in curve.lost_arms]
        n = len(curve.failures)
        lost = "1 point could not be measured," if n == 1 else f"{n} points could not be measured; the first,"
        sentences.append(f"{lost} {first.point}: {first.text}")
    if curve.stopped:
        sentences.append("Stopped before all points were measured.")
    return tuple(sentence for sentence in sentences if sentence)


def _ratio_sentence(curve: LearningCurve) -> str:
    if not {"scratch", "transfer"} <= set(curve.arms):
        return ""
    ends = [curve.means(arm)[-1:] for arm in ("scratch", "transfer")]
    if not all(ends):
        return ""  # nothing was measured of one: it failed, or Stop came before it
    ratio, most = curve.data_ratio, min(end[0][0] for end in ends)
    if ratio is None:
        return (
            f"With up to {most} images per class, one of the two never gets clearly above chance: no ratio can be told."
        )
    least = "at least " if ratio.at_least else "about "
    times = max(ratio.ratio, 1 / ratio.ratio)
    if times < 1.25:
        return f"Both need about as many images for {percent(ratio.accuracy)}."
    more, less = ("From scratch", "the frozen backbone") if ratio.ratio > 1 else ("The frozen backbone", "from scratch")
    n_more, n_less = sorted((ratio.scratch, ratio.transfer), reverse=True)
    fewer = " or fewer" if ratio.at_least else ""
    return (
        f"{more} needs {least}{_times(times)} times the images: for {percent(ratio.accuracy)} "
        f"it takes {n_more:.0f} images per class, {less} {n_less:.0f}{fewer}."
    )


def _luck_sentence(curve: LearningCurve) -> str:
    """How far the ratio differs from seed to seed."""
    ratio, by_seed = curve.data_ratio, curve.ratios_by_seed
    if ratio is None or len(by_seed) < 2:
        return ""
    times = sorted(each.ratio if ratio.ratio >= 1 else 1 / each.ratio for each in by_seed)
    if times[0] < 1 <= times[-1] or times[-1] < 1:
        return "Seed by seed it is not always the same that needs more: which one does is too close to call."
    low, high, of_means = _times(times[0]), _times(times[-1]), _times(max(ratio.ratio, 1 / ratio.ratio))
    more = " or more" if any(each.at_least for each in by_seed) else ""
    text = f"Seed by seed it is {low if low == high else f'{low} to {high}'}{more} times"
    if not float(low) <= float(of_means) <= float(high):
        text += f", so that {of_means} is a rough figure"
    return text + "."


def _times(ratio: float) -> str:
    return f"{ratio:.{0 if ratio >= 3 else 1}f}"


def _end_sentences(curve: LearningCurve) -> list[str]:
    n = next((n for n in reversed(curve.n_per_class) if curve.difference(n)), None)
    if n is None:
        return []
    difference, overtakes = curve.difference(n), curve.overtakes_at
    transfer, scratch = curve.mean("transfer", n), curve.mean("scratch", n)
    assert difference is not None
    assert transfer is not None
    assert scratch is not None
    text = f"With {n} images per class the frozen backbone answers {accuracy_text(transfer)} of the test images "
    text += f"correctly, the network from scratch {accuracy_text(scratch)}"
    low, high = difference.ci95 or (0.0, 0.0)
    if difference.ci95 and low <= 0 <= high:
        text += "; over these seeds the two are too close to call"
        if overtakes is None:
            return [text + "."]
    if overtakes is None:
        return [text + ".", _never(curve, n)]
    return [text + ".", f"From {overtakes} images per class on, from scratch is at least as good on average."]


def _never(curve: LearningCurve, most: int) -> str:
    """That from scratch stays behind, for all sizes of which it is true; with few images both may be near chance."""
    means = [(n, curve.mean("transfer", n), curve.mean("scratch", n)) for n in curve.n_per_class]
    level = [n for n, transfer, scratch in means if transfer and scratch and scratch.mean >= transfer.mean]
    if not level:
        return f"Up to {most} images per class, from scratch never catches up."
    return f"With more than {level[-1]} images per class, from scratch is behind on average."


def time_sentences(study: TimeStudy) -> tuple[str, ...]:
    """How long each model takes to the target.

    Args:
        study: of a comparison.
    """
    sentences = [_time_sentence(curve, study.target) for curve in study.curves]
    reached = {curve.name: curve.time_to(study.target) for curve in study.curves}
    scratch, transfer = reached.get("scratch"), reached.get("transfer")
    if scratch and transfer:
        slow, fast = "from scratch", "the frozen backbone"
        if scratch < transfer:
            slow, fast = fast, slow
        times = max(scratch, transfer) / min(scratch, transfer)
        if times < 1.15:  # another run may turn it round
            return (*sentences, f"Both take about as long to {percent(study.target)}.")
        longer = f"{times:.1f} times as long to {percent(study.target)} as {fast}"
        sentences.append(f"In this run {slow} takes {longer}.")
    return tuple(sentences)


def _time_sentence(curve: TimeCurve, target: float) -> str:
    name = WORDS.get(curve.name, curve.name)
    name = name[0].upper() + name[1:]
    if not curve.accuracy:
        return f"{name} finished no epoch."
    seconds = curve.time_to(target)
    if seconds is None:
        best = percent(max(curve.accuracy))
        return f"{name} never reaches {percent(target)} of the validation images; its best is {best}."
    reading = f", {curve.reading:.1f} s of them for reading the features" if curve.backbone else ""
    return f"{name} reaches {percent(target)} of the validation images after {seconds:.1f} s{reading}."
