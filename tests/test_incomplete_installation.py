"""tl-widgets where a package that it needs is missing or broken: a sentence with a way out, never a stack trace.

Each test makes the installation that it speaks of: a folder of links to all installed packages but one, which a real
process uses in the place of its own.
"""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from helpers import PACKAGE_PARENT

from tl_widgets.cli.main import missing_package


@pytest.fixture
def run(tmp_path, home):
    """Run tl-widgets in an installation without one package; (status, stdout, stderr)."""
    (tmp_path / "here").mkdir()
    site = tmp_path / "site"
    site.mkdir()

    def tl(*args, without="", **variables):
        for entry in Path(sysconfig.get_paths()["purelib"]).iterdir():
            is_record = entry.name.endswith(".dist-info") and entry.name.startswith(f"{without}-")
            if entry.name != without and not is_record and entry.suffix != ".pth":
                (site / entry.name).symlink_to(entry)
        environment = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{PACKAGE_PARENT}", "TL_WIDGETS_HOME": str(home)}
        done = subprocess.run(
            [sys.executable, "-S", "-m", "tl_widgets", *args],  # -S: without the packages of this Python
            cwd=tmp_path / "here",
            env=environment | variables,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.returncode, done.stdout, done.stderr

    return tl


def sentence(err):
    assert "Traceback" not in err
    (line,) = err.splitlines()
    return line


@pytest.mark.parametrize(
    ("package", "command"),
    [
        ("rich", "doctor"),
        ("platformdirs", "doctor"),
        ("platformdirs", "backbones"),
        ("numpy", "datasets"),
        ("tensorflow", "compare"),
        ("jupyterlab", "lab"),
    ],
)
def test_a_package_that_is_missing_is_named_with_the_command_that_brings_it(run, package, command):
    status, out, err = run(command, without=package)
    assert status == 2
    assert "loading TensorFlow" in out if command == "compare" else not out
    said = sentence(err)
    assert said.startswith("tl-widgets: ")
    assert f"`pip install {package}" in said
    assert "bug" not in said


def test_backbones_are_listed_without_keras(run):
    status, out, _ = run("backbones", without="keras")
    assert status == 0
    assert "EfficientNetLite0" in out


def test_a_comparison_without_keras_names_it(run):
    status, _, err = run("compare", without="keras")
    assert status == 2
    assert "`pip install keras" in sentence(err)


def test_the_doctor_lists_a_tensorflow_that_is_missing(run):
    status, out, err = run("doctor", without="tensorflow")
    assert (status, err) == (1, "")
    assert 'tensorflow: pip install "tensorflow>=2.18"' in out
    assert "cannot run here yet" in out


def test_a_package_that_does_not_load_is_named_with_the_reason(run, tmp_path):
    (tmp_path / "site" / "rich").mkdir()
    (tmp_path / "site" / "rich" / "__init__.py").write_text(
        "raise ImportError('libfoo.so.1: cannot open shared object file', name='rich')"
    )
    status, out, err = run("doctor", without="rich")
    assert (status, out) == (2, "")
    assert "The package rich can't be loaded (libfoo.so.1: cannot open shared object file)" in sentence(err)
    assert "`pip install --force-reinstall rich`" in err


def test_a_fault_is_reported_where_even_the_folders_cannot_be_told(run, tmp_path):
    (tmp_path / "site" / "platformdirs").mkdir()
    (tmp_path / "site" / "platformdirs" / "__init__.py").write_text("raise RuntimeError('broken')")
    status, _, err = run("backbones", without="platformdirs", TMPDIR=str(tmp_path))
    assert status == 1
    said = sentence(err)
    assert said == (
        "tl-widgets: RuntimeError: broken. This is a bug in tl_widgets; please report it with "
        f"{tmp_path / 'tl-widgets-error.log'}"
    )
    assert "Traceback" in (tmp_path / "tl-widgets-error.log").read_text()


def test_a_home_of_nobody_is_refused(run):
    status, out, err = run("doctor", TL_WIDGETS_HOME="~nobody-of-that-name/class")
    assert (status, out) == (2, "")
    assert "there is no home folder for '~nobody-of-that-name/class'" in sentence(err)


def test_a_part_of_tensorflow_that_cannot_be_loaded_is_not_called_a_package():
    place = {"name": "_pywrap_guard", "path": "/venv/site-packages/tensorflow/python/_pywrap_guard.so"}
    assert "`pip install --force-reinstall tensorflow`" in missing_package(ImportError("undefined symbol", **place))
    for text in ("libtensorflow_cc.so.2: failed to map segment from shared object", "Cannot allocate memory"):
        assert "not enough memory" in missing_package(ImportError(text, **place))
