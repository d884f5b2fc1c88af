"""What every test gets (an empty cache folder, the real photographs), and how the tests run in parallel."""

import contextlib
import gc
import itertools
import json
import os
import random
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path

import psutil
import pytest
from kernel_cost import kernel_cost, sentence, too_much

# Two workers with TensorFlow's usual thread pools get in each other's way; the tests' models are too small to gain from
# threads. Set before TensorFlow is imported, and inherited by the kernels and commands that tests start.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
# NumPy's as well: on busy cores, threads that wait for each other take ten times as long for a product of matrices.
for library in ("OPENBLAS", "OMP"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
# Tests read English texts, whatever the language of the machine.
os.environ["TL_WIDGETS_LANG"] = "en"
# Kernels measure the machine's speed only for the tests that ask for it.
os.environ.setdefault("TL_WIDGETS_NO_TIMING", "1")

# Labs keep no runs beside a notebook from which pytest is started.
os.environ.pop("JPY_SESSION_NAME", None)

# Python's search for unused cycles takes 6% of the time with its usual thresholds, because TensorFlow and Keras keep
# hundreds of thousands of objects. tl_widgets itself collects after longer runs, which took up to two thirds of the
# time of a test: what is there before the first test, and what TensorFlow and each file leave, is left out.
gc.set_threshold(50_000, 10, 10)

# Where no data set is named, every test uses textures: the stamps of this machine are seen only by tests that ask for
# them (`stamps`) and by notebooks. Parallel workers inherit both variables.
STAMPS = os.environ.setdefault("TL_WIDGETS_TEST_STAMPS", os.environ.get("TL_WIDGETS_STAMPS", "")) or None
os.environ["TL_WIDGETS_STAMPS"] = str(Path(__file__).with_name("no stamps"))

# What each file took when `--record-seconds` was last given. Those that take longest go first, so that no worker is
# left with one of them at the end.
SECONDS = Path(__file__).with_name("seconds.json")
# Tests that share no fixture with the rest of their file and may run on any worker.
SPREAD = ()


# Workers beyond one for each core: a worker that waits for a browser or a kernel leaves its core idle.
MORE_WORKERS = 0
WORKER_BYTES = 2_700_000_000  # at most, with the kernel and the browser that it starts


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """A worker per core for folders of tests; none where files are named, so that one test starts at once."""
    if config.args and all(".py" in arg or ".ipynb" in arg for arg in config.args):
        return 0
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    more = cores + MORE_WORKERS
    return more if psutil.virtual_memory().available > more * WORKER_BYTES else cores


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Keep each file on one worker, because what its tests share (a trained model, a server, a kernel) is made once."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file, _, test = nodeid.partition("::")
            if self.numnodes < 4 and "browser/" in file:
                return "browser"  # one server, kernel and Chromium; where there are many workers, the others would wait
            return nodeid if f"{file}::{test.partition('[')[0]}" in SPREAD else file

        def remove_node(self, node):
            """Take a worker that has died away; the test that it ran is not given to the next, which would die too."""
            units = self.assigned_work[node].values()
            running = next(((unit, test) for unit in units for test, is_done in unit.items() if not is_done), None)
            if running is None:
                return super().remove_node(node)
            unit, test = running
            unit[test] = True
            super().remove_node(node)
            return test

    config.option.loadscopereorder = False
    return ByFile(config, log)


def pytest_addoption(parser):
    parser.addoption("--order-seed", type=int, help="Run files, classes and tests in an order drawn from this seed.")
    parser.addoption("--record-seconds", action="store_true", help=f"Write each file's seconds into {SECONDS.name}.")


def pytest_report_header(config):
    seed = config.getoption("order_seed", None)
    return None if seed is None else f"order of tests: --order-seed {seed}"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """The browser's files first, then those that take longest; the rest, and what is in a file, in order or shuffled.

    Files of the browser that follow each other share it. Cells of notebooks stay in order.
    """
    seed = config.getoption("order_seed", None)
    recorded = json.loads(SECONDS.read_text())

    def draw(nodeid):
        return 0.0 if seed is None or ".ipynb" in nodeid else random.Random(f"{seed} {nodeid}").random()

    def place(item):
        file = item.nodeid.partition("::")[0]
        is_late = "browser/" not in file
        return is_late, -recorded.get(file, 0), draw(file), file, draw(item.parent.nodeid), draw(item.nodeid)

    items.sort(key=place)


def pytest_collection_finish():
    gc.collect()
    gc.freeze()


has_tensorflow = False


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item, nextitem):
    global has_tensorflow
    outcome = yield
    is_new = not has_tensorflow and "tensorflow" in sys.modules
    if is_new or nextitem is None or nextitem.path != item.path:
        has_tensorflow |= is_new
        gc.collect()
        gc.freeze()
    return outcome


def pytest_sessionfinish(session):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and session.config.getoption("record_seconds", False):  # xdist's workers have no reporter
        seconds = Counter()
        for report in itertools.chain.from_iterable(reporter.stats.values()):
            if isinstance(report, pytest.TestReport):
                seconds[report.nodeid.partition("::")[0]] += report.duration
        long = {file: round(total) for file, total in sorted(seconds.items()) if total >= 5}
        SECONDS.write_text(json.dumps(long, indent=1) + "\n")


def show_stamps(monkeypatch):
    """Let what follows see this machine's stamps."""
    if STAMPS is None:
        monkeypatch.delenv("TL_WIDGETS_STAMPS")
    else:
        monkeypatch.setenv("TL_WIDGETS_STAMPS", STAMPS)


def hold_claims(last):
    """Hold what a notebook says, in its own kernel when all its cells have run.

    The asserts are in claims/, in a file of the notebook's name. They see the notebook's variables, and what it printed
    as `OUTPUT`.
    """
    claims = Path(__file__).with_name("claims") / f"{last.path.stem}.py"
    if not claims.exists():
        return
    cells = (cell for cell in last.session.items if cell.parent is last.parent)
    texts = [out.text for cell in cells for out in cell.test_outputs or () if out.output_type == "stream"]
    client = last.parent.kernel.kc
    client.execute(f"OUTPUT = {''.join(texts)!r}", store_history=False, reply=True, timeout=30)
    run = f"exec(compile(open({str(claims)!r}).read(), {str(claims)!r}, 'exec'))"
    reply = client.execute(run, store_history=False, reply=True, timeout=300)
    if reply["content"]["status"] == "error":
        pytest.fail("\n".join(reply["content"]["traceback"]), pytrace=False)


class NotebookRuns:
    """Notebooks run with the machine's stamps, as learners run them; one whose kernel cost too much fails.

    Limits are in kernel_cost.py. What they say is held by claims/.
    """

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item):
        if item.path.suffix != ".ipynb":
            return (yield)
        with pytest.MonkeyPatch.context() as patch:  # the kernel starts here
            show_stamps(patch)
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        outcome = yield
        notebook = item.parent
        if item.path.suffix == ".ipynb" and item.cell is [c for c in notebook.nb.cells if c.cell_type == "code"][-1]:
            cost = kernel_cost(notebook.kernel.km.provisioner.pid)
            item.user_properties.append(("cost", f"{item.path.name:32} {sentence(*cost)}"))
            if too_much(*cost):
                pytest.fail(
                    f"{item.path.name} costs too much: {sentence(*cost).strip()} (kernel_cost.py has the limits)",
                    pytrace=False,
                )
            hold_claims(item)
        return outcome

    def pytest_terminal_summary(self, terminalreporter):
        reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
        costs = sorted({value for report in reports for key, value in report.user_properties if key == "cost"})
        if costs:
            terminalreporter.section("what the notebooks' kernels cost")
            terminalreporter.write("\n".join([*costs, ""]))


def pytest_configure(config):
    if config.getoption("nbval", False):  # as a plugin, because hooks in this file see only the tests beside it
        config.pluginmanager.register(NotebookRuns())


@pytest.fixture(scope="session")
def homes(tmp_path_factory):
    """A folder for the homes of all tests: to number a new folder, pytest's `mktemp` looks through all that it made."""
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(autouse=True)
def home(homes, monkeypatch):
    """An empty folder for everything that tl_widgets keeps, so that no test meets another's cache."""
    folder = Path(tempfile.mkdtemp(dir=homes))
    monkeypatch.setenv("TL_WIDGETS_HOME", str(folder))
    return folder


@pytest.fixture
def assets():
    """The folder of test photographs and weights (see the design, "Measured facts")."""
    folder = os.environ.get("TL_WIDGETS_TEST_ASSETS")
    if not folder:
        pytest.skip("TL_WIDGETS_TEST_ASSETS is not set: no real photographs and weights to test with")
    return Path(folder).resolve()


@pytest.fixture
def stamps(monkeypatch):
    """Tux Paint's folder of stamps on this machine."""
    show_stamps(monkeypatch)
    from tl_widgets.data.catalogue import find_dataset

    folder = find_dataset("stamps").installed()
    if folder is None:
        pytest.skip("Tux Paint's stamps are not installed (apt install tuxpaint-stamps-default)")
    return folder


@pytest.fixture
def within():
    """`with within(30):` fails what takes longer, for what would go on and on without the protection that is tested."""

    @contextlib.contextmanager
    def limit(seconds):
        def fail(*_):
            pytest.fail(f"it went on for more than {seconds} s: what should have stopped it did not")

        if not hasattr(signal, "SIGALRM"):  # Windows: then only the run as a whole ends it
            yield
            return
        before = signal.signal(signal.SIGALRM, fail)
        signal.alarm(seconds)
        try:
            yield
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, before)

    return limit


@pytest.fixture
def tiny_backbone():
    """The name of a backbone of three layers, in the catalogue while the test runs (tests/tiny.py)."""
    from tiny import registered

    with registered() as family:
        yield family.members[0].name


@pytest.fixture(scope="module")
def tiny_default():
    """Three layers stand in for the default backbone, for all tests of a file and what they share (tests/tiny.py)."""
    from tiny import standing_in

    with standing_in() as name:
        yield name


@pytest.fixture
def real_default(tiny_default):
    """The real default backbone, for a test of such a file whose point are its features."""
    from tiny import standing_in

    with standing_in(real=True) as name:
        yield name


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working directory: the folder of the notebook."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def make_lab():
    """A function that makes Labs, which are closed at the end, however the test ends."""
    from helpers import SMALL

    from tl_widgets import TransferLab

    made = []

    def make(*args, **kwargs):
        made.append(TransferLab(*args, **{"settings": SMALL, **kwargs}))
        return made[-1]

    yield make
    for lab in made:
        lab.close()
        if lab.last_run is not None:
            assert lab.last_run.finished.wait(30)
