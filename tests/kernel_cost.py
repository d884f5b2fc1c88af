"""What a notebook may cost, and what it did cost: Binder's machines have one core and little memory."""

from pathlib import Path

import psutil

# A notebook takes 0.76 GB at most alone, up to 5% more in a complete run, 6% on another machine, and 50 MB where JAX is
# installed, which TensorFlow then loads.
MOST_SECONDS, MOST_MEGABYTES = 60, 920


def kernel_cost(pid):
    """What a kernel has used until now.

    Processor time, because other programs don't disturb it; on one core it is what the learner waits for.

    Returns:
        (processor seconds, peak memory in MB); None for the memory where the system does not tell (only Linux does).
    """
    times = psutil.Process(pid).cpu_times()
    status = Path(f"/proc/{pid}/status")
    peak = status.read_text().partition("VmHWM:")[2].split() if status.exists() else ()
    return times.user + times.system, int(peak[0]) / 1000 if peak else None


def too_much(seconds, megabytes):
    """Whether a notebook costs more than it may."""
    return seconds > MOST_SECONDS or (megabytes or 0) > MOST_MEGABYTES


def sentence(seconds, megabytes):
    """The cost as a part of a line."""
    return f"{seconds:5.1f} s of processor, {megabytes or float('nan'):5.0f} MB"
