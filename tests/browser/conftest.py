"""A real `jupyter lab` and a real browser, for the tests in this folder."""

from pathlib import Path

import pytest
from driving import CHROMIUM, SERVER_OPTIONS, has, need, serve

VIEWPORT = {"width": 1600, "height": 1000}


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).resolve().parent in Path(item.fspath).parents:
            item.add_marker(pytest.mark.browser)


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
    """A function that starts Chromium, with more of its options if need be, and with a profile in a folder if given.

    Playwright keeps an event loop running, and `asyncio.run` refuses to start beside one: it ends with each file.
    """
    need(CHROMIUM, "Chromium")
    need(has("playwright"), "the package playwright")
    from playwright.sync_api import sync_playwright

    args = ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"]

    def start(*more, profile=None):
        options = {"executable_path": CHROMIUM, "args": [*args, *more], "ignore_default_args": ["--hide-scrollbars"]}
        if profile is None:
            return playwright.chromium.launch(**options)
        return playwright.chromium.launch_persistent_context(profile, **options, viewport=VIEWPORT)

    with sync_playwright() as playwright:
        yield start


@pytest.fixture(scope="session")
def profile(tmp_path_factory):
    """What Chromium keeps from page to page: with JupyterLab's code compiled before, a page takes two thirds."""
    return tmp_path_factory.mktemp("profile")


@pytest.fixture(scope="module")
def browser(chromium, profile):
    """Chromium, for the pages of a file."""
    context = chromium(profile=profile)
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture(scope="module")
def pages(browser):
    """The page that the tests of a file share, in a list; empty before the first and after one that failed."""
    return []


@pytest.fixture
def page(browser, pages, request):
    """A page, in which JupyterLab stands already after the first test of a file."""
    if not pages:
        pages.append(browser.new_page())
    page = pages[0]
    page.set_viewport_size(VIEWPORT)
    failed = request.session.testsfailed
    yield page
    if request.session.testsfailed > failed:
        pages.clear()
        page.close()
