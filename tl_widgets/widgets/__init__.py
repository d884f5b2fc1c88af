"""The Lab, and the parts that it is made of: settings, a panel of controls, and views of what comes out."""

from tl_widgets.widgets.camera import CameraView
from tl_widgets.widgets.code import CodeView
from tl_widgets.widgets.lab import TransferLab
from tl_widgets.widgets.panel import ControlPanel
from tl_widgets.widgets.predictions import PredictionsView
from tl_widgets.widgets.runs import LabRun
from tl_widgets.widgets.settings import LabSettings
from tl_widgets.widgets.study_lab import StudyLab
from tl_widgets.widgets.study_settings import StudySettings
from tl_widgets.widgets.views import FigureView, LedgerView

__all__ = [
    "CameraView",
    "CodeView",
    "ControlPanel",
    "FigureView",
    "LabRun",
    "LabSettings",
    "LedgerView",
    "PredictionsView",
    "StudyLab",
    "StudySettings",
    "TransferLab",
]
