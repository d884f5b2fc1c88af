"""Estimating the seconds of a study, from its earlier runs or from the speed of this machine."""

from __future__ import annotations

from tl_widgets.core.config import ImageSettings
from tl_widgets.core.errors import InputError
from tl_widgets.experiments.seconds import typical_speed
from tl_widgets.studies.registry import STUDIES
from tl_widgets.widgets.shared.advice import what_to_lower
from tl_widgets.widgets.shared.backbone_choice import smallest_size
from tl_widgets.widgets.shared.costs import DataFacts
from tl_widgets.widgets.shared.settings import LabSettings
from tl_widgets.widgets.shared.source import DataSource
from tl_widgets.widgets.shared.turns import measured_speed
from tl_widgets.widgets.studies.settings import StudySettings, controls_of


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
        def facts_of(images: ImageSettings) -> DataFacts:
            name = images.dataset if self._source.own is None else self._source.own.name
            return self._source.facts(LabSettings(name, images.image_size, images.n_per_class))

        try:
            speed = measured_speed() or typical_speed()
            return STUDIES[settings.study].seconds(settings.arguments, facts_of, speed)
        except InputError:
            return None


def images_of(settings: StudySettings, source: DataSource) -> LabSettings:
    """Return the images that a study uses, which may be the learner's own."""
    own, images = source.own, settings.arguments.image_settings
    if own is not None and STUDIES[settings.study].brings_images:
        return LabSettings(dataset=own.name, image_size=own.image_size)
    return LabSettings(images.dataset, images.image_size, images.n_per_class)
