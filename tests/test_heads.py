"""The "heads" study: scikit-learn itself, and distances that are counted by hand."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from tl_widgets.core.config import Config
from tl_widgets.core.errors import InputError
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.experiments.arms import RunCache, train_arm
from tl_widgets.studies.heads.figure import plot_heads
from tl_widgets.studies.heads.measurement import COUNTS, STRENGTHS, choose_head, head_study, nearest_images
from tl_widgets.studies.heads.result import HEAD_NAMES, HeadPoint, HeadStudy, SearchPoint
from tl_widgets.studies.registry import STUDIES

pytestmark = pytest.mark.usefixtures("tiny_default")
RECORD = Path(__file__).parent / "data" / "records" / "heads.json"


def test_each_head_answers_as_scikit_learn_and_the_dense_one_as_a_comparison():
    dataset, points = load_dataset("textures", image_size=32, n_per_class=8), []
    study = head_study(dataset, epochs=2, on_event=lambda e: e.point and points.append(e.point))
    assert tuple(points) == (*study.heads, *study.searches)
    cache = RunCache()
    run = train_arm(dataset, study.config, "transfer", cache=cache)
    right = tuple(a == b for a, b in zip(run.labels, run.predictions, strict=True))
    assert study.head("dense").answers == right
    splits = (dataset.train, dataset.validation, dataset.test)
    train, validation, test = (cache.backbones["transfer"][2].read(split).values for split in splits)
    models = {f"C = {c:g}": LogisticRegression(C=c, max_iter=1000) for c in STRENGTHS}
    models |= {f"k = {k}": KNeighborsClassifier(k, metric="cosine") for k in COUNTS}
    scores = {
        name: model.fit(train, dataset.train.labels).score(validation, dataset.validation.labels)
        for name, model in models.items()
    }
    for head, letter in (("logistic", "C"), ("neighbors", "k")):
        point = study.head(head)
        assert point.val_accuracy == max(scores[name] for name in models if name[0] == letter) == scores[point.choice]
        assert point.accuracy == models[point.choice].score(test, dataset.test.labels)
    # The cosine of every pair, by hand.
    lengths = (np.linalg.norm(values, axis=1, keepdims=True) for values in (test, train))
    cosines = (test / next(lengths)) @ (train / next(lengths)).T
    nearest = np.argsort(-cosines, axis=1)[:, :5]
    n_right = (dataset.train.labels[nearest] == dataset.test.labels[:, None]).sum(axis=1)
    pretrained, random = study.searches
    assert np.mean(np.array(pretrained.n_right) == n_right) > 0.95  # equal distances may change places
    assert (pretrained.name, random.name) == (Config.backbone, f"{Config.backbone}, random weights")
    for query, rows in zip(study.queries, pretrained.neighbors, strict=True):
        assert (study.pixels(query) == dataset.test.images[query.row]).all()
        assert set(rows) <= {picture.row for picture in study.pictures}
    assert HeadStudy.from_json(study.to_json()) == study


def test_neighbors_of_points_on_a_circle_are_those_with_the_nearest_angle():
    angles = np.deg2rad([0, 10, 25, 90, 200])
    train = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32) * np.array([[1], [5], [9], [1], [2]])
    test = np.array([[3.0, 0.2]], np.float32)
    assert nearest_images(train, test, 4).tolist() == [[0, 1, 2, 3]]
    assert nearest_images(train, test, 9).shape == (1, 5)


def test_the_validation_images_choose_and_the_first_of_equals_wins():
    # One training image has a wrong label: one neighbor repeats it, three and five outvote it, eight are mostly of 1.
    train = np.array([[1, 0], [1, 0.01], [1, 0.02], [1, 0.011], [0, 1], [0.01, 1], [0.02, 1], [0.03, 1]], np.float32)
    labels = np.array([0, 0, 0, 1, 1, 1, 1, 1])
    choice, accuracy, answer = choose_head(
        "neighbors", train, labels, np.array([[1, 0.0111], [0, 1]], np.float32), np.array([0, 1])
    )
    assert (choice, accuracy) == ("k = 5", 1.0)
    assert answer(np.array([[1, 0.011]], np.float32)).tolist() == [0]


def test_stop_keeps_what_was_measured():
    dataset, cancel = load_dataset("textures", image_size=32, n_per_class=4), threading.Event()
    stop = lambda event: event.point is not None and cancel.set()  # noqa: E731
    study = head_study(dataset, epochs=1, on_event=stop, cancel=cancel)
    assert (study.stopped, [head.head for head in study.heads], study.searches) == (True, ["dense"], ())
    assert "Predicted" not in " ".join(study.sentences)
    with pytest.raises(InputError, match="names in a list"):
        head_study(dataset, others="SqueezeNet")


def made_up(n_right, neighbors):
    """A study of 200 test images, of which the heads get so many right, and searches find so many of 5 neighbors."""
    study = HeadStudy.from_json(RECORD.read_text())
    heads = [
        HeadPoint(name, "", 1.0, (True,) * n + (False,) * (200 - n), 0.1)
        for name, n in zip(HEAD_NAMES, n_right, strict=True)
    ]
    shown = study.searches[0].neighbors
    searches = [
        SearchPoint(arm, "X", tuple(n + i % 2 for i in range(200)), shown)
        for arm, n in zip(("transfer", "control"), neighbors, strict=True)
    ]
    return replace(
        study,
        dataset=replace(study.dataset, n_test=200),
        config=replace(study.config, control=True),
        heads=tuple(heads),
        searches=tuple(searches),
        failures=(),
    )


@pytest.mark.parametrize(
    ("n_right", "neighbors", "ends"),
    [
        ((180, 181, 179, 182), (4, 2), ("It held: small MLP +0.5 points", "It held: +40.0")),
        ((180, 150, 179, 182), (2, 4), ("It failed: small MLP +16.0 points", "It failed: −40.0")),
        ((180, 172, 179, 182), (3, 3), ("can't tell: small MLP +5.0 points", "can't tell: +0.0")),
    ],
)
def test_predictions_are_judged_image_by_image(n_right, neighbors, ends):
    study = made_up(n_right, neighbors)
    for sentence, end in zip(study.sentences[-2:], ends, strict=True):
        assert end in sentence
    assert study.difference("mlp").difference == (n_right[3] - n_right[1]) / 200
    assert study.search_lead.mean == pytest.approx((neighbors[0] - neighbors[1]) / 5)


@pytest.mark.parametrize("narrow", [False, True])
def test_the_figure_shows_heads_and_neighbors(narrow):
    study = HeadStudy.from_json(RECORD.read_text())
    chart, *pictures = plot_heads(study, narrow=narrow).axes
    assert [line.lines[0].get_xdata()[0] for line in chart.containers] == [head.accuracy for head in study.heads]
    assert len(pictures) == len(study.searches) * len(study.queries) * (1 + study.n_neighbors)
    labels = {picture.row: picture.label for picture in study.pictures}
    query, search = study.queries[0], study.searches[0]
    marks = [ax.get_xlabel()[0] for ax in pictures[1 : 1 + study.n_neighbors]]
    assert marks == ["✓" if labels[row] == query.label else "✗" for row in search.neighbors[0]]
    assert all(sentence in STUDIES["heads"].text(study) for sentence in study.sentences)


def test_a_record_with_too_many_neighbors_is_rejected():
    study = HeadStudy.from_json(RECORD.read_text())
    search = study.searches[0]
    longer = replace(search, neighbors=tuple(found * 2 for found in search.neighbors))
    with pytest.raises(ValueError, match="did not find 5 images"):
        replace(study, searches=(longer,))
    with pytest.raises(InputError, match="not a record"):
        HeadStudy.from_json(study.to_json().replace(f'"side": {study.side}', '"side": 0'))
