"""The "size" study: one thing changes at a time, and the points are those of a comparison."""

import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.experiments.comparison import compare_config
from tl_widgets.models.builders import build_scratch
from tl_widgets.studies.image_size import SizeArguments
from tl_widgets.studies.image_size.figure import plot_size_study
from tl_widgets.studies.image_size.measurement import domains, resized, size_study
from tl_widgets.studies.image_size.result import SizePoint, SizeStudy
from tl_widgets.studies.registry import STUDIES

pytestmark = pytest.mark.usefixtures("tiny_default")
RECORD = Path(__file__).parent / "data" / "records" / "size.json"


@pytest.fixture(scope="module")
def textures():
    return load_dataset("textures", image_size=40, n_per_class=3)


def test_a_point_is_what_a_comparison_of_the_smaller_images_gives(textures):
    points = []
    study = size_study(
        textures, sizes=(40, 32, 64), seeds=(3,), epochs=2, on_event=lambda e: e.point and points.append(e.point)
    )
    assert (study.names, tuple(points)) == (("32 px", "40 px"), study.points)
    assert "above the 40 pixels of these images were left out (64)" in study.left_out[0]
    small = [
        np.asarray(Image.fromarray(image).resize((32, 32), Image.Resampling.LANCZOS)) for image in textures.test.images
    ]
    condition = resized(textures, 32)
    assert (condition.test.images == np.stack(small)).all()
    assert (study.picture(0) == small[0]).all()
    comparison = compare_config(condition, replace(study.config, seed=3))
    for run in comparison.runs:
        assert study.accuracy(0, run.name).mean == pytest.approx(run.test_accuracy)
    pairs = np.array(study.points[0].right, float) - np.array(study.points[2].right, float)
    spread = max(pairs.std(ddof=1), 12**-0.5)  # that of numbers rounded to 0 or 1, where few images differ
    expected = stats.t.interval(0.95, len(pairs) - 1, pairs.mean(), spread / len(pairs) ** 0.5)
    assert study.lead(0).ci95 == pytest.approx(expected)
    assert study.conditions[1].n_weights == build_scratch((40, 40, 3), 3).count_params()
    assert SizeStudy.from_json(study.to_json()) == study
    with pytest.raises(InputError, match=r"none up to the 40 pixels.*larger image_size"):
        size_study(textures, sizes=(64,))
    with pytest.raises(InputError, match="vary must be one of size, domain"):
        size_study(textures, vary="color")


def test_kinds_of_images_have_the_same_size_classes_and_training_images(textures):
    own = replace(load_dataset("textures", image_size=32, n_per_class=7), name="mine")
    found = domains(own, 24)
    assert [d.name for d in found] == ["mine", "textures", "faces", "digits"]
    assert {d.image_size for d in found} == {24}
    assert {tuple(np.bincount(d.train.labels)) for d in found} == {(7, 7)}
    assert found[3].class_names == ("0", "1")
    assert [d.name for d in domains(textures, 24)] == ["textures", "faces", "digits"]
    folder = replace(own, name="digits", source="a folder")  # which is not the built-in data set
    assert [d.name for d in domains(folder, 24)] == ["digits (yours)", "textures", "faces", "digits"]
    facts = SimpleNamespace(name="digits", is_own=True)
    assert SizeArguments(vary="domain").names(facts) == ("digits (yours)", "textures", "faces", "digits")
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError):  # many large images take a while
        resized(textures, 32, cancel)


def test_stop_keeps_what_was_measured(textures):
    cancel = threading.Event()
    stop = lambda event: event.point is not None and cancel.set()  # noqa: E731
    study = size_study(textures, vary="domain", image_size=32, epochs=1, on_event=stop, cancel=cancel)
    assert (study.stopped, len(study.points), study.names) == (True, 1, ("textures", "faces", "digits"))
    assert "Predicted" not in " ".join(study.sentences)
    assert study.headline.startswith("Stopped")


def made_up(vary, shares):
    """A study with these (scratch, transfer) shares of right answers in each condition."""
    study = SizeStudy.from_json(RECORD.read_text())
    names = ("textures", "digits") if vary == "domain" else ("textures",) * 2
    conditions = [
        replace(condition, dataset=replace(condition.dataset, name=name, n_test=90))
        for condition, name in zip(study.conditions, names, strict=True)
    ]
    points = [
        SizePoint(i, arm, seed, tuple((np.arange(90) < share * 90).tolist()))
        for i, both in enumerate(shares)
        for arm, share in zip(("scratch", "transfer"), both, strict=True)
        for seed in (0, 1)
    ]
    return replace(study, vary=vary, conditions=tuple(conditions), points=tuple(points), seeds=(0, 1), failures=())


@pytest.mark.parametrize(
    ("vary", "shares", "end"),
    [
        ("size", ((0.5, 0.6), (0.5, 0.9)), "It held: +30.0"),
        ("size", ((0.4, 0.9), (0.5, 0.6)), "It failed: −40.0"),
        ("size", ((0.5, 0.9), (0.5, 0.9)), "can't tell: +0.0"),
        ("domain", ((0.4, 0.9), (0.9, 0.9)), "It held: +50.0"),
        ("domain", ((0.8, 0.8), (0.3, 0.9)), "It failed: −60.0"),
        ("domain", ((0.5, 0.7), (0.55, 0.7)), "can't tell: +5.6"),
    ],
)
def test_the_prediction_is_judged_over_the_images(vary, shares, end):
    study = made_up(vary, shares)
    assert f"{end} points (95% interval " in study.sentences[-1]
    first, last = study.lead(0), study.lead(1)
    assert first.mean == pytest.approx(shares[0][1] - shares[0][0])
    if vary == "domain":  # of two independent means, as Welch's interval
        found = study.photographs_minus_digits
        assert found.mean == pytest.approx(first.mean - last.mean)
        pairs = [np.array(study._pairs(i)[0]) for i in (0, 1)]
        welch = stats.ttest_ind(*pairs, equal_var=False).confidence_interval()
        if min(pair.std() for pair in pairs):
            assert found.ci95 == pytest.approx((welch.low, welch.high), abs=0.003)


def test_it_does_not_claim_that_all_classes_have_as_many_images():
    study = made_up("size", ((0.5, 0.6), (0.5, 0.9)))
    conditions = [replace(c, dataset=replace(c.dataset, n_train=10)) for c in study.conditions]
    assert "3 classes, 10 training images" in " ".join(replace(study, conditions=tuple(conditions)).sentences)


@pytest.mark.parametrize("narrow", [False, True])
def test_the_figure_shows_pictures_accuracies_and_leads(narrow):
    study = SizeStudy.from_json(RECORD.read_text())
    *pictures, accuracies, leads = plot_size_study(study, narrow=narrow).axes
    assert [ax.get_xlabel() for ax in pictures] == list(study.names)
    assert (pictures[0].images[0].get_array() == study.picture(0)).all()
    shown = accuracies.containers[1].lines[0].get_ydata().tolist()
    assert shown == [study.accuracy(i, "transfer").mean for i in range(len(study.names))]
    assert leads.containers[0].lines[0].get_ydata().tolist() == [study.lead(i).mean for i in range(len(study.names))]
    assert all(sentence in STUDIES["size"].text(study) for sentence in study.sentences)
