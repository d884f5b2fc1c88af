"""Declare the settings of an experiment, each once.

The command line, the forms in JupyterLab, validation and records all use these declarations. To add a control, add a
field to `Config` (or to one of its parts) and the code that uses it.
"""

from __future__ import annotations

from dataclasses import dataclass

from tl_widgets.core.errors import InputError
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.settings import (
    Choice,
    Flag,
    Name,
    Part,
    Real,
    Settings,
    Several,
    Whole,
    real_number,
    setting,
    whole_number,
)
from tl_widgets.core.translation import _

MIN_IMAGE_SIZE, MAX_IMAGE_SIZE = 16, 512  # pixels
LAST_SEED = 2**31 - 1
GROUPS = ("Data", "From scratch", "Transfer", "Training")
_DATA, _SCRATCH, _TRANSFER, _TRAINING = GROUPS
_USUAL_RATES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1)


def require_workers(n_jobs: object, name: str = "n_jobs") -> None:
    """Raise `InputError` if `n_jobs` is 0 or not a whole number."""
    if whole_number(name, n_jobs) == 0:
        raise InputError(_("{name} is 0: give the number of worker processes, or -1 for one for each core.", name=name))


@dataclass(frozen=True)
class _Jobs(Whole):
    """A number of worker processes, as joblib counts them."""

    def check(self, name: str, value: object) -> int:
        """Return `value` as an int, or raise InputError."""
        require_workers(value, f"--{name}")
        return super().check(name, value)


@dataclass(frozen=True)
class Workers(Settings):
    """The worker processes of a command."""

    jobs: int = setting(1, _Jobs(-1_000, 1_000), "", _("Worker processes; -1 for one on each core"))


def require_share(name: str, value: object) -> None:
    """Raise `InputError` unless `value` is an accuracy, a number from 0 to 1."""
    if not 0 <= real_number(name, value) <= 1:
        raise InputError(_("{name} must be an accuracy, 0 to 1; received {value}.", name=name, value=value))


@dataclass(frozen=True)
class ImageSettings(Settings):
    """The images of an experiment, as the arguments of `load_dataset`."""

    dataset: str = setting(
        "textures", Name(listed_by="datasets"), _("Dataset"), _("Which images"), group=_DATA, option="", sets_pace=True
    )
    image_size: int = setting(
        96,
        Whole(MIN_IMAGE_SIZE, MAX_IMAGE_SIZE, 16),
        _("Image size"),
        _("Side of the square images in pixels"),
        unit=_("pixels"),
        group=_DATA,
        sets_pace=True,
    )
    n_per_class: int | None = setting(
        None,
        Whole(1, field_high=10_000_000),  # more than any data set here has
        _("Images per class"),
        _("Training images of each class"),
        group=_DATA,
        live=True,
        option="images-per-class",
        none=_("all"),
    )
    classes: tuple[str, ...] | None = setting(
        None,
        Several(Name(), "cat,dog", min_values=2),
        _("Classes"),
        _("Only these classes"),
        group=_DATA,
        none=_("all"),
    )
    groups: str | None = setting(
        None,
        Name(),
        _("Groups"),
        _(
            "For your own folder, which images stay on one side of the split: those in the same sub-folder "
            "('folder'), with the same cell in a table's column ('column:NAME') or the same text in their names "
            "(a regular expression with one group)"
        ),
        group=_DATA,
        none=_("none"),
    )


@dataclass(frozen=True)
class ScratchSpec(Settings):
    """The network from scratch: blocks of Conv2D and pooling, then dense layers.

    The article's network is `ScratchSpec(dense_units=6)`. The default is 64 units, because the ReLUs of a bottleneck of
    6 units often die, and a fair comparison needs a network that trains.

    Attributes:
        filters: number of filters of each block's Conv2D, for 1 to 6 blocks.
        kernel_sizes: side of each Conv2D's kernel in pixels, one for each block.
        pooling: kind of 2 x 2 pooling after each Conv2D: "max", "average" or "none".
        head: how the last feature maps become a vector: "flatten" or "global_average".
        dense_units: units of the hidden Dense layer; 0 for none.
        dropout: rate of the Dropout before the last layer, at least 0 and below 1; 0 for none.
    """

    filters: tuple[int, ...] = setting(
        (32, 64, 128),
        Several(Whole(1, step=8, field_high=1024), "(32, 64)", distinct=False, max_values=6),
        _("Filters"),
        _("Patterns that block {} looks for"),
        group=_SCRATCH,
        option="",
        sets_pace=True,
    )
    kernel_sizes: tuple[int, ...] = setting(
        (5, 3, 3),
        Several(Whole(1, step=2, field_high=15), "(5, 3)", distinct=False, max_values=6),
        _("Kernel"),
        _("Side of block {}'s patterns in pixels"),
        unit=_("pixels"),
        group=_SCRATCH,
        option="",
        sets_pace=True,
    )
    pooling: str = setting(
        "max",
        Choice(((_("maximum"), "max"), (_("average"), "average"), (_("none"), "none"))),
        _("Pooling"),
        _("After each Conv2D, 2 x 2 pixels become one"),
        group=_SCRATCH,
        option="",
        sets_pace=True,
    )
    head: str = setting(
        "flatten",
        Choice(((_("flatten"), "flatten"), (_("global average"), "global_average"))),
        _("Last feature maps"),
        _("Flatten lists all their numbers; global average keeps one number for each map"),
        group=_SCRATCH,
        option="",
    )
    dense_units: int = setting(
        64,
        Whole(0, step=8, field_high=4096),
        _("Dense units"),
        _("Units of the hidden Dense layer; 0 for none"),
        group=_SCRATCH,
        option="",
    )
    dropout: float = setting(
        0.0,
        Real(0, 1, open_high=True),
        _("Dropout"),
        _("Share of numbers left out at each step before the last layer"),
        group=_SCRATCH,
        option="",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.kernel_sizes) != len(self.filters):
            raise InputError(
                _(
                    "kernel_sizes must have one number for each of the {n_filters} filters; received {kernel_sizes}.",
                    n_filters=len(self.filters),
                    kernel_sizes=self.kernel_sizes,
                )
            )


@dataclass(frozen=True)
class FineTuningSpec(Settings):
    """A second stage that also trains the last blocks of the backbone.

    Attributes:
        n_blocks: how many of the backbone's last blocks to unfreeze, at least 1.
        epochs: passes over the training images after the frozen stage, 1-10,000.
        learning_rate: Adam's learning rate in this stage, above 0 and at most 10; usually a tenth or a hundredth of the
            rate in the first stage.
    """

    n_blocks: int = setting(
        1, Whole(1, field_high=100), _("Blocks to unfreeze"), _("How many of the backbone's last blocks")
    )
    epochs: int = setting(
        10, Whole(1, 10_000), _("More epochs"), _("Passes over the training images after the frozen stage")
    )
    learning_rate: float = setting(
        1e-4,
        Real(0, 10, open_low=True, usual=_USUAL_RATES[:5]),
        _("Learning rate then"),
        _("How far each step of the second stage goes"),
    )


@dataclass(frozen=True)
class Config(Settings):
    """All settings of `compare`, apart from the data.

    Attributes:
        backbone: name of a backbone, as listed by `list_backbones`.
        weights: "imagenet", the path of a weights file, or None for random weights.
        scratch: the network that is trained from scratch.
        head_dropout: rate of the Dropout before the transfer model's last layer, at least 0 and below 1.
        augment: number of augmented copies (mirrored, shifted, brighter or darker) of every training image that both
            models train on, besides the image itself, 0-10.
        epochs: passes over the training images, 1-10,000.
        batch_size: images in each step of the optimizer, at least 1.
        learning_rate: Adam's learning rate, above 0 and at most 10.
        seed: decides the initial weights and the order of the images, 0 to 2**31 - 1.
        control: whether to train a third model, too: the same frozen backbone with random weights.
        fine_tuning: a second stage for the transfer model, after its frozen stage; None for none.
        repeats: number of consecutive seeds, starting with `seed`, that the experiment is repeated with, 1-100.
        folds: number of folds of a cross-validation, in which every image is tested once, 2-20; 1 for the data set's
            own split. Not together with repeats.
        class_weights: whether the loss counts each class equally, whatever the number of its images, for all models.
        cut: after which of its blocks, counted from 1, the backbone is cut off; None for the whole backbone.
    """

    backbone: str = setting(
        "EfficientNetLite0",
        Name(listed_by="backbones"),
        _("Backbone"),
        _("Which pretrained network: accuracy on ImageNet, size, memory"),
        group=_TRANSFER,
        transfer_only=True,
        sets_pace=True,
    )
    weights: str | None = setting(
        "imagenet",
        Choice(((_("ImageNet"), "imagenet"), (_("random: knows nothing"), None)), or_file=True),
        _("Weights"),
        _("What the backbone knows"),
        group=_TRANSFER,
        none=_("random"),
        transfer_only=True,
    )
    scratch: ScratchSpec = setting(
        ScratchSpec(),
        Part(ScratchSpec, "ScratchSpec(filters=(16, 32), kernel_sizes=(3, 3))"),
        _("From scratch"),
        _("The network that is trained from scratch"),
    )
    head_dropout: float = setting(
        0.0,
        Real(0, 1, open_high=True),
        _("Head dropout"),
        _("Share of features left out at each step before the last layer"),
        group=_TRANSFER,
        live=True,
        transfer_only=True,
    )
    augment: int = setting(
        0,
        Whole(0, 10, counted=_("copies of each image")),
        _("Augmentation"),
        _("Changed copies of each training image, for both models"),
        group=_TRANSFER,
    )
    epochs: int = setting(
        10, Whole(1, 10_000), _("Epochs"), _("Passes over the training images"), group=_TRAINING, live=True
    )
    batch_size: int = setting(
        16,
        Whole(1, step=8, field_high=4096),
        _("Batch size"),
        _("Images for each step"),
        group=_TRAINING,
        sets_pace=True,
    )
    learning_rate: float = setting(
        1e-3,
        Real(0, 10, open_low=True, usual=_USUAL_RATES),
        _("Learning rate"),
        _("How far each step goes"),
        group=_TRAINING,
        live=True,
    )
    seed: int = setting(
        0,
        Whole(0, LAST_SEED),
        _("Seed"),
        _("Decides the initial weights and the order of the images"),
        group=_TRAINING,
        live=True,
    )
    control: bool = setting(
        False,
        Flag(),
        _("Also train a control: the same backbone with random weights"),
        _("Shows how much the pretraining itself is worth"),
        group=_TRANSFER,
        transfer_only=True,
        sets_pace=True,
    )
    fine_tuning: FineTuningSpec | None = setting(
        None,
        Part(FineTuningSpec, "FineTuningSpec(n_blocks=1)", count="n_blocks", count_name="fine_tune_blocks"),
        _("Fine-tune last blocks"),
        _("How many of the backbone's last blocks learn, too; 0 for none"),
        group=_TRANSFER,
        option="fine-tune",
        none=_("no second stage"),
        transfer_only=True,
        sets_pace=True,
    )
    repeats: int = setting(
        1,
        Whole(1, 100, counted="seeds"),
        _("Repeats"),
        _("How many seeds, from this one on; the verdict is over all of them"),
        group=_TRAINING,
        transfer_only=True,
        sets_pace=True,
    )
    folds: int = setting(
        1,
        Whole(1, 20, counted=_("folds")),
        _("Cross-validation folds"),
        _("With 2 or more, every image is tested once, by models trained on the other folds; 1 for one split"),
        group=_TRAINING,
        sets_pace=True,
    )
    class_weights: bool = setting(
        False,
        Flag(),
        _("Class weights"),
        _("Gives rare classes more weight in the loss, so each class counts the same, for both models"),
        group=_TRAINING,
        live=True,
    )
    cut: int | None = setting(
        None,
        Whole(1, field_high=100),
        _("Blocks to use"),
        _("How many of the backbone's blocks to use, from the first one on; the others are cut off"),
        group=_TRANSFER,
        none=_("all"),
        transfer_only=True,
        sets_pace=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.cut and self.fine_tuning and self.fine_tuning.n_blocks >= self.cut:
            raise InputError(
                _(
                    "A backbone that is cut after block {cut} has {n_below} blocks to fine-tune above a "
                    "frozen one; received {n_blocks}. Cut it later, or unfreeze fewer blocks.",
                    cut=self.cut,
                    n_below=self.cut - 1,
                    n_blocks=self.fine_tuning.n_blocks,
                )
            )
        if self.folds > 1 and self.repeats > 1:
            raise InputError(
                _(
                    "{folds} folds and {repeats} repeats can't be combined: choose one of them, and "
                    "leave the other at 1.",
                    folds=self.folds,
                    repeats=self.repeats,
                )
            )
        if self.seed + self.repeats > LAST_SEED + 1:
            raise InputError(
                _(
                    "{repeats} seeds from {seed} on go beyond {last}; choose a smaller seed.",
                    repeats=self.repeats,
                    seed=self.seed,
                    last=LAST_SEED,
                )
            )

    @property
    def model_names(self) -> tuple[ModelName, ...]:
        """The models to train, in training order."""
        left_out = {ModelName.CONTROL: not self.control, ModelName.FINE_TUNED: not self.fine_tuning}
        return tuple(name for name in ModelName if not left_out.get(name))
