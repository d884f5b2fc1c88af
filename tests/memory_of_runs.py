"""Print a JSON list: this process's memory in MB after each of so many runs (the first argument).

A process of its own, so that what other tests left behind neither hides a leak nor looks like one.
"""

import ctypes
import gc
import json
import sys
from contextlib import suppress

import psutil
from tiny import standing_in

import tl_widgets
from tl_widgets import ScratchSpec, load_dataset


def megabytes():
    """Resident memory, less what Python and the C library would give back when asked."""
    gc.collect()
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
    return psutil.Process().memory_info().rss / 1e6


dataset = load_dataset("textures", image_size=48, n_per_class=12)
scratch = ScratchSpec(filters=(8, 8), kernel_sizes=(3, 3), dense_units=512)
sizes = []
for seed in range(int(sys.argv[1])):
    with standing_in():
        tl_widgets.compare(dataset, scratch=scratch, epochs=1, seed=seed)
    if not sizes:
        gc.collect()
        gc.freeze()  # what was imported need not be searched again and again
    sizes.append(megabytes())
print(json.dumps(sizes))
