"""A real `jupyter lab` and a real browser, for the tests in this folder."""

from pathlib import Path

import pytest
from driving import CHROMIUM, SERVER_OPTIONS, has, need, serve


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).resolve().parent in Path(item.fspath).parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """JupyterLab, for all tests."""
    need(CHROMIUM, "Chromium")
    options = (*SERVER_OPTIONS, "--LabApp.expose_app_in_browser=True")
    with serve(tmp_path_factory.mktemp("lab"), "lab", *options) as server:
        yield server


@pytest.fixture(scope="module")
def jupyter(server):
    """JupyterLab with one kernel for all notebooks of a file."""
    with server.one_kernel():
        yield server


@pytest.fixture(scope="module")
def launch():
    """A function that starts Chromium, with more of its options if need be.

    Playwright keeps an event loop running, and `asyncio.run` refuses to start beside one: it ends with each file.
    """
    need(CHROMIUM, "Chromium")
    need(has("playwright"), "the package playwright")
    from playwright.sync_api import sync_playwright

    args = ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"]
    with sync_playwright() as playwright:
        yield lambda *more: playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*args, *more], ignore_default_args=["--hide-scrollbars"]
        )


@pytest.fixture(scope="module")
def browser(launch):
    chromium = launch()
    yield chromium
    chromium.close()


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    context.set_default_timeout(15_000)
    page = context.new_page()
    yield page
    context.close()
