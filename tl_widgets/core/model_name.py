"""The models of a comparison, with their names, labels and colors."""

from __future__ import annotations

from enum import StrEnum

from tl_widgets.core.translation import _, pgettext


class ModelName(StrEnum):
    """A model of a comparison, in the order in which models are shown.

    Members are strings: `ModelName.SCRATCH == "scratch"`, which is what records, events and users' code hold.

    Attributes:
        label: name in figures, such as "from scratch".
        phrase: name in sentences, such as "the network from scratch".
        color: "#rrggbb". Okabe and Ito's colors are distinguishable with all common kinds of color blindness.
        marker: Matplotlib marker, for readers who see no colors.
    """

    SCRATCH = "scratch", _("from scratch"), _("the network from scratch"), "#D55E00", "o"
    TRANSFER = "transfer", _("transfer"), _("the frozen backbone"), "#0072B2", "s"
    CONTROL = "control", _("control (random weights)"), _("the same backbone with random weights"), "#767676", "D"
    FINE_TUNED = "fine_tuned", _("fine-tuned"), _("the fine-tuned backbone"), "#009E73", "^"

    label: str
    phrase: str
    color: str
    marker: str

    def __new__(cls, value: str, label: str, phrase: str, color: str, marker: str) -> ModelName:
        """Make a member that equals its value and has the other attributes."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.label, member.phrase, member.color, member.marker = label, phrase, color, marker
        return member

    def __repr__(self) -> str:
        """Return the value's repr, as results and messages show names as plain text."""
        return repr(self.value)

    @property
    def order(self) -> int:
        """Position among the models, from 0."""
        return list(ModelName).index(self)

    @property
    def heading(self) -> str:
        """Name in tables and panels, such as "From scratch"."""
        return self.label[0].upper() + self.label[1:]


_BY_NAME: dict[str, ModelName] = {model.value: model for model in ModelName}
# The names that events carry, for progress lines; those of other models stay as they are.
_WORDS = {
    "scratch": pgettext("model", "scratch"),
    "transfer": pgettext("model", "transfer"),
    "control": pgettext("model", "control"),
    "fine_tuned": pgettext("model", "fine_tuned"),
    "right": pgettext("model", "right"),
    "wrong": pgettext("model", "wrong"),
}


def find_model(name: str) -> ModelName | None:
    """Return the model with this name; None for others, such as a backbone's."""
    return _BY_NAME.get(name)


def heading_of(name: str) -> str:
    """Return a model's name in tables and panels; other names are returned unchanged."""
    model = find_model(name)
    return model.heading if model else name


def label_of(name: str) -> str:
    """Return a model's name in figures and within a sentence; other names in lowercase."""
    model = find_model(name)
    return model.label if model else name.lower()


def word_of(name: str) -> str:
    """Return a model's name in progress lines, which is its identifier in English; other names unchanged."""
    return _WORDS.get(name, name)


def phrase_of(name: str) -> str:
    """Return a model's name in sentences; other names are returned unchanged."""
    model = find_model(name)
    return model.phrase if model else name


def opening_of(name: str) -> str:
    """Return a model's name at the beginning of a sentence, such as "The network from scratch"."""
    phrase = phrase_of(name)
    return phrase[:1].upper() + phrase[1:]
