"""Solutions to 11_look_inside. Each passes its check; run this file, or copy a line into the notebook."""

from tl_widgets.teaching import check

# 11-a: 2 x 1 - 4 x 1 is below 0, and what is below 0 is cut off.
check("11-a", max(0, 2 * 1 - 4 * 1))

# 11-b: five halvings, and two sides.
check("11-b", (160 // 2**5) ** 2)

# 11-c: all axes together keep 100 %.
check("11-c", 100 - 35.0 - 18.5)
