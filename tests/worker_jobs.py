"""What tests let worker processes run. A worker imports this module, so TensorFlow must not be imported at its top."""

import os
import signal
import threading
import time
from importlib import import_module
from pathlib import Path

from tiny import mini_family, registered, standing_in

from tl_widgets.core.errors import InputError
from tl_widgets.records.comparison import Seconds
from tl_widgets.records.repeats import Repeat


def double_or_die(job, context):
    if job == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if job == 2:
        raise ValueError("broken")
    return job * 2


def process_and_thread(job, context):
    return os.getpid(), threading.get_ident(), id(context.cache), job


def slowly(job, context):
    return sum(range(2_000_000)) + job


def measure_with_tiny(module, *arguments):
    """Measure a point as this module does: a worker knows nothing of the backbones that stand in."""
    with standing_in(), registered(mini_family()):
        return import_module(module)._measure(*arguments)


def seed_seven_dies(dataset, config, seed, context):
    if seed == 7:
        os._exit(3)
    return Repeat(seed, 0.5, 0.75)


def seed_five_fails(dataset, config, seed, context):
    if seed == 5:
        raise InputError("there is something wrong with five")
    return Repeat(seed, 0.5, 0.75)


def point_or_die(dataset, config, job, context):
    """A point of a learning curve that says which job it is of."""
    from tl_widgets.studies.learning_curve.result import CurvePoint

    if (job.n_per_class, job.seed) == (3, 4):
        os.kill(os.getpid(), signal.SIGKILL)
    accuracy = (10 * job.n_per_class + job.seed) / 100
    return CurvePoint(job.arm, job.n_per_class, job.seed, accuracy, Seconds())


def noted_without_end(job, context):
    Path(job).touch()
    time.sleep(600)
    return job


def noted_until_released(job, context):
    """The job "0" ends at once, the others when there is a file "released"."""
    path = Path(job)
    path.touch()
    for _ in range(1200):
        if path.name == "0" or path.with_name("released").exists():
            break
        time.sleep(0.05)
    return job


def noted_for_a_moment(job, context):
    Path(job).touch()
    time.sleep(0.1)
    return job
