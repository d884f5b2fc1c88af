"""A control of the Lab is one field of Config: declared once here, it is in the terminal, the form and the record.

Every other module takes Config from `core.config`. A fresh process gets a Config with one field more before it imports
them, as if somebody had written that field into the class.
"""

import os
import subprocess
import sys
from pathlib import Path

from helpers import PACKAGE_PARENT

TOY = """
from dataclasses import dataclass
from tl_widgets.core import config
from tl_widgets.core.settings import Whole, setting

@dataclass(frozen=True)
class Config(config.Config):
    warm_up: int = setting(
        3, Whole(0, 9, counted="steps"), "Warm-up steps", "Steps at a low rate before the first epoch",
        group="Training", live=True,
    )

Config.__qualname__ = "Config"
config.Config = Config
"""

TERMINAL = """
import json
from pathlib import Path
from tl_widgets import Comparison
from tl_widgets.cli.main import main
from tiny import standing_in

def asked(*words):
    return main(["compare", "textures", "--image-size", "32", "--images-per-class", "4", "--epochs", "1", "--quiet",
                 "--json", "run.json", "--figure", "run.png", *words])

assert asked("--warm-up", "10") == 2
with standing_in():
    assert asked("--warm-up", "5") == 0
text = Path("run.json").read_text()
assert json.loads(text)["config"]["warm_up"] == 5
again = Comparison.from_json(text)
assert again.config.warm_up == 5 and type(again.config) is Config
older = json.loads(text)
del older["config"]["warm_up"]
assert Comparison.from_json(json.dumps(older)).config.warm_up == 3
main(["compare", "--help"])
"""

FORM = """
from tl_widgets import TransferLab
from tl_widgets.widgets import LabSettings

lab = TransferLab()
field = lab.panel.control("warm_up")
print(field.description, field.tooltip, field.value, field.min, field.max)
heard = []
lab.panel.follow(heard.append)
field.value = 7
assert heard[-1].config.warm_up == lab.settings.values["warm_up"] == 7
assert LabSettings.from_json(lab.settings.to_json()) == lab.settings
lab.panel.change({"warm_up": 10})
print(lab.panel.problem.value)
assert field.value == 7

wanted = []
lab._live_training.submit = wanted.append
lab.live = True
field.value = 8
assert wanted[-1].config.warm_up == 8
lab.close()

locked = TransferLab(show=["warm_up"], lock=["warm_up"])
assert locked.panel.control("warm_up").disabled
"""


def run(code, folder):
    here = Path(__file__).resolve().parent
    env = {**os.environ, "PYTHONPATH": os.pathsep.join((str(PACKAGE_PARENT), str(here))), "COLUMNS": "120"}
    done = subprocess.run(
        [sys.executable, "-c", TOY + code], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


def test_a_toy_control_in_the_terminal_and_the_record(tmp_path):
    done = run(TERMINAL, tmp_path)
    assert "warm_up must be 0 to 9 steps; received 10." in done.stderr
    assert "--warm-up N" in done.stdout
    assert "steps at a low rate before the first epoch (default: 3)" in done.stdout


def test_a_toy_control_on_the_form(tmp_path):
    done = run(FORM, tmp_path)
    assert "Warm-up steps Steps at a low rate before the first epoch 3 0 9" in done.stdout
    assert "Warm-up steps must be 0 to 9 steps; received 10." in done.stdout
