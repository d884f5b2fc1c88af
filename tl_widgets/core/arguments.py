"""One check for each kind of argument, chosen by the argument's annotation.

    @checked
    def plot_time(study: TimeStudy, *, ax: Axes | None = None) -> Axes:

rejects everything that isn't a `TimeStudy` with a sentence that names `study`. An annotation that `KINDS` doesn't list
is left to the function.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from tl_widgets.core.errors import InputError
from tl_widgets.core.paths import user_path
from tl_widgets.core.setting_kinds import real_number, whole_number
from tl_widgets.core.text import any_of, is_text, shown
from tl_widgets.core.translation import _

Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")


@dataclass(frozen=True)
class ArgumentKind:
    """A kind of argument.

    Attributes:
        fits: returns whether a value is of this kind, or raises InputError for one of the right type.
        description: what the argument must be, with an example.
    """

    fits: Callable[[str, object], bool]
    description: str


def _a(class_name: str, package: str = "tl_widgets") -> Callable[[str, object], bool]:
    """Return a test for a class, by its name: its module need not be imported for that."""

    def fits(_name: str, value: object) -> bool:
        return any(c.__name__ == class_name and c.__module__.partition(".")[0] == package for c in type(value).__mro__)

    return fits


def _runs(name: str, value: object) -> bool:
    one = _a("RunResult")
    return _a("Comparison")(name, value) or one(name, value) or (
        isinstance(value, tuple) and bool(value) and all(one(name, item) for item in value)
    )  # fmt: skip


def _path(name: str, value: object) -> bool:
    return isinstance(value, str | os.PathLike) and bool(user_path(value, name))


def _text(_name: str, value: object) -> bool:
    return is_text(value)


def _several(check: Callable[[str, object], bool]) -> Callable[[str, object], bool]:
    def fits(name: str, value: object) -> bool:
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
            return False
        # To look at an iterator's items would use them up.
        return isinstance(value, range | Iterator) or all(check(name, item) for item in value)

    return fits


def _number(name: str, value: object) -> bool:
    real_number(name, value)
    return True


def _whole(name: str, value: object) -> bool:
    whole_number(name, value)
    return True


_DATASET = _("an ImageDataset, such as load_dataset('textures') or load_folder('my_photos')")
_COMPARISON = _("a Comparison, such as the result of compare(dataset)")
_NAMES = _("names in a list, such as ['cat', 'dog']")
_PATH = ArgumentKind(_path, _("the path of a file or folder"))
_IMAGES = ArgumentKind(_a("ndarray", "numpy"), _("an array of images, such as dataset.test.images"))
KINDS: dict[str, ArgumentKind] = {
    "None": ArgumentKind(lambda _, value: value is None, "None"),
    "bool": ArgumentKind(lambda _, value: isinstance(value, bool), _("True or False")),
    "int": ArgumentKind(_whole, _("a whole number")),
    "float": ArgumentKind(_number, "a number"),
    "str": ArgumentKind(_text, "text"),
    "str | PathLike[str]": _PATH,
    "str | os.PathLike[str]": _PATH,
    "Sequence[str]": ArgumentKind(_several(_text), _NAMES),
    "Sequence[int]": ArgumentKind(_several(_whole), _("whole numbers in a list, such as [0, 1, 2]")),
    "NDArray[np.uint8]": _IMAGES,
    "IndexedImages": ArgumentKind(_a("IndexedImages"), _("those of a data set")),
    "Mapping[str, Any]": ArgumentKind(
        lambda _, value: isinstance(value, Mapping), _("a dictionary of values by name, such as {'epochs': 5}")
    ),
    "OnEvent": ArgumentKind(lambda _, value: callable(value), _("a function of one Event, such as print")),
    "Cancel": ArgumentKind(_a("Event", "threading"), "a threading.Event"),
    "Axes": ArgumentKind(_a("Axes", "matplotlib"), _("Matplotlib's Axes, such as figure.subplots()")),
    "keras.Model": ArgumentKind(_a("Model", "keras"), _("a keras.Model, such as build_scratch((96, 96, 3), 3)")),
    "Result": ArgumentKind(
        _runs, _("{comparison}, or one of its models, such as comparison.scratch", comparison=_COMPARISON)
    ),
    **{
        name: ArgumentKind(_a(name), description)
        for name, description in {
            "ImageDataset": _DATASET,
            "Comparison": _COMPARISON,
            "RunResult": _("a RunResult, such as comparison.transfer"),
            "Config": _("a Config, such as Config(epochs=5)"),
            "ScratchSpec": _("a ScratchSpec, such as ScratchSpec(filters=(16, 32), kernel_sizes=(3, 3))"),
            "FineTuningSpec": _("a FineTuningSpec, such as FineTuningSpec(n_blocks=1)"),
            "BackboneStudy": _("a BackboneStudy, such as the result of backbone_study(dataset)"),
            "Calibration": _("a Calibration, such as the result of calibration(dataset)"),
            "DepthStudy": _("a DepthStudy, such as the result of depth_study(dataset)"),
            "HeadStudy": _("a HeadStudy, such as the result of head_study(dataset)"),
            "LearningCurve": _("a LearningCurve, such as the result of learning_curve(dataset)"),
            "LabelNoise": _("a LabelNoise, such as the result of label_noise(dataset)"),
            "SizeStudy": _("a SizeStudy, such as the result of size_study(dataset)"),
            "StressTest": _("a StressTest, such as the result of stress_test(dataset)"),
            "TunedOpponent": _("a TunedOpponent, such as the result of tuned_opponent(dataset)"),
            "OverfittingCures": _("an OverfittingCures, such as the result of overfitting_cures(dataset)"),
            "TimeStudy": _("a TimeStudy, such as the result of time_study(dataset)"),
            "LookInside": _("a LookInside, such as the result of look_inside(comparison, dataset)"),
            "MistakeStudy": _("a MistakeStudy, such as the result of what_goes_wrong(mistake='raw pixels')"),
            "MistakeStudies": _("a MistakeStudies, such as the result of every_mistake()"),
            "LabSettings": _("LabSettings, such as LabSettings(dataset='faces')"),
            "StudySettings": _("StudySettings, such as StudySettings('data')"),
            "Edits": _("Edits, such as leave_out_copies(dataset)"),
            "ResolvedWeights": _("weights that were resolved"),
            "RunCache": "a RunCache",
        }.items()
    },
}


def checked(function: Callable[Parameters, Returned]) -> Callable[Parameters, Returned]:
    """Check the arguments of a public function before it runs.

    Raises:
        InputError: an argument is of the wrong kind; the message names it, and says what it must be.
    """
    signature = inspect.signature(function)
    kinds = {name: _kinds_of(parameter.annotation) for name, parameter in signature.parameters.items()}

    @functools.wraps(function)
    def call(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Returned:
        for name, value in signature.bind(*args, **kwargs).arguments.items():
            check_argument(name, value, kinds[name])
        return function(*args, **kwargs)

    return call


def check_argument(name: str, value: object, kinds: tuple[ArgumentKind, ...]) -> None:
    """Raise InputError unless `value` is of one of the kinds; without any, it isn't checked."""
    reasons: list[InputError] = []
    for kind in kinds:
        try:
            if kind.fits(name, value):
                return
        except InputError as error:
            reasons.append(error)
    if reasons:
        raise reasons[0]
    if kinds:
        described = any_of([kind.description for kind in kinds])
        raise InputError(
            _("{name} must be {described}; received {value}.", name=name, described=described, value=shown(value))
        )


def _kinds_of(annotation: object) -> tuple[ArgumentKind, ...]:
    """Return the kinds of an annotation; () if one of its parts isn't known."""
    if not isinstance(annotation, str):  # `self` has none
        return ()
    kinds = []
    for path in ("str | PathLike[str]", "str | os.PathLike[str]"):
        if annotation.startswith(path):
            kinds, annotation = [_PATH], annotation[len(path) :].lstrip(" |")
    parts = [part for part in annotation.split(" | ") if part]
    return (*kinds, *(KINDS[part] for part in parts)) if all(part in KINDS for part in parts) else ()
