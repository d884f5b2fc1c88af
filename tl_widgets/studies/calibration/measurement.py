"""Measurement of the "sure" study: how sure trained models are, of test images and of pictures of something else."""

from __future__ import annotations

from math import exp, log

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.arguments import checked
from tl_widgets.core.config import Config
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, OnEvent, ignore
from tl_widgets.core.lazy_tensorflow import import_tensorflow
from tl_widgets.core.model_name import ModelName, phrase_of
from tl_widgets.core.translation import _
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.data.dataset import ImageDataset, Labels, Split, require_dataset, subset
from tl_widgets.experiments.answers import Answerer, answerers
from tl_widgets.experiments.comparison import RunCache, environment, summarize
from tl_widgets.experiments.parallel import WorkContext, measure_all
from tl_widgets.experiments.prediction import require_new_test_images, runs_with_models
from tl_widgets.records.answers import interleave_classes
from tl_widgets.records.comparison import Comparison
from tl_widgets.records.pixels import pixels_text
from tl_widgets.studies.calibration.result import HIGHEST, LOWEST, N_SHOWN, Calibration, Sureness

MOST_STRANGERS = 100
_TINY = 1e-30  # a probability that float32 rounds to 0 is taken for this

Array = NDArray[np.float64]


def with_temperature(probabilities: Array, temperature: float) -> Array:
    """Return the probabilities, (n, n_classes), that logits divided by `temperature` give.

    The logarithm of a probability is its logit, apart from a number that softmax ignores.
    """
    logits = np.log(np.maximum(probabilities, _TINY)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    scaled: Array = powers / powers.sum(axis=1, keepdims=True)
    return scaled


def fit_temperature(probabilities: Array, labels: Labels) -> float:
    """Return the temperature, 0.1 to 10, with which the labels are most probable.

    Source: C. Guo et al., On calibration of modern neural networks, ICML 2017, arXiv 1706.04599.
    """
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        right = with_temperature(probabilities, exp(log_temperature))[rows, labels]
        return float(-np.log(np.maximum(right, _TINY)).mean())

    best = minimize_scalar(loss, bounds=(log(LOWEST), log(HIGHEST)), method="bounded", options={"xatol": 1e-6})
    return float(np.clip(exp(best.x), LOWEST, HIGHEST))


@checked
def calibration(
    dataset: ImageDataset,
    *,
    strangers: ImageDataset | None = None,
    config: Config | None = None,
    comparison: Comparison | None = None,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> Calibration:
    """Measure how sure models are of their answers, and how often these are right.

    How sure a model is of an answer is the largest of its probabilities. A temperature that divides the logits is
    chosen on the validation images, and so are the limits below which a model says "I don't know".

    Args:
        dataset: images and their split.
        strangers: a data set of something else, of images of the same size; up to 100 of its test images are shown to
            the models. Textures if None, or digits if the models know textures.
        config: settings of the models from scratch and with a frozen backbone; `Config()` if None.
        comparison: the models to ask, as `compare(dataset)` returned them; two are trained if it is None.
        on_event: receives each finished model.
        cancel: set from any thread, it stops the study within one batch.

    Returns:
        Everything that was measured, even after a Stop.

    Raises:
        InputError: an argument is not allowed.
        WeightsUnavailableError: the weights are not on this machine and cannot be downloaded.
    """
    require_dataset(dataset)
    import_tensorflow(on_event, cancel)
    if strangers is None:
        name = "digits" if dataset.name == "textures" else "textures"
        strangers = load_dataset(name, image_size=dataset.image_size)
    require_dataset(strangers)
    if strangers.image_shape != dataset.image_shape:
        raise InputError(
            _(
                "strangers has images of {size} pixels, the models take {needed}. Load it with image_size={needed}.",
                size=strangers.image_size,
                needed=dataset.image_size,
            )
        )
    cache, models = RunCache(), dict[str, Answerer]()
    config = config or Config()
    if comparison is not None:
        runs_with_models(comparison)  # or say that they are gone
        require_new_test_images(comparison, dataset)
        config, models = comparison.config, answerers(comparison, cache)
    labels = strangers.test.labels
    rows = interleave_classes(range(len(labels)), labels.tolist())[:MOST_STRANGERS]
    others = subset(strangers.test, np.array(rows, np.int64))

    def measure(arm: str, context: WorkContext) -> Sureness:
        model = models.get(arm) or _trained(dataset, config, arm, context)
        return _ask(model, dataset, others, context)

    arms = tuple(models) or (ModelName.TRANSFER, ModelName.SCRATCH)  # the quick one first
    measured = measure_all(arms, measure, describe=phrase_of, on_event=on_event, cancel=cancel, cache=cache)
    return Calibration(
        dataset=summarize(dataset),
        config=config,
        strangers=summarize(strangers),
        pictures=tuple(pixels_text(image) for image in others.images[:N_SHOWN]),
        points=measured.points,
        failures=measured.failures,
        stopped=measured.stopped,
        environment=environment(),
    )


def _trained(dataset: ImageDataset, config: Config, arm: str, context: WorkContext) -> Answerer:
    run = context.train(dataset, config, arm, validate=False)
    frozen = context.cache.backbones.get(arm)
    return Answerer(run, frozen and frozen[2])


def _ask(model: Answerer, dataset: ImageDataset, strangers: Split, context: WorkContext) -> Sureness:
    how = {"on_event": context.on_event, "cancel": context.cancel}
    validation, test, others = (
        model.probabilities(split, **how)  # type: ignore[arg-type]
        for split in (dataset.validation, dataset.test, strangers)
    )
    if not all(np.isfinite(part).all() for part in (validation, test, others)):
        raise InputError(_("Its training diverged, so its answers are no probabilities. Try a lower learning rate."))
    temperature = fit_temperature(validation, dataset.validation.labels)
    parts = validation, test, with_temperature(test, temperature), others, with_temperature(others, temperature)
    sure = [tuple(np.round(part.max(axis=1), 6).tolist()) for part in parts]
    return Sureness(
        arm=model.name,
        temperature=temperature,
        validation=sure[0],
        test=sure[1],
        scaled=sure[2],
        right=tuple((test.argmax(axis=1) == dataset.test.labels).tolist()),
        strangers=sure[3],
        strangers_scaled=sure[4],
        answers=tuple(others.argmax(axis=1).tolist()),
    )
