"""Studies on a cluster: Dask's scheduler with two worker processes on this machine, as joblib's backend."""

import os
import signal
import threading
import time
from dataclasses import replace
from functools import partial

import joblib
import pytest
import worker_jobs
from distributed import Client, LocalCluster

from tl_widgets.core.config import ScratchSpec
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.experiments.parallel import measure_all
from tl_widgets.records.comparison import Seconds
from tl_widgets.studies.learning_curve import measurement as curves
from tl_widgets.studies.learning_curve.measurement import learning_curve

SCRATCH = ScratchSpec(filters=(4,), kernel_sizes=(3,), dense_units=8)

pytestmark = [
    pytest.mark.usefixtures("tiny_default"),
    pytest.mark.filterwarnings("ignore"),  # of Dask, about its own shutdown
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Two workers with one thread each; joblib sends its work there while a test runs."""
    options = {"n_workers": 2, "threads_per_worker": 1, "memory_limit": None, "dashboard_address": None}
    options["local_directory"] = str(tmp_path_factory.mktemp("dask"))
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        yield client


@pytest.fixture(autouse=True)
def on_the_cluster(cluster):
    with joblib.parallel_config(backend="dask", client=cluster):
        yield


def test_a_curve_is_the_same_on_a_cluster(monkeypatch):
    textures, events = load_dataset("textures", image_size=32, n_per_class=6), []
    asked = {"n_per_class": (3, 6), "seeds": (0,), "scratch": SCRATCH, "epochs": 2, "batch_size": 8}
    here = learning_curve(textures, **asked)
    monkeypatch.setattr(curves, "_measure", partial(worker_jobs.measure_with_tiny, curves.__name__))
    there = learning_curve(textures, **asked, n_jobs=2, on_event=events.append)
    ours, theirs = ([replace(p, seconds=Seconds()) for p in curve.points] for curve in (here, there))
    assert len(ours) == 6
    assert ours == theirs
    assert [event.n_done for event in events if event.point is not None] == [1, 2, 3, 4, 5, 6]


def test_a_worker_that_dies_costs_nothing(cluster, tmp_path):
    workers = list(cluster.run(os.getpid).values())
    jobs = [str(tmp_path / f"{i}") for i in range(12)]

    def kill(_):
        if workers:
            os.kill(workers.pop(), signal.SIGKILL)
            workers.clear()

    found = measure_all(jobs, worker_jobs.noted_for_a_moment, describe=str, n_jobs=2, on_point=kill)
    assert not workers  # one was killed
    assert sorted(found.points) == sorted(jobs)  # Dask gives its job to another worker
    assert not found.failures


def test_stop_sends_no_more_work(tmp_path, monkeypatch):
    cancel, jobs = threading.Event(), [str(tmp_path / f"{i}") for i in range(40)]
    found = measure_all(
        jobs, worker_jobs.noted_until_released, describe=str, n_jobs=2, cancel=cancel, on_point=lambda _: cancel.set()
    )
    assert found.stopped
    assert found.points == (jobs[0],)  # Stop did not wait for the others
    (tmp_path / "released").touch()
    time.sleep(2)  # for those that were sent already
    assert len(list(tmp_path.iterdir())) < 20


def test_a_point_that_kills_its_workers_is_reported_and_the_study_ends(cluster, monkeypatch):
    """joblib's Dask backend never calls back for it, nor for those that waited on the same worker."""
    monkeypatch.setattr(cluster.cluster.scheduler, "allowed_failures", 0)
    found = measure_all(range(6), worker_jobs.double_or_die, describe=str, n_jobs=2)
    assert sorted(found.points) == [0, 2, 8, 10]
    assert not found.stopped
    failures = {failure.point: failure.text for failure in found.failures}
    assert failures.keys() == {"2", "3"}
    assert "broken" in failures["2"]
    assert failures["3"] == "RuntimeError: its worker process died (KilledWorker)"
    backend, _ = joblib.parallel.get_active_backend()
    assert "submit" not in vars(backend)  # others may use it
