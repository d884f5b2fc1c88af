"""Mistakes measured beside the right way: each shows what its explanation says, where theory says that it must."""

import threading
from dataclasses import replace

import pytest

from tl_widgets import cli
from tl_widgets.builtin import load_dataset
from tl_widgets.cli_study_options import MISTAKE_NAMES
from tl_widgets.errors import CancelledError, InputError
from tl_widgets.mistake_results import MISTAKES, MistakeStudy
from tl_widgets.mistakes import what_goes_wrong
from tl_widgets.plot_studies import plot_mistake


@pytest.fixture(scope="module")
def textures():
    return load_dataset("textures", image_size=48, n_per_class=20)


def test_labels_drawn_by_lot_can_be_known_only_through_a_leak(textures):
    study = what_goes_wrong(textures, mistake="leaky_split")
    assert study.wrong > 0.9
    assert 0.1 < study.right < 0.9


def test_what_is_not_compiled_again_does_not_move(textures):
    study = what_goes_wrong(textures, mistake="trainable_without_compile")
    assert (study.right, study.wrong) == (1.0, 0.0)


def test_scaled_twice_the_backbone_sees_next_to_nothing(textures):
    study = what_goes_wrong(textures, mistake="rescaled_twice")
    assert study.right > study.wrong + 0.2
    assert "scaled once" in study.sentences[0]
    assert MistakeStudy.from_json(study.to_json()) == study
    ax = plot_mistake(study)
    assert [bar.get_width() for bar in ax.patches] == [study.right, study.wrong]
    assert "next to no difference" in replace(study, wrong=study.right).sentences[0]


def test_training_images_flatter(textures):
    study = what_goes_wrong(textures, mistake="training_accuracy", epochs=10)
    assert study.wrong > study.right


def test_a_rate_a_hundred_times_too_high_ends_at_chance(textures):
    study = what_goes_wrong(textures, mistake="learning_rate")
    assert study.wrong == pytest.approx(1 / 3, abs=0.05)
    assert study.right > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES)
def test_every_mistake_is_measured_and_explained(textures, mistake):
    study = what_goes_wrong(textures, mistake=mistake, epochs=2)
    assert 0 <= study.wrong <= 1
    assert 0 <= study.right <= 1
    assert all(sentence.endswith(".") for sentence in study.sentences)


def test_what_cannot_be_shown_is_refused(textures):
    with pytest.raises(InputError, match="no mistake 'other'"):
        what_goes_wrong(textures, mistake="other")
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError):
        what_goes_wrong(textures, mistake="bottleneck", cancel=cancel)


def test_the_command_knows_them_all_and_writes_a_record(tmp_path, monkeypatch, capsys):
    assert tuple(MISTAKES) == MISTAKE_NAMES
    monkeypatch.chdir(tmp_path)
    small = ["faces", "--image-size", "32", "--images-per-class", "8", "--epochs", "2", "--quiet"]
    assert cli.main(["study", "mistake", *small, "--mistake", "leaky_split"]) == 0
    assert "Right: the split is made once" in capsys.readouterr().out
    assert MistakeStudy.from_json((tmp_path / "tl-widgets-mistake-faces.json").read_text()).mistake == "leaky_split"
