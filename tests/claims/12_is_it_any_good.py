"""What notebook 12 says, held on its variables, in its kernel."""

n_classes = len(photographs.class_names)
sure_before, right_before = seen["from scratch", 1]
sure_dark, right_dark = seen["from scratch", 0.15]
assert "Measured: as sure as before, or surer." in OUTPUT
assert sure_dark > sure_before - 0.02
assert right_dark < right_before - 0.15  # "and far fewer of its answers are right"
assert sure_dark > right_dark + 0.4
assert seen["transfer", 0.15][1] > right_dark + 0.2
for name in ("scratch", "transfer"):  # the study counts what was counted by hand
    label = {"scratch": "from scratch"}.get(name, name)
    assert abs(study.accuracy(name, "darker", 3)[0] - seen[label, 0.15][1]) < 1e-9
assert study.mean_lead(3).mean > 0.03
assert answers.max(axis=1).mean() > 1.6 / n_classes  # surer than somebody who doesn't know
assert right[answered].mean() >= right.mean() - 0.05  # the surest half, by a limit from validation
assert strange.mean() > 0.15  # "no guard against pictures of something else"
search = noise.search(20)
assert search.n_found / search.n_suspected > 0.2  # picked at random, 20% would be
