"""The "opponent" study: a toy search with a known winner, and plain Keras's training of what was chosen."""

import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from tl_widgets.core.config import Config
from tl_widgets.core.errors import InputError
from tl_widgets.core.model_name import ModelName
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.models.builders import scratch_model
from tl_widgets.records.statistics import pair_answers
from tl_widgets.studies.opponent.figure import plot_tuned_opponent
from tl_widgets.studies.opponent.measurement import tuned_opponent
from tl_widgets.studies.opponent.result import FinalModel, TunedOpponent
from tl_widgets.studies.opponent.search import Halving, epochs_of, propose, score_of
from tl_widgets.studies.registry import STUDIES
from tl_widgets.training.learners import batches, with_augmented
from tl_widgets.training.loop import Training

pytestmark = pytest.mark.usefixtures("tiny_default")
RECORD = Path(__file__).parent / "data" / "records" / "opponent.json"


def searched(halving, accuracy):
    """Run a search whose trials reach `accuracy(trial, passes)`; return how long each trained."""
    trained = Counter()
    for rung, (n_trials, passes) in enumerate(halving.rungs):
        for place in range(n_trials):
            trial = halving.trial(rung, place)
            halving.add(rung, trial, score_of(accuracy(trial, passes), 0.0))
            trained[trial] = passes
    return trained


def test_halving_finds_the_known_winner_of_a_toy_search_and_stops_the_others_early():
    best = (3, 7, 1, 6, 0, 2, 5, 4)  # from best to worst
    quality = {trial: 0.9 - 0.1 * place for place, trial in enumerate(best)}
    halving = Halving(8, 24)
    trained = searched(halving, lambda trial, passes: quality[trial] * (1 - 0.5**passes))
    assert [trained[trial] for trial in best] == [24, 24, 12, 12, 6, 6, 6, 6]
    assert halving.trials(2) == best[:2]
    assert halving.passes == sum(trained.values())
    # What starts slowly is lost: the price of stopping early.
    late = searched(Halving(8, 24), lambda trial, passes: 1.0 if trial == 4 and passes > 6 else quality[trial])
    assert late[4] == 6
    # A trial that failed or diverged is never among the better half.
    halving = Halving(4, 8)
    halving.add(0, 2, score_of(0.2, 0.0))
    halving.add(0, 1, score_of(float("nan"), float("nan")))
    assert halving.trials(1) == (2, 1)
    halving = Halving(4, 8)
    halving.add(0, 2, score_of(0.2, 0.0))
    with pytest.raises(InputError, match="too few trials"):
        halving.trial(1, 1)


def test_more_trials_begin_with_those_of_a_smaller_budget_and_none_has_more_passes():
    config = Config(seed=3)
    for arm in (ModelName.SCRATCH, ModelName.TRANSFER):
        few, many = (propose(arm, n, 24, config) for n in (4, 60))
        assert many[:4] == few
        assert all(trial.epochs * (1 + trial.augment) <= 24 for trial in many)
        assert propose(arm, 4, 24, Config(seed=4)) != few
    scratch = propose(ModelName.SCRATCH, 60, 24, config)
    assert {len(trial.scratch.filters) for trial in scratch} == {2, 3, 4}
    assert {trial.augment for trial in scratch} == {0, 1, 3}
    assert all(1e-4 <= trial.learning_rate <= 1e-2 for trial in scratch)
    transfer = propose(ModelName.TRANSFER, 60, 24, config)
    assert {trial.augment for trial in transfer} == {0}  # their features would have to be computed
    assert max(trial.learning_rate for trial in transfer) > 1e-2
    assert epochs_of(Config(augment=3), 3) == 1


@pytest.fixture(scope="module")
def textures():
    return load_dataset("textures", image_size=32, n_per_class=6)


def test_the_chosen_network_is_the_one_that_plain_keras_trains_and_only_it_and_the_default_are_tested(
    textures, monkeypatch
):
    tested, points, evaluate = [], [], Training._evaluate
    monkeypatch.setattr(
        Training, "_evaluate", lambda self, learner: (tested.append(self.name), evaluate(self, learner))
    )
    study = tuned_opponent(textures, budget=3, passes=8, on_event=lambda e: e.point and points.append(e.point))
    assert len(points) == len(study.points) + len(study.tested)
    assert Counter(tested) == {"scratch": 2, "transfer": 2}
    for arm in ("scratch", "transfer"):
        best, chosen = study.best(arm), study.model(arm, tuned=True)
        assert (chosen.trial, chosen.config.epochs) == (best.trial, best.best_epoch)
        assert study.spent(arm)[0] <= Halving(3, 8).passes + study.config.epochs
    # Anything but the default: plain Keras with the same weights, images and order.
    config = study.model("scratch", tuned=True).config
    model = scratch_model(textures.image_shape, 3, config.scratch, seed=0)
    model.compile(keras.optimizers.Adam(config.learning_rate), "sparse_categorical_crossentropy")
    split = with_augmented(textures.train, config.augment, seed=0)
    for epoch in range(config.epochs):
        for rows in batches(len(split), config.batch_size, seed=0, epoch=epoch):
            model.train_on_batch(split.images[rows].astype(np.float32), split.labels[rows])

    def right(part):
        return model.predict(part.images.astype(np.float32), verbose=0).argmax(axis=1) == part.labels

    assert study.best("scratch").val_accuracy == pytest.approx(right(textures.validation).mean(), abs=0.02)
    assert np.mean(right(textures.test) == np.array(study.model("scratch", tuned=True).right)) > 0.97
    assert TunedOpponent.from_json(study.to_json()) == study


def test_stop_keeps_what_was_measured(textures):
    cancel = threading.Event()
    stop = lambda event: event.n_done == 2 and event.phase == "study" and cancel.set()  # noqa: E731
    study = tuned_opponent(textures, budget=2, passes=4, on_event=stop, cancel=cancel)
    assert study.stopped
    assert [(point.arm, point.trial) for point in study.points] == [("transfer", 0), ("transfer", 1)]
    assert "Predicted" not in " ".join(study.sentences)
    assert study.headline.startswith("Stopped")


@pytest.mark.parametrize(
    ("tuned", "end"),
    [(0.9, "It held: +20.0"), (0.5, "It failed: −20.0"), (0.7, "can't tell: +0.0")],
    ids=["held", "failed", "unclear"],
)
def test_the_prediction_is_about_half_of_the_gap(tuned, end):
    study, n = TunedOpponent.from_json(RECORD.read_text()), 90

    def model(arm, share, is_tuned):
        return FinalModel(arm, 0, is_tuned, study.config, tuple((np.arange(n) < share * n).tolist()))

    tested = (
        model("scratch", 0.5, False),
        model("transfer", 0.9, False),
        model("scratch", tuned, True),
        model("transfer", 0.9, True),
    )
    made_up = replace(study, tested=tested, failures=(), stopped=False)
    end = end.replace(": ", ": half of the gap minus what remains of it is ")
    assert f"{end} points (95% interval " in made_up.sentences[-1]
    lead = made_up.lead(tuned=True)
    assert lead == pair_answers(np.arange(n) < 0.9 * n, np.arange(n) < tuned * n)
    assert "from 50.0% to" in made_up.headline
    level = replace(made_up, tested=(model("scratch", 0.9, False), *tested[1:]))
    assert level.held is None  # there was no gap


@pytest.mark.parametrize("narrow", [False, True])
def test_the_figure_shows_the_search_and_both_tests(narrow):
    study = TunedOpponent.from_json(RECORD.read_text())
    search, tests = plot_tuned_opponent(study, narrow=narrow).axes
    lines = [line for line in search.lines if len(line.get_xdata()) > 1]
    assert [line.get_ydata()[-1] for line in lines] == [study.best(arm).val_accuracy for arm in ("scratch", "transfer")]
    expected = [study.model("transfer", tuned=tuned).accuracy for tuned in (False, True)]
    assert tests.containers[1].lines[0].get_ydata().tolist() == expected
    assert "points" in tests.get_xticklabels()[1].get_text()
    trials = {(row[0], row[1].split(",")[0]) for row in study.rows[1:]}
    assert len(trials) == len(study.trials)
    assert sum("chosen" in row[1] for row in study.rows) == 2
    assert any("one search with one seed (" in sentence for sentence in study.sentences)
    assert all(sentence in STUDIES["opponent"].text(study) for sentence in study.sentences)
