"""What a Lab is set to, as data: the one place that holds it. No widget in here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from tl_widgets.core.config import Config, FineTuningSpec, ScratchSpec
from tl_widgets.core.errors import InputError
from tl_widgets.data.dataset import MAX_IMAGE_SIZE, MIN_IMAGE_SIZE, require_whole_number
from tl_widgets.records.comparison_json import config_from_record

FORMAT = 1
# Fields of Config that have a control each; of the others the parts have.
_CONFIG = tuple(each.name for each in fields(Config) if each.name not in ("scratch", "fine_tuning"))


@dataclass(frozen=True)
class LabSettings:
    """Everything that the controls of a Lab say.

    Attributes:
        dataset: name of a built-in data set (`list_datasets`), or of the Lab's own one.
        image_size: side of the square images in pixels, 16-512.
        n_per_class: training images of each class; None takes all.
        config: what `compare` is told.
        classes: names of the classes to use, at least two; None for all.
    """

    dataset: str = "textures"
    image_size: int = 96
    n_per_class: int | None = None
    config: Config = field(default_factory=Config)
    classes: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.dataset, str) or not self.dataset:
            raise InputError(f"dataset must be the name of a data set; received {self.dataset!r}.")
        require_whole_number("image_size", self.image_size, MIN_IMAGE_SIZE, MAX_IMAGE_SIZE)
        if self.classes is not None:
            names = () if isinstance(self.classes, str) else tuple(self.classes)
            if len(set(names)) < 2 or not all(isinstance(name, str) for name in names):
                raise InputError(f"classes={self.classes!r}; choose at least two by their names, or None for all.")
            object.__setattr__(self, "classes", names)
        if self.n_per_class is not None:
            require_whole_number("n_per_class", self.n_per_class, 1)

    @property
    def values(self) -> dict[str, Any]:
        """Every setting by its control's name, in the controls' order."""
        data = {name: getattr(self, name) for name in ("dataset", "classes", "image_size", "n_per_class")}
        scratch = {each.name: getattr(self.config.scratch, each.name) for each in fields(ScratchSpec)}
        config = {name: getattr(self.config, name) for name in _CONFIG}
        tuning = self.config.fine_tuning
        return {**data, **scratch, **config, "fine_tune_blocks": tuning.n_blocks if tuning else 0}

    def with_values(self, values: Mapping[str, Any]) -> LabSettings:
        """A copy with some settings changed.

        Args:
            values: by their controls' names, as in `values`.

        Raises:
            InputError: there is no such setting, or a value is not allowed.
        """
        unknown = [name for name in values if name not in self.values]
        if unknown:
            raise InputError(f"There is no setting {unknown[0]!r}; there are {', '.join(self.values)}.")
        try:
            scratch = replace(self.config.scratch, **_those_of(ScratchSpec, values))
            config = replace(self.config, scratch=scratch, **_those_of(Config, values))
            if "fine_tune_blocks" in values:
                config = replace(config, fine_tuning=_fine_tuning(config.fine_tuning, values["fine_tune_blocks"]))
            return replace(self, config=config, **_those_of(LabSettings, values))
        except TypeError as error:  # a text where a number must be
            raise InputError(f"A setting has a value of the wrong kind ({error}): {dict(values)!r}.") from None

    def to_json(self) -> str:
        """As JSON text; `from_json` reads it back."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1)

    @staticmethod
    def from_json(text: str) -> LabSettings:
        """Read what `to_json` wrote.

        Raises:
            InputError: it is not such a text, or a value is not allowed.
        """
        try:
            record = json.loads(text)
            if record.pop("format") != FORMAT:
                raise InputError(f"These settings have another format than {FORMAT}, the one that this version reads.")
            return LabSettings(**{**record, "config": config_from_record(record["config"])})
        except InputError:
            raise
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(
                f"This text holds no settings of a Lab ({type(error).__name__}: {error}). "
                "Give the text that lab.settings.to_json() made."
            ) from None


def _those_of(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    names = {each.name for each in fields(kind)} - {"config", "scratch", "fine_tuning"}
    return {name: value for name, value in values.items() if name in names}


def _fine_tuning(spec: FineTuningSpec | None, n_blocks: Any) -> FineTuningSpec | None:
    return None if n_blocks == 0 else replace(spec or FineTuningSpec(), n_blocks=n_blocks)


def differences(many: list[LabSettings]) -> dict[str, list[Any]]:
    """The settings that are not the same in all, each with its value in every one of them.

    Args:
        many: any number of settings.
    """
    if not many:
        return {}
    columns = {name: [each.values[name] for each in many] for name in many[0].values}
    return {name: column for name, column in columns.items() if any(value != column[0] for value in column)}
