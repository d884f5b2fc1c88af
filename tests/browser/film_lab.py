"""Drive the real Lab in a browser and write an animated picture of it, for the README.

    python tests/browser/film_lab.py docs/_static/lab.gif

Needs Chromium and playwright, as the browser tests do; takes a minute.
"""

import io
import re
import sys
import tempfile
import time
from pathlib import Path

from driving import CHROMIUM, SERVER_OPTIONS, open_notebook, serve, wait_state
from PIL import Image
from playwright.sync_api import sync_playwright

CELL = """
from tl_widgets import TransferLab
from tl_widgets.widgets import LabSettings
TransferLab(settings=LabSettings(image_size=64, n_per_class=10))
"""
WIDTH, COLORS = 800, 96
MOST_BYTES = 2_000_000


class Film:
    """Frames of an element of a page, with the milliseconds for which each is shown."""

    def __init__(self, element):
        self.element, self.frames, self.milliseconds = element, [], []

    def shoot(self, milliseconds):
        """Add a frame; one that equals the last prolongs it."""
        shot = Image.open(io.BytesIO(self.element.screenshot())).convert("RGB")
        shot = shot.resize((WIDTH, round(WIDTH * shot.height / shot.width)), Image.Resampling.LANCZOS)
        if self.frames and shot.tobytes() == self.frames[-1].tobytes():
            self.milliseconds[-1] += milliseconds
            return
        self.frames.append(shot)
        self.milliseconds.append(milliseconds)

    def save(self, path):
        """Write a GIF with one palette for all frames."""
        palette = self.frames[-1].quantize(COLORS)
        frames = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in self.frames]
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=self.milliseconds, loop=0, optimize=True)


def play(page, film):
    """Look at a layer, train both models, move a slider, and look at a picture on which they disagree."""
    film.shoot(1500)
    page.locator("[data-click='filters:1']").first.click()
    page.locator(".tlw-layer [aria-pressed=true]").wait_for()
    time.sleep(0.5)
    film.shoot(2500)
    page.get_by_role("button", name="More", exact=True).click()
    page.locator(".tlw-layer").wait_for(state="hidden")
    page.get_by_role("button", name=re.compile("^Train both")).click()
    while not page.locator('[data-state="done"]').count():
        film.shoot(200)
        time.sleep(0.15)
    time.sleep(0.5)
    film.shoot(2500)
    slider = page.get_by_role("slider", name="Images per class")
    slider.focus()
    for _ in range(8):
        page.keyboard.press("ArrowLeft")
        time.sleep(0.5)
        film.shoot(350)
    film.shoot(2000)
    page.locator("[data-click^='row:']").nth(2).click()
    page.get_by_text("Bright places").wait_for()
    time.sleep(0.5)
    film.shoot(3000)


def main(path):
    """Write the film; exit code 1 if it is too large."""
    folder = Path(tempfile.mkdtemp())
    options = (*SERVER_OPTIONS, "--LabApp.expose_app_in_browser=True")
    with serve(folder, "lab", *options) as server, sync_playwright() as playwright:
        args = ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=args)
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        open_notebook(page, server, server.notebook("film.ipynb", CELL))
        wait_state(page, "idle")
        film = Film(page.locator(".tlw-lab").first)
        film.element.scroll_into_view_if_needed()
        time.sleep(8)  # until TensorFlow is loaded: a film of a progress bar teaches nothing
        play(page, film)
        browser.close()
    film.save(path)
    size = path.stat().st_size
    print(f"{path}: {len(film.frames)} frames, {size / 1e6:.2f} MB")
    return int(size > MOST_BYTES)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
