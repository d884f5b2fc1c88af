"""Solutions to 01_how_a_network_learns. Each passes its check; run this file, or copy a line into the notebook."""

from tl_widgets.teaching import check

# 01-a: 100 pictures are two batches of 50, and there are 20 epochs. The network takes 40 steps in place of 140, so it
# is still learning when the last epoch ends.
check("01-a", 100 // 50 * 20)

# 01-b: fit is given the test images, so they are no longer new when evaluate asks about them.
check("01-b", "fit")

# 01-c: most images to learn from, and enough for a test that can tell models apart. Other numbers do, too. Checklist:
# the parts add up to 300, no image is in two of them, at least half of them teach, and the test has 30 or more.
check("01-c", (200, 40, 60))
