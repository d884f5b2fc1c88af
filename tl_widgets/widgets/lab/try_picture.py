"""TryView: drop in a picture that no model has seen, and see what each of them makes of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from ipywidgets import HTML, Button, Text, VBox

from tl_widgets.collections.storage import Incoming
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, raise_if_cancelled
from tl_widgets.core.model_name import heading_of
from tl_widgets.core.numbers import percent
from tl_widgets.data.archives import MAX_FILE_BYTES, printable
from tl_widgets.experiments.prediction import Answer, Prediction, predict, runs_with_models
from tl_widgets.records.comparison import Comparison
from tl_widgets.widgets.shared.fields import STYLE, row
from tl_widgets.widgets.shared.html import alert, empty, escape, image, note
from tl_widgets.widgets.shared.threads import Run, run_and_explain
from tl_widgets.widgets.shared.turns import my_turn
from tl_widgets.widgets.shared.upload import UploadView

_FIRST = "After training: give both models a picture that neither has seen."
_HOW = "Choose pictures, or put one beside the notebook and give its file name."
_NO_CERTAINTY = (
    "A probability compares the classes with each other and is no certainty: each model's numbers add up to 100%, also "
    "for a picture of none of these classes."
)
_MOST_ROWS = 8
_SIDE = 200  # CSS pixels
_MOST_PICTURES = 20

Picture = tuple[str, bytes | Path | None]


class TryView(VBox):
    """Pictures from outside with every model's probabilities, beside what the models see of them."""

    def __init__(self) -> None:
        self._comparison: Comparison | None = None
        self.upload = UploadView(
            self._uploaded, max_bytes=MAX_FILE_BYTES, label="Choose pictures", accept="image/*,.tif,.tiff",
            most=_MOST_PICTURES, kind="picture", hint="or drop them here",
        )  # fmt: skip
        self.file = Text(description="Picture's file name", placeholder="photo.jpg", style=STYLE)
        self.look_button = Button(description="Try it", icon="eye")
        self._row = row(self.upload, self.file, self.look_button)
        self._how, self._said, self._shown = HTML(), HTML(), HTML()
        super().__init__([self._how, self._row, self._said, self._shown])
        self.look_button.on_click(lambda _: self.look([(self.file.value.strip(), None)]))
        self.show(None)

    def show(self, comparison: Comparison | None) -> None:
        """Take a comparison whose models answer from now on.

        Args:
            comparison: None where there is none yet.
        """
        self._comparison = comparison
        self._said.value = self._shown.value = ""
        self._row.layout.display = "none"
        if comparison is None:
            self._how.value = empty(_FIRST)
            return
        try:
            runs_with_models(comparison)
        except InputError as error:
            self._how.value = empty(str(error))
            return
        self._how.value = f'<p class="tlw-note">{escape(_HOW)}</p>'
        self._row.layout.display = ""

    @property
    def enabled(self) -> bool:
        """Whether pictures can be given now."""
        return not self.look_button.disabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        self.upload.enabled = enabled
        for widget in (self.file, self.look_button):
            widget.disabled = not enabled

    def look(self, pictures: Sequence[Picture], incoming: Incoming | None = None) -> Run[None]:
        """Ask the models, in the background.

        Args:
            pictures: of each its name, and its file's bytes or where it lies; None where the name is that of a file on
                this machine.
            incoming: closed when they have been looked at.

        Returns:
            The work.
        """
        comparison = self._comparison

        def work(cancel: Cancel) -> None:
            with ExitStack() as stack:
                if incoming is not None:
                    stack.enter_context(incoming)
                if comparison is None:
                    raise InputError(_FIRST)
                stack.enter_context(my_turn(cancel, lambda: self._say("Waiting for the training to end…")))
                self._shown.value = self._answers(comparison, pictures, cancel)
            self._say("")

        return run_and_explain(work, self._said)

    def _say(self, text: str) -> None:
        self._said.value = note(text)

    def _uploaded(self, _: str, incoming: Incoming) -> None:
        self.look(incoming.files(), incoming)

    def _answers(self, comparison: Comparison, pictures: Sequence[Picture], cancel: Cancel) -> str:
        parts = []
        for i, (name, data) in enumerate(pictures[:_MOST_PICTURES], 1):
            raise_if_cancelled(cancel)
            self._say(f"Looking at picture {i} of {len(pictures)}…")
            try:
                if data is None and not name:
                    raise InputError("Give the name of a file beside the notebook, such as photo.jpg.")
                parts.append(_shown(predict(comparison, name if data is None else data, name=name)))
            except InputError as error:
                parts.append(alert(str(error)))
        if len(pictures) > _MOST_PICTURES:
            parts.append(alert(f"The first {_MOST_PICTURES} of {len(pictures)} pictures are shown."))
        return f'{"".join(parts)}<p class="tlw-note">{escape(_NO_CERTAINTY)}</p>'


def _shown(found: Prediction) -> str:
    """A picture with its answers as HTML."""
    name = printable(found.name) or "Picture"
    side, scale = min(found.width, found.height), _SIDE / max(found.width, found.height)
    left, top = (found.width - side) / 2 * scale, (found.height - side) / 2 * scale
    frame = f"left:{left:.1f}px;top:{top:.1f}px;width:{side * scale:.1f}px;height:{side * scale:.1f}px"
    size = found.image.shape[0]
    what = f"{found.width:,} × {found.height:,} pixels; the frame marks what the models get."
    original = (
        f'<figure><span class="tlw-original">{image(found.original, f"{name}, the whole picture", _SIDE)}'
        f'<span class="tlw-crop" style="{frame}"></span></span>'
        f"<figcaption>{what}</figcaption></figure>"
    )
    seen = (
        f'<figure class="tlw-seen">{image(found.image, f"{name} as the models see it", _SIDE)}'
        f"<figcaption>As the models see it: {size} × {size} pixels.</figcaption></figure>"
    )
    return (
        f'<section class="tlw-picture" aria-label="{escape(name)}"><h4>{escape(name)}</h4>'
        f'<div class="tlw-tried">{original}{seen}<div class="tlw-answers">{_table(found)}'
        f"<p>{escape(_sentence(found))}</p></div></div></section>"
    )


def _sentence(found: Prediction) -> str:
    named = [(heading_of(answer.model), found.class_names[answer.prediction]) for answer in found.answers]
    if not all(answer.is_finite for answer in found.answers):
        return "A model answers with no numbers at all: its training ran away. Try a lower learning rate."
    if len(named) > 1 and found.agree:
        return f"All models say {named[0][1]}."
    return "; ".join(f"{name} says {said}" for name, said in named) + "."


def _table(found: Prediction) -> str:
    rows = _rows(found)
    heads = "".join(f'<th scope="col">{escape(heading_of(each.model))}</th>' for each in found.answers)
    lines = []
    for i in rows:
        cells = "".join(f"<td>{_bar(answer, i)}</td>" for answer in found.answers)
        lines.append(f'<tr><th scope="row">{escape(found.class_names[i])}</th>{cells}</tr>')
    more = ""
    if n_more := len(found.class_names) - len(rows):
        more = f"<p>The other {n_more} classes get less from every model.</p>"
    return (
        '<div class="tlw-scroll"><table class="tlw-table tlw-probabilities"><caption>Probabilities</caption>'
        f'<thead><tr><th scope="col">Class</th>{heads}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>{more}'
    )


def _rows(found: Prediction) -> list[int]:
    """The classes to show: all of a few, else those that a model finds most probable."""
    n = len(found.class_names)
    if n <= _MOST_ROWS:
        return list(range(n))
    best = [max(each.probabilities[i] for each in found.answers) for i in range(n)]
    return sorted(range(n), key=lambda i: (-best[i] if math.isfinite(best[i]) else 0.0, i))[:_MOST_ROWS]


def _bar(answer: Answer, i: int) -> str:
    share = answer.probabilities[i]
    if not math.isfinite(share):
        return "no number"
    text = f"<b>{percent(share)}</b>" if i == answer.prediction else percent(share)
    fill = f'<span class="tlw-fill tlw-{escape(answer.model)}" style="width:{100 * share:.1f}%"></span>'
    return f'<span class="tlw-share"><span class="tlw-track" aria-hidden="true">{fill}</span><span>{text}</span></span>'
