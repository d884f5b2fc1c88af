"""Whatever a learner can get wrong in Python ends in one sentence that says what was received and what is allowed."""

import inspect
import threading
from pathlib import Path

import numpy as np
import pytest

import tl_widgets as tl
from tl_widgets.core.config import Config, ScratchSpec
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.data.dataset import ImageDataset, Split
from tl_widgets.records.comparison import Comparison
from tl_widgets.studies.registry import STUDIES, read_study


@pytest.fixture(scope="module")
def textures():
    return load_dataset("textures", image_size=32, n_per_class=4)


@pytest.mark.parametrize(
    "arguments",
    [
        {"epochs": "10"},
        {"epochs": 2.5},
        {"epochs": True},
        {"epochs": 0},
        {"batch_size": "16"},
        {"batch_size": 0},
        {"learning_rate": "0.1"},
        {"learning_rate": float("nan")},
        {"learning_rate": 0},
        {"seed": None},
        {"seed": -1},
        {"augment": 1.5},
        {"head_dropout": "a"},
        {"control": "yes"},
        {"weights": 3},
        {"weights": b"x"},
        {"backbone": None},
        {"scratch": {"filters": (8,)}},
        {"scratch": ()},
        {"weights": None, "control": True},
        {"n_jobs": 0, "repeats": 2},
        {"n_jobs": "two"},
    ],
    ids=str,
)
def test_compare_refuses_with_a_sentence(textures, arguments):
    with pytest.raises(InputError) as caught:
        tl.compare(textures, **arguments)
    assert next(iter(arguments)) in str(caught.value) or "control" in str(caught.value)


@pytest.mark.parametrize("dataset", ["textures", None, 3])
def test_compare_wants_a_data_set(dataset):
    with pytest.raises(InputError, match="load_dataset"):
        tl.compare(dataset)


@pytest.mark.parametrize(
    "arguments",
    [
        {"filters": 4},
        {"filters": ("a",)},
        {"filters": "12"},
        {"dense_units": None},
        {"dense_units": 2.5},
        {"dropout": "a"},
    ],
    ids=str,
)
def test_a_network_of_other_things_than_numbers_is_refused(arguments):
    with pytest.raises(InputError, match="received"):
        tl.build_scratch((32, 32, 3), 3, **arguments)


@pytest.mark.parametrize("arguments", [("x", 3), ((32, 32), 3), (32, 3), ((32, 32, 3), "3"), ((32, 32, 3), 1)], ids=str)
def test_shapes_and_classes_are_checked(arguments):
    for build in (tl.build_scratch, tl.build_transfer):
        with pytest.raises(InputError, match=r"received|at least 2"):
            build(*arguments)


def test_numbers_of_numpy_are_as_good_as_pythons():
    config = Config(epochs=np.int64(3), learning_rate=np.float32(0.5), scratch=ScratchSpec(filters=np.array([4, 8, 8])))
    assert config == Config(epochs=3, learning_rate=0.5, scratch=ScratchSpec(filters=(4, 8, 8)))
    assert type(config.epochs) is int
    assert type(config.learning_rate) is float


def pixels(n, size=16):
    return np.random.default_rng(n).integers(0, 256, (n, size, size, 3), np.uint8)


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (pixels(4).astype(np.float32), np.zeros(4, int)),
        (pixels(4), np.zeros(3, int)),
        (pixels(4), np.zeros(4)),
        (pixels(4), [0, 1, 0, 1]),
        (pixels(4)[..., 0], np.zeros(4, int)),
        ("images", np.zeros(4, int)),
    ],
)
def test_a_split_of_something_else_is_refused(images, labels):
    with pytest.raises(InputError, match="received"):
        Split(images, labels)


def test_nobody_can_change_the_images_of_a_split():
    images = pixels(4)
    split = Split(images, np.arange(4) % 2)
    key = split.keys[0]
    images[:] = 0
    assert split.images.any()
    with pytest.raises(ValueError, match="read-only"):
        split.images[0] = 0
    assert Split(split.images, split.labels).keys[0] == key


def test_a_read_only_view_of_images_that_can_change_is_copied():
    memory = bytearray(pixels(8))
    whole = np.frombuffer(memory, np.uint8).reshape(pixels(8).shape)
    view = whole[2:]
    view.flags.writeable = False
    splits = [Split(images, np.zeros(len(images), int)) for images in (view, view[1:], view[::2])]
    before = [split.images.copy() for split in splits]
    memory[:] = bytes(len(memory))
    for split, images in zip(splits, before, strict=True):
        np.testing.assert_array_equal(split.images, images)
    constant = np.frombuffer(bytes(memory), np.uint8).reshape(whole.shape)
    assert np.shares_memory(Split(constant, np.zeros(8, int)).images, constant)  # no copy is needed


def three(train, validation, test):
    return ImageDataset("mine", train, validation, test, ("a", "b"))


def test_data_sets_that_cannot_be_compared_are_refused():
    good = Split(pixels(6), np.arange(6) % 2)
    empty = Split(pixels(6)[:0], np.zeros(0, int))
    with pytest.raises(InputError, match="validation split of mine is empty"):
        tl.compare(three(good, empty, good))
    with pytest.raises(InputError, match="same size"):
        tl.compare(three(good, good, Split(pixels(6, 20), np.arange(6) % 2)))
    with pytest.raises(InputError, match="run from 0 to 2"):
        tl.compare(three(good, good, Split(pixels(6), np.arange(6) % 3)))
    with pytest.raises(InputError, match="'b' has none"):
        tl.compare(three(Split(pixels(6), np.zeros(6, int)), good, good))


def test_train_wants_a_model_with_probabilities(textures):
    import keras

    with pytest.raises(InputError, match=r"keras\.Model"):
        tl.train(None, textures)
    stack = [keras.layers.Input(textures.image_shape), keras.layers.Flatten(), keras.layers.Dense(3)]
    with pytest.raises(InputError, match="softmax"):
        tl.train(keras.Sequential(stack), textures)


@pytest.mark.parametrize("path", [None, 3, b"x"])
def test_a_folder_is_a_path(path):
    with pytest.raises(InputError, match="received"):
        tl.load_folder(path)


RECORDS = Path(__file__).parent / "data" / "records"
GOOD = {
    "BackboneStudy": "backbones",
    "Calibration": "sure",
    "Comparison": "compare_all",
    "Result": "compare_all",
    "DepthStudy": "depth",
    "HeadStudy": "heads",
    "LearningCurve": "data",
    "LabelNoise": "noise",
    "LookInside": "inside",
    "MistakeStudies": "mistakes",
    "MistakeStudy": "mistake",
    "SizeStudy": "size",
    "OverfittingCures": "cures",
    "StressTest": "stress",
    "TimeStudy": "time",
    "TunedOpponent": "opponent",
}
COMPARISON = Comparison.from_json((RECORDS / "compare_all.json").read_text())


class Odd:
    def __repr__(self):
        raise ValueError


ODD = (None, True, -1, 10**30, 10**5000, 0.5, float("nan"), "", "x\ud800", "x\0y", "y" * 5000, b"x", [], {}, (), [None],
       [[1]], {1: 2}, Odd(), print, np.zeros(3), np.zeros((0, 0, 0, 3), np.uint8), "~nobody-here/x")  # fmt: skip
EXPLAIN_THEMSELVES = ("check_setup", "check_prediction")  # which take models and images of any kind
PUBLIC = [name for name in tl.__all__ if name not in EXPLAIN_THEMSELVES and name[0].islower()]


@pytest.fixture(scope="module")
def arguments_of(textures):
    """What a function needs at least, by its annotations."""
    import keras

    model = keras.Sequential([keras.layers.Input((32, 32, 3)), keras.layers.Conv2D(2, 3), keras.layers.Flatten(),
                              keras.layers.Dense(3, "softmax")])  # fmt: skip
    known = {kind: read_study((RECORDS / f"{file}.json").read_text(), tuple(STUDIES))[1] for kind, file in GOOD.items()}
    known |= {"ImageDataset": textures, "keras.Model": model, "str": "MobileNetV2", "int": 3}
    known |= {
        "tuple[int, int, int]": (32, 32, 3),
        "str | PathLike[str]": "/nowhere",
        "str | os.PathLike[str]": "/nowhere",
    }
    known |= {"NDArray[Any]": textures.test.images[0], "NDArray[np.uint8]": textures.test.images[:2]}
    known |= {"NDArray[np.uint8] | IndexedImages": textures.test.images, "ImageDataset | Comparison": textures}
    known["Comparison | RunResult"] = COMPARISON
    known["str | PathLike[str] | bytes | NDArray[np.uint8]"] = textures.test.images[0]
    stopped = threading.Event()
    stopped.set()

    def arguments(function):
        parameters = inspect.signature(function).parameters
        needed = {name: known[p.annotation] for name, p in parameters.items() if p.default is p.empty}
        return needed | ({"cancel": stopped} if "cancel" in parameters else {})

    return arguments


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", PUBLIC)
def test_an_argument_of_a_wrong_kind_is_named_in_a_sentence(name, arguments_of, home, here):
    function = getattr(tl, name)
    needed = arguments_of(function)
    for argument in inspect.signature(function).parameters:
        for value in ODD:
            if argument == "cancel" and value is None:
                continue  # the default, which would run the whole study
            try:
                function(**needed | {argument: value})
            except InputError as error:
                assert len(str(error)) < 1200  # noqa: PT017
            except TypeError as error:
                assert argument in str(error)  # noqa: PT017
            except CancelledError:
                pass
    with pytest.raises((TypeError, InputError), match="nonsense"):
        function(**needed, nonsense=1)


@pytest.mark.parametrize(
    ("slip", "said"),
    [
        (lambda data: tl.plot_comparison(COMPARISON.scratch), "comparison must be a Comparison.*received RunResult"),
        (lambda data: tl.plot_dataset(COMPARISON), "dataset must be an ImageDataset.*load_dataset"),
        (lambda data: tl.check_dataset("textures"), "dataset must be an ImageDataset.*received 'textures'"),
        (lambda data: tl.load_dataset(classes=3), r"classes must be names in a list.*\['cat', 'dog'\].*received 3"),
        (lambda data: tl.name_imagenet(None), "images"),
        (lambda data: tl.build_scratch((32, 32, 3), 3, seed=None), "seed must be a whole number.*received None"),
        (lambda data: tl.plot_time(data), "study must be a TimeStudy, such as the result of time_study"),
        (lambda data: tl.compare(data, on_event="print"), "on_event must be a function of one Event"),
        (lambda data: tl.compare(ImageDataset("mine", *[data.train] * 3, 3)), "class_names of a data set must be"),
        (lambda data: tl.compare(ImageDataset("mine", 1, 2, 3, ("a", "b"))), "train of a data set must be a Split"),
        (lambda data: tl.Comparison.from_json(Path("x.json")), r"it is PosixPath\('x.json'\), not text"),
        (
            lambda data: tl.TransferLab("x" * 10**6),
            r"takes your own ImageDataset.*received 'x{150,200}\.\.\.",
        ),
        (lambda data: tl.TransferLab(settings=3), "settings of a Lab .it is 3, not text"),
        (lambda data: tl.TransferLab(data).restore(3), "settings must be LabSettings.*received 3"),
        (lambda data: setattr(tl.TransferLab(data), "settings", 3), "settings must be LabSettings.*received 3"),
        (
            lambda data: tl.TransferLab(data).settings.with_values(3),
            "values must be a dictionary.*received 3",
        ),
        (lambda data: tl.StudyLab("data", values=3), "values must be a dictionary of values by name.*received 3"),
    ],
)
def test_a_slip_of_the_pen_is_explained(textures, slip, said):
    with pytest.raises(InputError, match=said):
        slip(textures)
