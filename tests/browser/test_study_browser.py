"""StudyLab as a learner meets it: in Chromium, in a real JupyterLab, by labels and roles alone."""

import json
import re

from driving import button, cut_menus, held, open_notebook, photograph, set_theme, wait_state
from playwright.sync_api import expect

from tl_widgets.studies.registry import STUDIES, TOPICS

SMALL = """
from tl_widgets import StudyLab
few = {"image_size": 32, "sizes": (2, 4), "seeds": (0, 1), "epochs": 2}
"""
SHOW = "from tl_widgets import StudyLab\nlab = StudyLab()\nlab"

# How far the chart reaches below what is visible of it, in pixels.
BELOW = """() => Math.max(0, ...[...document.querySelectorAll(".tlw-race svg.tlw-chart")].map(
    chart => chart.getBoundingClientRect().bottom - chart.closest(".tlw-race").getBoundingClientRect().bottom))"""


def tab(page, name):
    return page.get_by_role("tab", name=name, exact=True)


def card(page, question):
    return page.get_by_role("button", name=re.compile(f"^{re.escape(question)}"))


def choose(page, question):
    """Click the topic of a study, then its card."""
    (study,) = (study for study in STUDIES.values() if study.question == question)
    button(page, TOPICS[study.topic]).click()
    card(page, question).click()
    page.locator(".tlw-study-card[aria-pressed=true]", has_text=question).wait_for()


def fill(page, label, text):
    page.get_by_label(label, exact=True).fill(text)
    page.keyboard.press("Tab")


def test_choose_a_study_run_it_read_it_save_it_and_load_it_again(page, jupyter):
    jupyter.notebook("study.ipynb", SHOW)
    open_notebook(page, jupyter, "study.ipynb")
    wait_state(page, "idle")
    page.get_by_text("24 models: 4 sizes × 3 seeds × 2 kinds of model").wait_for()
    button(page, "More").click()
    fill(page, "Image size", "32")
    fill(page, "Images per class", "2, 4")
    fill(page, "Epochs", "2")
    fill(page, "Seeds", "2")
    button(page, "More").click()
    page.get_by_text("8 models: 2 sizes × 2 seeds × 2 kinds of model").wait_for()
    with held(page):
        button(page, "Run").click()
        page.get_by_role("progressbar", name="Whole study").wait_for()
        expect(page.get_by_label("Dataset", exact=True)).to_be_disabled()
    wait_state(page, "done")
    assert button(page, "Run").is_enabled()
    assert page.get_by_role("row").filter(has_text="images per class").count() == 2  # the chart's table
    tab(page, "Figure").click()
    figure = page.get_by_role("img", name="Line chart of test accuracy against training images per class")
    assert figure.bounding_box()["width"] > 500
    tab(page, "Details").click()
    sentences = page.locator(".tlw-verdict p").all_inner_texts()
    assert any("With 4 images per class" in sentence for sentence in sentences)
    tab(page, "Chart").click()
    page.get_by_text("judging by the last run").wait_for()

    tab(page, "Files").click()
    fill(page, "File name", "mine")
    button(page, "Save").click()
    page.get_by_text("Saved mine.json and mine.png").wait_for()
    with page.expect_popup() as opened:
        page.get_by_role("link", name="mine.json").click()
    assert opened.value.url.endswith("/lab/tree/mine.json")
    opened.value.close()
    assert json.loads((jupyter.folder / "mine.json").read_text())["study"] == "LearningCurve"
    assert (jupyter.folder / "mine.png").read_bytes().startswith(b"\x89PNG")

    tab(page, "Chart").click()
    card(page, "How much time?").click()
    page.get_by_text("the clock runs").wait_for()
    tab(page, "Files").click()
    page.get_by_label("Record", exact=True).fill("mine.json")
    page.keyboard.press("Tab")
    button(page, "Load").click()
    page.get_by_text("read from mine.json").last.wait_for()
    tab(page, "Details").click()
    assert page.locator(".tlw-verdict p").all_inner_texts() == sentences
    assert card(page, "How much data?").get_attribute("aria-pressed") == "true"  # the study that the record is of


def test_stop_shows_what_was_measured_until_then(page, jupyter):
    values = "{**few, 'sizes': (2, 50), 'epochs': 100, 'seeds': tuple(range(9))}"
    jupyter.notebook("study-stop.ipynb", f"{SMALL}\nlab = StudyLab('data', values={values})\nlab")
    open_notebook(page, jupyter, "study-stop.ipynb")
    assert page.locator(".tlw-study-card").count() == 0
    with held(page, "'measured transfer' in event.text"):
        button(page, "Run").click()
        page.get_by_text(re.compile(r"measured transfer with \d+ images per class")).wait_for()
        button(page, "Stop").click()
    wait_state(page, "stopped")
    page.get_by_text("Stopped. This is what was measured so far.").wait_for()
    tab(page, "Details").click()
    page.locator(".tlw-verdict").last.get_by_text("Stopped before all points were measured.").wait_for()
    assert button(page, "Run").is_enabled()


def test_it_fits_is_photographed_and_asks_for_the_guess_first(page, jupyter):
    jupyter.notebook("study-look.ipynb", SHOW)
    open_notebook(page, jupyter, "study-look.ipynb")
    wait_state(page, "idle")
    look(page, "first")
    choose(page, "What goes wrong?")
    page.get_by_label("Mistake", exact=True).select_option("bottleneck")
    page.get_by_text("The mistake: a hidden layer of 6 ReLU units").wait_for()
    button(page, "Run").click()
    wait_state(page, "done")
    page.locator(".tlw-outcome").get_by_text("The result is ready. Keep your guess on the left").wait_for()
    assert page.locator(".tlw-lab .tlw-dot").count() == 0
    page.get_by_label("My guess", exact=True).select_option("too close to call")
    button(page, "Keep my guess").click()
    page.locator(".tlw-lab .tlw-dot").first.wait_for()
    page.locator(".tlw-outcome").get_by_text("You guessed “too close to call”").wait_for()
    tab(page, "Figure").click()
    page.get_by_role("img", name="Chart of the right way beside the wrong one").wait_for()
    tab(page, "Chart").click()
    look(page, "done")
    assert page.locator("img:not([alt])").filter(visible=True).count() == 0


def test_on_a_laptop_every_state_has_the_same_places_and_nothing_is_clipped_in_both_themes(page, jupyter):
    page.set_viewport_size({"width": 1366, "height": 768})
    open_notebook(page, jupyter, jupyter.notebook("study-places.ipynb", SHOW))
    wait_state(page, "idle")
    page.locator(".tlw-chart").wait_for()
    first = page.evaluate(PLACES)
    assert first["lab"][1] <= 560
    states, themes = {}, ["light", "dark"]

    def look(state):
        for theme in themes:
            set_theme(page, theme)
            states[f"{state}, {theme}"] = page.evaluate(PLACES)
            assert [*page.evaluate(CLIPPED), *cut_menus(page)] == [], (state, theme)
            assert page.evaluate(BELOW) <= 0, (state, theme)
        themes.reverse()  # the next state begins in the theme in which this one ends

    for study in STUDIES.values():
        choose(page, study.question)
        look(study.question)
    choose(page, "How much data?")
    page.get_by_role("button", name=re.compile("^Quick ~")).click()
    button(page, "My guess: 3×").click()
    page.locator(".tlw-lab .tlw-guess-mark").wait_for()
    look("guess")
    with held(page, "event.point is not None"):
        button(page, "Run").click()
        page.locator(".tlw-lab .tlw-dot").first.wait_for()
        look("running")
    wait_state(page, "done")
    look("done")
    assert page.locator(".tlw-lab .tlw-dot").count() == 6
    for title in ("Details", "Figure", "Files", "My model", "Chart"):
        tab(page, title).click()
        look(title)
    tab(page, "Files").click()
    choose(page, "Repeat")
    expect(tab(page, "Chart")).to_have_attribute("aria-selected", "true")
    choose(page, "How much data?")
    expect(page.locator(".tlw-lab .tlw-dot")).to_have_count(6)
    button(page, "More").click()
    look("More")
    page.set_viewport_size({"width": 1920, "height": 768})
    expect(page.locator(".tlw-aside").get_by_text("With only one seed")).to_be_visible()
    assert page.locator(".tlw-race svg").first.bounding_box()["width"] > 600
    assert {state: places for state, places in states.items() if {**first, **places} != first} == {}
    for theme in ("dark", "light"):
        set_theme(page, theme)
        photograph(page.locator(".tlw-lab"), f"study-laptop-{theme}")


def test_cards_and_guess_are_reached_with_the_keyboard_alone(page, jupyter):
    jupyter.notebook("study-keys.ipynb", SHOW)
    open_notebook(page, jupyter, "study-keys.ipynb")
    wait_state(page, "idle")
    card(page, "How much data?").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.get_by_text("the clock runs").wait_for()
    assert page.evaluate("() => document.activeElement.dataset.click") == "time"
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.closest('.tlw-study-cards')") is None  # one Tab stop
    button(page, "What does it take?").focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    card(page, "Wrong labels?").click()
    button(page, "What does it take?").focus()
    page.keyboard.press("Enter")
    card(page, "How much time?").wait_for()
    assert page.evaluate("() => document.activeElement.dataset.click") == "topic:effort"
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.dataset.click") == "time"  # the chosen card
    button(page, "My guess: less time").focus()
    page.keyboard.press("End")
    page.keyboard.press("Space")
    page.locator(".tlw-lab .tlw-guess-mark").first.wait_for()
    assert page.get_by_label("My guess", exact=True).input_value() == "30× or more"


def test_a_wide_figure_gives_way_to_a_narrow_one_where_there_is_no_room(page, jupyter):
    values = "{'image_size': 32, 'n_per_class': 4, 'epochs': 2, 'repeats': 2}"
    jupyter.notebook(
        "study-narrow.ipynb", f"from tl_widgets import StudyLab\nlab = StudyLab('repeat', values={values})\nlab"
    )
    open_notebook(page, jupyter, "study-narrow.ipynb")
    button(page, "Run").click()
    wait_state(page, "done")
    tab(page, "Figure").click()
    figure = page.get_by_role("img", name="Charts of accuracy by epoch")  # the hidden one has no role
    heights = {}
    for width in (1600, 900):
        page.set_viewport_size({"width": width, "height": 1300})
        page.wait_for_function(
            "narrow => !!document.querySelector('.tlw-narrow').offsetParent === narrow", arg=width == 900
        )
        box = figure.bounding_box()
        heights[width] = box["height"] / box["width"]
    assert heights[1600] < 1 < 2 < heights[900]
    look(page, "narrow")


def look(page, name):
    """Keep pictures; see that nothing is cut off, nothing scrolls sideways, and every field has a name."""
    for theme in ("light", "dark"):
        set_theme(page, theme)
        for width in (900, 1600):
            page.set_viewport_size({"width": width, "height": 1300})
            photograph(page, f"study-{width}-{theme}-{name}")
            assert page.evaluate(WRONG) == {"scrolled": [], "cut": [], "nameless": [], "page": 0}, (name, theme, width)


PLACES = """() => Object.fromEntries([['lab', '.tlw-lab'], ['controls', '.tlw-controls'], ['views', '.tlw-views'],
    ['outcome', '.tlw-outcome'], ['chart', '.tlw-race']].flatMap(([name, selector]) => {
        const lab = document.querySelector('.tlw-lab').getBoundingClientRect();
        const box = document.querySelector(`.tlw-lab ${selector}, ${selector}.tlw-lab`).getBoundingClientRect();
        if (name === 'chart' && !box.height) return []; // another tab
        return [[name, [Math.round(box.y - lab.y), Math.round(box.height)]]];
    }).concat([['lab', [0, Math.round(document.querySelector('.tlw-lab').getBoundingClientRect().height)]]]))"""
CLIPPED = """() => [...document.querySelectorAll('.tlw-lab *')].filter(e => e.offsetParent
    && e.matches('button, .widget-label, .tlw-study-card, .tlw-study-card *, .tlw-paces *, input, .tlw-heading')
    && (e.scrollWidth > e.clientWidth + 1 && e.clientWidth
        || e.matches('.tlw-study-card') && e.scrollHeight > e.clientHeight + 1)).map(e => e.outerHTML.slice(0, 200))"""
WRONG = """() => {
    const inside = [...document.querySelectorAll('.tlw-lab, .tlw-lab *')].filter(e => e.offsetParent);
    const wide = e => e.scrollWidth > e.clientWidth + 1;
    return {
        scrolled: inside.filter(e => wide(e) && /auto|scroll/.test(getComputedStyle(e).overflowX))
            .map(e => e.className),
        cut: inside.filter(e => e.matches('.widget-label') && wide(e)).map(e => e.textContent),
        nameless: inside.filter(e => e.matches('input, select, textarea') && !e.labels?.length && !e.ariaLabel)
            .map(e => e.outerHTML),
        page: document.documentElement.scrollWidth - innerWidth,
    };
}"""
