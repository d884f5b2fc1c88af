"""What a GPU has to do: doctor's comparison with the CPU, on two CPU devices of TensorFlow where there is no GPU."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from tl_widgets.cli import doctor
from tl_widgets.experiments.devices import Known, disagreement

TWO_DEVICES = """
import json, os
import tensorflow as tf
(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from tl_widgets.core.lazy_tensorflow import import_tensorflow
import_tensorflow()
from tl_widgets.training import learners
from tl_widgets.experiments.devices import disagreement, run_known
used = []
class Watched(learners.KerasLearner):
    def __init__(self, model, *args):
        super().__init__(model, *args)
        answers = self._answer(tf.zeros((learners.PREDICT_BATCH, 32, 32, 3), tf.uint8))
        used.append([model.weights[0].value.device[-5:], answers.device[-5:]])
learners.KerasLearner = Watched
one, other, wrong = run_known("CPU:0"), run_known("CPU:1"), run_known("CPU:1", learning_rate=1e-5)
texts = [disagreement(one, other), disagreement(one, wrong)]
print(json.dumps([used, one.accuracy, *texts, os.environ["TF_FORCE_GPU_ALLOW_GROWTH"]]))
"""


def test_a_device_that_trains_wrongly_is_found(home):
    done = subprocess.run([sys.executable, "-c", TWO_DEVICES], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-2000:]
    used, accuracy, same, wrong, growth = json.loads(done.stdout.splitlines()[-1])
    assert used == [["CPU:0", "CPU:0"], ["CPU:1", "CPU:1"], ["CPU:1", "CPU:1"]]
    assert accuracy > 0.9  # it is a training that learns
    assert same == ""
    assert wrong.startswith("At step ")
    assert growth == "true"


def test_what_counts_as_wrong():
    right = Known(np.linspace(1.1, 0.2, 40), 0.95, np.ones((8, 16), np.float32))
    assert disagreement(right, replace(right, losses=right.losses + 0.01)) == ""
    lost = np.where(np.arange(40) < 7, right.losses, np.nan)
    assert disagreement(right, replace(right, losses=lost)).startswith("At step 8 of the same training, the loss is ")
    assert "features" in disagreement(right, replace(right, features=right.features * 1.1))
    assert disagreement(right, replace(right, accuracy=0.4)) == (
        "The same training reaches 95.0% on the CPU and 40.0% on the GPU."
    )


@pytest.mark.parametrize(
    ("report", "level", "said"),
    [
        ({"name": "Tesla T4", "problem": "", "accuracy": 0.99}, "good", "Tesla T4; a small training goes there as"),
        ({"name": "METAL", "problem": "The loss is nan.", "accuracy": 0.3}, "bad", "METAL computes wrongly. The loss"),
        ({"name": "", "problem": "", "accuracy": 0.0}, "missing", "TensorFlow sees no GPU"),
        (None, "bad", "ended with an error"),
    ],
)
def test_the_doctor_says_what_the_gpu_does(monkeypatch, report, level, said):
    """The answer of the process that looks at the GPU is given; where there is no driver, none is started."""
    answer = "raise SystemExit(1)" if report is None else f"print({json.dumps(report)!r})"
    run = subprocess.run
    monkeypatch.setattr(doctor, "has_gpu_driver", lambda: True)
    monkeypatch.setattr(doctor.subprocess, "run", lambda command, **how: run([command[0], "-S", "-c", answer], **how))
    finding = doctor._gpu()
    assert (finding.level, finding.subject) == (level, "GPU")
    assert said in finding.text
    assert finding.needed == (level == "bad")
    monkeypatch.setattr(doctor, "has_gpu_driver", lambda: False)
    monkeypatch.setattr(doctor.subprocess, "run", None)
    assert doctor._gpu().text.startswith("none that TensorFlow could use")
