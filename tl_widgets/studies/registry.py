"""All studies by name, for the terminal and for StudyLab."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields, replace
from importlib import import_module
from typing import Any

from tl_widgets.core.errors import InputError
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _, from_english
from tl_widgets.records.codec import load
from tl_widgets.studies.study import AnyStudy, Study, StudyResult

# The folder of each study.
_FOLDERS = (
    "learning_curve",
    "time",
    "backbones",
    "fine_tuning",
    "depth",
    "heads",
    "mistake",
    "inside",
    "repeat",
    "stress",
    "label_noise",
    "opponent",
    "calibration",
    "image_size",
    "cures",
)
# What a learner wants to know, by topic, in the order of StudyLab.
TOPICS = {
    "effort": _("What does it take?"),
    "models": _("Which model?"),
    "faults": _("Why does it fail?"),
    "trust": _("Can I trust it?"),
}
STUDIES: dict[str, AnyStudy] = {}


def register(study: Study[Any, Any]) -> None:
    """Offer a study in the terminal and in StudyLab.

    Raises:
        InputError: another study has this name, or there is no such topic.
    """
    if study.topic not in TOPICS:
        raise InputError(
            _("There is no topic {topic}; choose one of {topics}.", topic=shown(study.topic), topics=", ".join(TOPICS))
        )
    if STUDIES.setdefault(study.name, study) is not study:
        raise InputError(_("There is already a study {study_name!r}. Give yours another name.", study_name=study.name))


for _folder in _FOLDERS:
    register(import_module(f"tl_widgets.studies.{_folder}").STUDY)


def find_study(name: str) -> AnyStudy:
    """Return the study with this name.

    Raises:
        InputError: no study has this name.
    """
    if name not in STUDIES:
        raise InputError(
            _("There is no study {name}; choose one of {studies}.", name=shown(name), studies=", ".join(STUDIES))
        )
    return STUDIES[name]


def read_study(text: str, names: Collection[str]) -> tuple[str, StudyResult]:
    """Read a record of one of these studies; return the study's name and the result.

    Raises:
        InputError: the text is not a record of one of these studies.
    """
    try:
        # The record of a comparison is older than the studies and does not name its class.
        kind = load(text).get("study", "Comparison")
    except InputError as error:
        raise InputError(_("This is not a record of a study ({error}).", error=error)) from None
    for name in names:
        if (result := STUDIES[name].read(text, kind)) is not None:
            return name, _in_readers_language(result)
    questions = ", ".join(f"“{STUDIES[name].question}”" for name in names)
    raise InputError(
        _(
            "This is a record of {kind!r:.60}; only records of {questions} can be shown here.",
            kind=kind,
            questions=questions,
        )
    )


def _in_readers_language(result: Any) -> Any:
    """Return a result that was read with its sentences, which a record holds in English, in the reader's language."""
    from tl_widgets.records.comparison import Comparison
    from tl_widgets.records.verdict import in_readers_language

    if isinstance(result, Comparison):
        return in_readers_language(result)
    changes: dict[str, Any] = {}
    names = {field.name for field in fields(result)}
    if "failures" in names:
        changes["failures"] = tuple(
            replace(failure, point=from_english(failure.point), text=from_english(failure.text))
            for failure in result.failures
        )
    if "left_out" in names:
        changes["left_out"] = tuple(map(from_english, result.left_out))
    return replace(result, **changes)
