"""Solutions to 05_fair_comparison. Each passes its check; run this file, or copy a line into the notebook."""

from tl_widgets.teaching import check

# 05-a: reading the features is part of the price.
check("05-a", 12 / (2.0 + 0.5))

# 05-b: transfer and control differ in nothing but the pretraining.
check("05-b", 95 - 70)

# 05-c: more epochs for one, luck picked for one, the test used for a choice.
check("05-c", "BDE")
