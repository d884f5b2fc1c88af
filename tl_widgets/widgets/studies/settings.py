"""The settings of StudyLab as data, without widgets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tl_widgets.core.arguments import checked
from tl_widgets.core.errors import InputError
from tl_widgets.core.settings import Setting, settings_of
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _
from tl_widgets.studies.arguments import StudyArguments
from tl_widgets.studies.registry import find_study


@dataclass(frozen=True)
class StudySettings:
    """A study and the values of its controls.

    Attributes:
        study: a name in `tl_widgets.studies.registry.STUDIES`.
        values: values of all controls by name; those that are not given have their defaults.
        arguments: the study's arguments with these values.

    Raises:
        InputError: the study or a control does not exist, or a value is not allowed.
    """

    study: str = "data"
    values: Mapping[str, Any] = field(default_factory=dict)
    arguments: StudyArguments = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        study = find_study(self.study)
        names = [control.name for control in controls_of(self.study)]
        if not isinstance(self.values, Mapping):
            raise InputError(
                _("values must map names of controls to values; received {values}.", values=shown(self.values))
            )
        unknown = [name for name in self.values if name not in names]
        if unknown:
            raise InputError(
                _(
                    "The study {study!r} has no control {unknown!r}; it has {names}.",
                    study=self.study,
                    unknown=unknown[0],
                    names=", ".join(names),
                )
            )
        arguments = study.arguments(**self.values)
        object.__setattr__(self, "arguments", arguments)
        object.__setattr__(self, "values", {name: getattr(arguments, name) for name in names})

    @checked
    def with_values(self, values: Mapping[str, Any]) -> StudySettings:
        """Return a copy with other values of some controls, by name.

        Raises:
            InputError: a control does not exist, or a value is not allowed.
        """
        return StudySettings(self.study, {**self.values, **values})

    def fitted(self, most: int) -> StudySettings:
        """Return settings that ask for at most `most` training images per class."""
        fitted = self.arguments.fitted(most)
        return self.with_values({name: getattr(fitted, name) for name in self.values})


def controls_of(study: str) -> tuple[Setting, ...]:
    """Return the settings of a study that have a field on its form.

    Raises:
        InputError: no study has this name.
    """
    return tuple(setting for setting in settings_of(find_study(study).arguments).values() if setting.label)
