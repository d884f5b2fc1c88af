"""A real `jupyter lab` and a real browser, for the tests in this folder."""

from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from driving import ARTIFACTS, CHROMIUM, FAR, SERVER_OPTIONS, has, need, serve

HERE = Path(__file__).resolve().parent
PATIENCE = 60_000  # milliseconds until a test fails; nothing is measured by it
VIEWPORT = {"width": 1600, "height": 1000}

# Playwright, Chromium and its page, while files of this folder follow each other. Playwright keeps an event loop
# running, and `asyncio.run`, which other tests need, refuses to start beside one.
_running, _shared = ExitStack(), {}


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem):
    """After the last of these files in a row, Chromium ends."""
    result = yield
    if nextitem is None or HERE not in nextitem.path.parents:
        _shared.clear()
        _running.close()
    return result


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """JupyterLab, for all tests."""
    need(CHROMIUM, "Chromium")
    # A page without https asks for it by another name (test_camera_browser.py).
    options = (*SERVER_OPTIONS, "--LabApp.expose_app_in_browser=True", "--ServerApp.allow_remote_access=True")
    with serve(tmp_path_factory.mktemp("lab"), "lab", *options) as server:
        yield server


@pytest.fixture(scope="session")
def jupyter(server):
    """JupyterLab with one kernel for all notebooks, because each would load TensorFlow anew."""
    with server.one_kernel():
        yield server


@pytest.fixture(scope="module")
def chromium():
    """A function that starts Chromium, with more of its options if need be, and with a profile in a folder if given."""
    need(CHROMIUM, "Chromium")
    need(has("playwright"), "the package playwright")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    if "playwright" not in _shared:
        _shared["playwright"] = _running.enter_context(sync_playwright())
    playwright = _shared["playwright"]
    args = ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"]

    def start(*more, profile=None):
        options = {"executable_path": CHROMIUM, "args": [*args, *more], "ignore_default_args": ["--hide-scrollbars"]}
        if profile is None:
            return playwright.chromium.launch(**options)
        return playwright.chromium.launch_persistent_context(profile, **options, viewport=VIEWPORT)

    return start


@pytest.fixture(scope="session")
def profile(tmp_path_factory):
    """What Chromium keeps from page to page: with JupyterLab's code compiled before, a page takes two thirds."""
    return tmp_path_factory.mktemp("profile")


@pytest.fixture(scope="module")
def browser(chromium, profile):
    """Chromium with the camera that it plays for tests, shared by all files."""
    if "browser" not in _shared:
        camera = "--use-fake-device-for-media-stream"
        context = chromium(camera, f"--host-resolver-rules=MAP {FAR} 127.0.0.1", profile=profile)
        context.set_default_timeout(PATIENCE)
        _shared["browser"] = context
        _running.callback(context.close)
    return _shared["browser"]


@pytest.fixture(scope="module")
def shared_page(browser):
    """A function that returns the page that all files share."""

    def get():
        if "page" not in _shared:
            _shared["page"] = browser.new_page()
        return _shared["page"]

    return get


@pytest.fixture
def own_page(browser):
    """A page of its own, for what leaves JupyterLab: the other one needs not load it again."""
    page = browser.new_page()
    yield page
    page.close()


@pytest.fixture
def page(shared_page, request):
    """A page, in which JupyterLab stands already after the first test; after one that failed, another page."""
    page = shared_page()
    page.set_viewport_size(VIEWPORT)
    page.set_default_timeout(PATIENCE)
    failed = request.session.testsfailed
    yield page
    if request.session.testsfailed > failed:
        with suppress(Exception):
            page.screenshot(path=ARTIFACTS / f"failed-{request.node.name}.png")
        del _shared["page"]
        page.close()
