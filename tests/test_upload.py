"""What Python takes from the browser's half of an upload, and what it refuses: a browser is outside input."""

import os

import pytest

from tl_widgets.collections import storage as own_files
from tl_widgets.collections.storage import Incoming
from tl_widgets.core.errors import InputError
from tl_widgets.widgets.shared import upload as module
from tl_widgets.widgets.shared.upload import MAX_PART_BYTES, UploadView

pytestmark = pytest.mark.usefixtures("here")

MARKUP = "../../<img src=x onerror=alert(1)>"


@pytest.fixture
def view(monkeypatch):
    """An UploadView, what it kept and what it answered."""
    kept, answers = [], []

    def keep(goal, incoming):
        with incoming:
            kept.append((goal, [(name, path.read_bytes()) for name, path in incoming.files()]))

    made = UploadView(keep, max_bytes=10_000_000, max_files=3, label="Upload", kind="picture")
    monkeypatch.setattr(made, "send", answers.append)
    made.kept, made.answers = kept, answers
    yield made
    made.close()


def tell(view, step, *buffers, token="x-1", **content):
    view._on_message(view, {"number": "7", "upload": token, "step": step, **content}, list(buffers))
    answer = view.answers[-1]
    assert answer["number"] == "7"
    return answer["text"]


def begin(view, *files, token="x-1"):
    return tell(view, "begin", token=token, files=[list(file) for file in files])


def part(view, data, file=0, start=0, token="x-1"):
    return tell(view, "part", memoryview(data), token=token, file=file, start=start)


def halves(here):
    return sorted(path for path in here.rglob("*.part") if path.is_file())


def test_files_come_part_by_part_and_byte_for_byte(view, here):
    view.goal = "cat"
    assert begin(view, ("a.jpg", 5), ("empty.jpg", 0), (MARKUP, 3)) == ""
    view.goal = "dog"  # chosen for a cat
    assert part(view, b"abc") == ""
    assert part(view, b"de", start=3) == ""
    assert [path.name for path in halves(here)] == ["0.part"]
    assert own_files.find_collections() == ()
    assert part(view, b"xyz", file=2) == ""
    assert tell(view, "end") == ""
    assert view.kept == [("cat", [("a.jpg", b"abcde"), ("empty.jpg", b""), (MARKUP, b"xyz")])]
    assert list(here.iterdir()) == []  # not even the folder that was made for it


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], "Received 0 files. Choose at most 3"),
        ([("a", 1)] * 4, "Received 4 files. Choose at most 3"),
        ([(MARKUP, 10_000_001)], "a picture can be up to 10 MB. Nothing was uploaded"),
        ([("a", -1)], "not an upload"),
        ([("a", True)], "not an upload"),
        ([("a", 1.5)], "not an upload"),
        ([("a", "1")], "not an upload"),
        ([(None, 1)], "not an upload"),
        ([("a" * 5000, 1)], "not an upload"),
        ([("a",)], "not an upload"),
        ([("a", 10**16)], "not an upload"),
    ],
)
def test_what_cannot_be_is_refused_before_a_byte_is_sent(view, here, files, said):
    assert said in begin(view, *files)
    assert list(here.iterdir()) == []
    assert begin(view, ("a", 1), ("b", 1)) == ""


NO_MESSAGES = [None, "text", [], {"step": "begin"}, {"upload": 3}, {"upload": "x" * 50}, {"upload": "", "step": "part"},
               {"upload": "x-1", "step": "begin", "files": "ab"}, {"upload": "x-1", "step": "?"}]  # fmt: skip


@pytest.mark.parametrize("content", NO_MESSAGES)
def test_what_is_no_message_of_ours_gets_a_sentence(view, here, content):
    view._on_message(view, content, None)
    assert view.answers[-1]["text"]
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"data": b"abc", "start": 1}, "missing or arrived twice"),
        ({"data": b"abc", "file": 1}, "missing or arrived twice"),
        ({"data": b"abc", "file": -1}, "missing or arrived twice"),
        ({"data": b""}, "missing or arrived twice"),
        ({"data": b"abc", "file": "0"}, "not an upload"),
        ({"data": b"abc", "start": None}, "not an upload"),
        ({"data": b"abcdefg"}, "a.jpg is larger than announced"),
        ({"data": bytes(MAX_PART_BYTES + 1)}, "not an upload"),
    ],
)
def test_a_part_that_does_not_fit_ends_the_upload_and_leaves_nothing(view, here, facts, said):
    assert begin(view, ("a.jpg", 6), ("b.jpg", 2)) == ""
    assert said in part(view, **facts)
    assert list(here.iterdir()) == []
    assert "has ended" in part(view, b"abcdef")
    assert begin(view, ("a.jpg", 1)) == ""
    assert "not complete" in tell(view, "end")
    assert view.kept == []


def test_cancel_and_a_closed_widget_leave_nothing_and_another_page_waits(view, here, monkeypatch):
    assert begin(view, ("a", 4)) == ""
    assert part(view, b"ab") == ""
    assert "Another upload is in progress" in begin(view, ("b", 1), token="y-1")
    assert "has ended" in part(view, b"c", token="y-1")
    assert tell(view, "cancel", token="y-1") == ""  # not its own
    assert part(view, b"c", start=2) == ""
    assert tell(view, "cancel") == ""
    assert list(here.iterdir()) == []
    assert begin(view, ("a", 4)) == ""
    monkeypatch.setattr(module, "_IDLE_SECONDS", -1)  # long ago: that page is gone
    assert begin(view, ("b", 1), token="y-1") == ""
    assert part(view, b"b", token="y-1") == ""
    assert len(halves(here)) == 1
    view.close()
    assert list(here.iterdir()) == []


def test_an_upload_of_which_nothing_is_heard_any_more_is_given_up(view, here, monkeypatch):
    monkeypatch.setattr(module, "_TIMEOUT_SECONDS", 0)
    begin(view, ("a", 4))
    # The thread that watches it has ended it, or does so now.
    for incoming in filter(None, [view._incoming]):
        assert incoming.ended.wait(30)
    assert "has ended" in part(view, b"ab")
    assert halves(here) == []


def test_a_finished_upload_waits_for_a_busy_lab_and_none_begins_then(view):
    begin(view, ("a", 1))
    view.enabled = False
    part(view, b"x")
    assert tell(view, "end") == ""
    assert view.answers[-1]["waits"]
    assert view.kept == []
    view.enabled = True
    tell(view, "end")
    assert not view.answers[-1]["waits"]
    assert view.kept == [("", [("a", b"x")])]
    view.enabled = False
    assert "The Lab is busy" in begin(view, ("a", 1))
    view.enabled, view.missing = True, "Give their class a name first."
    assert begin(view, ("a", 1)) == view.missing


def test_no_room_and_a_full_disk_are_sentences(view, here, monkeypatch, caplog):
    monkeypatch.setattr(own_files, "MAX_STORED_BYTES", 100)
    assert "would exceed" in begin(view, ("a", 101))
    assert list(here.iterdir()) == []
    assert begin(view, ("a", 100)) == ""
    # The file that comes next cannot be opened for writing: a folder is in its way.
    (view._incoming._path(0)).mkdir()
    assert "a could not be saved in" in part(view, b"x")
    assert list(here.iterdir()) == []

    def fail(goal, incoming):
        raise RuntimeError("the app's own")

    view._on_files = fail
    assert begin(view, ("a", 1)) == ""
    part(view, b"x")
    assert "RuntimeError: the app's own" in tell(view, "end")
    assert list(here.iterdir()) == []
    assert "could not be taken" in caplog.text


def test_what_a_killed_kernel_left_is_removed_when_it_is_old(here):
    old, new = here / "my_images/.uploading-old", here / "my_images/.uploading-new"
    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / "0.part").write_bytes(b"half")
    for path in (old / "0.part", old):
        os.utime(path, (1, 1))
    with Incoming([("a", 1)]) as incoming:
        assert not old.exists()
        assert new.exists()  # of another notebook's, perhaps
        with pytest.raises(InputError, match="not complete"):
            incoming.files()
    assert own_files.uploads_folder().is_dir()
    incoming.close()
    with pytest.raises(InputError, match="missing or arrived twice"):
        incoming.add(0, 0, b"x")
