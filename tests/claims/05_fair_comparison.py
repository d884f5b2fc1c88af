"""What notebook 05 says, held on its variables, in its kernel."""

assert control.test_accuracy < transfer.test_accuracy - 0.1
assert "Measured: clearly fewer than transfer." in OUTPUT
assert transfer.n_right > scratch.n_right
assert abs(p - result.verdict.p_value) < 0.01  # fair coins are McNemar's test
assert same < different  # "this part of the luck cancels out"

scores = [repeats.accuracies(arm) for arm in ("scratch", "transfer")]
assert max(map(max, scores)) - min(map(min, scores)) > 0.03
one_split, two_folds = (high - low for low, high in (result.verdict.ci95, turns.verdict.ci95))
assert two_folds < 0.8 * one_split

kept, plain = "transfer, features kept", "transfer, the plain way"
assert took[plain] > 2 * took[kept]
assert abs(n_right[kept] - n_right[plain]) <= 2
assert n_right[kept] >= scratch.n_right - 2
assert n_right[kept] > n_right["from scratch"]

small, large = (tests[f"digits, {side} px"].test_accuracy for side in (32, 64))
assert large > small + 0.04
assert tests["digits, 32 px, from scratch"].test_accuracy > large + 0.04

assert 0.8 * len(twin) / 2 < twin.sum() <= len(twin) / 2 + 1
assert knows[twin].mean() > 0.8
if photographs.name == "stamps":  # textures are too easy for a gap
    assert knows[twin].mean() > knows[~twin].mean() + 0.15
