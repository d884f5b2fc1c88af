"""What notebook 10 says, held on its variables, in its kernel."""

epochs_more, rate_lower, scaled_once = scores.values()
assert abs(epochs_more - 1 / 3) < 0.05  # the patient stays at chance whatever else is changed
assert abs(rate_lower - 1 / 3) < 0.05
assert scaled_once > 0.7
assert all(abs(loss - 1.0986) < 0.02 for loss in fitted.history["val_loss"][2:])  # "stays at ln 3 = 1.10"
assert "Measured: other pixel values." in OUTPUT
assert report.findings[0].mistake == "rescaled_twice"
assert leak.verdict == "clear"
assert leak.wrong > 0.9
assert leak.measured.right_ci95[0] < 0.5 < leak.measured.right_ci95[1]
assert as_trained > 0.7 > 0.45 > as_used
assert "scaled in another way" in " ".join(OUTPUT.split())
assert len(check_setup(broken, small)) == 4  # exercise 10-a
assert what_goes_wrong(data, mistake="raw_pixels").verdict == "too close to call"  # exercise 10-b
