"""The charts of the race, read back from their SVG."""

import json
import math
import random
import re
import subprocess
import sys
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from helpers import count_calls

from tl_widgets.core.model_name import ModelName
from tl_widgets.plots.labels import Score
from tl_widgets.plots.race import WAITING, race_chart
from tl_widgets.plots.race_classes import class_chart
from tl_widgets.plots.racers import Race, Racer
from tl_widgets.plots.svg_axes import (
    Scale,
    SvgAxes,
    epoch_ticks,
    fitted,
    interval,
    log_ticks,
    markers,
    spread,
    ticks,
    whole_percent,
)
from tl_widgets.records.comparison import ClassFigures, History

NAN, INF = math.nan, math.inf
HOSTILE = '<script>alert("x")</script>&amp;\'"\0\u202e'


def history(n, seed=0):
    rng = random.Random(seed)
    losses, shares = (
        [[rng.random() * 2 for _ in range(n)] for _ in "tv"],
        [[rng.random() for _ in range(n)] for _ in "tv"],
    )
    return History(tuple(losses[0]), tuple(shares[0]), tuple(losses[1]), tuple(shares[1]), tuple(map(float, range(n))))


def tree(markup):
    """The markup as elements, with plain tag names."""
    root = ElementTree.fromstring(markup)
    for element in root.iter():
        element.tag = element.tag.split("}")[-1]
    return root


def texts(root):
    return ["".join(element.itertext()) for element in root.iter("text")]


def line_of(root, kind, model):
    """The points of a line, in pixels, one list for each stretch without a gap."""
    found = [e for e in root.iter("path") if e.get("class") == f"tlw-{kind}" and e.get("data-model") == model]
    pieces = [piece for element in found for piece in element.get("d").split("M")[1:]]
    return [[tuple(map(float, point.replace("h0", "").split())) for point in piece.split("L")] for piece in pieces]


def to_data(root):
    """What turns pixels into data, from the tick labels that stand beside the axes."""

    def labels(anchor, pattern):
        found = [e for e in root.iter("text") if e.get("text-anchor") == anchor and len(e.get("font-size", "")) == 2]
        return [e for e in found if re.fullmatch(pattern, e.text or "")]

    xs = {int(e.text): float(e.get("x")) for e in labels("middle", r"\d+")}
    ys = {float(e.text.rstrip("%")): float(e.get("y")) - 4 for e in labels("end", r"\d+%?|\d\.\d+")}
    (x1, left), *_, (x2, right) = sorted(xs.items())
    (y1, low), *_, (y2, high) = sorted(ys.items())
    unit = 100 if high < low and y2 == 100 else 1
    return lambda point: (
        x1 + (point[0] - left) * (x2 - x1) / (right - left),
        (y1 + (point[1] - low) * (y2 - y1) / (high - low)) / unit,
    )


def stops(root):
    return [e for e in root.iter("g") if e.get("data-stop") is not None]


def rows(root):
    return [["".join(cell.itertext()) for cell in row] for row in root.find("div/table").iter("tr")]


@pytest.mark.parametrize(("quantity", "n"), [("accuracy", 10), ("accuracy", 37), ("accuracy", 120), ("loss", 8)])
def test_the_lines_are_the_data(quantity, n):
    new, old = history(n, 1), history(n + 3, 2)
    root = tree(race_chart(Race((Racer("scratch", old, new), Racer("transfer", new, old)), n, 0.3), quantity))
    back = to_data(root)
    for model, own, ghost in (("scratch", old, new), ("transfer", new, old)):
        for kind, values in (
            ("validation", getattr(own, f"val_{quantity}")),
            ("training", getattr(own, quantity)),
            ("ghost", getattr(ghost, f"val_{quantity}")),
        ):
            (points,) = line_of(root, kind, model)
            assert [back(point)[0] for point in points] == pytest.approx(range(1, len(values) + 1), abs=0.05 * n / 10)
            assert [back(point)[1] for point in points] == pytest.approx(values, abs=0.006)


def test_a_diverged_run_leaves_a_gap_and_says_so():
    shares = (0.3, 0.4, 0.3, 0.35, 0.3)
    wild = History((1.0, 2.0, NAN, 4.0, INF), shares, (1.0, 2.0, INF, 3.0, NAN), shares)
    race = Race((Racer("scratch", wild), Racer("transfer", history(5))), 5, 0.3)
    root = tree(race_chart(race, "loss"))
    assert [len(piece) for piece in line_of(root, "validation", "scratch")] == [2, 1]
    assert "From scratch diverged" in texts(root)
    assert "diverged: its loss is not a finite number from epoch 3 on" in root.find("svg").get("aria-label")
    assert [row[1] for row in rows(root)[1:]] == ["1.000", "2.000", "∞", "3.000", "NaN"]
    assert "diverged" in texts(tree(race_chart(race)))
    assert race.diverged(race.racers[1]) is None
    everything = History((NAN,) * 3, (NAN,) * 3, (NAN,) * 3, (NAN,) * 3)
    for quantity in ("accuracy", "loss"):
        root = tree(race_chart(Race((Racer("scratch", everything),), 3), quantity))
        assert not re.search(r"\b(nan|inf)\b", " ".join(e.get(k, "") for e in root.iter() for k in ("d", "x", "y")))


def test_a_loss_far_above_the_others_leaves_the_others_readable():
    losses = (1e9, 2.0, 1.5, 1.0, 0.8, 0.6)
    root = tree(race_chart(Race((Racer("scratch", History(losses, losses, losses, losses)),), 6), "loss"))
    back = to_data(root)
    assert [back(point)[1] for point in line_of(root, "validation", "scratch")[0][1:]] == pytest.approx(
        losses[1:], abs=0.02
    )
    inner = root.find("svg/svg")
    assert inner.get("overflow") == "hidden"


def test_end_labels_never_overlap():
    rng = random.Random(0)
    for _ in range(200):
        racers = []
        for name in ModelName:
            n, end = rng.randint(1, 9), rng.choice([0.0, 1.0, 0.97, rng.random()])
            values = (*history(n, rng.random()).val_accuracy[:-1], end)
            score = Score(end, (max(0, end - 0.1), min(1, end + 0.1))) if rng.random() < 0.5 else None
            racers.append(Racer(name, History(values, values, values, values), score=score))
        root = tree(race_chart(Race(tuple(racers), 9, 0.25)))
        groups = [e for e in root.iter("g") if e.get("class") == "tlw-end"]
        assert {e.get("data-model") for e in groups} == set(ModelName)
        boxes = []
        for group in groups:
            lines = [(float(e.get("y")), int(e.get("font-size"))) for e in group.iter("text")]
            boxes.append((lines[0][0] - 0.8 * lines[0][1], lines[-1][0] + 0.25 * lines[-1][1]))
        boxes.sort()
        assert all(upper[1] <= lower[0] for upper, lower in pairwise(boxes))
        assert boxes[0][0] >= 0
        assert boxes[-1][1] <= 270


def test_test_labels_stand_in_the_order_of_the_tests():
    ends = {"scratch": (0.9, 0.5), "transfer": (0.6, 0.8)}  # the last validation accuracy says the opposite
    racers = (
        Racer(name, History((1.0,), (end,), (1.0,), (end,)), score=Score(test, (test - 0.1, test + 0.1)))
        for name, (end, test) in ends.items()
    )
    groups = [e for e in tree(race_chart(Race(tuple(racers)))).iter("g") if e.get("class") == "tlw-end"]
    heights = {e.get("data-model"): float(next(e.iter("text")).get("y")) for e in groups}
    assert heights["transfer"] < heights["scratch"]


def test_spread_moves_only_what_it_must():
    assert spread([10, 50, 90], [16, 16, 16], 0, 100) == [10, 50, 90]
    assert spread([50, 50], [16, 16], 0, 100) == [42, 58]
    assert spread([100, 99, 2], [20, 20, 20], 0, 100) == [90, 70, 10]
    rng = random.Random(1)
    for _ in range(500):
        centers, heights = [rng.uniform(-20, 120) for _ in range(5)], [rng.choice([10, 20]) for _ in range(5)]
        placed = spread(centers, heights, 0, 100)
        order = sorted(range(5), key=lambda i: placed[i])
        assert all(placed[j] - placed[i] >= (heights[i] + heights[j]) / 2 - 1e-6 for i, j in pairwise(order))
        assert all(centers[i] <= centers[j] for i, j in pairwise(order))
        assert all(heights[i] / 2 - 1e-6 <= placed[i] <= 100 - heights[i] / 2 + 1e-6 for i in range(5))


def test_labels_say_value_and_test():
    run = History((1.0,), (0.9,), (1.0,), (0.996,))
    root = tree(race_chart(Race((Racer("control", run, score=Score(1.0, (0.96, 1.0))),), 10, 1 / 3, note="seed 0")))
    assert {"Control 100%", "test (96 to 100)", "chance 33%", "seed 0", "test", "epoch"} <= set(texts(root))
    assert [e for e in root.iter("path") if e.get("class") == "tlw-interval"]
    assert [whole_percent(share) for share in (1, 0.996, 0.5, 0.001, 0)] == ["100%", "99.6%", "50%", "0.1%", "0%"]
    assert rows(root)[-1] == ["test (95% interval)", "100.0% (96 to 100)", ""]


def test_the_epochs_stand_still_during_a_run():
    def x_ticks(racers):
        root = tree(race_chart(Race(racers, 10, 0.3)))
        return [(e.text, e.get("x")) for e in root.iter("text") if re.fullmatch(r"\d+", e.text or "")]

    whole = history(10)
    score = Score(0.5, (0.4, 0.6))
    states = [
        (Racer("scratch"), Racer("transfer")),
        (Racer("scratch"), Racer("transfer", history(1))),
        (Racer("scratch", whole, whole, score), Racer("transfer", whole, whole, score)),
        (Racer("scratch", whole, outdated="trained with 10 images per class; press Train"), Racer("transfer", whole)),
    ]
    assert len({tuple(x_ticks(racers)) for racers in states}) == 1


def test_an_outdated_curve_is_dashed_and_says_why():
    why = "trained with 10 images per class; press Train"
    root = tree(race_chart(Race((Racer("scratch", history(5), outdated=why), Racer("transfer", history(5))), 5)))
    lines = {e.get("data-model"): e for e in root.iter("path") if e.get("class") == "tlw-validation"}
    assert lines["scratch"].get("stroke-dasharray")
    assert not lines["transfer"].get("stroke-dasharray")
    assert f"From scratch: {why}" in texts(root)
    assert f"From scratch: {why}." in root.find("svg").get("aria-label")


def test_fine_tuning_starts_at_its_mark():
    unknown = History(
        (NAN,) * 3 + (0.5,) * 2, (NAN,) * 3 + (0.8,) * 2, (NAN,) * 3 + (0.5,) * 2, (NAN,) * 3 + (0.9,) * 2
    )
    race = Race((Racer("transfer", history(3)), Racer("fine_tuned", unknown)), 5, fine_tuning_start=3)
    root = tree(race_chart(race))
    (mark,) = (e for e in root.iter("path") if e.get("class") == "tlw-mark")
    x = float(re.match(r"M([\d.]+)", mark.get("d"))[1])
    assert to_data(root)((x, 0))[0] == pytest.approx(3, abs=0.02)
    (points,) = line_of(root, "validation", "fine_tuned")
    assert [round(to_data(root)(point)[0]) for point in points] == [4, 5]
    assert race.diverged(race.racers[1]) is None


def test_every_epoch_is_a_stop_with_its_values():
    new, old = history(7, 1), history(9, 2)
    root = tree(race_chart(Race((Racer("scratch", new, old), Racer("transfer", new)), 10)))
    svg = root.find("svg")
    assert (svg.get("role"), svg.get("tabindex"), svg.get("data-roam")) == ("group", "0", "")
    found = stops(root)
    assert [stop.get("data-stop") for stop in found] == [f"Epoch {epoch}" for epoch in range(1, 10)]
    one = f"validation {new.val_accuracy[2]:.1%}, training {new.accuracy[2]:.1%}"
    assert found[2].get("aria-label") == (
        f"Epoch 3: From scratch {one}, last run {old.val_accuracy[2]:.1%}; Transfer {one}"
    )
    assert f"{new.accuracy[2]:.1%}" in texts(found[2])
    centers = [float(s.find("rect").get("x")) + float(s.find("rect").get("width")) / 2 for s in found]
    assert [to_data(root)((x, 0))[0] for x in centers[1:-1]] == pytest.approx(range(2, 9), abs=0.05)
    assert found[3].find("g").get("visibility") == "hidden"
    defined = {e.get("id") for e in root.iter("g") if e.get("id")}
    assert {e.get("href").lstrip("#") for e in root.iter("use")} == defined


def test_the_table_is_the_data():
    new, short = history(12, 1), history(4, 2)
    root = tree(race_chart(Race((Racer("scratch", short), Racer("transfer", new, short)), 12)))
    head, *body = rows(root)
    assert head == [
        "epoch",
        *("From scratch, validation", "From scratch, training"),
        *("Transfer, validation", "Transfer, training", "Transfer, last run"),
    ]
    columns = [short.val_accuracy, short.accuracy, new.val_accuracy, new.accuracy, short.val_accuracy]
    expected = [[f"{c[e]:.1%}" if e < len(c) else "" for c in columns] for e in range(12)]
    assert [row[1:] for row in body] == expected


@pytest.mark.parametrize("make", [race_chart, lambda race: race_chart(race, "loss"), class_chart])
def test_text_from_outside_is_escaped(make):
    figures = (ClassFigures(HOSTILE, 4, 0.5, 0.5), ClassFigures("b", 4, None, None))
    racers = (Racer(HOSTILE, history(2), history(2), per_class=figures, outdated=HOSTILE), Racer("scratch", history(2)))
    for race in (
        Race(racers, 2, note=HOSTILE, backbone=HOSTILE),
        Race((Racer(HOSTILE),), status=HOSTILE, note=HOSTILE),
    ):
        markup = make(race)
        root = tree(markup)
        assert "<script" not in markup
        assert not [e for e in root.iter() if e.tag == "script"]
        assert HOSTILE[:8] in "".join(root.itertext())


def test_there_is_always_something_to_read():
    idle = Race((Racer("scratch"), Racer("transfer")), 10, 1 / 3)
    root = tree(race_chart(idle))
    assert root.find("svg").get("role") == "img"
    assert not stops(root)
    assert WAITING in " ".join(texts(root))
    assert WAITING in root.find("svg").get("aria-label")
    reading = Race((Racer("transfer", ghost=history(3)),), 10, status="Reading features: 40 of 120 images")
    root = tree(race_chart(reading))
    assert reading.status in texts(root)
    assert len(stops(root)) == 3
    assert rows(tree(race_chart(Race(())))) == [["epoch"]]
    assert "The test comes after the last epoch." in " ".join(texts(tree(class_chart(idle))))


@pytest.mark.parametrize("n", [1, 2, 9, 11, 100, 101, 1234])
@pytest.mark.parametrize("known", [True, False])
def test_any_number_of_epochs_has_an_axis(n, known):
    root = tree(race_chart(Race((Racer("transfer", history(n)),), n if known else None), width=300, height=160))
    centered = [e for e in root.iter("text") if e.get("text-anchor") == "middle"]
    labels = [(float(e.get("x")), e.text) for e in centered if re.fullmatch(r"\d+", e.text or "")]
    assert 1 <= len(labels) <= 11
    for (x1, one), (x2, two) in pairwise(labels):
        assert x2 - x1 > 3.2 * (len(one) + len(two)) / 2
    assert len(stops(root)) == n
    starts = [e.get("d") for e in root.iter("path") if not e.get("transform")]
    numbers = [float(number) for d in starts for pair in re.findall(r"[ML](\S+) ([\d.-]+)", d) for number in pair]
    assert min(numbers) >= 0
    assert "Transfer" in " ".join(texts(root))


def test_one_epoch_is_a_point():
    root = tree(race_chart(Race((Racer("transfer", history(1)),), 10)))
    assert [len(piece) for kind in ("validation", "training") for piece in line_of(root, kind, "transfer")] == [1, 1]


def test_without_validation_the_training_counts():
    run = History((0.5, 0.4), (0.5, 0.75))
    root = tree(race_chart(Race((Racer("scratch", run),), 5)))
    assert "From scratch 75%" in texts(root)
    assert len(stops(root)) == 2


def test_classes():
    scratch = (
        ClassFigures("bird", 30, 0.5, 0.6),
        ClassFigures("plant", 0, None, None),
        ClassFigures("dog", 30, 1.0, 1.0),
    )
    transfer = tuple(ClassFigures(f.name, f.n, f.recall and 1.0, 1.0) for f in scratch)
    root = tree(class_chart(Race((Racer("scratch", per_class=scratch), Racer("transfer", per_class=transfer)))))
    assert rows(root) == [
        ["class", "From scratch", "Transfer"],
        ["bird", "15 of 30, 50.0%", "30 of 30, 100.0%"],
        ["plant", "no test image", "no test image"],
        ["dog", "30 of 30, 100.0%", "30 of 30, 100.0%"],
    ]
    assert [stop.get("data-stop") for stop in stops(root)] == ["bird", "plant", "dog"]
    assert stops(root)[0].get("aria-label") == (
        "bird: From scratch right 15 of 30, share 50.0%; Transfer right 30 of 30, share 100.0%"
    )
    assert "from bird (50.0%) to dog (100.0%)" in root.find("svg").get("aria-label")
    many = tuple(ClassFigures(f"class {i}", 10, i % 3 / 2, 0.5) for i in range(40))
    other = tuple(ClassFigures(f"class {i}", 10, 0.0, 0.5) for i in range(40))
    root = tree(class_chart(Race((Racer("scratch", per_class=many), Racer("transfer", per_class=other)))))
    shown = [int(stop.get("data-stop").split()[1]) for stop in stops(root)]
    assert {i % 3 for i in shown} == {2}
    assert f"{len(shown)} of 40 classes" in texts(root)
    assert len(rows(root)) == 41


def test_four_models_and_a_hundred_epochs_are_drawn_in_a_moment():
    score = Score(0.9, (0.8, 0.95))
    racers = tuple(Racer(name, history(100, i), history(100, i + 9), score) for i, name in enumerate(ModelName))
    race = Race(racers, 100, 0.1, fine_tuning_start=50)
    assert count_calls(lambda: race_chart(race)) < 100_000  # 54,000 where it took 9 ms
    assert len(race_chart(race)) < 200_000  # JupyterLab drops what exceeds a megabyte a second


def test_no_drawing_library_is_loaded():
    code = "import json, sys, tl_widgets.plots.race_classes; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"matplotlib", "PIL", "tensorflow"} & set(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (ticks(0, 1, 5), [0, 0.5, 1]),
        (ticks(0, 0.07, 8), [0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07]),
        (ticks(3, 3), [3]),
        (ticks(-5, 5, 5), [-4, -2, 0, 2, 4]),
        (epoch_ticks(1), [1]),
        (epoch_ticks(10), list(range(1, 11))),
        (epoch_ticks(20), list(range(2, 21, 2))),
        (epoch_ticks(50), [1, *range(5, 51, 5)]),
        (log_ticks(5, 200), [5, 10, 20, 50, 100, 200]),
        (log_ticks(1e-4, 1, 6), pytest.approx([1e-4, 1e-3, 1e-2, 0.1, 1])),
    ],
)
def test_ticks_are_round(made, expected):
    assert made == expected


def test_scales_and_points_for_other_charts():
    log = Scale(10, 1000, 0, 200, log=True)
    assert [log(10), log(100), log(1000)] == pytest.approx([0, 100, 200])
    axes = SvgAxes(300, 200, log, Scale(0, 1, 180, 20))
    root = tree(
        axes.svg(
            axes.frame([(n, str(n)) for n in log_ticks(10, 1000)], [(0, "0%"), (1, "100%")], grid="xy")
            + axes.mark(30, "your guess <3")
            + interval(axes.x(100), axes.y(0.5), axes.y(0.4), axes.y(0.7), "transfer"),
            "A chart",
            roams=False,
        )
    )
    bar = next(e for e in root.iter("path") if e.get("class") == "tlw-interval").get("d")
    assert bar.startswith("M100.0 116.0V68.0")
    assert "your guess <3" in texts(root)
    flat = tree(f"<g>{interval(50, 10, 40, 70, 'scratch', upright=False)}{markers([(1, NAN)], 'scratch')}</g>")
    assert flat[0].get("d").startswith("M40.0 10.0H70.0")
    assert len(flat) == 2


def test_a_long_text_is_cut_at_its_end():
    assert fitted("short", 200) == "short"
    cut = fitted("a very long name of a model", 60)
    assert cut.startswith("a very")
    assert cut.endswith("…")
