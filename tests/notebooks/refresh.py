"""Run the tutorial notebooks and write what came out into them, in a form in which commits stay readable.

    python tests/notebooks/refresh.py            # all of them
    python tests/notebooks/refresh.py 01 03      # some

Each notebook runs in a kernel of its own, in its folder, from top to bottom. Prints its seconds, those of the
processor (which other programs do not disturb), and the peak memory of its kernel. A cell that fails stops it, and
the file stays as it was. `--check` writes nothing.
"""

import argparse
import sys
import threading
import time
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
MOST_SECONDS, MOST_MEGABYTES = 60, 1200


class PeakMemory(threading.Thread):
    """Watches the largest of this process's children: the kernel."""

    def __init__(self):
        super().__init__(daemon=True)
        self.peak, self.processor, self.ended = 0, 0.0, threading.Event()

    def run(self):
        me = psutil.Process()
        while not self.ended.wait(0.05):
            for child in me.children(recursive=True):
                try:
                    self.peak = max(self.peak, child.memory_info().rss)
                    times = child.cpu_times()
                    self.processor = max(self.processor, times.user + times.system)
                except psutil.Error:
                    continue


def normalise(notebook):
    """Take out what differs from machine to machine and from run to run."""
    notebook.metadata.clear()
    notebook.metadata.update(kernelspec=KERNELSPEC, language_info={"name": "python"})
    count = 0
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k == "tags"})
        if cell.cell_type != "code":
            continue
        count += 1
        cell.execution_count = count
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count
            if "data" in output:
                # The view of a widget is nothing without its kernel, and GitHub refuses it without its state.
                output.data.pop("application/vnd.jupyter.widget-view+json", None)
    return notebook


def refresh(path, *, write=True):
    """Run one notebook.

    Returns:
        (seconds, processor seconds of the kernel, its peak memory in MB).
    """
    notebook = nbformat.read(path, 4)
    watcher = PeakMemory()
    watcher.start()
    started = time.perf_counter()
    try:
        client = NotebookClient(
            notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": path.parent}}
        )
        client.store_widget_state = False
        client.execute()
    finally:
        watcher.ended.set()
    seconds = time.perf_counter() - started
    if write:
        nbformat.write(normalise(notebook), path)
    return seconds, watcher.processor, watcher.peak / 1e6


def main():
    """Refresh the notebooks that the command names; exit code 1 when one takes too long or too much memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="beginnings of file names; all without")
    parser.add_argument("--check", action="store_true", help="write nothing")
    arguments = parser.parse_args()
    paths = [path for path in sorted(FOLDER.glob("*.ipynb")) if path.name.startswith(tuple(arguments.names) or "")]
    is_good = bool(paths)
    for path in paths:
        seconds, processor, megabytes = refresh(path, write=not arguments.check)
        fits = seconds <= MOST_SECONDS and megabytes <= MOST_MEGABYTES
        is_good = is_good and fits
        measured = f"{seconds:5.1f} s ({processor:5.1f} s of processor) {megabytes:6.0f} MB"
        print(f"{path.name:32} {measured}{'' if fits else '   too much'}", flush=True)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
