"""ExportFields, in the tab Save: which model of a run becomes a file for other programs, and how."""

from __future__ import annotations

import os
from pathlib import Path

from ipywidgets import Button, Checkbox, Dropdown, Text, VBox

from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, OnEvent
from tl_widgets.core.html import Markup, join
from tl_widgets.core.model_name import heading_of
from tl_widgets.core.numbers import size_text
from tl_widgets.core.text import printable
from tl_widgets.core.translation import _, pgettext
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.export.programs import PAGE, pack_command, serve_command
from tl_widgets.records.comparison import Comparison
from tl_widgets.records.export import ExportReport
from tl_widgets.widgets.shared.fields import STYLE, row
from tl_widgets.widgets.shared.files import file_link, free_folder

_FORMATS = (
    (_("a web page with a camera"), "web"),
    (_("TFLite, for phones"), "tflite"),
    ("ONNX", "onnx"),
    (_("SavedModel, for TensorFlow"), "saved_model"),
)


class ExportFields(VBox):
    """The fields of an export; `export` does it."""

    def __init__(self) -> None:
        self.model = Dropdown(description=_("Model"), style=STYLE)
        self.format = Dropdown(options=_FORMATS, description=_("Format"), style=STYLE)
        self.int8 = _tick(_("8-bit integers"), _("A quarter of the size; calibrated with training images"))
        self.anyway = _tick(
            _("Write it even if it disagrees"),
            _(
                "By default, an export that disagrees with its original on more than 0.5% of the test images isn't "
                "written"
            ),
        )
        self.folder = Text("transfer-learning-export", description=_("Export's folder"), style=STYLE)
        self.button = Button(description=pgettext("button", "Export"), icon="share")
        self.fields = (self.model, self.format, self.int8, self.anyway, self.folder, self.button)
        super().__init__([row(self.model, self.format, self.folder), row(self.int8, self.anyway, self.button)])

    def show(self, comparison: Comparison) -> None:
        """Offer the models of a comparison."""
        chosen = self.model.value
        names = [run.name for run in comparison.runs]
        self.model.options = [(heading_of(run.name), run.name) for run in comparison.runs]
        self.model.value = chosen if chosen in names else "transfer" if "transfer" in names else names[0]

    def export(
        self, comparison: Comparison, dataset: ImageDataset | None, on_event: OnEvent, cancel: Cancel
    ) -> tuple[Path, ExportReport]:
        """Write the chosen model into a new folder beside the notebook."""
        from tl_widgets.export.exporting import export_model

        if dataset is None:
            raise InputError(
                _("The images of this run aren't here, and the export has to be tested on them. Train again first.")
            )
        folder = free_folder(self.folder.value.strip())
        report = export_model(
            comparison,
            self.format.value,
            folder,
            dataset=dataset,
            model=self.model.value,
            int8=self.int8.value,
            anyway=self.anyway.value,
            on_event=on_event,
            cancel=cancel,
        )
        return folder, report


def _tick(label: str, tip: str) -> Checkbox:
    """Return a checkbox as wide as its label."""
    return Checkbox(False, description=label, tooltip=tip, indent=False, style=STYLE, layout={"width": "auto"})


def exported_html(folder: Path, report: ExportReport) -> Markup:
    """Return HTML that says what was written, and the proof."""
    name = printable(str(folder))
    # JupyterLab shows a page without its scripts, so a link to it would lead nowhere.
    files = join(
        Markup("<li><b>{}</b> <small>{}</small></li>").format(
            file if file == PAGE else file_link(folder / file, file),
            size_text(max(1_000, (folder / file).stat().st_size), kilobytes=True),
        )
        for file in report.files
        if (folder / file).is_file()
    )
    written = Markup(_("Written into the folder <b>{name}</b> beside the notebook.")).format(name=name)
    proof = join(Markup("<li>{}</li>").format(sentence) for sentence in report.sentences[1:])
    return Markup(
        '<div role="status"><p><b>{}</b></p><p>{}</p>{}<ul class="tlw-notes">{}</ul><ul class="tlw-notes">{}</ul></div>'
    ).format(report.headline, written, _serving(folder.absolute()) if report.kind == "web" else "", files, proof)


def _serving(folder: Path) -> Markup:
    """Return HTML that says how to open the page."""
    code = Markup("<code>{}</code>")
    run = Markup(_("In a terminal, run {command}, and open http://localhost:8000.")).format(
        command=code.format(serve_command(folder))
    )
    if "JUPYTERHUB_API_URL" not in os.environ:
        return Markup("<p>{}</p>").format(run)
    pack = Markup(
        _(
            "This JupyterLab runs on a hub, and the page has to run on your own computer. In a terminal here, pack the "
            "folder with {command}, and download the archive from the file browser. Unpack it, run {serve} in its "
            "folder, and open http://localhost:8000."
        )
    ).format(command=code.format(pack_command(folder)), serve=code.format("python -m http.server"))
    return Markup("<p>{}</p>").format(pack)
