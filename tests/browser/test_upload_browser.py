"""Uploads of any size through a server that lets 10 MB pass at a time: what arrives, and what is left when it fails."""

import hashlib
import re
import zipfile

import numpy as np
import pytest
from driving import SERVER_OPTIONS, button, execute, open_notebook, photograph, serve
from PIL import Image
from playwright.sync_api import expect
from test_images_browser import MARKUP, SHOW, open_tab, upload

SMALL = """
from pathlib import Path
from tl_widgets.widgets.shared.upload import UploadView
came = []
def keep(goal, incoming):
    with incoming:
        came.extend((name, path.read_bytes()) for name, path in incoming.files())
    print([(name, len(data)) for name, data in came])
view = UploadView(keep, max_bytes=50_000_000, label="Upload files", max_files=3, hint="or drop them here")
view
"""


@pytest.fixture
def own_kernel(jupyter):
    """A kernel without TensorFlow, which the shared one would load again after a restart."""
    with jupyter.one_kernel():
        yield


@pytest.fixture
def open_upload(page, jupyter):
    """A function that opens an UploadView alone, in a notebook of its own."""
    scripts = []

    def answer(dialog):
        if dialog.type != "beforeunload":  # JupyterLab asks before a page with changes is left
            scripts.append(dialog.message)
        dialog.accept()

    page.on("dialog", answer)

    def open_it(name):
        open_notebook(page, jupyter, jupyter.notebook(name, SMALL))
        button(page, "Upload files").wait_for()
        # JupyterLab moves the focus into the notebook some time after its cells have run.
        page.wait_for_function("() => document.activeElement.closest('.jp-Notebook')")
        return page

    yield open_it
    page.evaluate("() => window.letGo?.()")
    page.remove_listener("dialog", answer)
    assert scripts == []


def halves(jupyter):
    return list((jupyter.folder / "my_images").glob(".uploading*"))


def hold(page):
    """Let no further part leave the page; returns a function that lets them go again."""
    page.evaluate(
        """() => {
            window.held = [];
            const read = Blob.prototype.arrayBuffer;
            let count = 0;
            Blob.prototype.arrayBuffer = async function () {
                count += 1;
                if (count > 3) await new Promise((go) => window.held.push(go));
                return read.call(this);
            };
            window.letGo = () => { Blob.prototype.arrayBuffer = read; window.held.forEach((go) => go()); };
        }"""
    )


def noise(path, n_bytes):
    path.write_bytes(np.random.default_rng(0).integers(0, 256, n_bytes, np.uint8).tobytes())
    return path


def test_a_zip_of_sixty_megabytes_on_a_plain_server(page, jupyter, tmp_path):
    random = np.random.default_rng(0)
    with zipfile.ZipFile(tmp_path / "large.zip", "w", zipfile.ZIP_STORED) as archive:
        for i in range(20):
            pixels = random.integers(0, 256, (1000, 1000, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "one.bmp")
            archive.write(tmp_path / "one.bmp", f"{'ab'[i % 2]}/{i}.bmp")
    data = (tmp_path / "large.zip").read_bytes()
    assert len(data) > 60_000_000
    open_notebook(page, jupyter, jupyter.notebook("large.ipynb", SHOW))
    open_tab(page)
    hold(page)
    upload(page, "Upload a zip", tmp_path / "large.zip")
    bar = page.get_by_role("progressbar", name="Upload of large.zip")
    bar.wait_for()
    page.get_by_text(re.compile(r"of 60 MB · \d+ (s|min) left")).wait_for()
    photograph(page, "upload-large")
    page.evaluate("() => window.letGo()")
    page.get_by_text("Read 20 images.").wait_for(timeout=90_000)
    expect(bar).to_be_hidden()
    page.get_by_text("large.zip has arrived.").wait_for()
    assert (jupyter.folder / "my_images" / "large.zip").read_bytes() == data
    assert halves(jupyter) == []


def test_several_files_by_keyboard_and_by_dropping(open_upload, jupyter, tmp_path):
    page = open_upload("drop.ipynb")
    with page.expect_file_chooser():  # `upload` may press again; on a page at rest one press is enough
        button(page, "Upload files").click()
    with page.expect_file_chooser() as chooser:
        button(page, "Upload files").press("Enter")
    (tmp_path / "empty.txt").write_bytes(b"")
    chooser.value.set_files([noise(tmp_path / "a.bin", 2_500_000), tmp_path / "empty.txt"])
    page.get_by_text("2 files have arrived.").wait_for()
    expect(button(page, "Upload files")).to_be_focused()
    assert execute(page, "print([name for name, data in came], came[1][1])") == "['a.bin', 'empty.txt'] b''\n"
    digest = hashlib.sha256((tmp_path / "a.bin").read_bytes()).hexdigest()
    assert execute(page, "import hashlib; print(hashlib.sha256(came[0][1]).hexdigest())") == f"{digest}\n"
    dropped = """(element, names) => {
        const data = new DataTransfer();
        names.forEach((name) => data.items.add(new File(['words'], name)));
        for (const kind of ['dragover', 'drop']) {
            element.dispatchEvent(new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true}));
        }
    }"""
    zone = page.get_by_role("group", name="Upload files")
    zone.evaluate(dropped, ["../../up.txt", MARKUP])
    page.get_by_text("2 files have arrived.").wait_for()
    zone.evaluate(dropped, [MARKUP])
    page.get_by_text(f"{MARKUP} has arrived.", exact=True).wait_for()
    zone.evaluate(dropped, ["1", "2", "3", "4"])
    page.get_by_role("alert").filter(has_text="4 files were chosen; choose at most 3 at a time").wait_for()
    assert page.url.startswith(jupyter.url)
    assert not (jupyter.folder.parent / "up.txt").exists()
    assert page.locator("img[onerror]").count() == 0


def test_cancel_a_changed_file_and_one_that_is_too_large_leave_nothing(open_upload, jupyter, tmp_path):
    page = open_upload("cancel.ipynb")
    path = noise(tmp_path / "a.bin", 8_000_000)
    hold(page)
    upload(page, "Upload files", path)
    page.get_by_text("3.0 MB of 8.0 MB").wait_for()
    assert [file.stat().st_size for folder in halves(jupyter) for file in folder.iterdir()] == [3_000_000]
    expect(button(page, "Upload files")).to_be_disabled()
    button(page, "Cancel upload").click()
    page.get_by_text("The upload was canceled; nothing was kept.").wait_for()
    assert execute(page, "print(view._incoming, came)") == "None []\n"
    assert halves(jupyter) == []
    page.evaluate("() => window.letGo()")

    hold(page)
    upload(page, "Upload files", path)
    page.get_by_text("3.0 MB of 8.0 MB").wait_for()
    path.write_bytes(b"another")
    page.evaluate("() => window.letGo()")
    page.get_by_role("alert").filter(has_text="The browser can no longer read a.bin").wait_for()
    assert execute(page, "print(view._incoming, came)") == "None []\n"
    assert halves(jupyter) == []

    upload(page, "Upload files", noise(tmp_path / "b.bin", 50_000_001))
    page.get_by_role("alert").filter(
        has_text="b.bin is 50 MB; a file can be up to 50 MB. Nothing was uploaded."
    ).wait_for()
    upload(page, "Upload files", noise(tmp_path / "c.bin", 10))
    page.get_by_text("c.bin has arrived.").wait_for()
    assert page.get_by_role("alert").filter(has_text="Nothing was uploaded").count() == 0


def test_a_closed_page_and_a_kernel_that_restarts_leave_no_half(own_kernel, open_upload, jupyter, tmp_path):
    page = open_upload("closed.ipynb")
    path = noise(tmp_path / "a.bin", 8_000_000)
    hold(page)
    upload(page, "Upload files", path)
    page.get_by_text("3.0 MB of 8.0 MB").wait_for()
    page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    page.evaluate("() => window.letGo()")
    page.get_by_role("alert").filter(has_text="kernel was restarted or has ended").wait_for()
    photograph(page, "upload-restarted")
    assert execute(page, "print(6 * 7)") == "42\n"
    assert halves(jupyter) == []
    open_upload("closed.ipynb")
    hold(page)
    upload(page, "Upload files", path)
    page.get_by_text("3.0 MB of 8.0 MB").wait_for()
    assert len(halves(jupyter)) == 1
    open_notebook(page, jupyter, "closed.ipynb", run=False, load=True)
    assert execute(page, "print(view._incoming)") == "None\n"
    assert halves(jupyter) == []
    open_upload("closed.ipynb")
    hold(page)
    upload(page, "Upload files", path)
    page.get_by_text("3.0 MB of 8.0 MB").wait_for()
    execute(page, "view.close()")
    assert halves(jupyter) == []


def test_tl_widgets_lab_starts_jupyterlab_and_large_pictures_pass(own_page, tmp_path):
    """Through the Lab's own class field; and what is no picture is not kept."""
    page = own_page
    work = tmp_path / "server" / "work"
    work.mkdir(parents=True)
    (work / "00_start_here.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    pixels = np.random.default_rng(0).integers(0, 256, (2000, 2000, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "large.bmp")
    options = (*SERVER_OPTIONS, "--LabApp.expose_app_in_browser=True")
    with serve(tmp_path / "server", "tl-widgets", *options) as server:
        # The tab alone: a Lab would load TensorFlow.
        open_notebook(page, server, server.notebook("large.ipynb", f"{SHOW}lab.images"))
        page.get_by_label("Class name", exact=True).fill("noise")
        upload(page, "Upload: a new class", [tmp_path / "large.bmp", noise(tmp_path / "not.bmp", 1_500_000)])
        page.get_by_text("Added 1 picture to noise").wait_for()
        page.get_by_text("not.bmp: not an image of a kind").wait_for()
        kept = [path for path in (work / "my_images").rglob("*") if path.is_file() and ".edits" not in path.parts]
        assert [path.read_bytes() for path in kept] == [(tmp_path / "large.bmp").read_bytes()]
        page.goto("about:blank")  # the server ends here
