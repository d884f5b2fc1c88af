"""Measuring the points of a study in one process or several."""

from __future__ import annotations

import queue
import signal
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from tl_widgets.core.config import Config, require_workers
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.events import Cancel, Event, OnEvent, ignore, is_cancelled, raise_if_cancelled, seconds_left
from tl_widgets.core.translation import _, in_both
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.experiments.arms import RunCache, train_arm
from tl_widgets.records.comparison import RunResult, StudyFailure

Job = TypeVar("Job")
Point = TypeVar("Point")
# Training events of single points would hide the study's progress; these phases take long, but only once.
_PASSED_ON = ("download", "load", "features")


@dataclass
class Measured(Generic[Point]):
    """The outcome of a study's jobs, with the points in the jobs' order."""

    points: tuple[Point, ...] = ()
    failures: tuple[StudyFailure, ...] = ()
    stopped: bool = False


@dataclass
class WorkContext:
    """What points in one process share; `on_event` receives only long phases."""

    cache: RunCache = field(default_factory=RunCache)
    on_event: OnEvent = ignore
    cancel: Cancel | None = None

    def train(self, dataset: ImageDataset, config: Config, arm: str, *, validate: bool = True) -> RunResult:
        """Train and test one model, as `train_arm` does; raise CancelledError if it was stopped."""
        run = train_arm(
            dataset, config, arm, cache=self.cache, validate=validate, on_event=self.on_event, cancel=self.cancel
        )
        if run.stopped or not run.labels:
            raise CancelledError("stopped")
        return run


_LOOK = 0.2  # seconds between two looks whether to stop

# It lives as long as a worker, so its points share a backbone. A joblib worker may be a thread.
_worker = threading.local()


def measure_all(
    jobs: Sequence[Job],
    measure: Callable[[Job, WorkContext], Point],
    *,
    describe: Callable[[Job], str],
    n_before: int = 0,
    n_jobs: int = 1,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
    on_point: Callable[[Point], None] | None = None,
    cache: RunCache | None = None,
) -> Measured[Point]:
    """Measure every job, in this process or in several.

    Args:
        jobs: One for each point; pickled unless `n_jobs` is 1.
        measure: Makes the point of a job; pickled, too.
        describe: Returns a job's name for messages.
        n_before: Number of points from an earlier run; if there are any, it isn't an error when all jobs fail now.
        n_jobs: Worker processes, as joblib counts them (-1: one for each core); joblib's `parallel_config` can
            send them to a cluster.
        on_event: Receives each finished point.
        cancel: Stops within one batch; with workers, in a second, and unfinished points are lost.
        on_point: Receives each point as soon as it's measured.
        cache: For the points in this process; each worker process has its own.
    """
    require_workers(n_jobs)
    started, done, failures = time.perf_counter(), {}, []
    context = WorkContext(
        cache or RunCache(), lambda event: on_event(event) if event.phase in _PASSED_ON else None, cancel
    )
    _report(on_event, _("starting the study"), 0, len(jobs), 0.0)
    results = _in_process(jobs, measure, context) if n_jobs == 1 else _in_workers(jobs, measure, n_jobs, cancel)
    try:
        for i, outcome in results:
            if isinstance(outcome, Exception):
                text = str(outcome) if isinstance(outcome, InputError) else f"{type(outcome).__name__}: {outcome}"
                text = in_both(text, lambda text: " ".join(text.split())[:500])
                failures.append(StudyFailure(describe(jobs[i]), text))
            else:
                done[i] = outcome
                if on_point:
                    on_point(outcome)
            n_done = len(done) + len(failures)
            seconds = time.perf_counter() - started
            _report(
                on_event, _("measured {describe}", describe=describe(jobs[i])), n_done, len(jobs), seconds, done.get(i)
            )
            if is_cancelled(cancel):
                break
    except CancelledError:
        pass
    finally:
        with warnings.catch_warnings():
            # joblib warns that work in progress is lost, which is the purpose of a Stop.
            warnings.filterwarnings("ignore", ".*still being processed by the workers")
            results.close()
    if failures and not done and not n_before:
        raise InputError(
            _(
                "No point could be measured. The first failure, {point}: {text}",
                point=failures[0].point,
                text=failures[0].text,
            )
        )
    stopped = len(done) + len(failures) < len(jobs)
    on_event(Event("done", _("stopped") if stopped else _("done"), n_done=1, n_total=1))
    return Measured(tuple(done[i] for i in sorted(done)), tuple(failures), stopped)


def _report(on_event: OnEvent, text: str, n_done: int, n_total: int, seconds: float, point: object = None) -> None:
    left = seconds_left(seconds, n_done, n_total)
    event = Event(
        "study",
        _("{text} ({n_done} of {n_total})", text=text, n_done=n_done, n_total=n_total),
        n_done=n_done,
        n_total=n_total,
        point=point,
    )
    on_event(replace(event, seconds=seconds, seconds_left=left))


def _in_process(
    jobs: Sequence[Job], measure: Callable[[Job, WorkContext], Point], context: WorkContext
) -> Generator[tuple[int, Point | Exception], None, None]:
    for i, job in enumerate(jobs):
        if is_cancelled(context.cancel):
            return
        yield i, _attempt(measure, job, context)


def _attempt(measure: Callable[[Job, WorkContext], Point], job: Job, context: WorkContext) -> Point | Exception:
    try:
        return measure(job, context)
    except CancelledError:
        raise
    except Exception as error:  # one failure must not cost the other points
        return error


def _work(measure: Callable[[Any, WorkContext], Any], i: int, job: Any) -> tuple[int, Any]:
    """Run one job in a worker process."""
    if not hasattr(_worker, "context"):
        _worker.context = WorkContext()
    outcome = _attempt(measure, job, _worker.context)
    if isinstance(outcome, Exception) and not isinstance(outcome, InputError):
        outcome = RuntimeError(f"{type(outcome).__name__}: {outcome}")  # another library's may not survive pickling
    return i, outcome


def _in_workers(
    jobs: Sequence[Job], measure: Callable[[Job, WorkContext], Point], n_jobs: int, cancel: Cancel | None
) -> Generator[tuple[int, Point | Exception], None, None]:
    import joblib

    open_jobs = dict(enumerate(jobs))

    def parallel(chosen: dict[int, Job]) -> Iterator[tuple[int, Any]]:
        # Made in this thread, to which a `parallel_config` of the caller belongs. A batch would be lost as a whole.
        work = joblib.Parallel(n_jobs=n_jobs, return_as="generator_unordered", batch_size=1)
        # After a Stop no more is sent, also to workers of a cluster, which nobody here can end.
        calls = (joblib.delayed(_work)(measure, i, job) for i, job in chosen.items() if not is_cancelled(cancel))
        return _watched(lambda: work(calls), cancel)

    lost: set[int] = set()
    with _mended_dask(lost.add):
        try:
            for i, outcome in parallel(dict(open_jobs)):
                if i not in lost:
                    del open_jobs[i]
                    yield i, outcome
            open_jobs = {i: job for i, job in open_jobs.items() if i in lost}
        except CancelledError:
            raise
        except Exception as error:  # a worker that dies ends the whole pool (joblib's TerminatedWorkerError)
            if not open_jobs:
                raise error
        # Run the rest one by one, so only the job that kills its worker is lost.
        for i, job in open_jobs.items():
            try:
                lost.discard(i)
                i, outcome = next(parallel({i: job}))
                if i in lost and isinstance(outcome, Exception):
                    raise outcome
                yield i, outcome
            except CancelledError:
                raise
            except Exception as error:
                yield i, RuntimeError(_("its worker process died ({name})", name=type(error).__name__))


@contextmanager
def _mended_dask(on_lost: Callable[[int], None]) -> Iterator[None]:
    """Mend two things in joblib's Dask backend while the block runs.

    It calls back only for jobs that have a result, so joblib would wait for ever for one that killed its workers, which
    Dask gives up after a few (`distributed.scheduler.allowed-failures`). And while a cluster has a single core, because
    other workers are just restarting, joblib would run the jobs in this process, and such a one would kill it.

    Args:
        on_lost: Called with the job's number, before joblib yields it with Dask's error.
    """
    from joblib.parallel import get_active_backend

    backend, _n_jobs = get_active_backend()
    if type(backend).__name__ != "DaskDistributedBackend":
        yield
        return
    submit, effective_n_jobs = backend.submit, backend.effective_n_jobs

    def submit_and_watch(batch: Any, callback: Callable[[Any], None]) -> Any:
        future = submit(batch, callback)

        def report(future: Any) -> None:
            if (error := future.exception()) is not None:
                ((_work, (_measure, i, _job), _options),) = batch.items  # one call of `_work`
                on_lost(i)
                callback([(i, error)])

        future.add_done_callback(report)
        return future

    backend.submit, backend.effective_n_jobs = submit_and_watch, lambda n_jobs: max(2, effective_n_jobs(n_jobs))
    try:
        yield
    finally:
        del backend.submit, backend.effective_n_jobs


def _watched(start: Callable[[], Iterator[Any]], cancel: Cancel | None) -> Iterator[Any]:
    """Yield what an iterator over workers yields, and end the workers within moments of a Stop.

    A thread waits for the next result; this one looks at `cancel`.
    """
    found: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()

    def consume() -> None:
        if hasattr(signal, "pthread_sigmask"):  # not on Windows
            from joblib.externals.loky.backend.resource_tracker import ensure_running

            ensure_running()  # when it starts, it unblocks the signal
            # Workers inherit it: Ctrl-C reaches them as well, and those still importing would print a stack trace.
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            for result in start():
                found.put((True, result))
            found.put((False, None))
        except BaseException as error:
            found.put((False, error))

    threading.Thread(target=consume, daemon=True, name="tl_widgets-workers").start()
    is_open = True
    try:
        while True:
            try:
                is_open, result = found.get(timeout=_LOOK)
            except queue.Empty:
                raise_if_cancelled(cancel)
                continue
            if is_open:
                yield result
            elif isinstance(result, KeyboardInterrupt):  # only a worker received it
                raise CancelledError("stopped") from result
            elif result is not None:
                raise result
            else:
                return
    finally:
        if is_open:
            from joblib.externals.loky import get_reusable_executor

            get_reusable_executor(reuse=True).shutdown(wait=False, kill_workers=True)
