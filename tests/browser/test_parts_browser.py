"""The parts of the stage as JupyterLab shows them: pictures, sliders, and keys that stay in the Lab."""

import pytest
from driving import open_notebook
from playwright.sync_api import expect
from test_upload_browser import execute

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

    def open_it(name, code, theme="light"):
        open_notebook(page, jupyter, jupyter.notebook(name, code, "1 + 1"), theme=theme)
        page.wait_for_function("() => document.activeElement.closest('.jp-Notebook')")
        return page

    return open_it


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def current(page):
    return page.locator(".tlw-markup .tlw-current").evaluate_all("all => all.map((one) => one.ariaLabel)")


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
    assert current(page) == []
    for _ in range(4):
        page.keyboard.press("Shift+Tab")
    assert (focused(page), current(page)) == ("Epoch 1", ["Epoch 1"])
    ways = {"ArrowRight": 2, "ArrowDown": 3, "PageDown": 3, "ArrowLeft": 2, "Home": 1, "ArrowUp": 1, "End": 3}
    for key, name in ways.items():
        page.keyboard.press(key)
        assert (focused(page), current(page)) == (f"Epoch {name}", [f"Epoch {name}"]), key
    page.mouse.move(*middle(page.get_by_label("Epoch 1")))
    assert (focused(page), current(page)) == ("Epoch 3", ["Epoch 1"])
    page.mouse.move(0, 0)
    assert current(page) == ["Epoch 3"]
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    assert focused(page) == "Epoch 3"  # the stop that was left
    button(page, "Before").focus()
    assert current(page) == []
    page.get_by_label("Epoch 2").hover()
    assert (focused(page), current(page)) == ("Before", ["Epoch 2"])


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
    assert (focused(page), current(page)) == ("Epoch 1", ["Epoch 1"])
    assert page.evaluate("() => window.blurs") == []
    execute(page, "picture.markup = '<p>Nothing to draw yet.</p>'")
    page.get_by_text("Nothing to draw yet.").wait_for()
    assert page.evaluate("() => document.activeElement.className") == "tlw-markup"
