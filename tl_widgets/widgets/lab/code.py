"""CodeView, which shows the experiment as a plain Keras script to copy, save and run."""

from __future__ import annotations

from pathlib import Path

from ipywidgets import HTML, Button, Text, VBox

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.events import Cancel
from tl_widgets.core.files import write_text
from tl_widgets.core.translation import _
from tl_widgets.export.script import save_backbone, script_for
from tl_widgets.widgets.shared.fields import STYLE, row
from tl_widgets.widgets.shared.files import free_paths
from tl_widgets.widgets.shared.html import alert, escape, note
from tl_widgets.widgets.shared.settings import LabSettings
from tl_widgets.widgets.shared.source import DataSource
from tl_widgets.widgets.shared.threads import Run, log
from tl_widgets.widgets.shared.turns import training_lock, wait_for_tensorflow

# Browsers offer a clipboard only over https and on localhost. Elsewhere, this selects the text for Ctrl-C. A widget's
# HTML runs no <script>, but it keeps the onclick attribute.
_COPY = (
    "const pre=this.parentNode.querySelector('pre'),say=this.nextElementSibling;"
    "const pick=()=>{getSelection().selectAllChildren(pre);say.textContent='SELECTED'};"
    "navigator.clipboard?navigator.clipboard.writeText(pre.textContent)"
    ".then(()=>{say.textContent='COPIED'},pick):pick()"
)
_COPY = _COPY.replace("SELECTED", _("Selected: press Ctrl-C.")).replace("COPIED", _("Copied."))


class CodeView(VBox):
    """The script for the settings.

    Args:
        source: provides the images; None for the built-in data sets.
    """

    def __init__(self, source: DataSource | None = None) -> None:
        self._source = source or DataSource()
        self._settings = LabSettings()
        self.script = ""
        self._text, self._status = HTML(), HTML()
        self.file = Text("transfer_learning.py", description=_("File name"), style=STYLE)
        self.save_button = Button(description=_("Save script"), icon="save")
        self.save_button.on_click(lambda _: self.save())
        hint = HTML(
            note(_("The script draws its own random numbers: its accuracies can differ from those of the Lab."))
        )
        super().__init__([row(self.file, self.save_button), hint, self._status, self._text])

    def show_settings(self, settings: LabSettings) -> None:
        """Show the script for these settings."""
        self._settings = settings
        try:
            self.script = script_for(self._source.summary(settings), settings.config)
        except InputError as error:
            self.script = ""
            self._text.value = alert(str(error))
            return
        self._text.value = _(
            '<div class="tlw-code"><button type="button" class="tlw-copy" '
            'onclick="{copy}">Copy</button><span role="status"></span><pre tabindex="0" '
            'role="region" aria-label="Script"><code>{script}</code></pre></div>',
            copy=escape(_COPY),
            script=escape(self.script),
        )

    def save(self) -> Run[Path]:
        """Save the script and the backbone that it reads next to the notebook, without overwriting any file.

        Returns:
            The work in the background; its result is the script's path.
        """
        script, settings, name = self.script, self._settings, self.file.value.strip()
        self._status.value = note(_("Saving…"))

        def work(cancel: Cancel) -> Path | None:
            try:
                backbone_text = self._save_backbone_file(settings, _free_path(name).parent, cancel)
                path = _free_path(name)  # check again, as saving the backbone may wait for a training to end
                write_text(path, script)
            except CancelledError:
                self._status.value = note(_("Stopped: the script was not saved."))
                return None
            except Exception as error:
                if not isinstance(error, InputError | OSError):
                    log.exception("the script could not be saved")
                self._status.value = alert(
                    _("The script was not saved: {error}", error=str(error) or type(error).__name__)
                )
                return None
            self._status.value = _(
                '<p class="tlw-note" role="status">Saved {path_name}{backbone_text}. Run it with: '
                "<code>python {path_name}</code></p>",
                path_name=escape(path.name),
                backbone_text=escape(backbone_text),
            )
            return path

        return Run(work)

    def _save_backbone_file(self, settings: LabSettings, folder: Path, cancel: Cancel) -> str:
        backbone = find_backbone(settings.config.backbone)
        if backbone.script_file is None or settings.config.weights != "imagenet":
            return ""
        target = folder / backbone.script_file
        if target.exists():
            return ""
        with training_lock(cancel, self._show_waiting):  # because Keras builds a model
            wait_for_tensorflow(cancel, lambda: None)  # two threads that import it block each other
            save_backbone(target, backbone.name)
        return _(" and the backbone it reads, {target_name}", target_name=target.name)

    def _show_waiting(self) -> None:
        self._status.value = note(_("Waiting for the training to end…"))


def _free_path(name: str) -> Path:
    """Return the path for a script, with a number added to its name if it exists."""
    return free_paths(name, (".py",), example="transfer_learning.py")[0]
