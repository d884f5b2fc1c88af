"""tl-widgets as a learner meets it: a process with arguments, an exit status, lines and files."""

import io
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
import zipfile
from contextlib import ExitStack

import numpy as np
import pytest
from helpers import PACKAGE_PARENT
from PIL import Image
from rich.console import Console
from tiny import standing_in

import tl_widgets.experiments.comparison as experiments
from tl_widgets import Comparison, InputError, list_backbones, load_dataset
from tl_widgets.backbones.catalogue import size_note
from tl_widgets.cli.compare import _print, _require_room
from tl_widgets.cli.main import main
from tl_widgets.cli.progress import show_events
from tl_widgets.core.config import Config
from tl_widgets.core.download import atomic_file
from tl_widgets.core.events import Event
from tl_widgets.core.files import check_writable, write_whole

WRITTEN = ("--script", "again.py", "--report", "report.html", "--save-models", "models")
TINY = ("--image-size", "32", "--images-per-class", "4", "--epochs", "1")


def start(*args, cwd, home, code=None):
    environment = {**os.environ, "TL_WIDGETS_HOME": str(home), "PYTHONPATH": str(PACKAGE_PARENT), "COLUMNS": "80"}
    what = ["-c", code] if code else ["-m", "tl_widgets"]
    return subprocess.Popen(
        [sys.executable, *what, *args],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A test runner in the background may ignore Ctrl-C, and its children with it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def tl(*args, cwd, home, code=None):
    process = start(*args, cwd=cwd, home=home, code=code)
    out, err = process.communicate(timeout=180)
    return process.returncode, out, err


@pytest.fixture
def tl_here(tmp_path, monkeypatch, capsys):
    """`tl` in this process, in tmp_path, with the tiny backbone: for what another process would only do slower."""

    def run(*args):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("COLUMNS", "80")
        try:
            status = main(list(args))
        except SystemExit as end:
            status = end.code
        return status, *capsys.readouterr()

    with standing_in():
        yield run


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def one_line(err):
    assert err.endswith("\n")
    assert len(err.splitlines()) == 1, err
    assert "Traceback" not in err
    return err.strip()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One real comparison, of which many tests look at something: (folder, home, output)."""
    folder, home = tmp_path_factory.mktemp("work"), tmp_path_factory.mktemp("home")
    status, out, err = tl("compare", *TINY, "--control", *WRITTEN, cwd=folder, home=home)
    assert (status, err) == (0, ""), err
    return folder, home, out


def test_compare_writes_figure_record_and_script_and_nothing_else(finished):
    folder, _, out = finished
    names = ["again.py", "efficientnetlite0.keras", "tl-widgets-textures.json", "tl-widgets-textures.png"]
    assert names_in(folder) == [*names[:2], "models", "report.html", *names[2:]]
    said = "Figure: tl-widgets-textures.png\nRecord: tl-widgets-textures.json\nScript: again.py\n"
    assert out.endswith(f"{said}Report: report.html\nModels: models\n")
    assert names_in(folder / "models") == ["control.keras", "scratch.keras", "transfer.keras"]
    assert "Test images worth a look" in (folder / "report.html").read_text()
    with Image.open(folder / "tl-widgets-textures.png") as figure:
        assert figure.width > 500
    assert stat.S_IMODE((folder / names[2]).stat().st_mode) == stat.S_IMODE((folder / names[0]).stat().st_mode)
    assert str(folder / "efficientnetlite0.keras") in (folder / "again.py").read_text()


def test_the_record_has_the_fields_of_the_design(finished):
    folder, _, _ = finished
    record = json.loads((folder / "tl-widgets-textures.json").read_text())
    assert record["dataset"]["n_train"] == 12
    assert record["dataset"]["class_names"] == ["brick", "grass", "gravel"]
    assert record["dataset"].keys() >= {"name", "image_size", "n_validation", "n_test"}
    assert record["config"]["epochs"] == 1
    assert record["config"]["control"] is True
    for name in ("scratch", "transfer", "control"):
        run = record[name]
        assert run["name"] == name
        assert 0 <= run["test_accuracy_ci95"][0] <= run["test_accuracy"] <= run["test_accuracy_ci95"][1] <= 1
        assert run["trainable_params"] + run["frozen_params"] == run["total_params"]
        assert run["seconds"].keys() >= {"prepare", "train", "evaluate", "total"}
        assert [len(run["history"][key]) for key in ("loss", "accuracy", "val_loss", "val_accuracy")] == [1] * 4
        assert len(run["predictions"]) == record["dataset"]["n_test"] == 90
    assert record["transfer"]["weights"] == "imagenet"
    assert record["transfer"]["weights_sha256"].startswith("579344248a93")
    assert record["verdict"].keys() >= {"text", "accuracy_difference", "ci95", "p_value"}
    assert record["environment"].keys() >= {"python", "tensorflow", "keras", "tl_widgets", "cpu_count"}


def test_the_table_shows_the_numbers_of_the_record(finished):
    folder, _, out = finished
    record = json.loads((folder / "tl-widgets-textures.json").read_text())
    rows = {line.split()[0]: line for line in out.splitlines() if re.match(r"(scratch|transfer|control) +\d", line)}
    assert list(rows) == ["scratch", "transfer", "control"]
    for name, row in rows.items():
        run = record[name]
        low, high = run["test_accuracy_ci95"]
        assert f"{100 * run['test_accuracy']:.1f}% ({100 * low:.1f} to {100 * high:.1f})" in row
        assert row.split()[-4:-1] == [f"{run[key]:,}" for key in ("trainable_params", "frozen_params", "total_params")]
        assert row.split()[-1] == f"{run['seconds']['total']:.1f}"
        assert len(row) <= 80
    assert record["verdict"]["text"] in out
    for diagnosis in record["transfer"]["diagnoses"]:
        assert f"Note: transfer: {diagnosis['text']}" in out


def test_repeats_and_fine_tuning_are_printed_recorded_and_scripted(tmp_path, tl_here, monkeypatch):
    def in_this_process(*args, n_jobs, **kwargs):  # other processes would not have the tiny backbone
        assert n_jobs == 2
        return compare(*args, n_jobs=1, **kwargs)

    compare = experiments.compare_config
    monkeypatch.setattr(experiments, "compare_config", in_this_process)
    args = (*TINY, "--repeats", "2", "--jobs", "2", "--fine-tune", "2", "--script", "again.py")
    status, out, err = tl_here("compare", *args)
    assert (status, err) == (0, ""), err
    record = json.loads((tmp_path / "tl-widgets-textures.json").read_text())
    assert (record["config"]["repeats"], record["config"]["fine_tuning"]["n_blocks"]) == (2, 2)
    assert [point["seed"] for point in record["repeats"]["points"]] == [0, 1]
    rows = {line.split()[0]: line for line in out.splitlines() if re.match(r"(scratch|transfer|fine_tuned) +\d", line)}
    assert list(rows) == ["scratch", "transfer", "fine_tuned"]
    for name, row in rows.items():
        mean = record["repeats"]["means"][name]
        low, high = mean["ci95"]
        assert f"{100 * mean['mean']:.1f}% ({100 * low:.1f} to {100 * high:.1f})" in row
        assert len(row) <= 80
    assert "repeat 2 of 2" in out
    assert "mean over 2 seeds" in out
    assert "scratch, seed by seed: " in out
    assert "unfreeze_last_blocks(transfer, 2)" in (tmp_path / "again.py").read_text()


def test_data_behind_fine_tune_is_explained(tmp_path):
    # In a process of its own, so that status 2 is what the shell gets.
    status, _, err = tl("compare", "--fine-tune", "textures", cwd=tmp_path, home=tmp_path)
    assert status == 2
    assert "'textures' is not a whole number; if that is the data, write it before --fine-tune" in err


def test_progress_without_a_terminal_is_plain_lines(finished):
    _, _, out = finished
    assert "\x1b" not in out
    for words in ("loading TensorFlow", "scratch: training: epoch 1 of 1", "transfer: reading the frozen backbone"):
        assert any(line.startswith(words) for line in out.splitlines()), words


def test_a_second_run_keeps_features_and_quiet_prints_the_verdict_only(finished, tmp_path, tl_here, monkeypatch):
    folder, home, _ = finished
    monkeypatch.setenv("TL_WIDGETS_HOME", str(home))
    first = json.loads((folder / "tl-widgets-textures.json").read_text())
    args = (*TINY, "--quiet", "--json", "again.json", "--figure", "again.svg")
    with standing_in(real=True):
        status, out, err = tl_here("compare", *args)
    second = json.loads((tmp_path / "again.json").read_text())
    assert (status, out, err) == (0, second["verdict"]["text"] + "\n", "")
    assert names_in(tmp_path) == ["again.json", "again.svg"]
    assert b"<svg" in (tmp_path / "again.svg").read_bytes()
    assert second["transfer"]["predictions"] == first["transfer"]["predictions"]
    assert second["scratch"]["predictions"] == first["scratch"]["predictions"]
    assert second["transfer"]["seconds"]["saved"] > 0
    text = io.StringIO()
    _print(Console(file=text, width=80), Comparison.from_json(json.dumps(second)), load_dataset(image_size=32))
    saved = second["transfer"]["seconds"]["saved"]
    assert f"transfer: cached features saved {saved:.1f} s" in text.getvalue()


def test_a_zip_of_photographs_with_a_broken_one(tmp_path, tl_here):
    random = np.random.default_rng(0)
    with zipfile.ZipFile(tmp_path / "my [red] fruit.zip", "w") as archive:
        for label, name in enumerate(("[bold]apple", "pear's")):
            for i in range(10):
                file = io.BytesIO()
                pixels = random.integers(0, 128, (40, 40, 3)) + np.array([120 * label, 0, 120 * (1 - label)])
                Image.fromarray(pixels.astype(np.uint8)).save(file, "PNG")
                archive.writestr(f"fruit/{name}/{i}.png", file.getvalue())
        for i in range(10):  # almost the same picture again and again
            file = io.BytesIO()
            Image.fromarray(pixels.astype(np.uint8) + np.uint8(i + 1)).save(file, "PNG")
            archive.writestr(f"fruit/pear's/<b>[red]{i}.png", file.getvalue())
        archive.writestr("fruit/pear's/broken.png", b"\x89PNG")
    args = ("my [red] fruit.zip", "--image-size", "32", "--epochs", "1", "--weights", "random", "--report", "r.html")
    status, out, err = tl_here("compare", *args)
    assert (status, err) == (0, ""), err
    assert "30 images in " in out
    assert "Note: Skipped 1 file: pear's/broken.png" in out
    assert "pixels a side, and" not in out  # with random weights there was no pretraining
    assert re.search(r"Note: \d of the \d+ test images look almost .* Alike: pear's/<b>\[red\]\d.png \(test\)", out)
    report = (tmp_path / "r.html").read_text()
    assert "Alike: pear&#39;s/&lt;b&gt;[red]" in report
    assert "<b>[red]" not in report
    names = {"my [red] fruit.zip", "tl-widgets-my_red_fruit.json", "tl-widgets-my_red_fruit.png", "r.html"}
    assert set(names_in(tmp_path)) == names
    record = json.loads((tmp_path / "tl-widgets-my_red_fruit.json").read_text())
    assert record["dataset"]["class_names"] == ["[bold]apple", "pear's"]
    assert record["transfer"]["weights"] == "random"


def test_a_backbone_that_is_cut_needs_room_for_what_is_left_of_it(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: (10**9, 10**9 - 5 * 10**7, 5 * 10**7))
    dataset = load_dataset("textures", image_size=32, n_per_class=2)
    with pytest.raises(InputError, match="The models can't be saved"):
        _require_room(tmp_path, dataset, Config(backbone="ResNet50"))
    _require_room(tmp_path, dataset, Config(backbone="ResNet50", cut=1))


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["cmpare"], "'compare'"),
        (["compare", "--epochs", "many"], "--epochs"),
        (["compare", "--epochs", "0"], "epochs must be 1"),
        (["compare", "--bogus"], "--bogus"),
        (["compare", "nowhere/"], "no folder, zip file or data set"),
        (["compare", "textures", "--images-per-class", "900"], "at most 50"),
        (["compare", "textures", "--image-size", "5"], "image_size"),
        (["compare", "--image-size", "0"], "image_size"),
        (["compare", "--backbone", "MobilNetV2"], "MobileNetV2"),
        (["compare", "--backbone", "Xception", "--image-size", "32"], "71"),
        (["compare", "--weights", "none.h5"], "none.h5"),
        (["compare", "--json", "no/where.json"], "no folder no"),
        (["compare", "--report", "no/where.html"], "no folder no"),
        (["compare", "--save-models", "no/where"], "no folder no"),
        (["compare", "--save-models", "/dev/null"], "it is a file"),
        (["compare", "--save-models", "x" * 5000], "longer than the 255 bytes"),
        (["compare", "--report", "a.html", "--json", "a.html"], "different files"),
        (["compare", "--json", "models", "--save-models", "models"], "different files"),
        (["compare", "--json", "."], "is a folder"),
        (["compare", "--figure", "figure.doc"], ".png, .svg or .pdf"),
        (["compare", "--figure", "a.png", "--json", "a.png"], "different files"),
        (["compare", "--script", "file/x.py"], "no folder file"),
        (["fetch", "AlexNet"], "AlexNet"),
        (["fetch"], "NAME"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(args, words, tmp_path, tl_here):
    (tmp_path / "file").write_text("")
    status, out, err = tl_here(*args)
    assert status == 2
    assert words in one_line(err)
    assert "epoch 1" not in out  # refused before anything was trained
    assert names_in(tmp_path) == ["file"]


def test_what_a_killed_process_left_half_written_is_removed_an_hour_later(tmp_path):
    for target, write in (
        (tmp_path / "m.json", lambda path: write_whole(path, lambda part: part.write_text("{}"))),
        (tmp_path / "w[1].h5", lambda path: stack.enter_context(atomic_file(path)).write(b"x")),
    ):
        mine = [tmp_path / ".tl-widgets-1-2.part", tmp_path / ".tl-widgets-abc", tmp_path / "w[1].h5.abc.part"]
        for age in (7_200, 60):
            for path in mine:
                if path.suffix:
                    path.touch()
                else:
                    path.mkdir(exist_ok=True)  # of a folder or a model that was being saved
                os.utime(path, (time.time() - age,) * 2)
            with ExitStack() as stack:
                write(target)
            n_left = 2 if target.suffix == ".h5" else 1
            assert len([path for path in mine if path.exists()]) == (n_left if age > 3_600 else 3)
        assert target.exists()


def test_help_and_version_load_nothing_heavy(tmp_path, home):
    code = (
        "import sys; from tl_widgets.cli.main import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as end: print('status', end.code)\n"
        "print(sorted({'tensorflow', 'keras', 'rich', 'PIL', 'numpy', 'matplotlib'} & set(sys.modules)))"
    )
    for args in (["--help"], ["compare", "--help"], ["--version"]):
        status, out, err = tl(*args, cwd=tmp_path, home=home, code=code)
        assert (status, err) == (0, "")
        assert out.endswith("status 0\n[]\n")
    assert tl("--version", cwd=tmp_path, home=home)[1] == "tl-widgets 0.1.0\n"


def test_lists(tmp_path, home):
    status, out, err = tl("backbones", cwd=tmp_path, home=home)
    assert (status, err) == (0, "")
    rows = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert {entry.name for entry in list_backbones()} <= set(rows)
    assert "keras.applications.mobilenet_v2.MobileNetV2" in rows["MobileNetV2"]
    assert "2,257,984" in rows["MobileNetV2"]
    assert rows["EfficientNetLite0"].rstrip().endswith("yes")
    status, out, err = tl("datasets", cwd=tmp_path, home=home)
    assert (status, err) == (0, "")
    assert re.search(r"^textures +built in +yes +3 +150 +60 +90", out, re.MULTILINE)


def test_fetch_says_where_the_weights_are(tmp_path, home):
    status, out, err = tl("fetch", "efficientnetlite0", cwd=tmp_path, home=home)
    assert (status, err) == (0, "")
    assert re.fullmatch(r"EfficientNetLite0: /.*\.pth \(\d+ MB\)\n", out)


def wait_for(process, words):
    for line in process.stdout:
        if words in line:
            return
    raise AssertionError(f"never said {words!r}: {process.stderr.read()}")


def test_ctrl_c_stops_within_a_batch_and_leaves_no_file(tmp_path, home):
    process = start("compare", *TINY[:-1], "10000", "--script", "x.py", cwd=tmp_path, home=home)
    wait_for(process, "scratch: training")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130  # of ten thousand epochs, not all were trained
    assert err.endswith("tl-widgets: stopped\n")
    assert "Traceback" not in err + out
    assert "Record:" not in out
    assert names_in(tmp_path) == []
    assert [path for path in home.rglob("*") if path.suffix == ".part"] == []


def test_a_second_ctrl_c_ends_what_the_first_does_not(tmp_path, home):
    code = (
        "import sys, time; from tl_widgets.core import lazy_tensorflow as lazy; from tl_widgets.cli import run\n"
        "lazy._import_packages, lazy.raise_if_cancelled = lambda: time.sleep(600), lambda cancel: None\n"
        "sys.exit(run())"
    )
    process = start("compare", *TINY, cwd=tmp_path, home=home, code=code)
    wait_for(process, "loading TensorFlow")
    process.send_signal(signal.SIGINT)
    while "Ctrl-C again stops at once" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "tl-widgets: stopped at once\n")


def test_ctrl_c_twice_while_tensorflow_is_loaded(tmp_path, home):
    process = start("compare", *TINY, cwd=tmp_path, home=home)
    wait_for(process, "loading TensorFlow")
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(1)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "stopped" in err
    assert "Traceback" not in err
    assert names_in(tmp_path) == []


def test_a_closed_pipe_is_quiet(tmp_path, home):
    process = start("backbones", cwd=tmp_path, home=home)
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=60) != 0


def test_a_fault_is_one_line_and_its_trace_lies_in_a_file(tmp_path, home):
    code = (
        "import sys, tl_widgets.cli.lists as lists; from tl_widgets.cli.main import main\n"
        "def fail(): raise KeyError('a\\nb')\n"
        "lists.show_datasets = fail; sys.exit(main(['datasets']))"
    )
    status, _, err = tl(cwd=tmp_path, home=home, code=code)
    assert status == 1
    line = one_line(err)
    assert "KeyError" in line
    assert "bug" in line
    log = home / "tl-widgets-error.log"
    assert str(log) in line
    assert "Traceback" in log.read_text()


def test_cache_clear_deletes_what_tl_widgets_made_and_nothing_else(tmp_path, home):
    entry = "0123456789abcdef" * 2
    ours = ["features.sqlite3", f"images/{entry}-{entry}/images.npy", f"images/index/{entry}"]
    ours += ["weights/efficientnet-lite0.npz"]
    theirs = ["images/holiday.jpg", "images/holiday/images.npy", "weights/xception.h5", "notes.txt"]
    theirs += [f"images/{entry}-{entry}/mine.txt"]
    for name in (*ours, *theirs):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(bytes(2_000_000))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/images.npy").write_text("mine")
    (home / "images" / f"{entry[::-1]}-{entry}").symlink_to(tmp_path / "elsewhere")
    status, out, _ = tl("cache", cwd=tmp_path, home=home)
    assert status == 0
    assert str(home) in out
    assert "decoded images: 4 MB" in out
    assert all((home / name).exists() for name in ours)
    status, out, _ = tl("cache", "--clear", cwd=tmp_path, home=home)
    assert (status, out.splitlines()[-1]) == (0, "deleted 8 MB")
    assert not any((home / name).exists() for name in ours)
    assert all((home / name).exists() for name in theirs)
    assert (tmp_path / "elsewhere/images.npy").read_text() == "mine"
    assert not (home / "images/index").exists()


@pytest.mark.parametrize("where", ["notebooks/00_start_here.ipynb", "00_start_here.ipynb"])
def test_lab_opens_the_first_notebook_and_passes_options_on(where, tmp_path, home):
    (tmp_path / "jupyterlab.py").write_text("import sys; print(sys.argv[1:]); sys.exit(3)")
    (tmp_path / where).parent.mkdir(exist_ok=True)
    (tmp_path / where).write_text("{}")
    reach = []
    if where.startswith("notebooks"):  # a checkout: its notebooks link to the glossary
        (tmp_path / "docs").mkdir()
        (tmp_path / "docs/glossary.md").touch()
        reach = [f"--ServerApp.root_dir={tmp_path}"]
    status, out, _ = tl("lab", "--no-browser", "--port=1", cwd=tmp_path, home=home)
    assert (status, out) == (3, f"{[*reach, '--no-browser', '--port=1', str(tmp_path / where)]}\n")


def test_a_file_is_whole_or_not_there(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before")

    def fail(part):
        part.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match="No space left"):
        write_whole(path, fail)
    assert names_in(tmp_path) == ["a.txt"]
    assert path.read_text() == "before"
    (tmp_path / "link").symlink_to(path)
    write_whole(tmp_path / "link", lambda part: part.write_text("after"))
    assert path.read_text() == "after"
    assert (tmp_path / "link").is_symlink()


def test_a_device_is_written_into_and_not_replaced(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    check_writable(path, "--json")
    write_whole(path, lambda part: part.write_text("all"))
    assert os.read(reader, 10) == b"all"
    assert stat.S_ISFIFO(path.stat().st_mode)
    os.close(reader)


def test_bars_of_models_that_train_in_turn_grow_side_by_side():
    console = Console(file=io.StringIO(), force_terminal=True)
    with show_events(console) as on_event:
        on_event(Event("load", "loading TensorFlow"))
        on_event(Event("features", "reading", "transfer", 3, 3))
        for epoch in (1, 2):
            for model in ("transfer", "scratch"):
                on_event(Event("train", "training", model, 5 * epoch, 20, epoch, 4, {"loss": 1.0}, float(epoch)))
        bars = {task.description: task.percentage for task in on_event._progress.tasks}
    assert bars == {
        "starting": 100,
        "transfer: reading features": 100,
        "transfer: training": 50,
        "scratch: training": 50,
    }


def test_plain_lines_of_models_that_train_in_turn_are_no_flood():
    console = Console(file=io.StringIO(), force_terminal=False)
    with show_events(console) as on_event:
        for epoch in range(1, 101):
            for model in ("transfer", "scratch"):
                on_event(Event("train", f"epoch {epoch}", model, epoch, 100, epoch, 100, {"loss": 1.0}))
    lines = console.file.getvalue().splitlines()
    assert lines == ["transfer: epoch 1", "scratch: epoch 1", "transfer: epoch 100", "scratch: epoch 100"]


def test_images_far_below_the_size_of_the_pretraining_get_a_note():
    assert size_note("EfficientNetLite0", 96) == ""
    text = size_note("EfficientNetLite0", 32)
    assert text.startswith("The images have 32 pixels a side, and EfficientNetLite0 was pretrained on 224")
    assert size_note("Xception", 99)
    assert not size_note("Xception", 100)
    assert size_note("a backbone of another version", 16) == ""
