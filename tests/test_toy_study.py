"""A study that is declared here, in one object: terminal, StudyLab, record and text alternative follow from it."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from tl_widgets import InputError, StudyLab
from tl_widgets.cli import main as cli
from tl_widgets.core.settings import Choice, Flag, Whole, same_setting, setting
from tl_widgets.plots.style import new_axes
from tl_widgets.records.comparison import DatasetSummary, StudyFailure, StudyRecord
from tl_widgets.studies.arguments import MODELS, ImageArguments
from tl_widgets.studies.guess import Guess
from tl_widgets.studies.registry import STUDIES, TOPICS, read_study, register
from tl_widgets.studies.study import Plan, Study


@dataclass(frozen=True)
class ToyArguments(ImageArguments):
    """How the brightness of images is measured."""

    n_per_class: int | None = same_setting(ImageArguments, "n_per_class", default=5)
    level: int = setting(100, Whole(0, 255), "Level", "Bright is what lies above it", group=MODELS)
    channel: str = setting("red", Choice((("Red", "red"), ("Blue", "blue"))), "Channel", "Which color", group=MODELS)
    invert: bool = setting(False, Flag(), "Invert", "Count dark pixels instead", group=MODELS)
    digits: int = setting(4, Whole(1, 9), "", "Digits of the result", group=MODELS)


@dataclass(frozen=True)
class Brightness(StudyRecord):
    """The share of bright pixels."""

    dataset: DatasetSummary
    share: float
    failures: tuple[StudyFailure, ...] = ()
    stopped: bool = False

    @property
    def datasets(self):
        return (self.dataset,)

    @property
    def rows(self):
        return (("what", "share"), ("bright pixels", f"{self.share:.3f}"))

    @property
    def sentences(self):
        return (f"{self.share:.0%} of the pixels are bright.",)


def measure_brightness(dataset, *, level, channel, invert, digits, on_event, cancel):
    from tl_widgets.experiments.comparison import summarize

    bright = float(np.mean(dataset.train.images[..., ("red", "green", "blue").index(channel)] > level))
    return Brightness(summarize(dataset), round(1 - bright if invert else bright, digits))


def plot_brightness(result):
    ax = new_axes(4, 3)
    ax.bar([0], [result.share])
    return ax


class Toy(Study):
    name = "toy"
    topic = "trust"
    question = "How bright?"
    about = "the share of bright pixels"
    lead = "The pixels are counted."
    chart = "One bar."
    arguments = ToyArguments
    record, function, figure = ":Brightness", ":measure_brightness", ":plot_brightness"

    def plan(self, arguments, facts):
        return Plan(1, f"{arguments.n_train(facts)} images are looked at")

    def guess(self, arguments):
        if not arguments.invert:
            return None
        return Guess(
            "How much is dark?", ("little", "much"), "dark", lambda result: ("little", "much")[result.share > 0.5]
        )


@pytest.fixture(autouse=True)
def toy(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    register(Toy())
    yield STUDIES["toy"]
    del STUDIES["toy"]


@pytest.fixture
def lab():
    app = StudyLab("toy", values={"image_size": 32, "level": 90})
    yield app
    app.close()


def test_the_terminal_has_its_options_and_writes_record_and_figure(tmp_path, capsys):
    with pytest.raises(SystemExit):
        cli.main(["study", "toy", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "How bright: the share of bright pixels." in shown
    assert "--level N bright is what lies above it (default: 100)" in shown
    assert "--channel NAME which color: red, blue (default: red)" in shown
    assert "--invert count dark pixels instead" in shown
    assert "--digits N" in shown
    assert "--image-size N side of the square images in pixels (default: 64)" in shown
    assert "--images-per-class N training images of each class (default: 5)" in shown
    assert cli.main(["study", "toy", "faces", "--image-size", "32", "--level", "90", "--digits", "2"]) == 0
    shown = capsys.readouterr().out
    found = Brightness.from_json((tmp_path / "tl-widgets-toy-faces.json").read_text())
    assert found.share == round(found.share, 2)
    assert f"bright pixels  {found.share:.3f}" in shown
    assert found.sentences[0] in shown
    assert (tmp_path / "tl-widgets-toy-faces.png").read_bytes().startswith(b"\x89PNG")
    assert "The study uses 10 training images of 32 x 32 pixels; --image-size and --images-per-class" in shown


@pytest.mark.parametrize(
    ("options", "side", "n_train"),
    [
        ("", 64, 15),
        ("faces", 64, 10),  # the study's own size and number, whatever the data
        ("faces --images-per-class all --image-size 24", 24, 100),
        ("mine", 64, 6),  # as many as there are
    ],
)
def test_without_an_option_the_study_decides_on_the_images(tmp_path, options, side, n_train):
    if options == "mine":
        for folder in ("a", "b"):
            (tmp_path / "mine" / folder).mkdir(parents=True)
            for i in range(6):
                pixels = np.random.default_rng([i, ord(folder)]).integers(0, 256, (9, 9, 3), np.uint8)
                Image.fromarray(pixels).save(tmp_path / "mine" / folder / f"{i}.png")
    assert cli.main(["study", "toy", *options.split(), "--quiet", "--json", "record.json"]) == 0
    data = Brightness.from_json((tmp_path / "record.json").read_text()).dataset
    assert (data.image_size, data.n_train) == (side, n_train)


@pytest.mark.parametrize(
    ("options", "message"),
    [("--level 256", "level must be 0 to 255; received 256"), ("--digits 0", "digits must be 1 to 9; received 0")],
)
def test_the_terminal_checks_before_it_loads(capsys, options, message):
    assert cli.main(["study", "toy", "no_such_folder", *options.split()]) == cli.MISTAKE
    assert message in " ".join(capsys.readouterr().err.split())


def test_the_form_has_its_fields_with_the_same_defaults_and_ranges(lab):
    control = lab.form.control
    assert list(lab.settings.values) == ["dataset", "image_size", "n_per_class", "level", "channel", "invert"]
    assert (control("level").description, control("level").value, control("level").max) == ("Level", 90, 255)
    assert control("channel").options == (("Red", "red"), ("Blue", "blue"))
    assert control("level").tooltip == "Bright is what lies above it"
    control("channel").value = "blue"
    assert lab.settings.arguments == ToyArguments(image_size=32, level=90, channel="blue")
    with pytest.raises(InputError, match="level must be 0 to 255"):
        lab.settings = lab.settings.with_values({"level": 300})
    with pytest.raises(InputError, match="has no control 'digits'"):
        lab.settings.with_values({"digits": 2})


def test_the_panel_measures_shows_and_reads_the_record_back(lab, toy, tmp_path):
    result = lab.run(wait=True).result
    assert 0 < result.share < 1
    text = f"One bar. {result.sentences[0]} bright pixels: share {result.share:.3f}."
    assert toy.text(result) == text
    assert json.loads(result.to_json())["study"] == "Brightness"
    assert read_study(result.to_json(), ("toy", "time")) == ("toy", result)
    (tmp_path / "record.json").write_text(result.to_json())
    again = StudyLab()
    assert again.load("record.json") == result
    assert again.settings.study == "toy"
    again.close()


def test_the_guess_comes_first(lab):
    lab.form.control("invert").value = True
    result = lab.run(wait=True).result
    guess = STUDIES["toy"].guess(lab.settings.arguments)
    assert guess.question == "How much is dark?"
    assert guess.answer(result) == ("much" if result.share > 0.5 else "little")


def test_two_studies_cannot_have_one_name():
    with pytest.raises(InputError, match="There is already a study 'toy'"):
        register(Toy())


def test_a_study_has_a_known_topic(monkeypatch):
    assert {study.topic for study in STUDIES.values()} == set(TOPICS)
    monkeypatch.setattr(Toy, "topic", "weather")
    with pytest.raises(InputError, match="no topic 'weather'; choose one of effort, models, faults, trust"):
        register(Toy())
