"""The "stress" study: changes that are known by hand, plain Keras's answers, and SciPy's interval."""

import base64
import json
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import answers_of
from scipy import stats

from tl_widgets.core.config import Config
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.numbers import points_range
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.experiments.comparison import compare_config
from tl_widgets.records.folds import Folds
from tl_widgets.studies.registry import STUDIES
from tl_widgets.studies.stress.changes import CHANGES, SEVERITIES, applicable, change_images
from tl_widgets.studies.stress.figure import plot_stress
from tl_widgets.studies.stress.measurement import stress_test
from tl_widgets.studies.stress.result import ArmAnswers, StressPoint, StressTest

pytestmark = pytest.mark.usefixtures("tiny_default")
BY_NAME = {change.name: change for change in CHANGES}
RECORD = Path(__file__).parent / "data" / "records" / "stress.json"


@pytest.fixture(scope="module")
def square():
    """A red square of 16 pixels on white."""
    image = np.full((1, 32, 32, 3), 255, np.uint8)
    image[:, 8:24, 8:24] = 200, 40, 0
    image[:, 8:12, 8:12] = 0, 0, 255  # one blue corner
    return image


def changed(image, name, severity):
    return change_images(image, BY_NAME[name], severity)[0].astype(int)


def test_changes_do_what_they_say(square):
    assert all(change_images(square, change, 0) is square for change in CHANGES)
    assert (changed(square, "darker", 3) == np.rint(square[0] * 0.15)).all()
    assert (changed(square, "brighter", 1) == np.minimum(np.rint(square[0] * 1.4), 255)).all()
    assert (changed(square, "rotated", 3) == np.rot90(square[0])).all()
    gray = changed(square, "gray", 3)
    assert (gray == gray[..., :1]).all()
    assert gray[20, 20, 0] == round(0.299 * 200 + 0.587 * 40)
    small = changed(square, "smaller", 2)
    assert (small[:8] == 255).all()  # the whole picture takes the middle half
    assert (small[14:18, 16:18] != 255).any()
    blurred = [changed(square, "blurred", severity).std() for severity in SEVERITIES]
    assert blurred == sorted(blurred, reverse=True)
    noise = changed(np.full((1, 64, 64, 3), 128, np.uint8), "noisy", 1) - 128
    assert noise.std() == pytest.approx(15, rel=0.05)
    assert abs(noise.mean()) < 1
    errors = [np.abs(changed(square, "jpeg", severity) - square[0]).mean() for severity in SEVERITIES]
    assert errors == sorted(errors)


def test_another_background_leaves_the_object(square):
    lawn = changed(square, "background", 3)
    assert (lawn[8:24, 8:24] == square[0, 8:24, 8:24]).all()
    assert (lawn[:8] != 255).all(axis=-1).mean() > 0.95
    assert np.argmax(lawn[0].mean(axis=0)) == 1  # green
    hole = square.copy()
    hole[:, 14:18, 14:18] = 255  # white that is no background
    assert (changed(hole, "background", 3)[14:18, 14:18] == 255).all()


def test_what_changes_nothing_is_left_out(square):
    assert [change.name for change in applicable(square)[0]] == list(BY_NAME)
    noise = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 1), np.uint8).repeat(3, axis=3)
    changes, sentences = applicable(noise)
    assert set(BY_NAME) - {change.name for change in changes} == {"gray", "background"}
    assert len(sentences) == 2


def test_it_counts_what_plain_keras_answers():
    dataset, config = load_dataset("textures", image_size=32, n_per_class=6), Config(epochs=3)
    points = []
    study = stress_test(dataset, n_images=9, config=config, on_event=lambda e: e.point and points.append(e.point))
    assert tuple(sorted(points, key=str)) == tuple(sorted(study.points, key=str))
    assert len(study.points) == 3 * len(study.changes)
    assert len(study.pictures) == 9
    # The classes take turns, so three pictures of each class are tested.
    rows = np.concatenate([np.flatnonzero(dataset.test.labels == label)[:3] for label in range(3)])
    images, labels = dataset.test.images[np.sort(rows)], dataset.test.labels[np.sort(rows)]
    comparison = compare_config(dataset, config)  # the same seed gives the same models
    for point in study.points[::5]:
        copies = change_images(images, BY_NAME[point.change], point.severity, seed=config.seed)
        for run in comparison.runs:
            answers = answers_of(run.model, copies).argmax(axis=1)
            assert study.right(run.name, point.change, point.severity).tolist() == (answers == labels).tolist()
    assert StressTest.from_json(study.to_json()) == study
    with pytest.raises(InputError, match="trained on images of the data set's test split"):
        stress_test(dataset, comparison=replace(comparison, folds=Folds(2, ())))


def test_stop_keeps_what_was_measured():
    dataset, cancel = load_dataset("textures", image_size=32, n_per_class=2), threading.Event()
    stop = lambda event: event.point is not None and cancel.set()  # noqa: E731
    study = stress_test(dataset, n_images=3, config=Config(epochs=1), on_event=stop, cancel=cancel)
    assert study.stopped
    assert len(study.points) == 1
    assert "Predicted" not in " ".join(study.sentences)
    assert study.headline.startswith("Stopped")
    with pytest.raises(CancelledError):
        stress_test(dataset, config=Config(epochs=1), cancel=cancel)


def made_up(scratch, transfer, n=40):
    """A study with one change, at which the models get these shares right; 30 images are right for both at first."""
    study = StressTest.from_json(RECORD.read_text())

    def answers(share):
        rights = np.arange(n) < share * n
        return tuple(rights.tolist())

    clean = (ArmAnswers("scratch", answers(0.75)), ArmAnswers("transfer", answers(0.75)))
    both = ArmAnswers("scratch", answers(scratch)), ArmAnswers("transfer", answers(transfer))
    points = tuple(StressPoint("darker", severity, both) for severity in SEVERITIES)
    return replace(study, clean=clean, points=points, changes=("darker",), failures=(), stopped=False)


@pytest.mark.parametrize(
    ("scratch", "transfer", "end"),
    [(0.2, 0.7, "It held: +50.0"), (0.7, 0.2, "It failed: −50.0"), (0.5, 0.5, "can't tell: +0.0")],
)
def test_the_prediction_is_judged_by_the_paired_interval(scratch, transfer, end):
    study = made_up(scratch, transfer)
    lead = study.mean_lead(3)
    assert f"{end} points (95% interval {points_range(*lead.ci95)})." in study.sentences[-1]
    assert lead.mean == pytest.approx(transfer - scratch)
    pairs = study.shares("transfer", 3) - study.shares("scratch", 3)
    if pairs.std():
        expected = stats.t.interval(0.95, len(pairs) - 1, pairs.mean(), stats.sem(pairs))
        assert lead.ci95 == pytest.approx(expected, rel=1e-6)
    # The changed images that both models get right are the same ones, so pairing narrows the interval.
    paired = study.lead("darker", 3)
    assert paired.difference == pytest.approx(transfer - scratch)


@pytest.mark.parametrize("narrow", [False, True])
def test_the_figure_has_a_panel_and_four_pictures_for_each_change(narrow):
    study = StressTest.from_json(RECORD.read_text())
    assert study.pictures.shape[0] == 1
    twice = np.concatenate([study.pictures, 255 - study.pictures])
    study = replace(study, example=base64.b64encode(twice.tobytes()).decode())
    figure = plot_stress(study, narrow=narrow)
    charts = [ax for ax in figure.axes if ax.lines]
    pictures = [ax for ax in figure.axes if ax.images]
    assert len(charts) == len(study.measured)
    assert len(pictures) == 4 * len(charts)
    assert (pictures[0].images[0].get_array() == twice[0]).all()
    assert (pictures[4].images[0].get_array() == twice[1]).all()  # the panels take turns
    line = charts[0].containers[0].lines[0]
    assert line.get_ydata().tolist() == [study.accuracy("scratch", study.changes[0], s)[0] for s in range(4)]
    labels = [text.get_text() for text in figure.texts]
    assert all(change.label in labels for change in study.measured)
    assert figure.get_figwidth() < (6 if narrow else 9)
    assert all(sentence in STUDIES["stress"].text(study) for sentence in study.sentences)
    assert json.loads(study.to_json())["study"] == "StressTest"
