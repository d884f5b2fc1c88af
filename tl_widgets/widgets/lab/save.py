"""SaveView, which saves a run next to the notebook, exports one of its models, and loads the record of another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ipywidgets import HTML, Button, Text, VBox

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.backbones.family import Backbone
from tl_widgets.collections.storage import Incoming
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, Event
from tl_widgets.core.numbers import size_text
from tl_widgets.core.translation import _
from tl_widgets.data.archives import printable
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.records.comparison import Comparison
from tl_widgets.widgets.lab.export import ExportFields, exported_html
from tl_widgets.widgets.lab.restore import MAX_RECORD_BYTES, read_record_file
from tl_widgets.widgets.shared.fields import STYLE, Switchable, row
from tl_widgets.widgets.shared.files import file_link, free_folder, has_file_pages
from tl_widgets.widgets.shared.html import empty, escape, note, progress
from tl_widgets.widgets.shared.threads import Run, run_and_explain
from tl_widgets.widgets.shared.turns import training_lock, wait_for_tensorflow
from tl_widgets.widgets.shared.upload import UploadView

_NO_RUN_YET = _("After training: both models, the record, the script and a report, in one folder.")
_NO_EXPORT_YET = _("After training: a model for a browser, a phone or another program, tested on all test images.")
_DESCRIPTIONS = {
    "record.json": _("the record of everything; “Load a record” below reads it back"),
    "report.html": _("the report: open it in a browser, or print it"),
    "transfer_learning.py": _("the experiment in plain Keras; its random numbers, and so its accuracies, are its own"),
}
_BACKBONE = _("the backbone that the script reads")
Load = Callable[[str, bytes, Cancel], Sequence[str]]


class SaveView(Switchable, VBox):
    """Saves a run, exports a model, and loads a record.

    Args:
        load: receives a record's name and bytes, restores it in the Lab, and returns sentences about the outcome;
            raises `InputError` if it cannot, and then changes nothing.
    """

    def __init__(self, load: Load) -> None:
        self._load = load
        self._is_busy = False
        self._comparison: Comparison | None = None
        self._dataset: ImageDataset | None = None
        self.folder = Text("transfer-learning-run", description=_("Folder name"), style=STYLE)
        self.save_button = Button(description=_("Save all"), icon="save")
        self.export_fields = ExportFields()
        self.upload = UploadView(
            self._uploaded,
            max_bytes=MAX_RECORD_BYTES,
            label=_("Choose a record"),
            accept=".json",
            kind="record",
            hint=_("or drop it here"),
        )
        self.file = Text(description=_("Record's file name"), placeholder=_("run/record.json"), style=STYLE)
        self.load_button = Button(description=_("Load it"), icon="folder-open")
        self.stop_button = Button(description=_("Stop"), icon="stop", layout={"display": "none"})
        self._run: Run[Any] | None = None
        self._save_row = row(self.folder, self.save_button)
        load_row = row(self.upload, self.file, self.load_button)
        self._saved, self._exported, self._loaded = HTML(), HTML(), HTML()
        self._line = self._saved  # of the work that runs
        titles = (_("Save this run"), _("Export a model"), _("Load a record"))
        headings = [HTML(f'<h4 class="tlw-title tlw-part">{text}</h4>') for text in titles]
        hint_line = HTML(
            _(
                '<p class="tlw-note">A record (JSON) that the Lab or tl-widgets compare wrote: from your '
                "computer, or the name of a file beside the notebook. It sets the controls and adds its "
                "result to the list of runs. No code in it is run.</p>"
            )
        )
        saving = (headings[0], self._save_row, self._saved)
        exporting = (headings[1], self.export_fields, self._exported)
        self._parts = (*saving, *exporting, headings[2], hint_line, load_row, self._loaded)
        super().__init__([*self._parts, self.stop_button])
        # The second of two quick clicks may arrive before the page has disabled the button.
        self.save_button.on_click(lambda _: self._is_busy or self.save())
        self.export_fields.button.on_click(lambda _: self._is_busy or self.export())
        self.load_button.on_click(lambda _: self._is_busy or self.load(self.file.value.strip()))
        self.stop_button.on_click(lambda _: self._stop())
        self.show(None, None)

    def show(self, comparison: Comparison | None, dataset: ImageDataset | None) -> None:
        """Set the comparison to save, None if there is none yet, and its images, None if they are not available."""
        self._comparison, self._dataset = comparison, dataset
        self._saved.value = empty(_NO_RUN_YET) if comparison is None else ""
        self._exported.value = empty(_NO_EXPORT_YET) if comparison is None else ""
        for part in (self._save_row, self.export_fields):
            part.layout.display = "none" if comparison is None else ""
        if comparison is not None and comparison.runs:
            self.export_fields.show(comparison)

    def _show_enabled(self) -> None:
        is_free = self._enabled and not self._is_busy  # saving and loading block each other
        self.upload.enabled = is_free
        for widget in (self.folder, self.save_button, *self.export_fields.fields, self.file, self.load_button):
            widget.disabled = not is_free
        self.stop_button.layout.display = "" if self._is_busy else "none"

    def _start(self, work: Callable[[Cancel], Any], line: HTML, stopped: str) -> Run[Any]:
        """Run work in the background with the controls disabled, so a second click does not save twice."""
        self._is_busy = True
        at = self._parts.index(line) + 1  # Stop stands below the progress
        self.children = (*self._parts[:at], self.stop_button, *self._parts[at:])
        self._show_enabled()

        def go(cancel: Cancel) -> Any:
            try:
                return work(cancel)
            finally:
                self._is_busy = False
                self._show_enabled()

        self._line, self._run = line, run_and_explain(go, line, stopped)
        return self._run

    def _stop(self) -> None:
        if self._run and self._run.is_running:
            self._line.value = note(_("Stopping as soon as this step is done…"))
            self._run.stop()

    def save(self) -> Run[Path]:
        """Save everything in a new folder next to the notebook, in the background; the result is the folder."""
        comparison, dataset, name = self._comparison, self._dataset, self.folder.value.strip()

        def on_event(event: Event) -> None:
            self._saved.value = progress(_("Saving"), event.n_done, event.n_total, event.text)

        def work(cancel: Cancel) -> Path:
            if comparison is None:
                raise InputError(_NO_RUN_YET)
            self._saved.value = note(_("Saving…"))
            with training_lock(cancel, lambda: _show_waiting(self._saved)):
                wait_for_tensorflow(cancel, lambda: None)  # two threads that import it block each other
                from tl_widgets.export.saving import save_comparison

                folder = free_folder(name)
                files = save_comparison(comparison, folder, dataset=dataset, on_event=on_event, cancel=cancel)
            self._saved.value = _saved_html(folder, files, find_backbone(comparison.config.backbone))
            return folder

        return self._start(work, self._saved, _("Stopped: nothing was saved."))

    def export(self) -> Run[Path]:
        """Export the chosen model into a new folder next to the notebook, in the background."""
        comparison, dataset, line = self._comparison, self._dataset, self._exported

        def on_event(event: Event) -> None:
            line.value = progress(_("Exporting"), event.n_done, event.n_total, event.text)

        def work(cancel: Cancel) -> Path:
            if comparison is None:
                raise InputError(_NO_EXPORT_YET)
            line.value = note(_("Exporting…"))
            with training_lock(cancel, lambda: _show_waiting(line)):
                wait_for_tensorflow(cancel, lambda: None)
                folder, report = self.export_fields.export(comparison, dataset, on_event, cancel)
            line.value = exported_html(folder, report)
            return folder

        return self._start(work, line, _("Stopped: nothing was exported."))

    def _uploaded(self, _: str, incoming: Incoming) -> None:
        with incoming:
            ((name, path),) = incoming.files()
            self.load(name, path.read_bytes())

    def load(self, name: str, data: bytes | None = None) -> Run[None]:
        """Load a record in the background; if `data` is None, read it from the file `name` on this machine."""
        self._loaded.value = note(_("Loading…"))

        def work(cancel: Cancel) -> None:
            sentences = self._load(name, read_record_file(name) if data is None else data, cancel)
            items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences[1:])
            more = f'<ul class="tlw-notes">{items}</ul>' if items else ""
            self._loaded.value = f'<div role="status"><p>{escape(sentences[0])}</p>{more}</div>'

        return self._start(work, self._loaded, _("Stopped: nothing was loaded."))


def _show_waiting(line: HTML) -> None:
    line.value = note(_("Waiting for the training to end…"))


def _saved_html(folder: Path, files: Sequence[Path], backbone: Backbone) -> str:
    """Return HTML that says what was saved where, and how to use it."""
    lines = []
    known = _DESCRIPTIONS if backbone.script_file is None else {**_DESCRIPTIONS, backbone.script_file: _BACKBONE}
    for file in files:
        what = known.get(file.name, _("a model for plain Keras: raw pixels in, probabilities out"))
        text = size_text(file.stat().st_size, kilobytes=True)
        lines.append(f"<li><b>{file_link(file, file.name)}</b> <small>{text}</small> {escape(what)}</li>")
    models = [file for file in files if file.name not in known]
    name = printable(str(folder))
    again = f'keras.models.load_model("{name}/{models[-1].name}", compile=False)' if models else ""
    code = (
        _("<p>In Python: <code>{again}</code></p>", again=escape(again))
        if again
        else _("<p>This result has no models to save.</p>")
    )
    how = _("A click opens a file; the file browser downloads it.") if has_file_pages() else ""
    saved = _("Saved in the folder <b>{name}</b> beside the notebook.", name=escape(name))
    return f'<div role="status"><p>{saved} {how}</p><ul class="tlw-notes">{"".join(lines)}</ul>{code}</div>'
