"""ImagesView, the Lab's tab "My pictures": from left to right, the pictures, training on them, and trying one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

from ipywidgets import HTML, Box, Button, HBox, VBox

from tl_widgets.collections.collection import ImageCollection, open_collection, save_edits, with_saved_edits
from tl_widgets.collections.storage import Incoming
from tl_widgets.collections.uploads import add_images, store_zip
from tl_widgets.core import events
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.events import Cancel, OnEvent
from tl_widgets.core.numbers import count_text
from tl_widgets.core.translation import _, ngettext
from tl_widgets.data.layouts.tree import UnclearColumnsError
from tl_widgets.records.provenance import NO_COLUMNS, NO_EDITS, Columns
from tl_widgets.widgets.images.camera import MAX_NAME, CameraView
from tl_widgets.widgets.images.classes import ClassActions, ImageClasses, added_html
from tl_widgets.widgets.images.columns import ColumnsQuestion
from tl_widgets.widgets.images.gallery import Edit, ImageGallery
from tl_widgets.widgets.images.intake import ImageIntake, IntakeActions, NewClass, kept_text
from tl_widgets.widgets.images.train import Reading, TrainView
from tl_widgets.widgets.shared.costs import DataFacts
from tl_widgets.widgets.shared.fields import row
from tl_widgets.widgets.shared.html import alert, error_alert, escape, page_file, progress
from tl_widgets.widgets.shared.live import Throttle
from tl_widgets.widgets.shared.settings import LabSettings
from tl_widgets.widgets.shared.source import DataSource
from tl_widgets.widgets.shared.threads import Run

_NEW = _('<p class="tlw-note">New pictures. Training reads them.</p>')


@dataclass(frozen=True)
class LabActions:
    """What the tab asks the Lab for.

    Attributes:
        settings: returns the current settings.
        seconds: returns the estimated seconds of a run on data with these facts; None if nobody knows.
        use: called from a thread with the name that the data set has in the source.
        train: starts a run.
        fold: sets the number of folds of cross-validation.
        try_picture: shows where to try a picture.
    """

    settings: Callable[[], LabSettings]
    seconds: Callable[[DataFacts], float | None]
    use: Callable[[str], None]
    train: Callable[[], object]
    fold: Callable[[int], None]
    try_picture: Callable[[], object]


class ImagesView(Box):
    """The collection that a learner is preparing. If a step fails, the last collection stays.

    Args:
        source: receives the finished data set.
        lab: what the Lab does.
    """

    def __init__(self, source: DataSource, lab: LabActions) -> None:
        self._source, self._lab = source, lab
        self.collection: ImageCollection | None = None
        self._last_reading: Reading | None = None
        self.last_run: Run[None] | None = None
        self._cancel: Cancel = Event()
        self._is_locked = self._is_running = False
        self._throttle = Throttle()
        self.intake = ImageIntake(IntakeActions(self.open_path, self.take_zip, self.begin_set))
        self.new_class = NewClass(self.take_pictures, self._open_camera)
        actions = ClassActions(self._edit, self.take_pictures, self._open_camera, self._look)
        self.classes = ImageClasses(actions, self.new_class)
        self.gallery = ImageGallery(self._edit)
        self.camera = CameraView(self._take_photograph)
        self.close_camera_button = Button(description=_("Back to the classes"), icon="arrow-left")
        self._camera_box = VBox([row(self.close_camera_button), self.camera])
        self.train = TrainView(self.train_on, self.use, lab.fold, self._change)
        self.columns = ColumnsQuestion(self.open_path)
        self.use_button = self.train.use_button
        self.undo_button = Button(description=_("Undo all changes"), icon="undo")
        self.stop_button = Button(description=_("Stop reading"), icon="stop")
        self.try_button = Button(description=_("Try a picture"), icon="eye")
        self.message, self._progress, self._heading = HTML(), HTML(), HTML()
        self._progress_row = row(self._progress, self.stop_button)
        self._progress_row.layout.display = "none"
        self._connect()
        super().__init__(self._columns())
        self.add_class("tlw-images")
        self._show_part("classes")
        self._show_set()

    def _connect(self) -> None:
        self.undo_button.on_click(lambda _: self._edit(lambda collection: replace(collection, edits=NO_EDITS)))
        self.stop_button.on_click(lambda _: self.stop())
        self.try_button.on_click(lambda _: self._lab.try_picture())
        self.gallery.back_button.on_click(lambda _: self._show_classes())
        self.close_camera_button.on_click(lambda _: self._close_camera())

    def _columns(self) -> list[Box]:
        title = HBox([self._heading, self.undo_button])
        title.add_class("tlw-set-title")
        pictures = VBox([
            HTML(f"<style>{page_file('images/images.css')}</style>"),
            title, self.intake, self.message, self.columns, self._progress_row, self.classes, self.gallery,
            self._camera_box, HTML(kept_text()),
        ])  # fmt: skip
        pictures.add_class("tlw-pictures")
        lead = HTML(
            _(
                '<h4 class="tlw-title"><span aria-hidden="true">→ </span>Try</h4>'
                "<p>After training, give both models a picture that neither has seen.</p>"
            )
        )
        trial = VBox([lead, self.try_button])
        trial.add_class("tlw-trial")
        return [pictures, self.train, trial]

    @property
    def enabled(self) -> bool:
        """Whether the tab can be used; it can't while the Lab trains."""
        return not self._is_locked

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        self._is_locked = not enabled
        self._show_enabled()

    def open_path(self, path: Path, columns: Columns = NO_COLUMNS) -> Run[None] | None:
        """Open a folder or zip, in the background; return None if another step is running.

        `columns` are those of a table of labels that aren't guessed; one that is unclear is asked for.
        """
        return self._start(_("opening"), lambda on_event, cancel: self._open(path, columns, on_event, cancel))

    def _open(self, path: Path, columns: Columns, on_event: OnEvent, cancel: Cancel) -> None:
        try:
            collection = with_saved_edits(open_collection(path, columns=columns, cancel=cancel))
        except UnclearColumnsError as error:
            self.columns.ask(path, columns, error)
            return
        self._read(collection, on_event, cancel)
        if collection.edits:
            self.message.value = _(
                '<p class="tlw-live" role="status">Your changes from last time are back. “Undo all '
                "changes” removes them.</p>"
            )

    def take_zip(self, incoming: Incoming) -> Run[None] | None:
        """Keep an uploaded zip and open it, in the background."""

        def work(on_event: OnEvent, cancel: Cancel) -> None:
            with incoming:
                ((name, temporary),) = incoming.files()
                path = store_zip(name, temporary)
            self.intake.refresh_menu()
            self._open(path, NO_COLUMNS, on_event, cancel)

        return self._start(_("keeping the zip"), work, incoming)

    def take_pictures(self, class_name: str, incoming: Incoming) -> Run[None] | None:
        """Add uploaded pictures to a class, which may be new, or start a collection with them."""

        def work(on_event: OnEvent, cancel: Cancel) -> None:
            with incoming:
                added = add_images(self.collection, class_name, incoming.files(), on_event=on_event, cancel=cancel)
            self._set_collection(added.collection)
            self._read(added.collection, on_event, cancel)
            self.message.value = added_html(class_name, added)
            save_edits(added.collection)  # they hold the class name if no folder can have it
            self.intake.refresh_menu()

        return self._start(_("checking pictures"), work, incoming)

    def begin_set(self) -> None:
        """Begin a new, empty set. The last one stays on disk and, if it was used, in the Lab's menu."""
        if self._is_running or self._is_locked:
            self.message.value = alert(_("The Lab is busy. Wait until it has finished, then try again."))
            return
        self.collection = self._last_reading = None
        self.message.value = self.train.report.value = ""
        self.intake.menu.index = 0
        self._show_set()
        self.new_class.class_name.focus()

    def show_cost(self) -> None:
        """Update what training costs with the Lab's current settings."""
        reading, settings = self._last_reading, self._lab.settings()
        if reading is not None and reading.collection != self.collection:
            reading = None
        facts = reading.facts if reading else None
        self.train.show(reading, settings, self._lab.seconds(facts) if facts else None)

    def train_on(self) -> Run[None] | None:
        """Make the images the Lab's data set, and train on it."""
        return self.use(then=self._lab.train)

    def use(self, then: Callable[[], object] | None = None) -> Run[None] | None:
        """Make the images the Lab's data set, in the background; `then` is called at the end if that worked."""
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
            self._lab.use(name)
            self.message.value = _(
                '<p class="tlw-live" role="status">The Lab now uses <b>{name}</b>: {n_train} '
                "training images, {n_validation} for validation, {n_test} for the final test.</p>",
                name=escape(name),
                n_train=count_text(len(reading.dataset.train)),
                n_validation=count_text(len(reading.dataset.validation)),
                n_test=count_text(len(reading.dataset.test)),
            )
            if then is not None:
                then()

        return self._start(_("reading images"), work)

    def stop(self) -> None:
        """Stop the step in progress; the collection stays as it was."""
        self.classes.stop()
        self.gallery.stop()
        self._cancel.set()

    def release(self) -> None:
        """Stop, and release the loaded images."""
        self.stop()
        self._last_reading = None

    def _fits(self, reading: Reading) -> bool:
        return reading.dataset is not None and reading.dataset.image_size == self._lab.settings().image_size

    def _take_photograph(self, class_name: str, picture: bytes) -> None:
        """Keep a picture from the camera in the calling thread, because the camera waits for the answer."""
        if self._is_locked or self._is_running:
            raise InputError(_("The Lab is busy. Wait until it has finished, then take the picture again."))
        kind = "png" if picture.startswith(b"\x89PNG") else "jpg"
        added = add_images(self.collection, class_name, [(f"camera.{kind}", picture)])
        self._set_collection(added.collection)
        save_edits(added.collection)
        self.train.report.value = _NEW

    def _open_camera(self, class_name: str) -> None:
        self.camera.class_name = class_name
        self._show_part("camera")
        self.camera.start()

    def _close_camera(self) -> None:
        self.camera.stop()
        self._show_classes()

    def _look(self, folder: str) -> None:
        self._show_part("gallery")
        self.gallery.look_at(folder)
        self.gallery.back_button.focus()

    def _show_classes(self) -> None:
        self._show_part("classes")
        self.new_class.class_name.focus()

    def _show_part(self, name: str) -> None:
        """Show the classes, the pictures of one, or the camera: there is room for one of them."""
        self._part = name
        parts = {"classes": self.classes, "gallery": self.gallery, "camera": self._camera_box}
        for part, widget in parts.items():
            widget.layout.display = "" if part == name else "none"
        self.intake.layout.display = "" if name == "classes" else "none"

    def _start(
        self, step: str, work: Callable[[OnEvent, Cancel], object], incoming: Incoming | None = None
    ) -> Run[None] | None:
        """Run a step in a thread, one at a time, and show any error."""
        if self._is_running or self._is_locked:
            if incoming is not None:
                incoming.close()
            self.message.value = alert(_("The Lab is busy. Wait until it has finished, then try again."))
            return None
        self.message.value = ""
        self.columns.hide()
        self._progress.value = progress(_("Images"), 0, 0, step)
        self._show_running(True)

        def on_event(event: events.Event) -> None:
            bar = progress(_("Images"), event.n_done, event.n_total, event.text)
            self._throttle.offer("bar", lambda: setattr(self._progress, "value", bar))

        def run_step(cancel: Cancel) -> None:
            self._cancel = cancel
            try:
                work(on_event, cancel)
            except CancelledError:
                self.message.value = _('<p class="tlw-live" role="status">Stopped: nothing has changed.</p>')
            except Exception as error:
                self.message.value = error_alert(error)
            finally:
                self._show_running(False)

        self.last_run = Run(run_step)
        return self.last_run

    def _read(self, collection: ImageCollection, on_event: OnEvent, cancel: Cancel) -> Reading:
        """Read all images and show a report. An incomplete collection is not an error."""
        try:
            dataset = collection.build(image_size=self._lab.settings().image_size, on_event=on_event, cancel=cancel)
            reading = Reading.of(collection, dataset)
        except InputError as error:
            reading = Reading(collection, problem=str(error))
        self._last_reading = reading
        self._set_collection(collection)
        self.train.show_report(reading)
        return reading

    def _set_collection(self, collection: ImageCollection) -> None:
        is_other = self.collection is None or self.collection.path != collection.path
        self.collection = collection
        if is_other and self._part == "gallery":
            self._show_part("classes")
        self._show_set()

    def _show_set(self) -> None:
        """Show the collection, or that there is none."""
        collection = self.collection
        names = collection.class_names if collection else ()
        text = _("Name a class and add its pictures, or open a folder or zip.")
        if collection:
            n_used = sum(len(collection.used_files(name)) for name in names)
            name, files = escape(collection.name), count_text(n_used)
            text = ngettext(
                "{name}: {files} files in {n} class",
                "{name}: {files} files in {n} classes",
                len(names),
                name=name,
                files=files,
            )
        self._heading.value = _('<h4 class="tlw-title">Images</h4><span>{text}</span>', text=text)
        self.classes.show(collection)
        if collection:
            self.gallery.show(collection)
        self.new_class.show_set(collection.name if collection else "")
        self.camera.class_names = [name for name in names if len(name) <= MAX_NAME]
        self._show_enabled()
        self.show_cost()

    def _edit(self, edit: Edit) -> None:
        """Apply a user's edit of a name or a checkbox."""
        if self.collection is None:
            return
        try:
            if self._is_running or self._is_locked:
                raise InputError(_("The Lab is busy. Wait until it has finished, then change the images."))
            self.message.value = ""
            self._set_collection(edit(self.collection))
            save_edits(self.collection)
            self.train.report.value = _('<p class="tlw-note">Changed. Training reads the images again.</p>')
        except InputError as error:
            self.message.value = alert(str(error))
            self._show_set()  # undo it on the screen

    def _change(self, edit: Edit) -> Run[None] | None:
        """Apply an edit of the split and read the images again, in the background."""
        collection = self.collection
        if collection is None:
            return None

        def work(on_event: OnEvent, cancel: Cancel) -> None:
            changed = edit(collection)
            self._read(changed, on_event, cancel)
            save_edits(changed)

        return self._start(_("reading images"), work)

    def _show_running(self, running: bool) -> None:
        self._is_running = running
        self._progress_row.layout.display = "" if running else "none"
        self._show_enabled()

    def _show_enabled(self) -> None:
        is_free = not self._is_running and not self._is_locked
        for part in (self.intake, self.new_class, self.classes, self.camera):
            part.enabled = is_free
        self.train.show_enabled(is_free and self.collection is not None)
        self.undo_button.disabled = not (is_free and self.collection is not None and self.collection.edits)
        self.undo_button.layout.display = "" if self.collection is not None and self.collection.edits else "none"
