"""CountPanel: move blocks, filters and kernel sizes, and see at once what they come to."""

from __future__ import annotations

from tl_widgets.core.config import Config, ScratchSpec
from tl_widgets.core.model_name import ModelName
from tl_widgets.records.parameters import ParameterCount, count_rows, scratch_ledger
from tl_widgets.teaching.plain import PlainBox
from tl_widgets.widgets.lab.panel import ControlPanel
from tl_widgets.widgets.shared.settings import LabSettings
from tl_widgets.widgets.shared.views import LedgerView


class CountPanel(PlainBox):
    """Controls of a network from scratch, with its layers and their parameters beside them. Nothing is trained.

    Args:
        spec: the network that is shown first.
        image_size: side of its images in pixels.
    """

    def __init__(self, spec: ScratchSpec | None = None, *, image_size: int = 128) -> None:
        settings = LabSettings("faces", image_size, config=Config(scratch=spec or ScratchSpec()))
        names = ["image_size", "blocks", "filters", "kernel_sizes", "pooling", "head", "dense_units"]
        self.panel = ControlPanel(settings, show=names)
        self.ledger = LedgerView([ModelName.SCRATCH])
        self.panel.follow(self.ledger.show_settings)
        text = "Controls for blocks, filters and kernel sizes, with the parameter count (needs a live notebook)"
        super().__init__([self.panel, self.ledger], text)

    @property
    def spec(self) -> ScratchSpec:
        """The network that the controls show."""
        return self.panel.settings.config.scratch

    @property
    def count(self) -> ParameterCount:
        """Its parameters, with one sigmoid unit at the end."""
        size = self.panel.settings.image_size
        return count_rows(scratch_ledger((size, size, 3), 2, self.spec))
