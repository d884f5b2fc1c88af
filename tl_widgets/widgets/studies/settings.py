"""What a StudyLab is set to, as data. No widget in here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tl_widgets.core.errors import InputError
from tl_widgets.widgets.shared.settings import LabSettings
from tl_widgets.widgets.studies.panels import PANELS


@dataclass(frozen=True)
class StudySettings:
    """A study and the values of its controls.

    Attributes:
        study: a name in `tl_widgets.studies.registry.STUDIES`.
        values: of all its controls by their names; those that are not given have their first values.

    Raises:
        InputError: there is no such study or control, or a value is not allowed.
    """

    study: str = "data"
    values: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.study not in PANELS:
            raise InputError(f"There is no study {self.study!r}; there are {', '.join(PANELS)}.")
        fields = {each.name: each for each in PANELS[self.study].fields}
        if not isinstance(self.values, Mapping):
            raise InputError(f"values must map names of controls to values; received {self.values!r}.")
        unknown = [name for name in self.values if name not in fields]
        if unknown:
            raise InputError(f"The study {self.study!r} has no control {unknown[0]!r}; it has {', '.join(fields)}.")
        for name, value in self.values.items():
            fields[name].check(value)
        whole = {name: self.values.get(name, each.default) for name, each in fields.items()}
        object.__setattr__(self, "values", whole)

    def with_values(self, values: Mapping[str, Any]) -> StudySettings:
        """A copy with some values changed.

        Args:
            values: by their controls' names.

        Raises:
            InputError: there is no such control, or a value is not allowed.
        """
        return StudySettings(self.study, {**self.values, **values})

    @property
    def images(self) -> LabSettings:
        """Which images it is about, as a Lab says it."""
        names = [name for name in ("dataset", "image_size", "n_per_class") if name in self.values]
        return LabSettings().with_values({name: self.values[name] for name in names})
