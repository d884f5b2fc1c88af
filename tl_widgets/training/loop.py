"""The training loop, which trains and tests one model without global state."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tl_widgets.core.arguments import checked
from tl_widgets.core.config import Config
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.events import Cancel, Event, OnEvent, ignore, raise_if_cancelled, seconds_left
from tl_widgets.core.resources import release_after, require_training_memory
from tl_widgets.core.text import any_of
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset, Split, require_dataset
from tl_widgets.models.builders import count_parameters
from tl_widgets.records.comparison import Diagnosis, History, RunResult, Seconds
from tl_widgets.records.run import diagnose, is_stuck
from tl_widgets.training.features import FrozenPart
from tl_widgets.training.kept_learners import BorrowedLearner, learner_for
from tl_widgets.training.learners import (
    ADDITIONS,
    PREDICT_BATCH,
    Learner,
    LinearHead,
    balanced_weights,
    batches,
    count_dead_units,
    count_right,
    cross_entropy,
    predicted_classes,
    with_augmented,
)
from tl_widgets.training.race import Turns, finish
from tl_widgets.training.stoppable import Stoppable

Array = NDArray[np.float32]
_EVENT_EVERY = 0.1  # seconds; nobody reads faster


@dataclass(frozen=True, eq=False)
class _Part:
    """One split in the form that the learner takes: images or features."""

    inputs: Any
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


def device_name() -> str:
    """Return the device that TensorFlow uses: "CPU", or the name of the first GPU."""
    gpus = tf.config.get_visible_devices("GPU")  # without those that the user hid
    if not gpus:
        return "CPU"
    return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU"))


@checked
def train(
    model: keras.Model,
    dataset: ImageDataset,
    *,
    epochs: int = Config.epochs,
    batch_size: int = Config.batch_size,
    learning_rate: float = Config.learning_rate,
    seed: int = 0,
    augment: int = 0,
    class_weights: bool = Config.class_weights,
    name: str = "model",
    keep_features: bool = True,
    validate: bool = True,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> RunResult:
    """Train a model, then test it once.

    If a model begins with frozen layers, they run once per image, and its head is trained on the features. The
    result is the same as training through the frozen layers in every epoch.

    Args:
        model: A model that takes raw pixels in 0-255, `(n, *image_shape)`, and outputs probabilities: (n, n_classes),
            or (n, 1) for two classes. It's changed in place.
        dataset: Images for training, validation and the test.
        epochs: Passes over the training images.
        batch_size: Images per step.
        learning_rate: Adam's learning rate.
        seed: Determines the order of the images and which units Dropout leaves out.
        augment: Number of altered copies of each training image that are used beside it.
        class_weights: Whether the loss counts each class equally, whatever the number of its images.
        name: Name of the result.
        keep_features: False to train through the frozen layers in every epoch, as plain Keras does.
        validate: Check the model on the validation images after every epoch. False is faster and trains the same model.
        on_event: Receives each phase, each epoch, and batches up to ten times a second.
        cancel: Stops within one batch when set from any thread; the result is then marked as stopped.

    Returns:
        The result; the trained model is `result.model`.

    Raises:
        InputError: The model doesn't fit the data, or needs too much memory.
    """
    config = Config(
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        seed=seed,
        augment=augment,
        class_weights=class_weights,
    )
    _check_fit(model, dataset)
    started = time.monotonic()
    frozen = FrozenPart.of(model) if keep_features else None
    training = Training(model, dataset, config, name, frozen, validate, on_event, cancel)
    result = finish(training.turns())
    del training, frozen  # what they hold is no longer needed
    release_after(started)
    return result


def _check_fit(model: keras.Model, dataset: ImageDataset) -> None:
    require_dataset(dataset)
    if not isinstance(model, keras.Model) or not model.built:
        raise InputError(
            _(
                "A built keras.Model is needed, such as build_scratch(dataset.image_shape, "
                "dataset.n_classes); received {model!r}. Give a Sequential an Input(shape) as its first "
                "layer.",
                model=model,
            )
        )
    if tuple(model.input_shape[1:]) != dataset.image_shape:
        raise InputError(
            _(
                "The model takes images of shape {input_shape}, the data set {dataset_name!r} has "
                "{image_shape}. Build the model with image_shape=dataset.image_shape.",
                input_shape=tuple(model.input_shape[1:]),
                dataset_name=dataset.name,
                image_shape=dataset.image_shape,
            )
        )
    allowed = [(None, dataset.n_classes)] + ([(None, 1)] if dataset.n_classes == 2 else [])
    if tuple(model.output_shape) not in allowed:
        raise InputError(
            _(
                "The model's answers have shape {output_shape}; for {n_classes} classes they must have "
                "{allowed}. End it with Flatten or GlobalAveragePooling2D and one Dense layer.",
                output_shape=tuple(model.output_shape),
                n_classes=dataset.n_classes,
                allowed=any_of(map(str, allowed)),
            )
        )
    activation = getattr(model.layers[-1], "activation", None)
    if activation is keras.activations.linear:
        raise InputError(
            _(
                "The model's last layer has no activation, so its answers are not probabilities. End it "
                'with activation="softmax", or "sigmoid" where it has one unit.'
            )
        )


@dataclass(eq=False)
class Training:
    """What `train` does, turn by turn, with the settings as one record and without its checks.

    Attributes:
        frozen: The layers to run only once per image; None to train through the whole model.
        remaining: Seconds that each model of a race still has to train, by name; None if that isn't known yet.
        seconds: The time that this model took, without the other models' turns.
    """

    model: keras.Model
    dataset: ImageDataset
    config: Config
    name: str
    frozen: FrozenPart | None
    validate: bool = True
    on_event: OnEvent = ignore
    cancel: Cancel | None = None
    remaining: dict[str, float | None] = field(default_factory=dict)
    seconds: Seconds = field(default_factory=Seconds)
    history: History = field(default_factory=History)
    test_probabilities: Array | None = None

    def turns(self) -> Turns:
        """Prepare, train and test; pause after the preparation and after each epoch.

        The result is marked as stopped if `cancel` was set.
        """
        stopped = False
        try:
            learner = yield from self._fit()
            self._evaluate(learner)
            if isinstance(learner, BorrowedLearner):
                learner.give_back()
        except CancelledError:
            stopped = True
        return self._result(stopped)

    def _fit(self) -> Generator[None, None, Learner]:
        raise_if_cancelled(self.cancel)
        train_part, validation = self._prepare()
        learner = self._learner(train_part)
        self.remaining[self.name] = None
        yield
        try:
            for epoch in range(self.config.epochs):
                self._train_epoch(learner, train_part, validation, epoch)
                yield
        finally:
            if isinstance(learner, LinearHead):  # it trains outside the model
                self.model.layers[-1].set_weights([learner.kernel, learner.bias])
            elif isinstance(learner, BorrowedLearner):
                learner.write_back()
        return learner

    def _prepare(self) -> tuple[_Part, _Part | None]:
        started = time.perf_counter()
        augmented = with_augmented(self.dataset.train, self.config.augment, seed=self.config.seed)
        train_part = self._part(augmented)
        validation = self._part(self.dataset.validation) if self.validate else None
        self.seconds = replace(self.seconds, prepare=time.perf_counter() - started)
        return train_part, validation

    def _part(self, split: Split) -> _Part:
        if self.frozen is None:
            return _Part(split.images, split.labels)
        features = self.frozen.read(split, model=self.name, on_event=self.on_event, cancel=self.cancel)
        self.seconds = replace(self.seconds, saved=self.seconds.saved + features.saved)
        return _Part(features.values, split.labels)

    def _learner(self, part: _Part) -> Learner:
        config, model = self.config, self.model
        weights = balanced_weights(part.labels, self.dataset.n_classes) if config.class_weights else None
        head = model.layers[self.frozen.n_layers :] if self.frozen else model.layers
        if self.frozen and _is_linear(head):
            dropout = head[0].rate if len(head) == 2 else 0.0
            kernel, bias = head[-1].get_weights()
            return LinearHead(
                kernel,
                bias,
                learning_rate=config.learning_rate,
                dropout=dropout,
                seed=config.seed,
                class_weights=weights,
            )
        if self.frozen:
            model = keras.Sequential([keras.layers.Input(self.frozen.output_shape), *head])
        batch_size = min(config.batch_size, len(part))
        require_training_memory(
            _("Training {model_name!r} in batches of {batch_size}", model_name=model.name, batch_size=batch_size),
            n_params=count_parameters(model).total,
            n_values=sum(prod(layer.output.shape[1:]) for layer in model.layers),
            batch_size=batch_size,
        )
        return learner_for(model, tf.as_dtype(part.inputs.dtype), config.learning_rate, weights)

    def _train_epoch(self, learner: Learner, part: _Part, validation: _Part | None, epoch: int) -> None:
        reported = time.perf_counter()
        started = reported - self.seconds.train  # as if there had been no pauses
        n_batches = -(-len(part) // self.config.batch_size)
        loss, n_right = 0.0, 0
        fit_batch = Stoppable(learner.fit_batch, self.cancel)
        try:
            for i, indices in enumerate(batches(len(part), self.config.batch_size, seed=self.config.seed, epoch=epoch)):
                batch_loss, batch_right = fit_batch(part.inputs[indices], part.labels[indices])
                loss, n_right = loss + batch_loss * len(indices), n_right + batch_right
                if time.perf_counter() - reported > _EVENT_EVERY:
                    reported = time.perf_counter()
                    self._report_training(epoch, epoch * n_batches + i + 1, n_batches, reported - started)
            scores: dict[str, float] = {"loss": loss / len(part), "accuracy": n_right / len(part)}
            if validation is not None:
                answers = self._answers(learner, validation)
                scores["val_loss"] = cross_entropy(answers, validation.labels)
                scores["val_accuracy"] = count_right(answers, validation.labels) / len(validation)
            seconds = time.perf_counter() - started
            numbers = {**scores, "seconds": seconds}
            longer = {name: (*getattr(self.history, name), number) for name, number in numbers.items()}
            self.history = replace(self.history, **longer)
            if isinstance(learner, BorrowedLearner):  # who receives the event may look at the model
                learner.write_back()
            self._report_training(epoch + 1, (epoch + 1) * n_batches, n_batches, seconds, scores)
        finally:
            self.seconds = replace(self.seconds, train=time.perf_counter() - started)

    def _report_training(
        self, epoch: int, n_done: int, n_batches: int, seconds: float, scores: dict[str, float] | None = None
    ) -> None:
        """Send a progress event; `scores` are given at the end of an epoch."""
        n_epochs = self.config.epochs
        n_total = n_batches * n_epochs
        text = _(
            "training: epoch {epoch} of {n_epochs}", epoch=min(epoch + (scores is None), n_epochs), n_epochs=n_epochs
        )
        self.remaining[self.name] = left = seconds_left(seconds, n_done, n_total)
        if left:  # the other models' turns come in between
            known = [others for others in self.remaining.values() if others is not None]
            left = sum(known) if len(known) == len(self.remaining) else None
        self.on_event(Event("train", text, self.name, n_done, n_total, epoch, n_epochs, scores or {}, seconds, left))

    def _answers(self, learner: Learner, part: _Part, on_batch: Callable[[int], None] | None = None) -> Array:
        if isinstance(learner, LinearHead):
            return learner.probabilities(part.inputs)
        answers = []
        probabilities = Stoppable(learner.probabilities, self.cancel)
        for start in range(0, len(part), PREDICT_BATCH):
            answers.append(probabilities(part.inputs[start : start + PREDICT_BATCH]))
            if on_batch:
                on_batch(start + len(answers[-1]))
        return np.concatenate(answers)

    def _evaluate(self, learner: Learner) -> None:
        started = time.perf_counter()
        n = len(self.dataset.test)

        def report(n_done: int) -> None:
            seconds = time.perf_counter() - started
            text = _("testing: {n_done} of {n} images", n_done=n_done, n=n)
            left = seconds_left(seconds, n_done, n)
            self.on_event(Event("evaluate", text, self.name, n_done, n, seconds=seconds, seconds_left=left))

        report(0)
        answers = self._answers(learner, self._part(self.dataset.test), report)
        self.test_probabilities = np.concatenate([1 - answers, answers], axis=1) if answers.shape[1] == 1 else answers
        self.seconds = replace(self.seconds, evaluate=time.perf_counter() - started)

    def _result(self, stopped: bool) -> RunResult:
        labels: tuple[int, ...] = ()
        predictions: tuple[int, ...] = ()
        probabilities: tuple[tuple[float, ...], ...] = ()
        if self.test_probabilities is not None:
            labels = tuple(self.dataset.test.labels.tolist())
            predictions = tuple(predicted_classes(self.test_probabilities).tolist())
            probabilities = tuple(tuple(round(float(p), 6) for p in row) for row in self.test_probabilities)
        result = RunResult(
            name=self.name,
            class_names=self.dataset.class_names,
            params=count_parameters(self.model),
            seconds=self.seconds,
            history=self.history,
            labels=labels,
            predictions=predictions,
            probabilities=probabilities,
            stopped=stopped,
            device=device_name(),
            model=self.model,
        )
        result = replace(result, diagnoses=self._diagnoses(result))
        text = _("stopped") if stopped else _("done")
        self.on_event(Event("done", text, self.name, 1, 1, seconds=self.seconds.total, seconds_left=0.0))
        return result

    def _diagnoses(self, result: RunResult) -> tuple[Diagnosis, ...]:
        if result.stopped:
            n_epochs = len(self.history.loss)
            text = _(
                "It was stopped after {n_epochs} of {epochs} epochs and was not tested.",
                n_epochs=n_epochs,
                epochs=self.config.epochs,
            )
            return (Diagnosis("stopped", text, _("Run it again to the end for a test accuracy.")),)
        train_labels = self.dataset.train.labels.tolist()  # augmented copies add no evidence
        stuck = is_stuck(self.history, train_labels)
        return diagnose(
            self.history,
            train_labels=train_labels,
            test_labels=result.labels,
            predictions=result.predictions,
            class_names=self.dataset.class_names,
            dead_units=count_dead_units(self.model, self.dataset.train) if stuck else (),
        )


def _is_linear(head: list[keras.layers.Layer]) -> bool:
    """Return whether `LinearHead` can train the head: Dense, after at most a Dropout."""
    dense = head[-1]
    before = head[:-1]
    return (
        (not before or (len(before) == 1 and type(before[0]) is keras.layers.Dropout))
        and (not before or before[0].noise_shape is None)
        and type(dense) is keras.layers.Dense
        and dense.trainable
        and dense.use_bias
        and all(getattr(dense, name) is None for name in ADDITIONS)
        and dense.activation is (keras.activations.sigmoid if dense.units == 1 else keras.activations.softmax)
        and len(dense.input.shape) == 2
    )
