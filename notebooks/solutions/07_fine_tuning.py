"""Solutions to 07_fine_tuning. Each passes its check; run this file, or copy a line into the notebook."""

from tl_widgets.teaching import check

# 07-a: all that learns, without the head.
check("07-a", 1_022_602 - (1_280 * 10 + 10))

# 07-b: Keras looks at `trainable` when it compiles.
check("07-b", "compile")

# 07-c: the interval contains zero.
check("07-c", "too close to call")
