"""Measurement of the "heads" study: several heads on the same kept features, and image search by them."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_widgets.backbones.catalogue import require_backbone
from tl_widgets.backbones.family import require_memory_for
from tl_widgets.backbones.weights import resolve_weights
from tl_widgets.core.arguments import checked
from tl_widgets.core.config import Config
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.events import Cancel, Event, OnEvent, ignore, raise_if_cancelled
from tl_widgets.core.lazy_tensorflow import import_tensorflow
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.settings import settings_of
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset, Labels, Split, require_dataset
from tl_widgets.experiments.arms import load_frozen
from tl_widgets.experiments.comparison import chance_of, environment, summarize
from tl_widgets.experiments.parallel import WorkContext, measure_all
from tl_widgets.records.pixels import pixels_text
from tl_widgets.studies.heads.result import (
    HEAD_NAMES,
    N_NEIGHBORS,
    HeadPoint,
    HeadStudy,
    Picture,
    SearchPoint,
    search_name,
)

Vectors = NDArray[np.float32]
# Values that are tried for each head; the validation images choose.
STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0)  # C of logistic regression
COUNTS = (1, 3, 5, 9, 15)  # neighbors that vote
PENALTIES = (1e-4, 1e-2, 1.0)  # alpha of the MLP
_HIDDEN = 64  # units of the MLP
_MOST_QUERIES, _LARGEST_SIDE = 4, 48  # of the gallery; pixels


@dataclass(frozen=True)
class _HeadJob:
    """One head on the features of the first backbone."""

    head: str

    def describe(self) -> str:
        return HEAD_NAMES[self.head]


@dataclass(frozen=True)
class _SearchJob:
    """The nearest training images by the features of one backbone."""

    arm: str
    backbone: str

    def describe(self) -> str:
        return _("image search by {backbone}", backbone=search_name(self.arm, self.backbone))


@dataclass(frozen=True, eq=False)
class _Parts:
    """The features of the three splits, float32 (n, n_features)."""

    train: Vectors
    validation: Vectors
    test: Vectors


@checked
def head_study(
    dataset: ImageDataset,
    *,
    backbone: str = Config.backbone,
    others: Sequence[str] = (),
    control: bool = True,
    epochs: int = Config.epochs,
    seed: int = Config.seed,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> HeadStudy:
    """Train four heads on the same features of a frozen backbone, and search for the nearest training images.

    The heads are the Dense layer of `compare`, logistic regression, k nearest neighbors and a small MLP (the last three
    are scikit-learn's). The validation images choose C, k and alpha; the test images are used once.

    Args:
        dataset: images and their split.
        backbone: a name in the catalogue (`list_backbones`), whose features the heads learn from.
        others: more backbones for the image search.
        control: whether to search by the features of the same backbone with random weights, too.
        epochs: passes over the training images, for the Dense layer.
        seed: determines the initial weights, the order of the images and the random backbone.
        on_event: receives each finished point.
        cancel: set from any thread, it stops the study within one batch or one head.

    Returns:
        Everything that was measured, even after a Stop; points that failed are in `failures`.

    Raises:
        InputError: an argument is not allowed, or no point could be measured.
        CancelledError: the study was stopped before the first point.
        WeightsUnavailableError: the weights are not on this machine and cannot be downloaded.
    """
    require_dataset(dataset)
    if isinstance(others, str):
        raise InputError(
            _("others must be names in a list, such as ['SqueezeNet']; received {others!r:.80}.", others=others)
        )
    entry = require_backbone(backbone, dataset.image_size)
    names = [require_backbone(name, dataset.image_size).name for name in others]
    config = Config(backbone=entry.name, control=control, epochs=epochs, seed=settings_of(Config)["seed"].check(seed))
    for name in dict.fromkeys((entry.name, *names)):
        found = require_backbone(name, dataset.image_size)
        require_memory_for(found, dataset.image_size)
        resolve_weights(found, "imagenet", on_event=on_event, cancel=cancel)
    import_tensorflow(on_event, cancel)
    raise_if_cancelled(cancel)
    queries = _first_of_each_class(dataset.test.labels)
    parts: dict[tuple[str, str], _Parts] = {}

    def measure(job: _HeadJob | _SearchJob, context: WorkContext) -> HeadPoint | SearchPoint:
        search = job if isinstance(job, _SearchJob) else _SearchJob(ModelName.TRANSFER, entry.name)
        key = search.arm, search.backbone
        if key not in parts:
            parts[key] = _features(dataset, config, search, context)
        if isinstance(job, _HeadJob):
            return _head_point(job.head, parts[key], dataset, config, context.cancel)
        nearest = nearest_images(parts[key].train, parts[key].test)
        n_right = (dataset.train.labels[nearest] == dataset.test.labels[:, None]).sum(axis=1)
        shown = tuple(tuple(nearest[row].tolist()) for row in queries)
        return SearchPoint(job.arm, job.backbone, tuple(n_right.tolist()), shown)

    jobs: list[_HeadJob | _SearchJob] = [_HeadJob(head) for head in HEAD_NAMES]
    jobs.append(_SearchJob(ModelName.TRANSFER, entry.name))
    jobs += [_SearchJob("", name) for name in dict.fromkeys(names) if name != entry.name]
    jobs += [_SearchJob(ModelName.CONTROL, entry.name)] if control else []
    measured = measure_all(jobs, measure, describe=lambda job: job.describe(), on_event=on_event, cancel=cancel)
    if not parts:
        raise CancelledError(_("stopped before the first point"))
    searches = tuple(point for point in measured.points if isinstance(point, SearchPoint))
    rows = sorted({row for search in searches for found in search.neighbors for row in found})
    side = min(dataset.image_size, _LARGEST_SIDE)
    return HeadStudy(
        dataset=summarize(dataset),
        config=config,
        n_features=next(iter(parts.values())).train.shape[1],
        chance=chance_of(dataset),
        n_neighbors=min(N_NEIGHBORS, len(dataset.train)),
        side=side,
        queries=_pictures(dataset.test, queries, side),
        pictures=_pictures(dataset.train, rows, side),
        heads=tuple(point for point in measured.points if isinstance(point, HeadPoint)),
        searches=searches,
        failures=measured.failures,
        stopped=measured.stopped,
        environment=environment(),
    )


def _features(dataset: ImageDataset, config: Config, job: _SearchJob, context: WorkContext) -> _Parts:
    """Read the features that `compare` keeps, or compute and keep them."""
    entry = require_backbone(job.backbone, dataset.image_size)
    context.on_event(Event("load", _("building {backbone}", backbone=search_name(job.arm, job.backbone)), job.arm))
    weights = resolve_weights(entry, None if job.arm == ModelName.CONTROL else "imagenet", cancel=context.cancel)
    name, shape = job.arm or job.backbone, dataset.image_shape
    how: dict[str, Any] = {"seed": config.seed, "cut": None, "cancel": context.cancel}
    _unused, frozen = load_frozen(context.cache, name, entry, weights, shape, **how)
    assert frozen is not None
    splits = (dataset.train, dataset.validation, dataset.test)
    values = [
        frozen.read(split, model=name, on_event=context.on_event, cancel=context.cancel).values for split in splits
    ]
    return _Parts(*(value.reshape(len(value), -1) for value in values))


def _head_point(head: str, parts: _Parts, dataset: ImageDataset, config: Config, cancel: Cancel | None) -> HeadPoint:
    labels, validation = dataset.train.labels, (parts.validation, dataset.validation.labels)
    started = time.perf_counter()
    if head == "dense":
        choice, answer = "", _train_dense(parts.train, labels, dataset.n_classes, config, cancel)
        val_accuracy = _share_right(answer, *validation)
    else:
        choice, val_accuracy, answer = choose_head(
            head, parts.train, labels, *validation, seed=config.seed, cancel=cancel
        )
    right = answer(parts.test) == dataset.test.labels
    seconds = time.perf_counter() - started
    return HeadPoint(head, choice, val_accuracy, tuple(right.tolist()), seconds)


def _train_dense(
    vectors: Vectors, labels: Labels, n_classes: int, config: Config, cancel: Cancel | None
) -> Callable[[Vectors], Labels]:
    from tl_widgets.training.heads import train_head
    from tl_widgets.training.learners import predicted_classes

    head = train_head(vectors, labels, n_classes, config, cancel=cancel)
    return lambda values: predicted_classes(head.probabilities(values))


def _share_right(answer: Callable[[Vectors], Labels], vectors: Vectors, labels: Labels) -> float:
    return float((answer(vectors) == labels).mean()) if len(labels) else 0.0


def choose_head(
    head: str,
    vectors: Vectors,
    labels: Labels,
    val_vectors: Vectors,
    val_labels: Labels,
    *,
    seed: int = 0,
    cancel: Cancel | None = None,
) -> tuple[str, float, Callable[[Vectors], Labels]]:
    """Train one of scikit-learn's heads with each value that is tried.

    Returns:
        What was chosen by the validation images (the first of equals), its accuracy on them, 0..1, and the function
        from features, (n, n_features), to answers, (n,).

    Raises:
        CancelledError: `cancel` was set.
    """
    from sklearn.exceptions import ConvergenceWarning

    best: tuple[str, float, Any] | None = None
    for choice, model in _candidates(head, len(labels), seed):
        raise_if_cancelled(cancel)
        with warnings.catch_warnings():
            # With little regularization it may need more steps; the validation images judge what came of it.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(vectors, labels)
        accuracy = _share_right(model.predict, val_vectors, val_labels)
        if best is None or accuracy > best[1]:
            best = choice, accuracy, model
    assert best is not None
    return best[0], best[1], best[2].predict


def _candidates(head: str, n_train: int, seed: int) -> Iterable[tuple[str, Any]]:
    """Yield each value that is tried, the simplest model first, with the untrained model."""
    if head == "logistic":
        from sklearn.linear_model import LogisticRegression

        yield from ((f"C = {c:g}", LogisticRegression(C=c, max_iter=1000)) for c in STRENGTHS)
    elif head == "neighbors":
        from sklearn.neighbors import KNeighborsClassifier

        for k in sorted({min(k, n_train) for k in COUNTS}, reverse=True):
            yield f"k = {k}", KNeighborsClassifier(k, metric="cosine", algorithm="brute")
    else:
        from sklearn.neural_network import MLPClassifier

        for alpha in sorted(PENALTIES, reverse=True):
            yield f"alpha = {alpha:g}", MLPClassifier((_HIDDEN,), alpha=alpha, max_iter=200, random_state=seed)


def nearest_images(train: Vectors, test: Vectors, n_neighbors: int = N_NEIGHBORS) -> NDArray[np.int64]:
    """Return the rows of the training vectors with the smallest cosine distance to each test vector, nearest first."""
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=min(n_neighbors, len(train)), metric="cosine", algorithm="brute").fit(train)
    nearest: NDArray[np.int64] = search.kneighbors(test, return_distance=False)
    return nearest


def _first_of_each_class(labels: Labels) -> tuple[int, ...]:
    """Return the row of the first image of each class, four at most."""
    _, rows = np.unique(labels, return_index=True)
    return tuple(rows[:_MOST_QUERIES].tolist())


def _pictures(split: Split, rows: Iterable[int], side: int) -> tuple[Picture, ...]:
    """Return images of a split as small pictures."""
    from PIL import Image

    pictures = []
    for row in rows:
        image = np.ascontiguousarray(split.images[row])
        small = np.asarray(Image.fromarray(image).resize((side, side))) if len(image) != side else image
        pictures.append(Picture(row, int(split.labels[row]), pixels_text(small)))
    return tuple(pictures)
