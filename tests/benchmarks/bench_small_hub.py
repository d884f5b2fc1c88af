"""Print the memory that JupyterLab and kernels take on a hub: the figures of docs/how-to/small-hubs.md.

    python tests/benchmarks/bench_small_hub.py

In a kernel, a Lab makes one comparison at 64 pixels, with the photographs that the machine has: first in one kernel,
then in two at once. Files that are in memory, such as TensorFlow's, count once: kernels have the same ones. The
proportional set size would do that, too, but is too low where other programs have TensorFlow loaded. What is printed is
the largest sum of twenty in a second. Only on Linux.
"""

import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import nbformat
from nbclient import NotebookClient

LAB = """
import tl_widgets as tl
from tl_widgets.widgets import LabSettings

lab = tl.TransferLab(settings=LabSettings(image_size=64))
lab.run(wait=True)
assert lab.result is not None, lab.message
"""
STARTS = 8  # seconds that JupyterLab's server has to start


def memory(pids):
    """Return (all, the part that is no file's) of the memory of processes together, in MB; zeros when one has ended."""
    files, anonymous = [0.0], 0.0
    with suppress(OSError, KeyError):  # a process that is ending has no memory
        for pid in tuple(pids):
            fields = dict(line.split(":") for line in Path(f"/proc/{pid}/status").read_text().splitlines())
            anonymous += 1.024e-3 * int(fields["RssAnon"].split()[0])
            files.append(1.024e-3 * int(fields["RssFile"].split()[0]))
        return anonymous + max(files), anonymous
    return 0.0, 0.0


def measure_server():
    """Return what JupyterLab's server takes."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--notebook-dir={folder}"]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(STARTS)
            return memory([server.pid])
        finally:
            server.terminate()
            server.wait(20)


def run_lab(pids, all_done):
    """Run a Lab in a kernel, which lives until the others are done, too."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(LAB)])
    client = NotebookClient(notebook, timeout=300, kernel_name="python3")
    with client.setup_kernel():
        pids.append(client.km.provisioner.pid)
        client.execute_cell(notebook.cells[0], 0)
        all_done.wait(300)


def measure_kernels(n):
    """Return the largest memory of `n` kernels together."""
    pids, all_done, most = [], threading.Barrier(n), (0.0, 0.0)
    with ThreadPoolExecutor(n) as pool:
        runs = [pool.submit(run_lab, pids, all_done) for _ in range(n)]
        while not all(run.done() for run in runs):
            most = max(most, memory(pids))
            time.sleep(0.05)
        for run in runs:
            run.result()
    return most


def main():
    for name, (total, anonymous) in (
        ("JupyterLab's server", measure_server()),
        ("a Lab with one comparison at 64 pixels", measure_kernels(1)),
        ("two kernels with such a Lab, at once", measure_kernels(2)),
    ):
        print(f"{name:40} {total:6,.0f} MB, {anonymous:6,.0f} MB of it no file's")


if __name__ == "__main__":
    main()
