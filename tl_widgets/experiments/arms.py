"""Training the models of one comparison, all in turn or a single one.

TensorFlow is imported inside the functions, because the first event of a run announces that it is being loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from math import prod
from typing import TYPE_CHECKING, Any

from tl_widgets.backbones.catalogue import find_backbone, require_backbone
from tl_widgets.backbones.family import Backbone, require_memory_for
from tl_widgets.backbones.weights import ResolvedWeights, resolve_weights
from tl_widgets.core.config import Config
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.events import Cancel, Event, OnEvent, ignore, raise_if_cancelled
from tl_widgets.core.lazy_tensorflow import import_tensorflow, require_memory_for_tensorflow
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.resources import require_training_memory
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset, require_dataset
from tl_widgets.records.comparison import RunResult
from tl_widgets.records.parameters import count_rows, scratch_ledger
from tl_widgets.training.race import Turns, finish, race

if TYPE_CHECKING:
    from tl_widgets.training.features import FrozenPart


_KEPT_RUNS = 8


@dataclass(eq=False)
class RunCache:
    """The cache of trained runs and of the most recent frozen layers.

    The same data, settings and seed give the same model, so a finished run needn't be repeated. A Lab or a study
    that makes many comparisons holds one cache; it isn't thread-safe.

    A key of `runs` and an entry of `backbones` ("transfer" or "control") hold everything that determines the result.
    """

    runs: dict[Any, RunResult] = field(default_factory=dict)
    backbones: dict[str, tuple[Any, tuple[Any, ...], FrozenPart | None]] = field(default_factory=dict)

    def turns(self, key: Any, make: Callable[[], Turns]) -> Turns:
        """Return the finished run for this key, or train it turn by turn; a stopped run isn't stored."""
        if key in self.runs:
            return self.runs[key]
        result = yield from make()
        if not result.stopped:
            self.runs[key] = result
            while len(self.runs) > _KEPT_RUNS:
                del self.runs[next(iter(self.runs))]
        return result


class Arms:
    """One seed of a comparison, model by model."""

    def __init__(
        self,
        dataset: ImageDataset,
        config: Config,
        on_event: OnEvent,
        cancel: Cancel | None,
        cache: RunCache,
        *,
        validate: bool = True,
    ) -> None:
        # Reject settings before training anything.
        require_dataset(dataset)
        if config.control and config.weights is None:
            raise InputError(
                _(
                    "The control is the same backbone with random weights, but the transfer model has "
                    "random weights, too: there is nothing to compare. Leave out the control, or give "
                    "the transfer model pretrained weights."
                )
            )
        self.entry = require_backbone(config.backbone, dataset.image_size)
        self.entry.cut_after(config.cut)
        self.config = replace(config, backbone=self.entry.name)
        self.dataset, self.on_event, self.cancel, self.cache = dataset, on_event, cancel, cache
        self.validate = validate
        self._remaining: dict[str, float | None] = {}
        require_memory_for_tensorflow()
        rows = scratch_ledger(dataset.image_shape, dataset.n_classes, config.scratch)
        require_training_memory(  # before TensorFlow tries to allocate it
            _("Training the network from scratch"),
            n_params=count_rows(rows).total,
            n_values=sum(prod(row.output_shape) for row in rows),
            batch_size=min(config.batch_size, len(dataset.train)),
        )
        require_memory_for(self.entry, dataset.image_size)

    def train_all(self) -> dict[str, RunResult]:
        """Train the models in turn until `cancel` is set, and return them by name.

        A fine-tuned model is trained after the others, because it continues from the transfer model.
        """
        runs: dict[str, RunResult] = {}
        config = self.config
        try:
            # Get the weights first: there is nothing to compare without them.
            raise_if_cancelled(self.cancel)
            weights = resolve_weights(self.entry, config.weights, on_event=self.on_event, cancel=self.cancel)
            import_tensorflow(self.on_event, self.cancel)
            raise_if_cancelled(self.cancel)
            text = _(
                "building the models, {entry_name} with {weights_label} weights",
                entry_name=self.entry.name,
                weights_label=weights.label,
            )
            self.on_event(Event("load", text))
            layers, _unused = self._frozen(ModelName.TRANSFER, weights)
            self._require_blocks(layers)
            raise_if_cancelled(self.cancel)
            # Frozen backbones go first: once their features are there, their epochs take hardly any time.
            arms: dict[str, Turns] = {ModelName.TRANSFER: self.transfer(ModelName.TRANSFER, weights)}
            if config.control:
                arms[ModelName.CONTROL] = self.transfer(ModelName.CONTROL, resolve_weights(self.entry, None))
            arms[ModelName.SCRATCH] = self.scratch()
            runs = race(arms)
            raise_if_cancelled(self.cancel)
            if config.fine_tuning:
                runs[ModelName.FINE_TUNED] = finish(self.fine_tuned(runs[ModelName.TRANSFER], weights))
        except CancelledError:
            pass
        return {name: runs[name] for name in ModelName if name in runs}

    def _require_blocks(self, layers: tuple[Any, ...]) -> None:
        """Raise `InputError` early if the backbone can't be cut for fine-tuning."""
        if self.config.fine_tuning:
            from tl_widgets.backbones.cuts import find_cut
            from tl_widgets.training.fine_tuning import backbone_of

            find_cut(backbone_of(layers), self.config.fine_tuning.n_blocks, self.entry.family.blocks)

    def key(self, name: str, weights: ResolvedWeights | None = None) -> Any:
        """Return what a trained model is found by in the cache."""
        identity = None if weights is None else self._identity(weights)
        return self.dataset.fingerprint, name, _decides(name, self.config), self.validate, identity

    def _train(self, model: Any, name: str, frozen: FrozenPart | None) -> Turns:
        from tl_widgets.training.loop import Training

        how = (self.validate, self.on_event, self.cancel, self._remaining)
        return Training(model, self.dataset, self.config, name, frozen, *how).turns()

    def scratch(self) -> Turns:
        """Train the network from scratch."""
        from tl_widgets.models.builders import scratch_model

        config, dataset = self.config, self.dataset

        def make() -> Turns:
            model = scratch_model(dataset.image_shape, dataset.n_classes, config.scratch, seed=config.seed)
            return self._train(model, ModelName.SCRATCH, None)

        return self.cache.turns(self.key(ModelName.SCRATCH), make)

    def _identity(self, weights: ResolvedWeights) -> Any:
        return _identity(self.entry, weights, self.dataset.image_shape, self.config.seed, self.config.cut)

    def _frozen(self, name: str, weights: ResolvedWeights) -> tuple[tuple[Any, ...], FrozenPart | None]:
        config, shape = self.config, self.dataset.image_shape
        return load_frozen(
            self.cache, name, self.entry, weights, shape, seed=config.seed, cut=config.cut, cancel=self.cancel
        )

    def transfer(self, name: str, weights: ResolvedWeights) -> Turns:
        """Train the frozen backbone with a new head, as "transfer" or "control"."""
        from tl_widgets.models.builders import stack_head

        config = self.config

        def make() -> Turns:
            raise_if_cancelled(self.cancel)  # building a backbone takes a while
            layers, frozen = self._frozen(name, weights)
            model = stack_head(
                layers,
                self.dataset.image_shape,
                self.dataset.n_classes,
                head_dropout=config.head_dropout,
                seed=config.seed,
            )
            return replace(
                (yield from self._train(model, name, frozen)),
                backbone=self.entry.described(config.cut),
                weights=weights.label,
                weights_sha256=weights.sha256 or "",
            )

        return self.cache.turns(self.key(name, weights), make)

    def fine_tuned(self, first: RunResult, weights: ResolvedWeights) -> Turns:
        """Continue training the transfer model with its backbone's last blocks unfrozen."""
        from tl_widgets.training.fine_tuning import second_stage

        config = self.config

        def make() -> Turns:
            return second_stage(first, self.dataset, config, self.entry, on_event=self.on_event, cancel=self.cancel)

        return self.cache.turns(self.key(ModelName.FINE_TUNED, weights), make)


def put_into_cache(cache: RunCache, dataset: ImageDataset, config: Config, runs: Iterable[RunResult]) -> None:
    """Put models into the cache that were trained elsewhere, on these images with these settings, without folds.

    Raises:
        InputError: A setting doesn't fit the images or needs too much memory.
    """
    arms = Arms(dataset, config, ignore, None, cache)
    for run in runs:
        weights = None
        if run.name != ModelName.SCRATCH:
            weights = resolve_weights(arms.entry, None if run.name == ModelName.CONTROL else config.weights)
        cache.runs[arms.key(run.name, weights)] = run


def _decides(model: str, config: Config) -> tuple[Any, ...]:
    """Return the settings that make a model what it is, beside its backbone."""
    common = (config.epochs, config.batch_size, config.learning_rate, config.seed, config.augment, config.class_weights)
    if model == ModelName.SCRATCH:
        return (*common, config.scratch)
    return (*common, config.head_dropout, config.fine_tuning if model == ModelName.FINE_TUNED else None)


def kept_models(cache: RunCache, dataset: ImageDataset, config: Config) -> frozenset[str]:
    """Return the names of the models that were trained on these images with these settings, and are in the cache.

    Nothing is computed or downloaded for the answer.
    """
    shape, backbone = dataset.image_shape, find_backbone(config.backbone).name
    kind = config.weights if config.weights in (None, "imagenet") else "file"
    sha256 = None
    if kind == "file":
        with suppress(InputError, OSError):
            sha256 = resolve_weights(find_backbone(backbone), config.weights).sha256

    def is_same(model: str, identity: Any) -> bool:
        if identity is None:
            return True
        wanted = "random" if model == ModelName.CONTROL else kind or "random"
        name, found, digest, *others = identity
        seed = config.seed if wanted == "random" else None
        is_file = wanted != "file" or digest == sha256
        return (name, found, others) == (backbone, wanted, [seed, shape, config.cut]) and is_file

    return frozenset(
        model
        for fingerprint, model, decides, validate, identity in list(cache.runs)  # while another thread trains
        if model in config.model_names
        and validate
        and decides == _decides(model, config)
        and is_same(model, identity)
        and fingerprint == dataset.fingerprint
    )


def _identity(
    entry: Backbone, weights: ResolvedWeights, image_shape: tuple[int, int, int], seed: int, cut: int | None
) -> Any:
    """Return everything that determines a frozen backbone."""
    return (entry.name, weights.kind, weights.sha256, seed if weights.kind == "random" else None, image_shape, cut)


def load_frozen(
    cache: RunCache,
    name: str,
    entry: Backbone,
    weights: ResolvedWeights,
    image_shape: tuple[int, int, int],
    *,
    seed: int,
    cut: int | None,
    cancel: Cancel | None,
) -> tuple[tuple[Any, ...], FrozenPart | None]:
    """Return the frozen layers of "transfer" or "control", and the same as one function, from the cache or built."""
    from tl_widgets.models.builders import frozen_layers, stack_head
    from tl_widgets.training.features import FrozenPart
    from tl_widgets.training.stoppable import Stoppable

    identity = _identity(entry, weights, image_shape, seed, cut)
    cached = cache.backbones.get(name)
    # Users may have changed or unfrozen these layers, because results share them.
    if cached is None or cached[0] != identity or (cached[2] and not cached[2].is_unchanged()):

        def build() -> tuple[tuple[Any, ...], FrozenPart | None]:
            layers = frozen_layers(entry, image_shape, weights, seed=seed, cut=entry.cut_after(cut))
            return layers, FrozenPart.of(stack_head(layers, image_shape, 2))

        cached = (identity, *Stoppable(build, cancel)())  # a large backbone takes many seconds
        cache.backbones[name] = cached
    return cached[1], cached[2]


def train_arm(
    dataset: ImageDataset,
    config: Config,
    arm: str,
    *,
    cache: RunCache,
    validate: bool = True,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> RunResult:
    """Train and test one model, "scratch", "transfer" or "control", as in `compare`.

    If `cancel` is set during training, the result is marked as stopped.

    Raises:
        InputError: A setting doesn't fit the images or needs too much memory, or there is no such arm.
        WeightsUnavailableError: The weights aren't on this machine and can't be downloaded.
        CancelledError: `cancel` was set before training began.
    """
    if arm not in (ModelName.SCRATCH, ModelName.TRANSFER, ModelName.CONTROL):
        raise InputError(_("There is no arm {arm}; a comparison has scratch, transfer and control.", arm=shown(arm)))
    arms = Arms(dataset, config, on_event, cancel, cache, validate=validate)
    import_tensorflow(on_event, cancel)
    raise_if_cancelled(cancel)
    if arm == ModelName.SCRATCH:
        return finish(arms.scratch())
    requested = None if arm == ModelName.CONTROL else arms.config.weights
    return finish(arms.transfer(arm, resolve_weights(arms.entry, requested, on_event=on_event, cancel=cancel)))


def retrain_transfer(
    dataset: ImageDataset,
    config: Config,
    *,
    cache: RunCache,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> RunResult:
    """Train the transfer model, in a fraction of a second once it has its features."""
    return train_arm(dataset, config, ModelName.TRANSFER, cache=cache, on_event=on_event, cancel=cancel)
