"""Solutions to 06_choosing_a_backbone. Each passes its check; run this file, or copy a line into the notebook."""

from tl_widgets.teaching import check

# 06-a: a quarter of the pixels.
check("06-a", 8 * (112 / 224) ** 2)

# 06-b: B is beaten by A, D by C.
check("06-b", "AC")

# 06-c: the test images are kept for what was chosen.
check("06-c", "validation")
