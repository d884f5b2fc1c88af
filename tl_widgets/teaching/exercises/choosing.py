"""The exercises of notebook 08, and their judges."""

from __future__ import annotations

from typing import Any

from tl_widgets.core.translation import _
from tl_widgets.teaching.exercises.exercise import Exercise
from tl_widgets.teaching.exercises.judges import choice


def _times_as_long(answer: Any) -> str | None:
    """Judge how many times as long twice the side takes: measured, so anything near four."""
    if isinstance(answer, bool) or not hasattr(answer, "__float__"):
        return _("The answer is a number; this is {answer!r}.", answer=answer)
    try:
        times = float(answer)
    except (TypeError, ValueError, OverflowError):
        return _("The answer is one number; this is {name}.", name=type(answer).__name__)
    if 2.6 <= times <= 7:
        return None
    if 1.7 <= times < 2.6:
        return _(
            "Twice the side is twice as wide and twice as high. Is it 192 against 96, and was nothing else running?"
        )
    if 0 < times < 0.5:
        return _(
            "That's the wrong way around: divide the milliseconds of the larger picture by those of the smaller one."
        )
    return _("Divide the milliseconds for 192 pixels by those for 96.")


CHOOSING_EXERCISES: dict[str, Exercise] = {
    "08-a": Exercise(
        _("A kernel visits every place of a picture. How many places are there with twice the side?"),
        _(
            "Four times the places, so about four times the time. Parameters and features stay the same: "
            "a kernel has its weights once, however many places it visits."
        ),
        _times_as_long,
        _("Print tl.backbone_cost(name, image_size=96).ms_per_image, and the same for 192, and divide."),
    ),
    "08-b": Exercise(
        _("Which images decide here, and which number is reported afterwards?"),
        _("Choose by the validation images, and report the test accuracy of that one backbone."),
        choice(
            "mean_val_accuracy",
            {
                "test_accuracy": _("Then luck on the test images picks the winner, as in the contest of twenty."),
                "top1_pct": _("That is ImageNet's accuracy. It doesn't know your photographs."),
                "ms_per_image": _("That picks the slowest. Which attribute is about images for choosing?"),
            },
        ),
        _("The points have test_accuracy, mean_val_accuracy, top1_pct and cost.ms_per_image."),
    ),
    "08-c": Exercise(
        _("Leave out what doesn't fit. Then ask which of the differences that remain 200 images can show."),
        _("B fits, and with 200 images C's two points aren't a difference. So the cheaper one; then test it, once."),
        choice(
            "b",
            {
                "a": _("It's fast, but 12 points behind B, which 200 images can show. There is time for B."),
                "c": _("Two points of 200 images are four images, well within luck, and C takes half as long again."),
                "d": _("140 ms are too long: ten pictures a second leave 100 ms for each."),
            },
        ),
        _("Ten pictures a second leave 100 ms for each. A 95% interval at 90% of 200 reaches 4 points to each side."),
    ),
}
