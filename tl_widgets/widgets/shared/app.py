"""App and AppScreen: what TransferLab and StudyLab have in common, from the Run button to the last line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar

from ipywidgets import HTML, Button, VBox

from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.events import Cancel, Event
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.widgets.shared.cells import close_tree, take_place
from tl_widgets.widgets.shared.html import error_alert
from tl_widgets.widgets.shared.live import Throttle
from tl_widgets.widgets.shared.source import DataSource
from tl_widgets.widgets.shared.threads import Run, State
from tl_widgets.widgets.shared.turns import my_turn, preload_tensorflow, wait_for_tensorflow


class Progress(Protocol):
    """The widget that shows how far a run is."""

    def note(self, event: Event) -> None:
        """Remember an event."""

    def draw(self) -> None:
        """Show what is known now."""

    def say(self, text: str) -> None:
        """Show another phase."""


SomeProgress = TypeVar("SomeProgress", bound=Progress)


class AppScreen(Generic[SomeProgress]):
    """The widgets that both apps have beside their controls. It decides nothing: the app calls its methods.

    Attributes:
        run_button, stop_button: start and end a run.
        progress: how far it is.
        message: what went wrong; empty if nothing did.
        throttle: draws at most seven times a second.
        has_result: whether something was found that is still shown.

    Args:
        run_text: on the button that starts.
        progress: as above.
        still_there: what to say of an earlier result when a run finds none.
    """

    def __init__(self, run_text: str, progress: SomeProgress, still_there: str) -> None:
        self.run_button = Button(description=run_text, button_style="primary", icon="play")
        self.stop_button = Button(description="Stop", icon="stop", disabled=True)
        self.progress, self.message, self.state_mark = progress, HTML(), HTML()
        self.throttle = Throttle()
        self.has_result = False
        self._still_there = still_there
        self.children: list[Any] = []
        self.set_state("idle")

    @property
    def still_there(self) -> str:
        """What to say of an earlier result; empty if there is none."""
        return self._still_there if self.has_result else ""

    def set_state(self, state: State) -> None:
        """Mark what the app does, for tests and style sheets."""
        self.state: State = state
        self.state_mark.value = f'<span class="tlw-state" data-state="{state}" hidden></span>'

    def show_running(self, running: bool) -> None:
        """Enable and disable the buttons."""
        self.run_button.disabled, self.stop_button.disabled = running, not running
        if running:
            self.message.value = ""
            self.set_state("running")

    def hear(self, event: Event) -> None:
        """Take an event; draw at most seven times a second."""
        self.progress.note(event)
        self.throttle.offer("progress", self.progress.draw)

    def show_error(self, error: Exception) -> None:
        """Say what went wrong: a sentence, and for the unexpected a traceback to open."""
        self.throttle.flush()
        self.message.value = error_alert(error)
        self.show_failed(f"Not finished.{self.still_there}")

    def show_failed(self, text: str) -> None:
        """Show that nothing came of a run."""
        raise NotImplementedError

    def show_empty_stop(self) -> None:
        """Say that Stop came before there was anything to show."""
        raise NotImplementedError


class Stoppable(Protocol):
    """What a run finds."""

    @property
    def stopped(self) -> bool:
        """Whether Stop came before the end."""


Screen = TypeVar("Screen", bound=AppScreen[Any])
Result = TypeVar("Result", bound=Stoppable)
Images = TypeVar("Images")


class App(VBox, Generic[Screen, Result]):
    """An app in a notebook's cell: one run at a time in the background, Stop, and an end that always comes.

    Attributes:
        screen: its widgets beside the controls, by name.
    """

    _text = "App"  # of the whole app, where no browser shows it
    _busy = "It is running"

    screen: Screen

    def __init__(self, screen: Screen, source: DataSource) -> None:
        self.screen, self._source = screen, source
        self._run: Run[Result] | None = None
        super().__init__(screen.children)
        for name in ("tlw", "tlw-lab"):
            self.add_class(name)
        take_place(self)
        screen.run_button.on_click(lambda _: self.run())
        screen.stop_button.on_click(lambda _: self.stop())

    def __repr__(self) -> str:
        # A fixed text, without addresses and ids: tests of notebooks compare it.
        return f"{self._text} (needs a live notebook)"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:  # noqa: ARG002 - IPython's signature
        preload_tensorflow()  # while somebody looks at the controls
        return super()._repr_mimebundle_()

    @property
    def is_running(self) -> bool:
        """Whether a run is under way."""
        return self._run is not None and self._run.is_running

    @property
    def last_run(self) -> Run[Result] | None:
        """The run that is under way, or the one before; None before the first."""
        return self._run

    @property
    def state(self) -> State:
        """What the app does: "idle", "running", or how the last run ended: "done", "stopped" or "error"."""
        return self.screen.state

    @property
    def message(self) -> str:
        """What the app says went wrong, as HTML; empty if nothing did."""
        return str(self.screen.message.value)

    def run(self, *, wait: bool = False) -> Run[Result]:
        """Start a run in the background."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop what is under way; it takes one batch at most. What was found before stays."""
        if self.is_running:
            self._run.stop()  # type: ignore[union-attr]  # a run that is running is one

    def close(self) -> None:
        """Stop, and take the app and all its parts away."""
        if not hasattr(self, "screen"):
            return  # Python deletes an app that was refused before it was made
        self.stop()
        self._forget()
        close_tree(self)
        if not self.is_running:
            self._run = None

    def _forget(self) -> None:
        """Let go of images and models: IPython's Out holds on to old apps, whose results stay readable."""
        self._source.forget()

    def _require_idle(self, wish: str) -> None:
        """Raise InputError during a run.

        Args:
            wish: what would have to wait: "change its settings".
        """
        if self.is_running:
            raise InputError(f"{self._busy}: wait for the end, or stop it, before you {wish}.")

    def _start(self, measure: Callable[[Cancel], Result], *, wait: bool) -> Run[Result]:
        """Measure something in the background; a run that is under way goes on instead.

        Args:
            measure: takes the event that stops it; finds something and shows it.
            wait: whether to come back only when it has ended.
        """
        run = self._run
        if run is None or not run.is_running:
            self._show_running(True)
            run = self._run = Run(lambda cancel: self._measure_safely(measure, cancel))
        if wait:
            run.wait()
        return run

    def _measure_safely(self, measure: Callable[[Cancel], Result], cancel: Cancel) -> Result | None:
        """One run, in its thread: whatever happens, the buttons come back."""
        state: State = "error"
        result = None
        try:
            result = measure(cancel)
            state = "stopped" if result.stopped else "done"
        except CancelledError:
            self.screen.show_empty_stop()
            state = "stopped"
        except Exception as error:
            self.screen.show_error(error)
        finally:
            self._after_run()
            self._show_running(False)
            self.screen.set_state(state)  # last: whoever waits for it finds the buttons ready
        return result

    @contextmanager
    def _turn(self, cancel: Cancel, load: Callable[[], Images]) -> Iterator[Images]:
        """Wait until no other app trains, load the images and TensorFlow, and hold the turn.

        Args:
            cancel: ends the wait.
            load: returns the images.
        """
        with my_turn(cancel, lambda: self.screen.progress.say("waiting for another Lab to finish")):
            images = load()
            wait_for_tensorflow(cancel, lambda: self.screen.progress.say("loading TensorFlow"))
            yield images

    def _after_run(self) -> None:
        """Bring the controls to what a run may have changed, even where it failed."""

    def _show_running(self, running: bool) -> None:
        self.screen.show_running(running)


def require_own_dataset(dataset: object, app: str, otherwise: str) -> None:
    """Raise InputError unless an app gets a data set that it can use, or none.

    Args:
        dataset: what was given.
        app: its name.
        otherwise: how to choose a built-in one.
    """
    if dataset is not None and not isinstance(dataset, ImageDataset):
        raise InputError(
            f"{app} takes an ImageDataset of your own (load_folder makes one); received {dataset!r}. For a built-in "
            f"one, choose it in the app, or give {otherwise}."
        )
