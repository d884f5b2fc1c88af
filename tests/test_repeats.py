"""Repeats and fine-tuning as parts of compare: what a seed gives alone, statistics against SciPy, one broken seed."""

import json
import threading
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tl_widgets import Comparison, Config, FineTuningSpec, InputError, ScratchSpec, fine_tune
from tl_widgets.core.numbers import percent
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.experiments.comparison import RunCache, compare, compare_config
from tl_widgets.models.builders import build_scratch, build_transfer
from tl_widgets.plots.comparison import alt_text, plot_accuracy, plot_predictions, plot_test_accuracy
from tl_widgets.plots.labels import scores_of
from tl_widgets.records.codec import from_plain, to_plain
from tl_widgets.records.comparison import RunResult, Verdict
from tl_widgets.records.parameters import ParameterCount
from tl_widgets.records.repeats import Repeat, Repeats
from tl_widgets.records.verdict import judge_repeats
from tl_widgets.training.loop import train

pytestmark = pytest.mark.usefixtures("tiny_default")

TINY = ScratchSpec((4, 8), (3, 3), dense_units=8)
SMALL = {"scratch": TINY, "epochs": 2, "batch_size": 8}
TUNING = FineTuningSpec(n_blocks=1, epochs=2, learning_rate=1e-3)


@pytest.fixture(scope="module")
def textures():
    return load_dataset("textures", image_size=48, n_per_class=8)


@pytest.fixture(scope="module")
def repeated(textures, tmp_path_factory):
    """Three seeds of a comparison, and its events."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TL_WIDGETS_HOME", str(tmp_path_factory.mktemp("home")))
        events = []
        return compare(textures, **SMALL, seed=4, repeats=3, on_event=events.append), events


def made(scratch, transfer, *, n_test=90, **more):
    """Repeats with these accuracies."""
    columns = {name: more.get(name, [None] * len(scratch)) for name in ("control", "fine_tuned")}
    rows = zip(scratch, transfer, columns["control"], columns["fine_tuned"], strict=True)
    return Repeats(len(scratch), n_test, tuple(Repeat(seed, *row) for seed, row in enumerate(rows)))


TRANSFER = RunResult("transfer", ("a", "b"), ParameterCount(1, 1), backbone="Net", weights="imagenet")
FIRST = Verdict("One seed.")


# The experiment


def test_one_seed_is_what_the_builders_and_train_give(textures):
    """`compare` without the new arguments gives the numbers of its parts, made by hand."""
    result = compare(textures, **SMALL, seed=6)
    arguments = {"epochs": 2, "batch_size": 8, "seed": 6}
    shape, n = textures.image_shape, textures.n_classes
    scratch = build_scratch(shape, n, filters=(4, 8), kernel_sizes=(3, 3), dense_units=8, seed=6)
    for ours, model in ((result.scratch, scratch), (result.transfer, build_transfer(shape, n, seed=6))):
        alone = train(model, textures, **arguments)
        assert ours.probabilities == alone.probabilities
        assert ours.history.loss == alone.history.loss
    assert (result.repeats, result.fine_tuned, result.config.repeats) == (None, None, 1)


def test_each_repeat_is_the_comparison_of_its_seed(textures, repeated):
    result, _ = repeated
    assert result.repeats.seeds == (4, 5, 6)
    for point in result.repeats.points:
        alone = compare(textures, **SMALL, seed=point.seed)
        assert (point.scratch, point.transfer) == (alone.scratch.test_accuracy, alone.transfer.test_accuracy)
    assert len(set(result.repeats.accuracies("scratch"))) > 1, "the seeds must not all be the same"
    first = compare(textures, **SMALL, seed=4)
    assert first.scratch.probabilities == result.scratch.probabilities
    assert first.transfer.history.loss == result.transfer.history.loss


def test_features_are_read_once_for_all_seeds(repeated):
    _, events = repeated
    read = [event.n_done for event in events if event.phase == "features" and event.n_done == event.n_total]
    assert len(read) == 3, "training, validation and test images, once"
    assert not [event for event in events if event.phase == "study" and "features" in event.text]


def test_news_count_the_repeats_and_say_what_is_left(repeated):
    result, events = repeated
    study = [event for event in events if event.phase == "study"]
    assert [(event.text, event.n_done) for event in study] == [
        ("repeat 2 of 3", 1),
        ("repeat 3 of 3", 2),
        ("repeat 3 of 3", 3),
    ]
    assert all(event.n_total == 3 for event in study)
    assert study[0].seconds_left > 0
    assert study[-1].seconds_left == 0
    assert [event.model for event in events if event.phase == "done"] == ["transfer", "scratch", ""]
    assert not result.stopped


def test_where_all_other_seeds_fail_the_first_stands(textures, monkeypatch):
    def fails(*_):
        raise InputError("no")

    monkeypatch.setattr("tl_widgets.experiments.repeats._measure", fails)
    result = compare(textures, **SMALL, repeats=3)
    assert result.repeats.seeds == (0,)
    assert result.verdict.p_value is not None, "the verdict is that of one seed, over images"
    assert "one seed" in result.verdict.text


def test_stop_keeps_the_finished_seeds(textures):
    cancel = threading.Event()

    def stop(event):
        if event.phase == "study" and event.n_done == 2:
            cancel.set()

    result = compare(textures, **SMALL, repeats=5, on_event=stop, cancel=cancel)
    assert result.repeats.seeds == (0, 1)
    assert result.stopped
    assert result.is_whole
    assert "Stopped after 2 of 5 seeds" in result.verdict.text
    assert Comparison.from_json(result.to_json()) == result


def test_stop_in_the_first_seed_gives_what_there_is(textures):
    cancel = threading.Event()

    def stop(event):
        if event.phase == "train" and event.model == "transfer":
            cancel.set()

    result = compare(textures, **SMALL, repeats=3, on_event=stop, cancel=cancel)
    assert result.stopped
    assert not result.is_whole
    assert result.repeats is None


# Fine-tuning in a comparison


@pytest.fixture(scope="module")
def tuned(textures, tmp_path_factory):
    """All four models over two seeds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TL_WIDGETS_HOME", str(tmp_path_factory.mktemp("home")))
        return compare(textures, **SMALL, seed=4, control=True, fine_tuning=TUNING, repeats=2)


def test_fine_tuning_in_a_comparison_is_that_after_one(textures, tuned):
    first = compare(textures, **SMALL, seed=4)
    after = fine_tune(first, textures, n_blocks=1, epochs=2, learning_rate=1e-3)
    assert tuned.fine_tuned.probabilities == after.fine_tuned.probabilities
    assert tuned.fine_tuned.history.loss == after.fine_tuned.history.loss
    assert after.config == replace(first.config, fine_tuning=TUNING)
    assert after.verdict == compare(textures, **SMALL, seed=4, fine_tuning=TUNING).verdict
    assert [run.name for run in tuned.runs] == ["scratch", "transfer", "control", "fine_tuned"]


def test_every_seed_has_all_its_models(textures, tuned):
    second = compare(textures, **SMALL, seed=5, control=True, fine_tuning=TUNING)
    point = tuned.repeats.points[1]
    for name in ("scratch", "transfer", "control", "fine_tuned"):
        assert getattr(point, name) == getattr(second, name).test_accuracy
    assert "Fine-tuned, the backbone answers" in tuned.verdict.text
    assert "random weights reaches" in tuned.verdict.text
    assert Comparison.from_json(tuned.to_json()) == tuned


def test_a_cache_keeps_the_fine_tuned_model(textures):
    cache, events = RunCache(), []
    config = Config(**SMALL, fine_tuning=TUNING)
    first = compare_config(textures, config, cache=cache)
    again = compare_config(textures, config, cache=cache, on_event=events.append)
    assert again.fine_tuned is first.fine_tuned
    other = replace(config, fine_tuning=replace(TUNING, epochs=1))
    assert compare_config(textures, other, cache=cache).fine_tuned is not first.fine_tuned
    assert not [event for event in events if event.phase == "train"]


@pytest.mark.parametrize(
    ("backbone", "n_blocks", "said"),
    [("EfficientNetLite0", 16, "give 1 to 15"), ("InceptionV3", 1, "do not show its blocks")],
)
@pytest.mark.usefixtures("real_default")
def test_a_cut_that_cannot_be_is_refused_before_anything_is_trained(backbone, n_blocks, said):
    images = load_dataset("textures", image_size=80, n_per_class=2)
    events, tuning = [], FineTuningSpec(n_blocks=n_blocks)
    with pytest.raises(InputError, match=said):
        compare(images, backbone=backbone, weights=None, fine_tuning=tuning, on_event=events.append, **SMALL)
    assert not [event for event in events if event.phase in ("train", "features")]


# Statistics and words


def test_intervals_are_scipys_t_intervals():
    scratch, transfer = [0.81, 0.86, 0.79, 0.9], [0.93, 0.91, 0.95, 0.94]
    repeats = made(scratch, transfer)
    differences = np.subtract(transfer, scratch)
    for ours, values in (
        (repeats.mean("scratch"), scratch),
        (repeats.difference(), differences),
        (repeats.difference("scratch", "transfer"), -differences),
    ):
        assert ours.mean == pytest.approx(np.mean(values))
        low_high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
        np.testing.assert_allclose(ours.ci95, low_high, atol=1e-7)
    paired = stats.ttest_rel(transfer, scratch)
    assert (repeats.difference().ci95[0] > 0) == (paired.pvalue < 0.05)


@pytest.mark.parametrize(
    ("scratch", "transfer", "winner"),
    [
        ([0.7, 0.72, 0.68], [0.95, 0.94, 0.96], "transfer"),
        ([0.95, 0.94, 0.96], [0.7, 0.72, 0.68], "scratch"),
        ([0.9, 0.95, 0.8], [0.92, 0.88, 0.93], ""),
        ([0.9, 0.8], [0.95, 0.97], ""),  # two seeds seldom show anything
        ([1 / 3, 1 / 3, 1 / 3], [1.0, 1.0, 1.0], "transfer"),  # stuck at chance every time
        ([0.9, 0.9], [0.9 + 1 / 90, 0.9 + 1 / 90], ""),  # one image, twice: no spread is no proof
    ],
)
def test_a_winner_needs_a_clear_interval(scratch, transfer, winner):
    repeats = made(scratch, transfer)
    verdict = judge_repeats(repeats, FIRST, TRANSFER)
    assert verdict.winner == winner
    assert verdict.ci95 == repeats.difference().ci95
    assert verdict.accuracy_difference == pytest.approx(np.mean(transfer) - np.mean(scratch))
    assert ("too close to call" in verdict.text.lower()) == (not winner)
    assert f"ver {len(scratch)} seeds" in verdict.text
    assert "do not cover other images" in verdict.text
    assert ("12.7 standard errors" in verdict.text) == (len(scratch) == 2)


def test_intervals_stay_where_accuracies_can_be():
    repeats = made([0.2, 0.9], [0.99, 0.4])
    assert repeats.mean("scratch").ci95 == (0.0, 1.0)
    assert repeats.difference().ci95 == (-1.0, 1.0)


def test_the_sentences_on_control_and_fine_tuning_are_paired_over_seeds():
    clear = made([0.5] * 3, [0.8, 0.9, 0.85], control=[0.4, 0.51, 0.45], fine_tuned=[0.9, 0.99, 0.96])
    text = judge_repeats(clear, FIRST, TRANSFER).text
    assert "the pretraining itself is worth 39.7 points" in text
    assert "Fine-tuned, the backbone answers 95.0% on average: 10.0 points more than frozen" in text
    worse = made([0.5] * 3, [0.9, 0.99, 0.96], control=[0.9, 0.9, 0.99], fine_tuned=[0.8, 0.9, 0.85])
    text = judge_repeats(worse, FIRST, TRANSFER).text
    assert "no gain can be put down to the pretraining" in text
    assert "10.0 points fewer than frozen" in text
    unclear = made([0.5] * 3, [0.9, 0.99, 0.96], fine_tuned=[0.95, 0.94, 0.97])
    assert "too close to the frozen one to call" in judge_repeats(unclear, FIRST, TRANSFER).text


# Settings and records


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"repeats": 0}, "repeats must be 1 to 100"),
        ({"repeats": 2.5}, "repeats must be a whole number"),
        ({"repeats": 2, "seed": 2**31 - 1}, "choose a smaller seed"),
        ({"fine_tuning": 1}, "must be a FineTuningSpec"),
    ],
)
def test_settings_that_cannot_be_are_refused(values, said):
    with pytest.raises(InputError, match=said):
        Config(**values)


@pytest.mark.parametrize("values", [{"n_blocks": 0}, {"n_blocks": "1"}, {"epochs": 0}, {"learning_rate": 0}])
def test_a_second_stage_that_cannot_be_is_refused(values):
    with pytest.raises(InputError, match=next(iter(values))):
        FineTuningSpec(**values)


def test_records_from_before_still_load(repeated):
    result = replace(repeated[0], repeats=None, config=replace(repeated[0].config, repeats=1))
    record = json.loads(result.to_json())
    del record["repeats"], record["config"]["repeats"], record["config"]["fine_tuning"]
    assert Comparison.from_json(json.dumps(record)) == result
    config = to_plain(Config())
    del config["repeats"], config["fine_tuning"]
    assert from_plain(Config, config) == Config()
    with pytest.raises(InputError, match="unknown fields: more"):
        from_plain(Config, {**config, "more": 1})


def test_the_record_says_the_statistics(repeated):
    result, _ = repeated
    record = json.loads(result.to_json())["repeats"]
    assert [point["seed"] for point in record["points"]] == [4, 5, 6]
    assert record["means"]["transfer"]["mean"] == pytest.approx(result.repeats.mean("transfer").mean)
    assert record["difference"]["ci95"] == pytest.approx(result.verdict.ci95)


@pytest.mark.parametrize("change", [{"scratch": 1.5}, {"seed": 5}, {"transfer": "x"}])
def test_a_record_with_repeats_that_cannot_be_is_refused(repeated, change):
    record = json.loads(repeated[0].to_json())
    record["repeats"]["points"][0] |= change
    with pytest.raises(InputError, match="not a record"):
        Comparison.from_json(json.dumps(record))


# Figures


def test_figures_show_every_seed_as_a_dot(tuned):
    for ax in (plot_test_accuracy(tuned), plot_accuracy(tuned)):
        dots = {line.get_label(): line for line in ax.lines if str(line.get_label()).endswith("each seed")}
        assert len(dots) == 4
        along = 0 if "mean of 2 seeds" in ax.get_xlabel() else 1
        for name, line in zip(("scratch", "transfer", "control", "fine_tuned"), dots.values(), strict=True):
            assert tuple(line.get_data()[along]) == tuned.repeats.accuracies(name)
    assert plot_accuracy(tuned).get_title() == "Accuracy by epoch, seed 4"
    legend = [text.get_text() for text in plot_accuracy(tuned).get_legend().get_texts()]
    assert f"from scratch: mean test {percent(tuned.repeats.mean('scratch').mean)}" in legend
    words = alt_text(tuned, "test_accuracy")
    assert f"fine-tuned {percent(tuned.repeats.mean('fine_tuned').mean)} (mean of 2 seeds" in words


def test_figures_of_one_seed_are_as_before(repeated):
    one = replace(repeated[0], repeats=None)
    ax = plot_test_accuracy(one)
    assert not [line for line in ax.lines if str(line.get_label()).endswith("each seed")]
    assert ax.get_xlabel().startswith("accuracy with 95% interval")
    assert plot_accuracy(one).get_title() == "Accuracy by epoch"
    assert scores_of(one)["scratch"].interval == one.scratch.test_accuracy_ci95


def test_a_fine_tuned_curve_is_drawn_from_where_the_frozen_one_ends(tuned):
    ax = plot_accuracy(tuned)
    (line,) = [line for line in ax.lines if line.get_label() == "fine-tuned, validation"]
    assert list(line.get_xdata()) == [2, 3, 4]
    assert list(line.get_ydata()) == list(tuned.fine_tuned.history.val_accuracy[1:])
    assert line.get_ydata()[0] == tuned.transfer.history.val_accuracy[-1]


def test_predictions_show_the_fine_tuned_model_and_not_the_control(textures, tuned):
    figure = plot_predictions(tuned, textures.test.images, n=2)
    texts = [text.get_text() for ax in figure.axes for text in ax.texts]
    assert len(texts) == 6
    assert sum("fine-tuned" in text for text in texts) == 2
    assert not any("control" in text for text in texts)
    assert figure.get_suptitle().startswith("The 3 models")
