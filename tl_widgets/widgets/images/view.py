"""ImagesView, the Lab's tab "Images": add pictures, look through them, and use them for training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

from ipywidgets import HTML, Button, VBox

from tl_widgets.collections.collection import ImageCollection, open_collection, save_edits, with_saved_edits
from tl_widgets.collections.storage import Incoming
from tl_widgets.collections.uploads import Addition, add_images, upload_zip
from tl_widgets.core import events
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.events import Cancel, OnEvent
from tl_widgets.core.numbers import count_text
from tl_widgets.data.dataset import ImageDataset, LoadReport, first_few
from tl_widgets.data.quality import check_dataset
from tl_widgets.records.comparison import Diagnosis
from tl_widgets.records.provenance import NO_EDITS
from tl_widgets.widgets.images.classes import Edit, ImageClasses
from tl_widgets.widgets.images.intake import ImageIntake, IntakeActions
from tl_widgets.widgets.shared.fields import row
from tl_widgets.widgets.shared.html import alert, error_alert, escape, progress
from tl_widgets.widgets.shared.live import Throttle
from tl_widgets.widgets.shared.source import DataSource
from tl_widgets.widgets.shared.threads import Run

_SHOWN = 50  # maximum number of skipped files in a list


@dataclass(frozen=True)
class _ReadResult:
    """A collection with the data set built from it, or the problem that prevented it."""

    collection: ImageCollection
    dataset: ImageDataset | None = None
    warnings: tuple[Diagnosis, ...] = ()
    problem: str = ""


class ImagesView(VBox):
    """The collection that a learner is preparing. If a step fails, the last collection stays.

    Args:
        source: receives the finished data set.
        image_size: returns the side of the images in pixels.
        use: called from a thread with the name that the data set has in `source`.
    """

    def __init__(self, source: DataSource, image_size: Callable[[], int], use: Callable[[str], None]) -> None:
        self._source, self._image_size, self._use = source, image_size, use
        self.collection: ImageCollection | None = None
        self._last_reading: _ReadResult | None = None
        self.last_run: Run[None] | None = None
        self._cancel: Cancel = Event()
        self._is_locked = self._is_running = False
        self._throttle = Throttle()
        actions = IntakeActions(self.open_path, self.take_zip, self.take_pictures, self._take_photograph)
        self.intake = ImageIntake(actions)
        self.classes = ImageClasses(self._edit)
        self.use_button = Button(description="Use these images", button_style="primary", icon="check")
        self.undo_button = Button(description="Undo all changes", icon="undo")
        self.stop_button = Button(description="Stop reading", icon="stop")
        self.message, self._progress, self._heading, self._report = HTML(), HTML(), HTML(), HTML()
        self._buttons = row(self.use_button, self.undo_button)
        self._progress_row = row(self._progress, self.stop_button)
        self._progress_row.layout.display = self._buttons.layout.display = "none"
        self.use_button.on_click(lambda _: self.use())
        self.undo_button.on_click(lambda _: self._edit(lambda collection: replace(collection, edits=NO_EDITS)))
        self.stop_button.on_click(lambda _: self.stop())
        parts = [
            self.intake,
            self.message,
            self._progress_row,
            self._heading,
            self._buttons,
            self._report,
            self.classes,
        ]
        super().__init__(parts)
        self.add_class("tlw-images")

    @property
    def enabled(self) -> bool:
        """Whether the tab can be used; it can't while the Lab trains."""
        return not self._is_locked

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        self._is_locked = not enabled
        self._show_enabled()

    def open_path(self, path: Path) -> Run[None] | None:
        """Open a folder or zip, in the background; return None if another step is running."""

        def work(on_event: OnEvent, cancel: Cancel) -> None:
            collection = with_saved_edits(open_collection(path))
            self._read(collection, on_event, cancel)
            if collection.edits:
                self.message.value = (
                    '<p class="tlw-live" role="status">Your changes from last time are back. '
                    "“Undo all changes” removes them.</p>"
                )

        return self._start("opening", work)

    def take_zip(self, incoming: Incoming) -> Run[None] | None:
        """Keep an uploaded zip and open it, in the background."""

        def work(on_event: OnEvent, cancel: Cancel) -> None:
            with incoming:
                ((name, path),) = incoming.files()
                collection = upload_zip(name, path)
            self._read(collection, on_event, cancel)
            self.intake.refresh_menu()

        return self._start("keeping the zip", work, incoming)

    def take_pictures(self, class_name: str, incoming: Incoming) -> Run[None] | None:
        """Add uploaded pictures to a class, which may be new, or start a collection with them."""

        def work(on_event: OnEvent, cancel: Cancel) -> None:
            with incoming:
                added = add_images(self.collection, class_name, incoming.files(), on_event=on_event, cancel=cancel)
            self._set_collection(added.collection)
            self._read(added.collection, on_event, cancel)
            self.message.value = _added_html(class_name, added)
            save_edits(added.collection)  # they hold the class name if no folder can have it
            self.intake.refresh_menu()

        return self._start("checking pictures", work, incoming)

    def use(self) -> Run[None] | None:
        """Make the images the Lab's data set."""
        collection = self.collection
        if collection is None:
            return None

        def work(on_event: OnEvent, cancel: Cancel) -> None:
            reading = self._last_reading
            if reading is None or reading.collection != collection or not self._fits(reading):
                reading = self._read(collection, on_event, cancel)
            if reading.dataset is None:
                raise InputError(reading.problem)
            name = self._source.add_collection(collection, reading.dataset)
            self._use(name)
            self.message.value = (
                f'<p class="tlw-live" role="status">The Lab now uses <b>{escape(name)}</b>: '
                f"{count_text(len(reading.dataset.train))} training images, "
                f"{count_text(len(reading.dataset.validation))} for validation, "
                f"{count_text(len(reading.dataset.test))} for the final test. Press “Train both”.</p>"
            )

        return self._start("reading images", work)

    def stop(self) -> None:
        """Stop the step in progress; the collection stays as it was."""
        self.classes.stop()
        self._cancel.set()

    def release(self) -> None:
        """Stop, and release the loaded images."""
        self.stop()
        self._last_reading = None

    def _fits(self, reading: _ReadResult) -> bool:
        return reading.dataset is not None and reading.dataset.image_size == self._image_size()

    def _take_photograph(self, class_name: str, picture: bytes) -> None:
        """Keep a picture from the camera in the calling thread, because the camera waits for the answer."""
        if self._is_locked or self._is_running:
            raise InputError("The Lab is busy. Wait until it has finished, then take the picture again.")
        kind = "png" if picture.startswith(b"\x89PNG") else "jpg"
        added = add_images(self.collection, class_name, [(f"camera.{kind}", picture)])
        self._set_collection(added.collection)
        save_edits(added.collection)
        self._report.value = '<p class="tlw-note">New pictures. Press “Use these images” to read them.</p>'

    def _start(
        self, step: str, work: Callable[[OnEvent, Cancel], object], incoming: Incoming | None = None
    ) -> Run[None] | None:
        """Run a step in a thread, one at a time, and show any error."""
        if self._is_running or self._is_locked:
            if incoming is not None:
                incoming.close()
            self.message.value = alert("The Lab is busy. Wait until it has finished, then try again.")
            return None
        self.message.value = ""
        self._progress.value = progress("Images", 0, 0, step)
        self._show_running(True)

        def on_event(event: events.Event) -> None:
            bar = progress("Images", event.n_done, event.n_total, event.text)
            self._throttle.offer("bar", lambda: setattr(self._progress, "value", bar))

        def run_step(cancel: Cancel) -> None:
            self._cancel = cancel
            try:
                work(on_event, cancel)
            except CancelledError:
                self.message.value = '<p class="tlw-live" role="status">Stopped: nothing has changed.</p>'
            except Exception as error:
                self.message.value = error_alert(error)
            finally:
                self._show_running(False)

        self.last_run = Run(run_step)
        return self.last_run

    def _read(self, collection: ImageCollection, on_event: OnEvent, cancel: Cancel) -> _ReadResult:
        """Read all images and show a report. An incomplete collection is not an error."""
        try:
            dataset = collection.build(image_size=self._image_size(), on_event=on_event, cancel=cancel)
            reading = _ReadResult(collection, dataset, check_dataset(dataset))
        except InputError as error:
            reading = _ReadResult(collection, problem=str(error))
        self._last_reading = reading
        self._set_collection(collection)
        self._report.value = _report_html(reading)
        return reading

    def _set_collection(self, collection: ImageCollection) -> None:
        self.collection = collection
        n_used = sum(len(collection.used_files(name)) for name in collection.class_names)
        n_classes = len(collection.class_names)
        self._heading.value = (
            f'<h4 class="tlw-title">{escape(collection.name)}: {count_text(n_used)} files in {n_classes} '
            f"class{'es' if n_classes != 1 else ''}</h4>"
        )
        self.classes.show(collection)
        self.intake.suggest_classes([name for name in collection.class_names if len(name) <= 60])
        self._show_enabled()

    def _edit(self, edit: Edit) -> None:
        """Apply a user's edit of a name or a checkbox."""
        if self.collection is None:
            return
        try:
            if self._is_running or self._is_locked:
                raise InputError("The Lab is busy. Wait until it has finished, then change the images.")
            self.message.value = ""
            self._set_collection(edit(self.collection))
            save_edits(self.collection)
            self._report.value = '<p class="tlw-note">Changed. Press “Use these images” to read the images again.</p>'
        except InputError as error:
            self.message.value = alert(str(error))
            self.classes.show(self.collection)  # undo it on the screen

    def _show_running(self, running: bool) -> None:
        self._is_running = running
        self._progress_row.layout.display = "" if running else "none"
        self._show_enabled()

    def _show_enabled(self) -> None:
        is_free = not self._is_running and not self._is_locked
        self.intake.enabled = is_free
        self.use_button.disabled = not is_free
        self.undo_button.disabled = not (is_free and self.collection is not None and self.collection.edits)
        self._buttons.layout.display = "" if self.collection is not None else "none"


def _added_html(class_name: str, added: Addition) -> str:
    skipped = "".join(f"<li>{escape(name)}: {escape(reason)}</li>" for name, reason in added.skipped[:_SHOWN])
    n = f"{count_text(added.n_added)} picture{'s' if added.n_added != 1 else ''}"
    text = f'<p class="tlw-live" role="status">Added {n} to <b>{escape(class_name.strip())}</b>. '
    text += " ".join(escape(note) for note in added.notes) + "</p>"
    if added.skipped:
        text += alert(f"{count_text(len(added.skipped))} could not be used:") + f'<ul class="tlw-notes">{skipped}</ul>'
    return text


def _report_html(reading: _ReadResult) -> str:
    """Return HTML that says what was read, what was not and why, with warnings about the data set."""
    if reading.dataset is None:
        return f'<p class="tlw-live" role="status"><b>Not ready to train on yet.</b> {escape(reading.problem)}</p>'
    report = reading.dataset.report or LoadReport(0)
    lines = [f"Read {count_text(report.n_read)} images.", *map(escape, report.notes)]
    warnings = "".join(f"<li>{escape(issue.text)} <i>{escape(issue.advice)}</i></li>" for issue in reading.warnings)
    text = f'<p class="tlw-note">{" ".join(lines)}</p>'
    if warnings:
        text += f'<div class="tlw-warnings"><b>Before you train:</b><ul class="tlw-notes">{warnings}</ul></div>'
    if report.duplicates:
        duplicates = first_few([f"{name} equals {other}" for name, other in report.duplicates])
        text += f'<p class="tlw-note">Used only once, because their content is the same: {escape(duplicates)}.</p>'
    if report.skipped:
        items = "".join(f"<li>{escape(name)}: {escape(reason)}</li>" for name, reason in report.skipped[:_SHOWN])
        more = len(report.skipped) - _SHOWN
        items += f"<li>and {count_text(more)} more</li>" if more > 0 else ""
        text += f"<details open><summary>Skipped {report.skipped_count}</summary><ul>{items}</ul></details>"
    return text
