"""`tl-widgets fetch --archive`: one file that makes a home folder where it is unpacked."""

import subprocess
import sys
import tarfile
import zipfile
from types import SimpleNamespace

import pytest
from helpers import files_in
from hosted_server import serve, server
from test_offline import H5, doctor, keras_home, xception

from tl_widgets import load_dataset
from tl_widgets.cli import fetch as cli_fetch
from tl_widgets.cli.main import main

__all__ = ["keras_home", "serve", "server", "xception"]  # fixtures


@pytest.mark.parametrize("suffix", ["zip", "tar"])
def test_it_is_packed_unpacked_as_it_says_and_used(serve, server, xception, tmp_path, capsys, monkeypatch, suffix):
    serve("flowers")
    archive = tmp_path / f"for class 7.{suffix}"
    words = ["fetch", "Xception", "flowers", "EfficientNetLite0", "--archive", str(archive)]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert f"Wrote {archive}" in out
    first = archive.read_bytes()
    n_requests = len(server.requests)
    assert main(words) == 0
    assert archive.read_bytes() == first  # nothing of the day or of the machine is in it
    assert len(server.requests) == n_requests

    there = tmp_path / "another machine"
    there.mkdir()
    (there / archive.name).write_bytes(first)
    command = next(line for line in out.splitlines() if "On other machines" in line).split(": ")[1].split(", then")[0]
    command = command.replace("python", sys.executable, 1).replace("'for class 7", '"for class 7').replace("'", '"')
    subprocess.run(command, shell=True, cwd=there, check=True)
    home = there / cli_fetch.ROOT
    assert files_in(home) == ["datasets/flowers.zip", "weights/x_notop.h5"]
    assert (home / "weights" / "x_notop.h5").read_bytes() == H5
    assert not (home / "weights" / "x_notop.h5").stat().st_mode & 0o022
    monkeypatch.setenv("TL_WIDGETS_HOME", str(home))
    server.fault = "404"
    assert load_dataset("flowers", image_size=32).n_classes == 5
    _, out = doctor(capsys)
    assert "ok   Xception" in out
    assert "ok   flowers" in out


def test_what_is_in_the_archive_can_be_read_by_all(serve, xception, tmp_path):
    serve("flowers")
    for name in ("a.zip", "a.tar"):
        assert main(["fetch", "Xception", "flowers", "--archive", str(tmp_path / name)]) == 0
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert [info.external_attr >> 16 for info in archive.infolist()] == [0o644, 0o644]
    with tarfile.open(tmp_path / "a.tar") as archive:
        assert [info.mode for info in archive] == [0o644, 0o644]


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("a.rar", ["flowers"], "writes a .zip or a .tar; received a.rar"),
        ("nowhere/a.zip", ["flowers"], "there is no folder"),
        ("a.zip", ["EfficientNetLite0"], "comes with the installation"),
        ("a.zip", ["flwers"], "flowers"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_fetched(serve, server, tmp_path, capsys, name, words, said):
    serve("flowers")
    assert main(["fetch", *words, "--archive", str(tmp_path / name)]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert len(err.splitlines()) == 1
    assert server.requests == []
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("trouble", ["no room", "full on the way", "stop"])
def test_the_archive_from_before_stays_when_the_new_one_fails(serve, tmp_path, capsys, monkeypatch, trouble):
    serve("flowers")
    archive = tmp_path / "out" / "a.zip"
    archive.parent.mkdir()
    archive.write_bytes(b"from before")
    assert main(["fetch", "flowers"]) == 0
    capsys.readouterr()
    if trouble == "no room":
        monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10))
    elif trouble == "full on the way":

        def full(self, size=0):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(cli_fetch._Progress, "read", full)
    else:

        def stop(self, size=0):
            raise KeyboardInterrupt

        monkeypatch.setattr(cli_fetch._Progress, "read", stop)
    status = main(["fetch", "flowers", "--archive", str(archive)])
    err = capsys.readouterr().err
    assert status == (130 if trouble == "stop" else 2)
    assert {"no room": "of disk", "full on the way": "No space left", "stop": "stopped"}[trouble] in err
    assert [path.name for path in archive.parent.iterdir()] == ["a.zip"]
    assert archive.read_bytes() == b"from before"
