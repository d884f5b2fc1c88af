"""Training a head alone, on features that are kept."""

from __future__ import annotations

from tl_widgets.core.config import Config
from tl_widgets.core.events import Cancel, raise_if_cancelled
from tl_widgets.data.dataset import Labels
from tl_widgets.models.builders import stack_head
from tl_widgets.training.learners import Array, LinearHead, balanced_weights, batches


def train_head(
    features: Array, labels: Labels, n_classes: int, config: Config, *, cancel: Cancel | None = None
) -> LinearHead:
    """Train the head that `compare` puts on a frozen backbone, which gives it the same weights.

    Args:
        features: of the training images, float32 (n, n_features).
        labels: of the same images, (n,).
        n_classes: at least 2.
        config: the settings of the head and of its training.
        cancel: stops between two epochs when set.

    Raises:
        CancelledError: `cancel` was set.
    """
    kernel, bias = stack_head((), features.shape[1:], n_classes, seed=config.seed).layers[-1].get_weights()
    head = LinearHead(
        kernel,
        bias,
        learning_rate=config.learning_rate,
        dropout=config.head_dropout,
        seed=config.seed,
        class_weights=balanced_weights(labels, n_classes) if config.class_weights else None,
    )
    for epoch in range(config.epochs):
        raise_if_cancelled(cancel)
        for rows in batches(len(labels), config.batch_size, seed=config.seed, epoch=epoch):
            head.fit_batch(features[rows], labels[rows])
    return head
