"""What notebook 07 says, held on its variables, in its kernel."""

assert curve.n_per_class == sizes
few, many = sizes[1], sizes[-1]
assert curve.mean("transfer", sizes[0]).mean > curve.mean("scratch", sizes[0]).mean + 0.1
assert curve.mean("scratch", many).mean < curve.mean("transfer", few).mean
assert "Measured: even 14 aren't enough." in OUTPUT
assert curve.images_for("scratch", 0.99) is None  # "-" in the table
assert curve.data_ratio.ratio > 2

# The interval by hand is the one of the figure.
shown = curve.mean("scratch", few)
assert abs(dots.mean() - shown.mean) < 1e-6
assert abs(half - (shown.ci95[1] - shown.ci95[0]) / 2) < 0.01

assert len(values) == 12
assert length[3] > 2.5 * length[12]
assert "Measured: more than 2.5 times as long." in OUTPUT
