"""Solutions to 09_fine_tuning. Each passes its check; run this file, or copy a line into the notebook."""

from keras import layers

from tl_widgets import build_transfer
from tl_widgets.teaching import check

# 09-a: with a rate of 0.03, about 10% of the validation images are right, as often as by guessing. The weights of the
# backbone were good, and every step moves all of those that learn. A few large steps destroy them, and no later step
# finds the way back. The frozen stage was better than that without any second stage.
check("09-a", 0.10)

# 09-b: setting trainable on the backbone sets it on every layer inside, so that line comes first.
backbone = build_transfer((32, 32, 3), 10).layers[1]  # frozen
backbone.trainable = True
for layer in backbone.layers:
    if isinstance(layer, layers.BatchNormalization):
        layer.trainable = False
check("09-b", backbone)

# 09-c: the frozen features fit badly (70%), and training is no better than validation, so nothing is memorized yet: a
# good case for fine-tuning. Other numbers do, too. Checklist: the head learns first, at about 0.001; a few late blocks,
# not all; a tenth of the rate or less; BatchNormalization frozen; compiled again; compared with 70% on the validation
# images; tested once, at the end.
check("09-c", (0.001, 2, 0.0001))
