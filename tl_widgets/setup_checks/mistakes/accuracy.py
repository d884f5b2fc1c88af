"""Mistakes in choosing the images that accuracy is measured on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tl_widgets.core.translation import _
from tl_widgets.setup_checks.mistake import Check, Finding, Mistake, Subject

if TYPE_CHECKING:
    from tl_widgets.records.verdict import TwoWays
    from tl_widgets.setup_checks.setup import Setup
    from tl_widgets.setup_checks.trial import Trial

_N_LABELINGS = 5
_HEAD_RATE = 1e-2  # the head must memorize its images


def _leaky_split(trial: Trial) -> TwoWays:
    """Measure take and skip on a data set reshuffled in every pass, on random labels."""
    import numpy as np

    from tl_widgets.records.verdict import compare_means

    features = trial.frozen().read(trial.dataset.train, on_event=trial.on_event, cancel=trial.cancel).values
    accuracies: dict[str, list[float]] = {"right": [], "wrong": []}
    for seed in range(trial.config.seed, trial.config.seed + _N_LABELINGS):
        labels = np.random.default_rng(seed).permutation(np.arange(len(features)) % 2)
        for way, values in accuracies.items():
            values.append(_random_labels(trial, features, labels, seed=seed, way=way))
    return compare_means(**accuracies, n_images=len(features) - _n_train(len(features)))


def _n_train(n: int) -> int:
    """Return how many of `n` images are training images."""
    return n * 7 // 10


def _random_labels(trial: Trial, features: Any, labels: Any, *, seed: int, way: str) -> float:
    """Return the validation accuracy of a head on the backbone's features."""
    import numpy as np

    from tl_widgets.training.learners import LinearHead, count_right

    n, n_train, started = len(features), _n_train(len(features)), time.perf_counter()
    # This permutes n positions as tf.data's shuffle(n) does before take and skip. shuffle(n) itself would also depend
    # on TensorFlow's global seed, which belongs to the learner. A test uses tf.data itself.
    numbers = np.random.default_rng([seed, 1])
    first = numbers.permutation(n)

    def one_pass() -> Any:
        return numbers.permutation(n) if way == "wrong" else first

    start = np.zeros((features.shape[1], 1), np.float32), np.zeros(1, np.float32)
    head = LinearHead(*start, learning_rate=_HEAD_RATE, dropout=0.0, seed=seed)
    n_epochs = trial.config.epochs
    for epoch in range(n_epochs):
        trial.raise_if_cancelled()
        train = one_pass()[:n_train]
        for at in range(0, n_train, 16):
            head.fit_batch(features[train[at : at + 16]], labels[train[at : at + 16]])
        trial.report(way, epoch + 1, n_epochs, time.perf_counter() - started)
    validation_rows = one_pass()[n_train:]
    return count_right(head.probabilities(features[validation_rows]), labels[validation_rows]) / len(validation_rows)


def _training_accuracy(trial: Trial) -> TwoWays:
    """Measure one network from scratch on its training images and on the test images."""
    import numpy as np

    from tl_widgets.records.verdict import compare_counts
    from tl_widgets.training.learners import PREDICT_BATCH, count_right

    run, split = trial.run(trial.scratch(), "right"), trial.dataset.train
    n_known = 0
    for start in range(0, len(split), PREDICT_BATCH):
        trial.raise_if_cancelled()
        rows = slice(start, start + PREDICT_BATCH)
        answers = np.asarray(run.model(np.asarray(split.images[rows], np.float32), training=False))
        n_known += count_right(answers, split.labels[rows])
    return compare_counts((run.n_right, len(run.labels)), (n_known, len(split)))


def _find(setup: Setup) -> Iterator[Finding]:
    """Find images that the model is both trained and evaluated on."""
    from tl_widgets.data.dataset import ImageDataset
    from tl_widgets.setup_checks.same_images import count_same, seen_in

    data, validation = setup.data, setup.validation
    if isinstance(data.source, ImageDataset) and (validation is None or validation.source is data.source):
        train, others = data.source.train, (data.source.validation, data.source.test)
        n = len(set(train.keys) & {key for split in others for key in split.keys})
        if n:
            yield _leak(
                _("{n} training images are validation or test images as well, so the accuracy looks too good: ", n=n)
            )
        return
    if validation is None:
        return
    if validation is data:
        text = _(
            "The model is validated on its own training images, so the accuracy looks too good: keep some images apart."
        )
        yield Finding(text, "training_accuracy", where=_("validation data"))
        return
    if n_files := len(set(data.files) & set(validation.files)):
        yield _leak(
            _(
                "{n_files} files are both in the training and in the validation data, so the accuracy looks too good: ",
                n_files=n_files,
            ),
            code=_("keras.utils.split_dataset(dataset, left_size=0.8)  # or both subsets with the same seed"),
        )
        return
    # Two passes: if a data set is reshuffled in each, take() and skip() get different images.
    first = seen_in(data), seen_in(validation)
    same = count_same(*first)
    is_all = first[0].is_complete and first[1].is_complete
    if same.n and same.n == len(first[1].prints):
        text = _("All validation images are training images, so the accuracy looks too good: keep some images apart.")
        yield Finding(f"{text}{same.note}", "training_accuracy", where=_("validation data"))
        return
    if same.n:
        least = "" if is_all else _("At least ")
        yield _leak(
            _(
                "{least}{same_n} training images are validation images as well, so the accuracy looks too good{note}: ",
                least=least,
                same_n=same.n,
                note=same.note,
            )
        )
        return
    if data.is_array or validation.is_array or data.form == "generator" or validation.form == "generator":
        return
    second = seen_in(data, 2), seen_in(validation, 2)
    n_later = max(count_same(first[0], second[1]).n, count_same(second[0], first[1]).n)
    if n_later:
        yield Finding(
            _(
                "{n_later} images are in the training part in one pass and in the validation part in "
                "another: the data are shuffled anew before take() and skip(). Split first, or shuffle "
                "with reshuffle_each_iteration=False.",
                n_later=n_later,
            ),
            "leaky_split",
            where=_("shuffle() before take() and skip()"),
            code="dataset.shuffle(1000, seed=0, reshuffle_each_iteration=False)",
        )


def _leak(text: str, code: str = "") -> Finding:
    return Finding(_("{text}split once.", text=text), "leaky_split", where=_("training and validation data"), code=code)


_CHECK = Check(Subject.SPLITS, _find)

LEAKY_SPLIT = Mistake(
    "leaky_split",
    label=_("Leaky split"),
    wrong=_("take() and skip() split a data set that is reshuffled in every epoch"),
    right=_("the split is made once"),
    why=_(
        "In every epoch other images land in the training part, so validation images have been trained "
        "on. The labels here are random: there is nothing to learn, so a score that is clearly above "
        "chance shows a leak."
    ),
    hides=_("A head with too many training images to memorize has less to leak."),
    measure=_leaky_split,
    check=_CHECK,
    figure=_("accuracy on the validation images, with random labels"),
    flatters=True,
    dataset="textures",
    image_size=48,
    n_per_class=40,
    epochs=30,
    place=60,
)

TRAINING_ACCURACY = Mistake(
    "training_accuracy",
    label=_("Training accuracy"),
    wrong=_("accuracy is read off the training images"),
    right=_("accuracy is measured on images that the model has not seen"),
    why=_("A network can memorize its training images; that says little about new ones."),
    hides=_("With many training images and few epochs, a network cannot memorize them."),
    measure=_training_accuracy,
    check=_CHECK,
    figure=_("accuracy that is reported for the same model"),
    flatters=True,
    image_size=32,
    uses_backbone=False,
    place=70,
)
