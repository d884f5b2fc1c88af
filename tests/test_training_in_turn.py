"""The race: models that train in turn give what each gives alone, and Stop, errors and seconds are those of each."""

import itertools
import threading
from dataclasses import replace

import numpy as np
import pytest
from helpers import Clock

from tl_widgets.core.config import Config, FineTuningSpec, ScratchSpec
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.experiments.comparison import RunCache, compare_config, train_arm
from tl_widgets.training import loop
from tl_widgets.training.fine_tuning import fine_tune

pytestmark = pytest.mark.usefixtures("tiny_default")

CONFIG = Config(
    scratch=ScratchSpec((4, 8), (3, 3), dense_units=8, dropout=0.3),
    head_dropout=0.4,
    augment=2,
    epochs=4,
    batch_size=8,
    learning_rate=3e-3,
    seed=3,
    control=True,
)
ARMS = ("transfer", "control", "scratch")  # the order of their turns


@pytest.fixture(scope="module")
def textures():
    return load_dataset("textures", image_size=48, n_per_class=8)


@pytest.fixture(scope="module")
def raced(textures, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TL_WIDGETS_HOME", str(tmp_path_factory.mktemp("home")))
        events = []
        return compare_config(textures, CONFIG, on_event=events.append), events


def numbers(run):
    """Everything of a run that a seed determines."""
    history = run.history
    return run.probabilities, history.loss, history.accuracy, history.val_loss, history.val_accuracy


def test_a_race_gives_bit_for_bit_what_each_model_gives_alone(textures, raced):
    result, _ = raced
    for name in ARMS:
        alone, run = train_arm(textures, CONFIG, name, cache=RunCache()), getattr(result, name)
        assert numbers(run) == numbers(alone), name
        for ours, theirs in zip(run.model.get_weights(), alone.model.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_fine_tuning_and_cached_models_change_no_number_of_a_race(textures, raced):
    result, _ = raced
    tuning = FineTuningSpec(n_blocks=1, epochs=2, learning_rate=1e-3)
    cache = RunCache()
    cached = train_arm(textures, CONFIG, "scratch", cache=cache)
    tuned = compare_config(textures, replace(CONFIG, fine_tuning=tuning), cache=cache)
    assert tuned.scratch is cached
    for name in ARMS:
        assert numbers(getattr(tuned, name)) == numbers(getattr(result, name)), name
    after = fine_tune(result, textures, n_blocks=1, epochs=2, learning_rate=1e-3)
    assert numbers(tuned.fine_tuned) == numbers(after.fine_tuned)


def test_features_come_first_then_epochs_in_turn_then_the_tests(raced):
    _, events = raced
    steps = [(event.phase, event.model) for event in events if event.phase in ("features", "train", "evaluate")]
    phases = [phase for phase, _ in itertools.groupby(steps, key=lambda step: step[0])]
    assert phases[:3] == ["features", "train", "evaluate"]
    assert "train" not in phases[3:]
    epochs = [(event.model, event.epoch) for event in events if event.phase == "train" and event.metrics]
    assert epochs == [(name, epoch) for epoch in range(1, CONFIG.epochs + 1) for name in ARMS]


def test_seconds_are_a_models_own_and_what_is_left_includes_the_others(textures, monkeypatch):
    slow, events, clock = 0.15, [], Clock()
    monkeypatch.setattr(loop, "time", clock)
    monkeypatch.setattr(loop, "Stoppable", clock.steps_of(0.001))

    def wait_for_scratch(event):
        events.append(event)
        clock.now += 0.01
        if event.phase == "train" and event.model == "scratch" and event.metrics:
            clock.now += slow

    started = clock.now
    result = compare_config(textures, CONFIG, on_event=wait_for_scratch)
    elapsed = clock.now - started
    pauses = slow * CONFIG.epochs
    assert result.scratch.seconds.train > pauses
    assert sum(run.seconds.total for run in result.runs) < elapsed
    for name in ARMS:
        run = getattr(result, name)
        assert list(run.history.seconds) == sorted(run.history.seconds)
        ends = [event for event in events if event.model == name and event.phase == "train" and event.metrics]
        assert [event.seconds for event in ends] == list(run.history.seconds)
        assert ends[-1].seconds_left == 0
        # Scratch waits after its epoch: until it has waited once, nobody can know; after three it has waited twice.
        assert ends[2].seconds_left > slow * 2 / 3
    assert result.transfer.history.seconds[-1] < result.scratch.history.seconds[-1] - pauses / 2
    transfer = next(event for event in events if event.model == "transfer" and event.metrics)
    assert transfer.seconds_left is None, "scratch has not begun"


@pytest.mark.parametrize("name", ["transfer", "scratch"])
def test_stop_during_an_epoch_keeps_the_epochs_of_every_model(textures, name):
    cancel = threading.Event()

    def stop(event):
        if event.phase == "train" and event.model == name and event.epoch == 2:
            cancel.set()

    result = compare_config(textures, CONFIG, on_event=stop, cancel=cancel)
    n_epochs = {run.name: len(run.history.loss) for run in result.runs}
    done = ARMS.index(name)  # those after it don't begin their second epoch
    assert n_epochs == {arm: 2 if i <= done else 1 for i, arm in enumerate(ARMS)}
    assert all(run.stopped and not run.labels and run.model is not None for run in result.runs)
    assert result.verdict.winner == ""


def test_stop_while_features_are_read_leaves_a_stopped_run_of_both_models(textures):
    cancel = threading.Event()
    result = compare_config(
        textures, CONFIG, on_event=lambda event: cancel.set() if event.phase == "features" else None, cancel=cancel
    )
    assert [(run.name, run.stopped, len(run.history.loss)) for run in result.runs] == [
        ("scratch", True, 0),
        ("transfer", True, 0),
    ]


def test_stop_between_two_tests_keeps_the_model_that_was_tested(textures, raced):
    cancel = threading.Event()

    def stop(event):
        if event.phase == "done" and event.model == "transfer":
            cancel.set()

    result = compare_config(textures, CONFIG, on_event=stop, cancel=cancel)
    assert numbers(result.transfer) == numbers(raced[0].transfer)
    assert result.scratch.stopped
    assert len(result.scratch.history.loss) == CONFIG.epochs


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
def test_an_error_in_one_model_ends_the_race_and_spoils_nothing(textures, raced, error):
    cache = RunCache()

    def fail(event):
        if event.phase == "train" and event.model == "scratch" and event.epoch == 2:
            raise error

    with pytest.raises(error):
        compare_config(textures, CONFIG, on_event=fail, cache=cache)
    assert not cache.runs
    again = compare_config(textures, CONFIG, cache=cache)
    for name in ARMS:
        assert numbers(getattr(again, name)) == numbers(getattr(raced[0], name)), name
