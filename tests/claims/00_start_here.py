"""What notebook 00 says, held on its variables, in its kernel."""

from pathlib import Path

from tl_widgets import build_transfer, train

# A Lab with one comparison: what a hub of 1 GB leaves beside JupyterLab (docs/how-to/small-hubs.md).
if (status := Path("/proc/self/status")).exists():
    assert int(status.read_text().partition("VmHWM:")[2].split()[0]) < 900_000  # kB

assert photographs.name == result.dataset.name
assert result.verdict.text.split()[0] in OUTPUT
if photographs.name == "stamps":
    scratch, transfer = result.scratch, result.transfer
    assert result.verdict.winner == "transfer"
    assert "Measured: transfer." in OUTPUT
    assert scratch.history.accuracy[-1] > 0.9  # "it does fit the photographs it learns from, nearly all of them"
    assert 0 < transfer.n_right < len(transfer.labels)  # there are mistakes to look at
    assert scratch.params.trainable == scratch.params.total < transfer.params.total
    assert transfer.params.trainable < scratch.params.trainable / 100
    few = photographs.take(5)  # exercise 00-a
    run_on_few = train(build_transfer(few.image_shape, few.n_classes), few, name="transfer")
    assert run_on_few.test_accuracy > scratch.test_accuracy + 0.05
