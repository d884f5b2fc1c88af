"""What the panel of each study offers: its controls, what they cost, and the guess that comes first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.core.model_name import ModelName
from tl_widgets.setup_checks.mistake import Mistake
from tl_widgets.setup_checks.registry import MISTAKES
from tl_widgets.widgets.shared.costs import DataFacts, offline_backbones
from tl_widgets.widgets.shared.settings import LabSettings
from tl_widgets.widgets.studies.fields import (
    Field,
    choice_field,
    lab_field,
    names_field,
    numbers_field,
    seeds_field,
    whole_field,
)

Values = Mapping[str, Any]
_ALL = "all"
_ARMS = (ModelName.SCRATCH, ModelName.TRANSFER, ModelName.CONTROL)


@dataclass(frozen=True)
class Plan:
    """What a study will do.

    Attributes:
        n_models: that it trains.
        text: the same in words, a clause.
        n_passes: images that pass through training in all; seconds grow about as it does.
    """

    n_models: int
    text: str
    n_passes: int


@dataclass(frozen=True)
class GuessFirst:
    """A question that is asked before its answer is shown.

    Attributes:
        question: what was asked of these settings.
        options: the answers to choose from.
        subject: what a guess is about; another subject is asked anew.
        answer: the option that a result makes true.
    """

    question: Callable[[Values], str]
    options: tuple[str, ...]
    subject: Callable[[Values], str]
    answer: Callable[[Any], str]


@dataclass(frozen=True)
class Panel:
    """The panel of one study; `tl_widgets.studies.registry` says what it measures.

    Attributes:
        lead: what is done, a sentence or two.
        fields: controls in their order.
        plan: what settings come to, with the facts about the data set.
        fixed: what the study is asked beside the controls.
        guess: what the learner says first of these settings; None where there is nothing to guess.
        images: those that the study brings where nobody brought some; None where the controls say which.
    """

    lead: str
    fields: tuple[Field, ...]
    plan: Callable[[Values, DataFacts], Plan]
    fixed: Values = field(default_factory=dict)
    guess: Callable[[Values], GuessFirst | None] = lambda _: None
    images: Callable[[Values], LabSettings] | None = None

    @property
    def can_go_on(self) -> bool:
        """Whether a study that was stopped can be gone on with."""
        return "resume" in self.fixed


def _arms() -> list[tuple[str, tuple[str, ...]]]:
    return [
        ("from scratch and transfer", _ARMS[:2]),
        ("these and the control (random weights)", _ARMS),
        ("transfer alone", _ARMS[1:2]),
    ]


def _mistakes() -> list[tuple[str, str]]:
    return [*((name.replace("_", " "), name) for name in MISTAKES), (f"all {len(MISTAKES)}, one by one", _ALL)]


def _images(dataset: str, image_size: int, n_per_class: int | None) -> tuple[Field, ...]:
    return (
        lab_field("dataset", dataset, "Images"),
        lab_field("image_size", image_size, "Images"),
        lab_field("n_per_class", n_per_class, "Images"),
    )


def _n_train(values: Values, facts: DataFacts) -> int:
    n = values["n_per_class"]
    return facts.n_train if n is None else n * facts.n_classes


def _data_plan(values: Values, facts: DataFacts) -> Plan:
    n_arms, n_sizes, n_seeds = len(values["arms"]), len(values["sizes"]), len(values["seeds"])
    text = f"{_count(n_sizes, 'size')} × {_count(n_seeds, 'seed')} × {_count(n_arms, 'kind')} of model"
    passes = sum(values["sizes"]) * facts.n_classes * n_seeds * n_arms * values["epochs"]
    return Plan(n_arms * n_sizes * n_seeds, text, passes)


def _time_plan(values: Values, facts: DataFacts) -> Plan:
    n, n_models = _n_train(values, facts), 3 if values["control"] else 2
    return Plan(n_models, f"each on the same {n:,} images, {values['epochs']} times", n_models * n * values["epochs"])


def _fine_tuning_plan(values: Values, facts: DataFacts) -> Plan:
    n, first, second = _n_train(values, facts), values["epochs"], values["more_epochs"]
    text = f"scratch and frozen for {first} epochs on {n:,} images, then {second} more with "
    return Plan(3, text + f"{_count(values['blocks'], 'block')} unfrozen", n * (2 * first + second))


def _asked(values: Values) -> tuple[Mistake, ...]:
    """The mistakes that are asked for."""
    return tuple(MISTAKES.values()) if values["mistake"] == _ALL else (MISTAKES[values["mistake"]],)


def _mistake_images(values: Values) -> LabSettings:
    # Of all, those that ask most of a backbone.
    words = max(_asked(values), key=lambda each: each.image_size)
    return LabSettings(words.dataset, image_size=words.image_size, n_per_class=words.n_per_class)


def _mistake_plan(values: Values, facts: DataFacts) -> Plan:
    asked = _asked(values)
    if len(asked) > 1:
        its_own = facts.name in {words.dataset for words in asked}
        images = "each on images of its own" if its_own else f"on {facts.n_train:,} images of {facts.name}"
        text = f"each of {len(asked)} mistakes beside the right way, {images}"
        return Plan(2 * len(asked), text, sum(words.epochs for words in asked))
    (words,) = asked
    n = facts.n_train
    if facts.name == words.dataset and words.n_per_class is not None:
        n = words.n_per_class * facts.n_classes
    return Plan(2, f"the right way and the wrong one, on {n:,} images of {facts.name}", 2 * n * words.epochs)


def _backbones_plan(values: Values, facts: DataFacts) -> Plan:
    n, n_seeds = _n_train(values, facts), len(values["seeds"])
    n_backbones = len(values["backbones"] or offline_backbones())
    text = f"{_count(n_backbones, 'backbone')} × {_count(n_seeds, 'head')}"
    text += ", and the smallest with random weights" if values["control"] else ""
    n_models = (n_backbones + bool(values["control"])) * n_seeds
    # Reading the features takes longer than the heads do.
    return Plan(n_models, text, n_backbones * n)


def _inside_plan(values: Values, facts: DataFacts) -> Plan:
    n, n_models = _n_train(values, facts), 3 if values["control"] else 2
    text = f"trained on {n:,} images, then looked into with {_count(values['images'], 'test image')}"
    return Plan(n_models, text, n_models * n * values["epochs"])


def _repeat_plan(values: Values, facts: DataFacts) -> Plan:
    n, n_arms, n_seeds = _n_train(values, facts), 3 if values["control"] else 2, values["repeats"]
    text = f"{n_arms} on the same {n:,} images with each of {_count(n_seeds, 'seed')}"
    return Plan(n_arms * n_seeds, text, n_arms * n_seeds * n * values["epochs"])


def _count(n: int, word: str) -> str:
    return f"{n} {word}{'' if n == 1 else 's'}"


_COSTS = (
    "it looks better than it is",
    "too close to call",
    "a little worse (up to 10 points)",
    "much worse (10 to 30 points)",
    "ruined (more than 30 points)",
)


def _cost_of(study: Any) -> str:
    points = 100 * study.measured.difference
    if not study.measured.is_clear:
        return _COSTS[1]
    return _COSTS[0] if points < 0 else _COSTS[2 if points < 10 else 3 if points < 30 else 4]


def _mistake_question(values: Values) -> str:
    words = MISTAKES[values["mistake"]]
    return (
        f"The mistake: {words.wrong}. The right way: {words.right}. Measured: {words.figure}. What will the mistake do?"
    )


_HOW_MANY = ("none", "1 to 3", "4 to 6", "7 to 9", "all 10")


def _how_many(studies: Any) -> str:
    return _HOW_MANY[-(-sum(study.measured.is_clear for study in studies.studies) // 3)]


def _all_question(values: Values) -> str:  # noqa: ARG001 - a question may depend on them
    return f"{len(MISTAKES)} mistakes, each beside the right way. How many of them will make a clear difference?"


_GUESS_ONE = GuessFirst(_mistake_question, _COSTS, lambda values: str(values["mistake"]), _cost_of)
_GUESS_ALL = GuessFirst(_all_question, _HOW_MANY, lambda _: _ALL, _how_many)
_BACKBONE = lab_field("backbone", "EfficientNetLite0", "Models")
_EPOCHS = lab_field("epochs", 10, "Models")
_SEED = lab_field("seed", 0, "Models")

PANELS = {
    "data": Panel(
        "The models are trained with more and more images, each time from the beginning. Several seeds show how much "
        "of it is luck.",
        (
            *_images("textures", 64, None)[:2],
            numbers_field("sizes", (2, 5, 10, 20), "Images", "Images per class", "Whole numbers between commas"),
            choice_field("arms", _ARMS[:2], "Models", "Kinds", "Which models are trained", _arms),
            _BACKBONE,
            _EPOCHS,
            seeds_field(3, "Models"),
        ),
        _data_plan,
        {"jobs": 1},
    ),
    "time": Panel(
        "Both models learn from the same images, and the clock runs: reading the frozen backbone's features counts.",
        (*_images("textures", 64, None), _BACKBONE, lab_field("control", False, "Models"), _EPOCHS, _SEED),
        _time_plan,
        {"target": None},
    ),
    "backbones": Panel(
        "Each frozen backbone that is on this machine gets a new head and learns from the same images, and the clock "
        "runs. Are those that are better on ImageNet better here?",
        (
            *_images("textures", 64, 10),
            names_field(
                "backbones", "Models", "Backbones", "Names between commas", "all on this machine", find_backbone
            ),
            lab_field("control", True, "Models"),
            _EPOCHS,
            seeds_field(1, "Models"),
        ),
        _backbones_plan,
        {"weights": {}, "resume": None, "jobs": 1},
    ),
    "fine-tuning": Panel(
        "First the backbone stays frozen. Then its last blocks are trained, too, with small steps. Is that better?",
        (
            *_images("digits", 64, 20),
            _BACKBONE,
            _EPOCHS,
            whole_field("blocks", 1, "Models", "Blocks to unfreeze", "Of the backbone's last ones", 1, 8),
            whole_field("more_epochs", 10, "Models", "More epochs", "After the frozen stage", 1, 1000),
            choice_field(
                "low_rate",
                1e-4,
                "Models",
                "Learning rate then",
                "Of the second stage",
                lambda: [(f"{rate:g}", rate) for rate in (1e-5, 3e-5, 1e-4, 3e-4, 1e-3)],
            ),
            _SEED,
        ),
        _fine_tuning_plan,
    ),
    "mistake": Panel(
        "A mistake that fills the forums is made on purpose, and measured beside the right way. Guess first.",
        (choice_field("mistake", "rescaled_twice", "Models", "Mistake", "What is done", _mistakes), _BACKBONE, _SEED),
        _mistake_plan,
        {"epochs": None},
        lambda values: _GUESS_ALL if values["mistake"] == _ALL else _GUESS_ONE,
        _mistake_images,
    ),
    "inside": Panel(
        "Both models are trained. Then you see where they look, their first filters, and how they lay the test images "
        "out, before and after training.",
        (
            *_images("textures", 96, 20),
            _BACKBONE,
            lab_field("control", False, "Models"),
            _EPOCHS,
            whole_field("images", 6, "Models", "Heat maps of", "How many test images, 1 to 12", 1, 12),
            _SEED,
        ),
        _inside_plan,
    ),
    "repeat": Panel(
        "The comparison is made again with other seeds, on the same images: how much of the difference is luck?",
        (
            *_images("textures", 64, 10),
            _BACKBONE,
            lab_field("control", False, "Models"),
            _EPOCHS,
            whole_field("repeats", 3, "Models", "Repeats", "How many seeds", 2, 20),
            _SEED,
        ),
        _repeat_plan,
        {"jobs": 1},
    ),
}
