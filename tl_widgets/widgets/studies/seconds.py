"""Estimating the seconds of a study that hasn't run here yet."""

from __future__ import annotations

from dataclasses import replace

from tl_widgets.core.config import Config
from tl_widgets.core.errors import InputError
from tl_widgets.experiments.seconds import Ready, Workload, comparison_seconds, scratch_macs, typical_speed
from tl_widgets.studies.study import DataFacts, ImageArguments, Plan
from tl_widgets.widgets.shared.costs import offline_backbones
from tl_widgets.widgets.shared.turns import measured_speed
from tl_widgets.widgets.studies.settings import StudySettings

_OF_ONE_COMPARISON = ("time", "repeat", "fine-tuning", "inside")


def study_seconds(settings: StudySettings, plan: Plan, facts: DataFacts) -> float | None:
    """Estimate a study's seconds from the speed of this machine; None for impossible settings.

    A study of one comparison is estimated as such, one of backbones by their features. Of any other, `plan` gives the
    number of models and of images that pass through training, half of them through a network from scratch.
    """
    speed = measured_speed() or typical_speed()
    arguments = settings.arguments
    size, n = arguments.image_settings.image_size, facts.n_train
    images = Workload(size, facts.n_classes, n, n // 2, n // 2)
    try:
        if settings.study in _OF_ONE_COMPARISON and isinstance(arguments, ImageArguments):
            images = replace(images, n_train=arguments.n_train(facts))
            return comparison_seconds(arguments.config, images, speed)
        if settings.study == "backbones":
            names = settings.values["backbones"] or offline_backbones()
            configs = [Config(backbone=name, epochs=1) for name in names]
            return sum(comparison_seconds(config, images, speed, Ready({"scratch"})) for config in configs)
        features = comparison_seconds(Config(epochs=1), images, speed, Ready({"scratch"}))
        per_image = 3 * scratch_macs(Config(), images) * speed.training
        return features + plan.n_passes / 2 * per_image + plan.n_models / 2 * speed.tracing
    except InputError:
        return None
