"""What the notebooks of the second edition say, held on their variables; and with other numbers no cell fails."""

import numpy as np
import pytest
from helpers import run_notebook

from tl_widgets import Config, build_transfer, teaching, train
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


def test_00_on_stamps(run, stamps):
    names, text = run("00_start_here")
    result = names["result"]
    assert names["photographs"].name == result.dataset.name == "stamps"
    assert names["result"].verdict.winner == "transfer"
    assert "Measured: transfer." in text
    scratch, transfer = result.scratch, result.transfer
    assert scratch.history.accuracy[-1] > 0.9  # "it does fit the photographs it learns from, nearly all of them"
    assert 0 < transfer.n_right < len(transfer.labels)  # there are mistakes to look at
    assert scratch.params.trainable == scratch.params.total < transfer.params.total
    assert transfer.params.trainable < scratch.params.trainable / 100
    few = names["photographs"].take(5)  # exercise 00-a
    run_on_few = train(build_transfer(few.image_shape, few.n_classes), few, name="transfer")
    assert run_on_few.test_accuracy > scratch.test_accuracy + 0.05


def test_00_without_stamps(run):
    names, text = run("00_start_here")
    assert names["photographs"].name == names["result"].dataset.name == "textures"
    assert names["result"].verdict.text.split()[0] in text


def test_00_with_other_numbers(run):
    from tl_widgets import TransferLab

    settings = LabSettings("faces", image_size=64, n_per_class=5, config=Config(epochs=5, seed=1))
    names, text = run("00_start_here", lab=lambda: TransferLab(settings=settings))
    assert names["result"].config.epochs == 5
    assert "00-a: right." in text


def test_01(run):
    names, text = run("01_how_a_network_learns")
    assert (names["n_train"], names["n_validation"], names["n_test"]) == (100, 20, 80)
    slope = names["slider"].slope
    assert slope.loss(slope.walk(0.002)[-1]) > slope.loss(slope.walk(0.05)[-1]) + 0.1  # too small: not there yet
    assert slope.loss(slope.walk(3)[-1]) > 2 * slope.loss(0)  # too large: worse than at the start
    assert "Measured: the loss ends higher than it began." in text
    face = names["pictures"][..., 1].mean(axis=-1)
    assert face[4:10, 8:24].mean() > face[4:10, :4].mean() + 0.01  # a bright forehead between dark hair or ground
    history = names["fitted"].history
    assert "Measured: validation." in text
    assert history["val_accuracy"][0] > history["accuracy"][0] + 0.05
    assert names["again"] >= history["accuracy"][-1]  # Dropout and the average handicap what `fit` reports
    assert history["loss"][-1] < 0.6 * history["loss"][0]
    assert names["tested"] > 0.8


@pytest.mark.parametrize(("rate", "batch", "epochs"), [(0.01, 50, 20), (1.0, 16, 10), (0.0001, 100, 40)])
def test_01_with_other_numbers(run, rate, batch, epochs):
    from tl_widgets import load_dataset

    names, _ = run(
        "01_how_a_network_learns",
        faces=lambda: load_dataset("faces", image_size=32, n_per_class=20, seed=1),
        learning_rate=lambda: rate,
        **{"rate, batch, epochs": lambda: (rate, batch, epochs)},
    )
    assert len(names["fitted"].history["loss"]) == epochs


def test_01_larger_batches_learn_less_in_as_many_epochs(run):
    """Exercise 01-a."""
    small, _ = run("01_how_a_network_learns")
    large, _ = run("01_how_a_network_learns", **{"rate, batch, epochs": lambda: (0.01, 50, 20)})
    assert large["fitted"].history["loss"][-1] > small["fitted"].history["loss"][-1] + 0.05


def test_02(run):
    names, text = run("02_convolutions")
    assert abs(names["by_hand"] - layer_map(names)).max() < 0.01
    window = names["cat"].round()[20:23, 21:24]
    assert (
        f"= {(window * names['kernel']).sum():.0f}."
        in teaching.plot_kernel(names["cat"], names["kernel"], 20, 21).get_label()
    )
    assert names["by_counting"] == names["by_keras"] == 291_405
    assert names["dense"] > 0.6 * names["by_counting"]  # "nearly all of them are behind Flatten"
    assert names["tested"] > 0.7
    history = names["fitted"].history
    assert history["val_accuracy"][-1] > history["val_accuracy"][0]
    assert names["printed"].output_shape == (None, 128, 128, 1)
    assert "Measured: 128 × 128 numbers." in text
    assert "95,565 parameters" in text


def layer_map(names):
    """The feature map of the Keras layer of 02, computed again."""
    return names["layer"].predict(names["cat"][None, ..., None], verbose=0)[0, ..., 0]


@pytest.mark.parametrize(("size", "epochs", "side"), [(32, 4, 64), (40, 16, 32)])
def test_02_with_other_numbers(run, size, epochs, side):
    names, _ = run(
        "02_convolutions",
        cat=lambda: teaching.photographs(side)["coffee"].mean(axis=-1),
        kernel=lambda: np.ones((5, 5)),
        **{"size, epochs": lambda: (size, epochs)},
    )
    assert names["by_hand"].shape == (side - 4, side - 4)
    assert len(names["fitted"].history["loss"]) == epochs
