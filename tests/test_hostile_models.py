"""Weights and records that somebody else made: nothing in them is run, and each mistake gets a sentence."""

import contextlib
import io
import json
import pickle
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from rich.console import Console
from tiny import registered

from tl_widgets import Comparison, Config, InputError, RunResult, build_transfer, load_dataset, to_script
from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.backbones.loading import build_backbone
from tl_widgets.backbones.weights import ResolvedWeights, resolve_weights
from tl_widgets.cli.compare import _print
from tl_widgets.data.catalogue import find_dataset
from tl_widgets.records.comparison import Diagnosis, Environment, History, Verdict
from tl_widgets.records.parameters import ParameterCount

RANDOM = ResolvedWeights("random", None, None, "random")


class Bomb:
    """Unpickled, it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@pytest.fixture(scope="module", autouse=True)
def tiny_backbone():
    """Files of weights are read in the same way for every backbone; three layers are the fastest to build."""
    with registered():
        yield


@pytest.fixture
def good(tmp_path):
    """A backbone without top, saved by Keras as a whole model."""
    model = build_backbone(find_backbone("TinyNet"), (32, 32, 3), RANDOM)
    model.save(tmp_path / "good.keras")
    return tmp_path / "good.keras"


def rewritten(path, name, **members):
    """A copy of a .keras file with other members (a dot in a name is written "__")."""
    copy = path.with_name(name)
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as target:
        changed = {key.replace("__", "."): value for key, value in members.items()}
        for member in source.namelist():
            target.writestr(member, changed.pop(member, None) or source.read(member))
        for member, content in changed.items():
            target.writestr(member, content)
    return copy


def transfer(weights):
    return build_transfer((32, 32, 3), 2, backbone="TinyNet", weights=weights)


def test_a_keras_record_that_asks_for_code_is_only_read_for_its_weights(good, tmp_path):
    made = tmp_path / "made"
    evil_lambda = {
        "class_name": "Lambda",
        "config": {"function": {"class_name": "__lambda__", "config": {"code": "x"}}},
    }
    evil_layer = {"module": "pathlib", "class_name": "Path", "registered_name": "Path", "config": {"path": str(made)}}
    evil_call = {"module": "os", "class_name": "system", "config": f"touch {made}"}
    for config in (evil_lambda, evil_layer, evil_call):
        text = json.dumps({"module": "keras", "class_name": "Sequential", "config": {"layers": [config]}})
        path = rewritten(
            good,
            "evil.keras",
            config__json=text,
            metadata__json='{"keras_version": "99"}',
            **{"assets/x__pkl": pickle.dumps(Bomb(made))},
        )
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("../outside.txt", "x")
        model, reference = transfer(path), transfer(good)
        for one, other in zip(model.get_weights()[:-2], reference.get_weights()[:-2], strict=True):
            np.testing.assert_array_equal(one, other)
        assert not made.exists()
        assert not (tmp_path.parent / "outside.txt").exists()


def test_a_legacy_file_that_asks_for_code_is_refused_and_runs_nothing(tmp_path):
    path, made = tmp_path / "old.h5", tmp_path / "made"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Lambda", "config": {"function": f"touch {made}"}})
        file.attrs["training_config"] = pickle.dumps(Bomb(made)).hex()
        file["model_weights/dense/kernel"] = np.zeros((3, 3), np.float32)
    with pytest.raises(InputError, match="does not fit TinyNet"):
        transfer(path)
    assert not made.exists()


@pytest.mark.parametrize("name", ["w.weights.h5", "w.h5", "w.keras"])
@pytest.mark.parametrize("content", ["pickle", "zip of a pickle"])
def test_a_pickle_instead_of_weights(tmp_path, name, content):
    made = tmp_path / "made"
    data = pickle.dumps(Bomb(made))
    if content != "pickle":
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:  # PyTorch's format
            archive.writestr("archive/data.pkl", data)
        data = file.getvalue()
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match="named like a Keras weights file"):
        transfer(tmp_path / name)
    assert not made.exists()


def test_a_pickle_inside_a_keras_file(good, tmp_path):
    path = rewritten(good, "p.keras", model__weights__h5=pickle.dumps(Bomb(tmp_path / "made")))
    with pytest.raises(InputError, match="does not fit TinyNet"):
        transfer(path)
    assert not (tmp_path / "made").exists()


def test_weights_of_another_model(good, within):
    with within(40), pytest.raises(InputError, match=r"does not fit MobileNet:.*file that belongs to MobileNet"):
        build_transfer((32, 32, 3), 2, backbone="MobileNet", weights=good)


def test_weights_that_grow_without_end(good, within):
    with within(40), pytest.raises(InputError, match="grow far too much"):
        transfer(rewritten(good, "bomb.keras", model__weights__h5=bytes(20_000_000)))


def test_weights_that_lie_in_another_file(tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"my password!" * 3)
    with h5py.File(tmp_path / "w.weights.h5", "w") as file:
        file.create_dataset("kernel", (9,), np.float32, external=[(str(secret), 0, 36)])
    with pytest.raises(InputError, match="other files"):
        transfer(tmp_path / "w.weights.h5")


def test_damaged_weights_are_read_right_or_rejected_with_a_sentence(good, tmp_path):
    tiny = find_backbone("TinyNet")
    build_backbone(tiny, (32, 32, 3), RANDOM).save_weights(tmp_path / "good.weights.h5")
    random = np.random.default_rng(0)
    n_rejected = 0
    for i in range(240):
        source = good if i % 2 else tmp_path / "good.weights.h5"
        data = bytearray(source.read_bytes())
        start = int(random.integers(len(data) - 64))
        match i // 2 % 4:
            case 0:
                data = data[:start]
            case 1:
                for place in random.integers(0, len(data), 8):
                    data[place] = random.integers(256)
            case 2:
                data[start : start + 64] = bytes(64)
            case 3:
                data[start : start + 4] = np.float32([np.nan, np.inf, -np.inf][i % 3]).tobytes()
        path = tmp_path / f"bad{''.join(source.suffixes)}"
        path.write_bytes(data)
        try:
            loaded = build_backbone(
                find_backbone("TinyNet"), (32, 32, 3), resolve_weights(find_backbone("TinyNet"), path)
            )
        except InputError:
            n_rejected += 1
        else:
            assert all(np.isfinite(weight).all() for weight in loaded.get_weights())
    assert 60 < n_rejected < 240


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_no_finite_numbers_are_rejected(good, tmp_path, bad):
    model = build_backbone(find_backbone("TinyNet"), (32, 32, 3), RANDOM)
    weights = model.get_weights()
    weights[0].flat[5] = bad
    model.set_weights(weights)
    model.save_weights(tmp_path / "bad.weights.h5")
    with pytest.raises(InputError, match="NaN or infinite"):
        transfer(tmp_path / "bad.weights.h5")


def record():
    """A good record, small."""
    run = {
        "params": ParameterCount(3, 4),
        "labels": (0, 1, 2),
        "predictions": (0, 1, 1),
        "class_names": ("a", "b", "c"),
    }
    run |= {"history": History((1.0,), (0.5,), (1.0,), (0.5,), (0.1,)), "probabilities": ((0.2, 0.3, 0.5),) * 3}
    run["diagnoses"] = (Diagnosis("overfitting", "It over-fits.", "More images."),)
    verdict = Verdict("Nobody won.", "", 0.1, (0.0, 0.2), 0.5)
    summary = find_dataset("textures").summary(image_size=32)
    runs = (RunResult("scratch", **run), RunResult("transfer", backbone="EfficientNetLite0", **run), None)
    comparison = Comparison(summary, Config(), *runs, verdict, Environment("3", "2", "3", "1", 2))
    return json.loads(comparison.to_json())


def places(value, path=()):
    """The path of everything in a record."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


HOSTILE = (None, True, -1, 10**30, 1e308, "<script>alert(1)</script>", "../../etc/passwd", [], {}, [[1]], [-7], ["x"])


def test_any_value_anywhere_in_a_record_is_understood_or_refused():
    paths, text = [path for path in places(record()) if path], json.dumps(record())
    dataset = load_dataset(image_size=32, n_per_class=2)
    n_refused = n_read = 0
    for path in paths:
        for value in HOSTILE:
            changed = json.loads(text)
            parent = changed
            for key in path[:-1]:
                parent = parent[key]
            parent[path[-1]] = value
            try:
                comparison = Comparison.from_json(json.dumps(changed))
            except InputError:
                n_refused += 1
                continue
            n_read += 1
            # What was read can be used: shown, written, counted.
            for run in comparison.runs:
                assert run.confusion_matrix.sum() == len(run.labels)
                assert run.per_class
            Comparison.from_json(comparison.to_json())
            _print(Console(file=io.StringIO(), markup=False), comparison, dataset)
            with contextlib.suppress(InputError):  # no such backbone or data set
                compile(to_script(comparison), "script", "exec")
    assert n_refused > 500
    assert n_read > 200


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "3", '"x"', "{" * 5000, "[" * 200_000, '{"format": 1}', "\x80\x04.", "NaN", '{"format": 1e999}'],
    ids=range(11),
)
def test_what_is_no_record(text):
    with pytest.raises(InputError, match="record") as error:
        Comparison.from_json(text)
    assert len(str(error.value)) < 500


def test_a_whole_number_does_for_a_float_and_infinity_is_kept():
    changed = record()
    changed["scratch"]["history"]["loss"] = [1, "inf"]
    changed["config"]["learning_rate"] = 1
    comparison = Comparison.from_json(json.dumps(changed))
    assert comparison.scratch.history.loss == (1, float("inf"))
