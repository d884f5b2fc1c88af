"""Solutions to 03_fair_comparison. Each passes its check; run this file, or copy a line into the notebook."""

from tl_widgets.teaching import check

# 03-a: reading the features is part of the price.
check("03-a", 12 / (2.0 + 0.5))

# 03-b: transfer and control differ in nothing but the pretraining.
check("03-b", 95 - 70)

# 03-c: more epochs for one, luck picked for one, the test used for a choice.
check("03-c", "BDE")
