"""Archives besides zip: tar, tar.gz, tgz, tar.bz2, tar.xz and 7z, and what is wrong with some."""

import bz2
import gzip
import io
import subprocess
import sys
import tarfile
import unicodedata
import zipfile

import numpy as np
import pytest
from helpers import fill, picture, png, zipped
from PIL import features
from test_folder import all_keys, load

from tl_widgets.core.errors import InputError
from tl_widgets.data import archives
from tl_widgets.data.decode import UnreadableError, decode_image
from tl_widgets.records.provenance import Edits


@pytest.fixture
def animals(tmp_path):
    fill(tmp_path / "animals" / "cats", 8)
    fill(tmp_path / "animals" / "dogs", 8, start=100)
    return tmp_path / "animals"


def packed(folder, target, more=()):
    """Write a tar, compressed as its name says."""
    mode = {"gz": "gz", "tgz": "gz", "bz2": "bz2", "xz": "xz"}.get(target.name.rpartition(".")[2], "")
    with tarfile.open(target, f"w:{mode}") as tar:
        tar.add(folder, "./animals")
        for member, data in more:
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return target


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.tar.xz"])
def test_a_tar_is_the_same_as_the_folder(animals, tmp_path, name):
    dataset = load(packed(animals, tmp_path / name))
    assert dataset.name == "a"
    assert dataset.class_names == ("cats", "dogs")
    assert all_keys(dataset) == all_keys(load(animals))


def test_a_7z_is_the_same_as_the_folder(animals, tmp_path):
    py7zr = pytest.importorskip("py7zr")
    with py7zr.SevenZipFile(tmp_path / "a.7z", "w") as archive:
        archive.writeall(animals, "animals")
    assert all_keys(load(tmp_path / "a.7z")) == all_keys(load(animals))
    whole = (tmp_path / "a.7z").read_bytes()
    for n in (len(whole) // 2, len(whole) - 5, 20):
        (tmp_path / "cut.7z").write_bytes(whole[:n])
        with pytest.raises(InputError, match="damaged archive"):
            load(tmp_path / "cut.7z")
    with py7zr.SevenZipFile(tmp_path / "secret.7z", "w", password="x") as archive:
        archive.writeall(animals, "animals")
    with pytest.raises(InputError, match="has a password"):
        load(tmp_path / "secret.7z")


def test_a_7z_without_its_package_gets_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "py7zr", None)
    (tmp_path / "a.7z").write_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(100))
    with pytest.raises(InputError, match=r"needs the package py7zr: pip install 'tl_widgets\[formats\]'"):
        load(tmp_path / "a.7z")


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
def test_members_that_must_not_be_read(animals, tmp_path, name):
    link = tarfile.TarInfo("animals/cats/link.png")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    pipe = tarfile.TarInfo("animals/cats/pipe.png")
    pipe.type = tarfile.FIFOTYPE
    names = ("../evil.png", "/etc/evil.png", "animals/../../evil.png", "C:/evil.png")
    members = [(link, b""), (pipe, b""), *((tarfile.TarInfo(name), png(50 + i)) for i, name in enumerate(names))]
    before = sorted(tmp_path.rglob("*"))
    report = load(packed(animals, tmp_path / name, members)).report
    assert report.n_read == 16
    assert dict(report.skipped) == {
        "animals/cats/link.png": "a link",
        "animals/cats/pipe.png": "not an ordinary file",
        **dict.fromkeys(names, "a name that points outside the archive"),
    }
    assert [path for path in sorted(tmp_path.rglob("*")) if path.suffix not in (".tar", ".gz")] == before


def test_an_archive_that_grows_too_much(animals, tmp_path, monkeypatch):
    path = packed(animals, tmp_path / "bomb.tar.gz", [(tarfile.TarInfo("animals/cats/x.png"), bytes(30_000_000))])
    with pytest.raises(InputError, match="would unpack to more than 10 MB"):
        load(path)
    monkeypatch.setattr(archives, "MAX_FILES", 9)
    with pytest.raises(InputError, match="more than 9 files"):
        load(packed(animals, tmp_path / "many.tar"))


def test_damaged_archives(animals, tmp_path):
    for name in ("a.tar", "a.tar.gz", "a.tar.bz2", "a.tar.xz"):
        whole = packed(animals, tmp_path / name).read_bytes()
        for cut in (whole[: len(whole) // 2], whole[:300], whole[:130] + b"x" * 40 + whole[170:]):
            (tmp_path / name).write_bytes(cut)
            with pytest.raises(InputError):
                load(tmp_path / name)
    (tmp_path / "text.gz").write_bytes(gzip.compress(b"hello"))
    (tmp_path / "text.bz2").write_bytes(bz2.compress(b"hello" * 1000))
    for name in ("text.gz", "text.bz2"):
        with pytest.raises(InputError, match="damaged archive"):
            load(tmp_path / name)


def test_a_header_that_says_it_is_huge(animals, tmp_path):
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 5_000_000
    (tmp_path / "a.tar").write_bytes(header.tobuf() + bytes(5_000_320))
    with pytest.raises(InputError, match="damaged archive"):
        load(tmp_path / "a.tar")


def test_files_that_are_called_like_archives(tmp_path):
    (tmp_path / "page.zip").write_bytes(b"<!DOCTYPE html><html>")
    (tmp_path / "x.rar").write_bytes(b"Rar!\x1a\x07\x01\0")
    for name, message in (("page.zip", "is a web page"), ("x.rar", "RAR archive.*Unpack it")):
        with pytest.raises(InputError, match=message):
            load(tmp_path / name)


# Further kinds of files


def closeness(data):
    return abs(decode_image(data, 32).astype(int) - np.asarray(picture(3).resize((32, 32))).astype(int)).mean()


def saved(kind, **options):
    data = io.BytesIO()
    picture(3).save(data, kind, **options)
    return data.getvalue()


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_avif():
    assert closeness(saved("AVIF", quality=95)) < 12


def test_heic_and_jpeg_xl():
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    assert closeness(saved("HEIF", quality=95)) < 12
    pytest.importorskip("pillow_jxl")
    assert closeness(saved("JXL", lossless=True)) < 12


def test_a_missing_plugin_is_named(monkeypatch):
    for module in ("pillow_heif", "pillow_jxl"):
        monkeypatch.setitem(sys.modules, module, None)
    heic, jpeg_xl = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", b"\xff\x0a123"
    for data, package in ((heic, "pillow-heif"), (jpeg_xl, "pillow-jxl-plugin")):
        with pytest.raises(UnreadableError, match=rf"needs the package {package} \(pip install 'tl_widgets\[form"):
            decode_image(data, 32)


def test_the_first_page_of_a_tiff_is_read_and_said(animals):
    picture(500).save(animals / "cats" / "scan.tif", save_all=True, append_images=[picture(501)])
    picture(502).save(animals / "cats" / "one.tif")
    dataset = load(animals)
    assert dataset.report.n_read == 18
    assert "TIFF files with several pages, of which the first is used: cats/scan.tif." in dataset.report.notes


# Names


def test_names_differ_by_their_unicode_form_only(tmp_path):
    for part, form, start in (("train", "NFC", 0), ("test", "NFD", 50)):
        for i, name in enumerate(("Äpfel", "Café")):
            fill(tmp_path / "x" / part / unicodedata.normalize(form, name), 5, start=start + 10 * i)
    dataset = load(tmp_path / "x", classes=[unicodedata.normalize("NFD", name) for name in ("Äpfel", "Café")])
    assert dataset.class_names == ("Café", "Äpfel")
    assert len(dataset.test) == 10
    (name,) = {name for name in dataset.report.files.values() if name.endswith("Café/10.png")}
    left_out = unicodedata.normalize("NFD", name)
    assert load(tmp_path / "x", edits=Edits(left_out=(left_out,))).report.n_read == 19
    archive = zipped(tmp_path / "x", tmp_path / "x.zip")
    assert all_keys(load(archive)) == all_keys(dataset)


def test_two_files_whose_names_become_one_are_both_read(tmp_path):
    fill(tmp_path / "dog", 4)
    for i, form in enumerate(("NFC", "NFD")):
        fill(tmp_path / unicodedata.normalize(form, "é"), 4, start=10 + 10 * i)
        for j in range(4):
            file = tmp_path / unicodedata.normalize(form, "é") / f"{10 + 10 * i + j}.png"
            file.rename(file.with_name(f"{j}.png"))
    n_folders = len(list(tmp_path.iterdir()))  # macOS keeps one
    assert load(tmp_path).report.n_read == (12 if n_folders == 3 else 8)


@pytest.mark.parametrize(
    ("names", "encoding"),
    [
        (("Äpfel", "Früchte"), "utf-8"), (("Äpfel", "Früchte"), "cp437"), (("smørbrød", "kål"), "cp850"),
        (("été", "forêt"), "cp1252"), (("кошка", "собака"), "cp866"), (("кошка", "собака"), "cp1251"),
        (("猫", "犬"), "cp932"), (("ねこ", "イヌ"), "cp932"), (("猫", "狗"), "gbk"), (("고양이", "강아지"), "cp949"),
        (("猫", "狗"), "utf-8"),
    ],
)  # fmt: skip
def test_names_of_a_zip_that_are_not_marked_as_unicode(tmp_path, names, encoding):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for label in range(2):
            for i in range(5):
                archive.writestr(f"{'XY'[label] * len(names[label].encode(encoding))}/{i}.png", png(10 * label + i))
    data = buffer.getvalue()
    for label, letter in enumerate(b"XY"):
        raw = names[label].encode(encoding)
        data = data.replace(bytes([letter]) * len(raw) + b"/", raw + b"/")
    (tmp_path / "old.zip").write_bytes(data)
    dataset = load(tmp_path / "old.zip")
    assert set(dataset.class_names) == set(names)
    guessed = [note for note in dataset.report.notes if "aren't in Unicode" in note]
    assert bool(guessed) == (encoding != "utf-8")
    assert all(encoding in note for note in guessed)


# Archives of which nothing can be read


def zip_of(animals, target, kind=zipfile.ZIP_STORED):
    with zipfile.ZipFile(target, "w", kind) as archive:
        for file in sorted(animals.rglob("*.png")):
            archive.write(file, file.relative_to(animals))
    return target


@pytest.mark.parametrize(("kind", "name"), [(zipfile.ZIP_LZMA, "LZMA"), (zipfile.ZIP_BZIP2, "bzip2"), (9, "Deflate64")])
def test_another_compression_is_named(animals, tmp_path, kind, name):
    archive = zip_of(animals, tmp_path / "x.zip", zipfile.ZIP_DEFLATED if kind == 9 else kind)
    if kind == 9:  # which no Python writes
        _with_method(archive, 9)
    with pytest.raises(InputError, match=f"16 files in .*x.zip are compressed with {name}.*Unpack it"):
        load(archive)


def test_passwords_of_both_kinds_are_named(animals, tmp_path):
    archive = zip_of(animals, tmp_path / "x.zip")
    _with_method(archive, 99)
    with pytest.raises(InputError, match="has a password: its 16 files are encrypted"):
        load(archive)


def _with_method(archive, method):
    """Write another compression method into the headers of a zip."""
    data = bytearray(archive.read_bytes())
    for mark, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        i = data.find(mark)
        while i >= 0:
            data[i + at] = method
            i = data.find(mark, i + 4)
    archive.write_bytes(data)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.zip", b"", "is empty: download"),
        ("x.zip", b"\n<!DOCTYPE html><p>virus scan", "a web page"),
        ("x.zip", b'<?xml version="1.0"?><Error><Code>AccessDenied', "a server's error message"),
        ("x.zip", b'{"message": "Not Found"}', "a server's error message"),
        ("x.zip", b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "git lfs pull"),
        ("x.zip.crdownload", b"PK\x03\x04...", "hasn't finished"),
        ("x.zip", bytes(3000), "whose end is missing"),
        ("x.zip.001", b"PK\x03\x04...", "one part of an archive"),
        ("x.zip", b"\x89PNG\r\n", "is one picture"),
        ("labels.csv", b"file,label\na.png,cat\n", "is a table. Give the folder"),
    ],
)
def test_what_is_called_or_taken_for_an_archive(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        load(tmp_path / name)


def test_archives_inside_and_links_are_said_first(animals, tmp_path):
    (tmp_path / "a").mkdir()
    zip_of(animals / "cats", tmp_path / "a" / "cats.zip")
    with pytest.raises(InputError, match=r"a holds an archive, cats.zip. Unpack it, or give only that: .*/a/cats.zip"):
        load(tmp_path / "a")
    zip_of(animals / "dogs", tmp_path / "a" / "dogs.zip")
    with pytest.raises(InputError, match=r"holds 2 archives: cats.zip; dogs.zip. Unpack each"):
        load(tmp_path / "a")
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as archive:
        archive.write(tmp_path / "a" / "cats.zip", "cats.zip")
    with pytest.raises(InputError, match=r"outer.zip holds an archive, cats.zip. Unpack it, or give only that\.$"):
        load(tmp_path / "outer.zip")


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_class_folders_that_are_links_are_named(animals, tmp_path):
    (tmp_path / "links").mkdir()
    for name in ("cats", "dogs"):
        (tmp_path / "links" / name).symlink_to(animals / name)
    with pytest.raises(InputError, match=r"are links to other places, which are not followed: cats; dogs. Copy"):
        load(tmp_path / "links")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_names_of_thousands_of_folders_take_no_memory(animals, tmp_path, kind):
    target = tmp_path / f"deep.{kind}"
    names = [f"{i}/" + "d/" * 30_000 + "x.png" for i in range(60)]
    if kind == "zip":
        zip_of(animals, target)
        with zipfile.ZipFile(target, "a") as archive:
            for name in names:
                archive.writestr(name, b"x")
    else:
        packed(animals, target, [(tarfile.TarInfo(name), b"x") for name in names])
    code = (
        "import sys; from pathlib import Path; from tl_widgets.data.folder import load_folder\n"
        "report = load_folder(sys.argv[1], image_size=32).report\n"
        "rows = Path('/proc/self/status').read_text().splitlines()\n"
        "print(report.n_read, len(report.summary), next(row.split()[1] for row in rows if 'VmHWM' in row))\n"
        "print(report.skipped[0][1])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(target)], capture_output=True, text=True, check=True)
    numbers, reason = done.stdout.splitlines()
    n_read, n_letters, peak = map(int, numbers.split())
    assert n_read == 16
    assert "characters; at most 1,000" in reason
    assert n_letters < 5_000
    assert peak < 300_000  # kB; it was 1.8 GB for one such name


def test_a_member_in_many_folders_is_left_out(animals, tmp_path):
    target = zip_of(animals, tmp_path / "x.zip")
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("cats/" + "d/" * 200 + "x.png", png(99))
        archive.writestr("cats/" + "d/" * 100 + "x.png", png(98))
    report = load(target).report
    assert report.n_read == 17
    assert "202 folders deep; at most 128" in report.skipped[0][1]
