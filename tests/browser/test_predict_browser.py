"""A picture from outside, saving, and loading a record back: in Chromium, by labels and roles alone."""

import json
import re
import zipfile

import numpy as np
import pytest
from driving import button, choose_files, open_notebook, photograph, set_theme, wait_state
from PIL import Image
from playwright.sync_api import expect
from test_lab_browser import SHOW, SMALL, assert_value, tab

OTHER = f"{SMALL}lab = TransferLab()\nlab"


def pick(page, name, files):
    """Choose files in the dialogue that an upload's button opens."""
    choose_files(page, page.get_by_role("button", name=re.compile(f"^{name}")), files)


@pytest.fixture
def pictures(tmp_path):
    """A photograph of nothing, and a web page that calls itself one."""
    pixels = np.random.default_rng(0).integers(0, 256, (60, 100, 3), np.uint8)
    Image.fromarray(pixels).resize((1000, 600)).save(tmp_path / "of nothing.jpg")
    (tmp_path / "page.jpg").write_bytes(b"<!DOCTYPE html><script>document.title = 'owned'</script>")
    return [tmp_path / "of nothing.jpg", tmp_path / "page.jpg"]


def look(page, name):
    """Photograph the Lab in both themes and widths, and make sure that nothing is cut off."""
    for theme in ("dark", "light"):
        set_theme(page, theme)
        for width in (900, 1600):
            page.set_viewport_size({"width": width, "height": 1500})
            photograph(page.locator(".tlw-views"), f"predict-{name}-{width}-{theme}")
            found = page.evaluate(
                """() => {
                    const tabs = [...document.querySelectorAll('.tlw-views > .lm-TabBar .lm-TabBar-tab')];
                    const bar = document.querySelector('.tlw-views > .lm-TabBar').getBoundingClientRect();
                    const out = e => e.right > bar.right + 1 || e.bottom > bar.bottom + 1;
                    return {
                        tabs: tabs.filter(t => out(t.getBoundingClientRect())).map(t => t.textContent),
                        labels: [...document.querySelectorAll('.tlw-views > .lm-TabBar .lm-TabBar-tabLabel')]
                            .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent),
                        page: document.documentElement.scrollWidth - innerWidth,
                    };
                }"""
            )
            assert found == {"tabs": [], "labels": [], "page": 0}, (theme, width)


def test_try_a_picture_save_all_and_load_the_record_in_a_new_lab(page, jupyter, pictures):
    jupyter.notebook("predict.ipynb", SHOW)
    open_notebook(page, jupyter, "predict.ipynb")
    tab(page, "Try a picture").click()
    page.get_by_text("After training: give both models a picture").wait_for()
    button(page, "Train both").click()
    wait_state(page, "done")

    tab(page, "Try a picture").click()
    pick(page, "Choose pictures", pictures)
    page.get_by_text("A probability only compares").wait_for()
    table = page.get_by_role("table", name="Probabilities")
    numbers = [float(text.strip("%")) for text in table.get_by_role("cell").all_inner_texts()]
    assert len(numbers) == 6  # three classes, two models
    assert sum(numbers[::2]) == pytest.approx(100, abs=0.2)
    assert sum(numbers[1::2]) == pytest.approx(100, abs=0.2)
    assert page.get_by_role("img", name="of nothing.jpg as the models see it").bounding_box()["width"] == 130
    page.get_by_text("1,000 × 600 pixels").wait_for()
    page.get_by_role("alert").filter(has_text="page.jpg cannot be used: a web page, not an image").wait_for()
    assert page.title() != "owned"
    look(page, "try")
    page.get_by_label("Picture's file name", exact=True).fill("nowhere.jpg")
    button(page, "Try it").click()
    page.get_by_role("alert").filter(has_text="There is no file nowhere.jpg").wait_for()

    tab(page, "Predictions").click()
    page.get_by_label("Show", exact=True).select_option("the most confident mistakes")
    page.get_by_text("the most confident mistakes first. Page 1 of").wait_for()
    button(page, "Next page").click()
    page.get_by_text("Page 2 of").wait_for()

    tab(page, "Save").click()
    page.get_by_label("Folder name", exact=True).fill("my run")
    button(page, "Save all").click()
    page.get_by_text("A click opens a file").wait_for()
    look(page, "save")
    saved = jupyter.folder / "my run"
    record = json.loads((saved / "record.json").read_text())
    assert record["dataset"]["image_size"] == 32
    assert "<title>textures: from scratch and transfer</title>" in (saved / "report.html").read_text()
    compile((saved / "transfer_learning.py").read_text(), "script", "exec")
    for name in ("scratch.keras", "transfer.keras"):
        assert "model.weights.h5" in zipfile.ZipFile(saved / name).namelist()

    jupyter.notebook("again.ipynb", OTHER)
    open_notebook(page, jupyter, "again.ipynb")
    wait_state(page, "idle")
    tab(page, "Save").click()
    pick(page, "Choose a record", saved / "report.html")
    page.get_by_role("alert").filter(has_text="not a record").wait_for()
    assert_value(page, "Epochs", "10")
    pick(page, "Choose a record", saved / "record.json")
    page.get_by_text("Loaded record.json as run 1, with its settings.").wait_for()
    assert_value(page, "Epochs", "3")
    expect(page.get_by_label("Image size", exact=True)).to_have_attribute("aria-valuetext", "32 pixels")
    tab(page, "Result").click()
    page.get_by_text("Run 1, loaded from record.json: textures, 12 training images").wait_for()
    tab(page, "Try a picture").click()
    page.get_by_text("The models of this result are gone").wait_for()


def test_the_report_is_one_page_that_fits_every_screen_and_paper(own_page, tmp_path):
    page = own_page
    from tl_widgets import ScratchSpec, compare, load_dataset, to_report

    scratch = ScratchSpec(filters=(4, 4), kernel_sizes=(3, 3), dense_units=8)
    dataset = load_dataset("textures", image_size=32, n_per_class=4)
    path = tmp_path / "report.html"
    path.write_text(to_report(compare(dataset, scratch=scratch, epochs=2, control=True), dataset=dataset))
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(path.as_uri())
    for media, scheme in (("screen", "light"), ("screen", "dark"), ("print", "dark")):
        page.emulate_media(media=media, color_scheme=scheme)
        for width in (900, 1600):
            page.set_viewport_size({"width": width, "height": 1200})
            photograph(page, f"report-{media}-{scheme}-{width}", full_page=True)
            root = "document.documentElement"
            assert page.evaluate(f"() => {root}.scrollWidth - {root}.clientWidth") == 0
            dark = page.evaluate("() => getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
            assert dark == (media == "screen" and scheme == "dark")
            broken = page.evaluate("() => [...document.images].filter(e => !e.naturalWidth || !e.alt).length")
            assert broken == 0
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert said == []
