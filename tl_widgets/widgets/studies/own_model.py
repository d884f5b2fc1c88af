"""The panel that checks a learner's own model: what is wrong, where, how sure that is, and the fixed code."""

from __future__ import annotations

from pathlib import Path, PurePath

from ipywidgets import HTML, Button, Dropdown, HBox, Text, VBox

from tl_widgets.collections.storage import Incoming
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, Event, raise_if_cancelled
from tl_widgets.core.html import Markup, join
from tl_widgets.core.paths import user_path
from tl_widgets.core.resources import release_memory
from tl_widgets.core.text import printable
from tl_widgets.core.translation import _, ngettext
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.setup_checks.mistake import Finding
from tl_widgets.widgets.shared.fields import STYLE, menu_widget, row
from tl_widgets.widgets.shared.html import empty, note
from tl_widgets.widgets.shared.settings import LabSettings
from tl_widgets.widgets.shared.source import DataSource
from tl_widgets.widgets.shared.threads import Run, run_and_explain
from tl_widgets.widgets.shared.turns import training_lock, wait_for_tensorflow
from tl_widgets.widgets.shared.upload import UploadView

_MAX_BYTES = 2_000_000_000
_FOLDER = ""  # the entry of the menu for a folder or archive
_SIDE = 128  # pixels, for a model that takes images of any size
_FIRST = _(
    "Training doesn't work? Give your model and its training images, and read what is wrong and how "
    'to mend it. Save the model with model.save("my_model.keras"), compiled. Nothing in the file is '
    "run, and nothing is trained."
)
_CLEAN = _("No mistake was found. That doesn't prove that there is none.")


class OwnModelView(HBox):
    """A model file, the images, and the findings of `check_setup`.

    Attributes:
        upload, file: the two ways to give the model.
        data, folder: the menu of data sets, and the path that its last entry asks for.
        run: the check in progress, or else the last one; None before the first.
    """

    def __init__(self, source: DataSource) -> None:
        self._source = source
        self._uploaded: tuple[str, Incoming] | None = None
        self.run: Run[None] | None = None
        self.upload = UploadView(
            self._take,
            max_bytes=_MAX_BYTES,
            label=_("Choose a model"),
            accept=".keras,.h5,.hdf5",
            kind="model",
            hint=_("or drop it here"),
        )
        self.file = Text(description=_("Model's file name"), placeholder=_("my_model.keras"), style=STYLE)
        self.data: Dropdown = menu_widget(_("Images"), _("The images that the model is trained on"), self._menu())
        self.folder = Text(description=_("Folder or archive"), placeholder="my_photos", style=STYLE)
        self.check_button = Button(description=_("Check"), icon="check", tooltip=_("Look for mistakes; nothing is run"))
        self.stop_button = Button(description=_("Stop"), icon="stop", disabled=True)
        self._status, self._findings = HTML(), HTML(empty(_FIRST))
        inputs = VBox([self.upload, self.file, self.data, self.folder, row(self.check_button, self.stop_button),
                       self._status])  # fmt: skip
        answers = VBox([self._findings])
        super().__init__([inputs, answers])
        for widget in (self.file, self.data, self.folder):
            widget.add_class("tlw-stacked")
        for box, name in ((self, "tlw-model"), (inputs, "tlw-model-inputs"), (answers, "tlw-model-findings")):
            box.add_class(name)
        self.check_button.on_click(lambda _: self.check())
        self.stop_button.on_click(lambda _: self.stop())
        self.data.observe(lambda _: self._show_folder(), "value")
        self._show_folder()

    def release(self) -> None:
        """Stop the check, and remove an uploaded file."""
        self.stop()
        if self._uploaded is not None:
            self._uploaded[1].close()

    def stop(self) -> None:
        """Stop the check at its next step."""
        if self.run is not None:
            self.run.stop()

    def check(self) -> Run[None]:
        """Check the model in the background; if a check is in progress, return its run."""
        if self.run is None or not self.run.is_running:
            self._show_running(True)
            self.run = run_and_explain(self._work, self._status, stopped=_("Stopped."))
        return self.run

    def _menu(self) -> list[tuple[str, str]]:
        folder = [(_("A folder or archive of mine"), _FOLDER)] if self._source.own is None else []
        return [*folder, *self._source.menu()]

    def _show_folder(self) -> None:
        self.folder.layout.visibility = "visible" if self.data.value == _FOLDER else "hidden"

    def _show_running(self, running: bool) -> None:
        for widget in (self.file, self.data, self.folder, self.check_button):
            widget.disabled = running
        self.upload.enabled, self.stop_button.disabled = not running, not running
        if running:
            self._show_status(_("getting ready"))

    def _show_status(self, text: str) -> None:
        self._status.value = note(text)

    def _take(self, _unused: str, incoming: Incoming) -> None:
        """Keep an uploaded model in place of the last one."""
        ((name, path),) = incoming.files()
        name = printable(PurePath(name).name)
        path.rename(path.with_name(f"model{PurePath(name).suffix.lower()}"))
        earlier, self._uploaded = self._uploaded, (name, incoming)
        if earlier is not None:
            earlier[1].close()
        self.file.value = name
        self._show_status(_("{name} is here. Choose its images, then press “Check”.", name=name))

    def _model(self) -> tuple[Path, str]:
        """Return the model's file and its name."""
        name = self.file.value.strip()
        if not name:
            raise InputError(_("Choose a model first, or type the name of its file: a .keras or .h5 that Keras saved."))
        if self._uploaded is not None and name == self._uploaded[0]:
            ((_unused, path),) = self._uploaded[1].files()
            return next(path.parent.glob("model*")), name
        path = user_path(name, _("The model"))
        return path, path.name

    def _load(self, side: int | None, cancel: Cancel) -> ImageDataset:
        self._show_status(_("reading the images"))
        dataset = self._images(side or _SIDE, cancel)
        self._show_status(_("looking for mistakes"))
        return dataset

    def _images(self, size: int, cancel: Cancel) -> ImageDataset:
        from tl_widgets.data.folder import load_folder

        name = self.data.value
        if name != _FOLDER:
            own = self._source.own
            settings = LabSettings(dataset=name, image_size=size if own is None else own.image_size)
            return self._source.load_whole(settings, self._on_event, cancel)
        folder = self.folder.value.strip()
        if not folder:
            raise InputError(_("Type the path of the folder or archive with your images."))
        return load_folder(user_path(folder, _("The folder")), image_size=size, on_event=self._on_event, cancel=cancel)

    def _on_event(self, event: Event) -> None:
        if event.n_total and event.n_done == event.n_total:
            self._show_status(event.text)

    def _work(self, cancel: Cancel) -> None:
        try:
            path, name = self._model()
            with training_lock(cancel, lambda: self._show_status(_("waiting for other work to finish"))):
                wait_for_tensorflow(cancel, lambda: self._show_status(_("loading TensorFlow")))
                from tl_widgets.setup_checks.untrusted import check_saved

                self._show_status(_("reading the model"))
                report = check_saved(path, lambda side: self._load(side, cancel), name)
            raise_if_cancelled(cancel)
            self._findings.value = _findings_html(name, self._shown_data(), report.findings)
            self._show_status(_("Done."))
        finally:
            self._show_running(False)
            release_memory()

    def _shown_data(self) -> str:
        return str(self.data.value or printable(self.folder.value.strip()))


def _findings_html(model: str, data: str, findings: tuple[Finding, ...]) -> Markup:
    """Return the findings as a list that the keyboard can scroll."""
    n = sum(finding.was_checked for finding in findings)
    head = ngettext("{n} finding.", "{n} findings.", n) if n else _CLEAN
    items = join(
        Markup("<li><b>{}</b>{}</li>").format(
            finding.text,
            join(
                Markup("<div><span>{}</span> {}</div>").format(
                    label, Markup("<code>{}</code>").format(fact) if label in ("fix", "cost") else fact
                )
                for label, fact in finding.facts.items()
            ),
        )
        for finding in findings
    )
    return Markup(
        '<div class="tlw-findings" tabindex="0" role="region" aria-label="{}"><p role="status"><b>{}</b> '
        "<small>{} · {}</small></p><ol>{}</ol></div>"
    ).format(_("Findings"), head, model, data, items)
