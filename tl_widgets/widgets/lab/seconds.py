"""Estimator, which says how many seconds a run will take, and what to lower if that is many."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from tl_widgets.core.config import ScratchSpec
from tl_widgets.core.errors import InputError
from tl_widgets.experiments.comparison import RunCache, kept_models
from tl_widgets.experiments.seconds import Ready, Speed, Workload, comparison_seconds, corrected_speed, typical_speed
from tl_widgets.records.comparison import Comparison
from tl_widgets.widgets.lab.runs import LabRun
from tl_widgets.widgets.shared.advice import what_to_lower
from tl_widgets.widgets.shared.backbone_choice import smallest_size
from tl_widgets.widgets.shared.costs import DataFacts, n_train
from tl_widgets.widgets.shared.settings import CONTROLS, LabSettings, differences
from tl_widgets.widgets.shared.source import DataSource
from tl_widgets.widgets.shared.turns import measured_speed


class Estimator:
    """Estimates the seconds of a Lab's runs, from its earlier ones or from the measured speed of this machine."""

    def __init__(self, source: DataSource, runs: list[LabRun]) -> None:
        self._source, self._runs = source, runs

    def seconds(
        self, settings: LabSettings, facts: DataFacts | None = None, cache: RunCache | None = None
    ) -> float | None:
        """Return the seconds of a run on the images of the settings or others; None for an impossible network."""
        images = _workload(settings, facts or self._source.facts(settings))
        try:
            ready = self._ready(settings, images, cache) if facts is None and cache else Ready()
            return comparison_seconds(settings.config, images, self._speed(settings), ready)
        except InputError:
            return None

    def seconds_on(self, settings: LabSettings, facts: DataFacts) -> float | None:
        """Return the seconds of a run on all classes of a learner's images."""
        n = settings.n_per_class if (settings.n_per_class or 0) <= facts.max_per_class else None
        return self.seconds(replace(settings, classes=None, n_per_class=n), facts)

    def kept(self, settings: LabSettings, cache: RunCache) -> tuple[str, ...]:
        """Return the models that a run only shows, because they were trained before with these settings."""
        dataset, config = self._source.loaded(settings), settings.config
        if dataset is None or not cache.runs or config.folds > 1:
            return ()
        try:
            images = dataset if settings.n_per_class is None else dataset.take(settings.n_per_class)
        except InputError:
            return ()
        kept = kept_models(cache, images, config)
        return tuple(name for name in config.model_names if name in kept)

    def advice(self, settings: LabSettings, names: Collection[str]) -> str:
        """Say which change of one of these settings saves most time; "" if the run takes less than two minutes."""
        return what_to_lower(
            settings,
            self.seconds,
            [control for name, control in CONTROLS.items() if name in names],
            most_per_class=self._source.facts(settings).max_per_class,
            least_size=smallest_size(settings.config.backbone),
        )

    def _speed(self, settings: LabSettings) -> Speed:
        """Return the speed that the last comparable run showed, or else the measured or the last one."""
        speed = measured_speed()
        runs = [run for run in reversed(self._runs) if not (run.source or run.result.stopped or run.result.folds)]
        for run in runs:
            if not any(CONTROLS[name].sets_pace for name in differences([run.settings, settings])):
                return _shown_by(run, speed or typical_speed())
        if speed is None:
            return _shown_by(runs[0], typical_speed()) if runs else typical_speed()
        return speed

    def _ready(self, settings: LabSettings, images: Workload, cache: RunCache) -> Ready:
        """Return what earlier runs of this Lab left."""
        cached = cache.backbones.get("transfer")
        shape = (images.image_size, images.image_size, 3)
        config = settings.config
        has_backbone = cached is not None and (cached[0][0], *cached[0][4:]) == (config.backbone, shape, config.cut)
        n_features, is_traced = 0, False
        if has_backbone and cached is not None and cached[2] is not None:
            n_features = self._n_features(settings, images, cached[2].count_stored)
            is_traced = cached[2].is_traced
        # Runs that were kept by an earlier kernel left no network in this one.
        trained = [run for run in self._runs if cache.runs and not (run.source or run.result.stopped)]
        has_network = any(_network_of(run) == (config.scratch, images.image_size, images.n_classes) for run in trained)
        return Ready(self.kept(settings, cache), n_features, has_backbone, is_traced, has_network)

    def _n_features(self, settings: LabSettings, images: Workload, count_stored: object) -> int:
        """Return how many of the images' features are stored, if the images are loaded."""
        dataset = self._source.loaded(settings)
        if dataset is None or not callable(count_stored):
            return 0
        n = count_stored(dataset.train.keys)
        stored = min(n, images.n_train)  # a smaller choice of images is part of a larger one
        return int(stored + count_stored(dataset.validation.keys) + count_stored(dataset.test.keys))


def _workload(settings: LabSettings, facts: DataFacts) -> Workload:
    n = n_train(settings, facts)
    return Workload(settings.image_size, facts.n_classes, n, facts.n_validation, facts.n_test)


def _network_of(run: LabRun) -> tuple[ScratchSpec, int, int]:
    dataset = run.result.dataset
    return run.result.config.scratch, dataset.image_size, len(dataset.class_names)


def _shown_by(run: LabRun, speed: Speed) -> Speed:
    result: Comparison = run.result
    trained = result.dataset
    sizes = trained.n_train, trained.n_validation, trained.n_test
    images = Workload(trained.image_size, len(trained.class_names), *sizes)
    return corrected_speed(speed, result.config, images, {model.name: model for model in result.runs})
