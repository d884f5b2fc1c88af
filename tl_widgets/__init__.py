"""Learn transfer learning by measuring it.

Names load on first use: importing this package imports no TensorFlow.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tl_widgets.core.version import __version__ as __version__

if TYPE_CHECKING:
    from tl_widgets.backbones.catalogue import find_backbone, list_backbones
    from tl_widgets.backbones.efficientnet_lite import name_imagenet
    from tl_widgets.backbones.family import Backbone
    from tl_widgets.core.config import Config, FineTuningSpec, ScratchSpec
    from tl_widgets.core.errors import InputError, WeightsUnavailableError
    from tl_widgets.core.events import Event
    from tl_widgets.data.catalogue import list_datasets, load_dataset
    from tl_widgets.data.dataset import ImageDataset, Split
    from tl_widgets.data.folder import load_folder
    from tl_widgets.data.quality import check_dataset
    from tl_widgets.experiments.comparison import compare
    from tl_widgets.experiments.prediction import Prediction, predict
    from tl_widgets.export.report import to_report
    from tl_widgets.export.saving import save_comparison
    from tl_widgets.export.script import to_script
    from tl_widgets.models.builders import build_scratch, build_transfer, count_parameters
    from tl_widgets.plots.comparison import (
        plot_accuracy,
        plot_comparison,
        plot_confusion,
        plot_dataset,
        plot_parameters,
        plot_predictions,
        plot_recall,
        plot_seconds,
    )
    from tl_widgets.records.comparison import Comparison, RunResult
    from tl_widgets.records.parameters import ParameterCount
    from tl_widgets.setup_checks.check import check_setup
    from tl_widgets.studies.backbones.cost import backbone_cost
    from tl_widgets.studies.backbones.figure import plot_backbone_study, plot_backbones, plot_imagenet
    from tl_widgets.studies.backbones.measurement import backbone_study
    from tl_widgets.studies.backbones.result import BackboneCost, BackboneStudy
    from tl_widgets.studies.inside.figure import plot_features, plot_filters, plot_grad_cam, plot_inside
    from tl_widgets.studies.inside.first_filters import first_filters
    from tl_widgets.studies.inside.grad_cam import grad_cam
    from tl_widgets.studies.inside.measurement import look_inside
    from tl_widgets.studies.inside.result import LookInside
    from tl_widgets.studies.learning_curve.figure import plot_learning_curve
    from tl_widgets.studies.learning_curve.measurement import learning_curve
    from tl_widgets.studies.learning_curve.result import LearningCurve
    from tl_widgets.studies.mistake.figure import plot_mistake, plot_mistakes
    from tl_widgets.studies.mistake.measurement import every_mistake, what_goes_wrong
    from tl_widgets.studies.mistake.result import MistakeStudies, MistakeStudy
    from tl_widgets.studies.time.figure import plot_time
    from tl_widgets.studies.time.measurement import time_study
    from tl_widgets.studies.time.result import TimeStudy
    from tl_widgets.training.fine_tuning import fine_tune
    from tl_widgets.training.loop import train
    from tl_widgets.widgets.lab.app import TransferLab
    from tl_widgets.widgets.studies.app import StudyLab

_HOMES = {
    "studies.backbones.cost": ("backbone_cost",),
    "studies.backbones.result": ("BackboneCost", "BackboneStudy"),
    "studies.backbones.measurement": ("backbone_study",),
    "backbones.catalogue": ("find_backbone", "list_backbones"),
    "backbones.family": ("Backbone",),
    "data.catalogue": ("list_datasets", "load_dataset"),
    "export.script": ("to_script",),
    "data.dataset": ("ImageDataset", "Split"),
    "data.quality": ("check_dataset",),
    "backbones.efficientnet_lite": ("name_imagenet",),
    "core.errors": ("InputError", "WeightsUnavailableError"),
    "core.events": ("Event",),
    "experiments.comparison": ("compare",),
    "training.fine_tuning": ("fine_tune",),
    "studies.inside.first_filters": ("first_filters",),
    "data.folder": ("load_folder",),
    "studies.inside.grad_cam": ("grad_cam",),
    "studies.inside.measurement": ("look_inside",),
    "studies.inside.result": ("LookInside",),
    "studies.learning_curve.figure": ("plot_learning_curve",),
    "studies.learning_curve.measurement": ("learning_curve",),
    "studies.learning_curve.result": ("LearningCurve",),
    "studies.time.figure": ("plot_time",),
    "studies.time.measurement": ("time_study",),
    "studies.time.result": ("TimeStudy",),
    "records.parameters": ("ParameterCount",),
    "studies.mistake.result": ("MistakeStudies", "MistakeStudy"),
    "studies.mistake.measurement": ("every_mistake", "what_goes_wrong"),
    "models.builders": ("build_scratch", "build_transfer", "count_parameters"),
    "studies.backbones.figure": ("plot_backbone_study", "plot_backbones", "plot_imagenet"),
    "studies.inside.figure": ("plot_features", "plot_filters", "plot_grad_cam", "plot_inside"),
    "studies.mistake.figure": ("plot_mistake", "plot_mistakes"),
    "plots.comparison": (
        "plot_accuracy",
        "plot_comparison",
        "plot_confusion",
        "plot_dataset",
        "plot_parameters",
        "plot_predictions",
        "plot_recall",
        "plot_seconds",
    ),
    "experiments.prediction": ("Prediction", "predict"),
    "export.report": ("to_report",),
    "records.comparison": ("Comparison", "RunResult"),
    "export.saving": ("save_comparison",),
    "core.config": ("Config", "FineTuningSpec", "ScratchSpec"),
    "setup_checks.check": ("check_setup",),
    "training.loop": ("train",),
    "widgets.lab.app": ("TransferLab",),
    "widgets.studies.app": ("StudyLab",),
}
_NEED_TENSORFLOW = (
    "studies.inside.first_filters",
    "training.fine_tuning",
    "studies.inside.grad_cam",
    "studies.inside.measurement",
    "studies.mistake.measurement",
    "models.builders",
    "setup_checks.check",
    "training.loop",
)
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [  # a plain list, so that type checkers and editors see it
    "Backbone",
    "BackboneCost",
    "BackboneStudy",
    "Comparison",
    "Config",
    "Event",
    "FineTuningSpec",
    "ImageDataset",
    "InputError",
    "LearningCurve",
    "LookInside",
    "MistakeStudies",
    "MistakeStudy",
    "ParameterCount",
    "Prediction",
    "RunResult",
    "ScratchSpec",
    "Split",
    "StudyLab",
    "TimeStudy",
    "TransferLab",
    "WeightsUnavailableError",
    "backbone_cost",
    "backbone_study",
    "build_scratch",
    "build_transfer",
    "check_dataset",
    "check_setup",
    "compare",
    "count_parameters",
    "every_mistake",
    "find_backbone",
    "fine_tune",
    "first_filters",
    "grad_cam",
    "learning_curve",
    "list_backbones",
    "list_datasets",
    "load_dataset",
    "load_folder",
    "look_inside",
    "name_imagenet",
    "plot_accuracy",
    "plot_backbone_study",
    "plot_backbones",
    "plot_comparison",
    "plot_confusion",
    "plot_dataset",
    "plot_features",
    "plot_filters",
    "plot_grad_cam",
    "plot_imagenet",
    "plot_inside",
    "plot_learning_curve",
    "plot_mistake",
    "plot_mistakes",
    "plot_parameters",
    "plot_predictions",
    "plot_recall",
    "plot_seconds",
    "plot_time",
    "predict",
    "save_comparison",
    "time_study",
    "to_report",
    "to_script",
    "train",
    "what_goes_wrong",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'tl_widgets' has no attribute {name!r}")
    if _HOME_OF[name] in _NEED_TENSORFLOW:
        import_module("tl_widgets.core.lazy_tensorflow").import_tensorflow()
    value = getattr(import_module(f"tl_widgets.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
