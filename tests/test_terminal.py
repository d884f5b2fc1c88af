"""What a terminal can do to a command: control characters, odd names, streams that are full or closed."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from random import Random

import pytest
from helpers import PACKAGE_PARENT

from tl_widgets.cli.main import main
from tl_widgets.cli.progress import _tell, make_console
from tl_widgets.core.errors import InputError
from tl_widgets.core.files import check_writable, write_each, write_text
from tl_widgets.core.paths import read_file, user_path
from tl_widgets.core.text import printable, shown

pytestmark = pytest.mark.skipif(os.name != "posix", reason="these streams and names are those of POSIX systems")


def tl(command, cwd, **environment):
    """Run a line of the shell in which $TL is the command."""
    environment = {"PYTHONPATH": str(PACKAGE_PARENT), "TL": f"{sys.executable} -m tl_widgets", **environment}
    done = subprocess.run(
        ["bash", "-c", command], cwd=cwd, capture_output=True, timeout=170, env=os.environ | environment
    )
    assert b"Traceback" not in done.stderr
    assert b"bug" not in done.stderr
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


@pytest.mark.parametrize("stream", ["> /dev/full", ">&-", "2>&-", "2> /dev/full", ">&- 2>&-", "| true", "<&- >&- 2>&-"])
def test_a_stream_that_is_full_or_closed(stream, tmp_path, home):
    status, _, err = tl(f"$TL datasets {stream}", tmp_path, PYTHONUNBUFFERED="")
    assert status == (2 if stream == "> /dev/full" else 0)
    assert ("No space left" in err) == (stream == "> /dev/full")
    status, _, err = tl(f"$TL nonsense {stream}", tmp_path)
    assert status in (0, 2)  # that of `true` after a pipe


def test_results_survive_a_full_screen(tmp_path, home):
    options = "--image-size 32 --images-per-class 2 --epochs 1 --backbone SqueezeNet --report r.html"
    status, _, err = tl(f"$TL compare textures {options} > /dev/full", tmp_path)
    assert status == 2
    assert "files are complete" in err
    assert {path.name for path in tmp_path.iterdir()} == {
        "tl-widgets-textures.json",
        "tl-widgets-textures.png",
        "r.html",
    }


ODD_PARTS = ("x", "\x1b[2J", "\x1b]0;t\x07", "\u202e", "\udcff", "\r", "é", "/", "~", "\x9b", "x" * 200, ".")


def test_every_name_gets_a_sentence(tmp_path, capsysbinary, monkeypatch):
    monkeypatch.chdir(tmp_path)
    random = Random(0)
    for _ in range(60):
        first = random.choice(["nothing", "~nobody-here/"])
        name = first + "".join(random.choices(ODD_PARTS, k=random.randint(1, 4)))
        for command in (["compare", name], ["--home", name, "nonsense"], ["compare", "x", "--json", name + "/x"]):
            try:
                status = main(command)
            except SystemExit as end:
                status = end.code
            _, err = capsysbinary.readouterr()
            text = err.decode(errors="surrogateescape").rstrip("\n")
            assert status == 2
            assert text.isprintable(), (name, text)
            assert "bug" not in text
            assert len(text) < 1500


def test_a_folder_that_is_gone_and_an_account_without_a_home(tmp_path, home):
    status, _, err = tl("mkdir gone; cd gone; rmdir ../gone; $TL compare textures", tmp_path)
    assert (status, "working folder no longer exists" in err) == (2, True)
    status, _, err = tl("mkdir gone; cd gone; rmdir ../gone; $TL lab", tmp_path)
    assert (status, "working folder no longer exists" in err) == (2, True)
    status, out, _ = tl("unset HOME; $TL backbones", tmp_path)
    assert (status, "EfficientNetLite0" in out) == (0, True)


def test_a_console_shows_controls_as_text(capsys):
    from rich.table import Table

    table = Table("a\x1b[2J", box=None)
    table.add_row("b\u202ec")
    make_console().print(table)
    make_console().print("two\nlines\x1b[1m", soft_wrap=True)
    assert capsys.readouterr().out.split() == ["a\\x1b[2J", "b\\u202ec", "two", "lines\\x1b[1m"]


def test_what_cannot_be_written_costs_only_itself(tmp_path):
    def full():
        raise OSError(28, "No space left on device")

    files = [(tmp_path / name, lambda name=name: write_text(tmp_path / name, name)) for name in ("a", "b" * 255, "c/d")]
    with pytest.raises(InputError, match=r"Cannot write .*c/d.*No space left on device.*Written: a, b+\.$"):
        write_each([*files, (tmp_path / "e", full)])
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b" * 255}
    with pytest.raises(ZeroDivisionError):  # a fault of ours
        write_each([(tmp_path / "f", lambda: 1 / 0), (tmp_path / "g", lambda: write_text(tmp_path / "g", "g"))])
    assert (tmp_path / "g").exists()


def test_a_disk_without_room_is_said_before_the_work(tmp_path):
    resource = pytest.importorskip("resource", reason="no limits on files' sizes")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(
            InputError, match=r"Cannot write .*x\.json: File too large\. Give another place with --json"
        ):
            check_writable(tmp_path / "x.json", "--json")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


def ends(function, *arguments):
    """Whether a call ends."""
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    thread.join(60)
    return not thread.is_alive()


def test_a_file_that_has_nothing_to_read_yet_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = os.open(tmp_path / "pipe", os.O_RDWR)
    errors = []

    def read():
        try:
            read_file(tmp_path / "pipe", 10)
        except OSError as error:
            errors.append(str(error))

    assert ends(read)
    assert errors == ["it has nothing to read yet"]
    os.close(writer)


def test_a_terminal_that_nobody_reads_is_not_waited_for():
    reader, screen = os.openpty()
    os.set_blocking(screen, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(screen, b"x" * 512):
            pass
    os.set_blocking(screen, True)
    assert ends(_tell, screen, b"stopping")
    os.close(reader)
    os.close(screen)
    _tell(screen, b"closed")


@pytest.mark.parametrize(
    "value",
    [None, 3, b"x", "", "a\0b", "\ud800", "x" * 256, "é" * 200, "~nobody-here/x", "a/" + "y" * 300, "ab/" * 2000],
)
def test_a_path_that_no_file_can_have(value):
    with pytest.raises(InputError, match="where") as caught:
        user_path(value, "where")
    assert str(caught.value).isprintable()


def test_what_was_received_is_shown_short_and_printable():
    class Odd:
        def __repr__(self):
            raise ValueError

    for value in ("x" * 10**7, 10**5000, Odd(), "\x1b\u202e\ud800", [1] * 10**5, b"\0" * 10**6):
        assert len(shown(value)) <= 200
        assert shown(value).isprintable()
    assert printable("a\udcff\x1b\ud800").isprintable()


def test_a_step_that_was_left_alone_is_not_waited_for(tmp_path, home):
    code = (
        "import sys, threading, time; from tl_widgets import cli\n"
        "threading.Thread(target=time.sleep, args=(100,), name='tl_widgets-step').start()\n"
        "sys.argv = ['tl-widgets', 'backbones']; sys.exit(cli.run())"
    )
    started = time.monotonic()
    status, out, _ = tl(f'{sys.executable} -c "{code}"', tmp_path)
    assert (status, "fetch NAME" in out) == (0, True)
    assert time.monotonic() - started < 60


@pytest.mark.slow
def test_ctrl_c_before_the_command_has_started_shows_no_stack_trace(tmp_path, home):
    def start():
        """Seconds until Python has started and tl_widgets is there; before that, nothing of ours can answer."""
        before = time.monotonic()
        subprocess.run([sys.executable, "-c", "import tl_widgets"], cwd=PACKAGE_PARENT, check=True)
        return time.monotonic() - before

    begin = max(start() for _ in range(3))
    for later in (0, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3):
        line = f"timeout -s INT {begin + later:.3f} $TL compare textures --epochs 1000 --image-size 32; sleep 0.1"
        tl(line, tmp_path)  # looks for a stack trace
