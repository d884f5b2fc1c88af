"""compare: fair, repeatable, stoppable, and never fooled by what an earlier comparison left."""

import threading

import numpy as np
import pytest

from tl_widgets.core.config import Config, ScratchSpec
from tl_widgets.core.errors import InputError, WeightsUnavailableError
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.experiments.comparison import RunCache, compare, retrain_transfer
from tl_widgets.records.comparison import Comparison

pytestmark = pytest.mark.usefixtures("tiny_default")

TINY = ScratchSpec((4, 8), (3, 3), dense_units=8)
SMALL = {"scratch": TINY, "epochs": 3, "batch_size": 8}


@pytest.fixture(scope="module")
def textures():
    return load_dataset("textures", image_size=48, n_per_class=8)


@pytest.mark.usefixtures("real_default")
def test_both_models_are_tested_on_the_same_images(textures):
    result = compare(textures, **SMALL)
    assert result.scratch.labels == result.transfer.labels == tuple(textures.test.labels.tolist())
    assert result.dataset.n_train == 24
    assert result.transfer.weights == "imagenet"
    assert len(result.transfer.weights_sha256) == 64
    assert result.verdict.accuracy_difference == pytest.approx(
        result.transfer.test_accuracy - result.scratch.test_accuracy
    )
    assert Comparison.from_json(result.to_json()) == result


def test_the_same_seed_gives_the_same_comparison(textures):
    first, again, other = (compare(textures, **SMALL, control=True, seed=seed) for seed in (4, 4, 5))
    for name in ("scratch", "transfer", "control"):
        assert getattr(first, name).probabilities == getattr(again, name).probabilities
        assert getattr(first, name).history.loss == getattr(again, name).history.loss
        assert getattr(first, name).history.loss != getattr(other, name).history.loss


def test_the_control_is_the_same_backbone_with_random_weights(textures):
    result = compare(textures, **SMALL, control=True)
    assert result.control.params == result.transfer.params
    assert (result.control.weights, result.control.weights_sha256) == ("random", "")
    assert "random weights" in result.verdict.text


def test_random_weights_are_called_random(textures):
    result = compare(textures, **SMALL, weights=None)
    assert result.transfer.weights == "random"
    assert "EfficientNetLite0 with random weights" in result.verdict.text


def test_a_cache_repeats_nothing_and_changes_nothing(textures):
    cache, events = RunCache(), []
    first = compare(textures, **SMALL, cache=cache)
    again = compare(textures, **SMALL, cache=cache, on_event=events.append)
    assert again.scratch is first.scratch
    assert not [event for event in events if event.phase in ("features", "train")]
    other = compare(textures, **SMALL, head_dropout=0.5, cache=cache, on_event=events.append)
    assert other.scratch is first.scratch
    assert other.transfer.history != first.transfer.history
    assert {event.model for event in events if event.phase == "train"} == {"transfer"}
    fresh = compare(textures, **SMALL, head_dropout=0.5)
    assert fresh.transfer.probabilities == other.transfer.probabilities


def test_a_backbone_that_somebody_changed_is_not_used_again(textures):
    cache = RunCache()
    first = compare(textures, **SMALL, cache=cache)
    backbone = next(layer for layer in first.transfer.model.layers if "efficientnet" in layer.name)
    backbone.set_weights([np.zeros_like(weight) for weight in backbone.get_weights()])
    spoiled = retrain_transfer(textures, Config(**SMALL, seed=1), cache=cache)
    assert spoiled.history.loss == compare(textures, **SMALL, seed=1).transfer.history.loss
    first.transfer.model.trainable = True
    assert compare(textures, **SMALL, seed=2, cache=cache).transfer.params.trainable == 64 * 3 + 3


@pytest.mark.parametrize("phase", ["load", "train", "features", "evaluate"])
def test_stop_in_every_phase_gives_what_there_is(textures, phase):
    cancel = threading.Event()

    def stop(event):
        if event.phase == phase:
            cancel.set()

    result = compare(textures, **{**SMALL, "epochs": 50}, on_event=stop, cancel=cancel)
    assert result.stopped
    assert result.verdict.winner == ""
    assert result.verdict.accuracy_difference is None
    assert Comparison.from_json(result.to_json()) == result


def test_missing_weights_are_said_before_anything_is_trained(textures):
    events = []
    with pytest.raises(WeightsUnavailableError, match="EfficientNetLite0"):
        compare(textures, backbone="VGG16", on_event=events.append, **SMALL)
    assert not [event for event in events if event.phase == "train"]


def test_images_below_the_backbones_minimum_are_refused(textures):
    with pytest.raises(InputError, match="at least 71 pixels; these have"):
        compare(textures, backbone="Xception", weights=None, **SMALL)


def test_too_little_memory_is_said_before_anything_is_trained(textures, monkeypatch):
    monkeypatch.setattr("tl_widgets.core.resources.memory_available", lambda: 1_000_000)
    with pytest.raises(InputError, match="memory"):
        compare(textures, **SMALL)
