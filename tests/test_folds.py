"""Cross-validation: the splits are scikit-learn's, every image is tested once, and what is said of it."""

import json
import re
import threading
from dataclasses import replace

import numpy as np
import pytest
from helpers import own_dataset, page
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from tl_widgets import Comparison, Config, FineTuningSpec, InputError, ScratchSpec, fine_tune, to_report, to_script
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.data.folds import answered_images, divide, pool, pooled_images
from tl_widgets.experiments.comparison import RunCache, compare, compare_config
from tl_widgets.plots.comparison import alt_text, plot_accuracy, plot_comparison, plot_predictions, plot_test_accuracy
from tl_widgets.records.statistics import wilson_interval
from tl_widgets.training.features import FrozenPart

pytestmark = pytest.mark.usefixtures("tiny_default")

TINY = ScratchSpec((4, 8), (3, 3), dense_units=8)
SMALL = {"scratch": TINY, "epochs": 2, "batch_size": 8}


@pytest.fixture(scope="module")
def textures():
    return load_dataset("textures", image_size=32, n_per_class=8)


@pytest.fixture(scope="module")
def folded(textures, tmp_path_factory):
    """Three folds of a comparison, and its events."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TL_WIDGETS_HOME", str(tmp_path_factory.mktemp("home")))
        events = []
        return compare(textures, **SMALL, seed=4, folds=3, control=True, on_event=events.append), events


# Splits


def test_the_folds_are_scikit_learns(textures, folded):
    result, _ = folded
    pooled = pool(textures)
    expected = StratifiedKFold(3, shuffle=True, random_state=4).split(pooled.labels, pooled.labels)
    for fold, (_, tested) in zip(result.folds.points, expected, strict=True):
        assert fold.rows == tuple(tested)
    assert result.folds.rows.tolist() == list(range(len(pooled)))
    assert result.transfer.labels == tuple(pooled.labels.tolist())
    np.testing.assert_array_equal(pooled.images[:24], textures.train.images)
    np.testing.assert_array_equal(pooled_images(textures)[-5:], textures.test.images[-5:])


def test_no_image_is_on_both_sides_of_a_fold(textures):
    pooled = pool(textures)
    for rows in divide(pooled, textures.class_names, 5, 0):
        parts = [rows.train, rows.validation, rows.test]
        assert sorted(np.concatenate(parts).tolist()) == list(range(len(pooled)))
        n_rest = len(rows.train) + len(rows.validation)
        assert len(rows.validation) == pytest.approx(n_rest / 5, abs=2)
        for part in parts:
            assert set(pooled.labels[part].tolist()) == {0, 1, 2}


def test_groups_stay_in_one_fold(textures):
    rng = np.random.default_rng(0)
    plain = pool(textures)
    pooled = replace(plain, groups=rng.integers(0, 40, len(plain)))
    expected = StratifiedGroupKFold(4, shuffle=True, random_state=1).split(plain.labels, plain.labels, pooled.groups)
    for rows, (_, tested) in zip(divide(pooled, textures.class_names, 4, 1), expected, strict=True):
        assert rows.test.tolist() == tested.tolist()
        sides = [set(pooled.groups[part].tolist()) for part in (rows.train, rows.validation, rows.test)]
        assert len(set.union(*sides)) == sum(map(len, sides))


@pytest.mark.usefixtures("real_default")
@pytest.mark.slow
def test_accuracies_are_close_to_those_of_scikit_learns_logistic_regression():
    """The same features, the same folds, and a head by another program."""
    dataset = load_dataset("faces", image_size=48)
    least = ScratchSpec((2,), (3,), head="global_average", dense_units=0)  # only the other model is compared
    result = compare(dataset, folds=5, seed=1, epochs=30, scratch=least)
    frozen = FrozenPart.of(result.transfer.model)
    pooled = pool(dataset)
    features = frozen.read(pooled).values
    by_fold = []
    for train, test in StratifiedKFold(5, shuffle=True, random_state=1).split(features, pooled.labels):
        theirs = LogisticRegression(max_iter=1000).fit(features[train], pooled.labels[train])
        by_fold.append(theirs.score(features[test], pooled.labels[test]))
    ours = result.fold_accuracies("transfer")
    assert np.mean(ours) == pytest.approx(np.mean(by_fold), abs=0.04)
    np.testing.assert_allclose(ours, by_fold, atol=0.11)  # 40 images in a fold


# What a fold is


def test_each_fold_is_the_comparison_of_its_split(textures, folded):
    result, _ = folded
    pooled = pool(textures)
    for fold, rows in zip(result.folds.points, divide(pooled, textures.class_names, 3, 4), strict=True):
        train, validation, test = (
            replace(textures.train, images=pooled.images[part], labels=pooled.labels[part])
            for part in (rows.train, rows.validation, rows.test)
        )
        alone = compare(replace(textures, train=train, validation=validation, test=test), **SMALL, seed=4)
        for ours, theirs in ((result.scratch, alone.scratch), (result.transfer, alone.transfer)):
            assert tuple(ours.probabilities[row] for row in fold.rows) == theirs.probabilities
            assert result.fold_accuracies(ours.name)[fold.number - 1] == theirs.test_accuracy
        assert (fold.n_train, fold.n_validation) == (len(train), len(validation))


def test_the_answers_are_pooled_and_the_curves_are_means(folded):
    result, _ = folded
    for run in result.runs:
        accuracies, sizes = result.fold_accuracies(run.name), [len(fold.rows) for fold in result.folds.points]
        assert run.test_accuracy == pytest.approx(np.average(accuracies, weights=sizes))
        assert run.test_accuracy_ci95 == wilson_interval(run.n_right, len(run.labels))
        assert len(run.history.loss) == 2
    assert result.folds.seconds == pytest.approx(sum(run.seconds.total for run in result.runs))
    assert len({*result.fold_accuracies("scratch")}) > 1


def test_features_are_computed_once_for_all_folds(textures, folded):
    result, events = folded
    for name in ("transfer", "control"):
        read = [event.n_done for event in events if event.phase == "features" and event.model == name]
        assert read, name
        n_all = len(result.folds.rows)
        # The first fold reads its three parts; later folds find everything.
        ends = [event.n_total for event in events if event.phase == "features" and event.model == name
                and event.n_done == event.n_total]  # fmt: skip
        assert sum(ends) == n_all, name
    assert not [event for event in events if event.phase == "study" and "features" in event.text]


def test_progress_counts_the_folds(folded):
    _, events = folded
    study = [event for event in events if event.phase == "study"]
    assert [(event.text, event.n_done) for event in study] == [
        ("fold 2 of 3", 1),
        ("fold 3 of 3", 2),
        ("fold 3 of 3", 3),
    ]
    assert study[-1].seconds_left == 0


def test_the_verdict_pairs_all_images_and_says_what_folds_are(folded):
    result, _ = folded
    assert f"of the {len(result.folds.rows)} test images" in result.verdict.text
    assert "Each image was tested once, in 3 folds" in result.verdict.text
    assert "aren't independent" in result.verdict.text
    assert result.verdict.p_value is not None


# Stop, failures, settings


def test_stop_keeps_the_finished_folds(textures):
    cancel = threading.Event()

    def stop(event):
        if event.phase == "study" and event.n_done == 2:
            cancel.set()

    result = compare(textures, **SMALL, folds=5, on_event=stop, cancel=cancel)
    assert result.stopped
    assert result.is_whole
    assert [fold.number for fold in result.folds.points] == [1, 2]
    assert len(result.transfer.labels) == len(result.folds.rows) < len(pool(textures))
    assert "Stopped after 2 of 5 folds" in result.verdict.text
    assert Comparison.from_json(result.to_json()) == result
    images = answered_images(result, textures)
    assert len(images) == len(result.folds.rows)
    np.testing.assert_array_equal(images[0], pool(textures).images[result.folds.rows[0]])
    plot_predictions(result, images)
    assert "of them tested once in 2 folds" in plot_comparison(result)._supxlabel.get_text()


def test_stop_in_the_first_fold_gives_what_there_is(textures):
    cancel = threading.Event()

    def stop(event):
        if event.phase == "train" and event.model == "transfer":
            cancel.set()

    result = compare(textures, **SMALL, folds=3, on_event=stop, cancel=cancel)
    assert result.stopped
    assert not result.is_whole
    assert result.folds is None


def test_a_fold_that_fails_costs_only_itself(textures, monkeypatch):
    from tl_widgets.experiments import folds

    real = folds._measure

    def fails(dataset, pooled, rows, config, i, context):
        if i == 1:
            raise ValueError("no luck")
        return real(dataset, pooled, rows, config, i, context)

    monkeypatch.setattr(folds, "_measure", fails)
    result = compare(textures, **SMALL, folds=3)
    assert [fold.number for fold in result.folds.points] == [1, 3]
    assert "fold 2: ValueError: no luck" in result.verdict.text
    assert [failure.text for failure in result.failures] == ["fold 2: ValueError: no luck"]
    assert len(result.scratch.labels) == len(result.folds.rows)


def test_folds_and_repeats_are_one_or_the_other():
    with pytest.raises(InputError, match="can't be combined"):
        Config(folds=2, repeats=2)
    with pytest.raises(InputError, match="folds must be 1 to 20 folds"):
        Config(folds=0)


def test_a_class_with_too_few_images_is_named():
    dataset = own_dataset(n=2)  # 2 + 4 + 8 images of each class
    with pytest.raises(InputError, match="has 14\\. Use at most 14 folds"):
        compare(dataset, folds=15, **SMALL)
    few = replace(dataset.train, images=dataset.train.images[:3], labels=dataset.train.labels[:3])
    tiny = replace(dataset, train=few, validation=few, test=few)
    with pytest.raises(InputError, match="2 folds need at least 4 images of each class, but 'dogs & co' has 3"):
        compare(tiny, folds=2, **SMALL)


def test_the_cache_keeps_other_settings_apart(textures):
    cache = RunCache()
    one = compare_config(textures, Config(**SMALL), cache=cache)
    folds = compare_config(textures, Config(**SMALL, folds=2), cache=cache)
    assert len(folds.scratch.labels) > len(one.scratch.labels)
    assert compare_config(textures, Config(**SMALL), cache=cache).scratch is one.scratch


def test_fine_tuning_is_part_of_each_fold_but_cannot_follow(textures, folded):
    tuning = FineTuningSpec(n_blocks=1, epochs=1)
    result = compare(textures, **SMALL, folds=2, fine_tuning=tuning)
    assert result.fine_tuned.labels == result.transfer.labels
    assert "Fine-tuned, the backbone answers" in result.verdict.text
    assert result.fine_tuned.fine_tuning.start == 2
    with pytest.raises(InputError, match="cross-validated"):
        fine_tune(folded[0], textures)


# Records and figures


def test_the_record_has_the_accuracies_of_all_folds(folded):
    result, _ = folded
    record = json.loads(result.to_json())
    assert record["folds"]["accuracies"]["transfer"] == list(result.fold_accuracies("transfer"))
    assert [fold["number"] for fold in record["folds"]["points"]] == [1, 2, 3]
    assert Comparison.from_json(result.to_json()) == result
    del record["folds"]["accuracies"]  # they are for other programs
    assert Comparison.from_json(json.dumps(record)) == result


def test_records_from_before_still_load(textures):
    result = compare(textures, **SMALL)
    record = json.loads(result.to_json())
    del record["folds"], record["config"]["folds"]
    assert Comparison.from_json(json.dumps(record)) == result


@pytest.mark.parametrize("change", [{"rows": []}, {"rows": [0, 0]}, {"rows": [100_000]}, {"n_train": -1}])
def test_a_record_with_folds_that_cannot_be_is_refused(folded, change):
    record = json.loads(folded[0].to_json())
    record["folds"]["points"][0] |= change
    with pytest.raises(InputError, match="not a record"):
        Comparison.from_json(json.dumps(record))


def test_figures_show_every_fold_as_a_dot(folded):
    result, _ = folded
    ax = plot_test_accuracy(result)
    dots = {line.get_label(): line for line in ax.lines if str(line.get_label()).endswith("each fold")}
    assert len(dots) == 3
    assert tuple(dots["from scratch, each fold"].get_xdata()) == result.fold_accuracies("scratch")
    assert "accuracy over 3 folds" in ax.get_xlabel()
    assert plot_accuracy(result).get_title() == "Accuracy by epoch, 3 folds"
    assert "(3 folds, 95% interval" in alt_text(result, "test_accuracy")
    n = len(result.folds.rows)
    assert f"textures: {n} images, each tested once in 3 folds" in plot_comparison(result)._supxlabel.get_text()


def test_report_and_script_say_it(textures, folded):
    result, _ = folded
    report = to_report(result, dataset=textures)
    assert "Test accuracy fold by fold" in report
    assert "All (95% interval over images)" in report
    assert "by models that had not been trained on it" in report
    assert "The models are those of the first fold." in report
    script = to_script(result)
    assert "cross-validated with 3 folds" in script
    compile(script, "script", "exec")


# Terminal and Lab


def test_the_terminal_prints_the_folds(here, capsys):
    from tl_widgets.cli.main import main

    words = ["--image-size", "32", "--images-per-class", "8", "--epochs", "1", "--folds", "2", "--jobs", "1"]
    assert main(["compare", "textures", *words, "--json", "run.json", "--report", "run.html"]) == 0
    printed = capsys.readouterr().out
    result = Comparison.from_json((here / "run.json").read_text())
    assert result.config.folds == 2
    assert "each tested once in 2 folds" in printed
    assert "transfer, fold by fold: " in printed
    assert re.search(r"seconds,\n.* 2 folds\n", printed), "the title of the column"
    assert main(["compare", "textures", "--folds", "2", "--repeats", "2"]) == 2


def test_the_lab_shows_the_folds(make_lab):
    from tl_widgets.widgets import LabSettings

    settings = LabSettings(image_size=32, n_per_class=4, config=Config(**SMALL, folds=3))
    lab = make_lab(settings=settings)
    lines = "".join(line.value for line in lab.panel._lines.values())
    assert "each tested once in 3 folds" in lines
    assert lab.panel.control("folds").value == 3
    lab.panel.control("repeats").value = 2
    assert "choose one of them" in lab.panel.problem.value
    lab.settings = settings
    result = lab.run(wait=True).result
    assert len(result.folds.points) == 3
    shown = page(lab)
    assert "3 folds, seed 0" in shown
    assert "3 folds, 95% interval" in shown
    assert "means over the folds" in shown
    assert f"{result.transfer.n_right} of {len(result.folds.rows)} right" in shown
    n = len(result.folds.rows)
    assert f"{n} test images;" in page(lab.screen.predictions)
    lab.screen._look_at(n - 1)  # an image of the original test split
    assert f"Test image {n}" in page(lab.screen.predictions)
