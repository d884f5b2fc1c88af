"""Seconds before the press: counted arithmetic, the measured speed, what runs correct, and what to lower."""

import re
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from helpers import SMALL, page, wait_until

from tl_widgets import StudyLab
from tl_widgets.core.config import Config, FineTuningSpec, ScratchSpec
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.numbers import rough_duration
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.experiments.comparison import RunCache, compare_config
from tl_widgets.experiments.seconds import (
    Ready,
    Speed,
    Workload,
    comparison_seconds,
    corrected_speed,
    count_macs,
    scratch_macs,
    scratch_seconds,
)
from tl_widgets.records.parameters import scratch_ledger
from tl_widgets.widgets import LabSettings
from tl_widgets.widgets.shared import turns
from tl_widgets.widgets.studies import seconds
from tl_widgets.widgets.studies.settings import controls_of

IMAGES = Workload(96, 3, 150, 60, 90)
SPEED = Speed(3e-11, 6e-11, 1.0, 1.0, 1.0)


@pytest.fixture
def unmeasured(monkeypatch):
    """A process that has measured nothing yet, and may."""
    monkeypatch.delenv("TL_WIDGETS_NO_TIMING", raising=False)
    monkeypatch.setattr(turns, "_speed", [])
    monkeypatch.setattr(turns, "_measuring_claimed", threading.Lock())
    monkeypatch.setattr(turns, "_stop_measuring", threading.Event())
    turns.preload_tensorflow()


def test_the_arithmetic_is_counted_layer_by_layer():
    rows = scratch_ledger((32, 32, 3), 3, ScratchSpec((4, 8), (5, 3), dense_units=10))
    first, second = 32 * 32 * 5 * 5 * 3 * 4, 16 * 16 * 3 * 3 * 4 * 8
    assert count_macs(rows) == first + second + 8 * 8 * 8 * 10 + 10 * 3


def test_more_work_takes_longer_and_what_is_ready_takes_none():
    def seconds(config=None, images=IMAGES, ready=None):
        return comparison_seconds(config or Config(), images, SPEED, ready or Ready())

    first = seconds()
    for change in (
        {"epochs": 20},
        {"augment": 1},
        {"control": True},
        {"repeats": 2},
        {"folds": 3},
        {"fine_tuning": FineTuningSpec()},
        {"backbone": "VGG16"},
    ):
        assert seconds(replace(Config(), **change)) > first, change
    assert seconds(images=replace(IMAGES, image_size=128)) > first
    assert seconds(ready=Ready(n_features=300)) < seconds(ready=Ready(n_features=100)) < first
    assert seconds(ready=Ready({"scratch"})) < 0.5 * first
    here = seconds(ready=Ready(has_backbone=True))
    assert seconds(ready=Ready(has_backbone=True, is_traced=True)) == pytest.approx(here - SPEED.backbone_tracing)
    assert seconds(ready=Ready({"scratch", "transfer"})) == 0
    with pytest.raises(InputError, match="until none is left"):
        seconds(replace(Config(), scratch=ScratchSpec((4,) * 6, (3,) * 6)), replace(IMAGES, image_size=32))


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (7.4, "7 s"), (52, "50 s"), (121, "2 min"), (300, "5 min"), (9000, "2 h")]
)
def test_an_estimate_is_a_round_number(seconds, text):
    assert rough_duration(seconds) == text


@pytest.mark.slow
def test_the_measured_speed_gives_the_seconds_of_a_comparison(real_default, home, monkeypatch):
    from tl_widgets.experiments.speed import measure_speed

    # Both in seconds of the processor, which other programs disturb little; tests have one thread.
    monkeypatch.setattr(time, "perf_counter", time.process_time)
    cache = RunCache()
    speed = measure_speed(Config(), 64, cache, threading.Event())
    assert "transfer" in cache.backbones  # the first run finds it there
    dataset = load_dataset("textures", image_size=64, n_per_class=20)
    images = Workload(64, 3, 60, 60, 90)
    started = time.perf_counter()
    comparison = compare_config(dataset, Config(), cache=cache)
    seconds = time.perf_counter() - started
    ready = Ready(has_backbone=True)
    assert seconds / 3 < comparison_seconds(Config(), images, speed, ready) < 3 * seconds
    runs = {run.name: run for run in comparison.runs}
    shown = corrected_speed(speed, Config(), images, runs)
    per_epoch = np.median(np.diff(runs["scratch"].history.seconds))  # nine epochs, without the first
    assert shown.training * (3 * 60 + 60) * scratch_macs(Config(), images) == pytest.approx(per_epoch, rel=0.01)
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError):
        measure_speed(Config(), 64, RunCache(), cancel)


def test_a_press_ends_the_measuring_at_once(unmeasured):
    started, ended, then = threading.Event(), threading.Event(), []

    def measure(cancel):
        started.set()
        assert cancel.wait(60)
        ended.set()
        raise CancelledError("stopped")

    turns.measure_when_idle(measure, lambda: then.append(1))
    assert started.wait(60)
    with turns.training_lock(threading.Event(), lambda: None):
        assert ended.is_set()
    assert (turns.measured_speed(), then) == (None, [])


def test_the_measured_speed_reaches_the_button_and_is_measured_once(unmeasured, make_lab, tiny_default):
    lab = make_lab(settings=LabSettings())
    before = lab.screen.run_button.description
    assert before.startswith("Train both · ")
    done = threading.Event()

    def then():
        lab._show_seconds(lab.settings)
        done.set()

    turns.measure_when_idle(lambda cancel: replace(SPEED, training=1e-8), then)
    assert done.wait(60)
    assert lab.screen.run_button.description != before
    turns.measure_when_idle(lambda cancel: pytest.fail("it was measured again"), then)


def test_study_lab_alone_measures_the_speed_too(unmeasured, tiny_default, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(seconds, "typical_speed", lambda: replace(SPEED, training=1e-8))
    lab = StudyLab("time")
    before = lab.screen.run_button.description
    lab._ipython_display_()
    wait_until(lambda: lab.screen.run_button.description != before, 60)
    assert turns.measured_speed() is not None
    assert before.startswith("Run · ")
    lab.close()


def test_every_press_says_what_it_costs(make_lab, monkeypatch):
    monkeypatch.setattr(turns, "_speed", [SPEED])
    lab = make_lab(settings=LabSettings())
    for name in ("textures", "faces", "digits"):
        lab.panel.control("dataset").value = name
        assert lab.screen.run_button.description.startswith("Train both · ")
    lab.settings = replace(lab.settings, image_size=224)
    text = lab.screen.run_button.tooltip
    assert text.startswith("about ")
    assert " min: lower " in text
    assert text in page(lab)  # beside the result, where it is always in view
    name, _, value = text.split("lower ")[1].split(" for ")[0].rpartition(" to ")
    control = {"Image size": "image_size", "Images per class": "n_per_class", "Epochs": "epochs"}[name]
    lab.panel.control(control).value = int(value)
    assert lab._estimator.seconds(lab.settings, cache=lab._cache) < 150
    lab.settings = LabSettings()
    assert lab.screen.run_button.tooltip == ""


def test_epochs_after_the_first_give_the_speed_so_fixed_costs_stay_apart(make_lab):
    """Few images take hardly any time to train, so their seconds times ten are not those of ten times as many."""
    lab = make_lab(settings=SMALL.with_values({"n_per_class": 2, "epochs": 4}))
    lab.run(wait=True)
    config, dataset = lab.result.config, lab.result.dataset
    few = Workload(dataset.image_size, 3, dataset.n_train, dataset.n_validation, dataset.n_test)
    run = next(run for run in lab.result.runs if run.name == "scratch")
    run = replace(run, history=replace(run.history, seconds=(2.0, 2.01, 2.02, 2.03)))  # traced in the first epoch
    shown = corrected_speed(SPEED, config, few, {"scratch": run})
    many = replace(few, n_train=10 * few.n_train, n_validation=10 * few.n_validation, n_test=0)
    longer = replace(config, epochs=10)
    assert scratch_seconds(longer, [many], shown) == pytest.approx(SPEED.tracing + 10 * 10 * 0.01)
    assert scratch_seconds(longer, [many], shown, has_network=True) == pytest.approx(10 * 10 * 0.01)


def test_a_network_is_traced_once_if_it_is_small(make_lab, monkeypatch):
    tracing = 1000.0
    speed = replace(SPEED, tracing=tracing)
    assert tracing < scratch_seconds(Config(), [IMAGES] * 3, speed) < 2 * tracing
    assert scratch_seconds(Config(), [IMAGES] * 3, speed, has_network=True) < tracing
    large = replace(Config(), scratch=ScratchSpec((32, 64), (5, 3)))
    assert 3 * tracing < scratch_seconds(large, [IMAGES] * 3, speed)
    assert 3 * tracing < scratch_seconds(large, [IMAGES] * 3, speed, has_network=True)
    repeated = replace(Config(), repeats=5)
    assert tracing < comparison_seconds(repeated, IMAGES, speed) < 2 * tracing

    monkeypatch.setattr(turns, "_speed", [speed])
    lab = make_lab(settings=SMALL)
    assert lab._estimator.seconds(lab.settings, cache=lab._cache) > tracing
    lab.run(wait=True)
    assert lab._estimator.seconds(lab.settings, cache=lab._cache) == 0  # the same again is in the cache
    longer, other = (lab.settings.with_values({name: 17}) for name in ("epochs", "dense_units"))
    assert lab._estimator.seconds(longer, cache=lab._cache) < tracing
    assert lab._estimator.seconds(other, cache=lab._cache) > tracing


def test_a_long_study_says_what_to_lower(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(turns, "_speed", [SPEED])
    lab = StudyLab()
    for study, values in (
        ("data", {"epochs": 200, "seeds": tuple(range(9))}),
        ("repeat", {"repeats": 20, "epochs": 100}),
        ("fine-tuning", {"more_epochs": 500}),
        ("inside", {"image_size": 256, "epochs": 50}),
    ):
        lab.form.choose(study)
        assert lab.screen.run_button.tooltip == ""
        lab.settings = lab.settings.with_values(values)
        before = lab._estimator.seconds(lab.settings)
        assert before > 120
        text = lab.screen.run_button.tooltip
        assert text in page(lab)
        label, _, value = re.search(r"^about .+: lower (.+) for \d+ \w+$", text)[1].rpartition(" to ")
        (name,) = (control.name for control in controls_of(study) if control.label == label)
        field = lab.form.control(name)
        field.value = type(field.value)(value)
        assert lab._estimator.seconds(lab.settings) < 0.8 * before
    lab.close()
