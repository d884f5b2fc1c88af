"""What notebook 02 says, held on its variables, in its kernel."""

from tl_widgets import teaching

same_map = layer.predict(cat[None, ..., None], verbose=0)[0, ..., 0]
assert abs(by_hand - same_map).max() < 0.01
window = cat.round()[20:23, 21:24]
assert f"= {(window * kernel).sum():.0f}." in teaching.plot_kernel(cat, kernel, 20, 21).get_label()
assert by_counting == by_keras == 291_405
assert dense > 0.6 * by_counting  # "two thirds of them are behind Flatten"
assert tested > 0.7
history = fitted.history
assert history["val_accuracy"][-1] > history["val_accuracy"][0]
assert printed.output_shape == (None, 128, 128, 1)
assert "Measured: 128 × 128 numbers." in OUTPUT
assert "95,565 parameters" in OUTPUT
