"""A refactoring that changes a prediction is a bug: three small comparisons against what an older version answered."""

import importlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import tl_widgets as tl
from tl_widgets.core import lazy_tensorflow
from tl_widgets.core.lazy_tensorflow import cpu_flags, import_tensorflow
from tl_widgets.experiments.comparison import environment

# Written by commit ba7689e, the last one before the modules moved into packages, with one thread as in conftest.py:
# the order in which threads add up rounds otherwise, too.
RECORDED = json.loads((Path(__file__).parent / "data" / "predictions_before_the_packages.json").read_text())


@pytest.mark.parametrize("name", RECORDED)
def test_the_same_seed_gives_the_predictions_that_it_gave_before(name):
    recorded = RECORDED[name]
    dataset = tl.load_dataset(name, image_size=recorded["image_size"], n_per_class=recorded["n_per_class"])
    comparison = tl.compare(dataset, epochs=5, control="control" in recorded["models"], seed=3)
    # Recorded with oneDNN and AVX-512. Others round in other places, from the first step on.
    rounds_alike = comparison.environment.onednn and "avx512f" in cpu_flags() and "ONEDNN_MAX_CPU_ISA" not in os.environ
    for model, was in recorded["models"].items():
        run, n = getattr(comparison, model), len(was["predictions"])
        different = int(np.sum(run.predictions != np.array(was["predictions"])))
        assert different <= (1 + n // 100 if rounds_alike else n // 10), model
        if rounds_alike:
            np.testing.assert_allclose(run.probabilities[:8], was["probabilities"], atol=0.02, err_msg=model)


def test_a_record_says_whether_onednn_computed_and_keras_comes_without_what_few_use():
    code = """
import os, sys, threading, time
from tl_widgets.experiments.comparison import environment
from tl_widgets.core.lazy_tensorflow import import_tensorflow
loading = threading.Thread(target=import_tensorflow)  # as a Lab does
loading.start()
for _ in range(3000):
    if "tensorflow" in sys.modules:
        break
    time.sleep(0.01)
import keras  # as the next cell may do
loading.join(300)
print(os.environ.get("TF_ENABLE_ONEDNN_OPTS"), environment().onednn)
print(sorted({"matplotlib.pyplot", "scipy.stats", "sklearn"} & set(sys.modules)))
import tensorflow as tf
from keras.visualization import plot_image_gallery
print(tf.keras.wrappers.SKLearnClassifier is keras.wrappers.SKLearnClassifier, "sklearn" in sys.modules)
"""
    env = {name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    onednn, loaded, used = done.stdout.splitlines()
    if "avx2" in cpu_flags():
        assert onednn == "1 True"
    assert loaded == "[]"
    assert used == "True True"
    import keras  # noqa: F401 - as a learner may do first

    import_tensorflow()
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == str(int(environment().onednn))


def test_a_part_of_keras_is_loaded_once_when_it_is_used_and_once_more_after_an_error(tmp_path, monkeypatch):
    """Two threads may be the first to use it, and Ctrl-C may cut its import."""
    (tmp_path / "tlw_later.py").write_text("import tlw_needed, time\ntime.sleep(0.1)\nvalue = object()\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(lazy_tensorflow, "_LATER", {"tlw_later"})
    with lazy_tensorflow._load_later():
        later = importlib.import_module("tlw_later")
    with pytest.raises(ModuleNotFoundError, match="tlw_needed"):
        later.value  # noqa: B018 - loads it
    (tmp_path / "tlw_needed.py").touch()
    importlib.invalidate_caches()
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: later.value, range(2))
    assert one is other
    assert {"time", "value"} <= set(dir(later))
    with pytest.raises(AttributeError, match="module 'tlw_later' has no attribute 'nothing'"):
        later.nothing  # noqa: B018


def test_workers_are_told_nothing_where_tensorflow_does_not_tell(monkeypatch):
    import keras  # noqa: F401 - as a learner may do first

    monkeypatch.setattr(lazy_tensorflow, "_running", None)
    monkeypatch.setattr(lazy_tensorflow, "uses_onednn", lambda: None)
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    import_tensorflow()
    assert "TF_ENABLE_ONEDNN_OPTS" not in os.environ
