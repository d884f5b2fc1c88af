"""The bundled backbone: that its file is not trusted, and that its weights are the real ones."""

import io
import os
import pickle
import pickletools
import struct
import tempfile
from pathlib import Path

import numpy as np
import pytest

from tl_widgets.backbones import efficientnet_lite, torch_reader as torch_file
from tl_widgets.core.errors import InputError, WeightsUnavailableError

WAS_HERE = Path(tempfile.gettempdir()) / f"tl_widgets_was_here_{os.getpid()}"  # one left by another run says nothing


class Bomb:
    def __reduce__(self):
        return os.system, (f"touch {WAS_HERE}",)


def torch_bytes(state_pickle, keys=(), raw=b""):
    """A file in PyTorch's first format around the given pickled dictionary."""
    head = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({}, 2)
    return head + state_pickle + pickle.dumps(list(keys), 2) + raw


class TorchLikePickler(pickle.Pickler):
    """Writes a storage as PyTorch does: as a persistent id."""

    def persistent_id(self, obj):
        return obj if isinstance(obj, tuple) and obj[:1] == ("storage",) else None


def pickled_by_name(module, name, arguments):
    """`module.name(*arguments)` as a pickle, without the module having to exist."""
    buffer = io.BytesIO()
    TorchLikePickler(buffer, 2).dump(arguments)
    body = buffer.getvalue()[2:-1]  # between PROTO and STOP
    return b"\x80\x02c" + f"{module}\n{name}\n".encode() + body + b"R."


@pytest.mark.parametrize("broken_part", [0, 1])
def test_unpickler_refuses_code(broken_part):
    bomb = pickle.dumps(Bomb())
    data = bomb if broken_part == 0 else torch_bytes(pickle.dumps({"weight": Bomb()}))
    with pytest.raises(InputError, match=r"posix\.system|nt\.system"):
        torch_file.read_torch_weights(data)
    assert not WAS_HERE.exists()


@pytest.mark.parametrize(
    "name",
    [
        ("builtins", "eval"),
        ("torch", "load"),
        ("torch._utils", "_rebuild_parameter"),
        ("torch", "HalfStorage"),
    ],
)
def test_unpickler_refuses_every_other_name(name):
    data = torch_bytes(pickled_by_name(*name, ("1",)))
    with pytest.raises(InputError, match=rf"{name[0]}\.{name[1]}"):
        torch_file.read_torch_weights(data)


def test_unpickler_refuses_dotted_names_into_what_is_allowed():
    # Protocol 4 may ask for attributes of an allowed object: OrderedDict.fromkeys, say.
    data = pickle.dumps(0, 4)[:2] + b"\x8c\x0bcollections\x8c\x14OrderedDict.fromkeys\x93."
    pickletools.dis(data, out=io.StringIO())
    with pytest.raises(InputError, match="fromkeys"):
        torch_file.read_torch_weights(data)


def tensor_state(offset, shape, strides, size):
    storage = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x00kX\x03\x00\x00\x00cpu"
    storage += b"J" + struct.pack("<i", size) + b"NtQ"

    def ints(values):
        return b"(" + b"".join(b"J" + struct.pack("<i", value) for value in values) + b"t"

    rebuilt = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"J" + struct.pack("<i", offset)
    rebuilt += ints(shape) + ints(strides) + b"\x89Ntr"[:-1] + b"R"
    return b"\x80\x02}X\x01\x00\x00\x00w" + rebuilt + b"s."


def test_strides_and_offset_are_respected():
    numbers = np.arange(7, dtype="<f4")
    data = torch_bytes(tensor_state(1, (2, 3), (1, 2), 7), ["k"], struct.pack("<q", 7) + numbers.tobytes())
    read = torch_file.read_torch_weights(data)["w"]
    np.testing.assert_array_equal(read, [[1, 3, 5], [2, 4, 6]])


@pytest.mark.parametrize(("offset", "shape", "strides"), [(2, (2, 3), (1, 2)), (0, (9,), (1,)), (6, (2,), (-1,))])
def test_a_tensor_cannot_reach_outside_its_storage(offset, shape, strides):
    data = torch_bytes(tensor_state(offset, shape, strides, 7), ["k"], struct.pack("<q", 7) + bytes(28))
    with pytest.raises(InputError, match="damaged"):
        torch_file.read_torch_weights(data)


def test_a_cut_file_is_damaged():
    data = efficientnet_lite.bundled_file().read_bytes()
    for length in (0, 100, 40_000, len(data) - 1):
        with pytest.raises(InputError, match="damaged"):
            torch_file.read_torch_weights(data[:length])


def test_altered_file_is_refused_before_unpickling(tmp_path, monkeypatch):
    data = bytearray(efficientnet_lite.bundled_file().read_bytes())
    data[-1] ^= 1
    altered = tmp_path / "altered.pth"
    altered.write_bytes(data)
    monkeypatch.setattr(efficientnet_lite, "read_torch_weights", lambda _: pytest.fail("it was unpickled"))
    with pytest.raises(WeightsUnavailableError, match="altered"):
        efficientnet_lite.load_arrays(altered)


def test_converted_once_and_cached(home, monkeypatch):
    path = efficientnet_lite.bundled_file()
    first = efficientnet_lite.load_arrays(path)
    assert sum(array.size for array in first.values()) == 4_694_024
    assert [file.name for file in (home / "weights").iterdir()] == ["efficientnet-lite0.npz"]
    monkeypatch.setattr(efficientnet_lite, "read_torch_weights", lambda _: pytest.fail("it was converted again"))
    second = efficientnet_lite.load_arrays(path)
    assert list(first) == list(second)
    assert all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("damage", ["cut", "text", "other numbers"])
def test_a_damaged_cache_is_converted_anew(home, damage):
    path = efficientnet_lite.bundled_file()
    good = efficientnet_lite.load_arrays(path)
    cached = home / "weights" / "efficientnet-lite0.npz"
    if damage == "cut":
        cached.write_bytes(cached.read_bytes()[:100_000])
    elif damage == "text":
        cached.write_text("no weights at all")
    else:
        np.savez(cached, **{name: array + 1e-3 for name, array in good.items()})
    again = efficientnet_lite.load_arrays(path)
    assert all(np.array_equal(good[name], again[name]) for name in good)


def test_a_home_that_cannot_be_written_costs_only_time(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TL_WIDGETS_HOME", str(tmp_path / "file"))  # a folder cannot be made in a file
    assert len(efficientnet_lite.load_arrays(efficientnet_lite.bundled_file())) == 247


def test_class_names():
    names = efficientnet_lite.imagenet_classes()
    assert len(names) == len({name.lower() for name in names}) == 1000
    # Spread over the list, so that a line too many anywhere shows.
    known = {0: "tench", 207: "golden retriever", 285: "Egyptian cat", 504: "coffee mug", 657: "missile"}
    known |= {817: "sports car", 967: "espresso", 999: "toilet tissue"}
    assert {i: names[i] for i in known} == known


def test_names_what_it_sees():
    data = pytest.importorskip("skimage.data")
    [cat] = efficientnet_lite.name_imagenet(data.chelsea()[None], top=5)
    [coffee] = efficientnet_lite.name_imagenet(data.coffee()[None], top=3)
    assert {name for name, _ in cat[:3]} == {"Egyptian cat", "tiger cat", "tabby"}
    assert coffee[0][0] == "espresso"
    assert coffee[0][1] > 0.5
    probabilities = [probability for _, probability in cat]
    assert len(cat) == 5
    assert probabilities == sorted(probabilities, reverse=True)
    assert 0 < sum(probabilities) <= 1


def test_names_need_images():
    with pytest.raises(InputError, match="uint8"):
        efficientnet_lite.name_imagenet(np.zeros((1, 64, 64, 3), np.float32))
    with pytest.raises(InputError, match="shape"):
        efficientnet_lite.name_imagenet(np.zeros((64, 64, 3), np.uint8))
