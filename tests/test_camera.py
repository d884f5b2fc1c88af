"""What Python takes from the browser's camera, and what it refuses: a browser is outside input."""

import io

import numpy as np
import pytest
from PIL import Image

from tl_widgets.core.errors import InputError
from tl_widgets.widgets.images import camera as module
from tl_widgets.widgets.images.camera import CameraView


def picture(kind="JPEG", width=40, height=40):
    data = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(data, kind)
    return data.getvalue()


@pytest.fixture
def camera(monkeypatch):
    """A CameraView, what it kept and what it answered; each message comes a second after the one before."""
    clock = iter(range(10**6))
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(clock)))
    kept, answers = [], []
    view = CameraView(lambda name, data: kept.append((name, data)), ["cup"])
    monkeypatch.setattr(view, "send", answers.append)
    view.kept, view.answers = kept, answers
    yield view
    view.close()


def take(camera, name="cup", data=None, content=None, buffers=None):
    message = {"number": "x-1", "name": name} if content is None else content
    camera._handle_custom_msg(message, [memoryview(data or picture())] if buffers is None else buffers)
    return camera.answers[-1]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_is_handed_on_byte_for_byte(camera, kind):
    data = picture(kind, 512, 512)
    assert take(camera, "  green   cup ", data) == {
        "number": "x-1",
        "kept": True,
        "text": "green cup: 1 picture taken.",
    }
    assert camera.kept == [("green cup", data)]
    assert take(camera, "green cup")["text"] == "green cup: 2 pictures taken."
    assert camera.counts == {"green cup": 2}


def test_a_picture_to_try_needs_no_class(camera):
    camera.asks_class = False
    data = picture("PNG", 20, 20)
    assert take(camera, "", data)["text"] == "Taken."
    assert camera.kept == [("", data)]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"name": ""}, "Give the class a name"),
        ({"name": None}, "Give the class a name"),
        ({"name": ["cup"]}, "Give the class a name"),
        ({"name": "x" * 61}, "at most 60 letters"),
        ({"name": "../up"}, "can become a folder name"),
        ({"name": "a\\b"}, "can become a folder name"),
        ({"name": ".hidden"}, "can become a folder name"),
        ({"name": "a\x00b"}, "can become a folder name"),
        ({"name": "a\u202eb"}, "can become a folder name"),
        ({"data": b"<svg onload=alert(1)>"}, "neither a JPEG nor a PNG"),
        ({"data": picture("GIF")}, "neither a JPEG nor a PNG"),
        ({"data": picture("TIFF")}, "neither a JPEG nor a PNG"),
        ({"data": picture("JPEG", 513, 20)}, "513 x 20 pixels; the maximum is 512"),
        ({"data": picture("PNG", 10, 9000)}, "10 x 9,000 pixels; the maximum is 512"),
        ({"data": picture("PNG", 200, 200)[:2000]}, "cannot be used: cut short"),
        ({"data": picture() + bytes(1_000_000)}, "bytes; the maximum is 1,000,000"),
        ({"buffers": []}, "not a picture"),
        ({"buffers": [b"a", b"b"]}, "not a picture"),
        ({"content": "text"}, "not a picture"),
        ({"content": {"number": {}, "name": "cup"}, "buffers": [3]}, "could not be kept|neither a JPEG"),
    ],
)
def test_what_is_no_picture_gets_a_sentence_and_is_not_kept(camera, facts, said):
    answer = take(camera, **facts)
    assert answer["kept"] is False
    assert any(part in answer["text"] for part in said.split("|"))
    assert camera.kept == []
    assert take(camera)["kept"]  # the next good one is


def test_too_many_in_a_second_and_too_many_in_all(camera, monkeypatch):
    monkeypatch.setattr(module.time, "monotonic", lambda: 5.0)
    answers = [take(camera) for _ in range(module.MAX_PER_SECOND + 1)]
    assert [answer["kept"] for answer in answers] == [True] * module.MAX_PER_SECOND + [False]
    assert "10 per second" in answers[-1]["text"]
    monkeypatch.setattr(module.time, "monotonic", lambda: 7.0)
    monkeypatch.setattr(module, "MAX_PICTURES", 11)
    assert [take(camera)["kept"] for _ in range(2)] == [True, False]
    assert "the maximum" in camera.answers[-1]["text"]


def test_what_the_app_says_is_passed_on(camera, caplog):
    def refuse(name, data):
        raise InputError("There is no room for another class.")

    camera._on_picture = refuse
    assert take(camera)["text"] == "There is no room for another class."

    def fail(name, data):
        raise OSError(28, "No space left on device")

    camera._on_picture = fail
    assert "No space left on device" in take(camera)["text"]
    assert camera.counts == {}
    assert "could not be kept" in caplog.text


def test_nothing_is_taken_while_it_is_disabled(camera):
    camera.enabled = False
    assert "The Lab is busy" in take(camera)["text"]
    assert camera.kept == []
