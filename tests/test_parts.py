"""Sliders on a form, and what Picture and Slider take from the browser."""

import logging

import pytest
import traitlets
from helpers import type_in

from tl_widgets.core.config import Config
from tl_widgets.core.errors import InputError
from tl_widgets.core.settings import Real, settings_of
from tl_widgets.widgets.shared.fields import CountField, make_field
from tl_widgets.widgets.shared.form import Form
from tl_widgets.widgets.shared.html import style
from tl_widgets.widgets.shared.picture import Picture
from tl_widgets.widgets.shared.settings import CONTROLS, LabSettings
from tl_widgets.widgets.shared.slider import Slider
from tl_widgets.widgets.shared.source import DataSource

SLIDERS = {
    "image_size": (32, 64, 96, 128),
    "n_per_class": range(2, 51),
    "learning_rate": settings_of(Config)["learning_rate"].kind.usual,
    "epochs": range(1, 31),
}


class SliderForm(Form[LabSettings]):
    """A form of sliders."""

    def __init__(self):
        super().__init__(LabSettings(), DataSource())
        self._make_fields([CONTROLS[name] for name in SLIDERS], SLIDERS)
        self.children = [self.problem, *self._controls().values()]
        self._show()

    def _images(self, settings):
        return settings


@pytest.fixture
def form():
    form = SliderForm()
    yield form
    for field in form.fields.values():
        field.widget.close()
    form.close()


def drag(slider, value):
    """What the page sends while a slider is dragged."""
    slider.set_state({"value": value})


def test_a_setting_becomes_a_slider(form):
    size, count, rate, epochs = (form.control(name) for name in SLIDERS)
    assert all(isinstance(slider, Slider) for slider in (size, count, rate, epochs))
    assert (size.description, size.unit, size.tooltip) == (
        "Image size",
        "pixels",
        "Side of the square images in pixels. Numbers up to 512 can be typed",
    )
    assert (size.value, size.min, size.max, size.stops) == (96, 32, 128, [32, 64, 96, 128])
    assert (epochs.value, epochs.min, epochs.max, epochs.step, epochs.stops) == (10, 1, 30, 1, [])
    assert (rate.value, rate.min, rate.max) == (0.001, 1e-5, 0.1)
    most = form._facts(form.settings).max_per_class
    assert (count.value, count.min, count.max) == (most, 1, most)  # all


def test_what_is_dragged_or_typed_changes_the_settings(form):
    seen = []
    form.follow(lambda settings: seen.append(settings.values))
    drag(form.control("epochs"), 12)
    assert type_in(form.control("image_size"), "80") == ""
    drag(form.control("n_per_class"), 5)
    assert type_in(form.control("learning_rate"), "0.002") == ""
    values = form.settings.values
    assert [values[name] for name in SLIDERS] == [80, 5, 0.002, 12]
    assert type(values["epochs"]) is int
    assert len(seen) == 5
    assert form.control("image_size").value == 80
    drag(form.control("n_per_class"), form.control("n_per_class").max)
    assert form.settings.n_per_class is None
    assert type_in(form.control("epochs"), "200") == ""  # more than the slider shows, but allowed
    assert (form.control("epochs").value, form.control("epochs").max) == (200, 200)
    form.settings = LabSettings(config=Config(epochs=3))
    assert (form.control("epochs").value, form.control("epochs").max) == (3, 30)  # and the range is what it was


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("image_size", "5000", "Image size: choose a number from 16 to 512 (the slider ends at 128); received 5000."),
        ("n_per_class", "5000", "Choose at most"),
        ("n_per_class", "0", "Images per class must be 1 or more; received 0."),
        ("epochs", "2.5", "Epochs: &#39;2.5&#39; is not a whole number."),
        ("epochs", "", "is not a whole number."),
        ("learning_rate", "nan", "Learning rate must be above 0 and at most 10; received nan."),
        ("learning_rate", "<i>", "&lt;i&gt;"),
    ],
)
def test_a_number_that_is_not_allowed_is_rejected_with_a_sentence(form, name, text, problem):
    before, shown = form.settings, form.control(name).value
    assert type_in(form.control(name), text) == ""  # the form explains it
    assert problem in form.problem.value
    assert form.settings == before
    assert form.control(name).value == shown
    assert type_in(form.control("epochs"), "7") == ""
    assert form.problem.value == ""


def test_a_locked_form_and_a_locked_slider_take_no_number(form):
    form.enabled = False
    assert all(form.control(name).disabled for name in SLIDERS)
    slider = form.control("epochs")
    slider._on_message(slider, {"text": "7"}, [])
    assert form.settings.config.epochs == 10


def test_a_slider_alone_checks_its_own_limits():
    slider = Slider("Guess", 3, 1, 20, unit="times", tooltip="How much more data?")
    assert type_in(slider, "7") == ""
    assert slider.value == 7
    assert type_in(slider, "500") == "Guess: Choose a number from 1 to 20; received 500."
    assert type_in(slider, "x") == "Guess: 'x' is not a whole number."
    assert slider.value == 7
    rate = Slider("Share", 0.5, 0, 1, 0.05)
    assert type_in(rate, "0.25") == ""
    assert rate.value == 0.25
    assert type_in(rate, "inf").startswith("Share: Choose a number from 0 to 1")
    with pytest.raises(traitlets.TraitError):
        slider.value = "many"
    assert repr(slider) == "Slider: Guess (needs a live notebook)"


def test_a_slider_without_positions_is_a_field_or_a_menu():
    assert not make_field(CONTROLS["epochs"]).widget.has_track
    assert isinstance(make_field(CONTROLS["n_per_class"], range(1, 9)), CountField)
    dropout = make_field(CONTROLS["dropout"], (0.0, 0.25, 0.5))
    assert isinstance(CONTROLS["dropout"].kind, Real)
    assert dropout.read("0.3") == 0.3
    with pytest.raises(InputError, match="is not a number"):
        dropout.read("a lot")


@pytest.mark.parametrize("content", [None, [], {}, {"text": 5}, {"click": 5}, {"text": None}, {"click": ["a"]}])
def test_whatever_else_the_browser_sends_is_ignored(content):
    clicks, slider, picture = [], Slider("Epochs", 3), Picture("<p>")
    picture.on_click(clicks.append)
    for widget in (slider, picture):
        widget._on_message(widget, content, [])
    assert (slider.value, clicks) == (3, [])


def test_clicks_reach_every_listener_even_if_one_fails(caplog):
    clicks, picture = [], Picture()
    picture.on_click(lambda key: 1 / 0)
    picture.on_click(clicks.append)
    with caplog.at_level(logging.ERROR):
        picture._on_message(picture, {"click": "conv2"}, [])
    assert clicks == ["conv2"]
    assert "conv2" in caplog.text
    assert ".tlw-sr" in style()
