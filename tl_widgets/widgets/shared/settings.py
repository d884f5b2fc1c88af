"""LabSettings, everything that the controls of a Lab set. There are no widgets here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tl_widgets.core.config import GROUPS, Config, ImageSettings
from tl_widgets.core.errors import InputError
from tl_widgets.core.settings import Part, Settings, flat_settings, same_setting, setting
from tl_widgets.core.translation import _
from tl_widgets.records.codec import FORMAT, dump, from_plain, load, to_plain


@dataclass(frozen=True)
class LabSettings(Settings):
    """Everything that the controls of a Lab set.

    Attributes:
        dataset: name of a built-in data set (`list_datasets`), or of the learner's own in the Lab.
        image_size: side of the square images in pixels, 16-512.
        n_per_class: number of training images of each class; None takes all.
        config: configuration of `compare`.
        classes: names of the classes to use, at least two; None for all.
    """

    dataset: str = same_setting(ImageSettings, "dataset")
    image_size: int = same_setting(ImageSettings, "image_size")
    n_per_class: int | None = same_setting(ImageSettings, "n_per_class")
    config: Config = setting(Config(), Part(Config, "Config(epochs=5)"), _("Config"), _("Everything but the images"))
    classes: tuple[str, ...] | None = same_setting(ImageSettings, "classes")

    @property
    def values(self) -> dict[str, Any]:
        """Every setting by the name of its control, in the controls' order."""
        values = super().values
        return {name: values[name] for name in CONTROLS}

    def to_json(self) -> str:
        """Return the settings as JSON text, which `from_json` reads back."""
        return dump({"format": FORMAT, **to_plain(self)})

    @staticmethod
    def from_json(text: str) -> LabSettings:
        """Return the settings in a text that `to_json` wrote."""
        try:
            record = load(text)
            if record.pop("format", None) != FORMAT:
                raise InputError(
                    _("they do not have format {format}, the only one that this version reads", format=FORMAT)
                )
            return from_plain(LabSettings, record)
        except InputError as error:
            raise InputError(
                _(
                    "This text does not hold the settings of a Lab ({error}). Pass the text that "
                    "lab.settings.to_json() returned.",
                    error=error,
                )
            ) from None


# All controls by name, group by group.
CONTROLS = {
    name: declared
    for group in GROUPS
    for name, declared in flat_settings(LabSettings).items()
    if declared.group == group
}
LIVE = frozenset(name for name, declared in CONTROLS.items() if declared.live)


def differences(settings_list: list[LabSettings]) -> dict[str, list[Any]]:
    """Return the settings that differ, each with its values in `settings_list`, in order."""
    if not settings_list:
        return {}
    rows = [settings.values for settings in settings_list]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return {name: column for name, column in columns.items() if any(value != column[0] for value in column)}
