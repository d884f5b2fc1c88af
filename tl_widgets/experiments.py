"""compare: a network from scratch and a frozen backbone on the same images, each tested once.

TensorFlow is imported inside the functions: the first thing that a watcher hears is that it is being loaded.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import prod
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeVar

import tl_widgets
from tl_widgets.backbones import find_backbone, memory_estimate
from tl_widgets.data import ImageDataset, require_dataset
from tl_widgets.errors import CancelledError, InputError
from tl_widgets.events import Cancel, Event, OnEvent, ignore, is_cancelled, raise_if_cancelled
from tl_widgets.ledger import count_rows, scratch_ledger
from tl_widgets.machine import require_memory
from tl_widgets.results import Comparison, DatasetSummary, Environment, RunResult
from tl_widgets.settings import Config, ScratchSpec
from tl_widgets.tensorflow_import import import_tensorflow
from tl_widgets.verdict import judge
from tl_widgets.weights import ResolvedWeights, resolve_weights

if TYPE_CHECKING:
    from tl_widgets.features import FrozenPart

_KEPT_RUNS = 8
Value = TypeVar("Value")


@dataclass(eq=False)
class Workbench:
    """What one comparison leaves for the next, so that nothing is computed twice.

    The same data, settings and seed give the same model again, so a finished run can stand for its repetition.
    Whoever makes many comparisons (a Lab, a study) holds one; it must not be used from two threads at once.

    Attributes:
        runs: finished runs by all that decides them, the newest last.
        backbones: the frozen layers that were used last, one entry for each kind of arm.
    """

    runs: dict[Any, RunResult] = field(default_factory=dict)
    backbones: dict[str, tuple[Any, tuple[Any, ...], FrozenPart | None]] = field(default_factory=dict)

    def run(self, key: Any, make: Callable[[], RunResult]) -> RunResult:
        """The finished run of this key, or a new one."""
        if key not in self.runs:
            result = make()
            if result.stopped:
                return result
            self.runs[key] = result
            while len(self.runs) > _KEPT_RUNS:
                del self.runs[next(iter(self.runs))]
        return self.runs[key]


def summarize(dataset: ImageDataset) -> DatasetSummary:
    """What the record says of a data set."""
    return DatasetSummary(
        name=dataset.name,
        image_size=dataset.image_size,
        class_names=dataset.class_names,
        n_train=len(dataset.train),
        n_validation=len(dataset.validation),
        n_test=len(dataset.test),
        source=dataset.source,
        origin=dataset.origin,
        fingerprint=dataset.fingerprint,
    )


def environment() -> Environment:
    """What this runs on; imports TensorFlow."""
    import keras
    import tensorflow as tf

    from tl_widgets.training import device_name

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Environment(
        platform.python_version(),
        tf.__version__,
        keras.__version__,
        tl_widgets.__version__,
        cores,
        device_name(),
    )


def compare(
    dataset: ImageDataset,
    *,
    backbone: str = Config.backbone,
    weights: str | PathLike[str] | None = Config.weights,
    scratch: ScratchSpec | None = None,
    head_dropout: float = Config.head_dropout,
    augment: int = Config.augment,
    epochs: int = Config.epochs,
    batch_size: int = Config.batch_size,
    learning_rate: float = Config.learning_rate,
    seed: int = Config.seed,
    control: bool = Config.control,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
    workbench: Workbench | None = None,
) -> Comparison:
    """Train a network from scratch and a frozen backbone with a new head on the same images; test each once.

    Args:
        dataset: images and their split.
        backbone: a name in the catalogue (`list_backbones`).
        weights: "imagenet", the path of a weights file, or None for random weights.
        scratch: the network that is trained from scratch; `ScratchSpec()` where None.
        head_dropout: rate of the Dropout before the transfer model's last layer.
        augment: changed copies of each training image, for both models.
        epochs: passes over the training images.
        batch_size: images for each step.
        learning_rate: of Adam.
        seed: decides initial weights and the order of the images.
        control: train the same backbone with random weights, too.
        on_event: hears of each phase, epoch and batch.
        cancel: set from any thread, it stops within one batch.
        workbench: what earlier comparisons left.

    Returns:
        All that was found. Where Stop came, what there was until then, marked as stopped.

    Raises:
        InputError: an argument is not allowed, or does not fit the images or the memory.
        WeightsUnavailableError: the weights are neither on this machine nor to be had.
    """
    config = Config(
        backbone=backbone,
        weights=weights,  # type: ignore[arg-type]  # Config makes a path a str
        scratch=ScratchSpec() if scratch is None else scratch,
        head_dropout=head_dropout,
        augment=augment,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        seed=seed,
        control=control,
    )
    return compare_config(dataset, config, on_event=on_event, cancel=cancel, workbench=workbench)


def compare_config(
    dataset: ImageDataset,
    config: Config,
    *,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
    workbench: Workbench | None = None,
) -> Comparison:
    """`compare` with its arguments as one record, for whoever has them so: the Lab, the command line, the studies.

    Args:
        dataset: images and their split.
        config: all other arguments.
        on_event: hears of each phase, epoch and batch.
        cancel: set from any thread, it stops within one batch.
        workbench: what earlier comparisons left.

    Raises:
        InputError: an argument does not fit the images or the memory.
        WeightsUnavailableError: the weights are neither on this machine nor to be had.
    """
    return _Arms(dataset, config, on_event, cancel, Workbench() if workbench is None else workbench).compare()


def train_arm(
    dataset: ImageDataset,
    config: Config,
    arm: str,
    *,
    workbench: Workbench,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> RunResult:
    """Train and test one model of a comparison alone, with the numbers that `compare` gives.

    Args:
        dataset: images and their split.
        config: of the comparison.
        arm: "scratch", "transfer" or "control".
        workbench: holds the backbones and their features between calls.
        on_event: hears of each phase, epoch and batch.
        cancel: set from any thread, it stops within one batch.

    Returns:
        The model; marked as stopped where Stop came.

    Raises:
        InputError: a setting does not fit the images or the memory, or there is no such arm.
        WeightsUnavailableError: the weights are neither on this machine nor to be had.
        CancelledError: Stop came before there was a model.
    """
    if arm not in ("scratch", "transfer", "control"):
        raise InputError(f"There is no arm {arm!r}; a comparison has scratch, transfer and control.")
    arms = _Arms(dataset, config, on_event, cancel, workbench)
    import_tensorflow(on_event)
    raise_if_cancelled(cancel)
    if arm == "scratch":
        return arms.scratch()
    wanted = None if arm == "control" else arms.config.weights
    return arms.transfer(arm, resolve_weights(arms.entry, wanted, on_event=on_event, cancel=cancel))


def retrain_transfer(
    dataset: ImageDataset,
    config: Config,
    *,
    workbench: Workbench,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> RunResult:
    """`train_arm` of the transfer model: a fraction of a second once features are kept."""
    return train_arm(dataset, config, "transfer", workbench=workbench, on_event=on_event, cancel=cancel)


class _Arms:
    """One call of `compare`, model by model."""

    def __init__(
        self,
        dataset: ImageDataset,
        config: Config,
        on_event: OnEvent,
        cancel: Cancel | None,
        workbench: Workbench,
    ) -> None:
        # All that can be refused is refused before anything is trained.
        require_dataset(dataset)
        if config.control and config.weights is None:
            raise InputError(
                "The control is the same backbone with random weights, and the transfer model has them itself: "
                "there is nothing to compare. Leave the control out, or give the transfer model pretrained weights."
            )
        self.entry = find_backbone(config.backbone)
        self.config = replace(config, backbone=self.entry.name)
        self.dataset, self.on_event, self.cancel, self.workbench = dataset, on_event, cancel, workbench
        rows = scratch_ledger(dataset.image_shape, dataset.n_classes, config.scratch)
        # Weights, gradient and Adam's moments; maps and their gradients: as `require_training_memory` counts a model,
        # but before TensorFlow tries to build one that does not fit.
        maps = min(config.batch_size, len(dataset.train)) * sum(prod(row.output_shape) for row in rows)
        require_memory(
            4 * (4 * count_rows(rows).total + 2 * maps),
            "Training the network from scratch",
            "Use smaller images, a smaller batch size, fewer filters or global average pooling",
        )
        minimum = self.entry.min_input
        if minimum and dataset.image_size < minimum:
            raise InputError(
                f"{self.entry.name} needs images of at least {minimum} x {minimum} pixels; these have "
                f"{dataset.image_size} x {dataset.image_size}. Load them with image_size={minimum} or more, or choose "
                "another backbone."
            )
        require_memory(
            memory_estimate(self.entry, dataset.image_size),
            f"Running {self.entry.name} on images of {dataset.image_size} pixels",
            "Use smaller images or a smaller backbone",
        )

    def compare(self) -> Comparison:
        """Train the arms one after the other, as far as Stop lets them."""
        scratch = transfer = control = None
        try:
            # The weights first: without them there is nothing to compare, and all else would be done for nothing.
            raise_if_cancelled(self.cancel)
            weights = resolve_weights(self.entry, self.config.weights, on_event=self.on_event, cancel=self.cancel)
            import_tensorflow(self.on_event)
            raise_if_cancelled(self.cancel)
            text = f"building the models, {self.entry.name} with {weights.label} weights"
            self.on_event(Event("load", text))
            self._frozen("transfer", weights)
            raise_if_cancelled(self.cancel)
            scratch = self.scratch()
            raise_if_cancelled(self.cancel)
            transfer = self.transfer("transfer", weights)
            if self.config.control and not is_cancelled(self.cancel):
                control = self.transfer("control", resolve_weights(self.entry, None))
        except CancelledError:
            pass
        return self._comparison(scratch, transfer, control)

    def _comparison(
        self, scratch: RunResult | None, transfer: RunResult | None, control: RunResult | None
    ) -> Comparison:
        verdict = judge(scratch, transfer, control)
        comparison = Comparison(
            summarize(self.dataset), self.config, scratch, transfer, control, verdict, environment()
        )
        self.on_event(Event("done", "stopped" if comparison.stopped else "done", n_done=1, n_total=1))
        return comparison

    def _key(self, *decides: Any) -> Any:
        config = self.config
        common = (config.epochs, config.batch_size, config.learning_rate, config.seed, config.augment)
        return (self.dataset.fingerprint, common, *decides)

    def _train(self, model: Any, name: str, frozen: FrozenPart | None) -> RunResult:
        from tl_widgets.training import train

        return train(
            model,
            self.dataset,
            epochs=self.config.epochs,
            batch_size=self.config.batch_size,
            learning_rate=self.config.learning_rate,
            seed=self.config.seed,
            augment=self.config.augment,
            name=name,
            frozen=frozen,
            on_event=self.on_event,
            cancel=self.cancel,
        )

    def scratch(self) -> RunResult:
        from tl_widgets.models import build_scratch

        spec = self.config.scratch

        def make() -> RunResult:
            model = build_scratch(
                self.dataset.image_shape,
                self.dataset.n_classes,
                filters=spec.filters,
                kernel_sizes=spec.kernel_sizes,
                pooling=spec.pooling,
                head=spec.head,
                dense_units=spec.dense_units,
                dropout=spec.dropout,
                seed=self.config.seed,
            )
            return self._train(model, "scratch", None)

        return self.workbench.run(self._key("scratch", spec), make)

    def _identity(self, weights: ResolvedWeights) -> Any:
        seed = self.config.seed if weights.kind == "random" else None
        return (self.entry.name, weights.kind, weights.sha256, seed, self.dataset.image_shape)

    def _frozen(self, name: str, weights: ResolvedWeights) -> tuple[tuple[Any, ...], FrozenPart | None]:
        from tl_widgets.features import FrozenPart
        from tl_widgets.models import frozen_layers, stack_head

        identity = self._identity(weights)
        kept = self.workbench.backbones.get(name)
        # Results share these layers: whoever unfroze or changed them did so for himself.
        if kept is None or kept[0] != identity or (kept[2] and not kept[2].is_unchanged()):
            shape = self.dataset.image_shape
            layers = frozen_layers(self.entry, shape, weights, seed=self.config.seed)
            kept = (identity, layers, FrozenPart.of(stack_head(layers, shape, 2)))
            self.workbench.backbones[name] = kept
        return kept[1], kept[2]

    def transfer(self, name: str, weights: ResolvedWeights) -> RunResult:
        from tl_widgets.models import stack_head

        config = self.config

        def make() -> RunResult:
            layers, frozen = self._frozen(name, weights)
            model = stack_head(
                layers,
                self.dataset.image_shape,
                self.dataset.n_classes,
                head_dropout=config.head_dropout,
                seed=config.seed,
            )
            return replace(
                self._train(model, name, frozen),
                backbone=self.entry.name,
                weights=weights.label,
                weights_sha256=weights.sha256 or "",
            )

        return self.workbench.run(self._key(name, config.head_dropout, self._identity(weights)), make)
