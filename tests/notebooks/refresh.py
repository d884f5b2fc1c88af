"""Run the tutorial notebooks and write what came out into them, in a form in which commits stay readable.

    python tests/notebooks/refresh.py            # all of them
    python tests/notebooks/refresh.py 01 03      # some

Each notebook runs in a kernel of its own, in its folder, from top to bottom. Prints its seconds, and what its kernel
cost (`tests/kernel_cost.py`). A cell that fails stops it, and the file stays as it was. `--check` writes nothing.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from kernel_cost import kernel_cost, sentence, too_much

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
# Binder has one core; threads that wait for each other would count as work.
os.environ.update(TF_NUM_INTRAOP_THREADS="1", TF_NUM_INTEROP_THREADS="1")


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
        cell.outputs = [output for output in cell.outputs if output.get("data") != {}]
    return notebook


def refresh(path, *, write=True):
    """Run one notebook.

    Returns:
        (seconds, (processor seconds of the kernel, its peak memory in MB)).
    """
    notebook = nbformat.read(path, 4)
    started = time.perf_counter()
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": path.parent}})
    with client.setup_kernel():
        for i, cell in enumerate(notebook.cells):
            client.execute_cell(cell, i)
        cost = kernel_cost(client.km.provisioner.pid)
    if write:
        nbformat.write(normalise(notebook), path)
    return time.perf_counter() - started, cost


def main():
    """Refresh the notebooks that the command names; exit code 1 when one costs too much."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="beginnings of file names; all without")
    parser.add_argument("--check", action="store_true", help="write nothing")
    arguments = parser.parse_args()
    paths = [path for path in sorted(FOLDER.glob("*.ipynb")) if path.name.startswith(tuple(arguments.names) or "")]
    is_good = bool(paths)
    for path in paths:
        seconds, cost = refresh(path, write=not arguments.check)
        is_good = is_good and not too_much(*cost)
        print(
            f"{path.name:32} {seconds:5.1f} s; {sentence(*cost)}{'   too much' if too_much(*cost) else ''}", flush=True
        )
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
