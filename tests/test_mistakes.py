"""Mistakes measured beside the right way: each shows what its explanation says, where theory says that it must."""

import contextlib
import io
import threading
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from tl_widgets.cli import main as cli
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.models.builders import build_transfer
from tl_widgets.records.statistics import difference_interval
from tl_widgets.records.verdict import TwoWays
from tl_widgets.setup_checks.registry import MISTAKES
from tl_widgets.studies.mistake.figure import plot_mistake, plot_mistakes
from tl_widgets.studies.mistake.measurement import every_mistake, what_goes_wrong
from tl_widgets.studies.mistake.result import MistakeStudies, MistakeStudy
from tl_widgets.training.features import FrozenPart


@pytest.fixture(scope="module")
def textures():
    return load_dataset("textures", image_size=48, n_per_class=20)


@pytest.fixture(scope="module")
def all_of_them(tmp_path_factory):
    """Every mistake on its own images by the command: (record, what it printed, the figure's file)."""
    folder, out = tmp_path_factory.mktemp("all"), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out):
        patch.setenv("TL_WIDGETS_HOME", str(folder))
        patch.chdir(folder)
        assert cli.main(["study", "mistake", "--mistake", "all"]) == 0
    record = (folder / "tl-widgets-mistake-all.json").read_text()
    return MistakeStudies.from_json(record), out.getvalue(), folder / "tl-widgets-mistake-all.png"


@pytest.mark.slow
def test_every_mistake_shows_on_its_own_images(all_of_them):
    studies, printed, figure = all_of_them
    assert [study.mistake for study in studies.studies] == list(MISTAKES)
    for study in studies.studies:
        assert study.verdict == "clear", study.mistake
        assert (study.wrong > study.right) == MISTAKES[study.mistake].flatters, study.mistake
        assert all(sentence.endswith(".") for sentence in study.sentences)
        assert study.sentences[1].startswith("Clear: ")
        assert MistakeStudy.from_json(study.to_json()) == study
    assert studies.sentences == ("11 of 11 mistakes make a clear difference on these images.",)
    lines = [line.rstrip() for line in printed.splitlines()]
    assert sum(line.endswith(" clear") for line in lines) == 11  # a table with a row for each
    assert any("(11 of 11)" in line for line in lines)  # the progress
    assert figure.stat().st_size > 20_000


@pytest.mark.slow
def test_numbers_are_what_theory_says(all_of_them):
    found = {study.mistake: study for study in all_of_them[0].studies}
    assert (found["trainable_without_compile"].right, found["trainable_without_compile"].wrong) == (1.0, 0.0)
    leak = found["leaky_split"].measured
    assert leak.wrong > 0.9
    assert leak.wrong_ci95[0] < leak.wrong, "five seeds that agree are not certainty"
    assert leak.right_ci95[0] < 0.5 < leak.right_ci95[1]  # labels drawn by lot: chance
    assert found["learning_rate"].wrong == pytest.approx(0.1, abs=0.03)  # ten classes: chance
    assert found["training_accuracy"].wrong > 0.95
    assert found["training_accuracy"].measured.n_wrong == 50
    twice, once = (found[name].measured for name in ("rescaled_twice", "raw_pixels"))
    assert twice.right == once.right  # the same right way, from the same seed


@pytest.mark.slow
def test_the_figure_has_a_row_for_each(all_of_them):
    studies = all_of_them[0]
    ax = plot_mistakes(studies)
    assert len(ax.get_yticklabels()) == 11
    assert "11 of 11" in ax.get_title(loc="left") + ax.get_title()
    assert sum("flatters" in text.get_text() for text in ax.texts) == 2
    with pytest.raises(InputError, match="before the first"):
        plot_mistakes(replace(studies, studies=()))


@pytest.fixture(scope="module")
def scaled_twice(all_of_them):
    return next(study for study in all_of_them[0].studies if study.mistake == "rescaled_twice")


@pytest.mark.slow
def test_a_mistake_beside_the_right_way(scaled_twice):
    study = scaled_twice
    assert study.measured.is_clear
    assert study.right > study.wrong + 0.2
    assert "scaled once" in study.sentences[0]
    assert study.measured.n_right == study.dataset.n_test > 500
    ax = plot_mistake(study)
    assert [bar.get_width() for bar in ax.patches] == [study.right, study.wrong]
    assert "clear" in ax.get_title()


def test_what_does_not_show_is_not_claimed(textures):
    """Textures forgive raw pixels, and the study says so instead of showing a difference."""
    study = what_goes_wrong(textures, mistake="raw_pixels", epochs=10)
    assert study.verdict == "too close to call"
    assert "Too close to call" in study.sentences[1]
    assert "brick" in study.sentences[1]


def test_squeezenet_gets_rgb_where_it_expects_bgr():
    study = what_goes_wrong(mistake="channel_order", backbone="SqueezeNet")
    assert study.dataset.name == "photographs"
    assert study.verdict == "clear"
    assert study.right - study.wrong > 0.2


def test_the_order_of_the_channels_says_nothing_in_gray_images(textures):
    with pytest.raises(InputError, match="The images of textures are gray"):
        what_goes_wrong(textures, mistake="channel_order")


def test_intervals_and_verdicts_of_two_ways():
    # Newcombe (1998), table II, 56/70 against 48/80 by method 10.
    assert difference_interval(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    assert difference_interval(0, 0, 1, 2) == (-1, 1)
    ways = TwoWays(0.9, 0.5, 100, 100, "images", (0.8, 0.95), (0.4, 0.6), (0.3, 0.5), 0.2)
    assert not ways.is_clear  # interval and p-value must agree
    assert replace(ways, p_value=0.001).is_clear
    assert not replace(ways, p_value=None, difference_ci95=(-0.1, 0.5)).is_clear


@pytest.mark.slow
def test_the_other_way_round_and_an_interval_that_is_not_enough_are_said(scaled_twice):
    study = scaled_twice
    ways = study.measured
    low, high = ways.difference_ci95
    doubtful = replace(study, measured=replace(ways, difference_ci95=(0.1, 0.9), p_value=0.12))
    assert "Too close to call" in doubtful.sentences[1]
    assert "that leaves 0 out, but the exact test (McNemar, p = 0.12) does not rule out chance" in doubtful.sentences[1]
    other = replace(
        ways,
        right=ways.wrong,
        right_ci95=ways.wrong_ci95,
        wrong=ways.right,
        wrong_ci95=ways.right_ci95,
        difference_ci95=(-high, -low),
    )
    turned = replace(study, measured=other)
    assert "the other way round" in turned.sentences[1]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_stop_is_heard_in_the_midst_of_every_mistake(textures, tiny_backbone, mistake):
    cancel, heard = threading.Event(), []
    # Of the mistakes, only this one needs BatchNormalization, which the small backbone lacks.
    backbone = "EfficientNetLite0" if mistake == "batch_norm_training" else tiny_backbone

    def stop(event):
        heard.append(event.phase)
        cancel.set()

    images = load_dataset("photographs", image_size=32) if mistake == "channel_order" else textures  # in color
    with pytest.raises(CancelledError):
        what_goes_wrong(images, mistake=mistake, backbone=backbone, epochs=200, on_event=stop, cancel=cancel)
    assert heard
    assert "done" not in heard[:1]


def test_the_seed_of_the_learner_changes_no_number(textures, tiny_backbone):
    def measured(seed):
        keras.utils.set_random_seed(seed)
        return what_goes_wrong(textures, mistake="leaky_split", backbone=tiny_backbone, epochs=3).measured

    assert measured(1) == measured(2)


def test_the_leak_of_the_well_known_tutorial():
    """Plain Keras and tf.data, as the tutorial has it: validation images are learnt by heart."""
    keras.utils.set_random_seed(0)  # tf.data's shuffle depends on the global seed, too
    dataset = load_dataset("textures", image_size=32, n_per_class=20)
    frozen = FrozenPart.of(build_transfer(dataset.image_shape, 3))
    features = frozen.read(dataset.train).values
    labels = np.random.default_rng(0).permutation(np.arange(len(features)) % 2)
    accuracies = {}
    for reshuffle in (False, True):
        pool = tf.data.Dataset.from_tensor_slices((features, labels))
        pool = pool.shuffle(len(features), seed=0, reshuffle_each_iteration=reshuffle)
        model = keras.Sequential([keras.layers.Input(features.shape[1:]), keras.layers.Dense(1, activation="sigmoid")])
        model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy", metrics=["accuracy"])
        train, validation = pool.take(42).batch(16), pool.skip(42).batch(16)
        history = model.fit(train, validation_data=validation, epochs=60, verbose=0).history
        accuracies[reshuffle] = history["val_accuracy"][-1]
    assert accuracies[True] > 0.9
    assert accuracies[False] < 0.8


def test_keras_undoes_a_sigmoid_that_it_sees():
    """Why the study writes its sigmoid out: Keras on TensorFlow mends the mistake, with a warning."""
    answers = keras.layers.Activation("sigmoid")(np.float32([[2.0]]))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    with pytest.warns(UserWarning, match="from_logits=True"):
        mended = float(loss(np.float32([[1.0]]), answers))
    assert mended == pytest.approx(np.log1p(np.exp(-2.0)), rel=1e-4)
    twice = float(loss(np.float32([[1.0]]), np.float32([[1 / (1 + np.exp(-2.0))]])))
    assert twice > 0.31  # no answer costs less than -log(sigmoid(1))


def test_what_cannot_be_shown_is_refused(textures):
    with pytest.raises(InputError, match="no mistake 'other'"):
        what_goes_wrong(textures, mistake="other")
    with pytest.raises(InputError, match="received other"):
        every_mistake(textures, mistakes=("bottleneck", "other"))
    with pytest.raises(InputError, match="takes raw pixels"):
        what_goes_wrong(textures, mistake="raw_pixels", backbone="EfficientNetB0")
    with pytest.raises(InputError, match="ImageDataset"):
        what_goes_wrong("textures", mistake="raw_pixels")
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError):
        what_goes_wrong(textures, mistake="bottleneck", cancel=cancel)


def test_one_that_fails_does_not_take_the_others_with_it(textures):
    small = load_dataset("faces", image_size=32, n_per_class=5)
    both = every_mistake(small, mistakes=("raw_pixels", "learning_rate"), backbone="EfficientNetB0", epochs=1)
    assert [study.mistake for study in both.studies] == ["learning_rate"]
    assert "Raw pixels was not measured" in " ".join(both.sentences)
    cancel = threading.Event()
    stopped = every_mistake(
        textures,
        mistakes=("learning_rate", "bottleneck"),
        epochs=1,
        on_event=lambda event: cancel.set() if event.n_done == 1 else None,
        cancel=cancel,
    )
    assert stopped.stopped
    assert len(stopped.studies) == 1


def test_the_command_writes_record_and_figure(tmp_path, monkeypatch, capsys, tiny_backbone):
    monkeypatch.chdir(tmp_path)
    small = ["faces", "--image-size", "32", "--images-per-class", "8", "--epochs", "2", "--quiet"]
    small += ["--backbone", tiny_backbone]
    assert cli.main(["study", "mistake", *small, "--mistake", "leaky_split"]) == 0
    assert "Right: the split is made once" in capsys.readouterr().out
    assert MistakeStudy.from_json((tmp_path / "tl-widgets-mistake-faces.json").read_text()).mistake == "leaky_split"
    assert cli.main(["study", "mistake", "--image-size", "32"]) == cli.MISTAKE
    assert "need DATA" in capsys.readouterr().err
