"""Estimating the seconds of a study, from its earlier runs or from the speed of this machine."""

from __future__ import annotations

from dataclasses import replace

from tl_widgets.core.config import Config
from tl_widgets.core.errors import InputError
from tl_widgets.experiments.seconds import Ready, Workload, comparison_seconds, scratch_macs, typical_speed
from tl_widgets.studies.registry import STUDIES
from tl_widgets.studies.study import ImageArguments, Plan
from tl_widgets.widgets.shared.advice import what_to_lower
from tl_widgets.widgets.shared.backbone_choice import smallest_size
from tl_widgets.widgets.shared.costs import DataFacts, offline_backbones
from tl_widgets.widgets.shared.settings import LabSettings
from tl_widgets.widgets.shared.source import DataSource
from tl_widgets.widgets.shared.turns import measured_speed
from tl_widgets.widgets.studies.settings import StudySettings, controls_of

_OF_ONE_COMPARISON = ("time", "repeat", "fine-tuning", "inside")


class StudyEstimator:
    """Estimates the seconds of StudyLab's runs."""

    def __init__(self, source: DataSource) -> None:
        self._source = source
        self._runs: list[tuple[StudySettings, float]] = []

    def add_run(self, settings: StudySettings, seconds: float) -> None:
        """Remember how long a whole run took."""
        self._runs.append((settings, seconds))

    def seconds(self, settings: StudySettings) -> float | None:
        """Return the seconds of a run; None for impossible settings."""
        seconds = self.seconds_by_last_run(settings)
        return self._by_speed(settings) if seconds is None else seconds

    def seconds_by_last_run(self, settings: StudySettings) -> float | None:
        """Return the seconds that the last similar run suggests, or None."""
        for before, seconds in reversed(self._runs):
            if before.study == settings.study and all(
                before.values.get(name) == settings.values.get(name) for name in STUDIES[before.study].cost_by
            ):
                earlier, now = self._by_speed(before), self._by_speed(settings)
                return seconds * now / earlier if earlier and now else None
        return None

    def advice(self, settings: StudySettings) -> str:
        """Say which control to lower; "" if the run takes less than two minutes."""
        backbone = settings.values.get("backbone")
        return what_to_lower(
            settings,
            self.seconds,
            controls_of(settings.study),
            most_per_class=self._facts(settings).max_per_class,
            least_size=smallest_size(backbone) if backbone else 0,
        )

    def _facts(self, settings: StudySettings) -> DataFacts:
        return self._source.facts(images_of(settings, self._source))

    def _by_speed(self, settings: StudySettings) -> float | None:
        facts = self._facts(settings)
        return study_seconds(settings, STUDIES[settings.study].plan(settings.arguments, facts), facts)


def images_of(settings: StudySettings, source: DataSource) -> LabSettings:
    """Return the images that a study uses, which may be the learner's own."""
    own, images = source.own, settings.arguments.image_settings
    if own is not None and STUDIES[settings.study].brings_images:
        return LabSettings(dataset=own.name, image_size=own.image_size)
    return LabSettings(images.dataset, images.image_size, images.n_per_class)


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
