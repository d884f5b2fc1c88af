"""TransferLab as a learner meets it: in Chromium, in a real JupyterLab, by labels and roles alone."""

import ast
import contextlib
import json
import re

from driving import TOKEN, button, execute, has, held, need, open_notebook, serve, wait_state

SMALL = """
from tl_widgets import Config, ScratchSpec, TransferLab
from tl_widgets.widgets import LabSettings
scratch = ScratchSpec(filters=(4, 4), kernel_sizes=(3, 3), dense_units=8)
config = Config(epochs=3, scratch=scratch)
settings = LabSettings(image_size=32, n_per_class=4, config=config)
"""
SHOW = f"{SMALL}lab = TransferLab(settings=settings)\nlab"
# In view all the time, and behind "More" by group.
SLIDERS = {"Image size": "48", "Images per class": "5", "Epochs": "4"}
FIELDS = {
    "From scratch": {"Blocks": "3", "Filters 1": "12", "Kernel 2": "5", "Dense units": "16", "Dropout": "0.25"},
    "Transfer": {"Head dropout": "0.1", "Augmentation": "1", "Fine-tune last blocks": "2"},
    "Training": {"Batch size": "8", "Seed": "3", "Repeats": "4"},
}
MENUS = {
    "From scratch": {"Pooling": "average", "Last feature maps": "global average"},
    "Transfer": {"Weights": "random: knows nothing"},
    "Training": {"Learning rate": "0.003"},
}


def tab(page, name):
    return page.get_by_role("tab", name=name, exact=True)


def test_every_control_can_be_found_by_its_label_and_changes_what_it_says(page, jupyter):
    jupyter.notebook("controls.ipynb", SHOW, "print(lab.settings.values)")
    open_notebook(page, jupyter, "controls.ipynb")
    wait_state(page, "idle")
    page.get_by_label("Dataset", exact=True).select_option("faces")
    for label, text in SLIDERS.items():
        set_number(page, label, text)
    button(page, "More").click()
    for group in FIELDS:
        tab(page, group).click()
        for label, text in MENUS[group].items():
            page.get_by_label(label, exact=True).select_option(text)
        for label, text in FIELDS[group].items():
            page.get_by_label(label, exact=True).fill(text)
            page.keyboard.press("Tab")
    tab(page, "Transfer").click()
    page.get_by_label("Also train a control").check()
    backbone = page.get_by_label("Backbone", exact=True)
    backbone.select_option(
        next(text for text in backbone.locator("option").all_inner_texts() if "MobileNetV2\xa0" in text)
    )
    # 3x3x3x12+12, 5x5x12x4+4, 3x3x4x8+8, 8x16+16, 16+1
    page.locator("b", has_text="1,281 parameters").wait_for()
    page.locator(".tlw-cost", has_text="2,257,984 frozen").wait_for()  # MobileNetV2's
    tab(page, "From scratch").click()
    page.locator("b", has_text="1,997 parameters").wait_for()
    tab(page, "Layers").click()
    page.get_by_role("cell", name="5 × 5 × 12 × 4 + 4", exact=True).wait_for()
    tab(page, "Layers").focus()
    for key in ("ArrowLeft", "Enter"):
        page.keyboard.press(key)
    page.get_by_text("After training: which class each model takes for which.").wait_for()
    run_last_cell(page)
    output = page.locator(".jp-OutputArea-output", has_text="'dataset'").last
    output.wait_for()
    values = ast.literal_eval(output.inner_text())
    assert (
        values.items()
        >= {
            "dataset": "faces",
            "classes": None,
            "image_size": 48,
            "n_per_class": 5,
            "filters": (12, 4, 8),
            "kernel_sizes": (3, 5, 3),
            "pooling": "average",
            "head": "global_average",
            "dense_units": 16,
            "dropout": 0.25,
            "backbone": "MobileNetV2",
            "weights": None,
            "head_dropout": 0.1,
            "augment": 1,
            "epochs": 4,
            "batch_size": 8,
            "learning_rate": 0.003,
            "seed": 3,
            "control": True,
            "repeats": 4,
            "fine_tune_blocks": 2,
        }.items()
    )


def set_number(page, label, text):
    """Type a number for a slider."""
    number = page.get_by_label(f"{label}, as a number", exact=True)
    number.fill(text)
    number.press("Enter")


def run_last_cell(page):
    page.evaluate(
        """async () => {
            const notebook = jupyterapp.shell.currentWidget.content;
            notebook.activeCellIndex = notebook.widgets.length - 1;
            await jupyterapp.commands.execute('notebook:run-cell');
        }"""
    )


def test_train_both_read_the_verdict_restore_a_run_save_and_run_the_script(page, jupyter):
    jupyter.notebook("train.ipynb", SHOW)
    open_notebook(page, jupyter, "train.ipynb")
    button(page, "Train both").click()
    page.get_by_role("progressbar", name="From scratch").wait_for()
    wait_state(page, "done")
    assert button(page, "Train both").is_enabled()
    assert button(page, "Stop").is_disabled()
    button(page, "Why?").click()
    verdict = page.locator(".tlw-verdict").inner_text()
    assert re.search(r"EfficientNetLite0 answers \d+\.\d% of the 90 test images correctly", verdict)
    assert "Run 1: textures, 12 training images of 32 pixels, 3 epochs" in verdict
    tab(page, "Curves").click()
    assert chart(page).bounding_box()["width"] > 300
    tab(page, "Predictions").click()
    page.get_by_text("90 test images; the models disagree on").wait_for()
    tab(page, "Confusion").click()
    page.get_by_role("table", name="Run 1, from scratch: ").wait_for()

    tab(page, "Curves").click()
    button(page, "More").click()
    tab(page, "Training").click()
    page.get_by_label("Seed", exact=True).fill("7")
    page.keyboard.press("Tab")
    button(page, "Train both").click()
    page.get_by_text("Run 2: textures").first.wait_for(state="attached")
    wait_state(page, "done")
    tab(page, "Runs").click()
    assert page.get_by_role("columnheader", name="seed").is_visible()
    page.get_by_label("Run", exact=True).select_option(index=0)
    page.get_by_label("Overlay with", exact=True).select_option(index=2)
    page.get_by_text("run 2 is dashed").wait_for()
    button(page, "Restore its settings").click()
    tab(page, "Curves").click()
    assert_value(page, "Seed", "0")

    tab(page, "Code").click()
    set_number(page, "Epochs", "1")
    page.get_by_text("EPOCHS = 1").wait_for()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button(page, "Copy").click()
    page.get_by_text("Copied.").wait_for()
    copied = page.evaluate("() => navigator.clipboard.readText()")
    button(page, "Save script").click()
    page.get_by_text("Saved transfer_learning.py").wait_for()
    script = jupyter.folder / "transfer_learning.py"
    assert script.read_text() == copied
    # In the kernel, where TensorFlow is loaded; tl_widgets is as well, but the script runs without it.
    assert not re.search(r"^\s*(from|import) tl_widgets", copied, re.MULTILINE)
    run = f"import runpy\nrunpy.run_path({script.name!r}, run_name='__main__')\nprint('to the end')"
    said = execute(page, run)
    assert said.endswith("to the end\n"), said[-2000:]
    assert "accuracy" in said


def assert_value(page, label, value):
    from playwright.sync_api import expect

    expect(page.get_by_label(label, exact=True)).to_have_value(value)


def test_stop_in_the_middle_and_go_on(page, jupyter):
    jupyter.notebook("stop.ipynb", SHOW.replace("epochs=3", "epochs=10_000"))
    open_notebook(page, jupyter, "stop.ipynb")
    button(page, "Train both").click()
    page.get_by_text(re.compile("training: epoch")).first.wait_for()
    assert page.get_by_label("Epochs, as a number", exact=True).is_disabled()
    button(page, "Stop").click()
    wait_state(page, "stopped")
    page.get_by_text(re.compile(r"^Stopped\.")).wait_for()
    assert page.get_by_label("Epochs, as a number", exact=True).is_enabled()
    set_number(page, "Epochs", "2")
    button(page, "Train both").click()
    wait_state(page, "done")
    page.get_by_text("Run 2: textures").first.wait_for(state="attached")


def test_trouble_is_a_sentence_in_an_alert(page, jupyter):
    jupyter.notebook("trouble.ipynb", SHOW)
    open_notebook(page, jupyter, "trouble.ipynb")
    button(page, "More").click()
    tab(page, "From scratch").click()
    page.get_by_label("Blocks", exact=True).fill("6")
    page.keyboard.press("Tab")
    page.get_by_role("alert").filter(has_text="until none is left").first.wait_for()
    button(page, "Train both").click()
    wait_state(page, "error")
    assert "Traceback" not in page.locator(".tlw-lab").inner_text()
    button(page, "Undo 2 changes").click()
    page.get_by_role("alert").first.wait_for(state="detached")
    assert_value(page, "Blocks", "2")


def test_a_notebook_that_is_closed_while_it_trains_is_found_again(page, jupyter):
    jupyter.notebook("closed.ipynb", SHOW)
    open_notebook(page, jupyter, "closed.ipynb")
    with held(page, "event.phase == 'train'"):
        button(page, "Train both").click()
        page.get_by_text(re.compile("training: epoch")).first.wait_for()
        page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
        page.goto("about:blank")
        open_notebook(page, jupyter, "closed.ipynb", run=False)
        wait_state(page, "running")
    wait_state(page, "done")
    assert button(page, "Train both").is_enabled()


def chart(page):
    return page.get_by_role("group", name=re.compile("^Line chart of accuracy by epoch"))


def test_notebook_7(own_page, jupyter):
    from playwright.sync_api import TimeoutError as PlaywrightTimeout

    page = own_page
    need(has("notebook"), "the package notebook")
    jupyter.notebook("nb.ipynb", SHOW)
    page.goto(f"{jupyter.url}/notebooks/nb.ipynb?token={TOKEN}")
    page.get_by_text("Python 3 (ipykernel)").first.wait_for()
    for _ in range(3):  # on a busy machine the page shows its cell before the notebook takes keys
        page.locator(".jp-CodeCell").first.click()
        page.keyboard.press("Control+Enter")
        with contextlib.suppress(PlaywrightTimeout):
            button(page, "Train both").wait_for(timeout=20_000)
            break
    button(page, "Train both").click()
    wait_state(page, "done")
    chart(page).wait_for()
    save_all(page)
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="record.json").click()
    opened.value.wait_for_load_state()
    assert opened.value.url.endswith("/files/transfer-learning-run/record.json")
    assert json.loads(opened.value.locator("body").inner_text())["format"]
    opened.value.close()


def save_all(page):
    tab(page, "Save").click()
    button(page, "Save all").click()
    page.get_by_text("Saved in the folder transfer-learning-run beside the notebook.").wait_for()


def test_voila(own_page, tmp_path):
    page = own_page
    need(has("voila"), "the package voila")
    with serve(tmp_path, "voila", "--Voila.ip=127.0.0.1") as server:
        server.notebook("app.ipynb", SHOW)
        page.goto(f"{server.url}/voila/render/app.ipynb")
        button(page, "Train both").click()
        wait_state(page, "done")
        chart(page).wait_for()
        save_all(page)
        page.get_by_text(str(server.folder / "transfer-learning-run" / "record.json")).wait_for()
        assert page.get_by_role("link", name="record.json").count() == 0
