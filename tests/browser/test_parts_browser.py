"""The parts of the stage as JupyterLab shows them: pictures, sliders, and keys that stay in the Lab."""

import pytest
from driving import button, execute, open_notebook
from playwright.sync_api import expect

PICTURE = """
import threading, time
from IPython.display import display
from ipywidgets import HTML, Button
from tl_widgets.core.html import escape
from tl_widgets.widgets.shared.html import style
from tl_widgets.widgets.shared.picture import Picture

NAME = escape('<b>"')

def drawn(n, chosen="", lines=1):
    points = "".join(
        f'<g data-stop="{i}" aria-label="Epoch {i}"><circle cx="{20 + 30 * i}" cy="{60 - i}" r="9"/></g>'
        for i in range(1, n + 1))
    layers = "".join(
        f'<g data-click="{key}" aria-label="Layer {key}" aria-pressed="{str(key == chosen).lower()}">'
        f'<rect x="{x}" y="90" width="60" height="30"/></g>' for key, x in (("one", 10), ("two", 90)))
    grid = '<line x1="0" x2="400" y1="80" y2="80"/>' * lines
    return (f'<svg width="400" height="130" role="group" aria-label="Drawing {n}">{grid}'
            f'<g data-roam tabindex="0" role="group" aria-label="Curve">{points}</g>{layers}</svg>'
            f'<button data-click="{NAME}">Native</button>')

clicks = []
picture = Picture(drawn(3))
picture.on_click(clicks.append)

def race(seconds=3):
    def grow():
        for i in range(7 * seconds):
            picture.markup = drawn(4 + i % 3, "one" if i % 2 else "", 1 + i % 4)
            time.sleep(1 / 7)
        picture.markup = drawn(8)
    threading.Thread(target=grow).start()

display(HTML(style()), Button(description="Before"), picture, Button(description="After"))
"""


@pytest.fixture
def show(page, jupyter):
    """A function that opens a notebook of one cell with widgets."""

    def open_it(name, code):
        page.set_viewport_size({"width": 1600, "height": 1600})  # all in view: no scrolling under the mouse
        open_notebook(page, jupyter, jupyter.notebook(name, code, "1 + 1"))
        page.wait_for_function("() => document.activeElement.closest('.jp-Notebook')")
        return page

    return open_it


def wait_current(page, *names):
    """Wait until the marked elements are these: the browser reports moves of the mouse with its next frame."""
    page.wait_for_function(
        """(names) => String(names) === String(
            [...document.querySelectorAll('.tlw-markup .tlw-current')].map((one) => one.ariaLabel))""",
        arg=list(names),
    )


def focused(page):
    return page.evaluate("() => document.activeElement.ariaLabel || document.activeElement.textContent")


def clicks(page):
    return execute(page, "print(*clicks); clicks.clear()").split()


def test_a_click_enter_and_space_arrive_once(show):
    page = show("clicks.ipynb", PICTURE)
    button(page, "Layer two").click()
    assert clicks(page) == ["two"]
    assert focused(page) == "Layer two"
    for key in ("Enter", "Space"):
        page.keyboard.press(key)
    button(page, "Native").press("Enter")
    button(page, "Native").press("Space")
    assert clicks(page) == ["two", "two", '<b>"', '<b>"']
    page.mouse.click(*middle(button(page, "Layer one")))
    page.mouse.dblclick(*middle(button(page, "Layer one")))
    assert clicks(page) == ["one"] * 3


def middle(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_container_is_one_tab_stop_in_which_arrows_and_the_mouse_move(show):
    page = show("roam.ipynb", PICTURE)
    button(page, "Before").focus()
    reached = []
    for _ in range(5):
        page.keyboard.press("Tab")
        reached.append(focused(page))
    assert reached == ["Epoch 1", "Layer one", "Layer two", "Native", "After"]
    wait_current(page)
    for _ in range(4):
        page.keyboard.press("Shift+Tab")
    wait_current(page, "Epoch 1")
    assert focused(page) == "Epoch 1"
    ways = {"ArrowRight": 2, "ArrowDown": 3, "PageDown": 3, "ArrowLeft": 2, "Home": 1, "ArrowUp": 1, "End": 3}
    for key, name in ways.items():
        page.keyboard.press(key)
        wait_current(page, f"Epoch {name}")
        assert focused(page) == f"Epoch {name}"
    page.get_by_label("Epoch 1").hover()
    wait_current(page, "Epoch 1")
    assert focused(page) == "Epoch 3"
    page.mouse.move(0, 0)
    wait_current(page, "Epoch 3")
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    assert focused(page) == "Epoch 3"  # the stop that was left
    button(page, "Before").focus()
    wait_current(page)
    page.get_by_label("Epoch 2").hover()
    wait_current(page, "Epoch 2")
    assert focused(page) == "Before"


def test_new_markup_leaves_elements_focus_hover_and_a_press_in_place(show):
    page = show("race.ipynb", PICTURE)
    page.evaluate(
        """() => {
            const root = document.querySelector('.tlw-markup');
            window.kept = [...root.querySelectorAll('svg, [data-roam], [data-stop], [data-click]')];
            window.blank = window.renders = 0;
            window.blurs = [];
            root.addEventListener('focusout', ({target}) => window.blurs.push(target.ariaLabel));
            new MutationObserver(() => {
                window.renders += 1;
                if (!root.querySelector('[data-stop="3"]')) window.blank += 1;
            }).observe(root, {subtree: true, childList: true, attributes: true});
        }"""
    )
    page.get_by_label("Epoch 1").focus()
    page.keyboard.press("ArrowRight")
    page.mouse.move(*middle(button(page, "Layer two")))
    page.mouse.down()
    execute(page, "race()")
    page.get_by_label("Drawing 8").wait_for()
    page.mouse.up()  # pressed before the race
    assert clicks(page) == ["two"]
    assert page.evaluate("() => window.kept.every((one) => one.isConnected)")
    assert page.evaluate("() => window.blank") == 0
    assert page.evaluate("() => window.renders") > 15
    button(page, "Layer one").click()
    assert clicks(page) == ["one"]

    page.get_by_label("Epoch 8").focus()
    page.evaluate("() => { window.blurs = []; }")
    execute(page, "race(2)")
    expect(page.get_by_label("Epoch 8")).to_have_count(0)
    assert focused(page) in {f"Epoch {i}" for i in range(1, 7)}  # its container's Tab stop
    page.keyboard.press("Home")
    page.evaluate("() => { window.blurs = []; }")
    page.get_by_label("Drawing 8").wait_for()
    wait_current(page, "Epoch 1")
    assert focused(page) == "Epoch 1"
    assert page.evaluate("() => window.blurs") == []
    execute(page, "picture.markup = '<p>Nothing to draw yet.</p>'")
    page.get_by_text("Nothing to draw yet.").wait_for()
    assert page.evaluate("() => document.activeElement.className") == "tlw-markup"


SLIDERS = """
from ipywidgets import HTML, VBox
from tl_widgets.core.config import Config
from tl_widgets.core.settings import settings_of
from tl_widgets.widgets.shared.form import Form
from tl_widgets.widgets.shared.html import style
from tl_widgets.widgets.shared.settings import CONTROLS, LabSettings
from tl_widgets.widgets.shared.source import DataSource

POSITIONS = {
    "n_per_class": range(2, 51),
    "epochs": range(1, 31),
    "image_size": (32, 64, 96, 128),
    "learning_rate": settings_of(Config)["learning_rate"].kind.usual,
}

class SliderForm(Form):
    def __init__(self):
        super().__init__(LabSettings(), DataSource())
        self._make_fields([CONTROLS[name] for name in POSITIONS], POSITIONS)
        self.children = [HTML(style()), self.problem, *self._controls().values()]
        self.add_class("tlw")
        self._show()
    def _images(self, settings):
        return settings

seen = []
form = SliderForm()
form.follow(lambda settings: seen.append(settings.values["epochs"]))
form
"""


def slider(page, name):
    return page.get_by_role("slider", name=name, exact=True)


def number(page, name):
    return page.get_by_label(f"{name}, as a number", exact=True)


def wait_value(page, name, value, spoken):
    """Wait until a slider and its field show a value."""
    expect(slider(page, name)).to_have_attribute("aria-valuetext", spoken)
    expect(number(page, name)).to_have_value(value)


def setting(page, name, value):
    """Wait until the kernel has a value."""
    for _ in range(400):
        if execute(page, f"print(form.settings.values[{name!r}])") == f"{value}\n":
            return
        page.wait_for_timeout(50)
    assert execute(page, f"print(form.settings.values[{name!r}])") == f"{value}\n"


def test_a_slider_by_keyboard(show):
    page = show("slider-keys.ipynb", SLIDERS)
    wait_value(page, "Image size", "96", "96 pixels")
    slider(page, "Images per class").focus()
    order = []
    for _ in range(3):
        page.keyboard.press("Tab")
        order.append(page.evaluate("() => document.activeElement.labels[0].textContent"))
    assert order == ["Epochs", "Image size", "Learning rate"]  # one Tab stop each
    for key, value in [("ArrowRight", "0.003"), ("End", "0.1"), ("Home", "0.00001"), ("ArrowUp", "0.00003")]:
        page.keyboard.press(key)
        wait_value(page, "Learning rate", value, value)
    setting(page, "learning_rate", 3e-05)
    slider(page, "Image size").press("ArrowLeft")
    wait_value(page, "Image size", "64", "64 pixels")
    setting(page, "image_size", 64)
    page.keyboard.type("80")  # goes on in the field
    assert page.evaluate("() => document.activeElement.ariaLabel") == "Image size, as a number"
    page.keyboard.press("Enter")
    wait_value(page, "Image size", "80", "80 pixels")
    expect(slider(page, "Image size")).to_be_focused()
    setting(page, "image_size", 80)
    page.keyboard.press("ArrowRight")
    wait_value(page, "Image size", "96", "96 pixels")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowUp")
    wait_value(page, "Image size", "128", "128 pixels")
    page.keyboard.type("7")
    page.keyboard.press("Escape")
    wait_value(page, "Image size", "128", "128 pixels")
    setting(page, "image_size", 128)
    execute(page, "form.settings = LabSettings(image_size=32)")
    wait_value(page, "Image size", "32", "32 pixels")
    execute(page, "form.enabled = False")
    expect(slider(page, "Image size")).to_be_disabled()
    expect(number(page, "Image size")).to_be_disabled()


def test_a_slider_by_mouse_sends_few_values_and_always_the_last(show):
    page = show("slider-mouse.ipynb", SLIDERS)
    epochs = slider(page, "Epochs")
    wait_value(page, "Epochs", "10", "10")
    box = epochs.bounding_box()
    y = box["y"] + box["height"] / 2
    execute(page, "seen.clear()")
    page.evaluate(
        """() => {
            window.times = [];
            for (const name of ['pointerdown', 'pointerup'])
                window.addEventListener(name, () => window.times.push(performance.now()), true);
        }"""
    )
    page.mouse.move(box["x"] + box["width"] * 9 / 29, y)
    page.mouse.down()
    for _ in range(20):
        for share in (*range(10, 90), *range(89, 60, -1)):
            page.mouse.move(box["x"] + box["width"] * share / 100, y)
        if int(execute(page, "print(len(seen))")) >= 3:
            break
    shown = number(page, "Epochs").input_value()
    page.mouse.up()
    wait_value(page, "Epochs", shown, shown)
    setting(page, "epochs", shown)
    n, last = execute(page, "print(len(seen), seen[-1])").split()
    assert last == shown
    down, up = page.evaluate("() => window.times")  # when they arrive in the kernel says less: it may be busy
    assert 3 <= int(n) <= 15 * (up - down) / 1000 + 2
    assert 15 <= int(shown) <= 22


def test_a_number_out_of_range_is_rejected_and_nothing_is_clipped_at_150_pixels(show):
    page = show("slider-range.ipynb", SLIDERS)
    execute(page, "for field in form.fields.values(): field.widget.layout.width = '150px'")
    number(page, "Image size").fill("5000")
    page.keyboard.press("Tab")
    page.get_by_role("alert").get_by_text(
        "choose a number from 16 to 512 (the slider ends at 128); received 5000."
    ).wait_for()
    wait_value(page, "Image size", "96", "96 pixels")
    number(page, "Images per class").fill("5000")
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("Choose at most").wait_for()
    number(page, "Epochs").fill("")
    page.keyboard.press("Enter")
    expect(number(page, "Epochs")).to_have_value("10")
    number(page, "Epochs").fill("12")
    page.keyboard.press("Enter")
    setting(page, "epochs", 12)
    expect(page.get_by_role("alert").get_by_text("Choose at most")).to_have_count(0)
    number(page, "Learning rate").fill("0.00001")
    page.keyboard.press("Enter")
    wait_value(page, "Learning rate", "0.00001", "0.00001")
    clipped = page.locator(".tlw-slider :is(label, span, input, div)").evaluate_all(
        "all => all.filter((one) => one.scrollWidth > one.clientWidth + 1 && one.clientWidth)"
        ".map((one) => one.outerHTML)"
    )
    assert clipped == []
    sizes = page.locator(".tlw-slider").evaluate_all("all => all.map((one) => [one.offsetWidth, one.offsetHeight])")
    assert all(width <= 150 and height <= 44 for width, height in sizes), sizes
