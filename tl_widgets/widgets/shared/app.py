"""App and AppScreen, the base classes of TransferLab and StudyLab and of their screens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar

from ipywidgets import HTML, Button, VBox

from tl_widgets.core.config import Config
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.events import Cancel, Event
from tl_widgets.core.model_name import heading_of
from tl_widgets.core.numbers import rough_duration
from tl_widgets.core.resources import release_memory
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.experiments.comparison import RunCache
from tl_widgets.experiments.seconds import Speed
from tl_widgets.widgets.shared.cells import close_previous_apps, close_tree
from tl_widgets.widgets.shared.html import error_alert, note
from tl_widgets.widgets.shared.keys import KeyGuard
from tl_widgets.widgets.shared.live import Throttle
from tl_widgets.widgets.shared.paper import Paper
from tl_widgets.widgets.shared.source import DataSource
from tl_widgets.widgets.shared.threads import Run, State, start_relay
from tl_widgets.widgets.shared.turns import measure_when_idle, preload_tensorflow, training_lock, wait_for_tensorflow

_LONG = 5.0  # seconds
_KEPT = _("Trained before with these settings: the results are kept, so nothing is trained again")


class Progress(Protocol):
    """A widget that shows the progress of a run."""

    def add_event(self, event: Event) -> None:
        """Record an event without drawing."""

    def draw(self) -> None:
        """Show the current progress."""

    def show_text(self, text: str) -> None:
        """Show the name of a new phase."""


ProgressType = TypeVar("ProgressType", bound=Progress)


class AppScreen(Generic[ProgressType]):
    """The widgets that both apps show next to their controls. The app decides; the screen only displays.

    Attributes:
        message: HTML that explains the last error; empty if there was none.
        advice: HTML that says what to lower if a run would take long.
        has_result: whether the screen still shows a finished result.
    """

    def __init__(self, run_text: str, progress: ProgressType, earlier_result_text: str) -> None:
        self._run_text = run_text
        self.run_button = Button(description=run_text, button_style="primary", icon="play")
        self.stop_button = Button(description=_("Stop"), icon="stop", disabled=True)
        self.progress, self.message, self.state_mark = progress, HTML(), HTML()
        self.advice, self.throttle = HTML(), Throttle()
        self.has_result = False
        self._earlier_result_text = earlier_result_text
        self.children: list[Any] = []
        self.set_state("idle")

    @property
    def earlier_result_text(self) -> str:
        """The sentence about an earlier result; empty if there is none."""
        return self._earlier_result_text if self.has_result else ""

    def set_state(self, state: State) -> None:
        """Set the app's state, also in the page, where tests and style sheets find it."""
        self.state: State = state
        self.state_mark.value = f'<span class="tlw-state" data-state="{state}" hidden></span>'

    def show_running(self, running: bool) -> None:
        """Enable or disable the buttons; clear the message when a run starts."""
        self.run_button.disabled, self.stop_button.disabled = running, not running
        self.advice.layout.display = "none" if running else ""
        if running:
            self.message.value = ""
            self.set_state("running")

    def show_seconds(
        self, seconds: float | None, advice: str = "", *, kept: Sequence[str] = (), n_models: int = 0
    ) -> None:
        """Say on the button what a run costs; None if it is impossible.

        Args:
            seconds: the estimate.
            advice: says what to lower.
            kept: models that a run only shows, because they were trained before.
            n_models: how many a run has.
        """
        cost, are_all_kept = "" if seconds is None else f" · {rough_duration(seconds)}", len(kept) == n_models
        in_short = _("(kept)") if are_all_kept else _("({n} kept)", n=len(kept))
        self.run_button.description = self._run_text + cost + (f" {in_short}" if kept and cost else "")
        partly = _(
            "Trained before with these settings, so the results are kept: {models}",
            models=", ".join(map(heading_of, kept)),
        )
        self.run_button.tooltip = advice if not kept else _KEPT if are_all_kept else partly
        self.advice.value = note(_("This takes {advice}.", advice=advice)) if advice else ""

    def on_event(self, event: Event) -> None:
        """Record an event, and redraw if enough time has passed."""
        self.progress.add_event(event)
        self.throttle.offer("progress", self.progress.draw)

    def show_error(self, error: Exception) -> None:
        """Explain an error in a sentence; an unexpected one also gets a traceback that opens on a click."""
        self.throttle.flush()
        self.message.value = error_alert(error)
        self.show_failed(_("Not finished.{earlier_result_text}", earlier_result_text=self.earlier_result_text))

    def show_failed(self, text: str) -> None:
        """Show that a run ended without a result."""
        raise NotImplementedError

    def show_empty_stop(self) -> None:
        """Show that the run was stopped before it had a result."""
        raise NotImplementedError


class Stoppable(Protocol):
    """The result of a run."""

    @property
    def stopped(self) -> bool:
        """Whether the run was stopped early."""


Screen = TypeVar("Screen", bound=AppScreen[Any])
Result = TypeVar("Result", bound=Stoppable)
Images = TypeVar("Images")


class App(VBox, Generic[Screen, Result]):
    """An app in a notebook cell. It has one run at a time, in the background, which Stop ends.

    Attributes:
        screen: the widgets next to the controls.
        paper: what remains where no kernel runs.
    """

    _text = "App"  # represents the app where no browser shows it
    _busy = _("It is running")

    screen: Screen

    def __init__(self, screen: Screen, source: DataSource) -> None:
        start_relay()
        self.screen, self._source = screen, source
        self._run: Run[Result] | None = None
        self.paper = Paper(_("{text}. It needs a running kernel: run this cell.", text=self._text))
        super().__init__([*screen.children, KeyGuard()])
        for name in ("tlw", "tlw-lab"):
            self.add_class(name)
        self._place = close_previous_apps(self)
        screen.run_button.on_click(lambda _: self.run())
        screen.stop_button.on_click(lambda _: self.stop())

    def __repr__(self) -> str:
        # No addresses or ids: notebook tests compare this text.
        return _("{text} (needs a live notebook)", text=self._text)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        preload_tensorflow()  # while the user looks at the controls
        display(self._repr_mimebundle_(), raw=True)
        self.paper.display()
        measure_when_idle(self._measure_speed, self._show_cost)

    @property
    def _timed(self) -> tuple[Config, int, RunCache]:
        """The settings, image size and cache with which this machine's speed is measured."""
        raise NotImplementedError

    def _measure_speed(self, cancel: Cancel) -> Speed:
        from tl_widgets.experiments.speed import measure_speed

        return measure_speed(*self._timed, cancel)

    def _show_cost(self) -> None:
        """Show what a run costs, because the estimate has changed."""
        raise NotImplementedError

    @property
    def is_running(self) -> bool:
        """Whether a run is in progress."""
        return self._run is not None and self._run.is_running

    @property
    def last_run(self) -> Run[Result] | None:
        """The run in progress, or else the last one; None before the first."""
        return self._run

    @property
    def state(self) -> State:
        """The app's state: "idle" or "running", or how the last run ended: "done", "stopped" or "error"."""
        return self.screen.state

    @property
    def message(self) -> str:
        """The error message on the screen, as HTML; empty if there is none."""
        return str(self.screen.message.value)

    def run(self, *, wait: bool = False) -> Run[Result]:
        """Start a run in the background."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop the run within one batch. Earlier results stay."""
        if self.is_running:
            self._run.stop()  # type: ignore[union-attr]  # not None while running

    def close(self) -> None:
        """Stop the run and close the app with all its widgets."""
        if not hasattr(self, "screen"):
            return  # __init__ failed early, and Python is deleting the object
        self.stop()
        self._release()
        close_tree(self)
        if not self.is_running:
            self._run = None

    def _release(self) -> None:
        """Release images and models. IPython's Out keeps old apps alive, and their results stay readable."""
        self._source.release()

    def _require_idle(self, action: str) -> None:
        """Raise InputError during a run; `action` says what has to wait, as in "change its settings"."""
        if self.is_running:
            raise InputError(
                _(
                    "{busy}. Wait until it has finished, or stop it, before you {action}.",
                    busy=self._busy,
                    action=action,
                )
            )

    def _start(self, measure: Callable[[Cancel], Result], *, wait: bool) -> Run[Result]:
        """Run `measure` in the background, or return the run that is already in progress."""
        run = self._run
        if run is None or not run.is_running:
            self._show_running(True)
            run = self._run = Run(lambda cancel: self._measure_safely(measure, cancel))
        if wait:
            run.wait()
        return run

    def _measure_safely(self, measure: Callable[[Cancel], Result], cancel: Cancel) -> Result | None:
        """Run `measure` in its thread, show how it ended, and always restore the buttons."""
        state: State = "error"
        result, started = None, time.monotonic()
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
            self.screen.set_state(state)  # last: when the state changes, the buttons are ready
            if time.monotonic() - started > _LONG:  # a short run leaves little, and the next one may wait for this
                release_memory()
        return result

    @contextmanager
    def _training_session(self, cancel: Cancel, load: Callable[[], Images]) -> Iterator[Images]:
        """Wait for other apps, load the images and TensorFlow, and let no other app train in this context."""
        with training_lock(cancel, lambda: self.screen.progress.show_text(_("waiting for other work to finish"))):
            images = load()
            wait_for_tensorflow(cancel, lambda: self.screen.progress.show_text(_("loading TensorFlow")))
            yield images

    def _after_run(self) -> None:
        """Update controls that a run may have affected, even if it failed."""

    def _show_running(self, running: bool) -> None:
        self.screen.show_running(running)


def require_own_dataset(dataset: object, app: str, alternative: str) -> None:
    """Raise InputError unless `dataset` is an ImageDataset or None; `alternative` is for built-in ones."""
    if dataset is not None and not isinstance(dataset, ImageDataset):
        raise InputError(
            _(
                "{app} takes your own ImageDataset, which load_folder returns; received {dataset}. To "
                "use a built-in data set, choose it in the app or pass {alternative}.",
                app=app,
                dataset=shown(dataset),
                alternative=alternative,
            )
        )
