"""EfficientNet-Lite0 to -Lite2: that their files are not trusted, and that their weights are the real ones."""

import io
import os
import pickle
import pickletools
import struct
import tempfile
from pathlib import Path

import numpy as np
import pytest

from tl_widgets.backbones import efficientnet_lite, imagenet, torch_reader as torch_file
from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.core.errors import InputError, WeightsUnavailableError

LITE = find_backbone("EfficientNetLite0")
FAMILY = LITE.family
NAMES = tuple(member.name for member in FAMILY.members)
WAS_HERE = Path(tempfile.gettempdir()) / f"tl_widgets_was_here_{os.getpid()}"  # one left by another run says nothing


def bundled_file(name="EfficientNetLite0"):
    return FAMILY.files[name].find(name)


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
    data = bundled_file().read_bytes()
    for length in (0, 100, 40_000, len(data) - 1):
        with pytest.raises(InputError, match="damaged"):
            torch_file.read_torch_weights(data[:length])


def test_altered_file_is_refused_before_unpickling(tmp_path, monkeypatch):
    data = bytearray(bundled_file().read_bytes())
    data[-1] ^= 1
    altered = tmp_path / "altered.pth"
    altered.write_bytes(data)
    monkeypatch.setattr(efficientnet_lite, "read_torch_weights", lambda _: pytest.fail("it was unpickled"))
    with pytest.raises(WeightsUnavailableError, match="altered"):
        FAMILY.load_arrays(LITE, altered)


def test_converted_once_and_cached(home, monkeypatch):
    path = bundled_file()
    first = FAMILY.load_arrays(LITE, path)
    assert sum(array.size for array in first.values()) == 4_694_024
    assert [file.name for file in (home / "weights").iterdir()] == ["efficientnet-lite0.npz"]
    monkeypatch.setattr(efficientnet_lite, "read_torch_weights", lambda _: pytest.fail("it was converted again"))
    second = FAMILY.load_arrays(LITE, path)
    assert list(first) == list(second)
    assert all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("damage", ["cut", "text", "other numbers"])
def test_a_damaged_cache_is_converted_anew(home, damage):
    path = bundled_file()
    good = FAMILY.load_arrays(LITE, path)
    cached = home / "weights" / "efficientnet-lite0.npz"
    if damage == "cut":
        cached.write_bytes(cached.read_bytes()[:100_000])
    elif damage == "text":
        cached.write_text("no weights at all")
    else:
        np.savez(cached, **{name: array + 1e-3 for name, array in good.items()})
    again = FAMILY.load_arrays(LITE, path)
    assert all(np.array_equal(good[name], again[name]) for name in good)


def test_a_home_that_cannot_be_written_costs_only_time(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TL_WIDGETS_HOME", str(tmp_path / "file"))  # a folder cannot be made in a file
    assert len(FAMILY.load_arrays(LITE, bundled_file())) == 247


def test_class_names():
    names = imagenet.imagenet_classes()
    assert len(names) == len({name.lower() for name in names}) == 1000
    # Spread over the list, so that a line too many anywhere shows.
    known = {0: "tench", 207: "golden retriever", 285: "Egyptian cat", 504: "coffee mug", 657: "missile"}
    known |= {817: "sports car", 967: "espresso", 999: "toilet tissue"}
    assert {i: names[i] for i in known} == known


@pytest.mark.parametrize("name", NAMES)
def test_names_what_it_sees(name):
    data = pytest.importorskip("skimage.data")
    [cat] = imagenet.name_imagenet(data.chelsea()[None], top=5, backbone=name)
    [coffee] = imagenet.name_imagenet(data.coffee()[None], top=3, backbone=name)
    [rocket] = imagenet.name_imagenet(data.rocket()[None], top=3, backbone=name)
    assert {name for name, _ in cat[:3]} == {"Egyptian cat", "tiger cat", "tabby"}
    assert coffee[0][0] == "espresso"
    assert coffee[0][1] > 0.5
    assert "missile" in {name for name, _ in rocket}  # ahead of it comes a drilling platform: the tower beside it
    probabilities = [probability for _, probability in cat]
    assert len(cat) == 5
    assert probabilities == sorted(probabilities, reverse=True)
    assert 0 < sum(probabilities) <= 1


@pytest.mark.parametrize(("name", "n_values"), [(NAMES[0], 4_694_024), (NAMES[1], 5_470_344), (NAMES[2], 6_150_168)])
def test_every_value_of_the_file_is_loaded_once(name, n_values):
    backbone, path = find_backbone(name), bundled_file(name)
    tensors = torch_file.read_torch_weights(path.read_bytes())
    arrays = FAMILY.load_arrays(backbone, path)
    n_in_file = sum(tensor.size for key, tensor in tensors.items() if not key.endswith("num_batches_tracked"))
    assert sum(array.size for array in arrays.values()) == n_in_file == n_values
    model = imagenet.build_classifier(backbone, 64)
    assert model.count_params() == n_values
    assert sum(array.size for array in model.get_weights()) == n_values
    assert model.name == name.lower()


def test_names_need_images_and_a_bundled_backbone():
    with pytest.raises(InputError, match=r"MobileNetV2 has no 1000-way top here.*EfficientNetLite2, SqueezeNet"):
        imagenet.name_imagenet(np.zeros((1, 64, 64, 3), np.uint8), backbone="MobileNetV2")
    with pytest.raises(InputError, match="uint8"):
        imagenet.name_imagenet(np.zeros((1, 64, 64, 3), np.float32))
    with pytest.raises(InputError, match="shape"):
        imagenet.name_imagenet(np.zeros((64, 64, 3), np.uint8))
