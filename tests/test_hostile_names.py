"""Names made to harm or to confuse: reserved ones, two that differ by case, newlines, markup; devices in a folder."""

import os
import stat
import subprocess
import sys
import zipfile

import pytest
from helpers import png

from tl_widgets.cli.progress import make_console
from tl_widgets.data.folder import load_folder

MARKUP = ("[bold red]a[/]", "<img src=x onerror=alert(1)>", "$\\frac{1}{0}$")


def zip_of(path, names):
    with zipfile.ZipFile(path, "w") as archive:
        for i, name in enumerate(names):
            archive.writestr(name, png(i))
    return path


def good(n=4):
    return [f"{folder}/{i}.png" for folder in ("a", "b") for i in range(n)]


def test_names_that_differ_by_case_only_are_two_images_and_two_classes(tmp_path):
    dataset = load_folder(zip_of(tmp_path / "x.zip", [*good(), "a/X.png", "a/x.PNG"]), image_size=32)
    assert (dataset.report.n_read, dataset.report.skipped) == (10, ())
    names = [f"{folder}/{i}.png" for folder in ("Cat", "cat", "CAT") for i in range(4)]
    assert load_folder(zip_of(tmp_path / "y.zip", names), image_size=32).class_names == ("CAT", "Cat", "cat")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice_is_read_once(tmp_path):
    report = load_folder(zip_of(tmp_path / "x.zip", [*good(), "a/0.png", "a\\1.png"]), image_size=32).report
    assert report.n_read == 8


def test_names_that_windows_reserves_are_only_names(tmp_path):
    names = ["a/CON.png", "a/nul", "b/aux.png", "b/x.png.", "b/ y .png", "COM1/0.png", "COM1/1.png", "COM1/2.png"]
    dataset = load_folder(zip_of(tmp_path / "x.zip", [*good(), *names]), image_size=32)
    assert dataset.class_names == ("COM1", "a", "b")
    assert dataset.report.n_read == 16
    assert [path.name for path in tmp_path.iterdir()] == ["x.zip"]


def test_newlines_and_control_characters_never_reach_a_screen(tmp_path):
    names = ["a/new\nline.png", "a/\x1b[31mred.png", "a/right\u202eleft.png"]
    path = zip_of(tmp_path / "x.zip", [*good(), *names, *(f"evil\n\x1b[2Jclass/{i}.png" for i in range(3))])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("a/bad\n\x1b[31m.png", b"no image")
    dataset = load_folder(path, image_size=32)
    shown = dataset.report.summary + "".join(dataset.class_names) + "".join(map(str, dataset.report.skipped))
    assert dataset.report.n_read == 14
    assert shown.isprintable()
    assert "evil\\n\\x1b[2Jclass" in dataset.class_names


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
def test_pipes_and_devices_are_not_waited_for(tmp_path):
    for i, name in enumerate(good()):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(png(i))
    os.mkfifo(tmp_path / "a" / "pipe.png")
    os.mkfifo(tmp_path / "pipe")
    skipped = {"a/pipe.png"}
    try:
        os.mknod(tmp_path / "a" / "zero.png", stat.S_IFCHR | 0o644, os.makedev(1, 5))  # /dev/zero
        skipped.add("a/zero.png")
    except (OSError, AttributeError):
        pass  # only root may, on some systems only
    # In a process of its own, which can be ended where it waits for a pipe or reads a device without end.
    code = "import sys; from tl_widgets.data.folder import load_folder\n"
    code += "report = load_folder(sys.argv[1], image_size=32).report; print(report.n_read, dict(report.skipped))"
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("8 "), done.stderr
    for name in skipped:
        assert f"'{name}': 'not an ordinary file'" in done.stdout


@pytest.mark.parametrize("name", MARKUP)
def test_markup_is_shown_as_it_is_in_the_terminal(name, capsys):
    make_console().print(f"class {name}", soft_wrap=True)
    assert f"class {name}" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="this system allows no such folder names")
def test_a_folder_named_like_markup_is_a_class_named_so(tmp_path):
    names = [f"{folder}/{i}.png" for folder in ("[bold red]a", MARKUP[1], "$x_1$") for i in range(4)]
    for i, name in enumerate(names):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(png(i))
    assert load_folder(tmp_path, image_size=32).class_names == ("$x_1$", MARKUP[1], "[bold red]a")
