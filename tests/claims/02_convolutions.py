"""What notebook 02 says, held on its variables, in its kernel."""

same_map = layer.predict(cat[None, ..., None], verbose=0)[0, ..., 0]
assert abs(by_hand - same_map).max() < 0.01
window = cat[20:23, 21:24]
assert f"= {(window * kernel).sum():.0f}." in slider.figure().get_label()
assert by_counting == network.count_params() == 619_331
assert dense > 0.8 * by_counting  # "Dense layers behind Flatten have many"
assert test_accuracy > 0.7
assert before.shape == (64, 64, 32)
history = fitted.history
assert history["val_accuracy"][-1] > history["val_accuracy"][0]
assert printed.output_shape == (None, 128, 128, 1)
assert "Measured: 16,384 numbers." in OUTPUT
assert printed.count_params() == 95_565  # the praise of 02-b names it
