"""Solutions to 09_look_inside. Each passes its check; run this file, or copy a line into the notebook."""

from tl_widgets.teaching import check

# 09-a: 2 x 1 - 4 x 1 is below 0, and what is below 0 is cut off.
check("09-a", max(0, 2 * 1 - 4 * 1))

# 09-b: five halvings, and two sides.
check("09-b", (160 // 2**5) ** 2)

# 09-c: all axes together keep 100 %.
check("09-c", 100 - 35.0 - 18.5)
