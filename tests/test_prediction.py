"""predict: any picture in, every model's probabilities out, and a sentence for what is no picture."""

import io
import os
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tl_widgets import Comparison, InputError, ScratchSpec, compare, load_dataset, predict
from tl_widgets.data.decode import decode_image
from tl_widgets.records.answers import comparable_runs, confidence, confident_mistakes, disagreements
from tl_widgets.records.comparison import RunResult
from tl_widgets.records.parameters import ParameterCount

pytestmark = pytest.mark.usefixtures("tiny_default")

SMALL = ScratchSpec(filters=(4, 4), kernel_sizes=(3, 3), dense_units=8)


@pytest.fixture(scope="module")
def textures():
    return load_dataset("textures", image_size=32, n_per_class=4)


@pytest.fixture(scope="module")
def three(textures):
    """Three models of three classes."""
    return compare(textures, scratch=SMALL, epochs=2, control=True)


def file_of(pixels, kind="PNG", **options):
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, kind, **options)
    return data.getvalue()


def noise(height=40, width=60, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


# What comes out


def test_a_test_image_gets_the_answers_of_the_test(three, textures):
    for row in (0, 40, 89):
        found = predict(three, textures.test.images[row])
        np.testing.assert_array_equal(found.image, textures.test.images[row])
        assert [answer.model for answer in found.answers] == ["scratch", "transfer", "control"]
        for answer, run in zip(found.answers, three.runs, strict=True):
            np.testing.assert_allclose(answer.probabilities, run.probabilities[row], atol=1e-4)
            assert answer.prediction == run.predictions[row]
            assert sum(answer.probabilities) == pytest.approx(1)


def test_two_classes_have_two_probabilities():
    faces = load_dataset("faces", image_size=32, n_per_class=4)
    comparison = compare(faces, scratch=SMALL, epochs=1)
    found = predict(comparison, faces.test.images[3])
    for answer, run in zip(found.answers, comparison.runs, strict=True):
        np.testing.assert_allclose(answer.probabilities, run.probabilities[3], atol=1e-4)


def test_path_bytes_and_pixels_are_the_same_picture(three, tmp_path):
    pixels = noise()
    (tmp_path / "a b.png").write_bytes(file_of(pixels))
    by_path = predict(three, tmp_path / "a b.png")
    assert by_path.name == "a b.png"
    assert (by_path.width, by_path.height) == (60, 40)
    for same in (str(tmp_path / "a b.png"), file_of(pixels), memoryview(file_of(pixels)), pixels):
        assert predict(three, same).answers == by_path.answers
    assert predict(three, pixels, name="x").name == "x"


def test_the_models_see_what_load_folder_makes_of_it(three):
    # A phone's picture: on its side, with the top marked.
    pixels = noise(300, 200)
    pixels[:, 120:] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    data = file_of(pixels, "JPEG", quality=95, exif=exif)
    found = predict(three, data)
    np.testing.assert_array_equal(found.image, decode_image(data, 32))
    # Turned by 90 degrees clockwise: what was right is now below.
    assert (found.width, found.height) == (300, 200)
    assert found.original.shape == (200, 300, 3)
    assert found.original[150:].mean() > 250
    assert found.original[:90].mean() < 150


def test_a_large_picture_is_shown_small_and_transparency_is_white(three):
    pixels = np.zeros((1000, 2000, 4), np.uint8)
    pixels[:, :1000, 3] = 255
    found = predict(three, file_of(pixels))
    assert found.original.shape == (240, 480, 3)
    assert found.original[:, :200].max() == 0
    assert found.original[:, 280:].min() == 255
    with pytest.raises(ValueError, match="read-only"):
        found.image[0] = 0


def test_the_same_picture_gives_the_same_numbers_again(three):
    assert predict(three, noise()).answers == predict(three, noise()).answers


# What is refused


def bomb(side=50_000):
    """A PNG of 50,000 x 50,000 pixels in a few bytes: only its head is true."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


REFUSED = {
    "page.jpg": (b"<!DOCTYPE html><html><script>alert(1)</script></html>", "a web page, not an image"),
    "drawing.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "an SVG drawing"),
    "cut.jpg": (file_of(noise(200, 200), "JPEG")[:900], "cut short"),
    "huge.png": (bomb(), "far too many pixels"),
    "large.png": (bomb(12_000), "12,000 x 12,000 pixels, more than the 120 megapixels"),
    "empty.png": (b"", "empty"),
    "random.png": (bytes(range(256)) * 4, "not an image of a kind"),
    "pickle.png": (b"\x80\x04\x95\x0c\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94.", "not an image of a kind"),
    "model.keras": (b"PK\x03\x04" + bytes(100), "a zip file"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_picture_is_a_sentence(three, tmp_path, name):
    data, said = REFUSED[name]
    (tmp_path / name).write_bytes(data)
    for picture, given in ((tmp_path / name, ""), (data, name)):
        with pytest.raises(InputError, match=said) as error:
            predict(three, picture, name=given)
        assert str(error.value).startswith(f"{name} cannot be used: ")


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((4, 4)),
        np.zeros((4, 4), np.uint8),
        np.zeros((1, 4, 4, 3), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        None,
        7,
        [1, 2],
    ],
    ids=range(7),
)
def test_what_is_neither_path_nor_pixels(three, wrong):
    with pytest.raises(InputError, match=r"must be a path, bytes, or a uint8 array of shape \(height, width, 3\)"):
        predict(three, wrong)


def test_paths_that_lead_nowhere(three, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"no file nowhere\.jpg; you are in"):
        predict(three, "nowhere.jpg")
    with pytest.raises(InputError, match="is not a file"):
        predict(three, tmp_path)
    with pytest.raises(InputError, match=r"no file .*|cannot be read"):
        predict(three, "a\0b")
    os.mkfifo("pipe")
    with pytest.raises(InputError, match="pipe is not a file"):
        predict(three, "pipe")
    monkeypatch.setattr("tl_widgets.experiments.prediction.MAX_FILE_BYTES", 100)
    for big in (file_of(noise()), "big.png"):
        (tmp_path / "big.png").write_bytes(file_of(noise()))
        with pytest.raises(InputError, match="allowed for one picture"):
            predict(three, big)


def test_a_result_without_models_says_so(three):
    with pytest.raises(InputError, match="models of this result are gone"):
        predict(Comparison.from_json(three.to_json()), noise())
    with pytest.raises(InputError, match="must be a Comparison"):
        predict(three.scratch, noise())
    half = replace(three, scratch=replace(three.scratch, model=None))
    assert [answer.model for answer in predict(half, noise()).answers] == ["transfer", "control"]


# Which test images are worth a look


def run(name, predictions, sure):
    pairs = zip(predictions, sure, strict=True)
    probabilities = tuple((p, 1 - p) if answer == 0 else (1 - p, p) for answer, p in pairs)
    answers = {"labels": (0, 0, 0, 1, 1, 1), "predictions": predictions, "probabilities": probabilities}
    return RunResult(name, ("a", "b"), ParameterCount(1, 0), **answers)


def test_disagreements_let_classes_take_turns_and_leave_the_control_out():
    scratch = run("scratch", (1, 1, 0, 0, 1, 1), (0.9, 0.6, 0.7, 0.99, 0.8, 0.8))
    transfer = run("transfer", (0, 0, 0, 1, 1, 0), (0.9,) * 6)
    control = run("control", (1,) * 6, (1.0,) * 6)
    assert comparable_runs([scratch, transfer, control]) == (scratch, transfer)
    assert comparable_runs([transfer, control]) == (transfer, control)
    assert disagreements((scratch, transfer)) == (0, 3, 1, 5)
    assert disagreements(()) == ()
    assert confident_mistakes((scratch, transfer)) == (3, 0, 5, 1)
    assert confidence((scratch, transfer), 3) == 0.99
    assert confidence((scratch, transfer), 2) is None
