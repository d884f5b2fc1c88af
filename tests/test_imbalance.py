"""Classes of unequal size: class weights against Keras, balanced accuracy against scikit-learn, and what is shown."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import own_dataset, page
from sklearn.metrics import balanced_accuracy_score
from sklearn.utils.class_weight import compute_class_weight

from tl_widgets import Comparison, Config, ScratchSpec, Split, to_report, to_script
from tl_widgets.experiments.comparison import RunCache, compare, compare_config
from tl_widgets.models.builders import build_scratch
from tl_widgets.plots.classes import plot_recall
from tl_widgets.plots.comparison import alt_text, plot_accuracy, plot_comparison, plot_test_accuracy
from tl_widgets.plots.race_classes import class_chart
from tl_widgets.plots.racers import Race, Racer
from tl_widgets.records.parameters import ParameterCount
from tl_widgets.records.run import ClassFigures, RunResult
from tl_widgets.records.statistics import mean_share_interval, wilson_interval
from tl_widgets.training.learners import KerasLearner, LinearHead, balanced_weights, batches

pytestmark = pytest.mark.usefixtures("tiny_default")

TINY = ScratchSpec((4, 8), (3, 3), dense_units=8)
SMALL = {"scratch": TINY, "epochs": 2, "batch_size": 8}


def uneven(n_dark=12, n_bright=4):
    """Images of noise: more of the first class, in all splits."""
    dataset = own_dataset(name="mine", class_names=("dark", "bright"), n=n_dark)

    def cut(split):
        dark, bright = (np.flatnonzero(split.labels == label) for label in (0, 1))
        rows = np.concatenate([dark, bright[: max(1, len(bright) * n_bright // n_dark)]])
        return Split(split.images[rows], split.labels[rows])

    return replace(dataset, **{name: cut(getattr(dataset, name)) for name in ("train", "validation", "test")})


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A comparison of unequal classes with and without class weights, and its images."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TL_WIDGETS_HOME", str(tmp_path_factory.mktemp("home")))
        dataset, cache = uneven(), RunCache()
        plain = compare_config(dataset, Config(**SMALL), cache=cache)
        weighted = compare_config(dataset, Config(**SMALL, class_weights=True), cache=cache)
        return dataset, plain, weighted


# Weights


def test_the_weights_are_scikit_learns():
    labels = np.repeat([0, 1, 2], [50, 20, 5])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    np.testing.assert_allclose(balanced_weights(labels, 3), expected, rtol=1e-6)
    assert balanced_weights(labels, 3)[labels].mean() == pytest.approx(1)


@pytest.mark.parametrize("n_classes", [2, 5])
def test_the_weighted_head_is_kerass_class_weight(n_classes):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(120, 40)).astype(np.float32)
    labels = np.minimum(rng.geometric(0.6, 120) - 1, n_classes - 1)
    weights = balanced_weights(labels, n_classes)
    units = 1 if n_classes == 2 else n_classes
    dense = keras.layers.Dense(units, activation="sigmoid" if units == 1 else "softmax")
    model = keras.Sequential([keras.layers.Input((40,)), dense])
    loss = "binary_crossentropy" if units == 1 else "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.Adam(3e-3), loss)
    kernel, bias = dense.get_weights()
    head = LinearHead(kernel, bias, learning_rate=3e-3, dropout=0.0, seed=0, class_weights=weights)
    for epoch in range(4):
        for rows in batches(120, 16, seed=0, epoch=epoch):
            expected = model.train_on_batch(features[rows], labels[rows], class_weight=dict(enumerate(weights)))
            model.reset_metrics()
            got, _ = head.fit_batch(features[rows], labels[rows])
            assert got == pytest.approx(float(expected), rel=1e-3, abs=1e-5)
    np.testing.assert_allclose(head.kernel, dense.kernel.numpy(), atol=1e-4)
    np.testing.assert_allclose(head.bias, dense.bias.numpy(), atol=1e-4)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_weighted_step_is_the_one_that_keras_makes(n_classes):
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (24, 16, 16, 3), np.uint8)
    labels = np.minimum(rng.geometric(0.6, 24) - 1, n_classes - 1)
    weights = balanced_weights(labels, n_classes)
    ours, theirs = (
        build_scratch((16, 16, 3), n_classes, filters=(4,), kernel_sizes=(3,), dense_units=8, seed=1) for _ in range(2)
    )
    loss = "binary_crossentropy" if n_classes == 2 else "sparse_categorical_crossentropy"
    theirs.compile(keras.optimizers.Adam(0.01), loss)
    learner = KerasLearner(ours, tf.uint8, 0.01, weights)
    for _ in range(4):
        got, _ = learner.fit_batch(images, labels)
        theirs.reset_metrics()
        expected = theirs.train_on_batch(images.astype(np.float32), labels, class_weight=dict(enumerate(weights)))
        assert got == pytest.approx(float(expected), rel=1e-4)
    for a, b in zip(ours.trainable_weights, theirs.trainable_weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-5)


def test_weights_are_for_both_models_and_kept_apart(measured):
    _, plain, weighted = measured
    for name in ("scratch", "transfer"):
        first, second = getattr(plain, name), getattr(weighted, name)
        assert first.history.loss != second.history.loss
        assert first.probabilities != second.probabilities
    equal = own_dataset()
    same = [compare(equal, **SMALL, class_weights=flag) for flag in (False, True)]
    assert same[0].transfer.probabilities == same[1].transfer.probabilities, "equal classes have weights of 1"
    np.testing.assert_allclose(same[0].scratch.probabilities, same[1].scratch.probabilities, atol=1e-5)


def test_the_script_gives_keras_the_same_weights(measured):
    dataset, plain, weighted = measured
    script = to_script(weighted)
    compile(script, "script", "exec")
    assert "class_weight=CLASS_WEIGHTS," in script
    assert "class_weight" not in to_script(plain)
    lines = {"np": np, "y_train": dataset.train.labels}
    start = script.index("COUNTS = ")
    exec(script[start : script.index("\n\n", start)], lines)
    expected = balanced_weights(dataset.train.labels, 2)
    assert lines["CLASS_WEIGHTS"] == pytest.approx(dict(enumerate(expected.tolist())))
    assert "class_weight" in to_script(replace(weighted, config=replace(weighted.config, fine_tuning=None)))


# Statistics


def run_of(labels, predictions, class_names=("bird", "cat", "dog")):
    probabilities = tuple(tuple(float(i == p) for i in range(len(class_names))) for p in predictions)
    return RunResult(
        "transfer", class_names, ParameterCount(1, 1), labels=tuple(labels), predictions=tuple(predictions),
        probabilities=probabilities, backbone="Net", weights="imagenet",
    )  # fmt: skip


def test_balanced_accuracy_is_scikit_learns():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [60, 15, 9])
    predictions = np.where(rng.random(84) < 0.7, labels, rng.integers(0, 3, 84))
    run = run_of(labels.tolist(), predictions.tolist())
    assert run.balanced_accuracy == pytest.approx(balanced_accuracy_score(labels, predictions))
    assert run.is_uneven
    assert run.largest_class == ("bird", 60)
    for figures in run.per_class:
        assert figures.recall_ci95 == wilson_interval(round(figures.recall * figures.n), figures.n)
    assert ClassFigures("none", 0, None, None).recall_ci95 is None
    assert not run_of([0, 0, 0, 1, 1, 2, 2], [0] * 7).is_uneven, "3 to 2 is not above 1.5"


def test_the_interval_of_balanced_accuracy_covers_it():
    """How often the interval contains the true mean recall, by simulation."""
    assert mean_share_interval([(7, 10)]) == pytest.approx(wilson_interval(7, 10))
    rng = np.random.default_rng(0)
    shares, sizes = (0.9, 0.6, 0.75), (60, 12, 20)
    hits = 0
    for _ in range(1000):
        counts = [(int(rng.binomial(n, share)), n) for share, n in zip(shares, sizes, strict=True)]
        low, high = mean_share_interval(counts)
        hits += low <= np.mean(shares) <= high
    assert 0.93 <= hits / 1000 <= 0.985
    low, high = mean_share_interval([(10, 10), (4, 4)])
    assert high == 1
    assert low < 0.9, "all right is no proof"


# What is shown


def test_figures_name_the_largest_class(measured):
    _, plain, _ = measured
    n, n_dark = len(plain.transfer.labels), plain.transfer.labels.count(0)
    always = f"always dark, {100 * n_dark / n:.1f}%"
    assert always in plot_test_accuracy(plain).get_xlabel()
    legend = [text.get_text() for text in plot_accuracy(plain).get_legend().get_texts()]
    assert f"always dark ({100 * n_dark / n:.1f}%)" in legend
    assert "always dark" in alt_text(plain, "test_accuracy")
    assert "balanced" in alt_text(plain, "test_accuracy")
    plot_comparison(plain)
    even = compare(own_dataset(), **SMALL)
    assert "chance, 50.0%" in plot_test_accuracy(even).get_xlabel()
    assert "balanced" not in alt_text(even, "test_accuracy")


def test_recall_has_intervals_where_classes_differ(measured):
    _, plain, _ = measured
    bars = plot_recall(plain).containers
    assert len(bars) == 2
    figures = plain.transfer.per_class
    segments = bars[1].lines[2][0].get_segments()
    for segment, item in zip(segments, figures, strict=True):
        assert tuple(segment[:, 0]) == pytest.approx(item.recall_ci95)
    assert not plot_recall(replace(plain, scratch=None, transfer=run_of([0, 1, 2], [0, 1, 1]))).containers
    chart = class_chart(Race((Racer("transfer", per_class=figures),)))
    low, high = figures[0].recall_ci95
    assert f"({100 * low:.0f} to {100 * high:.0f})" in chart


def test_the_record_has_balanced_accuracy(measured):
    _, _, weighted = measured
    record = json.loads(weighted.to_json())
    assert record["config"]["class_weights"] is True
    assert record["transfer"]["balanced_accuracy"] == pytest.approx(weighted.transfer.balanced_accuracy)
    assert Comparison.from_json(weighted.to_json()) == weighted
    del record["config"]["class_weights"]
    assert not Comparison.from_json(json.dumps(record)).config.class_weights, "older records had none"
    assert "balanced_accuracy" not in json.loads(compare(own_dataset(), **SMALL).to_json())["transfer"]


def test_the_report_has_the_baseline_and_intervals(measured):
    dataset, plain, _ = measured
    report = to_report(plain, dataset=dataset)
    assert "Balanced accuracy" in report
    assert "Always dark" in report
    assert "Intervals are 95%." in report


def test_the_terminal_prints_the_baseline_and_every_class(here, capsys):
    from PIL import Image

    from tl_widgets.cli.main import main

    rng = np.random.default_rng(0)
    for name, n in (("dark", 28), ("bright", 8)):
        (here / "mine" / name).mkdir(parents=True)
        for i in range(n):
            pixels = rng.integers(0, 80, (32, 32, 3)) + 150 * (name == "bright")
            Image.fromarray(pixels.astype(np.uint8)).save(here / "mine" / name / f"{i}.png")
    assert main(["compare", "mine", "--image-size", "32", "--epochs", "1", "--class-weights"]) == 0
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert any(line.startswith("always dark") and "77.8%" in line for line in lines)
    assert any(line.startswith("mean: balanced accuracy") for line in lines)
    assert any(line.startswith("bright ") and " 2 " in line for line in lines)
    assert "train with class weights" not in printed  # they are on
    record = json.loads((here / "tl-widgets-mine.json").read_text())
    assert record["config"]["class_weights"] is True


def test_the_lab_shows_them(make_lab):
    from tl_widgets.widgets import LabSettings

    dataset = uneven()
    lab = make_lab(dataset, settings=LabSettings(dataset="mine", image_size=32, config=Config(**SMALL)))
    assert lab.panel.control("class_weights").value is False
    lab.panel.control("class_weights").value = True
    result = lab.run(wait=True).result
    assert result.config.class_weights
    shown = page(lab)
    assert "<small>· balanced " in shown
    assert "Classes counted equally: " in lab.screen.outcome.headline.value
    assert "Always dark: " in shown
    assert "always dark" in page(lab.screen.stage)
