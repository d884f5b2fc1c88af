"""An exported page in Chromium: served from its folder, it asks the model about the camera and about a photograph."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from driving import button, free_port, photograph, violations, wait_for
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from test_export import comparison, three_classes  # noqa: F401  # a fixture

from tl_widgets import export_model
from tl_widgets.data.decode import decode_image

pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is missing: pip install 'tl_widgets[export]'")


SEES = "document.querySelector('#sees').getContext('2d')"


def write_noise(path, size, n_channels):
    """A picture whose file asks for another brightness, which training doesn't heed."""
    noise = np.random.default_rng(0).integers(0, 256, (*size[::-1], n_channels), dtype=np.uint8)
    darker = PngInfo()
    darker.add(b"gAMA", (100_000).to_bytes(4, "big"))
    Image.fromarray(noise).save(path, pnginfo=darker)


def pixels_of(folder, picture):
    """What the program beside the page gives to the model for a picture."""
    lines = (folder / "page" / "classify.py").read_text().partition("model = ")[0]
    code = f"import sys; sys.argv = ['classify.py', {str(folder / picture)!r}]; __file__ = '.'\n{lines}"
    found = {}
    exec(code, found)
    return found["images"][0]


def test_a_page_asks_the_model_about_camera_and_photograph_without_network(
    chromium, tiny_default, comparison, tmp_path  # noqa: F811
):  # fmt: skip
    result, dataset = comparison
    export_model(result, "web", tmp_path / "page", dataset=dataset, model="fine_tuned")
    port = free_port()
    log = tmp_path / "log.txt"
    with log.open("w") as file:
        command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "-d", str(tmp_path / "page")]
        server = subprocess.Popen(command, stdout=file, stderr=file)
    own = chromium("--use-fake-device-for-media-stream", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
    try:
        wait_for(f"http://127.0.0.1:{port}", server, log)
        page = own.new_page(viewport={"width": 1366, "height": 768}, permissions=["camera"])
        page.set_default_timeout(30_000)
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"http://127.0.0.1:{port}")
        page.locator("body[data-state=ready]").wait_for()
        assert page.get_by_role("heading", level=1).inner_text() == "brightness"
        assert "18 of 18 test images" in page.locator("footer").inner_text()
        # A photograph of the model's own size: the same pixels, so the same probabilities.
        image = dataset.test.images[-1]
        Image.fromarray(image).save(tmp_path / "bright.png")
        page.get_by_label("Choose a photograph").set_input_files(tmp_path / "bright.png")
        page.locator("body[data-answer]").wait_for(state="attached")
        expected = result.fine_tuned.model.predict(image[np.newaxis], verbose=0)[0]
        shown = page.locator("#bars li").evaluate_all(
            "rows => rows.map(row => [...row.children].slice(0, 2).map(e => e.textContent))"
        )
        assert [name for name, _ in shown] == list(dataset.class_names)
        assert [float(share.rstrip("%")) for _, share in shown] == pytest.approx(100 * expected, abs=0.1)
        assert violations(page, "main") == []
        # Page and program make the same pixels of a photograph as training did. These are wide: of tall ones, Pillow 13
        # resizes the columns first where that is faster, and older ones the rows.
        for name, size in (("large.png", (101, 75)), ("small.png", (20, 17)), ("transparent.png", (60, 50))):
            write_noise(tmp_path / name, size, 4 if name == "transparent.png" else 3)
            page.evaluate("() => delete document.body.dataset.answer")
            page.get_by_label("Choose a photograph").set_input_files(tmp_path / name)
            page.locator("body[data-answer]").wait_for(state="attached")
            seen = page.evaluate(f"() => [...{SEES}.getImageData(0, 0, 32, 32).data]")
            trained_on = decode_image((tmp_path / name).read_bytes(), 32)
            assert np.array_equal(np.array(seen).reshape(32, 32, 4)[..., :3], trained_on)
            assert np.array_equal(pixels_of(tmp_path, name), trained_on)
        page.evaluate("""() => {
            const devices = navigator.mediaDevices, ask = devices.getUserMedia.bind(devices);
            window.nCameras = 0;
            devices.getUserMedia = (wanted) => { window.nCameras += 1; return ask(wanted); };
        }""")
        button(page, "Start camera").evaluate("button => { button.click(); button.click(); }")
        page.wait_for_function("() => document.querySelector('video').currentTime > 0.3")
        green = f"() => {SEES}.getImageData(2, 2, 1, 1).data[1]"
        assert page.evaluate("() => nCameras") == 1
        assert page.evaluate(green) > 60  # the camera's dark green field, not a black frame
        photograph(page, "export-page")
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
        photograph(page, "export-page-phone", full_page=True)
        tracks = page.evaluate_handle("() => document.querySelector('video').srcObject.getTracks()")
        button(page, "Stop camera").click()
        assert tracks.evaluate("all => all.map(track => track.readyState)") == ["ended"]
        (tmp_path / "text.png").write_text("no picture")
        page.get_by_label("Choose a photograph").set_input_files(tmp_path / "text.png")
        page.get_by_role("alert").filter(has_text="can’t read text.png").wait_for()
        # A camera that is unplugged, and a model that fails.
        button(page, "Start camera").click()
        page.wait_for_function("() => document.querySelector('video').srcObject.active")
        button(page, "Stop camera").wait_for()
        page.evaluate(
            "() => document.querySelector('video').srcObject.getTracks()[0].dispatchEvent(new Event('ended'))"
        )
        page.get_by_role("alert").filter(has_text="The camera has stopped.").wait_for()
        page.evaluate("() => { CanvasRenderingContext2D.prototype.getImageData = () => { throw Error('no memory'); } }")
        button(page, "Start camera").click()
        page.get_by_role("alert").filter(has_text="The model couldn’t answer: no memory.").wait_for()
        button(page, "Start camera").wait_for()
        assert errors == []
        page.goto(Path(tmp_path / "page" / "index.html").as_uri())
        page.get_by_role("alert").filter(has_text="python -m http.server").wait_for()
    finally:
        server.kill()
        server.wait(10)
        own.close()
