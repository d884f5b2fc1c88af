"""What notebook 08 says, held on its variables, in its kernel."""

from tl_widgets.records.statistics import wilson_interval

assert list(points) == ["SqueezeNet", "EfficientNetLite0", "EfficientNetLite1", "EfficientNetLite2"]
assert study.control.test_accuracy < study.chosen.test_accuracy - 0.15
assert points["SqueezeNet"].test_accuracy < study.chosen.test_accuracy
n_params = [point.cost.n_params for point in study.points]
assert n_params == sorted(n_params)

# "With 41 photographs, 85% and 88% can't be told apart"; with 4,000 they can.
ends = [(wilson_interval(0.88 * n, n)[0], wilson_interval(0.85 * n, n)[1]) for n in (41, 400, 4_000)]
assert [low_88 < high_85 for low_88, high_85 in ends] == [True, True, False]
gap = study.difference(points["EfficientNetLite2"], points["EfficientNetLite0"])
assert gap.ci95[0] < 0 < gap.ci95[1]
assert "Measured: too close to call." in OUTPUT
assert only_0 + only_2 < 0.4 * len(pair)

assert winners.mean() > 0.9 > shown.min()
assert "Measured: clearly more than 85%." in OUTPUT
assert study.chosen.mean_val_accuracy == max(point.mean_val_accuracy for point in study.points)
