"""How the tests in this folder start a server, open a notebook and wait."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).resolve()
ROOT = HERE.parents[2]
ARTIFACTS = ROOT / "artifacts"
# Pictures for people to look at take a tenth of a second each, and there are two hundred: tests look at the page.
KEEPS_PICTURES = bool(os.environ.get("TL_WIDGETS_TEST_PICTURES"))
TOKEN = "tl-widgets-tests"
FAR = "class.test"  # a name for this machine, to which pages come without https
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def need(found, what):
    """Skip where something is missing, saying so; on CI nothing may be missing."""
    if found:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and CI=true: the browser tests must run here")
    pytest.skip(f"{what} is missing: no browser to drive")


def has(package):
    """Whether a package is installed."""
    return find_spec(package) is not None


class Server:
    """One running application that serves notebooks from a folder."""

    def __init__(self, folder, port, app):
        self.folder, self.port, self.app, self.host = folder, port, app, "127.0.0.1"
        self.kernel = None

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"

    def ask(self, method, path, content=None):
        """Send a request to the server's REST interface; returns its answer."""
        data = None if content is None else json.dumps(content).encode()
        headers = {"Authorization": f"token {TOKEN}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/api/{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or "null")

    @contextmanager
    def one_kernel(self):
        """Let all notebooks that are written meanwhile share one kernel."""
        before, self.kernel = self.kernel, self.ask("POST", "kernels", {"name": "python3"})["id"]
        try:
            yield
        finally:
            self.ask("DELETE", f"kernels/{self.kernel}")
            self.kernel = before

    def notebook(self, name, *cells):
        """Write a notebook of these code cells; give it the kernel that is shared, if there is one."""
        nb = {
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"cell-{i}",
                    "source": text,
                    "metadata": {},
                    "outputs": [],
                    "execution_count": None,
                }
                for i, text in enumerate(cells)
            ],
            "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        (self.folder / name).write_text(json.dumps(nb))
        return self.share_kernel(name)

    def share_kernel(self, name):
        """Let a notebook that is in the folder already use the kernel that is shared, if there is one."""
        if self.kernel:
            session = {"path": name, "name": name, "type": "notebook", "kernel": {"id": self.kernel}}
            self.ask("POST", "sessions", session)
        return name


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


_NBGRADER = ("formgrader", "validate_assignment", "assignment_list", "course_list")
_SETTINGS = {
    # nbgrader, which one test needs, would add a menu, buttons and Tab stops; the splash screen is drawn for a second
    # whenever the theme changes.
    "labconfig/page_config.json": {
        "disabledExtensions": {"@jupyter/nbgrader": True, "@jupyterlab/apputils-extension:splash": True}
    },
    "jupyter_server_config.d/nbgrader.json": {
        "ServerApp": {"jpserver_extensions": {f"nbgrader.server_extensions.{name}": False for name in _NBGRADER}}
    },
}


@contextmanager
def serve(folder, app, *options):
    """Start `jupyter APP`, `voila` or `tl-widgets lab` in a process group of its own, and end it whatever happens."""
    port = free_port()
    work = folder / "work"
    work.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TL_WIDGETS_HOME": str(folder / "home"), "JUPYTER_PLATFORM_DIRS": "1"}
    for kind in ("CONFIG", "DATA", "RUNTIME"):
        env[f"JUPYTER_{kind}_DIR"] = str(folder / kind.lower())
    for kind in ("SETTINGS", "WORKSPACES"):
        env[f"JUPYTERLAB_{kind}_DIR"] = str(folder / kind.lower())
    settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    for file, content in _SETTINGS.items():
        (folder / "config" / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / "config" / file).write_text(json.dumps(content))
    command = [
        sys.executable,
        "-m",
        *{"voila": ["voila"], "tl-widgets": ["tl_widgets", "lab"]}.get(app, ["jupyter", app]),
        "--no-browser",
        f"--port={port}",
        *options,
    ]
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(command, cwd=work, env=env, stdout=log, stderr=log, start_new_session=True)
        try:
            wait_for(f"http://127.0.0.1:{port}/api?token={TOKEN}", process, folder / "log.txt")
            yield Server(work, port, app)
        finally:
            end_group(process)


def end_group(process):
    """End a server and its kernels."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def wait_for(url, process, log):
    for _ in range(300):
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except urllib.error.HTTPError:
            return  # it answers
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.2)
    raise RuntimeError(f"the server did not start: {log.read_text()[-2000:]}")


SERVER_OPTIONS = ("--ip=127.0.0.1", f"--IdentityProvider.token={TOKEN}", "--allow-root")


def close_notebooks(page):
    """Close what is open in JupyterLab, without saving; kernels go on."""
    page.evaluate(
        """async () => {
            for (const one of [...jupyterapp.shell.widgets('main')]) {
                if (one.context) one.context.model.dirty = false;  // else it asks
                one.close();
                while (!one.isDisposed) await new Promise((go) => setTimeout(go, 5));
            }
        }"""
    )


def open_notebook(page, server, name, *, theme="light", run=True, load=False):
    """Open a notebook in JupyterLab and run all its cells; returns when they have ended.

    A page in which this JupyterLab stands closes its notebooks and opens this one, unless it has to `load` anew: that
    takes seven times as long.
    """
    if load or not page.url.startswith(f"{server.url}/lab"):
        page.goto(f"{server.url}/lab/tree/{name}?reset&token={TOKEN}")
        page.wait_for_function("() => window.jupyterapp && window.jupyterapp.shell.currentWidget?.sessionContext")
    else:
        close_notebooks(page)
        page.evaluate("async (path) => { await jupyterapp.commands.execute('docmanager:open', {path}); }", name)
    page.evaluate(
        """async (dark) => {
            await jupyterapp.restored;
            await jupyterapp.shell.currentWidget.sessionContext.ready;
            const theme = dark ? 'JupyterLab Dark' : 'JupyterLab Light';
            await jupyterapp.commands.execute('apputils:change-theme', {theme});
        }""",
        theme == "dark",
    )
    if run:
        # Playwright waits for a promise as long as it takes, so a kernel that doesn't answer would stop all tests.
        page.evaluate(
            """() => Promise.race([
                jupyterapp.commands.execute('notebook:run-all-cells'),
                new Promise((_, fail) => setTimeout(() => fail(Error('the cells ran for 5 minutes')), 300_000)),
            ])"""
        )
    return page


def set_theme(page, theme):
    """Switch JupyterLab to its light or dark theme."""
    page.evaluate(
        "(theme) => jupyterapp.commands.execute('apputils:change-theme', {theme})", f"JupyterLab {theme.title()}"
    )
    page.locator(f"body[data-jp-theme-light={'true' if theme == 'light' else 'false'}]").wait_for(state="attached")


def execute(page, code):
    """Run code in the notebook's kernel; returns what it printed."""
    return page.evaluate(
        """async (code) => {
            const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            const future = kernel.requestExecute({code});
            let text = '';
            future.onIOPub = (message) => { text += message.content.text ?? message.content.evalue ?? ''; };
            await future.done;
            return text;
        }""",
        code,
    )


_HOLD = """
import threading
go_on, say = threading.Event(), lab.screen.on_event
def hold(event):
    say(event)
    if {when}:
        lab.screen.throttle.flush()
        go_on.wait(300)
lab.screen.on_event = hold
"""


@contextmanager
def held(page, when="True"):
    """Hold the work of the notebook's `lab` at an `event`: what passes can be looked at, however fast the machine."""
    assert execute(page, _HOLD.format(when=when)) == ""
    try:
        yield
    finally:
        execute(page, "lab.screen.on_event = say; go_on.set()")


def photograph(part, name, **options):
    """Keep a picture of a page, or of a part of it, if TL_WIDGETS_TEST_PICTURES is set; else wait until it is drawn."""
    ARTIFACTS.mkdir(exist_ok=True)
    if KEEPS_PICTURES:
        part.screenshot(path=ARTIFACTS / f"{name}.png", **options)
    else:
        part.evaluate("() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))")


def button(page, name):
    """A button, by its words; some go on with what a press costs ("Train both · 8 s")."""
    return page.get_by_role("button", name=re.compile(rf"^{re.escape(name)}( · .*)?$"))


def violations(page, part=".tlw", *, only_colors=False):
    """What axe-core finds inside the Lab, or another part, that is serious or critical, each as a line of text.

    `only_colors`: where the same was looked at in the other theme, nothing else can differ.
    """
    from axe_playwright_python.base import AXE_SCRIPT

    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    return page.evaluate(
        """async ([part, runOnly]) => {
            const found = await axe.run(part, {resultTypes: ['violations'], runOnly});
            const grave = found.violations.filter((one) => ['serious', 'critical'].includes(one.impact));
            return grave.flatMap(({id, nodes}) => nodes.map(
                (node) => `${id}: ${node.html.slice(0, 120)} (${node.failureSummary.slice(0, 160)})`));
        }""",
        [part, ["color-contrast", "link-in-text-block"] if only_colors else ["wcag2a", "wcag2aa"]],
    )


def cut_menus(page):
    """The menus in view that are too narrow for their longest option, which scrollWidth doesn't tell."""
    return page.evaluate(
        """() => {
            const pen = document.createElement('canvas').getContext('2d');
            return [...document.querySelectorAll('.tlw select')].filter((one) => one.offsetParent).flatMap((one) => {
                pen.font = getComputedStyle(one).font;
                const room = one.clientWidth - 20;  // the arrow stands beside the text
                const cut = [...one.options].map(({text}) => text).filter((text) => pen.measureText(text).width > room);
                return cut.length ? [`the menu ${one.labels[0]?.textContent}: ${cut[0]}`] : [];
            });
        }"""
    )


def wait_state(page, state, timeout=60_000):
    """Wait until the (first) Lab is in a state: idle, running, done, stopped or error."""
    from playwright.sync_api import TimeoutError as PlaywrightTimeout

    try:
        page.locator(f'[data-state="{state}"]').first.wait_for(state="attached", timeout=timeout)
    except PlaywrightTimeout as error:
        said = page.locator(".tlw").all_inner_texts()
        raise AssertionError(f"the Lab did not come to the state {state!r}; it says: {said}") from error


def choose_files(page, button, files):
    """Choose files in the dialogue that a button opens.

    A press is lost when the page moves under it or the Lab is busy just then; whoever sits there presses again.
    """
    from playwright.sync_api import TimeoutError as TooLate

    for patience in (5_000, 5_000, 60_000):
        with suppress(TooLate):
            with page.expect_file_chooser(timeout=patience) as chooser:
                button.click()
            chooser.value.set_files(files)
            return
    raise AssertionError("the button was pressed three times, and no dialogue opened")
