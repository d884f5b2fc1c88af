"""Stop during steps of TensorFlow that take seconds: it doesn't wait for them, and changes no number."""

import contextlib
import threading
from functools import partial

import pytest
from helpers import Clock, own_dataset
from tiny import TinyFamily, registered

from tl_widgets import (
    ScratchSpec,
    backbone_cost,
    compare,
    fine_tune,
    load_dataset,
    look_inside,
    what_goes_wrong,
)
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.models.builders import build_scratch
from tl_widgets.training import loop, stoppable
from tl_widgets.training.stoppable import Stoppable


class Step:
    """A step that presses Stop itself and then goes on until a test releases it, so nobody can have waited for it."""

    def __init__(self):
        self.cancel, self.ended, self._release = threading.Event(), False, threading.Event()

    def go_on(self):
        self.cancel.set()
        self._release.wait(60)
        self.ended = True

    def end(self):
        """Let it end, after Stop has come through."""
        assert self.cancel.is_set(), "it was never begun"
        assert not self.ended, "Stop waited for it"
        self._release.set()
        for thread in threading.enumerate():
            if thread.name == "tl_widgets-step":
                thread.join()


def test_a_slow_call_is_left_alone_and_a_quick_one_runs_in_the_callers_thread(monkeypatch):
    clock, step, threads = Clock(), Step(), []
    monkeypatch.setattr(stoppable, "time", clock)

    def work(seconds):
        threads.append(threading.current_thread())
        if seconds is None:
            step.go_on()
        else:
            clock.now += seconds
        return seconds

    call = Stoppable(work, step.cancel)
    assert [call(0.01), call(0.02), call(0.4), call(0.03)] == [0.01, 0.02, 0.4, 0.03]
    here = threading.current_thread()
    # The first may be slow; the third was expected to be quick; after it, the next may be slow again.
    assert [thread is here for thread in threads] == [False, True, True, False]
    call(0.4)
    for seconds in (None, 0):
        with pytest.raises(CancelledError):
            call(seconds)
    assert len(threads) == 6, "nothing is begun after Stop"
    step.end()


def test_an_error_of_a_slow_call_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        Stoppable(lambda: 1 / 0, threading.Event())()


def test_stop_does_not_wait_for_a_step_that_takes_long(monkeypatch):
    dataset, step, learner_for = own_dataset(), Step(), loop.learner_for

    def slow_learner(*arguments):
        learner = learner_for(*arguments)
        fit_batch = learner.fit_batch

        def fit_slowly(images, labels):
            step.go_on()
            return fit_batch(images, labels)

        learner.fit_batch = fit_slowly
        return learner

    monkeypatch.setattr(loop, "learner_for", slow_learner)
    result = loop.train(build_scratch(dataset.image_shape, 2), dataset, epochs=5, batch_size=16, cancel=step.cancel)
    step.end()
    assert result.stopped
    assert result.history.loss == ()


class SlowFamily(TinyFamily):
    """Builds at once, until there is a step that takes long."""

    step = None

    def build(self, backbone, image_shape):
        if SlowFamily.step is not None:
            SlowFamily.step.go_on()
        return super().build(backbone, image_shape)


def test_stop_does_not_wait_for_a_backbone_that_is_built(home, monkeypatch):
    dataset, scratch = load_dataset("textures", image_size=32, n_per_class=2), ScratchSpec((4,), (3,), dense_units=4)
    run = partial(compare, dataset, backbone="TinyNet", scratch=scratch, epochs=1)
    with registered(SlowFamily()):
        comparison = run()
        for call in (
            run,
            partial(fine_tune, comparison, dataset),
            partial(look_inside, comparison, dataset, n_images=1),
            partial(backbone_cost, "TinyNet", image_size=32),
            partial(what_goes_wrong, dataset, mistake="raw_pixels", backbone="TinyNet"),
        ):
            monkeypatch.setattr(SlowFamily, "step", Step())
            with contextlib.suppress(CancelledError, InputError):  # there was nothing to return
                call(cancel=SlowFamily.step.cancel)
            SlowFamily.step.end()
