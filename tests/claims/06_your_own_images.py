"""What notebook 06 says, held on its variables, in its kernel."""

bad = {path.rpartition("/")[2] for path, _ in dataset.report.skipped}
assert bad == {"notes.jpg", "empty.png", "half.png"}
assert len(dataset.report.duplicates) == 1
assert len(dataset.test) == len(photographs.test)
assert len(dataset.train) + len(dataset.validation) == len(photographs.train)  # copy and mirrored one are left out
assert "mirrored.png" in OUTPUT
assert run.test_accuracy > 0.7
assert (home / "my_model.txt").read_text().splitlines() == list(dataset.class_names)
assert len((home / "answer.py").read_text().splitlines()) == 13  # "a short program"
assert "Measured: one class gets more than half." in OUTPUT

# The program needs only Keras and Pillow (tests of saved models load them where tl_widgets isn't installed).
assert "tl_widgets" not in (home / "answer.py").read_text()
lines = [line for line in OUTPUT.splitlines() if ".png: " in line]
assert len(lines) == len(dataset.class_names) + 1
right = sum(line.startswith(f"{name}.png: {name},") for line in lines for name in dataset.class_names)
assert right >= len(dataset.class_names) - 1, lines

# Exercise 06-a: pixels divided by 255 are all black to it.
again = run.model.predict(dataset.test.images[::3] / 255, verbose=0).argmax(axis=1)
assert len(set(again)) == 1
