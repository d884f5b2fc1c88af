"""What is fixed in an assignment, and what each student gets of their own.

A plan is what a student's notebook knows: no texts, no answers. Everything of a student's own follows from a hash of
the assignment's name and the student's, so it can be derived again when grading, on any machine.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from tl_widgets.assignments.handed_out import Contents, difference, handed_out
from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.core.config import Config, ImageSettings
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, OnEvent, ignore
from tl_widgets.core.settings import Whole, flat_settings, settings_of, with_flat_values
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _
from tl_widgets.data.catalogue import NamedDataset, find_dataset
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.records.codec import from_plain, load, to_plain
from tl_widgets.records.comparison import Comparison, DatasetSummary

QuestionKind = Literal["number", "choice", "prediction", "measured", "text"]
LETTERS = "abcdefghijklmnop"
_SEEDS = 10_000
_OF_IMAGES = ("dataset", "folder", "image_size", "n_per_class", "classes", "seed")


@dataclass(frozen=True)
class Blank:
    """A question without its text and answer: how many options and reasons there are to choose from."""

    name: str
    kind: QuestionKind
    n_options: int = 0
    n_reasons: int = 0


@dataclass(frozen=True)
class Variant:
    """The images and the settings of one student.

    Attributes:
        images: The arguments of `load_dataset`, or of `load_folder`; empty in an assignment without images.
        config: The settings of `compare`; None in an assignment without a run.
        dataset: Where the images come from; None without images.
    """

    images: Mapping[str, Any]
    config: Config | None
    dataset: NamedDataset | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments of `compare` that aren't its defaults."""
        if self.config is None:
            return {}
        values = {field.name: getattr(self.config, field.name) for field in fields(Config)}
        return {name: value for name, value in values.items() if value != getattr(Config(), name)}

    @cached_property
    def summary(self) -> DatasetSummary | None:
        """The data set, without loading it; None without images."""
        return None if self.dataset is None else self.dataset.summary(**self._choice)

    @property
    def _choice(self) -> dict[str, Any]:
        """The images' arguments without what says where they come from."""
        return {name: value for name, value in self.images.items() if name not in ("name", "path")}

    def load(self, on_event: OnEvent = ignore, cancel: Cancel | None = None) -> ImageDataset:
        """Load the images.

        Raises:
            InputError: They aren't here.
            CancelledError: `cancel` was set.
        """
        assert self.dataset is not None
        arguments = {"n_per_class": None, "seed": 0, "classes": None, **self._choice}
        return self.dataset.load(**arguments, on_event=on_event, cancel=cancel)

    @property
    def calls(self) -> tuple[str, ...]:
        """What the student runs, as Python."""
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.images.items())
        settings = "".join(f", {name}={value!r}" for name, value in self.settings.items())
        load = "load_folder" if "path" in self.images else "load_dataset"
        calls = [f"{load}({arguments})"] if self.images else []
        return (*calls, f"compare(dataset{settings})") if self.config else tuple(calls)

    @cached_property
    def names(self) -> dict[str, float]:
        """What formulas may use without a run."""
        names: dict[str, float] = {}
        if (about := self.summary) is not None:
            names |= {name: float(getattr(about, name)) for name in ("image_size", "n_train", "n_validation", "n_test")}
            names["n_classes"] = float(len(about.class_names))
            names["n_per_class"] = names["n_train"] / names["n_classes"]
        if self.config is not None:
            values = self.config.values.items()
            names |= {name: float(value) for name, value in values if isinstance(value, int | float)}
            backbone = find_backbone(self.config.backbone)
            names["feature_width"] = float(backbone.feature_width or 0)
            names["backbone_parameters"] = float(backbone.n_params or 0)
        return names

    def problem(self, run: Comparison) -> str:
        """Return why a run isn't the one of this student, as a sentence; "" if it is."""
        about, mine = run.dataset, self.summary
        if mine is None or self.config is None:
            return _("This assignment has no run.")
        seed = about.origin.seed if about.origin is not None else 0
        pairs = {
            _("data set"): (about.name, mine.name),
            _("image size"): (about.image_size, mine.image_size),
            _("classes"): (", ".join(about.class_names), ", ".join(mine.class_names)),
            _("number of training images"): (about.n_train, mine.n_train),
            _("seed of the images"): (seed, self.images.get("seed", 0)),
        }
        wanted = {**self.config.values, "backbone": find_backbone(self.config.backbone).name}
        pairs |= {name.replace("_", " "): (run.config.values[name], value) for name, value in wanted.items()}
        for name, (found, right) in pairs.items():
            if found != right:
                return _(
                    "The run has other settings than this student was given: {name} is {found}, not {right}.",
                    name=name, found=shown(found, 60), right=right,
                )  # fmt: skip
        return _("The run was stopped before its end.") if run.stopped else ""


@dataclass(frozen=True)
class Plan:
    """What a student's notebook knows of its assignment.

    Attributes:
        name: Becomes part of file names.
        images: Arguments of `load_dataset` that all students share, or those of `load_folder`, with the name of the
            "folder"; empty for an assignment without images.
        run: Settings of `compare` that all students share; None for an assignment without a run.
        own: What each student gets of their own: "seed" and "images" (true), "n_classes" (a number), and for other
            names of images or run a list of values.
        questions: The questions, without their texts and answers.
        contents: What the folder holds; None without one.
        base: Where the folder lies.
    """

    name: str
    questions: tuple[Blank, ...]
    images: dict[str, Any] = field(default_factory=dict)
    run: dict[str, Any] | None = None
    own: dict[str, Any] = field(default_factory=dict)
    contents: Contents | None = None
    base: Path = field(default=Path(), compare=False)  # of this machine

    @cached_property
    def dataset(self) -> NamedDataset:
        """Where the images come from.

        Raises:
            InputError: There is no such data set.
        """
        if self.contents is None:
            return find_dataset(str(self.images.get("dataset")))
        return handed_out(self.base, self.images["folder"], self.contents)

    @property
    def folder_problem(self) -> str:
        """How the folder here differs from the one that was handed out, as a sentence; "" if it doesn't."""
        return "" if self.contents is None else difference(self.base, self.images["folder"], self.contents)

    @property
    def has_run(self) -> bool:
        """Whether students train models."""
        return self.run is not None

    def to_json(self) -> str:
        """Return the plan as JSON text, one question on a line."""
        plain = self._plain
        questions = ",\n  ".join(json.dumps(question) for question in plain.pop("questions"))
        lines = [f" {json.dumps(name)}: {json.dumps(value)}," for name, value in plain.items()]
        return "\n".join(["{", *lines, f' "questions": [\n  {questions}]', "}"])

    @staticmethod
    def from_json(text: str) -> Plan:
        """Read what `to_json` wrote.

        Raises:
            InputError: The text isn't a plan, perhaps because somebody changed it.
        """
        try:
            return from_plain(Plan, load(text))
        except InputError as error:
            raise InputError(
                _("The assignment in this notebook was changed ({why}). Get the notebook again.", why=error)
            ) from None

    @property
    def _plain(self) -> dict[str, Any]:
        return {name: value for name, value in to_plain(self).items() if name != "contents" or value is not None}

    @cached_property
    def digest(self) -> str:
        """A hash of everything but a folder's contents: another version of an assignment has another."""
        return hashlib.sha256(json.dumps(replace(self, contents=None)._plain, sort_keys=True).encode()).hexdigest()[:16]

    def variant(self, student: str) -> Variant:
        """Return what a student gets.

        Raises:
            InputError: The plan asks for something that can't be.
        """
        if not self.images:
            return Variant({}, None)
        images, run = dict(self.images), dict(self.run or {})
        for name, value in self.own.items():
            if name not in ("seed", "images", "n_classes"):
                target = images if name in _OF_IMAGES else run
                target[name] = value[self._draw(student, name) % len(value)]
        if self.own.get("images"):
            images["seed"] = self._draw(student, "images") % _SEEDS
        if self.own.get("seed"):
            run["seed"] = self._draw(student, "seed") % _SEEDS
        known = self.dataset
        folder = images.pop("folder", None)
        images.pop("dataset", None)
        seed = Whole(0).check("seed", images.pop("seed", 0))
        images.setdefault("image_size", known.default_size)
        settings = ImageSettings(**_as_tuples(images))
        classes = known.choose(settings.classes).class_names
        if n := self.own.get("n_classes"):
            chosen = sorted(classes, key=lambda name: self._draw(student, f"class {name}"))[:n]
            classes = tuple(name for name in classes if name in chosen)
        where = {"path": folder} if folder else {"name": known.name}
        arguments: dict[str, Any] = {**where, "image_size": settings.image_size}
        if settings.n_per_class is not None:
            arguments["n_per_class"] = settings.n_per_class
        if classes != known.class_names:
            arguments["classes"] = classes
        if seed:
            arguments["seed"] = seed
        return Variant(arguments, with_flat_values(Config(), _as_tuples(run)) if self.has_run else None, known)

    def check(self) -> None:
        """Raise `InputError` unless every student gets something that can be run."""
        if not self.images:
            if self.has_run or self.own:
                raise InputError(_("A run, and what each student gets of their own, need [images] with a dataset."))
            return
        if ("dataset" in self.images) == ("folder" in self.images):
            raise InputError(_("[images] needs a dataset, as `tl-widgets datasets` lists them, or a folder."))
        self._check_names()
        known = self.dataset
        n_classes = self.own.get("n_classes", 2)
        classes = ImageSettings(classes=_as_tuples(self.images).get("classes")).classes
        n_fixed = len(known.choose(classes).class_names)
        if isinstance(n_classes, bool) or not isinstance(n_classes, int) or not 2 <= n_classes <= n_fixed:
            value = shown(n_classes)
            raise InputError(_("own.n_classes must be 2 to {n}; received {value}.", n=n_fixed, value=value))
        for name in ("seed", "images"):
            if not isinstance(self.own.get(name, False), bool):
                value = shown(self.own[name])
                raise InputError(_("own.{name} must be true or false; received {value}.", name=name, value=value))
        lists = {name: value for name, value in self.own.items() if name not in ("seed", "images", "n_classes")}
        for name, values in lists.items():
            if not isinstance(values, list) or len(values) < 2:
                raise InputError(
                    _(
                        "own.{name} must be a list of two or more values; received {values}.",
                        name=name,
                        values=shown(values),
                    )
                )
        for name, values in lists.items():
            for value in values:
                self._with(name, value)._require_images()
        self._require_images()

    def _check_names(self) -> None:
        known = {"images": _OF_IMAGES, "run": tuple(flat_settings(Config))}
        known["own"] = ("seed", "images", "n_classes", "classes", "n_per_class", "image_size", *known["run"])
        for table, names in known.items():
            for name in getattr(self, table) or {}:
                if name not in names:
                    allowed = ", ".join(dict.fromkeys(names))
                    raise InputError(
                        _("[{table}] has {name}; there are {names}.", table=table, name=shown(name), names=allowed)
                    )
        if set(self.own) & set(settings_of(Config)) and not self.has_run:
            raise InputError(_("Settings of a run in [own] need a table [run], which may be empty."))

    def _require_images(self) -> None:
        """Raise `InputError` if there are no such images or settings."""
        variant = self.variant("")
        assert variant.summary is not None
        classes = self.dataset.choose(_as_tuples(self.images).get("classes"))
        n, most = variant.images.get("n_per_class", 1), classes.max_per_class
        if n > most:
            raise InputError(_("n_per_class is {n}; the smallest class has {most} training images.", n=n, most=most))

    def _with(self, name: str, value: Any) -> Plan:
        """Return a plan that gives everybody the same value."""
        own = {key: values for key, values in self.own.items() if key != name}
        images = {**self.images, name: value} if name in _OF_IMAGES else self.images
        run = self.run if name in _OF_IMAGES else {**(self.run or {}), name: value}
        return replace(self, images=images, run=run, own=own)

    def _draw(self, student: str, what: str) -> int:
        text = "\0".join((self.name, student_key(student), what))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def student_key(student: str) -> str:
    """Return a student's name or number in one form: capitals and spaces don't matter."""
    return " ".join(unicodedata.normalize("NFKC", student).casefold().split())


def _as_tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values of JSON or TOML as settings hold them."""
    return {name: tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
            for name, value in values.items()}  # fmt: skip
