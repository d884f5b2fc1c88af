"""The models of a comparison: their names in records, and what they are called and how they look on screen."""

from __future__ import annotations

from enum import StrEnum


class ModelName(StrEnum):
    """A model of a comparison, in the order in which models are trained and shown.

    Members are strings: `ModelName.SCRATCH == "scratch"`, which is what records, events and users' code hold.

    Attributes:
        label: what figures call it: "from scratch".
        phrase: what sentences call it: "the network from scratch".
        color: its fixed color, "#rrggbb". Okabe and Ito's colors can be told apart in all common kinds of color
            blindness.
        marker: its fixed Matplotlib marker, for those who see no colors.
    """

    SCRATCH = "scratch", "from scratch", "the network from scratch", "#D55E00", "o"
    TRANSFER = "transfer", "transfer", "the frozen backbone", "#0072B2", "s"
    CONTROL = "control", "control (random weights)", "the same backbone with random weights", "#767676", "D"
    FINE_TUNED = "fine_tuned", "fine-tuned", "the fine-tuned backbone", "#009E73", "^"

    label: str
    phrase: str
    color: str
    marker: str

    def __new__(cls, value: str, label: str, phrase: str, color: str, marker: str) -> ModelName:
        """Make a member that is its value and carries what belongs to it."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.label, member.phrase, member.color, member.marker = label, phrase, color, marker
        return member

    def __repr__(self) -> str:
        """Return the value's repr: results and messages show a model's name as text."""
        return repr(self.value)

    @property
    def order(self) -> int:
        """Place among the models, from 0."""
        return list(ModelName).index(self)

    @property
    def heading(self) -> str:
        """What tables and panels call it: "From scratch"."""
        return self.label[0].upper() + self.label[1:]


_BY_NAME: dict[str, ModelName] = {model.value: model for model in ModelName}


def find_model(name: str) -> ModelName | None:
    """Return the model of this name; None for another name, such as a backbone's or a Keras model's own."""
    return _BY_NAME.get(name)


def heading_of(name: str) -> str:
    """Return what tables and panels call a model; a name that is no model's stays as it is."""
    model = find_model(name)
    return model.heading if model else name


def phrase_of(name: str) -> str:
    """Return what sentences call a model; a name that is no model's stays as it is."""
    model = find_model(name)
    return model.phrase if model else name
