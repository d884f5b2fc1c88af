"""The Lab's one screen on a laptop: all fits, nothing moves or gets stuck, and the curves follow the controls."""

import json
import re
import shutil

import pytest
from driving import button, cut_menus, execute, open_notebook, photograph, set_theme, violations, wait_state
from playwright.sync_api import expect
from test_lab_browser import SHOW

LAPTOP = {"width": 1366, "height": 768}
TABS = (
    "Curves",
    "Result",
    "Predictions",
    "Confusion",
    "Layers",
    "Runs",
    "Code",
    "Try a picture",
    "Save",
    "My pictures",
)
GROUPS = ("Data", "From scratch", "Transfer", "Training")


@pytest.fixture
def laptop(page):
    """The page of a laptop."""
    page.set_viewport_size(LAPTOP)
    return page


@pytest.fixture
def lab(laptop, jupyter):
    """A fresh Lab on the laptop, in the first cell of a notebook; where that is open already, its cell runs again."""
    if is_open(laptop):
        set_theme(laptop, "light")
        run_first_cell(laptop)
    else:
        open_notebook(laptop, jupyter, jupyter.notebook("stage.ipynb", SHOW, "1 + 1"))
    wait_ready(laptop)
    return laptop


@pytest.fixture
def trained(laptop, jupyter, request):
    """A Lab with its first settings that has trained both models: the one of the test before, if that left one."""
    if not (is_open(laptop) and execute(laptop, "print(lab.state)") == "done\n"):
        request.getfixturevalue("lab")
    set_theme(laptop, "light")
    # With settings whose results are kept, nothing is trained; Live goes on with the first run, which may be this one.
    again = "lab.live = False; lab.settings = settings; await lab.run().done(); lab.live = True"
    assert execute(laptop, again) == ""
    expect(laptop.locator(".tlw-race .tlw-chart")).to_have_attribute("aria-label", re.compile("after 3 of 3 epochs"))
    if button(laptop, "More").get_attribute("aria-pressed") == "true":
        button(laptop, "More").click()
    return laptop


def is_open(page):
    return page.evaluate("() => window.jupyterapp?.shell.currentWidget?.context?.path") == "stage.ipynb"


def run_first_cell(page):
    page.evaluate(
        """async () => {
            document.querySelector('.tlw-lab')?.setAttribute('data-old', '');
            jupyterapp.shell.currentWidget.content.activeCellIndex = 0;
            await jupyterapp.commands.execute('notebook:run-cell');
        }"""
    )


def wait_ready(page):
    page.locator(".tlw-lab:not([data-old])").wait_for()
    expect(page.locator(".tlw-lab")).to_have_count(1)
    wait_state(page, "idle")
    page.locator(".tlw-thumbnails img").first.wait_for()
    page.locator('.tlw-networks svg, .tlw-networks [role="group"]').first.wait_for()


def set_values(page, **values):
    """Set the Lab's settings in the kernel."""
    assert execute(page, f"lab.settings = lab.settings.with_values({values!r})") == ""


def train(page):
    button(page, "Train both").click()
    wait_state(page, "done")
    expect(page.get_by_label("Live", exact=True)).to_be_checked()


def tab(page, name):
    return page.get_by_role("tab", name=name, exact=True)


def slider(page, name):
    return page.get_by_role("slider", name=name, exact=True)


def number(page, name):
    return page.get_by_label(f"{name}, as a number", exact=True)


BOXES = """() => {
    const lab = document.querySelector('.tlw-lab'), from = lab.getBoundingClientRect();
    const boxes = {lab: [0, 0, from.width, from.height].map(Math.round)};
    for (const name of ['top', 'controls', 'views', 'outcome', 'answers-strip', 'stage', 'networks', 'race'])
        for (const part of lab.querySelectorAll(`.lm-Widget.tlw-${name}`)) {
            const {x, y, width, height} = part.getBoundingClientRect();
            if (width) boxes[name] = [x - from.x, y - from.y, width, height].map(Math.round);
        }
    for (const control of lab.querySelectorAll('.tlw-top button, .tlw-controls :is(button, input)')) {
        const {x, y, height} = control.getBoundingClientRect(), name = control.ariaLabel || control.title;
        boxes[`${control.type} ${name}`] = [x - from.x, y - from.y, height].map(Math.round);
    }
    return boxes;
}"""
CLIPPED = """() => {
    const kinds = 'button, label, input, span, small, figcaption, [role="tab"], .widget-label';
    return [...document.querySelectorAll(`.tlw :is(${kinds})`)]
        .filter((one) => one.offsetParent && one.clientWidth && !one.closest('.tlw-sr, pre'))
        .filter((one) => one.scrollWidth > one.clientWidth + 1)
        .map((one) => `${one.tagName} ${one.className} ${(one.textContent || one.value).slice(0, 50)}`);
}"""
# What can be scrolled without a bar that says so.
SILENT = """() => [...document.querySelectorAll('.tlw-lab, .tlw-lab *')].filter((one) => {
    const {overflowX, overflowY} = getComputedStyle(one), isScrolled = /auto|scroll/;
    const down = isScrolled.test(overflowY) && one.scrollHeight > one.clientHeight + 1;
    const right = isScrolled.test(overflowX) && one.scrollWidth > one.clientWidth + 1;
    return one.clientWidth > 1 && one.clientHeight > 1
        && (down && one.offsetWidth - one.clientWidth < 6 || right && one.offsetHeight - one.clientHeight < 6);
}).map((one) => `${one.tagName} ${one.className}`)"""
# The smallest letters of the chart as the page shows them.
LETTERS = """() => Math.min(...[...document.querySelectorAll('.tlw-race .tlw-chart text')].map((one) =>
    parseFloat(getComputedStyle(one).fontSize) * one.getScreenCTM().a))"""


def slug(name):
    return re.sub("[^a-z]+", "-", name.lower())


def walk(page):
    """Open every tab, then every group behind More."""
    for name in TABS:
        tab(page, name).click()
        page.locator(".tlw-views > .lm-TabBar .lm-mod-current", has_text=name).wait_for()
        yield name
    tab(page, "Curves").click()
    button(page, "More").click()
    for name in GROUPS:
        tab(page, name).click()
        page.locator(".tlw-drawer .lm-mod-current", has_text=name).wait_for()
        yield f"More, {name}"
    button(page, "More").click()


# Long enough to look at it, without a thousand rows in the chart's table, in which axe-core would take seconds.
SLOWLY = """
import time
said = lab.screen.on_event
def slowly(event):
    said(event)
    time.sleep(0.2)
lab.screen.on_event = slowly
"""


def states(page):
    """Bring a Lab into all its states, one after the other, in both themes; yield theme and state."""
    themes = ["light", "dark"]

    def in_both(state):
        for theme in themes:
            set_theme(page, theme)
            yield theme, state
        themes.reverse()  # the next state begins in the theme in which this one ends

    yield from in_both("idle")
    set_values(page, epochs=999)
    assert execute(page, SLOWLY) == ""
    button(page, "Train both").click()
    wait_state(page, "running")
    yield from in_both("starting")
    page.locator(".tlw-race [data-stop]").nth(2).wait_for()
    yield from in_both("training")
    button(page, "Stop").click()
    wait_state(page, "stopped")
    yield from in_both("stopped")
    assert execute(page, "lab.screen.on_event = said") == ""
    set_values(page, epochs=3)
    train(page)
    yield from in_both("done")
    for theme in themes:
        set_theme(page, theme)
        yield from ((theme, name) for name in walk(page))
    themes.reverse()
    slider(page, "Epochs").press("ArrowRight")
    page.locator("[data-live]").wait_for()
    yield from in_both("Live")
    set_values(page, filters=(4,) * 6, kernel_sizes=(3,) * 6)
    button(page, "Train both").click()
    wait_state(page, "error")
    yield from in_both("error")


def test_every_state_fits_and_nothing_moves_or_is_cut_off_in_both_themes(lab):
    first, wrong, seen = {}, [], set()
    for theme, state in states(lab):
        name = f"{state}, {theme}"
        boxes = lab.evaluate(BOXES)
        first = first or boxes
        assert boxes["lab"][3] <= 560
        assert 900 <= boxes["lab"][2] <= 940
        moved = {part: (first[part], box) for part, box in boxes.items() if part in first and box != first[part]}
        wrong += [f"{name}: {part} moved from {old} to {new}" for part, (old, new) in moved.items()]
        lab.locator(".tlw-lab").evaluate("(one) => one.scrollIntoView({block: 'end'})")
        photograph(lab, f"stage-{theme}-{slug(state)}")
        wrong += [f"{name}: {text}" for text in violations(lab, only_colors=state in seen)]
        wrong += [f"{name}: cut off: {text}" for text in [*lab.evaluate(CLIPPED), *cut_menus(lab)]]
        wrong += [f"{name}: scrolls without a sign: {text}" for text in lab.evaluate(SILENT)]
        seen.add(state)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("width", [900, 1920])
def test_nothing_is_cut_off_on_narrow_and_wide_pages(trained, width):
    lab = trained
    lab.set_viewport_size({"width": width, "height": 1100})
    wrong = []
    heights = {lab.locator(".tlw-lab").bounding_box()["height"]}
    for name in walk(lab):
        wrong += [f"{name}: {text}" for text in [*lab.evaluate(CLIPPED), *cut_menus(lab), *lab.evaluate(SILENT)]]
        heights.add(lab.locator(".tlw-lab").bounding_box()["height"])
        photograph(lab, f"stage-{width}-{slug(name)}")
    assert lab.evaluate("() => document.documentElement.scrollWidth") == width
    assert len(heights) == 1, heights
    assert max(heights) <= 560
    lab.wait_for_function(f"() => ({LETTERS})() >= 10.9")  # the kernel draws the chart for its new place
    assert not wrong, "\n".join(wrong)
    if width == 900:  # the networks are folded away
        layer = lab.get_by_role("button", name=re.compile("^Block 2: 4 filters"))
        expect(layer).to_be_hidden()
        button(lab, "Draw networks").click()
        layer.click()
        expect(lab.get_by_label("Filters 2")).to_be_visible()
        button(lab, "More").click()
        button(lab, "Back to the curves").click()
        expect(lab.locator(".tlw-race .tlw-chart")).to_be_visible()


def test_nine_tab_stops_lead_from_the_images_to_more(lab):
    lab.get_by_label("Dataset", exact=True).focus()
    reached = []
    while len(reached) < 20 and (not reached or reached[-1] != "More"):
        reached.append(
            lab.evaluate(
                "() => { const one = document.activeElement;"
                " return one.ariaLabel || one.labels?.[0]?.textContent || one.textContent.trim(); }"
            )
        )
        lab.keyboard.press("Tab")
    assert reached[-1] == "More"
    assert len(reached) <= 9, reached
    assert len(set(reached)) == len(reached)
    assert "Few images" in reached
    button(lab, "Few images").focus()  # the presets are one stop, in which the arrow keys move
    lab.keyboard.press("ArrowRight")
    expect(button(lab, "Plenty")).to_be_focused()
    lab.keyboard.press("End")
    lab.keyboard.press("Enter")
    lab.get_by_text("Six-unit bottleneck, with textures: ").wait_for()
    assert execute(lab, "print(lab.settings.config.scratch.dense_units)") == "6\n"


def sources(page):
    return page.evaluate("() => jupyterapp.shell.currentWidget.content.widgets.map((c) => c.model.sharedModel.source)")


def test_no_key_typed_in_the_lab_reaches_the_shortcuts(trained):
    lab = trained
    before = sources(lab)
    button(lab, "More").click()
    tab(lab, "Transfer").click()
    parts = [
        lab.get_by_label("Dataset", exact=True),
        button(lab, "Few images"),
        slider(lab, "Epochs"),
        number(lab, "Image size"),
        lab.get_by_label("Live", exact=True),
        lab.get_by_role("button", name="More", exact=True),
        tab(lab, "Transfer"),
        lab.get_by_label("Backbone", exact=True),
        lab.get_by_label("Head dropout", exact=True),
        lab.get_by_label("Also train a control"),
        button(lab, "loss"),
        lab.locator(".tlw-race [data-stop]").first,
        tab(lab, "Code"),
        button(lab, "Why?"),
        lab.locator(".tlw-film [data-click]").first,
        button(lab, "Try a picture"),
    ]
    for part in parts:
        part.focus()
        for key in ("x", "a", "d", "d", "b", "Shift+M", "ArrowDown", "ArrowUp"):
            lab.keyboard.press(key)
        assert sources(lab) == before, part
    lab.wait_for_function("() => jupyterapp.shell.currentWidget.context.model.dirty")
    lab.get_by_label("Dataset", exact=True).press("Control+s")
    lab.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
    assert sources(lab) == before


GROWTH = """() => {
    const seen = window.seen = [];
    const look = () => {
        const rows = [...document.querySelectorAll('.tlw-race .tlw-sr tbody tr')]
            .filter((row) => /^\\d+$/.test(row.cells[0].textContent));
        const n = (column) => rows.filter((row) => row.cells[column]?.textContent.includes('%')).length;
        const now = [n(1), n(3)];
        if (String(now) !== String(seen.at(-1))) seen.push(now);
    };
    const race = document.querySelector('.tlw-race');
    new MutationObserver(look).observe(race, {subtree: true, childList: true, characterData: true});
}"""


def test_both_curves_grow_together(lab):
    set_values(lab, epochs=12)
    assert execute(lab, SLOWLY) == ""  # else all epochs could end between two drawings
    lab.evaluate(GROWTH)
    train(lab)
    assert execute(lab, "lab.screen.on_event = said") == ""
    seen = [(scratch, transfer) for scratch, transfer in lab.evaluate("() => window.seen")]
    assert seen[-1] == (12, 12)
    growing = [pair for pair in seen if 0 < pair[0] < 12 and 0 < pair[1] < 12]
    assert len(growing) >= 3, seen
    assert growing == sorted(growing)
    assert all(abs(scratch - transfer) <= 1 for scratch, transfer in growing), seen


# From an event to the moment at which a part of the page has changed so that it has some text.
CLOCK = """([event, part, text]) => {
    window.took = new Promise((resolve) => {
        let start = 0;
        const root = document.querySelector(part);
        const look = () => {
            if (!start || !root.innerHTML.includes(text)) return;
            observer.disconnect();
            resolve(performance.now() - start);
        };
        const observer = new MutationObserver(look);
        observer.observe(root, {subtree: true, childList: true, attributes: true, characterData: true});
        window.addEventListener(event, () => {
            start = performance.now();
            look();  // the kernel may have followed a slider that rests before it is let go
        }, {capture: true, once: true});
    });
}"""


def milliseconds(page, event, part, text, act):
    """Measure in the page how long a part takes to follow what `act` does."""
    page.evaluate(CLOCK, [event, part, text])
    act()
    took = page.evaluate("() => Promise.race([window.took, new Promise((end) => setTimeout(end, 20000, null))])")
    assert took is not None, f"no {text!r} after 20 seconds"
    return took


def drag(page, name, share):
    """Move a slider with the mouse to a place on its track."""
    box = slider(page, name).bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.3, y)
    page.mouse.down()
    for step in range(1, 11):
        page.mouse.move(box["x"] + box["width"] * (0.3 + (share - 0.3) * step / 10), y)


def test_live_redraws_the_curve_soon_after_a_slider_stops(trained):
    lab = trained
    waits = []
    for share in (0.5, 0.6, 0.4):
        drag(lab, "Epochs", share)
        chosen = number(lab, "Epochs").input_value()
        waits.append(
            milliseconds(lab, "pointerup", ".tlw-race", f"after {chosen} of {chosen} epochs", lambda: lab.mouse.up())
        )
        photograph(lab, "stage-light-live-after-a-slider")
    print("Live: from a slider's rest to the new curve:", *(f"{wait:.0f} ms" for wait in waits))
    assert min(waits) < 3000
    for part in (slider(lab, "Epochs"), lab.locator(".tlw-race svg").first):
        expect(part).to_be_in_viewport(ratio=0.5)


def test_the_drawings_follow_a_control_at_once(lab):
    waits = [
        milliseconds(
            lab, "keydown", ".tlw-networks", f"{size} × {size}", lambda: slider(lab, "Image size").press("ArrowRight")
        )
        for size in (48, 64, 96)
    ]
    print("Drawings of the networks: after", *(f"{wait:.0f} ms" for wait in waits))
    assert min(waits) < 1000


def test_the_last_of_two_hundred_quick_changes_wins(trained):
    lab = trained
    slider(lab, "Epochs").focus()
    for i in range(200):
        lab.keyboard.press("ArrowLeft" if i % 5 == 4 else "ArrowRight")
    lab.keyboard.press("Home")
    for _ in range(6):
        lab.keyboard.press("ArrowRight")
    chart = lab.locator(".tlw-race .tlw-chart")
    expect(chart).to_have_attribute("aria-label", re.compile("after 7 of 7 epochs"))
    assert execute(lab, "print(lab.settings.config.epochs, lab.state)") == "7 done\n"
    lab.keyboard.press("ArrowRight")
    expect(chart).to_have_attribute("aria-label", re.compile("after 8 of 8 epochs"))
    train(lab)  # and the button still works


def test_a_layer_opens_its_fields(lab):
    layer = lab.get_by_role("button", name=re.compile("^Block 2: 4 filters"))
    layer.first.click()
    expect(lab.get_by_label("Filters 2")).to_be_visible()
    opened = lab.locator(".tlw-layer")  # the network stays in view, with the layer marked and its arithmetic
    expect(opened.get_by_role("button", name=re.compile("^Block 2: 4 filters"))).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(opened.get_by_role("status")).to_contain_text("3 × 3 × 4 × 4 + 4 = 148 parameters")
    expect(lab.get_by_label("Dense units")).to_be_hidden()
    drawer = lab.locator(".tlw-drawer")
    assert drawer.evaluate("(one) => one.scrollHeight <= one.clientHeight")  # nothing is cut off
    lab.get_by_label("Filters 2").fill("8")
    lab.keyboard.press("Tab")
    expect(opened.get_by_role("status")).to_contain_text("3 × 3 × 4 × 8 + 8 = 296 parameters")
    photograph(lab, "stage-light-a-layer")
    opened.get_by_role("button", name=re.compile("^Dense: ")).click()
    expect(lab.get_by_label("Filters 2")).to_be_hidden()
    expect(lab.get_by_label("Dense units")).to_be_visible()
    button(lab, "All settings").click()
    expect(lab.get_by_label("Filters 2")).to_be_visible()
    button(lab, "More").focus()
    expect(button(lab, "More")).to_have_attribute("aria-pressed", "true")
    button(lab, "More").click()
    expect(button(lab, "More")).to_have_attribute("aria-pressed", "false")
    backbone = lab.get_by_role("button", name=re.compile("^Backbone EfficientNetLite0"))
    backbone.press("Enter")
    expect(tab(lab, "Transfer")).to_be_focused()
    expect(lab.get_by_label("Backbone", exact=True)).to_be_visible()
    expect(lab.locator(".tlw-race .tlw-chart")).to_be_visible()
    dropout = lab.get_by_label("Head dropout", exact=True)
    dropout.press("5")
    lab.keyboard.press("Escape")  # takes the number back
    expect(dropout).to_have_value("0")
    lab.keyboard.press("Escape")
    expect(backbone).to_be_focused()
    button(lab, "More").press("Enter")
    lab.get_by_label("Backbone", exact=True).press("Escape")
    expect(button(lab, "More")).to_be_focused()
    expect(backbone).to_be_visible()


def test_a_picture_on_which_the_models_disagree_is_looked_at_closely(trained):
    lab = trained
    lab.locator(".tlw-film [data-click]").first.click()
    closely = lab.get_by_role("region", name=re.compile(r"^Test image \d+: "))
    assert re.findall(r"\d+\.\d%", closely.inner_text())
    for model in ("From scratch", "Transfer"):
        expect(closely.get_by_text(model, exact=True).first).to_be_visible()
        heat = lab.get_by_role("img", name=f"{model}: the image under its heat map")
        heat.wait_for()
        assert heat.evaluate("(one) => one.naturalWidth") > 0
    photograph(lab, "stage-light-looked-at")


def test_what_stays_in_a_notebook_that_is_opened_again(lab, jupyter, tmp_path):
    """A picture and the verdict without a kernel; in a new kernel, the run is in the list again."""
    reopened = str(jupyter.folder / "reopened.ipynb")
    assert execute(lab, f"import os; os.environ['JPY_SESSION_NAME'] = {reopened!r}") == ""
    run_first_cell(lab)
    wait_ready(lab)
    train(lab)
    assert execute(lab, "del os.environ['JPY_SESSION_NAME']") == ""  # other notebooks use this kernel
    verdict = execute(lab, "print(lab.result.verdict.text)").strip()
    lab.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    lab.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
    saved = json.loads((jupyter.folder / "stage.ipynb").read_text())
    assert any(verdict in "".join(out["data"].get("text/html", "")) for out in saved["cells"][0]["outputs"])
    shutil.copy(jupyter.folder / "stage.ipynb", jupyter.folder / "reopened.ipynb")  # gets a kernel of its own
    page = lab.context.new_page()
    try:
        open_notebook(page, jupyter, "reopened.ipynb", run=False)
        paper = page.locator(".tlw-paper")
        expect(paper.get_by_text(verdict)).to_be_visible()
        assert paper.locator("img").first.evaluate("(one) => one.naturalWidth") > 200
        expect(page.get_by_text("model not found")).to_have_count(0)
        photograph(page, "stage-reopened")
        run_first_cell(page)
        wait_ready(page)
        expect(paper).to_be_hidden()
        expect(page.locator(".tlw-outcome")).to_contain_text(re.compile(r"Here again: 1 run from today, \d\d:\d\d\."))
        expect(page.locator(".tlw-race .tlw-chart")).to_have_attribute("aria-label", re.compile("after 3 of 3 epochs"))
        page.locator(".tlw-film [data-click]").first.wait_for()
        photograph(page, "stage-taken-up")
        assert page.evaluate(CLIPPED) == []
        tab(page, "Runs").click()
        button(page, "Forget all runs").click()
        assert page.evaluate(CLIPPED) == []
        photograph(page, "stage-forgetting")
        button(page, "Really forget 1 run?").click()
        page.get_by_text("No run yet").wait_for()
        page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        check_export(page, jupyter.folder / "stage.ipynb", tmp_path / "stage.html", verdict)
    finally:
        page.close()


def check_export(page, notebook, path, verdict):
    from nbconvert import HTMLExporter

    path.write_text(HTMLExporter().from_filename(str(notebook))[0])
    page.goto(path.as_uri(), wait_until="domcontentloaded")
    expect(page.get_by_text(verdict)).to_be_visible()
    assert page.locator(".tlw-paper img").first.evaluate("(one) => one.naturalWidth") > 200
    photograph(page, "stage-exported")


OTHERS = {
    "teaching": """
from IPython.display import display
from tl_widgets.teaching import BackboneTable, CountPanel, Guess, Prediction, Quiz
from tl_widgets.widgets import ControlPanel
guess = Guess("How many of 100 pictures will it get right?", unit="of 100", high=100)
guess.keep(60)
quiz = Quiz("overfit")
quiz.choice.index = 1
quiz.button.click()
display(guess, Guess("Which one wins?", options=("from scratch", "transfer")), quiz, CountPanel(), BackboneTable())
display(ControlPanel(show=["dataset", "epochs", "augment"]), Prediction("who_wins"))
""",
    "StudyLab": "from tl_widgets import StudyLab\nStudyLab()",
}


# What can have the focus, but isn't typed into: there, JupyterLab runs its shortcuts.
TYPED = """() => (window.guarded = [...document.querySelectorAll(
    '.tlw :is(select, button, input:not([type=text]), [tabindex="0"])')].filter((one) => one.offsetParent
    && !one.disabled)).map((one) => one.outerHTML.slice(0, 80))"""


@pytest.mark.parametrize("name", OTHERS)
def test_other_widgets_can_be_used_by_everybody(laptop, jupyter, name):
    page = laptop
    page.set_viewport_size({"width": 1366, "height": 2600})
    open_notebook(page, jupyter, jupyter.notebook(f"all-{name}.ipynb", OTHERS[name]))
    page.locator(".tlw").last.wait_for()
    wrong = []
    for theme in ("light", "dark"):
        set_theme(page, theme)
        photograph(page, f"all-{name.lower()}-{theme}")
        for title in ("Chart", "My model") if name == "StudyLab" else ():
            page.get_by_role("tab", name=title, exact=True).click()
            wrong += [f"{theme}, {title}: {text}" for text in violations(page)]
        wrong += [f"{theme}: {text}" for text in violations(page)]
    wrong += [text for text in page.evaluate(CLIPPED) if text.startswith("LABEL")]
    typed = page.evaluate(TYPED)
    assert typed
    for i in range(len(typed)):
        page.evaluate("(i) => window.guarded[i].focus()", i)
        page.keyboard.press("x")  # JupyterLab's shortcut that cuts the cell
        page.keyboard.press("a")  # and the one that adds another
    wrong += [] if page.locator(".jp-Cell").count() == 1 else ["a key typed in it changed the notebook"]
    assert not wrong, "\n".join(wrong)
