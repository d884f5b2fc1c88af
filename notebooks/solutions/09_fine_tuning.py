"""Solutions to 09_fine_tuning. Each passes its check; run this file, or copy a line into the notebook."""

from tl_widgets.teaching import check

# 09-a: all that learns, without the head.
check("09-a", 1_022_602 - (1_280 * 10 + 10))

# 09-b: Keras looks at `trainable` when it compiles.
check("09-b", "compile")

# 09-c: the interval contains zero.
check("09-c", "too close to call")
