"""KeptRuns, the runs and settings of a Lab that the next kernel takes up. There are no widgets here."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime

from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.events import Cancel, raise_if_cancelled
from tl_widgets.core.kept_files import MOST_FILES, KeptFiles, time_text
from tl_widgets.core.paths import is_elsewhere
from tl_widgets.core.translation import _, ngettext
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.experiments.comparison import RunCache
from tl_widgets.records.codec import load
from tl_widgets.records.comparison import Comparison
from tl_widgets.widgets.lab.restore import read_record
from tl_widgets.widgets.lab.runs import LabRun
from tl_widgets.widgets.shared.files import kept_text, read_kept
from tl_widgets.widgets.shared.settings import CONTROLS, LabSettings
from tl_widgets.widgets.shared.threads import log
from tl_widgets.widgets.shared.turns import training_lock, wait_for_tensorflow

_MOST_RUNS = 1_000_000  # as a run's number
_PATIENCE = 60  # seconds that a new run waits for the old ones to be read
_N_ASKED = 4  # test images, to see whether models are the same


class KeptRuns:
    """The runs of a Lab, also in files beside the notebook: each with its settings and its record, without models.

    Attributes:
        runs: the runs, the oldest first.
    """

    def __init__(self) -> None:
        self.runs: list[LabRun] = []
        self._files = KeptFiles("")
        self._last: datetime | None = None
        self._stored = ""  # the name of the models that are stored, those of the last run that was whole
        self._is_read = threading.Event()
        self._is_read.set()

    def open(self, place: str, own: ImageDataset | None) -> bool:
        """Look for runs that were kept, and return whether `take_up` has to read any, before others are added.

        Args:
            place: the Lab's place in the notebook; "" if it has none.
            own: the images that the Lab was made for: with others, it takes up none of these runs.
        """
        promise = _("A new kernel shows the newest {n} runs again, without images.", n=MOST_FILES)
        self._files = KeptFiles(place and f"{place} {own.fingerprint if own is not None else ''}", promise)
        are_there = self._files.are_there
        if are_there:
            self._is_read.clear()
        return are_there

    def wait(self, seconds: float) -> None:
        """Wait until the runs are read, for some seconds at most."""
        self._is_read.wait(seconds)

    def take_up(self, cancel: Cancel | None = None) -> None:
        """Read the runs that were kept; what can't be used is set aside.

        Raises:
            CancelledError: `cancel` was set.
        """
        try:
            self._take_up(cancel)
        finally:
            self._is_read.set()

    def _take_up(self, cancel: Cancel | None) -> None:
        for kept, run in self._files.read(lambda text: _read(text, self._next_number)):
            raise_if_cancelled(cancel)
            self.runs.append(run)
            self._last = kept.time
            if run.result.is_whole:
                self._stored = kept.checksum

    @property
    def _next_number(self) -> int:
        return self.runs[-1].number + 1 if self.runs else 1

    @property
    def about(self) -> str:
        """Where the runs are kept, and which can't be used, in sentences."""
        return " ".join([self._files.about, *self._files.problems])

    def settings(self, current: LabSettings, show: Collection[str] | None) -> LabSettings | None:
        """Return the settings that were set last; None if that isn't known.

        Args:
            current: what stays where a control isn't shown: the cell may have been changed.
            show: names of the controls that the Lab shows; None for all.
        """
        with suppress(InputError):
            settings = LabSettings.from_json(self._files.settings())
            if is_elsewhere(settings.config.weights or ""):  # anybody may have written the file
                return None
            names = CONTROLS if show is None else {*show, *(("filters", "kernel_sizes") if "blocks" in show else ())}
            return current.with_values({name: value for name, value in settings.values.items() if name in names})
        return None

    def add(self, settings: LabSettings, result: Comparison, source: str = "") -> LabRun:
        """Add a run and keep it; `source` is the name of the record that it was loaded from."""
        self.wait(_PATIENCE)
        run = LabRun(self._next_number, settings, result.without_models(), source)
        self.runs.append(run)
        try:
            self._keep(run, result)
        except Exception:  # a result that can't be kept is still a result
            log.exception("a run could not be kept")
        return run

    def _keep(self, run: LabRun, result: Comparison) -> None:
        parts = {"settings": load(run.settings.to_json()), "record": load(run.result.to_json())}
        name = self._files.add(kept_text({"number": run.number, "source": run.source, **parts}))
        if name and result.is_whole:
            from tl_widgets.experiments.model_store import forget_models, write_models

            forget_models(self._stored)
            write_models(name, result)
            self._stored = name

    @property
    def has_models(self) -> bool:
        """Whether the models of the last whole run are stored."""
        from tl_widgets.experiments.model_store import has_models

        return has_models(self._stored)

    def with_models(
        self, result: Comparison, dataset: ImageDataset | None, cache: RunCache, cancel: Cancel
    ) -> Comparison | None:
        """Return the last whole result that was taken up with its models; None if that isn't possible.

        Args:
            result: without its models.
            dataset: its images; None if they aren't here.
            cache: gets the models, which then needn't be trained again.
            cancel: stops building a backbone.

        Raises:
            CancelledError: `cancel` was set.
        """
        try:
            return self._with_models(result, dataset, cache, cancel)
        except CancelledError:
            raise
        except InputError:  # too little memory, for example
            return None
        except Exception:  # a result without its models is still a result
            log.exception("the models of a run could not be built again")
            return None

    def _with_models(
        self, result: Comparison, dataset: ImageDataset | None, cache: RunCache, cancel: Cancel
    ) -> Comparison | None:
        from tl_widgets.experiments.arms import put_into_cache
        from tl_widgets.experiments.comparison import environment
        from tl_widgets.experiments.model_store import answers_again, read_models

        with training_lock(cancel, lambda: None):
            wait_for_tensorflow(cancel, lambda: None)
            comparison = read_models(self._stored, result, cache, cancel)
            if comparison is not None and dataset is not None and comparison.config.folds == 1:
                if not answers_again(comparison, dataset.test.images[:_N_ASKED]):
                    return None
                if comparison.environment == environment():
                    put_into_cache(cache, dataset, comparison.config, comparison.runs)
        return comparison

    def keep_settings(self, settings: LabSettings) -> None:
        """Keep the settings of the controls."""
        self._files.keep_settings(settings.to_json())

    def forget(self) -> None:
        """Forget the runs, and delete what is kept."""
        from tl_widgets.experiments.model_store import forget_models

        self.wait(_PATIENCE)
        self.runs.clear()
        self._files.forget()
        forget_models(self._stored)

    @property
    def greeting(self) -> str:
        """A sentence about the runs that were taken up; "" if there are none."""
        if self._last is None:
            return ""
        time = time_text(self._last, datetime.now().astimezone())
        n = len(self.runs)
        text = ngettext("Here again: {n} run from {time}.", "Here again: {n} runs, the last from {time}.", n, time=time)
        return " ".join([text, _("Not all can be read: see the tab Runs.")]) if self._files.problems else text


def _read(text: str, least: int) -> LabRun:
    """Return a run whose number is at least `least`.

    Raises:
        InputError: it is no such file; NewerVersionError: a newer version wrote it.
    """
    plain = read_kept(text)
    number, source = plain.get("number"), plain.get("source")
    if not (isinstance(source, str) and isinstance(number, int) and 0 < number < _MOST_RUNS):
        raise InputError(_("it isn't a run of a Lab"))
    settings = LabSettings.from_json(json.dumps(plain.get("settings")))
    result = read_record(_("its record"), json.dumps(plain.get("record")).encode())
    # Two kernels may have counted alike.
    return LabRun(max(number, least), settings, result, source)
