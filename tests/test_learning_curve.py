"""The studies of data and of time: statistics against SciPy, points against `compare`, Stop, figures."""

import sqlite3
import threading
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from helpers import Clock
from scipy import stats

from tl_widgets.cli import main as cli
from tl_widgets.core.config import Config, ScratchSpec
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.experiments.comparison import RunCache, compare, train_arm
from tl_widgets.experiments.parallel import measure_all
from tl_widgets.records.comparison import History, Seconds, StudyFailure
from tl_widgets.records.statistics import mean_of_shares, mean_with_interval
from tl_widgets.studies.learning_curve.figure import plot_learning_curve
from tl_widgets.studies.learning_curve.measurement import learning_curve
from tl_widgets.studies.learning_curve.result import CurvePoint, LearningCurve
from tl_widgets.studies.time.figure import plot_time
from tl_widgets.studies.time.result import TimeStudy, time_study
from tl_widgets.training import features, loop
from tl_widgets.training.feature_store import store_path

pytestmark = pytest.mark.usefixtures("tiny_default")

SCRATCH = ScratchSpec(filters=(8, 8), kernel_sizes=(3, 3), dense_units=16)
FEW = {"scratch": SCRATCH, "epochs": 3, "batch_size": 8}


@pytest.fixture(scope="module")
def textures():
    return load_dataset("textures", image_size=48, n_per_class=12)


@pytest.fixture(scope="module")
def curve(textures, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TL_WIDGETS_HOME", str(tmp_path_factory.mktemp("home")))
        return learning_curve(textures, n_per_class=(3, 6), seeds=(0, 4), **FEW)


def made_curve(curve, **accuracies):
    """A curve of given means: sizes 2, 4, 8, 16, two seeds one point apart on each side."""
    points = [
        CurvePoint(arm, n, seed, mean + (0.01 if seed else -0.01), Seconds())
        for arm, means in accuracies.items()
        for n, mean in zip((2, 4, 8, 16), means, strict=True)
        for seed in (0, 1)
    ]
    return replace(
        curve, n_per_class=(2, 4, 8, 16), seeds=(0, 1), arms=tuple(accuracies), points=tuple(points), chance=0.33
    )


@pytest.mark.parametrize("n", [2, 3, 5, 12, 31])
def test_the_interval_is_scipys(n):
    values = np.random.default_rng(n).normal(0.7, 0.1, n)
    expected = stats.t.interval(0.95, n - 1, loc=values.mean(), scale=stats.sem(values))
    mean = mean_with_interval(values.tolist())
    assert mean.mean == pytest.approx(values.mean())
    assert mean.ci95 == pytest.approx(expected, rel=1e-5)


def test_one_value_has_no_interval():
    assert mean_with_interval([0.5]).ci95 is None
    # A difference of two differences may be as large as 2.
    assert mean_of_shares([1.2, 1.4, 1.3], n_images=90, low=-2.0).ci95 == mean_with_interval([1.2, 1.4, 1.3]).ci95
    assert mean_of_shares([1.7, 1.9, 1.2], n_images=90, low=-2.0).ci95[1] == 2


def test_a_point_is_what_compare_gives(textures, curve):
    comparison = compare(textures.take(6, seed=4), seed=4, control=True, **FEW)
    for arm in ("scratch", "transfer", "control"):
        (point,) = [p for p in curve.points if (p.arm, p.n_per_class, p.seed) == (arm, 6, 4)]
        assert point.test_accuracy == getattr(comparison, arm).test_accuracy, arm


def test_every_point_is_there_once(curve):
    wanted = {(arm, n, seed) for arm in ("scratch", "transfer", "control") for n in (3, 6) for seed in (0, 4)}
    assert {(p.arm, p.n_per_class, p.seed) for p in curve.points} == wanted
    assert len(curve.points) == 12
    assert not curve.stopped
    assert not curve.failures


def test_the_record_is_read_back_and_nothing_else(curve):
    assert LearningCurve.from_json(curve.to_json()) == curve
    for text in ("{}", "[1]", "no", curve.to_json().replace("LearningCurve", "TimeStudy")):
        with pytest.raises(InputError, match="not a record of a LearningCurve"):
            LearningCurve.from_json(text)


def test_the_ratio_of_images_is_that_of_the_curves(curve):
    made = made_curve(curve, scratch=(0.4, 0.5, 0.6, 0.7), transfer=(0.6, 0.7, 0.8, 0.9))
    ratio = made.data_ratio
    assert (ratio.scratch, ratio.transfer) == pytest.approx((16, 4))
    assert not ratio.at_least
    assert "From scratch needs about 4 times the images: for 70.0% it takes 16" in made.sentences[0]
    assert made.overtakes_at is None
    assert "never catches up" in " ".join(made.sentences)


def test_never_is_said_only_where_no_size_says_otherwise(curve):
    made = made_curve(curve, scratch=(0.4, 0.5, 0.6, 0.7), transfer=(0.4, 0.5, 0.8, 0.9))
    assert made.overtakes_at is None
    assert made.sentences[-1] == "With more than 4 images per class, from scratch is behind on average."


def test_between_two_sizes_the_line_is_over_the_logarithm(curve):
    made = made_curve(curve, scratch=(0.4, 0.5, 0.6, 0.65), transfer=(0.6, 0.7, 0.8, 0.9))
    assert made.images_for("transfer", 0.65) == pytest.approx(2 * 2**0.5)


def test_a_ratio_that_the_smallest_size_hides_is_a_bound(curve):
    made = made_curve(curve, scratch=(0.4, 0.5, 0.6, 0.7), transfer=(0.8, 0.9, 0.9, 0.9))
    assert made.data_ratio.at_least
    assert "at least 8 times" in made.sentences[0]


def test_scratch_may_win(curve):
    made = made_curve(curve, scratch=(0.4, 0.6, 0.8, 0.9), transfer=(0.5, 0.55, 0.6, 0.6))
    assert made.overtakes_at == 4
    assert made.sentences[0].startswith("The frozen backbone needs")
    assert "From 4 images per class on" in made.sentences[3]


def test_how_far_the_ratio_is_luck_is_told_seed_by_seed(curve):
    made = made_curve(curve, scratch=(0.4, 0.5, 0.6, 0.7), transfer=(0.6, 0.7, 0.8, 0.9))
    # Seed 1 alone: scratch ends at 0.61 + 0.1, which transfer has with 4 images already; seed 0 likewise: 4 times.
    assert [each.ratio for each in made.ratios_by_seed] == pytest.approx([4, 4])
    assert made.sentences[1] == "Seed by seed it is 4 times."
    points = tuple(
        replace(p, test_accuracy=0.85 + 0.01 * p.n_per_class) if (p.arm, p.seed) == ("scratch", 1) else p
        for p in made.points
    )
    mixed = replace(made, points=points)
    assert mixed.ratios_by_seed[1].ratio < 1
    assert "disagree on which of the two needs more images" in mixed.sentences[1]


def test_at_chance_no_ratio_is_told(curve):
    made = made_curve(curve, scratch=(0.33, 0.33, 0.33, 0.34), transfer=(0.8, 0.9, 0.9, 0.9))
    assert made.data_ratio is None
    assert "never gets clearly above chance" in made.sentences[0]


def test_nothing_is_said_of_a_model_that_was_not_measured(curve):
    made = made_curve(curve, scratch=(0.4, 0.5, 0.6, 0.7), transfer=(0.6, 0.7, 0.8, 0.9))
    only_scratch = tuple(p for p in made.points if p.arm == "scratch")
    failures = (StudyFailure("transfer with 2 images per class, seed 0", "no weights"),) * 8
    lost = replace(made, points=only_scratch, failures=failures)
    assert lost.lost_arms == ("transfer",)
    assert lost.sentences[0] == "No point could be measured for the frozen backbone."
    assert "chance" not in " ".join(lost.sentences)
    stopped = replace(made, points=only_scratch, stopped=True)
    assert stopped.sentences == ("Stopped before all points were measured.",)
    assert stopped.lost_arms == made.lost_arms == ()
    early = made_curve(curve, scratch=(0.33, 0.4, 0.6, 0.7), transfer=(0.8, 0.9, 0.9, 0.9))
    cut = replace(early, points=tuple(p for p in early.points if p.arm == "transfer" or p.n_per_class == 2))
    assert cut.sentences[0].startswith("With up to 2 images per class, one of the two never")


def test_a_stopped_curve_claims_no_ratio_and_no_end(curve):
    made = made_curve(curve, scratch=(0.4, 0.5, 0.6, 0.7), transfer=(0.6, 0.7, 0.8, 0.9))
    assert made.headline == "From scratch needs 4 times the images."
    points = tuple(p for p in made.points if p.arm == "transfer" or (p.n_per_class < 16 and p.seed == 0))
    stopped = replace(made, points=points, stopped=True)
    assert stopped.sentences == (
        "So far, over 1 of the 2 seeds: with 8 images per class the frozen backbone answers 79.0% of the test images "
        "correctly, the network from scratch 59.0%.",
        "Stopped before all points were measured.",
    )
    assert stopped.headline == stopped.sentences[0]
    texts = [text.get_text() for text in plot_learning_curve(stopped).texts]
    assert texts == []  # no arrow for a ratio


def test_a_model_that_was_stopped_is_not_said_to_miss_the_target(textures):
    comparison = compare(textures, **FEW)
    scratch = replace(comparison.scratch, history=_history((3.0,), (0.4,)), seconds=Seconds(), stopped=True)
    whole = replace(comparison.transfer, history=_history((0.1, 0.2), (0.5, 0.9)))
    study = TimeStudy.of(replace(comparison, scratch=scratch, transfer=whole), target=0.8)
    assert study.stopped
    assert "had not reached 80.0% of the validation images yet" in study.sentences[0]
    assert "never" not in " ".join(study.sentences)
    assert study.sentences[-1] == "Stopped before all epochs were done, so the times are not compared."


def test_a_ratio_that_no_seed_has_is_called_rough(curve):
    made = made_curve(curve, scratch=(0.4, 0.5, 0.6, 0.7), transfer=(0.72, 0.75, 0.8, 0.9))
    assert "rough" not in made.sentences[1]
    lucky = {(8, 0), (4, 1)}  # each seed has a good size of its own; the mean gets there with 16 images only
    points = tuple(
        replace(p, test_accuracy=0.75) if p.arm == "scratch" and (p.n_per_class, p.seed) in lucky else p
        for p in made.points
    )
    uneven = replace(made, points=points)
    assert "at least 8 times" in uneven.sentences[0]
    assert uneven.sentences[1] == "Seed by seed it is 1.8 to 3 or more times, so 8 is a rough figure."


def test_seeds_that_are_far_apart_give_a_range_in_place_of_one_ratio(curve):
    made = made_curve(curve, scratch=(0.4, 0.5, 0.6, 0.7), transfer=(0.6, 0.7, 0.8, 0.9))
    points = tuple(
        replace(p, test_accuracy=p.test_accuracy - 0.15)
        if (p.arm, p.seed) == ("transfer", 1) and p.n_per_class < 16
        else p
        for p in made.points
    )
    uneven = replace(made, points=points)
    assert uneven.headline == "From scratch needs 1.7 to 4 times the images."
    assert uneven.sentences[0].startswith("From scratch needs 1.7 to 4 times the images, depending on the seed.")
    assert "Seed by seed" not in " ".join(uneven.sentences)


def test_two_curves_within_each_others_noise_are_too_close_to_call(curve):
    made = made_curve(curve, scratch=(0.7, 0.7, 0.7, 0.7), transfer=(0.7, 0.7, 0.7, 0.7))
    points = tuple(
        replace(p, test_accuracy=p.test_accuracy + (0.1 if p.seed == 0 and p.arm == "transfer" else 0.0))
        for p in made.points
    )
    said = " ".join(replace(made, points=points).sentences)
    assert "over these seeds the two are too close to call" in said
    assert "never catches up" not in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_per_class": (3, 99)}, "n_per_class"),
        ({"n_per_class": ()}, "empty"),
        ({"seeds": (1, 1)}, "different"),
        ({"seeds": (-1,)}, "seeds"),
        ({"arms": ("scratch", "best")}, "arms"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_trained(textures, arguments, message):
    with pytest.raises(InputError, match=message):
        learning_curve(textures, **arguments)


def test_stop_keeps_what_was_measured(textures):
    cancel, news = threading.Event(), []

    def on_event(event):
        news.append(event)
        if event.phase == "study" and event.n_done == 3:
            cancel.set()

    curve = learning_curve(textures, n_per_class=(3, 6), seeds=(0, 4), on_event=on_event, cancel=cancel, **FEW)
    assert curve.stopped
    assert len(curve.points) == 3
    assert "Stopped" in curve.sentences[-1]
    said = [event for event in news if event.phase == "study"]
    assert [event.n_done for event in said] == [0, 1, 2, 3]
    assert said[-1].n_total == 12
    assert said[-1].seconds_left > 0
    assert not any(event.phase in ("train", "evaluate") for event in news)
    assert LearningCurve.from_json(curve.to_json()) == curve


def test_one_broken_point_costs_one_point():
    def measure(job, context):
        if job == 2:
            raise ValueError("broken\nin two lines")
        return job * 10

    found = measure_all([1, 2, 3], measure, describe=str)
    assert found.points == (10, 30)
    assert [(f.point, f.text) for f in found.failures] == [("2", "ValueError: broken in two lines")]
    assert not found.stopped


def test_nothing_but_broken_points_is_an_error():
    def measure(job, context):
        raise InputError("no such thing")

    with pytest.raises(InputError, match=r"No point could be measured.*no such thing"):
        measure_all([1, 2], measure, describe=str)


def test_stop_inside_a_point_ends_the_study():
    def measure(job, context):
        if job == 2:
            raise CancelledError("stopped")
        return job

    found = measure_all([1, 2, 3], measure, describe=str)
    assert found.points == (1,)
    assert found.stopped


def test_thirty_points_read_each_image_once(textures):
    """What makes the transfer curve quick; tests/benchmarks/bench_learning_curve.py times it."""
    news = []
    asked = {"seeds": range(5), "arms": ("transfer",), "epochs": 1, "batch_size": 8}
    curve = learning_curve(textures, n_per_class=(2, 4, 6, 8, 10, 12), on_event=news.append, **asked)
    assert len(curve.points) == 30
    with closing(sqlite3.connect(store_path())) as store:
        n_read = store.execute("SELECT count(*) FROM features").fetchone()[0]
    assert n_read == len(textures.train) + len(textures.test)  # validation images say nothing here: they are not read
    n_news = sum(event.phase == "features" for event in news)
    again = learning_curve(textures, n_per_class=(2, 4, 6, 8, 10, 12), on_event=news.append, **asked)
    assert sum(event.phase == "features" for event in news) == n_news
    assert [p.test_accuracy for p in again.points] == [p.test_accuracy for p in curve.points]


def test_sizes_double_up_to_half_and_end_with_all(textures):
    def sizes(n):
        asked = {"arms": ("transfer",), "seeds": (0,), "epochs": 1}
        return learning_curve(textures.take(n), **asked).n_per_class

    assert sizes(12) == (2, 4, 12)
    assert sizes(8) == (2, 4, 8)
    assert sizes(3) == (1, 3)
    assert sizes(1) == (1,)


def test_sizes_that_nobody_asked_for_end_with_two_hundred_images():
    digits = load_dataset("digits", image_size=32)  # 71 images and more of each of ten classes
    asked = {"arms": ("transfer",), "seeds": (0,), "epochs": 1}
    assert learning_curve(digits, **asked).n_per_class == (2, 4, 8, 20)
    assert learning_curve(digits, n_per_class=(30,), **asked).n_per_class == (30,)


def test_the_test_is_the_same_without_looking_at_the_validation_images(textures):
    config = Config(**FEW)
    for arm in ("scratch", "transfer"):
        runs = [train_arm(textures, config, arm, cache=RunCache(), validate=validate) for validate in (True, False)]
        assert runs[0].probabilities == runs[1].probabilities
        assert runs[0].history.accuracy == runs[1].history.accuracy
        assert len(runs[0].history.val_accuracy) == config.epochs
        assert runs[1].history.val_accuracy == runs[1].history.val_loss == ()


def test_a_run_without_validation_does_not_stand_for_one_with_it(textures):
    cache, config = RunCache(), Config(**FEW)
    train_arm(textures, config, "scratch", cache=cache, validate=False)
    assert train_arm(textures, config, "scratch", cache=cache).history.val_accuracy


def test_the_figure_shows_the_means(curve):
    ax = plot_learning_curve(curve)
    lines = {tuple(line.get_ydata()) for line in ax.lines}
    for arm in curve.arms:
        assert tuple(mean.mean for _, mean in curve.means(arm)) in lines
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["3", "6"]
    with pytest.raises(InputError, match="no point"):
        plot_learning_curve(replace(curve, points=()))


def test_seconds_include_the_reading_of_features(textures):
    comparison = compare(textures, **FEW)
    run = comparison.transfer
    run = replace(run, seconds=replace(run.seconds, prepare=2.0, saved=0.0), history=_history((0.1, 0.2), (0.5, 0.9)))
    scratch = replace(comparison.scratch, history=_history((3.0, 6.0), (0.4, 0.8)), seconds=Seconds())
    study = TimeStudy.of(replace(comparison, scratch=scratch, transfer=run))
    by_name = {one.name: one for one in study.curves}
    assert study.target == 0.8
    assert by_name["transfer"].time_to(0.8) == pytest.approx(2.2)
    assert by_name["scratch"].time_to(0.8) == 6.0
    assert by_name["scratch"].time_to(0.9) is None
    assert "In this run from scratch takes 2.7 times as long to 80.0%" in study.sentences[-1]
    assert TimeStudy.from_json(study.to_json()) == study
    ax = plot_time(study)
    assert any(np.allclose(line.get_xdata(), (2.1, 2.2)) for line in ax.lines if len(line.get_xdata()) == 2)


def _history(seconds, accuracies):
    zeros = (0.0,) * len(seconds)
    return History(zeros, zeros, zeros, accuracies, seconds)


def test_kept_features_do_not_hide_what_reading_them_took(textures, monkeypatch):
    clock = Clock()
    for module in (features, loop):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(features, "Stoppable", clock.steps_of(1))
    first, second = (compare(textures, **FEW).transfer for _ in range(2))
    assert second.seconds.saved > 0
    again = compare(textures, **FEW)
    curve = next(one for one in TimeStudy.of(again).curves if one.name == "transfer")
    n = len(textures.train) + len(textures.validation)
    assert first.seconds.prepare == 3 + 4  # batches of 16: 36 images for training, 60 for validation
    assert curve.reading == pytest.approx(again.transfer.seconds.saved * n / (n + len(textures.test)))
    assert curve.reading == pytest.approx(first.seconds.prepare, rel=0.1)


def test_a_target_that_is_no_accuracy_is_refused(textures):
    with pytest.raises(InputError, match="target"):
        time_study(textures, target=80)


def test_the_commands_write_figure_and_record(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small = ["faces", "--image-size", "32", "--images-per-class", "8", "--epochs", "2", "--quiet"]
    assert cli.main(["study", "data", *small, "--sizes", "2,4", "--seeds", "0,1", "--arms", "transfer,scratch"]) == 0
    assert "With 4 images per class" in capsys.readouterr().out
    curve = LearningCurve.from_json((tmp_path / "tl-widgets-data-faces.json").read_text())
    assert len(curve.points) == 8
    assert (tmp_path / "tl-widgets-data-faces.png").read_bytes()[:4] == b"\x89PNG"
    assert cli.main(["study", "time", *small, "--json", "time.json", "--figure", "time.svg"]) == 0
    assert TimeStudy.from_json((tmp_path / "time.json").read_text()).curves
    with pytest.raises(SystemExit) as end:
        cli.main(["study", "data", *small, "--sizes", "2,x"])
    assert end.value.code == 2
    assert "'2,x' is not a list of whole numbers" in capsys.readouterr().err


def test_a_model_that_cannot_be_measured_is_no_success(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def broken(dataset, config, name, **how):
        if name == "transfer":
            raise ValueError("its file is broken")
        return train_arm(dataset, config, name, **how)

    monkeypatch.setattr("tl_widgets.experiments.parallel.train_arm", broken)
    small = ["faces", "--image-size", "32", "--images-per-class", "4", "--epochs", "1", "--quiet"]
    assert cli.main(["study", "data", *small, "--sizes", "2", "--seeds", "0", "--arms", "transfer,scratch"]) == 2
    said = capsys.readouterr()
    assert "No point could be measured for the frozen backbone." in said.out
    assert "No point of transfer could be measured" in said.err
    found = LearningCurve.from_json((tmp_path / "tl-widgets-data-faces.json").read_text())
    assert [point.arm for point in found.points] == ["scratch"]
