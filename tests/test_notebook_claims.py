"""What the notebooks of the second edition say, held on their variables; and with other numbers no cell fails."""

import pytest
from helpers import run_notebook

from tl_widgets import Config
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
