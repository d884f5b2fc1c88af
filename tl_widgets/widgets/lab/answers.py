"""AnswersStrip, the test images on which the models disagree, and AnswerView, one of them looked at closely."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np
from ipywidgets import HTML, Button, HBox, VBox
from numpy.typing import NDArray

from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, raise_if_cancelled
from tl_widgets.core.html import Markup, image, join
from tl_widgets.core.model_name import heading_of, label_of
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import Images
from tl_widgets.data.memmap_images import IndexedImages
from tl_widgets.experiments.prediction import Answer, Prediction
from tl_widgets.records.answers import comparable_runs, disagreements
from tl_widgets.records.comparison import Comparison, RunResult
from tl_widgets.widgets.lab.try_picture import answer_sentence, probability_table
from tl_widgets.widgets.shared.html import note
from tl_widgets.widgets.shared.picture import Picture
from tl_widgets.widgets.shared.threads import LatestRequest
from tl_widgets.widgets.shared.turns import training_lock

_MOST = 60
_ROOM = 600, 64  # CSS pixels, where the page has not said how much there is
_LARGE, _SMALL = (56, 4), (32, 2)  # CSS pixels from one image to the next, and of the gap in it, as in layout.css
_BEFORE = _("After training: the test images on which the two models disagree.")
_NO_IMAGES = _("The images of this run are not here, so those on which the models disagree can't be shown.")


class AnswersStrip(HBox):
    """A row of test images, and buttons for pictures of one's own.

    Args:
        choose: called with the test image's row.
        try_picture, take_photograph: called when their button is pressed.
    """

    def __init__(
        self, choose: Callable[[int], None], try_picture: Callable[[], None], take_photograph: Callable[[], None]
    ) -> None:
        self._text, self.pictures = HTML(), Picture(reports_size=True)
        self._shown: tuple[Comparison, Images, int] | None = None
        self.pictures.observe(lambda _: self._draw(), "size")
        self.pictures.on_click(lambda key: choose(int(key.removeprefix("row:"))))
        self.try_button = Button(
            description=_("Try a picture"), icon="eye", tooltip=_("Give both models a new picture")
        )
        self.camera_button = Button(description=_("Camera"), icon="camera", tooltip=_("Give both models a photograph"))
        self.try_button.on_click(lambda _: try_picture())
        self.camera_button.on_click(lambda _: take_photograph())
        buttons = VBox([self.try_button, self.camera_button])
        super().__init__([self._text, self.pictures, buttons])
        self.add_class("tlw-answers-strip")
        self.show(None, None)

    def show(
        self, comparison: Comparison | None, images: Images | IndexedImages | None, number: int | None = None
    ) -> None:
        """Show where the models of run `number` disagree; None where there is none, or its images are gone."""
        self._shown, self.pictures.markup = None, ""
        tested = comparable_runs(comparison.runs) if comparison is not None else ()
        if comparison is None or len(tested) < 2 or images is None:
            text = _NO_IMAGES if len(tested) > 1 else _BEFORE
            self._text.value = Markup('<p class="tlw-note">{}</p>').format(text)
            return
        rows = disagreements(tested)
        if not rows:
            text = _("Run {number}: the models agree on every test image.", number=number)
            self._text.value = Markup('<p class="tlw-note">{}</p>').format(text)
            return
        # A closed Lab must not hold models and images.
        self._shown = comparison.without_models(), images[np.asarray(rows[:_MOST], np.int64)], number or 1
        self._draw()

    def _draw(self) -> None:
        """Show as many images as fit, smaller ones if that shows all or more of them."""
        with self.pictures.drawing:
            if self._shown is not None:
                self._draw_shown(*self._shown)

    def _draw_shown(self, comparison: Comparison, images: Images, number: int) -> None:
        tested = comparable_runs(comparison.runs)
        rows = disagreements(tested)
        room = self.pictures.size or _ROOM
        is_small = len(rows) > _n_fitting(room, _LARGE)
        shown = rows[: min(_n_fitting(room, _SMALL if is_small else _LARGE), _MOST)]
        part = _("; {n_shown} of these", n_shown=len(shown)) if len(shown) < len(rows) else ""
        self._text.value = Markup(
            _("<p>Run {number}: they disagree on <b>{n_rows}</b> of {n_labels}{part}:</p>")
        ).format(number=number, n_rows=len(rows), n_labels=len(tested[0].labels), part=part)
        names = tested[0].class_names
        side, parts = 28 if is_small else 52, []
        for row, pixels in zip(shown, images, strict=False):
            answers = ", ".join(
                _("{heading} says {name}", heading=label_of(run.name), name=names[run.predictions[row]])
                for run in tested
            )
            label = f"{names[tested[0].labels[row]]}: {answers}"
            parts.append(
                Markup('<span data-click="row:{}" aria-label="{}" title="{}">{}</span>').format(
                    row, label, label, image(pixels, "", side)
                )
            )
        self.pictures.markup = Markup(
            '<div class="tlw-film{}" data-roam tabindex="0" role="group" aria-label="{}">{}</div>'
        ).format(" tlw-many" if is_small else "", _("Test images on which the models disagree"), join(parts))


def _n_fitting(room: Sequence[int], step: tuple[int, int]) -> int:
    columns, rows = ((length + step[1]) // step[0] for length in room)
    return max(1, columns) * max(1, rows)


class AnswerView(VBox):
    """One test image: what each model answers, how sure it is, and where it looks."""

    def __init__(self) -> None:
        self._answers, self._maps = HTML(), HTML()
        super().__init__([self._answers, self._maps])
        self.add_class("tlw-closely")
        self._requests = LatestRequest(self._look)

    def show(self, comparison: Comparison, images: Images | IndexedImages, row: int) -> None:
        """Show the probabilities at once, and the heat maps when they are computed, if the models are in memory."""
        tested = tuple(run for run in comparison.runs if run.labels)
        pixels, names = images[row], tested[0].class_names
        answers = tuple(Answer(run.name, run.probabilities[row]) for run in tested)
        name = _("Test image {row}: {name}", row=row + 1, name=names[tested[0].labels[row]])
        prediction = Prediction(name, names, pixels, pixels, pixels.shape[1], pixels.shape[0], answers)
        picture = Markup("<figure>{}<figcaption>{}</figcaption></figure>").format(image(pixels, name, 160), name)
        self._answers.value = Markup(
            '<section class="tlw-tried" aria-label="{}">{}<div class="tlw-answers">{}<p>{}</p></div></section>'
        ).format(name, picture, Markup(probability_table(prediction)), answer_sentence(prediction))
        self._maps.value = ""
        with_model = tuple(run for run in tested if run.model is not None)
        if with_model:
            self._maps.value = note(_("Looking for the places that decided…"))
            self._requests.submit((with_model, pixels))
        else:
            self._requests.stop()

    def clear(self) -> None:
        """Show nothing."""
        self._requests.stop()
        self._answers.value = self._maps.value = ""

    def _look(self, request: tuple[tuple[RunResult, ...], Images], cancel: Cancel) -> None:
        runs, pixels = request
        try:
            with training_lock(cancel, lambda: None):
                from tl_widgets.studies.inside.grad_cam import grad_cam

                parts = []
                for run in runs:
                    raise_if_cancelled(cancel)
                    with warnings.catch_warnings(record=True) as caught:
                        warnings.simplefilter("always")
                        heat = grad_cam(run.model, pixels)
                    parts.append(_heat_map(run, pixels, heat, str(caught[0].message) if caught else ""))
            raise_if_cancelled(cancel)
            self._maps.value = Markup(
                _(
                    '<div class="tlw-tried">{parts}</div><p class="tlw-note">Bright places raise the '
                    "score of the model’s own answer most (Grad-CAM). They show where it looks, not "
                    "why.</p>"
                )
            ).format(parts=join(parts))
        except InputError as error:
            self._maps.value = note(str(error))


def _heat_map(run: RunResult, pixels: Images, heat: NDArray[np.float32], flat: str) -> Markup:
    from tl_widgets.studies.inside.figure import overlaid

    shown = pixels if flat else (255 * overlaid(pixels, heat)).astype(np.uint8)
    caption = f"{heading_of(run.name)}{': ' + flat if flat else ''}"
    return Markup("<figure>{}<figcaption>{}</figcaption></figure>").format(
        image(shown, _("{heading}: the image under its heat map", heading=heading_of(run.name)), 160), caption
    )
