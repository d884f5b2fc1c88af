"""Solutions to 08_choosing_a_backbone. Each passes its check; run this file, or copy a line into the notebook."""

from tl_widgets.teaching import check

# 08-a: a quarter of the pixels.
check("08-a", 8 * (112 / 224) ** 2)

# 08-b: B is beaten by A, D by C.
check("08-b", "AC")

# 08-c: the test images are kept for what was chosen.
check("08-c", "validation")
