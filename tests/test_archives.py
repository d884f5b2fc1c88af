"""Archives besides zip: tar, tar.gz, tgz, tar.bz2, tar.xz and 7z, and what is wrong with some."""

import bz2
import gzip
import io
import sys
import tarfile

import numpy as np
import pytest
from helpers import fill, picture, png
from PIL import features
from test_folder import all_keys, load

from tl_widgets.core.errors import InputError
from tl_widgets.data import archives
from tl_widgets.data.decode import UnreadableError, decode_image


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
