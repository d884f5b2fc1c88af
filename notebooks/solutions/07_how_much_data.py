"""Solutions to 07_how_much_data. Each passes its check; run this file, or copy a line into the notebook."""

from tl_widgets.teaching import check

# 07-a: four times the seeds halve the bar, because its length goes with 1 / sqrt(n). (From 3 to 12 it shrinks faster:
# three values say little about how far they scatter, and the bar of three has to allow for that, too.)
check("07-a", (48 / 12) ** 0.5)

# 07-b: the friend divides accuracies, which is reading upwards. "Times less data" divides pictures, which is reading
# sideways: curve.images_for("scratch", 0.6) / curve.images_for("transfer", 0.6)
check("07-b", "pictures")

# 07-c: 2 models x 4 sizes x 7 seeds are 56 trainings. Other plans do, too. Checklist: at least three sizes, from a few
# to all, each several times the one before; at least three seeds, the same for both models; one test set, used for
# nothing else; the same settings for every point.
check("07-c", ((4, 12, 36, 100), 7))
