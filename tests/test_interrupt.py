"""Ctrl-C and the kernel's stop button while TensorFlow's import runs."""

import subprocess
import sys

import pytest
from helpers import PACKAGE_PARENT

PREPARE = """
import os, signal, sys, threading, time
import tl_widgets as tl

signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent in the background leaves it ignored

def interrupt_when_loaded(module):
    def watch():
        while module not in sys.modules:
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=watch, daemon=True).start()

def use():
    return tl.count_parameters(tl.build_scratch((32, 32, 3), 3)).total
"""


def run(code):
    command = [sys.executable, "-c", PREPARE + code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(PACKAGE_PARENT))


@pytest.mark.slow
def test_an_interrupted_import_is_finished_by_the_next_call():
    # One process for each moment: at the start, in the middle, and within Keras.
    for module in ("tensorflow", "tensorflow.python.framework.ops", "keras.src.layers"):
        code = f"""
interrupt_when_loaded({module!r})
try:
    use()
    time.sleep(5)
except KeyboardInterrupt:
    print("interrupted")
try:
    tl.find_backbone("MobileNetV2")
    interrupt_when_loaded("tensorflow")  # at once, in the wait for the same import
    use()
    time.sleep(5)
except KeyboardInterrupt:
    print("again")
print(use())
"""
        assert run(code) == ["interrupted", "again", "226115"], module


@pytest.mark.slow
def test_an_import_of_the_users_that_was_cut_is_explained():
    code = """
interrupt_when_loaded("tensorflow.python.framework.ops")
try:
    import tensorflow
except KeyboardInterrupt:
    print("interrupted")
try:
    print(use())
except tl.InputError as error:
    print(error)
"""
    first, second = run(code)
    assert first == "interrupted"
    assert second == "226115" or "Restart the kernel" in second
