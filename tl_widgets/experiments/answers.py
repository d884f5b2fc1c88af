"""The answers of a trained model to any images, with a frozen backbone's features read once and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.events import Cancel, OnEvent, ignore, raise_if_cancelled
from tl_widgets.experiments.arms import RunCache
from tl_widgets.records.comparison import Comparison, RunResult

if TYPE_CHECKING:
    from tl_widgets.data.dataset import Split
    from tl_widgets.training.features import FrozenPart

Array = NDArray[np.float64]


class Answerer:
    """Classifies images with one trained model; `frozen` is its frozen part, if it has been traced already."""

    def __init__(self, run: RunResult, frozen: FrozenPart | None = None) -> None:
        self.name, self._model, self._frozen = run.name, run.model, frozen
        self._compute: Any = None

    def probabilities(self, split: Split, *, on_event: OnEvent = ignore, cancel: Cancel | None = None) -> Array:
        """Return the probabilities of the classes, float64 (n, n_classes).

        Raises:
            CancelledError: `cancel` was set.
        """
        if self._frozen is None:
            answers = self._run(split, cancel)
        else:
            values: Any = self._frozen.read(split, model=self.name, on_event=on_event, cancel=cancel).values
            for layer in self._model.layers[self._frozen.n_layers :]:
                values = layer(values, training=False)
            answers = np.asarray(values, np.float64)
        # The sigmoid's output is the probability of the second class.
        return np.concatenate([1 - answers, answers], axis=1) if answers.shape[1] == 1 else answers

    def _run(self, split: Split, cancel: Cancel | None) -> Array:
        import tensorflow as tf

        from tl_widgets.training.learners import PREDICT_BATCH

        model, shape = self._model, split.images.shape[1:]
        if self._compute is None:
            # Batches of one fixed shape are traced once.
            signature = [tf.TensorSpec((PREDICT_BATCH, *shape), tf.uint8)]
            self._compute = tf.function(
                lambda images: model(tf.cast(images, tf.float32), training=False), input_signature=signature
            )
        answers = []
        for start in range(0, len(split), PREDICT_BATCH):
            raise_if_cancelled(cancel)
            images = np.asarray(split.images[start : start + PREDICT_BATCH])
            padded = np.zeros((PREDICT_BATCH, *shape), np.uint8)
            padded[: len(images)] = images
            answers.append(self._compute(tf.constant(padded)).numpy()[: len(images)])
        return np.concatenate(answers).astype(np.float64)


def answerers(comparison: Comparison, cache: RunCache) -> dict[str, Answerer]:
    """Return an `Answerer` for each tested model of a comparison; the cache may hold its frozen parts."""
    from tl_widgets.training.features import FrozenPart

    def frozen(run: RunResult) -> FrozenPart | None:
        kept = cache.backbones.get(run.name)
        return FrozenPart.of(run.model) if kept is None else kept[2]

    return {run.name: Answerer(run, frozen(run)) for run in comparison.runs if run.model is not None}
