"""The "cures" study: each point against a comparison by hand, early stopping against Keras's own."""

import threading
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from helpers import answers_of

from tl_widgets.core.config import Config, ScratchSpec
from tl_widgets.core.errors import InputError
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.experiments.comparison import RunCache, train_arm
from tl_widgets.studies.cures.figure import plot_cures
from tl_widgets.studies.cures.measurement import overfitting_cures, stopping_epoch
from tl_widgets.studies.cures.result import ALL, CurePoint, OverfittingCures
from tl_widgets.studies.registry import STUDIES

pytestmark = pytest.mark.usefixtures("tiny_default")
RECORD = Path(__file__).parent / "data" / "records" / "cures.json"


@pytest.mark.parametrize("seed", range(5))
def test_early_stopping_goes_back_to_the_epoch_that_keras_goes_back_to(seed):
    losses = np.abs(np.linspace(1, -0.5, 20)) + np.random.default_rng(seed).uniform(0, 0.4, 20)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    stop = keras.callbacks.EarlyStopping("val_loss", patience=5, restore_best_weights=True)
    stop.set_model(model)
    model.stop_training = False  # as fit does
    stop.on_train_begin()
    for epoch, loss in enumerate(losses):
        stop.on_epoch_end(epoch, {"val_loss": loss})
        if model.stop_training:
            break
    assert stopping_epoch(losses, 5) == stop.best_epoch + 1


def test_points_are_what_training_by_hand_gives():
    dataset, points = load_dataset("textures", image_size=32), []
    how = {"few": 3, "seeds": (4,), "epochs": 3}
    study = overfitting_cures(dataset, **how, on_event=lambda e: e.point and points.append(e.point))
    assert tuple(points) == study.points
    assert set(study.measured) == set(ALL)
    few, config = dataset.take(3, seed=4), Config(epochs=3, seed=4)
    by_hand = {
        "nothing": (few, config, "scratch"),
        "more images": (dataset.take(12, seed=4), config, "scratch"),
        "dropout": (few, replace(config, scratch=ScratchSpec(dropout=0.5)), "scratch"),
        "transfer": (few, config, "transfer"),
    }
    for cure, (images, settings, arm) in by_hand.items():
        run = train_arm(images, settings, arm, cache=RunCache())
        (point,) = study.of(cure)
        assert point.test_accuracy == run.test_accuracy
        answers = answers_of(run.model, images.train.images[:]).argmax(axis=1)
        assert point.train_accuracy == (answers == images.train.labels).mean()
        assert (point.n_images, point.n_params) == (len(images.train), run.params.trainable)
        if cure == "nothing":
            (early,) = study.of("early stopping")
            assert early.epochs == stopping_epoch(run.history.val_loss)
    assert study.of("fewer parameters")[0].n_params < study.of("nothing")[0].n_params / 5
    assert OverfittingCures.from_json(study.to_json()) == study
    assert "luck" in " ".join(study.sentences)
    cancel = threading.Event()
    stopped = overfitting_cures(dataset, **how, on_event=lambda e: e.point and cancel.set(), cancel=cancel)
    assert (stopped.stopped, stopped.points) == (True, study.of("nothing"))
    assert "Predicted" not in " ".join(stopped.sentences)
    with pytest.raises(InputError, match="few must be 1 to 50"):
        overfitting_cures(dataset, few=60)


def made_up(**means):
    """A study with these mean test accuracies; the seeds move all cures alike, and a little by themselves."""
    study = OverfittingCures.from_json(RECORD.read_text())
    points = [
        CurePoint(cure, seed, 30, 1000, 30, 1.0, means.get(cure.replace(" ", "_"), 0.5) + shift + own * (k % 3))
        for k, cure in enumerate(ALL)
        for seed, shift, own in ((0, 0.0, 0.0), (1, 0.05, 0.003), (2, -0.04, 0.001))
    ]
    return replace(study, seeds=(0, 1, 2), points=tuple(points), failures=(), stopped=False)


@pytest.mark.parametrize(
    ("means", "ends"),
    [
        ({"transfer": 0.9, "augmentation": 0.7}, ("It held: +", "It held: +")),
        ({"transfer": 0.6, "more_images": 0.8, "dropout": 0.7}, ("It failed: −", "It failed: −")),
        ({"transfer": 0.8, "more_images": 0.8}, ("can't tell: ", "can't tell: ")),
    ],
)
def test_predictions_are_judged_by_pairs_of_the_same_seed(means, ends):
    study = made_up(**means)
    assert ends[0] in study.sentences[-1]
    assert ends[1] in study.sentences[-2]
    best = max(means, key=lambda cure: means[cure])
    assert study.difference(best.replace("_", " ")).mean == pytest.approx(means[best] - 0.5, abs=0.01)
    if "held" in ends[0]:
        assert study.headline.startswith("Transfer (+40.")
        # The seeds alone differ by 9 points; in pairs, the interval is narrower.
        low, high = study.difference("transfer").ci95
        assert high - low < 0.03


def test_transfer_must_lead_each_cure_to_hold():
    study = made_up(transfer=0.9, augmentation=0.7, dropout=0.68)
    shifts = {0: 0.3, 1: -0.3, 2: 0.0}  # the mean stays below augmentation's, but it depends on the seed
    points = [
        replace(p, test_accuracy=min(p.test_accuracy + shifts[p.seed], 1.0)) if p.cure == "dropout" else p
        for p in study.points
    ]
    uneven = replace(study, points=tuple(points))
    assert "It held: +" in study.sentences[-1]
    assert "can't tell: +" in uneven.sentences[-1]


@pytest.mark.parametrize("narrow", [False, True])
def test_the_figure_shows_both_accuracies_and_the_gain_of_each_cure(narrow):
    study = OverfittingCures.from_json(RECORD.read_text())
    ax = plot_cures(study, narrow=narrow)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert [label.partition("\n")[0] for label in labels] == list(study.measured)
    values = [container.lines[0].get_xdata()[0] for container in ax.containers]
    expected = [study.mean(cure, training=training).mean for cure in study.measured for training in (True, False)]
    assert values == expected
    gains = [label for label in labels if "\n" in label] if narrow else ax.texts
    assert len(gains) == len(study.ranking) > 0
    assert all(sentence in STUDIES["cures"].text(study) for sentence in study.sentences)
