"""A mistake that is declared in this file, and nowhere else, is known everywhere."""

import json

import keras
import numpy as np
import pytest
from helpers import all_parts, own_dataset, page

from tl_widgets import MistakeStudy, StudyLab, check_setup, every_mistake, what_goes_wrong
from tl_widgets.cli import main as cli
from tl_widgets.core.errors import InputError
from tl_widgets.records.verdict import compare_answers
from tl_widgets.setup_checks.check import find_mistakes
from tl_widgets.setup_checks.mistake import Check, Finding, Mistake, Subject
from tl_widgets.setup_checks.registry import MISTAKES, register, unregister
from tl_widgets.studies.registry import STUDIES, read_study


def _measure(trial):
    """The nearest mean brightness of a class, and always the first class."""
    train, test = trial.dataset.train, trial.dataset.test
    brightness, tested = (np.asarray(split.images).mean(axis=(1, 2, 3)) for split in (train, test))
    means = np.array([brightness[train.labels == label].mean() for label in range(trial.dataset.n_classes)])
    nearest = np.abs(tested[:, None] - means).argmin(axis=1)
    trial.report("right", 1, 1, 0.0)
    return compare_answers(nearest == test.labels, test.labels == 0)


def _find(setup):
    if not np.any(setup.model.layers[-1].kernel.numpy()):
        yield Finding("The last layer's weights are all 0: let Keras draw them.", "toy")


TOY = Mistake(
    "toy",
    wrong="the answer is always the first class",
    right="the answer is the class of the nearest brightness",
    why="Nobody has looked at the image.",
    hides="Where nearly all images are of the first class, that is right nearly always.",
    measure=_measure,
    check=Check(Subject.ANSWERS, _find),
    dataset="textures",
    image_size=32,
    uses_backbone=False,
)


@pytest.fixture(autouse=True)
def _registered():
    register(TOY)
    yield
    unregister(TOY)


def test_it_is_listed_last_and_only_once():
    assert list(MISTAKES)[-1] == "toy"
    with pytest.raises(InputError, match="a unique name"):
        register(TOY)


def test_it_is_measured_and_its_record_is_read_back():
    study = what_goes_wrong(own_dataset(n=20), mistake="toy")
    assert (study.right, study.wrong) == (1.0, 0.5)
    assert study.backbone == ""
    assert study.sentences[0].startswith("Wrong: the answer is always the first class: 50.0%")
    assert MistakeStudy.from_json(study.to_json()) == study
    assert read_study(study.to_json(), ("mistake",)) == ("mistake", study)
    text = STUDIES["mistake"].text(study)  # the text alternative of its figure
    assert all(way in text for way in (TOY.wrong, TOY.right, TOY.why)), text
    both = every_mistake(own_dataset(), mistakes=("toy",))
    assert [row[0] for row in both.rows] == ["mistake", "Toy"]


def test_a_record_of_a_mistake_that_is_gone_is_rejected():
    record = json.loads(what_goes_wrong(own_dataset(), mistake="toy").to_json())
    with pytest.raises(InputError, match="no mistake 'gone'"):
        MistakeStudy.from_json(json.dumps({**record, "mistake": "gone"}))


def test_the_terminal_offers_and_measures_it(here, capsys):
    with pytest.raises(SystemExit):
        cli.main(["study", "mistake", "--help"])
    assert " toy" in capsys.readouterr().out
    assert cli.main(["study", "mistake", "--mistake", "toy", "--quiet"]) == 0
    assert "Wrong: the answer is always the first class" in capsys.readouterr().out
    (record,) = here.glob("*.json")
    study = MistakeStudy.from_json(record.read_text())
    assert (study.mistake, study.dataset.name, study.dataset.image_size) == ("toy", "textures", 32)
    (figure,) = here.glob("*.png")
    assert figure.stat().st_size > 10_000


def test_the_form_offers_and_measures_it(here):
    lab = StudyLab("mistake", values={"mistake": "toy"})
    try:
        assert ("toy", "toy") in lab.form.control("mistake").options
        assert "The mistake: the answer is always the first class." in page(lab)
        study = lab.run(wait=True).result
        assert study.mistake == "toy"
        parts = {getattr(part, "description", ""): part for part in all_parts(lab)}
        parts["My guess"].value = "ruined (more than 30 points)"
        parts["Keep my guess"].click()
        assert "You guessed" in page(lab)
        assert "Wrong: the answer is always the first class" in page(lab)
    finally:
        lab.close()


def test_check_setup_finds_it():
    inputs = keras.Input((32, 32, 3))
    answers = keras.layers.Dense(1, "sigmoid", kernel_initializer="zeros")
    brightness = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(inputs))
    model = keras.Model(inputs, answers(brightness))
    model.compile("adam", "binary_crossentropy")
    (finding,) = find_mistakes(model, own_dataset())
    assert finding.mistake == "toy"
    assert check_setup(model, own_dataset()) == (finding.text,)
    answers.kernel.assign(np.ones((3, 1)))
    assert check_setup(model, own_dataset()) == ()
