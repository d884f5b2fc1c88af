"""A learner in JupyterLab: run 00 to 02, keep a guess, move a control, press the button, see the result."""

import re

import nbformat
import pytest
from driving import ROOT, button, held, open_notebook, wait_state
from markupsafe import Markup

from tl_widgets.widgets.shared.paper import Paper

NOTEBOOKS = ROOT / "notebooks"


def opened(page, jupyter, name, without="\0"):
    """Open a notebook of the tutorial and run it, without the code cells that contain some text."""
    notebook = nbformat.read(NOTEBOOKS / name, 4)
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "markdown" or without not in cell.source]
    nbformat.write(notebook, jupyter.folder / name)
    page.set_default_timeout(120_000)
    return open_notebook(page, jupyter, jupyter.share_kernel(name))


def first(page, text):
    """The first element with this text, scrolled to: Lab keeps only cells near the screen in the page."""
    return page.locator(".jp-OutputArea-output", has_text=text).first


def no_error(page):
    assert (
        page.locator(
            '[data-mime-type="application/vnd.jupyter.error"], .jp-RenderedText[data-mime-type*="error"]'
        ).count()
        == 0
    )


@pytest.mark.slow
def test_start_here(page, jupyter):
    opened(page, jupyter, "00_start_here.ipynb")
    no_error(page)
    wait_state(page, "done")  # Run All pressed the button; the verdict is there
    page.locator(".tlw-verdict", has_text=re.compile("wins by|Too close")).first.wait_for(state="attached")

    goto(page, "Prediction(")
    page.get_by_label("transfer", exact=True).check()
    page.get_by_label("edges, fur and petals").check()
    page.get_by_role("status").filter(has_text="Your prediction is kept.").wait_for()
    left = page.locator(".tlw-paper", has_text="● transfer")  # for the saved notebook
    left.wait_for(state="attached")
    assert left.is_hidden()
    run_cell(page, ".reveal(")
    first(page, "You predicted “transfer”, because “edges, fur").wait_for(state="attached")

    images = page.get_by_label("Images per class, as a number").first
    images.scroll_into_view_if_needed()
    images.fill("5")
    images.press("Enter")
    with held(page):
        button(page, "Train both").first.click()
        wait_state(page, "running")
    wait_state(page, "done")

    run_cell(page, 'check("00-a"')
    first(page, "00-a: right.").wait_for(state="attached")


@pytest.mark.slow
def test_convolutions(page, jupyter):
    opened(page, jupyter, "02_convolutions.ipynb", without=".fit(")  # nbval trains its network
    no_error(page)
    cell = page.locator(".jp-Cell", has=page.get_by_label("Filters 1"))
    goto(page, "CountPanel(")
    cell.get_by_label("Filters 1").fill("16")
    cell.get_by_label("Filters 1").press("Tab")
    # The first is the widget's, the second is what it leaves, hidden.
    # 5 x 5 x 3 x 16 + 16 in place of 2,432, and the second layer has 16 maps coming in
    cell.get_by_text("1,216", exact=True).first.wait_for()
    cell.get_by_text("9,280", exact=True).first.wait_for()
    cell.get_by_label("Last feature maps").select_option("global average")
    cell.get_by_text("GlobalAveragePooling2D").first.wait_for()

    goto(page, "KernelSlider(")
    cell = page.locator(".jp-Cell", has_text="KernelSlider(")
    cell.get_by_role("slider", name="Column").press("ArrowRight")
    cell.locator("img[alt*='at row 20, column 22.']").wait_for()


@pytest.mark.slow
def test_how_a_network_learns(page, jupyter):
    opened(page, jupyter, "01_how_a_network_learns.ipynb")
    no_error(page)
    goto(page, "DescentSlider(")
    cell = page.locator(".jp-Cell", has_text="DescentSlider(")
    rate = cell.get_by_role("slider", name="Learning rate")
    assert rate.bounding_box()["width"] > 100
    assert cell.get_by_text("This figure in words").last.is_hidden()  # what a saved notebook keeps
    rate.press("ArrowRight")
    cell.locator("img[alt^='Learning rate 0.005:'][alt*='in 10 steps']").wait_for()


def test_without_a_kernel_only_the_lost_widget_is_hidden(page):
    """What was printed above it, its picture and its words stay."""
    lost = '<div class="jupyter-widgets">model not found</div>'
    printed = '<div class="jp-RenderedText">printed</div>'
    image = '<div class="jp-RenderedImage">picture</div>'
    asked, drawn = Paper(), Paper()
    asked.replace(Markup("asked"), "asked")
    drawn.replace(Markup("words"), "words", object())
    parts = [printed, lost, asked._html, printed, lost, image, drawn._html, printed]
    blank = page.context.new_page()
    try:
        blank.set_content("".join(f'<div class="jp-OutputArea-child">{part}</div>' for part in parts))
        texts = [part.inner_text() for part in blank.locator(".jp-OutputArea-child:visible").all()]
        assert texts == ["printed", "asked", "printed", "picture", "words", "printed"]
    finally:
        blank.close()


def run_cell(page, source):
    """Run the code cell that contains this source."""
    page.evaluate(
        """async (source) => {
            const content = jupyterapp.shell.currentWidget.content;
            content.activeCellIndex = content.widgets.findIndex(
                cell => cell.model.type === 'code' && cell.model.sharedModel.source.includes(source));
            await jupyterapp.commands.execute('notebook:run-cell');
        }""",
        source,
    )


def goto(page, source):
    """Scroll to the code cell that contains this source."""
    page.evaluate(
        """async (source) => {
            const content = jupyterapp.shell.currentWidget.content;
            const i = content.widgets.findIndex(
                cell => cell.model.type === 'code' && cell.model.sharedModel.source.includes(source));
            await content.scrollToItem(i, 'start');
        }""",
        source,
    )
