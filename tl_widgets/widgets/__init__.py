"""The Lab, and the parts that it is made of: settings, a panel of controls, and views of what comes out."""

from tl_widgets.widgets.images.camera import CameraView
from tl_widgets.widgets.lab.app import TransferLab
from tl_widgets.widgets.lab.code import CodeView
from tl_widgets.widgets.lab.panel import ControlPanel
from tl_widgets.widgets.lab.predictions import PredictionsView
from tl_widgets.widgets.lab.runs import LabRun
from tl_widgets.widgets.shared.settings import LabSettings
from tl_widgets.widgets.shared.views import FigureView, LedgerView
from tl_widgets.widgets.studies.app import StudyLab
from tl_widgets.widgets.studies.settings import StudySettings

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
