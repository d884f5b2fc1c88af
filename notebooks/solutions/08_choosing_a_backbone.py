"""Solutions to 08_choosing_a_backbone. Each passes its check; run this file, or copy a line into the notebook."""

from tl_widgets.teaching import check

# 08-a: four times the places, so about four times the time; measured it is 3 to 6, and a busy machine disturbs it. The
# numbers of parameters and features are the same for both.
check("08-a", 4)

# 08-b: max(study.points, key=lambda point: point.mean_val_accuracy), and then report the test accuracy of that one.
check("08-b", "mean_val_accuracy")

# 08-c: D is too slow, and A is clearly worse. Between B and C there are four of 200 images, so the cheaper one.
# Checklist: the limits first; differences only where the interval allows; chosen on validation images; tested once,
# and reported with its interval; milliseconds measured on the machine where it will run.
check("08-c", "B")
