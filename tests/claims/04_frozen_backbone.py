"""What notebook 04 says, held on its variables, in its kernel."""

assert "cat" in named[0][0][0]
assert named[1][0][0] == "espresso"
assert "Measured: it gives one of its names, and is unsure." in OUTPUT
assert count_parameters(model).trainable == 1_281
assert not backbone.trainable_weights
assert tested > 0.9
assert abs(tested - run.test_accuracy) < 0.03  # "the same in two lines"
assert scores["scaled twice"] < 0.5 < 0.8 < scores["right"]
assert scores["forgotten"] < scores["right"] + 0.02
assert np.abs(extract.predict(preprocessing(small), verbose=0) - features).max() == 0  # kept features
assert abs(scores["forgotten"] - scores["right"]) < 0.1  # "too close to call"
assert name == "espresso"
assert 0.3 < probability < 0.7  # "the same name, but only about half as sure"
