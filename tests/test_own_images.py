"""A learner's own images without widgets: edits as data, uploads, and what must not be lost."""

import io
import os
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import files_in, fill, picture, png, zipped
from test_codegen import assert_same_images
from test_folder import SPLITS
from test_hostile_files import BROKEN

from tl_widgets import InputError, load_folder
from tl_widgets.collections import storage as own_files, uploads as own_uploads
from tl_widgets.collections.collection import collection_of, open_collection, save_edits, with_saved_edits
from tl_widgets.collections.storage import Incoming, find_collections, find_folders, safe_name
from tl_widgets.collections.uploads import add_images, upload_zip
from tl_widgets.core.errors import CancelledError
from tl_widgets.data.dataset import image_key
from tl_widgets.data.decode import decode_image
from tl_widgets.experiments.comparison import summarize
from tl_widgets.records.comparison import Comparison
from tl_widgets.records.provenance import Edits

pytestmark = pytest.mark.usefixtures("here")

MARKUP = "<img src=x onerror=alert(1)>"
SIZE = 24


@pytest.fixture
def pets(here):
    """A folder of three classes."""
    for i, name in enumerate(("cat", "dog", "owl")):
        fill(here / "pets" / name, 8, start=20 * i)
    return here / "pets"


def pictures(n, start=0):
    return [(f"{i}.png", png(i)) for i in range(start, start + n)]


def keys_of(dataset, class_name):
    label = dataset.class_names.index(class_name)
    parts = [getattr(dataset, split) for split in SPLITS]
    return sorted(key for part in parts for key, y in zip(part.keys, part.labels, strict=True) if y == label)


def inside(folder):
    """Everything in a folder, hidden files too."""
    return sorted(path.name for path in folder.iterdir())


def uploaded(name, data):
    """A zip as it comes from the browser."""
    with Incoming([(name, len(data))]) as incoming:
        if data:
            incoming.add(0, 0, data)
        ((name, path),) = incoming.files()
        return upload_zip(name, path)


def key_of(path):
    return image_key(decode_image(path.read_bytes(), SIZE))


# Edits


def test_edits_change_what_is_loaded_and_no_file(pets):
    before = files_in(pets)
    found = open_collection(pets)
    assert found.class_names == ("cat", "dog", "owl")
    edited = found.rename("cat", "zebra").drop("owl").exclude(["dog/20.png", "dog/21.png"])
    dataset = edited.build(image_size=SIZE)
    assert dataset.class_names == ("dog", "zebra")
    assert keys_of(dataset, "zebra") == sorted(key_of(file) for file in (pets / "cat").iterdir())
    assert keys_of(dataset, "dog") == sorted(key_of(pets / "dog" / f"{i}.png") for i in range(22, 28))
    assert dataset.report.n_read == 14
    assert dataset.report.notes == ("Ignored classes: owl.", "Left out by hand: 2 images.")
    assert files_in(pets) == before
    back = edited.rename("zebra", "cat").take_back("owl").include(["dog/20.png", "dog/21.png"])
    assert back == found
    assert back.build(image_size=SIZE).fingerprint == load_folder(pets, image_size=SIZE).fingerprint


def test_taking_an_image_back_reads_no_file_again(pets):
    events = []
    open_collection(pets).build(image_size=SIZE, on_event=events.append)
    assert events
    events.clear()
    edited = open_collection(pets).rename("cat", "lion").drop("owl").exclude(["dog/20.png"])
    edited.build(image_size=SIZE, on_event=events.append)
    edited.include(["dog/20.png"]).build(image_size=SIZE, on_event=events.append)
    assert events == []


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\nb", "dog", None, "\x1b[31m"])
def test_a_name_that_cannot_be_is_refused_and_the_collection_stays(pets, name):
    found = open_collection(pets)
    with pytest.raises(InputError, match=r"cannot be the name of a class|There is already a class 'dog'"):
        found.rename("cat", name)
    assert found.class_names == ("cat", "dog", "owl")


def test_what_is_not_there_is_named(pets):
    found = open_collection(pets)
    with pytest.raises(InputError, match="no class 'cow' in pets; its classes are cat; dog; owl"):
        found.drop("cow")
    with pytest.raises(InputError, match=r"no image dog/99\.png"):
        found.exclude(["dog/99.png"])
    with pytest.raises(InputError, match="1 class left"):
        found.drop("cat").drop("dog").build(image_size=SIZE)
    with pytest.raises(InputError, match="no class folder 'cow', which was renamed or dropped"):
        load_folder(pets, image_size=SIZE, edits=Edits(dropped=("cow",)))
    with pytest.raises(InputError, match=r"Two classes .* called 'dog'"):
        load_folder(pets, image_size=SIZE, edits=Edits(renamed=(("cat", "dog"),)))


def test_classes_are_chosen_by_their_new_names(pets):
    edits = Edits(renamed=(("cat", "zebra"),), left_out=("owl/40.png",))
    dataset = load_folder(pets, image_size=SIZE, edits=edits, classes=("zebra", "owl"))
    assert dataset.class_names == ("owl", "zebra")
    assert len(keys_of(dataset, "owl")) == 7
    with pytest.raises(InputError, match="no class 'cat'; its classes are dog; owl; zebra"):
        load_folder(pets, image_size=SIZE, edits=edits, classes=("cat", "owl"))


@pytest.mark.parametrize("kind", ["folder", "zip", "splits"])
def test_the_script_and_the_record_bring_back_the_same_images(here, pets, kind):
    path = pets
    if kind == "splits":
        path = here / "given"
        for split, start in (("train", 0), ("test", 200)):
            for i, name in enumerate(("cat", "dog", "owl")):
                fill(path / "inner" / split / name, 8, start=start + 20 * i)
    if kind == "zip":
        path = zipped(pets, here / "pets.zip", prefix="pets/")
    out = {"folder": "dog/20.png", "zip": "pets/dog/20.png", "splits": "inner/train/dog/20.png"}[kind]
    edited = open_collection(path).rename("cat", "ze\"b'ra").rename("owl", "bird").exclude([out])
    dataset = edited.build(image_size=SIZE)
    assert_same_images(dataset)
    assert collection_of(dataset.origin) == edited
    assert collection_of(dataset.origin).build(image_size=SIZE).fingerprint == dataset.fingerprint
    stopped = threading.Event()
    stopped.set()
    with pytest.raises(CancelledError):
        collection_of(replace(dataset.origin, path=str(here)), stopped)
    dropped = edited.drop("bird").build(image_size=SIZE)
    assert_same_images(dropped)


def test_the_record_of_a_run_keeps_the_edits(pets):
    from tl_widgets import compare

    dataset = open_collection(pets).rename("cat", "lion").exclude(["dog/20.png"]).build(image_size=32)
    comparison = compare(dataset, epochs=1, weights=None)
    again = Comparison.from_json(comparison.to_json())
    assert again.dataset == summarize(dataset)
    assert again.dataset.origin.edits == Edits((("cat", "lion"),), (), ("dog/20.png",))
    old = comparison.to_json().replace('"edits"', '"was_not_there"')
    with pytest.raises(InputError, match="not a record"):
        Comparison.from_json(old)


def test_edits_outlive_the_kernel_as_far_as_they_fit(here, pets):
    edited = open_collection(pets).rename("cat", MARKUP).drop("owl").exclude(["dog/20.png", "dog/21.png"])
    save_edits(edited)
    assert with_saved_edits(open_collection(pets)) == edited
    assert files_in(here / "my_images") == [next(iter(files_in(here / "my_images")))]
    (pets / "dog" / "20.png").unlink()
    assert with_saved_edits(open_collection(pets)).edits.left_out == ("dog/21.png",)
    (kept,) = (here / "my_images" / ".edits").iterdir()
    for text in ("{", "[]", "null", '{"path": 1}', kept.read_text().replace(MARKUP, "dog"), "\ud800".join("ab")):
        kept.write_bytes(text.encode("utf-8", "surrogatepass"))
        assert with_saved_edits(open_collection(pets)) == open_collection(pets)
    save_edits(open_collection(pets))
    assert not kept.exists()
    assert find_collections() == (here / "pets",)


# Uploads


def test_pictures_for_two_classes_become_a_data_set(here):
    first = add_images(None, MARKUP, pictures(5))
    assert (first.n_added, first.skipped) == (5, ())
    with pytest.raises(InputError, match="only one class"):
        first.collection.build(image_size=SIZE)
    both = add_images(first.collection, "dog", pictures(4, start=50)).collection
    assert both.class_names == (MARKUP, "dog")
    assert both.build(image_size=SIZE).class_names == (MARKUP, "dog")
    assert files_in(here / "my_images" / "photos" / "_img src=x onerror=alert(1)_") == [f"{i}.png" for i in range(5)]
    more = add_images(both, MARKUP, [("0.png", png(77))]).collection
    assert len(more.used_files(MARKUP)) == 6
    assert (here / "my_images/photos/_img src=x onerror=alert(1)_/0.png").read_bytes() == png(0)
    assert add_images(None, "x", pictures(1)).collection.path.name == "photos-2"


def test_a_class_whose_safe_name_is_taken_gets_a_folder_of_its_own(here):
    one = add_images(None, "a/b", pictures(3)).collection
    two = add_images(one.rename("a/b", "left"), "a:b", pictures(3, start=10)).collection
    three = add_images(two, "a_b", pictures(3, start=20)).collection
    assert sorted(three.class_names) == ["a:b", "a_b", "left"]
    assert len(three.build(image_size=SIZE).train) == 3


def test_adding_to_a_folder_or_zip_copies_what_is_used_and_leaves_it_alone(here, pets):
    archive = zipped(pets, here / "animals.zip")
    before = archive.read_bytes()
    edited = open_collection(archive).rename("cat", "lion").drop("owl").exclude(["dog/20.png"])
    added = add_images(edited, "fox", pictures(4, start=900))
    assert added.notes == ("Its images were copied to my_images/animals; the original stays as it is.",)
    assert added.collection.class_names == ("dog", "fox", "lion")
    assert len(added.collection.used_files("dog")) == 7
    assert added.collection.is_stored
    assert archive.read_bytes() == before
    dataset = added.collection.build(image_size=SIZE)
    assert keys_of(dataset, "lion") == sorted(key_of(file) for file in (pets / "cat").iterdir())


def test_given_splits_are_not_added_to(here):
    for split in ("train", "test"):
        for i, name in enumerate("ab"):
            fill(here / "given" / split / name, 4, start=50 * len(split) + 10 * i)
    with pytest.raises(InputError, match="only you can decide where a new picture belongs"):
        add_images(open_collection(here / "given"), "a", pictures(1))


def test_a_dropped_class_is_used_again_when_something_is_added(here):
    both = add_images(add_images(None, "a", pictures(3)).collection, "b", pictures(3, start=10)).collection
    assert add_images(both.drop("b"), "b", pictures(1, start=99)).collection.class_names == ("a", "b")


def test_what_is_no_image_is_named_and_not_kept(here):
    good = ("good.png", png(1))
    added = add_images(None, "a", [*((name, data) for name, data, _ in BROKEN), good])
    assert added.n_added == 1
    assert files_in(here / "my_images") == ["photos/a/good.png"]
    said = dict(added.skipped)
    for name, _, reason in BROKEN:
        assert reason in said[name]
    for files, words in (
        ([(name, data) for name, data, _ in BROKEN], r"None of the \d+ files could be used: empty.jpg \(empty\)"),
        ([], "Received 0 pictures"),
        ([good] * 2001, "Received 2,001 pictures"),
    ):
        with pytest.raises(InputError, match=words):
            add_images(added.collection, "b", files)
    assert files_in(here / "my_images") == ["photos/a/good.png"]
    assert inside(here / "my_images") == ["photos"]


HOSTILE_NAMES = ["../../out.png", "/etc/out.png", "C:\\out.png", "..", "", "nul.png", "a" * 300 + ".png", "x\0y.png",
                 "caf\udce9.png", ".hidden.png", "<b>.png", "a/b/../../c.png"]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_no_name_leads_out_of_its_folder_or_hides(here, name):
    added = add_images(None, "a", [(name, png(1))]).collection
    (file,) = added.used_files("a")
    assert files_in(here) == [f"my_images/photos/{file.name}"]
    assert len(file.name.split("/")) == 2
    if name not in ("..", "", "a/b/../../c.png"):
        assert safe_name(name, "x") == Path(file.name).name


def test_a_class_folder_that_became_a_link_is_not_written_to(here):
    both = add_images(add_images(None, "a", pictures(3)).collection, "b", pictures(3, start=10)).collection
    (here / "elsewhere").mkdir()
    (here / "my_images/photos/b").rename(here / "moved")
    (here / "my_images/photos/b").symlink_to(here / "elsewhere")
    with pytest.raises(InputError, match="a link to a place outside"):
        add_images(both, "b", pictures(1, start=99))
    assert files_in(here / "elsewhere") == []


def test_a_full_disk_or_a_stop_leaves_nothing(here, monkeypatch):
    start = add_images(None, "a", pictures(3)).collection
    before = files_in(here)
    n_written = []

    def write(folder, name, data):
        n_written.append(name)
        if len(n_written) > 2:
            raise OSError(28, "No space left on device")
        return own_files.write_new(folder, name, data)

    with monkeypatch.context() as patch:
        patch.setattr(own_uploads, "write_new", write)
        with pytest.raises(InputError, match="could not be saved: No space left"):
            add_images(start, "b", pictures(5, start=20))
    cancel = threading.Event()
    with pytest.raises(CancelledError):
        add_images(start, "b", pictures(5, start=20), on_event=lambda _: cancel.set(), cancel=cancel)
    assert files_in(here) == before
    assert inside(here / "my_images/photos") == ["a"]
    monkeypatch.setattr(own_files, "MAX_STORED_BYTES", 10_000)
    with pytest.raises(InputError, match="would exceed"):
        add_images(start, "b", pictures(5, start=20))
    with pytest.raises(InputError, match="would exceed"):
        uploaded("x.zip", b"x" * 10_000)
    monkeypatch.setattr(own_files, "MAX_STORED_FILES", 4)
    with pytest.raises(InputError, match="exceed 4 files"):
        add_images(start, "b", [("x.png", png(1)), ("y.png", png(2))])
    assert files_in(here) == before


def zip_bytes(*members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def test_an_uploaded_zip_is_kept_under_a_free_name(here, pets):
    data = zipped(pets, here / "some.zip").read_bytes()
    (here / "my_images").mkdir()
    (here / "my_images" / "pets.zip").write_bytes(b"mine")
    found = uploaded("../pets.zip", data)
    assert found.path == (here / "my_images" / "_pets.zip").resolve()
    assert uploaded("pets.zip", data).path.name == "pets-2.zip"
    assert (here / "my_images" / "pets.zip").read_bytes() == b"mine"
    assert found.build(image_size=SIZE).report.n_read == 24


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<html>", "bad.zip is not a zip archive"),
        (b"", "bad.zip is not a zip archive"),
        (zip_bytes(("a.png", png(1))), "has no sub-folders"),
        (zip_bytes(("../a/1.png", png(1)), ("../b/1.png", png(2))), "has no sub-folders"),
        (zip_bytes(("a/1.png", png(1))), "only one class"),
    ],
)
def test_a_zip_that_cannot_be_used_leaves_nothing(here, data, said):
    (here / "my_images").mkdir()
    with pytest.raises(InputError, match=said):
        uploaded("bad.zip", data)
    assert inside(here) == ["my_images"]
    assert inside(here / "my_images") == []


def test_a_hostile_member_of_an_uploaded_zip_is_reported(here):
    good = [(f"{name}/{i}.png", png(10 * j + i)) for j, name in enumerate("ab") for i in range(4)]
    found = uploaded("z.zip", zip_bytes(*good, ("a/../../evil.png", png(99)), ("a/page.jpg", b"<html>")))
    report = found.build(image_size=SIZE).report
    assert report.n_read == 8
    assert dict(report.skipped)["a/../../evil.png"] == "a name that points outside the archive"
    assert "a web page" in dict(report.skipped)["a/page.jpg"]
    assert files_in(here) == ["my_images/z.zip"]


def test_what_lies_beside_the_notebook_is_found(here, pets, home):
    zipped(pets, here / "pets.zip")
    (here / "not.zip").write_bytes(b"no")
    (here / "empty").mkdir()
    (here / ".hidden" / "cat").mkdir(parents=True)
    fill(here / "flat", 3)
    fill(here / "deep" / "train" / "cat", 1)
    uploaded("up.zip", (here / "pets.zip").read_bytes())
    add_images(None, "a", pictures(1))
    names = [path.relative_to(here).as_posix() for path in find_collections()]
    assert names == ["my_images/photos", "my_images/up.zip", "deep", "pets", "pets.zip"]


def test_why_something_beside_the_notebook_cannot_be_used(here, pets):
    (here / "empty").mkdir()
    (here / "__pycache__").mkdir()
    (here / "notes.txt").write_text("no folder")
    (here / "code").mkdir()
    (here / "code" / "a.py").write_text("")
    (here / "no.zip").write_bytes(b"no")
    fill(here / "flat", 1)
    fill(here / "single" / "cat", 2)
    fill(here / "wrapped" / "inner" / "cat", 2)
    uploaded("pets.zip", zipped(pets, here / "pets.zip").read_bytes())
    add_images(None, "a", pictures(1))
    found = {item.path.relative_to(here).as_posix(): item.problem for item in find_folders()}
    assert found == {
        "my_images/pets.zip": "",
        "my_images/photos": "",
        "code": "there are no pictures in it",
        "empty": "it is empty",
        "flat": "its 1 picture lies directly in it, not in one sub-folder for each class",
        "no.zip": "it isn't an archive, or not a complete one",
        "pets": "",
        "pets.zip": "",
        "single": "it has only one class, cat; two are needed",
        "wrapped": "",
    }
    for name in ("code", "empty", "flat", "no.zip", "single"):
        with pytest.raises(InputError):
            load_folder(here / name)


def test_where_the_notebook_lies_read_only_uploads_go_home(here, home, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    added = add_images(None, "a", pictures(1)).collection
    assert added.path.is_relative_to(home.resolve() / "my_images")
    assert added.is_stored


def test_thumbnails_are_small_images_or_reasons(here, pets):
    (pets / "cat" / "bad.png").write_bytes(b"<svg")
    found = open_collection(pets)
    files = found.class_folder("cat").files
    shown = found.thumbnails(files, 48)
    assert [file.name for file, one in zip(files, shown, strict=True) if isinstance(one, str)] == ["cat/bad.png"]
    expected = np.asarray(picture(0).resize((48, 48)))
    assert shown[0].shape == expected.shape
    pets.rename(here / "gone")
    with pytest.raises(InputError, match="are no longer at"):
        found.thumbnails(files, 48)
