"""Stop during steps of TensorFlow that take seconds: it doesn't wait for them, and changes no number."""

import contextlib
import threading
import time
from functools import partial

import numpy as np
import pytest
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
from tl_widgets.data.dataset import ImageDataset, Split
from tl_widgets.models.builders import build_scratch
from tl_widgets.training.loop import train
from tl_widgets.training.stoppable import Stoppable


def test_a_slow_call_is_left_alone_and_a_quick_one_runs_in_the_callers_thread():
    cancel, threads = threading.Event(), []

    def work(seconds):
        threads.append(threading.current_thread())
        time.sleep(seconds)
        return seconds

    call = Stoppable(work, cancel)
    assert [call(0.01), call(0.02), call(0.4), call(0.03)] == [0.01, 0.02, 0.4, 0.03]
    here = threading.current_thread()
    # The first may be slow; the third was expected to be quick; after it, the next may be slow again.
    assert [thread is here for thread in threads] == [False, True, True, False]
    call(0.4)
    threading.Timer(0.2, cancel.set).start()
    started = time.monotonic()
    with pytest.raises(CancelledError):
        call(2)
    assert time.monotonic() - started < 1
    with pytest.raises(CancelledError):
        call(0)
    threads[-1].join()


def test_an_error_of_a_slow_call_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        Stoppable(lambda: 1 / 0, threading.Event())()


def test_stop_does_not_wait_for_a_step_with_large_images():
    rng = np.random.default_rng(0)
    splits = [Split(rng.integers(0, 256, (16, 512, 512, 3), np.uint8), np.arange(16) % 3) for _ in range(3)]
    dataset = ImageDataset("large", *splits, class_names=("a", "b", "c"))
    model = build_scratch(dataset.image_shape, 3)
    cancel, ended = threading.Event(), []

    def stop_soon():
        time.sleep(1)
        ended.append(time.monotonic())
        cancel.set()

    threading.Thread(target=stop_soon).start()
    result = train(model, dataset, epochs=5, batch_size=16, cancel=cancel)
    assert result.stopped
    assert time.monotonic() - ended[0] < 2  # the step itself takes 3 to 10 seconds


class SlowFamily(TinyFamily):
    """Builds at once, until `takes` seconds are set."""

    takes = 0.0

    def build(self, backbone, image_shape):
        time.sleep(SlowFamily.takes)
        return super().build(backbone, image_shape)


def test_stop_does_not_wait_for_a_backbone_that_is_built(home, monkeypatch):
    dataset, scratch = load_dataset("textures", image_size=32, n_per_class=2), ScratchSpec((4,), (3,), dense_units=4)
    run = partial(compare, dataset, backbone="TinyNet", scratch=scratch, epochs=1)
    with registered(SlowFamily()):
        comparison = run()
        monkeypatch.setattr(SlowFamily, "takes", 5.0)
        for step in (
            run,
            partial(fine_tune, comparison, dataset),
            partial(look_inside, comparison, dataset, n_images=1),
            partial(backbone_cost, "TinyNet", image_size=32),
            partial(what_goes_wrong, dataset, mistake="raw_pixels", backbone="TinyNet"),
        ):
            cancel, started = threading.Event(), time.monotonic()
            threading.Timer(0.3, cancel.set).start()
            with contextlib.suppress(CancelledError, InputError):  # there was nothing to return
                step(cancel=cancel)
            assert time.monotonic() - started < 2.3, step.func
