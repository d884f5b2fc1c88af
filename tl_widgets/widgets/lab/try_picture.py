"""TryView, which shows the models' predictions for new pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from ipywidgets import HTML, Button, HBox, Text, VBox

from tl_widgets.collections.storage import Incoming
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, raise_if_cancelled
from tl_widgets.core.model_name import heading_of
from tl_widgets.core.numbers import percent
from tl_widgets.core.translation import _
from tl_widgets.data.archives import MAX_FILE_BYTES, printable
from tl_widgets.experiments.prediction import Answer, Prediction, predict, runs_with_models
from tl_widgets.records.comparison import Comparison
from tl_widgets.widgets.images.camera import CameraView
from tl_widgets.widgets.shared.fields import STYLE, row
from tl_widgets.widgets.shared.html import alert, empty, escape, image, note, page_file
from tl_widgets.widgets.shared.threads import Run, run_and_explain
from tl_widgets.widgets.shared.turns import training_lock
from tl_widgets.widgets.shared.upload import UploadView

_FIRST = _("After training: give both models a picture that neither has seen.")
_HOW = _(
    "Choose pictures, put one beside the notebook and give its file name, or use the camera: both "
    "models answer each picture at once."
)
_NO_CERTAINTY = _(
    "A probability only compares these classes with each other: each model's numbers add up to 100%, "
    "even for a picture that shows none of them."
)
_MAX_ROWS = 8
_SIDE = 130  # CSS pixels
_MAX_PICTURES = 20

Picture = tuple[str, bytes | Path | None]


class TryView(HBox):
    """New pictures, how the models see them, and every model's probabilities.

    Attributes:
        camera: takes a picture that the models answer at once; hidden until `open_camera`.
    """

    def __init__(self) -> None:
        self._comparison: Comparison | None = None
        self._can_answer, self._n_photographs = False, 0
        self.upload = UploadView(
            self._uploaded,
            max_bytes=MAX_FILE_BYTES,
            label=_("Choose pictures"),
            accept="image/*,.tif,.tiff",
            max_files=_MAX_PICTURES,
            kind=_("picture"),
            hint=_("or drop them here"),
        )
        self.file = Text(description=_("Picture's file name"), placeholder=_("photo.jpg"), style=STYLE)
        self.file.add_class("tlw-stacked")
        self.try_button = Button(description=_("Try it"), icon="eye")
        self.camera_button = Button(description=_("Use the camera"), icon="camera")
        self.camera = CameraView(self._photographed, asks_class=False)
        self._inputs = VBox([self.upload, self.file, row(self.try_button, self.camera_button), self.camera])
        self._how, self._status, self._result = HTML(), HTML(), HTML()
        css = HTML(f"<style>{page_file('lab/try_picture.css')}</style>")
        answers = VBox([css, self._how, self._status, self._result])
        super().__init__([self._inputs, answers])
        for box, name in ((self, "tlw-try"), (self._inputs, "tlw-try-inputs"), (answers, "tlw-try-answers")):
            box.add_class(name)
        self.try_button.on_click(lambda _: self.try_pictures([(self.file.value.strip(), None)]))
        self.camera_button.on_click(lambda _: self._switch_camera())
        self.show(None)

    def show(self, comparison: Comparison | None) -> None:
        """Set the comparison whose models answer; None if there is none yet."""
        self._comparison, self._can_answer = comparison, False
        self._status.value = self._result.value = ""
        self._inputs.layout.display = "none"
        if self.camera.layout.display != "none":
            self.camera.stop()
        self._show_camera(False)
        if comparison is None:
            self._how.value = empty(_FIRST)
            return
        try:
            runs_with_models(comparison)
        except InputError as error:
            self._how.value = empty(str(error))
            return
        self._can_answer = True
        self._how.value = f'<p class="tlw-note">{escape(_HOW)}</p>'
        self._inputs.layout.display = ""

    def show_loading(self) -> None:
        """Say that the models are on their way."""
        self._how.value = empty(_("The models of this run are being loaded, which takes a few seconds."))

    def open_camera(self) -> None:
        """Show the camera and switch it on, if there are models to answer."""
        if self._can_answer and self.enabled:
            self._show_camera(True)
            self.camera.start()

    def _switch_camera(self) -> None:
        if self.camera.layout.display == "none":
            self.open_camera()
        else:
            self.camera.stop()
            self._show_camera(False)

    def _show_camera(self, is_shown: bool) -> None:
        self.camera.layout.display = "" if is_shown else "none"
        self.camera_button.description = _("Close the camera") if is_shown else _("Use the camera")
        for widget in (self.upload, self.file, self.try_button):  # there is room for one way
            widget.layout.display = "none" if is_shown else ""

    def _photographed(self, _unused: str, picture: bytes) -> None:
        self._n_photographs += 1
        self.try_pictures([(_("Photograph {n_photographs}", n_photographs=self._n_photographs), picture)])

    @property
    def enabled(self) -> bool:
        """Whether pictures can be tried now."""
        return not self.try_button.disabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        self.upload.enabled = self.camera.enabled = enabled
        for widget in (self.file, self.try_button, self.camera_button):
            widget.disabled = not enabled

    def try_pictures(self, pictures: Sequence[Picture], incoming: Incoming | None = None) -> Run[None]:
        """Show the models' predictions, computed in the background.

        Args:
            pictures: for each its name and its file, as bytes or a path; None if the name is a path on this machine.
            incoming: closed at the end.
        """
        comparison = self._comparison

        def work(cancel: Cancel) -> None:
            with ExitStack() as stack:
                if incoming is not None:
                    stack.enter_context(incoming)
                if comparison is None:
                    raise InputError(_FIRST)
                stack.enter_context(
                    training_lock(cancel, lambda: self._show_status(_("Waiting for the training to end…")))
                )
                answers = self._answers(comparison, pictures, cancel)
                if self._comparison is not comparison:
                    return  # meanwhile the Lab shows another run
                self._how.value, self._result.value = "", answers
            self._show_status("")

        return run_and_explain(work, self._status)

    def _show_waiting(self) -> None:
        self._show_status(_("Waiting for the training to end…"))

    def _show_status(self, text: str) -> None:
        self._status.value = note(text)

    def _uploaded(self, _: str, incoming: Incoming) -> None:
        self.try_pictures(incoming.files(), incoming)

    def _answers(self, comparison: Comparison, pictures: Sequence[Picture], cancel: Cancel) -> str:
        parts = []
        for i, (name, data) in enumerate(pictures[:_MAX_PICTURES], 1):
            raise_if_cancelled(cancel)
            self._show_status(_("Looking at picture {i} of {n_pictures}…", i=i, n_pictures=len(pictures)))
            try:
                if data is None and not name:
                    raise InputError(_("Give the name of a file beside the notebook, such as photo.jpg."))
                parts.append(_prediction_html(predict(comparison, name if data is None else data, name=name)))
            except InputError as error:
                parts.append(alert(str(error)))
        if len(pictures) > _MAX_PICTURES:
            parts.append(
                alert(
                    _(
                        "The first {max_pictures} of {n_pictures} pictures are shown.",
                        max_pictures=_MAX_PICTURES,
                        n_pictures=len(pictures),
                    )
                )
            )
        # By keyboard, only what has the focus can be scrolled.
        title = _("Answers")
        return (
            f'<div class="tlw-tried-all" tabindex="0" role="region" aria-label="{title}">{"".join(parts)}'
            f'<p class="tlw-note">{escape(_NO_CERTAINTY)}</p></div>'
        )


def _prediction_html(prediction: Prediction) -> str:
    """Return HTML for a picture and its predictions."""
    name = printable(prediction.name) or _("Picture")
    side, scale = min(prediction.width, prediction.height), _SIDE / max(prediction.width, prediction.height)
    left, top = (prediction.width - side) / 2 * scale, (prediction.height - side) / 2 * scale
    frame = f"left:{left:.1f}px;top:{top:.1f}px;width:{side * scale:.1f}px;height:{side * scale:.1f}px"
    size = prediction.image.shape[0]
    what = _(
        "{width:,} × {height:,} pixels; the frame marks what the models get.",
        width=prediction.width,
        height=prediction.height,
    )
    whole = _("{name}, the whole picture", name=name)
    small = _("{name} as the models see it", name=name)
    as_seen = _("As the models see it: {size} × {size} pixels.", size=size)
    original = (
        f'<figure><span class="tlw-original">{image(prediction.original, whole, _SIDE)}'
        f'<span class="tlw-crop" style="{frame}"></span></span>'
        f"<figcaption>{what}</figcaption></figure>"
    )
    seen = (
        f'<figure class="tlw-seen">{image(prediction.image, small, _SIDE)}<figcaption>{as_seen}</figcaption></figure>'
    )
    return (
        f'<section class="tlw-picture" aria-label="{escape(name)}"><h4>{escape(name)}</h4>'
        f'<div class="tlw-tried">{original}{seen}<div class="tlw-answers">{probability_table(prediction)}'
        f"<p>{escape(answer_sentence(prediction))}</p></div></div></section>"
    )


def answer_sentence(prediction: Prediction) -> str:
    """Return what the models answer, in a sentence."""
    named = [(heading_of(answer.model), prediction.class_names[answer.prediction]) for answer in prediction.answers]
    if not all(answer.is_finite for answer in prediction.answers):
        return _("A model's outputs are not numbers, because its training diverged. Try a lower learning rate.")
    if len(named) > 1 and prediction.agree:
        return _("All models say {named}.", named=named[0][1])
    return (
        "; ".join(_("{name} says {class_name}", name=name, class_name=class_name) for name, class_name in named) + "."
    )


def probability_table(prediction: Prediction) -> str:
    """Return every model's probabilities as an HTML table."""
    rows = _rows(prediction)
    heads = "".join(f'<th scope="col">{escape(heading_of(answer.model))}</th>' for answer in prediction.answers)
    lines = []
    for i in rows:
        cells = "".join(f"<td>{_bar(answer, i)}</td>" for answer in prediction.answers)
        lines.append(f'<tr><th scope="row">{escape(prediction.class_names[i])}</th>{cells}</tr>')
    more = ""
    if n_more := len(prediction.class_names) - len(rows):
        more = _("<p>Every model gives the other {n_more} classes a lower probability.</p>", n_more=n_more)
    return _(
        '<div class="tlw-scroll"><table class="tlw-table '
        'tlw-probabilities"><caption>Probabilities</caption><thead><tr><th '
        'scope="col">Class</th>{heads}</tr></thead><tbody>{lines}</tbody></table></div>{more}',
        heads=heads,
        lines="".join(lines),
        more=more,
    )


def _rows(prediction: Prediction) -> list[int]:
    """Return the labels to show: all if they are few, otherwise those that any model finds most probable."""
    n = len(prediction.class_names)
    if n <= _MAX_ROWS:
        return list(range(n))
    best = [max(answer.probabilities[i] for answer in prediction.answers) for i in range(n)]
    return sorted(range(n), key=lambda i: (-best[i] if math.isfinite(best[i]) else 0.0, i))[:_MAX_ROWS]


def _bar(answer: Answer, i: int) -> str:
    share = answer.probabilities[i]
    if not math.isfinite(share):
        return _("no number")
    text = f"<b>{percent(share)}</b>" if i == answer.prediction else percent(share)
    fill = f'<span class="tlw-fill tlw-{escape(answer.model)}" style="width:{100 * share:.1f}%"></span>'
    return f'<span class="tlw-share"><span class="tlw-track" aria-hidden="true">{fill}</span><span>{text}</span></span>'
