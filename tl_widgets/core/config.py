"""The arguments of an experiment as data: checked once, compared, saved and restored. A leaf."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from tl_widgets.core.errors import InputError
from tl_widgets.core.model_name import ModelName

POOLINGS = ("max", "average", "none")
HEADS = ("flatten", "global_average")


def whole_number(name: str, value: object) -> int:
    """A whole number of any kind (NumPy's too) as an int.

    Raises:
        InputError: it is something else; 2.5, "10" and True are.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise InputError(f"{name} must be a whole number; received {value!r}.")
    return operator.index(value)


def real_number(name: str, value: object) -> float:
    """A number of any kind (NumPy's too) as a float.

    Raises:
        InputError: it is something else; "0.1", True and None are.
    """
    if isinstance(value, bool | str | bytes) or not hasattr(value, "__float__"):
        raise InputError(f"{name} must be a number; received {value!r}.")
    return float(value)


def _whole_numbers(name: str, values: object) -> tuple[int, ...]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InputError(f"{name} must be several whole numbers, such as (32, 64); received {values!r}.")
    return tuple(whole_number(name, value) for value in values)


def _require(ok: bool, message: str) -> None:
    if not ok:
        raise InputError(message)


def require_workers(n_jobs: object, name: str = "n_jobs") -> None:
    """Refuse a number of worker processes that joblib does not know.

    Args:
        n_jobs: the number.
        name: of the argument or option that says it.

    Raises:
        InputError: it is 0, or no whole number.
    """
    _require(
        whole_number(name, n_jobs) != 0,
        f"{name} is 0: give the number of worker processes, or -1 for one for each core.",
    )


def require_share(name: str, value: object) -> None:
    """Refuse what is no accuracy.

    Raises:
        InputError: it is no number from 0 to 1.
    """
    _require(0 <= real_number(name, value) <= 1, f"{name} must be an accuracy, 0 to 1; received {value}.")


@dataclass(frozen=True)
class ScratchSpec:
    """The network that is trained from scratch: blocks of Conv2D and pooling, then dense layers.

    The article's network is `ScratchSpec(dense_units=6)`. The default has 64 units there, because a
    bottleneck of 6 ReLUs often dies, and a fair opponent is one that trains.

    Attributes:
        filters: number of filters of each Conv2D; one block each, 1 to 6 blocks.
        kernel_sizes: side of each Conv2D's kernel in pixels, as many as `filters`.
        pooling: after each Conv2D, 2 x 2: "max", "average" or "none".
        head: what turns the maps into a vector: "flatten" or "global_average".
        dense_units: units of the hidden Dense layer; 0 for none.
        dropout: rate of the Dropout before the last layer, 0 to below 1; 0 for none.
    """

    filters: tuple[int, ...] = (32, 64, 128)
    kernel_sizes: tuple[int, ...] = (5, 3, 3)
    pooling: str = "max"
    head: str = "flatten"
    dense_units: int = 64
    dropout: float = 0.0

    def __post_init__(self) -> None:
        # A frozen dataclass sets its own fields only in this way.
        object.__setattr__(self, "filters", _whole_numbers("filters", self.filters))
        object.__setattr__(self, "kernel_sizes", _whole_numbers("kernel_sizes", self.kernel_sizes))
        object.__setattr__(self, "dense_units", whole_number("dense_units", self.dense_units))
        object.__setattr__(self, "dropout", real_number("dropout", self.dropout))
        _require(
            1 <= len(self.filters) <= 6 and all(n >= 1 for n in self.filters),
            f"filters must be 1 to 6 positive numbers, one for each Conv2D; received {self.filters}.",
        )
        _require(
            len(self.kernel_sizes) == len(self.filters) and all(k >= 1 for k in self.kernel_sizes),
            f"kernel_sizes must hold as many positive numbers as filters ({len(self.filters)}); "
            f"received {self.kernel_sizes}.",
        )
        _require(self.pooling in POOLINGS, f"pooling must be one of {POOLINGS}; received {self.pooling!r}.")
        _require(self.head in HEADS, f"head must be one of {HEADS}; received {self.head!r}.")
        _require(self.dense_units >= 0, f"dense_units must be 0 or more; received {self.dense_units}.")
        _require(0 <= self.dropout < 1, f"dropout must be at least 0 and below 1; received {self.dropout}.")


@dataclass(frozen=True)
class FineTuningSpec:
    """A second stage for the transfer model: its backbone's last blocks learn, too, at a low rate.

    Attributes:
        n_blocks: how many of the backbone's last blocks are unfrozen, at least 1.
        epochs: passes over the training images after the frozen stage, at least 1.
        learning_rate: of Adam in that stage, above 0; a tenth or a hundredth of the first stage's.
    """

    n_blocks: int = 1
    epochs: int = 10
    learning_rate: float = 1e-4

    def __post_init__(self) -> None:
        for name in ("n_blocks", "epochs"):
            object.__setattr__(self, name, whole_number(name, getattr(self, name)))
        object.__setattr__(self, "learning_rate", real_number("learning_rate", self.learning_rate))
        _require(self.n_blocks >= 1, f"n_blocks must be 1 or more; received {self.n_blocks}.")
        _require(1 <= self.epochs <= 10_000, f"epochs must be 1 to 10,000; received {self.epochs}.")
        _require(
            0 < self.learning_rate <= 10,
            f"learning_rate must be above 0 and at most 10; received {self.learning_rate}.",
        )


@dataclass(frozen=True)
class Config:
    """Everything that `compare` is told, apart from the data.

    Attributes:
        backbone: name of a backbone in the catalogue (`list_backbones`).
        weights: "imagenet", the path of a weights file, or None for random weights.
        scratch: the network that is trained from scratch.
        head_dropout: rate of the Dropout before the transfer model's last layer, 0 to below 1.
        augment: how many changed copies (mirrored, shifted, brighter or darker) of every training image
            both models see beside the image itself.
        epochs: passes over the training images, at least 1.
        batch_size: images for each step of the optimizer, at least 1.
        learning_rate: of Adam, above 0.
        seed: decides initial weights and the order of the images, 0 to 2**31 - 1.
        control: train a third model, too: the same frozen backbone with random weights.
        fine_tuning: go on with the transfer model after its frozen stage; None for none.
        repeats: how many seeds the experiment is made with, from `seed` on, 1 to 100.
    """

    backbone: str = "EfficientNetLite0"
    weights: str | None = "imagenet"
    scratch: ScratchSpec = field(default_factory=ScratchSpec)
    head_dropout: float = 0.0
    augment: int = 0
    epochs: int = 10
    batch_size: int = 16
    learning_rate: float = 1e-3
    seed: int = 0
    control: bool = False
    fine_tuning: FineTuningSpec | None = None
    repeats: int = 1

    def __post_init__(self) -> None:
        if self.weights is not None:
            _require(
                isinstance(self.weights, str | os.PathLike),
                f'weights must be "imagenet", the path of a weights file, or None; received {self.weights!r}.',
            )
            object.__setattr__(self, "weights", os.fspath(self.weights))
        _require(isinstance(self.backbone, str), f"backbone must be a name; received {self.backbone!r}.")
        _require(
            isinstance(self.scratch, ScratchSpec),
            f"scratch must be a ScratchSpec, such as ScratchSpec(filters=(16, 32), kernel_sizes=(3, 3)); "
            f"received {self.scratch!r}.",
        )
        for name in ("augment", "epochs", "batch_size", "seed", "repeats"):
            object.__setattr__(self, name, whole_number(name, getattr(self, name)))
        for name in ("head_dropout", "learning_rate"):
            object.__setattr__(self, name, real_number(name, getattr(self, name)))
        _require(isinstance(self.control, bool), f"control must be True or False; received {self.control!r}.")
        _require(
            0 <= self.head_dropout < 1,
            f"head_dropout must be at least 0 and below 1; received {self.head_dropout}.",
        )
        _require(0 <= self.augment <= 10, f"augment must be 0 to 10 copies of each image; received {self.augment}.")
        _require(1 <= self.epochs <= 10_000, f"epochs must be 1 to 10,000; received {self.epochs}.")
        _require(self.batch_size >= 1, f"batch_size must be 1 or more; received {self.batch_size}.")
        _require(
            0 < self.learning_rate <= 10,
            f"learning_rate must be above 0 and at most 10; received {self.learning_rate}.",
        )
        _require(0 <= self.seed < 2**31, f"seed must be 0 to 2147483647; received {self.seed}.")
        _require(
            self.fine_tuning is None or isinstance(self.fine_tuning, FineTuningSpec),
            f"fine_tuning must be a FineTuningSpec, such as FineTuningSpec(n_blocks=1), or None; "
            f"received {self.fine_tuning!r}.",
        )
        _require(1 <= self.repeats <= 100, f"repeats must be 1 to 100 seeds; received {self.repeats}.")
        _require(
            self.seed + self.repeats <= 2**31,
            f"{self.repeats} seeds from {self.seed} on end beyond 2147483647; choose a smaller seed.",
        )

    @property
    def model_names(self) -> tuple[ModelName, ...]:
        """The models that are asked for, in the order in which they are trained."""
        left_out = {ModelName.CONTROL: not self.control, ModelName.FINE_TUNED: not self.fine_tuning}
        return tuple(name for name in ModelName if not left_out.get(name))
