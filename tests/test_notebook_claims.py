"""Notebooks with other numbers, as a curious learner tries them: no cell fails. What they say is held by claims/."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import run_notebook

from tl_widgets import Config, teaching
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.data.dataset import Split
from tl_widgets.widgets import LabSettings

pytestmark = pytest.mark.slow


@pytest.fixture
def run():
    """`run_notebook`; Labs are closed at the end."""
    labs = []

    def run(name, **changes):
        variables, text = run_notebook(name, **changes)
        labs.append(variables.get("lab"))
        return variables, text

    yield run
    for lab in filter(None, labs):
        lab.close()


@pytest.fixture
def few_layers():
    """Three layers stand in for the default backbone, where its answers make no difference to what is checked."""
    from tiny import standing_in

    with standing_in():
        yield


def _few(split):
    """Forty images of all classes."""
    rows = np.unique(np.linspace(0, len(split) - 1, 40).astype(int))
    return Split(split.images[rows], split.labels[rows])


def _load_few(name=None, **options):
    dataset = load_dataset(name, **options)
    return replace(dataset, validation=_few(dataset.validation), test=_few(dataset.test))


def test_00_without_stamps(run):
    from tl_widgets import TransferLab

    settings = LabSettings(image_size=32, n_per_class=5, config=Config(epochs=5))
    names, text = run("00_start_here", lab=lambda: TransferLab(settings=settings))
    assert names["photographs"].name == names["result"].dataset.name == "textures"
    assert names["result"].verdict.text.split()[0] in text


def test_00_with_other_numbers(run, few_layers):
    from tl_widgets import TransferLab

    settings = LabSettings("faces", image_size=64, n_per_class=5, config=Config(epochs=5, seed=1))
    names, text = run("00_start_here", lab=lambda: TransferLab(settings=settings))
    assert names["result"].config.epochs == 5
    assert "00-a: right." in text


def test_01_with_larger_batches_learns_less_in_as_many_epochs(run):
    """Exercise 01-a; claims/ holds that the loss of the small batches ends below 0.28."""
    names, _ = run("01_how_a_network_learns", **{"batch, epochs": lambda: (50, 20)})
    assert names["fitted"].history["loss"][-1] > 0.28


def test_01_with_other_numbers(run):
    names, _ = run(
        "01_how_a_network_learns",
        faces=lambda: load_dataset("faces", image_size=32, n_per_class=20, seed=1),
        learning_rate=lambda: 1.0,
        **{"batch, epochs": lambda: (16, 10)},
    )
    assert len(names["fitted"].history["loss"]) == 9


def test_02_with_other_numbers(run):
    names, _ = run(
        "02_convolutions",
        cat=lambda: teaching.photographs(64)["coffee"].mean(axis=-1),
        kernel=lambda: np.ones((5, 5)),
        **{"size, epochs": lambda: (32, 4)},
    )
    assert names["by_hand"].shape == (60, 60)
    assert len(names["fitted"].history["loss"]) == 4


def test_10_with_other_numbers(run):
    names, _ = run("10_what_goes_wrong", data=lambda: load_dataset("textures", image_size=32, n_per_class=20, seed=1))
    assert len(names["scores"]) == 3


def test_03_with_other_numbers(run):
    names, text = run("03_overfitting", **{"each, epochs, seed": lambda: (10, 8, 1)})
    assert len(names["fitted"].history["loss"]) == 8
    assert "may be luck" in text


def test_12_with_other_numbers(run, few_layers):
    from tl_widgets import compare

    photographs = _load_few("textures", image_size=32, n_per_class=10, seed=1)
    names, text = run(
        "12_is_it_any_good",
        photographs=lambda: photographs,
        result=lambda: compare(photographs, epochs=5, seed=1),
        strangers=lambda: _load_few("faces", image_size=32).test.images[:],
    )
    assert len(names["study"].points) == 3 * len(names["study"].changes)
    assert names["study"].sentences[0][:40] in " ".join(text.split())


def test_06_with_other_numbers(run):
    """Two classes, so that the model answers with one number."""
    names, text = run("06_your_own_images", photographs=lambda: load_dataset("faces", image_size=48, n_per_class=10))
    assert names["run"].model.output_shape == (None, 1)
    assert "face.png: face," in text


def test_07_with_other_numbers(run, few_layers):
    """Other sizes and seeds, with which no size tells more than the others."""
    names, _ = run(
        "07_how_much_data",
        photographs=lambda: load_dataset("digits", image_size=32, n_per_class=4),
        **{"sizes, seeds": lambda: ((1, 2), (3, 4))},
    )
    assert len(names["dots"]) == 2


def test_08_with_other_numbers(run):
    names, _ = run("08_choosing_a_backbone", photographs=lambda: load_dataset("faces", image_size=32, n_per_class=3))
    assert len(names["study"].points) == 4


def test_09_with_other_numbers(run):
    """With the rate of exercise 09-a, and few images: most of the time goes into building TensorFlow's graphs."""
    names, text = run(
        "09_fine_tuning",
        digits=lambda: _load_few("digits", image_size=32, n_per_class=5, seed=1),
        **{"loss, epochs": lambda: ("sparse_categorical_crossentropy", 2), "rate": lambda: 0.03},
    )
    assert names["tuned"] < 0.4
    assert "Measured: " in text


def test_04_with_other_numbers(run):
    names, _ = run("04_frozen_backbone", **{"size, epochs, seed": lambda: (48, 2, 1)})
    assert len(names["fitted"].history["loss"]) == 2


def test_11_with_other_numbers(run):
    names, _ = run("11_look_inside", photographs=lambda: _load_few("digits", image_size=64, n_per_class=4, seed=1))
    assert names["heat"].shape == (16, 16)


def test_05_with_other_numbers(run, few_layers, monkeypatch):
    """With three digits and few test pictures, so it takes a fifth of the time."""
    import tl_widgets

    monkeypatch.setattr(
        tl_widgets,
        "load_dataset",
        lambda name=None, **options: _load_few(name, classes=("1", "4", "7") if name == "digits" else None, **options),
    )
    names, text = run(
        "05_fair_comparison",
        photographs=lambda: _load_few("textures", image_size=32, n_per_class=6, seed=1),
        **{"size, epochs, seed": lambda: (32, 2, 1)},
    )
    assert len(names["tests"]) == 4  # with size = 32, both sizes are the same bar
    assert names["repeats"].seeds == (1, 2, 3)
    assert "05-c: no answer yet." in text
