"""KeptStudies, the results of StudyLab that the next kernel shows again. There are no widgets here."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from json import dumps
from typing import Any

from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, raise_if_cancelled
from tl_widgets.core.kept_files import KeptFiles
from tl_widgets.core.paths import is_elsewhere
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.records.codec import load
from tl_widgets.studies.registry import STUDIES, read_study
from tl_widgets.studies.study import StudyResult
from tl_widgets.widgets.shared.files import kept_text, read_kept
from tl_widgets.widgets.shared.threads import log
from tl_widgets.widgets.studies.settings import StudySettings


@dataclass(frozen=True)
class KeptStudy:
    """A result that was kept.

    Attributes:
        study: the study's name.
        result: the result.
        settings: the settings that it was measured with; None if they aren't possible any more.
        guess: place of the learner's guess among the options, or None.
        time: when it was measured, in local time.
    """

    study: str
    result: StudyResult
    settings: StudySettings | None
    guess: int | None
    time: datetime


class KeptStudies:
    """The results of a StudyLab in files beside the notebook.

    Args:
        studies: names of the studies that the app offers; what was kept of others is left alone.
    """

    def __init__(self, studies: Collection[str]) -> None:
        self._studies = studies
        self._files = KeptFiles("")

    def open(self, place: str, own: ImageDataset | None) -> bool:
        """Look for results that were kept, and return whether there are any.

        Args:
            place: the app's place in the notebook; "" if it has none.
            own: the images that the app was made for: with others, it shows none of these results.
        """
        promise = _(
            "A new kernel shows the last result of each study again. Images aren't kept, except the few that a figure "
            "shows."
        )
        self._files = KeptFiles(place and f"{place} {own.fingerprint if own is not None else ''}", promise)
        return self._files.are_there

    @property
    def about(self) -> str:
        """Where the results are kept, and which can't be used, in sentences."""
        return " ".join([self._files.about, *self._files.problems])

    def last_results(self, cancel: Cancel) -> list[KeptStudy]:
        """Return the last result of each study, the newest at the end.

        Raises:
            CancelledError: `cancel` was set.
        """
        found: dict[str, KeptStudy] = {}
        for kept, parts in self._files.read(self._parse):
            raise_if_cancelled(cancel)
            if parts is not None:
                study, result, settings, guess = parts
                found.pop(study, None)
                found[study] = KeptStudy(study, result, settings, guess, kept.time)
        return list(found.values())

    def _parse(self, text: str) -> tuple[str, StudyResult, StudySettings | None, int | None] | None:
        """Return what a file holds; None if it is of a study that the app doesn't offer."""
        parts = read_kept(text)
        name, guess = parts.get("study"), parts.get("guess")
        if not isinstance(name, str):
            raise InputError(_("it isn't a result of a study"))
        if name not in STUDIES or name not in self._studies:
            return None
        study, result = read_study(dumps(parts.get("record")), (name,))
        return study, result, _settings(name, parts.get("values")), guess if type(guess) is int else None

    def add(self, settings: StudySettings, result: StudyResult, guess: int | None) -> None:
        """Keep a result, with the settings that it was measured with and the place of the learner's guess."""
        try:
            parts = {"study": settings.study, "values": dict(settings.values), "guess": guess}
            self._files.add(kept_text({**parts, "record": load(result.to_json())}))
        except Exception:  # a result that can't be kept is still a result
            log.exception("a result could not be kept")

    def forget(self) -> None:
        """Delete what is kept."""
        self._files.forget()


def _settings(study: str, values: Any) -> StudySettings | None:
    """Return the settings with these values, which anybody may have written; None if they aren't possible."""
    with suppress(InputError, AttributeError):
        plain = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        # Even a look at a path on another machine would contact it.
        if not any(isinstance(value, str) and is_elsewhere(value) for value in plain.values()):
            return StudySettings(study, plain)
    return None
