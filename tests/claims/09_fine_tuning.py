"""What notebook 09 says, held on its variables, in its kernel."""

assert (len(digits.train), len(digits.validation), len(digits.test)) == (200, 269, 719)
assert tuned > frozen + 0.05  # the last block brings a lot
assert tuned > longer + 0.03  # more than as many epochs of the head alone
assert during > 0.95  # "a perfect training curve"
assert during - again > 0.05  # the same digits, asked again
assert careless < tuned - 0.04  # and new ones
assert "Measured: worse by 5 points or more." in OUTPUT

# One line does the same: the same layers learn, and nearly as many images are right.
one_line = result.fine_tuned
assert abs(one_line.history.val_accuracy[-1] - tuned) < 0.12
assert one_line.fine_tuning.first_block == "block7a"
assert one_line.test_accuracy > result.transfer.test_accuracy + 0.04

# What fit does to a backbone of one layer, in spite of training=False.
assert "stored averages after a step: [1. 1. 1. 1. 1. 1.]" in OUTPUT
assert "after another step, frozen:   [1. 1. 1. 1. 1. 1.]" in OUTPUT
assert "its answer, frozen:           [99. 99. 99. 99. 99. 99.]" in OUTPUT  # about 99 / sqrt(0.99), not 0
assert set(outer(np.ones((9, 6)), training=True).numpy().ravel()) == {0, 2}  # Dropout
assert "check_setup: BatchNormalization inside efficientnetlite0 is trainable" in OUTPUT

# Exercise 09-b: the committed lines hold the mistake.
assert all(layer.trainable for layer in backbone.layers if isinstance(layer, layers.BatchNormalization))
