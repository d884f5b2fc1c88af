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
