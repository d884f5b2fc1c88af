"""The public names, each with the module it lives in; `__init__.py` loads them on first use."""

from .backbones.catalogue import find_backbone as find_backbone, list_backbones as list_backbones
from .backbones.family import Backbone as Backbone
from .backbones.imagenet import name_imagenet as name_imagenet
from .core.config import Config as Config, FineTuningSpec as FineTuningSpec, ScratchSpec as ScratchSpec
from .core.errors import InputError as InputError, WeightsUnavailableError as WeightsUnavailableError
from .core.events import Event as Event
from .data.alike import keep_together as keep_together, leave_out_copies as leave_out_copies
from .data.catalogue import list_datasets as list_datasets, load_dataset as load_dataset
from .data.dataset import ImageDataset as ImageDataset, Split as Split
from .data.folder import load_folder as load_folder
from .data.quality import check_dataset as check_dataset
from .experiments.comparison import compare as compare
from .experiments.prediction import Prediction as Prediction, predict as predict
from .export.exporting import export_model as export_model
from .export.networks import plot_networks as plot_networks
from .export.report import to_report as to_report
from .export.saving import save_comparison as save_comparison
from .export.script import to_script as to_script
from .models.builders import (
    build_scratch as build_scratch,
    build_transfer as build_transfer,
    count_parameters as count_parameters,
)
from .plots.comparison import (
    plot_accuracy as plot_accuracy,
    plot_comparison as plot_comparison,
    plot_confusion as plot_confusion,
    plot_dataset as plot_dataset,
    plot_parameters as plot_parameters,
    plot_predictions as plot_predictions,
    plot_recall as plot_recall,
    plot_seconds as plot_seconds,
)
from .records.comparison import Comparison as Comparison, RunResult as RunResult
from .records.export import ExportReport as ExportReport
from .records.parameters import ParameterCount as ParameterCount
from .setup_checks.check import check_setup as check_setup
from .setup_checks.prediction import check_prediction as check_prediction
from .studies.backbones.figure import (
    plot_backbone_study as plot_backbone_study,
    plot_backbones as plot_backbones,
    plot_imagenet as plot_imagenet,
)
from .studies.backbones.measurement import backbone_cost as backbone_cost, backbone_study as backbone_study
from .studies.backbones.result import BackboneCost as BackboneCost, BackboneStudy as BackboneStudy
from .studies.calibration.figure import plot_calibration as plot_calibration
from .studies.calibration.measurement import calibration as calibration
from .studies.calibration.result import Calibration as Calibration
from .studies.cures.figure import plot_cures as plot_cures
from .studies.cures.measurement import overfitting_cures as overfitting_cures
from .studies.cures.result import OverfittingCures as OverfittingCures
from .studies.depth.figure import plot_depth as plot_depth
from .studies.depth.measurement import depth_study as depth_study
from .studies.depth.result import DepthStudy as DepthStudy
from .studies.heads.figure import plot_heads as plot_heads
from .studies.heads.measurement import head_study as head_study
from .studies.heads.result import HeadStudy as HeadStudy
from .studies.image_size.figure import plot_size_study as plot_size_study
from .studies.image_size.measurement import size_study as size_study
from .studies.image_size.result import SizeStudy as SizeStudy
from .studies.inside.figure import (
    plot_features as plot_features,
    plot_filters as plot_filters,
    plot_grad_cam as plot_grad_cam,
    plot_inside as plot_inside,
)
from .studies.inside.grad_cam import grad_cam as grad_cam
from .studies.inside.measurement import first_filters as first_filters, look_inside as look_inside
from .studies.inside.result import LookInside as LookInside
from .studies.label_noise.figure import plot_label_noise as plot_label_noise
from .studies.label_noise.measurement import label_noise as label_noise
from .studies.label_noise.result import LabelNoise as LabelNoise
from .studies.learning_curve.figure import plot_learning_curve as plot_learning_curve
from .studies.learning_curve.measurement import learning_curve as learning_curve
from .studies.learning_curve.result import LearningCurve as LearningCurve
from .studies.mistake.figure import plot_mistake as plot_mistake, plot_mistakes as plot_mistakes
from .studies.mistake.measurement import every_mistake as every_mistake, what_goes_wrong as what_goes_wrong
from .studies.mistake.result import MistakeStudies as MistakeStudies, MistakeStudy as MistakeStudy
from .studies.opponent.figure import plot_tuned_opponent as plot_tuned_opponent
from .studies.opponent.measurement import tuned_opponent as tuned_opponent
from .studies.opponent.result import TunedOpponent as TunedOpponent
from .studies.stress.figure import plot_stress as plot_stress
from .studies.stress.measurement import stress_test as stress_test
from .studies.stress.result import StressTest as StressTest
from .studies.time.figure import plot_time as plot_time
from .studies.time.result import TimeStudy as TimeStudy, time_study as time_study
from .training.fine_tuning import fine_tune as fine_tune
from .training.loop import train as train
from .widgets.lab.app import TransferLab as TransferLab
from .widgets.studies.app import StudyLab as StudyLab

__version__: str
