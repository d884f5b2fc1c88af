"""What notebook 03 says, held on its variables, in its kernel."""

import re

assert 0.2 < is_wrong.mean() < 0.34  # "every third note", some by luck on the right digit
assert agrees.mean() > 0.9
assert "Measured: nearly all, the wrong labels included." in OUTPUT
losses, accuracies = fitted.history["val_loss"], fitted.history["val_accuracy"]
best = losses.index(min(losses))
assert losses[-1] > 1.2 * min(losses)  # it turns away
assert best < epochs - 5
assert max(accuracies) > accuracies[-1] + 0.05
assert fitted.history["loss"][-1] < 0.5 * fitted.history["loss"][best]
before = scores["no cure"][1]
for cure in ("augmentation", "dropout", "early stopping"):
    assert scores[cure][1] > before + 0.05, (cure, scores)
    assert scores[cure][0] < scores["no cure"][0] - 0.08, (cure, scores)  # it memorizes less
assert scores["more images"][0] > 0.8  # "the network memorizes again"
assert scores["fewer parameters"][1] < max(scores[cure][1] for cure in cures) - 0.05  # "one of them hardly works"
assert scores["fewer parameters"][0] > 0.76  # "16 units can still memorize a lot"
(wide_dead, wide), (_, slow), (all_dead, stuck) = (
    (int(n), int(share)) for n, share in re.findall(r"(\d+) of them dead; (\d+)%", OUTPUT)
)
assert wide > 85
assert slow < wide - 15
assert (all_dead, wide_dead > 0) == (6, True)
assert stuck == 10  # "10%": one and the same answer
