"""CameraView in Chromium, with the camera that Chromium plays for tests, without one, and where none is allowed."""

import re

import pytest
from driving import FAR, button, open_notebook, photograph, set_theme, wait_state

SHOW = """
from pathlib import Path
from tl_widgets.widgets.images.camera import CameraView
def keep(name, picture):
    Path(f"{name}-{len(list(Path('.').glob('*.jpg')))}.jpg").write_bytes(picture)
camera = CameraView(keep, class_names=["<b>cup</b>", "plant"])
camera
"""


@pytest.fixture
def camera_page(page):
    """A page that may use the camera."""
    page.set_viewport_size({"width": 1000, "height": 800})
    page.context.grant_permissions(["camera"])
    yield page
    page.context.clear_permissions()


def state(page, name):
    page.locator(f'[data-camera="{name}"]').wait_for()


def photographs(page, name):
    photograph(page.locator(".tlw-camera"), f"camera-{name}")


def test_pictures_come_by_keyboard_alone_and_the_camera_goes_off(camera_page, jupyter):
    from PIL import Image
    from playwright.sync_api import expect

    page = camera_page
    jupyter.notebook("camera.ipynb", SHOW)
    open_notebook(page, jupyter, "camera.ipynb")
    button(page, "Start camera").focus()
    page.keyboard.press("Space")
    state(page, "on")
    tracks = page.evaluate_handle("() => document.querySelector('.tlw-camera video').srcObject.getTracks()")
    photographs(page, "light")
    expect(button(page, "Take picture")).to_be_focused()
    page.keyboard.press("Space")
    page.get_by_role("alert").filter(has_text="Give the class a name first").wait_for()
    expect(page.get_by_label("Class", exact=True)).to_be_focused()
    assert page.locator("datalist option").evaluate_all("all => all.map(e => e.value)") == ["<b>cup</b>", "plant"]
    page.keyboard.type("plant")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.get_by_text("plant: 1 picture taken.", exact=True).wait_for()
    expect(page.get_by_role("alert").filter(has_text="name")).to_have_count(0)
    page.get_by_label("Pictures", exact=True).fill("3")
    button(page, "Take 3 pictures").click()
    page.get_by_text("plant: 4 pictures taken.", exact=True).wait_for()
    page.get_by_label("Pictures", exact=True).fill("1")
    page.get_by_label("Class", exact=True).fill("../up")
    button(page, "Take picture").click()
    page.get_by_role("alert").filter(has_text="can become a folder").wait_for()
    photographs(page, "light-alert")
    set_theme(page, "dark")
    photographs(page, "dark-alert")
    button(page, "Stop camera").click()
    state(page, "off")
    assert tracks.evaluate("all => all.map(track => track.readyState)") == ["ended"]
    files = sorted(jupyter.folder.glob("*.jpg"))
    assert [file.name for file in files] == ["plant-0.jpg", "plant-1.jpg", "plant-2.jpg", "plant-3.jpg"]
    pictures = [Image.open(file) for file in files]
    assert {picture.size for picture in pictures} == {(512, 512)}  # from a camera of 1,024 x 768
    greens = [picture.getchannel("G").getextrema() for picture in pictures]
    assert all(low < 150 < 230 < high for low, high in greens)  # its light sector on dark green, not a black frame
    assert len({file.read_bytes() for file in files}) > 1  # its clock moves


LAB = """
from tl_widgets import Config, ScratchSpec, TransferLab
from tl_widgets.widgets import LabSettings
scratch = ScratchSpec(filters=(4, 4), kernel_sizes=(3, 3), dense_units=8)
lab = TransferLab(settings=LabSettings(image_size=32, config=Config(epochs=2, scratch=scratch)))
lab
"""


def test_two_classes_by_camera_alone_and_a_photograph_that_both_models_answer(camera_page, jupyter):
    from playwright.sync_api import expect

    page = camera_page
    page.set_viewport_size({"width": 1366, "height": 800})
    jupyter.notebook("classes.ipynb", LAB)
    open_notebook(page, jupyter, "classes.ipynb")
    wait_state(page, "idle")
    button(page, "My pictures").click()
    images = page.locator(".tlw-images")
    now = "document.querySelector('.tlw-images .tlw-camera video').currentTime"
    ended = 0.0
    for name in ("left", "right"):
        page.get_by_label("Class name", exact=True).fill(name)
        button(images.locator(".tlw-new-class"), "Camera").click()
        state(page, "on")  # without another press
        expect(images.get_by_label("Class", exact=True)).to_have_value(name)
        expect(images.get_by_role("button", name=re.compile("^Take"))).to_be_focused()
        images.get_by_label("Pictures", exact=True).fill("4")
        # Every start of the camera plays the same film, and the same picture in two classes can't be used.
        page.wait_for_function(f"ended => {now} > ended", arg=ended)
        button(page, "Take 4 pictures").click()
        page.get_by_text(f"{name}: 4 pictures taken.", exact=True).wait_for()
        ended = page.evaluate(now) + 0.5
        button(page, "Back to the classes").click()
        page.locator('[data-camera="on"]').wait_for(state="detached")
    page.get_by_text("8 files in 2 classes").wait_for()
    button(page, "Train on these").click()
    wait_state(page, "done", timeout=150_000)
    button(page, "Camera").click()
    state(page, "on")
    expect(page.locator(".tlw-try").get_by_label("Class", exact=True)).to_be_hidden()
    button(page, "Take picture").click()
    page.get_by_role("heading", name="Photograph 1").wait_for()
    assert page.get_by_role("table", name="Probabilities").get_by_role("cell").count() == 4
    photograph(page, "camera-try")
    button(page, "Close the camera").click()
    page.locator('[data-camera="on"]').wait_for(state="detached")


def test_the_camera_goes_off_when_the_widget_is_closed(camera_page, jupyter):
    page = camera_page
    jupyter.notebook("close.ipynb", SHOW)
    open_notebook(page, jupyter, "close.ipynb")
    button(page, "Start camera").click()
    state(page, "on")
    tracks = page.evaluate_handle("() => document.querySelector('.tlw-camera video').srcObject.getTracks()")
    # The kernel goes on: a cell of its own closes the widget.
    page.evaluate(
        """async () => {
            const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            await kernel.requestExecute({code: 'camera.close()'}).done;
        }"""
    )
    page.locator(".tlw-camera").wait_for(state="detached")
    assert tracks.evaluate("all => all.map(track => track.readyState)") == ["ended"]


def test_no_camera_is_said_at_once(chromium, jupyter):
    own = chromium()
    page = own.new_page()
    jupyter.notebook("none.ipynb", SHOW)
    open_notebook(page, jupyter, "none.ipynb")
    page.get_by_role("alert").filter(has_text="There is no camera on the computer").wait_for()
    button(page, "Start camera").click()
    page.get_by_role("alert").filter(has_text="Upload pictures instead").wait_for()
    photographs(page, "none")
    own.close()


def test_a_camera_that_is_not_allowed(page, jupyter):
    page.context.grant_permissions(["clipboard-read"])  # and nothing else
    jupyter.notebook("denied.ipynb", SHOW)
    open_notebook(page, jupyter, "denied.ipynb")
    button(page, "Start camera").click()
    page.get_by_role("alert").filter(has_text="was not allowed to use the camera").wait_for()
    assert button(page, "Start camera").is_enabled()
    page.context.clear_permissions()


def test_a_page_without_https(own_page, jupyter, monkeypatch):
    page = own_page
    page.set_viewport_size({"width": 600, "height": 800})
    jupyter.notebook("far.ipynb", SHOW)
    monkeypatch.setattr(jupyter, "host", FAR)
    open_notebook(page, jupyter, "far.ipynb")
    page.get_by_role("alert").filter(has_text="only to pages that come over https").wait_for()
    photographs(page, "http")
