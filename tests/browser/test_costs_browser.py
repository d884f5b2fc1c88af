"""What a press costs, in a real JupyterLab: measured in the background, and limits that answer with a sentence."""

import re

import pytest
from driving import open_notebook, wait_state

SHOW = """
import os
os.environ.pop("TL_WIDGETS_NO_TIMING", None)
from tl_widgets import TransferLab
from tl_widgets.widgets.shared import turns
lab = TransferLab()
lab
"""


@pytest.fixture
def jupyter(jupyter):
    """JupyterLab with another kernel, which may measure the machine's speed."""
    with jupyter.one_kernel():
        yield jupyter


def test_the_speed_is_measured_while_the_app_is_idle_and_a_wrong_number_is_explained(page, jupyter):
    wait = "import asyncio\nfor _ in range(600):\n    if turns.measured_speed(): break\n    await asyncio.sleep(0.1)\n"
    notebook = jupyter.notebook("costs.ipynb", SHOW, f"{wait}print('speed', turns.measured_speed() is not None)")
    open_notebook(page, jupyter, notebook)
    wait_state(page, "idle")
    page.set_viewport_size({"width": 1366, "height": 768})
    page.get_by_text("speed True").wait_for(timeout=90_000)
    page.get_by_role("button", name=re.compile(r"^Train both · \d+ s$")).wait_for()
    field = page.get_by_label("Image size, as a number", exact=True)
    field.fill("5000")
    field.press("Enter")
    page.get_by_text("Image size: choose a number from 32 to 512 (the slider ends at 224); received 5000.").wait_for()
    assert field.input_value() == "96"
    field.fill("512")
    field.press("Enter")
    page.get_by_text(re.compile(r"This takes about \d+ (min|h): lower Image size to \d+ for")).wait_for()
