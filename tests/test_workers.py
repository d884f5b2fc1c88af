"""Studies and repeats in worker processes: the same numbers, a worker that dies, Stop, the backend of joblib.

All in one file, because the tests share two workers: each loads TensorFlow once.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import psutil
import pytest
import worker_jobs
from helpers import PACKAGE_PARENT, wait_until
from tiny import mini_family, registered

from tl_widgets.core.config import ScratchSpec
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.data.dataset import choose_classes, subset
from tl_widgets.experiments import folds, repeats
from tl_widgets.experiments.comparison import compare
from tl_widgets.experiments.parallel import measure_all
from tl_widgets.records.comparison import Comparison, Seconds
from tl_widgets.studies.backbones import measurement as backbones
from tl_widgets.studies.backbones.measurement import backbone_study
from tl_widgets.studies.learning_curve import measurement as curves
from tl_widgets.studies.learning_curve.measurement import learning_curve

pytestmark = pytest.mark.usefixtures("tiny_default")

SCRATCH = ScratchSpec(filters=(4,), kernel_sizes=(3,), dense_units=8)
FEW = {"epochs": 2, "batch_size": 8}


@pytest.fixture(scope="module")
def textures():
    return load_dataset("textures", image_size=32, n_per_class=6)


@pytest.fixture
def tiny_in_workers(monkeypatch):
    """A function that measures here and in two workers, with the tiny backbones in both, and gives both results."""

    def both(module, measure):
        alone = measure(n_jobs=1)
        with monkeypatch.context() as patch:
            patch.setattr(module, "_measure", partial(worker_jobs.measure_with_tiny, module.__name__))
            return alone, measure(n_jobs=2)

    return both


def test_a_curve_is_the_same_with_two_workers(textures, tiny_in_workers):
    asked = {"n_per_class": (3, 6), "seeds": (0, 4), "scratch": SCRATCH, **FEW}
    both = tiny_in_workers(curves, partial(learning_curve, textures, **asked))
    ours, theirs = ([replace(p, seconds=Seconds()) for p in curve.points] for curve in both)
    assert len(ours) == 12
    assert ours == theirs


def test_answers_of_backbones_are_the_same_with_two_workers(textures, tiny_in_workers):
    with registered(mini_family()):
        names = ("MiniNet", "EfficientNetLite0")
        measure = partial(backbone_study, textures, backbones=names, seeds=(0, 3), **FEW)
        ours, theirs = tiny_in_workers(backbones, measure)
    for one, two in zip((*ours.points, ours.control), (*theirs.points, theirs.control), strict=True):
        assert replace(one, cost=None) == replace(two, cost=None)
        assert one.cost.alone
        assert not two.cost.alone


def test_repeats_are_the_same_with_two_workers(textures, tiny_in_workers):
    measure = partial(compare, textures, scratch=SCRATCH, seed=4, repeats=3, **FEW)
    alone, parallel = tiny_in_workers(repeats, measure)
    ours, theirs = ([replace(p, seconds=0) for p in each.repeats.points] for each in (alone, parallel))
    assert ours == theirs
    assert parallel.verdict == alone.verdict


def test_folds_with_class_weights_are_the_same_with_two_workers(textures, tiny_in_workers):
    uneven = replace(textures, train=subset(textures.train, np.flatnonzero(textures.train.labels < 2)[:9]))
    uneven = choose_classes(uneven, textures.class_names[:2])
    measure = partial(compare, uneven, scratch=SCRATCH, folds=3, class_weights=True, **FEW)
    alone, parallel = tiny_in_workers(folds, measure)
    assert np.array_equal(parallel.folds.rows, alone.folds.rows)
    for ours, theirs in zip(alone.runs, parallel.runs, strict=True):
        assert (theirs.predictions, theirs.labels) == (ours.predictions, ours.labels)
        assert theirs.balanced_accuracy == ours.balanced_accuracy
    assert parallel.verdict == alone.verdict
    without = compare(uneven, scratch=SCRATCH, folds=3, **FEW)
    assert without.scratch.history != alone.scratch.history  # the weights arrive


def test_a_dead_worker_costs_one_point():
    found = measure_all([1, 2, 3, 4, 5], worker_jobs.double_or_die, describe=str, n_jobs=2)
    assert found.points == (2, 8, 10)
    assert [failure.point for failure in found.failures] == ["2", "3"]


def test_a_worker_that_dies_costs_the_curve_one_point(textures, monkeypatch):
    monkeypatch.setattr(curves, "_measure", worker_jobs.point_or_die)
    found = learning_curve(textures, n_per_class=(3, 6), seeds=(0, 4), arms=("transfer",), n_jobs=2)
    assert [failure.point for failure in found.failures] == ["transfer with 3 images per class, seed 4"]
    assert "its worker process died" in found.failures[0].text
    assert not found.stopped
    accuracies = {(p.n_per_class, p.seed): p.test_accuracy for p in found.points}
    assert accuracies == {(3, 0): 0.3, (6, 0): 0.6, (6, 4): 0.64}
    assert "1 point could not be measured, transfer with 3 images per class, seed 4:" in found.sentences[-1]


@pytest.mark.parametrize(
    ("measure", "n_jobs", "lost"), [(worker_jobs.seed_seven_dies, 2, 7), (worker_jobs.seed_five_fails, 1, 5)]
)
def test_a_broken_seed_costs_only_itself(textures, monkeypatch, measure, n_jobs, lost):
    monkeypatch.setattr(repeats, "_measure", measure)
    result = compare(textures, scratch=SCRATCH, seed=4, repeats=4, n_jobs=n_jobs, **FEW)
    assert result.repeats.seeds == tuple(seed for seed in (4, 5, 6, 7) if seed != lost)
    assert len(result.repeats.failures) == 1
    assert result.repeats.failures[0].startswith(f"seed {lost}: ")
    assert not result.stopped
    assert "over 3 seeds" in result.verdict.text.lower()
    assert f"could not be measured: seed {lost}" in result.verdict.text
    assert Comparison.from_json(result.to_json()) == result


def test_the_backend_of_joblib_is_the_one_that_was_chosen():
    with joblib.parallel_config(backend="threading"):
        found = measure_all(list(range(8)), worker_jobs.process_and_thread, describe=str, n_jobs=2)
    assert [job for *_, job in found.points] == list(range(8))
    assert {pid for pid, *_ in found.points} == {os.getpid()}
    assert threading.get_ident() not in {thread for _, thread, *_ in found.points}
    # A cache must not be used from two threads at once.
    assert len({(thread, cache) for _, thread, cache, _ in found.points}) == len(
        {cache for *_, cache, _ in found.points}
    )


@pytest.mark.filterwarnings("error:.*still being processed")
def test_stop_ends_the_workers_too():
    cancel = threading.Event()
    found = measure_all(
        list(range(40)), worker_jobs.slowly, describe=str, n_jobs=2, cancel=cancel, on_point=lambda _: cancel.set()
    )
    assert found.stopped
    assert 1 <= len(found.points) < 40


def test_stop_does_not_wait_for_a_point_that_takes_long(tmp_path, within):
    cancel, jobs = threading.Event(), [str(tmp_path / f"{i}") for i in range(4)]

    def stop_when_one_has_begun():
        wait_until(lambda: any(tmp_path.iterdir()), 120)
        cancel.set()

    threading.Thread(target=stop_when_one_has_begun).start()
    with within(180):
        found = measure_all(jobs, worker_jobs.noted_without_end, describe=str, n_jobs=2, cancel=cancel)
    assert (found.stopped, found.points, found.failures) == (True, (), ())
    again = measure_all([1, 4], worker_jobs.double_or_die, describe=str, n_jobs=2)
    assert again.points == (2, 8)


@pytest.mark.skipif(os.name != "posix", reason="sends a signal to a process group, as a terminal does")
def test_ctrl_c_ends_a_command_and_its_workers_at_once(tmp_path):
    code = (
        "import signal, worker_jobs\n"
        "from tl_widgets.cli.progress import cancel_on_interrupt\n"
        "from tl_widgets.experiments.parallel import measure_all\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent in the background leaves it ignored\n"
        "with cancel_on_interrupt() as cancel:\n"
        "    found = measure_all('0123', worker_jobs.noted_without_end, describe=str, n_jobs=2, cancel=cancel)\n"
        "print(found.stopped, found.points)"
    )
    paths = os.pathsep.join(map(str, (PACKAGE_PARENT, Path(__file__).parent)))
    command = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, env=os.environ | {"PYTHONPATH": paths}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        wait_until(lambda: len(list(tmp_path.iterdir())) == 2, 120)
        workers = psutil.Process(command.pid).children(recursive=True)
        os.killpg(command.pid, signal.SIGINT)
        out, err = command.communicate(timeout=60)  # two seconds on a machine with nothing else to do
        assert (out, "Traceback" in err) == ("True ()\n", False), err
        assert len(workers) >= 2
        assert not psutil.wait_procs(workers, timeout=60)[1]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(command.pid, signal.SIGKILL)
