"""What notebook 11 says, held on its variables, in its kernel."""

assert np.abs(heat / heat.max() - first.places.array).max() < 1e-3  # by hand as by tl_widgets
side = photographs.image_shape[0]
assert look.maps[0].maps[0].places.shape == (side // 4, side // 4)
assert look.maps[1].maps[0].places.shape == (side // 32, side // 32)
assert result.transfer.n_right > result.scratch.n_right
assert "Measured: scratch." in OUTPUT
assert any(looked.answer != true for looked, true in zip(look.maps[0].maps, look.classes, strict=True))
assert not look.failures
assert np.mean(likeness) < 0.6  # the maps depend on what was learned
assert "Measured: little alike, or not at all." in OUTPUT
before, after, random, pretrained = (look.layout(n, s) for n in ("scratch", "transfer") for s in ("before", "after"))
assert look.neighbor_accuracy(pretrained) - look.neighbor_accuracy(random) > 0.1  # more gained than lost
at, kinds = pretrained.positions.array, np.array(look.labels)
means = [at[kinds == kind].mean(axis=0) for kind in range(4)]  # birds, flowers, fruit and vegetables, mammals
nearest = np.linalg.norm(at[:, None] - means, axis=2).argmin(axis=1)
for kind in (0, 3):  # mostly regions of their own
    assert np.mean(nearest[kinds == kind] == kind) > 0.5
    assert np.mean(kinds[nearest == kind] == kind) > 0.5
flowers_to_fruit, flowers_to_others = (np.linalg.norm(means[1] - means[kind]) for kind in (2, 3))
assert flowers_to_fruit < flowers_to_others / 2
assert not look.neighbor_difference(random, after).is_clear  # the surprise
