"""What every test gets: a cache folder of its own, and the real photographs where there are any."""

import contextlib
import os
import signal
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items):
    """Browser tests last: Playwright keeps an event loop running, and `asyncio.run` refuses to start beside one."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


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
