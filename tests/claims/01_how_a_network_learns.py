"""What notebook 01 says, held on its variables, in its kernel."""

assert (n_train, n_validation, n_test) == (100, 20, 80)
slope = slider.slope
assert slope.loss(slope.walk(0.002)[-1]) > slope.loss(slope.walk(0.05)[-1]) + 0.1  # too small: not there yet
assert slope.loss(slope.walk(3)[-1]) > 2 * slope.loss(0)  # too large: worse than at the start
assert "Measured: higher than it began." in OUTPUT
face = pictures[..., 1].mean(axis=-1)
assert face[4:10, 8:24].mean() > face[4:10, :4].mean() + 0.01  # a bright forehead between dark hair or ground
assert pixels[0, 1000] > 0.1  # the weight that is tried has something to weigh
tried, formula = (
    float(line.split()[-1].rstrip(".")) for line in OUTPUT.splitlines() if "change" in line and "by" in line
)
assert abs(tried - formula) < 0.2 * abs(formula)
assert 0.6 < losses[0] < 0.75 > 2 * losses[-1]  # it starts near ln 2
history = fitted.history
assert "Measured: validation." in OUTPUT
assert validation_accuracy > training_accuracy + 0.05
assert asked_again > training_accuracy + 0.05  # "asked again at the end, the training images do better, too"
assert trained_accuracy >= history["accuracy"][-1]  # Dropout and the average handicap what `fit` reports
assert history["loss"][-1] < 0.6 * history["loss"][0]
assert history["loss"][-1] < 0.28  # larger batches end higher: exercise 01-a
assert test_accuracy > 0.8
