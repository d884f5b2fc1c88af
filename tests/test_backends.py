"""Saved models and check_setup with Keras's other backends, in processes where TensorFlow is missing."""

import json
import os
import subprocess
import sys
from importlib.machinery import PathFinder

import numpy as np
import pytest
import tiny
from bench_setups import BINARY, compiled, pictures

from tl_widgets.core import lazy_tensorflow
from tl_widgets.core.errors import InputError
from tl_widgets.core.lazy_tensorflow import import_keras, import_tensorflow, keras_backend
from tl_widgets.models.builders import build_scratch, build_transfer, save_model
from tl_widgets.setup_checks.check import check_setup

SHAPE = (32, 32, 3)

LOAD = """
import json, pathlib, sys
from importlib.machinery import PathFinder
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *where: None if name == "tensorflow" else find(name, *where)
import keras, numpy as np
images = np.load("images.npy")
answers = {}
for path in map(pathlib.Path, ["transfer.keras", "scratch.keras"]):
    model = keras.saving.load_model(path)
    answers[path.stem] = keras.ops.convert_to_numpy(model(images)).tolist()
assert "tl_widgets" not in sys.modules
"""
CHECK = """
import tl_widgets as tl
labels = np.load("labels.npy")
data = images / 255, labels
report = list(tl.check_setup(model, data, validation=data))
n_parameters = tl.count_parameters(model).total
try:
    tl.compare(tl.load_dataset("textures", image_size=32, n_per_class=4))
except tl.InputError as error:
    sentence = str(error)
from tl_widgets.cli.main import main
status = main(["check", "scratch.keras", "textures"])
print("\\n" + json.dumps([keras.config.backend(), answers, report, n_parameters, sentence, status]))
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder of models as tl_widgets saves them, with images, and what they answer and check_setup says here."""
    folder = tmp_path_factory.mktemp("models")
    images, labels = pictures(classes=2)
    np.save(folder / "images.npy", images[:4])
    np.save(folder / "labels.npy", labels[:4])
    with tiny.standing_in():  # with JAX, the real backbone costs 20 seconds of compiling
        transfer = build_transfer(SHAPE, 3)
    models = {
        "transfer": transfer,
        "scratch": compiled(build_scratch(SHAPE, 2, filters=(4,), kernel_sizes=(3,), dense_units=0), loss=BINARY),
    }
    for name, model in models.items():
        save_model(model, folder / f"{name}.keras")
    answers = {name: np.asarray(model(images[:4])) for name, model in models.items()}
    data = (images[:4] / 255, labels[:4])
    return folder, answers, list(check_setup(models["scratch"], data, validation=data))


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_models_and_checks_need_no_tensorflow(saved, backend):
    """Saved models load in plain Keras and answer the same; check_setup finds the same; training says what it needs."""
    folders = (os.environ.get("TL_WIDGETS_TEST_BACKENDS", ""), os.environ.get("PYTHONPATH", ""))
    if PathFinder.find_spec(backend, [folders[0], *sys.path]) is None:
        pytest.skip(f"{backend} isn't installed (see tests/README.md)")
    folder, expected, findings = saved
    done = subprocess.run(
        [sys.executable, "-c", LOAD + CHECK],
        cwd=folder,
        # XLA takes half as long to compile what it doesn't optimize.
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, folders)),
            "KERAS_BACKEND": backend,
            "XLA_FLAGS": "--xla_backend_optimization_level=0",
        },
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    used, answers, report, n_parameters, sentence, status = json.loads(done.stdout.splitlines()[-1])
    assert used == backend
    for name, values in expected.items():
        np.testing.assert_allclose(answers[name], values, atol=1e-5, err_msg=name)
    assert report == findings
    assert any("scaled twice" in text for text in report)
    assert n_parameters == 3 * 3 * 3 * 4 + 4 + 16 * 16 * 4 + 1
    assert f"need Keras with TensorFlow, and here Keras uses {backend}" in sentence
    assert status in (0, 1)
    assert "Traceback" not in done.stderr


def test_a_backend_that_is_missing_is_named(monkeypatch, tmp_path):
    """Before Keras is imported, the variable decides, or else Keras's own file."""
    assert keras_backend() == "tensorflow"
    monkeypatch.delitem(sys.modules, "keras.config")
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert keras_backend() == "tensorflow"
    (tmp_path / "keras.json").write_text('{"backend": "jax"}')
    assert keras_backend() == "jax"
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    with pytest.raises(InputError, match="here Keras uses torch"):
        import_tensorflow()

    def fail(name):
        raise ModuleNotFoundError(f"No module named {keras_backend()!r}")

    monkeypatch.setattr(lazy_tensorflow.importlib, "import_module", fail)
    with pytest.raises(InputError, match="set to the backend torch, and can't be imported with it"):
        import_keras()
