"""The "noise" study: labels that are known to be wrong, counted by hand and by scikit-learn."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from tl_widgets.core.config import Config
from tl_widgets.core.errors import InputError
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.experiments.comparison import compare_config
from tl_widgets.studies.label_noise.figure import plot_label_noise
from tl_widgets.studies.label_noise.measurement import flip_labels, held_out_probabilities, label_noise, suspects
from tl_widgets.studies.label_noise.result import LabelNoise, NoisePoint
from tl_widgets.studies.registry import STUDIES

pytestmark = pytest.mark.usefixtures("tiny_default")
RECORD = Path(__file__).parent / "data" / "records" / "noise.json"


def test_as_many_labels_are_wrong_as_asked_for_and_larger_shares_contain_smaller_ones():
    labels = np.repeat(np.arange(4), 25)
    before = labels.copy()
    few, many = (flip_labels(labels, share, 4, seed=3) for share in (0.2, 0.4))
    assert (labels == before).all()
    assert [(few != labels).sum(), (many != labels).sum()] == [20, 40]
    assert (many[few != labels] == few[few != labels]).all()
    assert set(many.tolist()) == {0, 1, 2, 3}
    assert (flip_labels(labels, 0.2, 4, seed=4) != few).any()
    assert (flip_labels(labels, 0.0, 4, seed=3) == labels).all()


def test_a_label_is_doubted_only_by_a_confident_answer():
    labels = np.array([0, 0, 0, 1, 1, 1])
    second = np.array([0.1, 0.2, 0.9, 0.95, 0.85, 0.45])  # the probability of class 1
    # Images labeled 1 usually get (0.95 + 0.85 + 0.45) / 3 = 0.75, those labeled 0 get (0.9 + 0.8 + 0.1) / 3 = 0.6.
    # Row 2 is named 1 with 0.9: doubted. Row 5 is named 0 with only 0.55: not.
    assert suspects(np.stack([1 - second, second], axis=1), labels).tolist() == [2]
    second[5] = 0.02
    assert suspects(np.stack([1 - second, second], axis=1), labels).tolist() == [5, 2]  # the surest first


def test_wrong_labels_in_three_clusters_are_found_as_by_scikit_learn():
    random = np.random.default_rng(0)
    right = np.repeat([0, 1, 2], 40)
    features = (np.eye(3)[right] * 4 + random.normal(0, 0.5, (120, 3))).astype(np.float32)
    labels = flip_labels(right, 0.2, 3, seed=1)
    config = Config(epochs=20, learning_rate=0.01)
    found = suspects(held_out_probabilities(features, labels, 3, config), labels)
    wrong = set(np.flatnonzero(labels != right).tolist())
    assert set(found.tolist()) <= wrong  # no false alarm
    assert len(found) >= 0.9 * len(wrong)
    expected = cross_val_predict(LogisticRegression(), features, labels, cv=5, method="predict_proba")
    assert len(set(suspects(expected, labels).tolist()) ^ set(found.tolist())) <= 2


def test_a_point_is_what_a_comparison_with_these_labels_gives():
    dataset, points = load_dataset("textures", image_size=32, n_per_class=8), []
    study = label_noise(
        dataset, shares=(25, 0), seeds=(0,), epochs=2, on_event=lambda e: e.point and points.append(e.point)
    )
    assert tuple(points) == study.points
    assert study.shares == (0, 25)
    labels = flip_labels(dataset.train.labels, 0.25, 3, seed=0)
    noisy = replace(dataset, train=replace(dataset.train, labels=labels))
    comparison = compare_config(noisy, study.config)
    for run in comparison.runs:
        assert study.accuracies(run.name, 25) == {0: run.test_accuracy}
    search = study.search(25)
    assert (search.n_images, search.n_wrong) == (24, 6)
    for suspect in search.shown:
        assert (study.picture(suspect) == dataset.train.images[suspect.row]).all()
        assert (suspect.given, suspect.true) == (labels[suspect.row], dataset.train.labels[suspect.row])
    assert LabelNoise.from_json(study.to_json()) == study
    with pytest.raises(InputError, match="shares must be 0 to 80"):
        label_noise(dataset, shares=(90,))


def test_stop_keeps_what_was_measured():
    dataset, cancel = load_dataset("textures", image_size=32, n_per_class=4), threading.Event()
    stop = lambda event: event.point is not None and cancel.set()  # noqa: E731
    study = label_noise(dataset, seeds=(0,), epochs=1, on_event=stop, cancel=cancel)
    assert (study.stopped, len(study.points)) == (True, 1)
    assert "Predicted" not in " ".join(study.sentences)


@pytest.mark.parametrize(
    ("scratch", "end"), [(0.4, "It held: +40.0"), (0.9, "It failed: −10.0"), (0.8, "can't tell: +0.0")]
)
def test_the_prediction_is_judged_over_the_seeds(scratch, end):
    def points(arm, last):
        ends = ((0, 0.9), (40, last))
        return [NoisePoint(arm, share, seed, value - 0.01 * seed) for share, value in ends for seed in (0, 1, 2)]

    made_up = (*points("scratch", scratch), *points("transfer", 0.8))
    study = replace(
        LabelNoise.from_json(RECORD.read_text()), shares=(0, 40), seeds=(0, 1, 2), points=made_up, failures=()
    )
    assert f"{end} points (95% interval " in study.sentences[-1]
    assert study.more_lost.mean == pytest.approx(0.8 - scratch)
    assert "10.0" in study.headline


@pytest.mark.parametrize("narrow", [False, True])
def test_the_figure_shows_means_found_labels_and_proposals(narrow):
    study = LabelNoise.from_json(RECORD.read_text())
    figure = plot_label_noise(study, narrow=narrow)
    accuracy, found, *pictures = figure.axes
    assert accuracy.containers[1].lines[0].get_ydata().tolist() == [
        study.mean("transfer", s).mean for s in study.shares
    ]
    searches = [study.search(share) for share in study.shares if share]
    assert found.containers[0].lines[0].get_ydata().tolist() == [s.n_found / s.n_wrong for s in searches]
    shown = study.search(study.gallery_share).shown
    assert len(pictures) == len(shown) > 0
    for ax, suspect in zip(pictures, shown, strict=True):
        names = study.dataset.class_names
        assert ax.get_title() == f"labeled {names[suspect.given]}"
        found = "✓" if suspect.proposed == suspect.true else "(✓)"
        assert ax.get_xlabel().startswith(found if suspect.given != suspect.true else "✗")
    assert all(sentence in STUDIES["noise"].text(study) for sentence in study.sentences)
