"""The "sure" study: errors that are known by hand, scikit-learn's diagram and temperature, SciPy's bootstrap."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from tl_widgets.core.config import Config
from tl_widgets.core.errors import InputError
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.experiments.comparison import compare_config
from tl_widgets.records.folds import Folds
from tl_widgets.studies.calibration.figure import plot_calibration
from tl_widgets.studies.calibration.measurement import calibration, fit_temperature, with_temperature
from tl_widgets.studies.calibration.result import (
    LOWEST,
    Calibration,
    bins,
    calibration_error,
    error_difference,
    error_mean,
    gaps,
    luck,
)
from tl_widgets.studies.registry import STUDIES

pytestmark = pytest.mark.usefixtures("tiny_default")
RECORD = Path(__file__).parent / "data" / "records" / "sure.json"


def test_the_error_of_answers_made_by_hand():
    sure = [0.95] * 10 + [0.65] * 10
    right = [True] * 8 + [False] * 2 + [True] * 7 + [False] * 3
    # 15 points off for one half, 5 points the other way for the other half.
    assert calibration_error(gaps(sure, right)) == pytest.approx(0.5 * 0.15 + 0.5 * 0.05)
    assert calibration_error(gaps([1.0, 1.0], [True, True])) == 0
    low, high = bins(sure, right)
    assert (low.low, low.high, low.n, low.right) == (pytest.approx(0.6), pytest.approx(0.7), 10, 0.7)
    assert (high.sure, high.right) == (pytest.approx(0.95), 0.8)


def test_the_diagram_is_scikit_learns_and_the_interval_scipys():
    random = np.random.default_rng(0)
    sure = random.uniform(0.3, 1, 150)
    right = random.random(150) < sure - 0.15
    expected = calibration_curve(right, sure, n_bins=10, strategy="uniform")
    found = bins(sure, right)
    assert [[b.right for b in found], [b.sure for b in found]] == [pytest.approx(values) for values in expected]
    table, rows = gaps(sure, right), np.arange(150)

    def error(rows, axis):  # the last axis is that of the images, before that of the bins comes
        return np.abs(table[rows].mean(axis=-2)).sum(axis=-1)

    scipys = stats.bootstrap((rows,), error, n_resamples=1000, method="basic", vectorized=True, rng=1)
    mean = error_mean(sure, right)
    assert mean.mean == pytest.approx(error(rows, 0))
    assert mean.ci95 == pytest.approx(tuple(scipys.confidence_interval), abs=0.012)


def test_luck_is_the_error_of_calibrated_answers():
    random = np.random.default_rng(2)
    sure = random.uniform(0.5, 1, 60)
    answers = [random.random(60) < sure for _ in range(200)]
    errors = [calibration_error(gaps(sure, right)) for right in answers]
    assert luck(tuple(sure)) == pytest.approx(np.mean(errors), abs=0.01)
    # Two calibrated models, of which one is less sure: the interval of the difference contains 0.
    surer = np.linspace(0.97, 1, 60)
    assert luck(tuple(sure)) > luck(tuple(surer)) + 0.04
    found = [error_difference((sure, right), (surer, random.random(60) < surer)) for right in answers[:50]]
    assert np.mean([mean.ci95[0] > 0 for mean in found]) < 0.1


def test_the_temperature_is_scikit_learns():
    random = np.random.default_rng(3)
    labels = np.arange(200) % 3
    features = np.eye(3)[labels] * 1.5 + random.normal(0, 1, (200, 3))
    too_sure = LogisticRegression(C=1e6).fit(features[:12], labels[:12])
    scaler = CalibratedClassifierCV(FrozenEstimator(too_sure), method="temperature").fit(
        features[12:100], labels[12:100]
    )
    probabilities = too_sure.predict_proba(features)
    temperature = fit_temperature(probabilities[12:100], labels[12:100])
    assert temperature > 1.5
    scaled = with_temperature(probabilities[100:], temperature)
    assert scaled == pytest.approx(scaler.predict_proba(features[100:]), abs=0.002)
    assert (scaled.argmax(axis=1) == probabilities[100:].argmax(axis=1)).all()
    before, after = (
        calibration_error(gaps(p.max(axis=1), p.argmax(axis=1) == labels[100:])) for p in (probabilities[100:], scaled)
    )
    assert after < before / 2
    assert fit_temperature(np.eye(3)[labels] * 0.4 + 0.2, labels) == pytest.approx(LOWEST)  # all right


def test_it_measures_what_plain_keras_answers_to_test_images_and_strangers():
    # The quick model is measured first; in a comparison, it is second.
    dataset, config, points = load_dataset("textures", image_size=32, n_per_class=6), Config(epochs=3), []
    study = calibration(dataset, config=config, on_event=lambda e: e.point and points.append(e.point))
    assert tuple(points) == study.points
    assert study.arms == ("scratch", "transfer")
    comparison = compare_config(dataset, config)  # the same seed gives the same models
    strangers = load_dataset("digits", image_size=32)
    for run in comparison.runs:
        point = study.of(run.name)
        assert point.right == tuple(np.equal(run.predictions, run.labels).tolist())
        pictures = np.stack([study.picture(i) for i in range(5)])
        test, others = (run.model.predict(images, verbose=0) for images in (dataset.test.images[:], pictures))
        assert point.test == pytest.approx(test.max(axis=1), abs=1e-5)
        assert point.scaled == pytest.approx(with_temperature(test, point.temperature).max(axis=1), abs=1e-4)
        assert point.strangers[:5] == pytest.approx(others.max(axis=1), abs=1e-5)
        assert point.answers[:5] == tuple(others.argmax(axis=1).tolist())
    assert (len(point.validation), len(point.strangers)) == (60, 100)
    assert Calibration.from_json(study.to_json()) == study
    again = calibration(dataset, comparison=comparison)
    assert (again.points[::-1], again.pictures) == (study.points, study.pictures)
    with pytest.raises(InputError, match="image_size=32"):
        calibration(dataset, comparison=comparison, strangers=load_dataset("faces", image_size=40))
    with pytest.raises(InputError, match="not the data set"):
        calibration(strangers, comparison=comparison)
    with pytest.raises(InputError, match="trained on images of the data set's test split"):
        calibration(dataset, comparison=replace(comparison, folds=Folds(2, ())))
    first, _ = points
    cancel = threading.Event()
    stopped = calibration(dataset, config=config, on_event=lambda e: e.point and cancel.set(), cancel=cancel)
    assert (stopped.stopped, stopped.points) == (True, (first,))
    assert "Predicted" not in " ".join(stopped.sentences)


def made_up(scratch, transfer, n=100):
    """A study of two models that are 90% sure of everything; these shares of their answers are right."""
    study = Calibration.from_json(RECORD.read_text())

    def point(arm, share):
        sure, right = (0.9,) * n, tuple(i < share * n for i in range(n))
        return replace(study.of(arm), test=sure, scaled=sure, right=right, validation=(0.8, 0.95) * 30)

    points = point("scratch", scratch), point("transfer", transfer)
    return replace(study, points=points, failures=(), stopped=False)


@pytest.mark.parametrize(
    ("scratch", "transfer", "end"),
    [
        (0.5, 0.9, "It held: +40.0 points ("),
        (0.9, 0.5, "It failed: −40.0 points ("),
        (0.8, 0.8, "can't tell: +0.0 points ("),
    ],
)
def test_the_prediction_is_judged_by_the_paired_interval(scratch, transfer, end):
    study = made_up(scratch, transfer)
    assert end in study.sentences[-1]
    assert study.error("scratch").mean == pytest.approx(0.9 - scratch)
    assert study.more_error.mean == pytest.approx(abs(0.9 - scratch) - abs(0.9 - transfer))
    everything, *_, half = [row for row in study.answered("scratch") if row.n_answered]
    assert (everything.n_answered, everything.accuracy, everything.limit) == (100, scratch, 0.8)
    assert half.limit <= 0.9


@pytest.mark.parametrize("narrow", [False, True])
def test_the_figure_shows_diagrams_answers_and_strangers(narrow):
    study = Calibration.from_json(RECORD.read_text())
    figure = plot_calibration(study, narrow=narrow)
    scratch, transfer, answered, strangers, *pictures = figure.axes
    for ax, arm in ((scratch, "scratch"), (transfer, "transfer")):
        line = ax.containers[0].lines[0]
        assert line.get_ydata().tolist() == [b.right for b in study.bins(arm)]
        assert line.get_xdata().tolist() == [b.sure for b in study.bins(arm)]
    rows = [row for row in study.answered("scratch") if row.n_answered]
    assert answered.lines[0].get_ydata().tolist() == [row.accuracy for row in rows]
    assert len(strangers.get_yticklabels()) == 4
    assert len(pictures) == len(study.pictures) == 5
    assert (pictures[0].images[0].get_array() == study.picture(0)).all()
    assert figure.get_figwidth() < (6 if narrow else 9)
    assert all(sentence in STUDIES["sure"].text(study) for sentence in study.sentences)
