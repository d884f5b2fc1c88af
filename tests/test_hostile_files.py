"""Files made to harm, or just broken: each gets a sentence, and nothing is run, filled or written outside."""

import io
import os
import stat
import struct
import subprocess
import sys
import zipfile
from importlib.util import find_spec

import numpy as np
import pytest
from helpers import huge_png, png
from PIL import Image

from tl_widgets.core.errors import InputError
from tl_widgets.data import archives as sources
from tl_widgets.data.folder import load_folder


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "images"
    for label, name in enumerate(("a", "b")):
        (root / name).mkdir(parents=True)
        for i in range(4):
            (root / name / f"{i}.png").write_bytes(png(10 * label + i))
    return root


@pytest.fixture
def archive(tmp_path):
    """A function that makes a zip of 8 good images and what else it is given."""

    def make(*more, name="images.zip"):
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as opened:
            for label, folder in enumerate(("a", "b")):
                for i in range(4):
                    opened.writestr(f"{folder}/{i}.png", png(10 * label + i))
            for member, data in more:
                opened.writestr(member, data)
        return tmp_path / name

    return make


def reasons(path):
    """Load, expect the 8 good images, and return why the others were not read."""
    report = load_folder(path, image_size=32).report
    assert report.n_read == 8
    return dict(report.skipped)


def jpeg():
    data = io.BytesIO()
    Image.open(io.BytesIO(png(99, 200))).save(data, "JPEG")
    return data.getvalue()


BROKEN = [
    ("empty.jpg", b"", "empty"),
    ("page.jpg", b"\n<!DOCTYPE html><html><script>alert(1)</script></html>", "a web page"),
    ("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
    ("drawing2.png", b'<?xml version="1.0"?><!-- hm --><svg/>', "an SVG drawing"),
    ("data.xml", b'<?xml version="1.0"?><a/>', "an XML file"),
    ("paper.jpg", b"%PDF-1.7", "a PDF document"),
    ("inner.zip", b"PK\x03\x04....", "a zip file"),
    ("phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC" if not find_spec("pillow_heif") else "damaged"),
    ("notes.txt", b"just words", "not an image of a kind that is read"),
    ("script.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(ls) run", "not an image of a kind"),
    ("cut.jpg", jpeg()[:2000], "cut short"),
    ("cut.png", png(98)[:400], "cut short"),
    ("flipped.png", png(97)[:60] + bytes(40) + png(97)[100:], "damaged"),
    ("lfs.jpg", b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 5\n", "git lfs pull"),
    ("film.mp4", b"\0\0\0\x20ftypisom\0\0\2\0", "a video"),
    ("old.jp2", b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    ("array.npy", b"\x93NUMPY\1\0", "a NumPy array"),
    ("50000.png", huge_png(50_000, 50_000), "megapixels allowed"),
    ("12000.png", huge_png(12_000, 12_000), "12,000 x 12,000 pixels, more than the 120 megapixels"),
]


@pytest.mark.parametrize(("name", "data", "reason"), BROKEN, ids=[row[0] for row in BROKEN])
def test_a_broken_file_is_skipped_with_its_reason(folder, archive, name, data, reason):
    (folder / "a" / name).write_bytes(data)
    found = reasons(folder)
    assert list(found) == [f"a/{name}"]
    assert reason in found[f"a/{name}"]
    assert reason in reasons(archive((f"a/{name}", data)))[f"a/{name}"]


def test_a_class_of_broken_files_says_why(folder):
    for file in (folder / "b").iterdir():
        file.write_bytes(b"<html>")
    with pytest.raises(InputError, match=r"'b' .* 0 usable images.*b/0.png \(a web page.* and 1 more"):
        load_folder(folder)


def test_any_flipped_byte_is_an_image_or_a_reason(folder):
    rng = np.random.default_rng(0)
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"):
        whole = io.BytesIO()
        Image.open(io.BytesIO(png(5))).save(whole, kind)
        for i in range(25):
            data = bytearray(whole.getvalue())
            for place in rng.integers(0, min(len(data), 300), 4):
                data[place] = rng.integers(256)
            (folder / "a" / f"{kind}{i}.bin").write_bytes(data)
    report = load_folder(folder, image_size=32).report
    assert report.n_read + len(report.skipped) + len(report.duplicates) == 8 + 150
    assert all(reason for _, reason in report.skipped)


def test_names_that_lead_out_of_the_archive(archive, tmp_path):
    names = ["../evil.png", "a/../../evil.png", "/etc/evil.png", "C:/evil.png", "a\\..\\..\\other.png"]
    before = sorted(p for p in tmp_path.rglob("*"))
    found = reasons(archive(*[(name, png(50 + i)) for i, name in enumerate(names)]))
    assert len(found) == 5
    assert set(found.values()) == {"a name that points outside the archive"}
    assert sorted(p for p in tmp_path.rglob("*") if p.suffix != ".zip") == before
    assert not (tmp_path.parent / "evil.png").exists()


def test_links_in_an_archive(archive):
    link = zipfile.ZipInfo("a/link.png")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert reasons(archive((link, "/etc/passwd"))) == {"a/link.png": "a link"}


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_links_in_a_folder(folder, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(png(77))
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "x.png").write_bytes(png(78))
    (folder / "a" / "out.png").symlink_to(secret)
    (folder / "a" / "more").symlink_to(tmp_path / "more")
    (folder / "a" / "nowhere.png").symlink_to(tmp_path / "nothing")
    (folder / "a" / "circle").symlink_to(folder / "a" / "circle")
    (folder / "a" / "up").symlink_to(folder)
    (folder / "a" / "copy.png").symlink_to(folder / "a" / "0.png")  # inside: a file like any other
    os.mkfifo(folder / "a" / "pipe.png")
    report = load_folder(folder, image_size=32).report
    assert report.n_read == 8
    assert dict(report.skipped) == {
        "a/out.png": "a link to a place outside the folder",
        "a/more": "a link to a place outside the folder",
        "a/nowhere.png": "a broken link",
        "a/circle": "a broken link",
        "a/up": "a link to a folder, which is not followed",
        "a/pipe.png": "not an ordinary file",
    }
    assert report.duplicates == (("a/copy.png", "a/0.png"),)


def test_a_member_that_grows_a_thousandfold(archive):
    bomb = bytes(20_000_000)
    assert "times when unpacked" in reasons(archive(("a/bomb.png", bomb)))["a/bomb.png"]


def test_a_file_too_large_for_an_image(folder):
    with (folder / "a" / "long.png").open("wb") as file:
        file.truncate(sources.MAX_FILE_BYTES + 1)
    assert "more than the 100 MB allowed" in reasons(folder)["a/long.png"]


def test_an_archive_that_lies_about_sizes(archive):
    path = archive(("a/liar.png", bytes(3_000_000)))
    data = bytearray(path.read_bytes())
    at = data.index(b"a/liar.png", data.index(b"PK\x01\x02")) - 46
    struct.pack_into("<L", data, at + 24, 100)  # the size that the table of contents gives
    path.write_bytes(data)
    assert "a/liar.png" in reasons(path)


def test_an_archive_that_would_unpack_to_too_much(archive, monkeypatch):
    path = archive()
    monkeypatch.setattr(sources, "MAX_UNPACKED_BYTES", 10_000)
    with pytest.raises(InputError, match="would unpack to"):
        load_folder(path)


def test_more_files_than_allowed(archive, folder, monkeypatch):
    path = archive()
    monkeypatch.setattr(sources, "MAX_FILES", 7)
    for where in (path, folder):
        with pytest.raises(InputError, match="contains more than 7 files"):
            load_folder(where)


def test_a_huge_table_of_contents(tmp_path):
    path = tmp_path / "x.zip"
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65535, 65535, 200_000_000, 0, 0)
    path.write_bytes(bytes(1000) + end)
    with pytest.raises(InputError, match="table of contents of 200 MB"):
        sources._require_small_directory(path, "x.zip")
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, 300_000_000, 0)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65535, 65535, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    path.write_bytes(bytes(1000) + end64 + bytes(20) + end)
    with pytest.raises(InputError, match="table of contents of 300 MB"):
        sources._require_small_directory(path, "x.zip")


def test_a_damaged_archive(archive, tmp_path):
    whole = archive().read_bytes()
    end = whole.rindex(b"PK\x05\x06")
    torn = tmp_path / "torn.zip"
    torn.write_bytes(whole[: end // 2] + whole[end:])
    with pytest.raises(InputError, match="damaged zip archive"):
        load_folder(torn)
    (tmp_path / "cut.zip").write_bytes(whole[: end // 2])
    with pytest.raises(InputError, match="zip archive whose end is missing"):
        load_folder(tmp_path / "cut.zip")


def test_a_damaged_member(archive):
    path = archive(("a/bad.png", png(60)))
    data = bytearray(path.read_bytes())
    at = data.index(b"a/bad.png") + 200
    data[at : at + 50] = bytes(50)
    path.write_bytes(data)
    assert "damaged" in reasons(path)["a/bad.png"]


def test_a_member_with_a_password_or_an_unusual_compression(archive):
    path = archive(("a/x.png", png(60)))
    data = bytearray(path.read_bytes())
    at = data.index(b"a/x.png", data.index(b"PK\x01\x02")) - 46
    struct.pack_into("<H", data, at + 8, 1)
    path.write_bytes(data)
    assert reasons(path) == {"a/x.png": "password-protected"}
    with zipfile.ZipFile(path, "a", zipfile.ZIP_LZMA) as opened:
        opened.writestr("a/y.png", png(61))
    assert "unsupported method" in reasons(path)["a/y.png"]


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="this system allows UTF-8 names only")
def test_names_that_are_no_utf8_and_control_characters(folder):
    (folder / "b").rename(folder / os.fsdecode(b"caf\xe9"))
    for name in (b"\xff\xfe.png", b"new\nline\x1b[31m.png"):
        (folder / "a" / os.fsdecode(name)).write_bytes(b"bad")
    dataset = load_folder(folder, image_size=32)
    assert dataset.class_names == ("a", "caf\\xe9")
    assert {name for name, _ in dataset.report.skipped} == {"a/\\xff\\xfe.png", "a/new\\nline\\x1b[31m.png"}
    dataset.report.summary.encode()  # can be printed
    assert load_folder(folder, image_size=32).report == dataset.report


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(folder):
    (folder / "a" / "locked.png").write_bytes(png(60))
    (folder / "a" / "locked.png").chmod(0)
    assert "cannot be read" in reasons(folder)["a/locked.png"]


def test_a_deep_tree(folder):
    deep = folder / "a"
    for _ in range(100):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (deep / "x.png").write_bytes(png(60))
    assert load_folder(folder, image_size=32).report.n_read == 9


@pytest.mark.slow
def test_thirty_thousand_tiny_files(folder):
    for i in range(30_000):
        (folder / "a" / f"tiny{i}").write_bytes(b"x")
    report = load_folder(folder, image_size=32).report
    assert report.n_read == 8
    assert len(report.skipped) == 30_000
    assert len(report.summary) < 1000


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_largest_image_allowed_is_decoded_in_bounded_memory(folder):
    Image.new("RGBA", (10_000, 10_000), (1, 2, 3, 100)).save(folder / "a" / "large.png", compress_level=1)
    Image.new("RGBA", (10_000, 10_000), (3, 2, 1, 100)).save(folder / "a" / "large2.png", compress_level=1)
    code = (
        "import sys; from pathlib import Path; from tl_widgets.data.folder import load_folder\n"
        "print(load_folder(sys.argv[1], image_size=32).report.n_read)\n"
        "rows = Path('/proc/self/status').read_text().splitlines()\n"
        "print(next(row.split()[1] for row in rows if 'VmHWM' in row))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    n_read, peak = map(int, done.stdout.split())
    assert n_read == 10
    assert peak < 1_000_000  # kB: one at a time, though there are several threads


@pytest.mark.parametrize(
    ("shape", "dtype", "reason"),
    [
        ((20, 20, 5), np.uint8, "a TIFF with 5 channels: save the one or the three"),
        ((20, 20, 12), np.uint16, "a TIFF with 12 channels"),
        ((20, 20, 2), np.uint16, "a TIFF with 2 channels"),
        ((20, 20, 3), np.float32, "a TIFF with 32-bit floating-point values"),
        ((20, 20), np.float64, "a TIFF with 64-bit floating-point values"),
        ((20, 20), np.float32, "floating-point values"),
    ],
)
def test_a_tiff_of_another_kind_is_explained(folder, shape, dtype, reason):
    tifffile = pytest.importorskip("tifffile")
    planes = {"planarconfig": "contig"} if len(shape) == 3 else {}
    kind = "rgb" if shape[2:] == (3,) else "minisblack"
    values = np.random.default_rng(0).integers(0, 200, shape).astype(dtype)
    tifffile.imwrite(folder / "a" / "x.tif", values, photometric=kind, **planes)
    assert reason in reasons(folder)["a/x.tif"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("size", [(12_000, 9_000), (16_320, 12_240)])
def test_a_photograph_of_108_or_200_megapixels_is_read_in_bounded_memory(folder, size):
    code = (
        "import sys; from pathlib import Path; from tl_widgets.data.decode import decode_image\n"
        "image = decode_image(Path(sys.argv[1]).read_bytes(), 32)\n"
        "rows = Path('/proc/self/status').read_text().splitlines()\n"
        "print(image[0, 0].tolist(), next(row.split()[1] for row in rows if 'VmHWM' in row))"
    )
    Image.new("RGB", size, (200, 100, 50)).save(folder / "x.jpg")
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder / "x.jpg")], capture_output=True, text=True, check=True
    )
    color, _, peak = done.stdout.rpartition(" ")
    assert color == "[200, 100, 50]"
    assert int(peak) < 300_000  # kB
