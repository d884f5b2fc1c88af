"""A learner's own images in the Lab: uploads through the browser, from a good zip to a hostile one."""

import itertools
import re
import shutil
import sys
import zipfile
from pathlib import Path

import pytest
from driving import button, choose_files, open_notebook, photograph, set_theme, wait_state
from playwright.sync_api import expect

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from helpers import fill, huge_png, png, write_people, write_walks, zipped

MARKUP = "<img src=x onerror=alert(1)>"
SHOW = """
from tl_widgets import Config, ScratchSpec, TransferLab
from tl_widgets.widgets import LabSettings
scratch = ScratchSpec(filters=(4, 4), kernel_sizes=(3, 3), dense_units=8)
lab = TransferLab(settings=LabSettings(image_size=32, config=Config(epochs=2, scratch=scratch)))
lab
"""


@pytest.fixture
def images(page, jupyter):
    """The tab "My pictures" of a fresh Lab, in which no script of a name may run; nothing was uploaded before."""
    shutil.rmtree(jupyter.folder / "my_images", ignore_errors=True)

    def fail(dialog):
        pytest.fail(f"a script ran: {dialog.message}")

    page.on("dialog", fail)
    open_notebook(page, jupyter, jupyter.notebook("images.ipynb", SHOW))
    open_tab(page)
    yield page
    page.remove_listener("dialog", fail)


def open_tab(page):
    wait_state(page, "idle")
    button(page, "My pictures").click()
    page.get_by_text("Name a class and add its pictures").wait_for()


def upload(page, label, files):
    """Choose files in the dialogue that an upload's button opens."""
    choose_files(page, page.get_by_role("button", name=re.compile(rf"^\W*{label}")), files)


def write(folder, name, data):
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)
    return folder / name


def use(page):
    button(page, "Use these images").click()
    page.get_by_text("The Lab now uses").wait_for()


def test_a_zip_is_uploaded_edited_used_and_trained_on(images, jupyter, tmp_path):
    page = images
    for i, name in enumerate(("cat", "dog")):
        fill(tmp_path / "pets" / name, 12, start=20 * i)
    archive = zipped(tmp_path / "pets", tmp_path / "pets.zip")
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr("../../outside/evil.png", png(1))
        opened.writestr("cat/page.jpg", b"<html><script>alert(2)</script>")
        opened.writestr(f"cat/{MARKUP}.jpg", b"words")
        opened.writestr("dog/huge.png", huge_png(50_000, 50_000))
    upload(page, "Upload a zip", archive)
    page.get_by_text("pets: 27 files in 2 classes").wait_for()
    page.get_by_text("../../outside/evil.png: a name that points outside the archive").wait_for()
    for said in ("cat/page.jpg: a web page", f"cat/{MARKUP}.jpg: not an image", "dog/huge.png: far too many pixels"):
        page.get_by_text(said).wait_for()
    assert not (jupyter.folder.parent / "outside").exists()
    page.get_by_label("Class 1", exact=True).fill(MARKUP)
    page.keyboard.press("Enter")
    button(page, "Look").first.click()
    expect(page.get_by_label("Look through").locator("option").first).to_have_text(MARKUP)
    page.get_by_label("0.png", exact=True).uncheck()
    photograph(page, "images-edited")
    use(page)
    expect(page.get_by_label("Dataset", exact=True)).to_have_value("pets · yours")
    expect(page.get_by_label(MARKUP, exact=True)).to_be_checked()
    button(page, "Train both").click()
    wait_state(page, "done")
    page.get_by_role("tab", name="Result", exact=True).click()
    assert "Run 1: pets" in page.locator(".tlw-verdict").inner_text()
    page.get_by_role("tab", name="Predictions", exact=True).click()
    page.locator("figcaption b", has_text=MARKUP).first.wait_for()
    page.get_by_role("tab", name="Code", exact=True).click()
    page.get_by_text(f'FOLDER_OF = {{"{MARKUP}": "cat"}}').wait_for()
    assert page.locator("img[onerror]").count() == 0


def test_pictures_for_two_classes_and_wrong_files(images, jupyter, tmp_path):
    page = images
    expect(button(page, "Upload: a new class")).to_be_disabled()
    page.get_by_label("Class name", exact=True).fill(MARKUP)
    upload(page, "Upload: a new class", [write(tmp_path, f"{i}.png", png(i)) for i in range(5)])
    page.get_by_text("Added 5 pictures to").wait_for()
    page.get_by_text("Not ready to train on yet.").wait_for()
    page.get_by_label("Class name", exact=True).fill("blue")
    wrong = [write(tmp_path, "text.jpg", b"words"), write(tmp_path, "big.png", huge_png(50_000, 50_000))]
    upload(page, "Upload: a new class", [*wrong, *(write(tmp_path, f"b{i}.png", png(50 + i)) for i in range(5))])
    page.get_by_text("Added 5 pictures to blue").wait_for()
    page.get_by_role("alert").filter(has_text="2 could not be used").wait_for()
    page.get_by_text("text.jpg: not an image of a kind that is read here").wait_for()
    upload(page, "Upload: a new class", wrong)
    page.get_by_role("alert").filter(has_text="None of the 2 files could be used").wait_for()
    upload(page, "Upload a zip", write(tmp_path, "no.zip", b"words"))
    page.get_by_role("alert").filter(has_text="no.zip is not a zip archive").wait_for()
    use(page)
    expect(page.get_by_label("Dataset", exact=True)).to_have_value("photos · yours")
    assert "Traceback" not in page.locator(".tlw-lab").inner_text()
    kept = sorted(path.name for path in (jupyter.folder / "my_images" / "photos").iterdir())
    assert kept == ["_img src=x onerror=alert(1)_", "blue"]


CUT = """() => {
    const shown = [...document.querySelectorAll('.tlw-images button, .tlw-images select, .tlw-images label')]
        .filter(e => e.offsetParent);
    const columns = [...document.querySelectorAll('.tlw-pictures, .tlw-train, .tlw-trial')];
    return [...shown, ...columns].filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent);
}"""
CONTRAST = """() => {
    const rgb = text => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = e => {
        const color = rgb(getComputedStyle(e).backgroundColor);
        return color.length < 4 || color[3] > 0 ? color : ground(e.parentElement);
    };
    const hasText = e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    const texts = [...document.querySelectorAll('.tlw-images *')]
        .filter(e => e.offsetParent && !e.closest(':disabled') && hasText(e));
    return texts.map(e => {
        const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
        return [(a + 0.05) / (b + 0.05), e.textContent];
    }).filter(([ratio]) => ratio < 4.5);
}"""


def test_every_state_fits_its_box_and_can_be_read_in_both_themes(images, jupyter):
    page = images
    for i in range(5):
        fill(jupyter.folder / "zoo" / f"animal {i}", 14, start=300 + 40 * i)
    fill(jupyter.folder / "flat", 2, start=900)
    write_walks(jupyter.folder / "walks")  # what is kept together stays so
    write_people(jupyter.folder / "people")
    button(page, "Refresh").click()
    menu = page.get_by_label("Folder or zip", exact=True)

    themes = ["dark", "light"]

    def check(name):
        for theme, width in itertools.product(themes, (1366, 1032)):
            set_theme(page, theme)
            page.set_viewport_size({"width": width, "height": 768})
            page.locator(".tlw-images").scroll_into_view_if_needed()
            photograph(page, f"images-{name}-{theme}-{width}")
            assert page.evaluate(CUT) == [], (name, theme, width)
            assert page.evaluate(CONTRAST) == [], (name, theme, width)
            box = page.locator(".tlw-views > .widget-tab-contents").bounding_box()
            assert width < 1366 or box["height"] == 300, (name, theme, width)
        themes.reverse()  # the next state begins in the theme in which this one ends

    check("empty")
    menu.select_option(label="flat (can’t be used)")
    page.get_by_text("Make one sub-folder for each class").wait_for()
    expect(button(page, "Open")).to_be_disabled()
    check("unusable")
    menu.select_option(label="people")
    button(page, "Open").click()
    page.get_by_text("Which column of people.csv names the pictures’ files?").wait_for()
    button(page, "Open with this column").click()
    page.get_by_text("Which column of people.csv holds the classes?").wait_for()
    check("columns")
    button(page, "Open with this column").click()
    page.get_by_text("people: 24 files in 2 classes").wait_for()
    menu.select_option(label="walks")
    button(page, "Open").click()
    page.get_by_text("24 pictures look almost like another one.").wait_for()
    check("alike")
    page.get_by_label("These belong together", exact=True).select_option(index=1)
    page.get_by_text("Kept together: 48 images in 24 groups.").wait_for()
    expect(button(page, "Leave copies out")).to_be_hidden()
    check("together")
    menu.select_option(label="zoo")
    button(page, "Open").click()
    page.get_by_text("Only 20 test pictures").wait_for()
    check("open")
    button(page, "Look").first.click()
    page.get_by_label("300.png", exact=True).wait_for()
    check("look")
    button(page, "Back to the classes").click()
    page.context.grant_permissions(["clipboard-read"])  # and nothing else, such as the camera
    button(page.locator(".tlw-new-class"), "Camera").click()
    page.locator(".tlw-images [role=alert]").filter(has_text="was not allowed to use the camera").wait_for()
    check("camera")


def test_the_keyboard_alone_leads_from_pictures_to_training(images, jupyter):
    page = images
    for i, name in enumerate(("left", "right")):
        fill(jupyter.folder / "sides" / name, 8, start=700 + 20 * i)
    button(page, "Refresh").focus()
    page.keyboard.press("Enter")
    menu = page.get_by_label("Folder or zip", exact=True)
    expect(menu.locator("option", has_text="sides")).to_have_count(1)
    menu.focus()
    page.keyboard.type("sides")  # "d" twice would delete the cell
    expect(menu.locator("option:checked")).to_have_text("sides")
    expect(button(page, "Open")).to_be_enabled()
    page.keyboard.press("Tab")
    expect(button(page, "Open")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_text("sides: 16 files in 2 classes").wait_for()
    button(page, "Look").last.focus()
    page.keyboard.press("Space")
    expect(button(page, "Back to the classes")).to_be_focused()
    page.get_by_label("720.png", exact=True).focus()
    page.keyboard.press("Space")
    page.get_by_text("sides: 15 files in 2 classes").wait_for()
    button(page, "Back to the classes").focus()
    page.keyboard.press("Space")
    expect(page.get_by_label("Class name", exact=True)).to_be_focused()
    page.get_by_label("Test every picture once, in 5 folds", exact=True).wait_for(
        state="hidden"
    )  # unread, so no advice
    button(page, "Train on these").focus()
    page.keyboard.press("Enter")
    wait_state(page, "done")
    expect(page.locator(".jp-Cell")).to_have_count(1)
    button(page, "My pictures").click()
    button(page, "New set").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Class name", exact=True)).to_be_focused()
    page.get_by_text("in a new set").wait_for()


def test_the_cell_that_is_run_again_after_a_restart_has_the_uploads(images, jupyter, tmp_path):
    page = images
    for k, name in enumerate(("red", "green")):
        page.get_by_label("Class name", exact=True).fill(name)
        files = [write(tmp_path, f"{name}{i}.png", png(500 + 50 * k + i)) for i in range(4)]
        upload(page, "Upload: a new class", files)
        page.get_by_text(f"Added 4 pictures to {name}").wait_for()
    (folder,) = (path for path in (jupyter.folder / "my_images").iterdir() if (path / "red").is_dir())
    page.evaluate(
        """async () => {
            await jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart();
            await jupyterapp.commands.execute('notebook:run-all-cells');
        }"""
    )
    open_tab(page)
    menu = page.get_by_label("Folder or zip", exact=True)
    menu.select_option(label=f"my_images/{folder.name}")
    button(page, "Open").click()
    page.get_by_text(f"{folder.name}: 8 files in 2 classes").wait_for()
    button(page, "Train on these").click()
    wait_state(page, "done")
    page.get_by_role("tab", name="Result", exact=True).click()
    assert f"Run 1: {folder.name}" in page.locator(".tlw-verdict").inner_text()
