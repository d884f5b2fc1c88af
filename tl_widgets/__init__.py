"""Learn transfer learning by measuring it.

Names load on first use: importing this package imports no TensorFlow.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from tl_widgets.backbone_results import BackboneCost, BackboneStudy
    from tl_widgets.backbones import Backbone, find_backbone, list_backbones
    from tl_widgets.builtin import list_datasets, load_dataset
    from tl_widgets.codegen import to_script
    from tl_widgets.cost import backbone_cost
    from tl_widgets.curves import learning_curve, time_study
    from tl_widgets.data import ImageDataset, Split
    from tl_widgets.dataset_checks import check_dataset
    from tl_widgets.efficientnet_lite import name_imagenet
    from tl_widgets.errors import InputError, WeightsUnavailableError
    from tl_widgets.events import Event
    from tl_widgets.experiments import compare
    from tl_widgets.filters import first_filters
    from tl_widgets.fine_tuning import fine_tune
    from tl_widgets.folder import load_folder
    from tl_widgets.heat_maps import grad_cam
    from tl_widgets.inside import look_inside
    from tl_widgets.inside_results import LookInside
    from tl_widgets.ledger import ParameterCount
    from tl_widgets.mistake_results import MistakeStudies, MistakeStudy
    from tl_widgets.mistakes import every_mistake, what_goes_wrong
    from tl_widgets.models import build_scratch, build_transfer, count_parameters
    from tl_widgets.plot_look import plot_features, plot_filters, plot_grad_cam, plot_inside
    from tl_widgets.plot_mistake_bars import plot_mistake, plot_mistakes
    from tl_widgets.plot_studies import plot_learning_curve, plot_time
    from tl_widgets.plot_survey import plot_backbone_study, plot_backbones, plot_imagenet
    from tl_widgets.plots import (
        plot_accuracy,
        plot_comparison,
        plot_confusion,
        plot_dataset,
        plot_parameters,
        plot_predictions,
        plot_recall,
        plot_seconds,
    )
    from tl_widgets.prediction import Prediction, predict
    from tl_widgets.report import to_report
    from tl_widgets.results import Comparison, RunResult
    from tl_widgets.saving import save_comparison
    from tl_widgets.settings import Config, FineTuningSpec, ScratchSpec
    from tl_widgets.setup_check import check_setup
    from tl_widgets.study_results import LearningCurve, TimeStudy
    from tl_widgets.survey import backbone_study
    from tl_widgets.training import train
    from tl_widgets.widgets.lab import TransferLab
    from tl_widgets.widgets.study_lab import StudyLab

_HOMES = {
    "cost": ("backbone_cost",),
    "backbone_results": ("BackboneCost", "BackboneStudy"),
    "survey": ("backbone_study",),
    "backbones": ("Backbone", "find_backbone", "list_backbones"),
    "builtin": ("list_datasets", "load_dataset"),
    "codegen": ("to_script",),
    "data": ("ImageDataset", "Split"),
    "dataset_checks": ("check_dataset",),
    "efficientnet_lite": ("name_imagenet",),
    "errors": ("InputError", "WeightsUnavailableError"),
    "events": ("Event",),
    "experiments": ("compare",),
    "fine_tuning": ("fine_tune",),
    "filters": ("first_filters",),
    "folder": ("load_folder",),
    "heat_maps": ("grad_cam",),
    "inside": ("look_inside",),
    "inside_results": ("LookInside",),
    "curves": ("learning_curve", "time_study"),
    "ledger": ("ParameterCount",),
    "mistake_results": ("MistakeStudies", "MistakeStudy"),
    "mistakes": ("every_mistake", "what_goes_wrong"),
    "models": ("build_scratch", "build_transfer", "count_parameters"),
    "plot_survey": ("plot_backbone_study", "plot_backbones", "plot_imagenet"),
    "plot_look": ("plot_features", "plot_filters", "plot_grad_cam", "plot_inside"),
    "plot_mistake_bars": ("plot_mistake", "plot_mistakes"),
    "plot_studies": ("plot_learning_curve", "plot_time"),
    "plots": (
        "plot_accuracy",
        "plot_comparison",
        "plot_confusion",
        "plot_dataset",
        "plot_parameters",
        "plot_predictions",
        "plot_recall",
        "plot_seconds",
    ),
    "prediction": ("Prediction", "predict"),
    "report": ("to_report",),
    "results": ("Comparison", "RunResult"),
    "saving": ("save_comparison",),
    "settings": ("Config", "FineTuningSpec", "ScratchSpec"),
    "setup_check": ("check_setup",),
    "study_results": ("LearningCurve", "TimeStudy"),
    "training": ("train",),
    "widgets.lab": ("TransferLab",),
    "widgets.study_lab": ("StudyLab",),
}
_NEED_TENSORFLOW = ("filters", "fine_tuning", "heat_maps", "inside", "mistakes", "models", "setup_check", "training")
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
        import_module("tl_widgets.tensorflow_import").import_tensorflow()
    value = getattr(import_module(f"tl_widgets.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
