"""A Lab that downloads its images, in a real kernel, from a local server that also fails."""

import dataclasses

import nbformat
import pytest
from hosted_server import serve, server
from nbclient import NotebookClient

__all__ = ["serve", "server"]  # fixtures

SETUP = """
import asyncio, dataclasses, re
from tl_widgets import Config, ScratchSpec, TransferLab
from tl_widgets.data import catalogue, hosted
from tl_widgets.widgets import LabSettings
files = tuple(hosted.HostedFile(*facts) for facts in {facts!r})
catalogue.register(dataclasses.replace(catalogue.find_dataset("flowers"), files=files))
scratch = ScratchSpec(filters=(4, 4), kernel_sizes=(3, 3), dense_units=8)
lab = TransferLab(settings=LabSettings(image_size=32, n_per_class=3, config=Config(epochs=1, scratch=scratch)))
menu, screen = lab.panel.control("dataset"), lab.screen
def text(): return dict((name, text) for text, name in menu.options)["flowers"]
def state(): return lab.state
async def until(condition):
    while not condition(): await asyncio.sleep(0.02)
lab
"""
CHOOSE = "menu.value = 'flowers'\nprint(text(), '|', lab.panel._lines['Data'].value)"
STOP = """
run = lab.run()
await until(lambda: 'aria-label="Fetching"' in screen.progress.value)
seen, disabled = screen.progress.value, (screen.stop_button.disabled, menu.disabled)
screen.stop_button.click()
await run.done()
print(state(), disabled, 'downloading flowers' in seen, 'max="' in seen, text())
"""
TRAIN = "await lab.run().done()\nprint(state(), text(), screen.message.value)"


@pytest.fixture
def notebook(tmp_path):
    """A function that runs one cell and returns what it printed, in a kernel that stays."""
    made = nbformat.v4.new_notebook()
    client = NotebookClient(made, timeout=120, resources={"metadata": {"path": str(tmp_path)}})

    def run(code):
        made.cells.append(nbformat.v4.new_code_cell(code))
        client.execute_cell(made.cells[-1], len(made.cells) - 1)
        return "".join(each.text for each in made.cells[-1].outputs if each.output_type == "stream")

    with client.setup_kernel():
        yield run


@pytest.mark.slow
def test_a_first_use_downloads_can_be_stopped_and_never_leaves_half_a_data_set(notebook, serve, server, home):
    record = serve("flowers")
    notebook(SETUP.format(facts=tuple(dataclasses.astuple(file) for file in record.files)))
    assert notebook("await lab.run().done()\nprint(state())") == "done\n"
    assert notebook(CHOOSE).startswith("flowers · get 0 MB | ")

    server.fault = "drip"
    assert notebook(STOP) == "stopped (False, True) True True flowers · get 0 MB\n"
    server.fault = "cut"
    said = notebook(TRAIN)
    assert said.startswith("error flowers · get 0 MB")
    assert "could not be downloaded" in said
    assert 'role="alert"' in said
    assert "Traceback" not in said
    server.fault = ""
    assert list((home / "datasets").iterdir()) == []
    # The result from before is still there, and so is the Lab.
    said = notebook("print(lab.result.dataset.name, len(lab.runs), 'still shown' in screen.progress.value)")
    assert said == "textures 1 True\n"

    assert notebook(TRAIN) == "done flowers \n"
    n_requests = len(server.requests)
    server.fault = "404"
    assert notebook("lab.panel.control('image_size').value = 48\n" + TRAIN).startswith("done flowers ")
    assert len(server.requests) == n_requests
    assert (
        notebook("print(lab.result.dataset.name, 'tlw-thumbnails' in lab.panel.thumbnails.value)") == "flowers True\n"
    )
