"""What every test gets (an empty cache folder, the real photographs), and how the tests run in parallel."""

import contextlib
import os
import random
import signal
from pathlib import Path

import pytest

# Two workers with TensorFlow's usual thread pools get in each other's way; the tests' models are too small to gain from
# threads. Set before TensorFlow is imported, and inherited by the kernels and commands that tests start.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

# Test files that take longest go first, so that no worker is left with one of them at the end.
LONGEST_FIRST = (
    "tests/browser/test_lab_browser.py",
    "tests/browser/test_upload_browser.py",
    "tests/browser/test_notebooks_browser.py",
    "tests/browser/test_study_browser.py",
    "tests/test_backbones.py",
    "tests/test_backbone_study.py",
    "tests/test_training.py",
    "tests/test_learning_curve.py",
    "tests/test_repeats.py",
    "tests/test_codegen.py",
    "tests/test_study_lab.py",
)
# Tests that share no fixture with the rest of their file and may run on any worker.
SPREAD = ()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """A worker per core for folders of tests; none where files are named, so that one test starts at once."""
    if config.args and all(".py" in arg or ".ipynb" in arg for arg in config.args):
        return 0
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Keep each file on one worker, because what its tests share (a trained model, a server, a kernel) is made once."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file, _, test = nodeid.partition("::")
            return nodeid if f"{file}::{test.partition('[')[0]}" in SPREAD else file

    config.option.loadscopereorder = False
    return ByFile(config, log)


def pytest_addoption(parser):
    parser.addoption("--order-seed", type=int, help="Run files, classes and tests in an order drawn from this seed.")


def pytest_report_header(config):
    seed = config.getoption("order_seed", None)
    return None if seed is None else f"order of tests: --order-seed {seed}"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Files that take longest first; the rest, and what is in a file, in order or shuffled. Cells stay in order."""
    seed = config.getoption("order_seed", None)
    ranks = {name: i for i, name in enumerate(LONGEST_FIRST)}

    def draw(nodeid):
        return 0.0 if seed is None or ".ipynb" in nodeid else random.Random(f"{seed} {nodeid}").random()

    def place(item):
        file = item.nodeid.partition("::")[0]
        return ranks.get(file, len(ranks)), draw(file), file, draw(item.parent.nodeid), draw(item.nodeid)

    items.sort(key=place)


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    """An empty folder for everything that tl_widgets keeps, so that no test meets another's cache."""
    folder = tmp_path_factory.mktemp("home")
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
