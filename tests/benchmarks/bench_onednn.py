"""Time the default comparison with TensorFlow's oneDNN and without it, each three times in turn.

    python tests/benchmarks/bench_onednn.py [--isa AVX2]

Each run is a process of its own, because TensorFlow decides when it is imported. Processor seconds are compared, which
other programs disturb least. `--isa AVX2` keeps oneDNN from using AVX-512 where the processor has it.
"""

import argparse
import os
import subprocess
import sys

RUN = """
import time
from tl_widgets import compare, load_dataset
compare(load_dataset("faces", image_size=32, n_per_class=5), epochs=1)  # loads and traces what is not measured
dataset = load_dataset()
started = time.process_time()
comparison = compare(dataset)
seconds = time.process_time() - started
print(seconds, comparison.environment.onednn, comparison.scratch.test_accuracy, comparison.transfer.test_accuracy)
"""


def run(onednn, isa):
    """Return the processor seconds of one comparison, and print it."""
    settings = {"TF_ENABLE_ONEDNN_OPTS": onednn, **({"ONEDNN_MAX_CPU_ISA": isa} if isa else {})}
    command = [sys.executable, "-c", RUN]
    done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, check=True)
    seconds, used, scratch, transfer = done.stdout.split()
    print(f"oneDNN {used:5}  {float(seconds):5.1f} s   scratch {float(scratch):.1%}   transfer {float(transfer):.1%}")
    return float(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--isa", default="")
    isa = parser.parse_args().isa
    without, with_it = zip(*((run("0", isa), run("1", isa)) for _ in range(3)), strict=True)
    print(f"oneDNN takes {sum(with_it) / sum(without):.0%} of the processor seconds")


if __name__ == "__main__":
    main()
