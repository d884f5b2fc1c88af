"""What the study of backbones found: frozen records and their statistics. No TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tl_widgets.core.config import Config
from tl_widgets.core.numbers import interval_text, milliseconds_text, percent, points_range, size_text
from tl_widgets.records.comparison import DatasetSummary, Environment
from tl_widgets.records.statistics import (
    Interval,
    Mean,
    PairedDifference,
    RankCorrelation,
    mean_of_shares,
    pair_answers,
    rank_correlation,
    wilson_interval,
)
from tl_widgets.records.study import StudyFailure, StudyRecord

FEWEST_RANKED = 5  # backbones that a rank correlation takes: with four even a perfect one may be chance (p = 0.08)


@dataclass(frozen=True)
class BackboneCost:
    """What running a frozen backbone costs; its weights do not matter for that.

    Attributes:
        name: of the backbone.
        image_size: side of the images in pixels.
        n_params: numbers that it holds, without its top.
        feature_width: numbers that it answers to an image.
        ms_per_image: measured milliseconds per image in batches of 32, warm.
        memory_estimate: bytes that the catalogue reckons the backbone takes beside TensorFlow; not measured.
        memory_peak: measured bytes that the whole process held at most while it ran, TensorFlow and all that was
            loaded before included; None where the system does not say.
        alone: nothing else of the same study ran beside it, so that milliseconds can be compared.
    """

    name: str
    image_size: int
    n_params: int
    feature_width: int
    ms_per_image: float
    memory_estimate: int
    memory_peak: int | None
    alone: bool = True


@dataclass(frozen=True)
class WantedBackbone:
    """A backbone of a study.

    Attributes:
        name: in the catalogue.
        weights: "imagenet", or the path of a weights file.
    """

    name: str
    weights: str = "imagenet"


@dataclass(frozen=True)
class BackbonePoint:
    """One frozen backbone whose head was trained, with each seed, and tested.

    Attributes:
        name: of the backbone.
        weights: "imagenet", the name of a file, or "random".
        weights_sha256: of the file that they came from; "" for random ones.
        top1_pct: published accuracy on ImageNet in percent; None where nobody states it, and for random weights.
        val_accuracy: on the validation images, for each seed.
        answers: for each seed a text with one letter for each test image, "1" where the answer was right, else "0".
        n_trainable: numbers in the head.
        cost: what running it takes.
    """

    name: str
    weights: str
    weights_sha256: str
    top1_pct: float | None
    val_accuracy: tuple[float, ...]
    answers: tuple[str, ...]
    n_trainable: int
    cost: BackboneCost

    @property
    def test_accuracies(self) -> tuple[float, ...]:
        """Share of right answers to the test images, for each seed."""
        return tuple(each.count("1") / len(each) for each in self.answers)

    @property
    def test_accuracy(self) -> float:
        """Its mean over the seeds."""
        return self.over_seeds.mean

    @property
    def test_accuracy_ci95(self) -> Interval:
        """Wilson's 95% interval of the mean: how far other test images might have led elsewhere."""
        n = len(self.answers[0])
        return wilson_interval(self.test_accuracy * n, n)

    @property
    def over_seeds(self) -> Mean:
        """The mean over seeds with its t interval: how far other seeds might have led elsewhere."""
        return mean_of_shares(self.test_accuracies, n_images=len(self.answers[0]))

    @property
    def mean_val_accuracy(self) -> float:
        """Mean over the seeds of the accuracy on the validation images."""
        return sum(self.val_accuracy) / len(self.val_accuracy)


@dataclass(frozen=True)
class BackboneStudy(StudyRecord):
    """Several frozen backbones on the same images, each with a new head.

    Attributes:
        dataset: which images.
        config: all else that decides; its backbone, weights and seed are replaced for each point.
        seeds: of the head's first weights and of the images' order.
        wanted: the backbones that were asked for.
        chance: accuracy of the answer that is always the most frequent class of the test images.
        points: of those that were measured.
        control: a backbone with random weights, the floor; None where it was not asked for, or not reached.
        failures: backbones that could not be measured.
        stopped: somebody pressed Stop before all were done.
        environment: what it ran on.
    """

    dataset: DatasetSummary
    config: Config
    seeds: tuple[int, ...]
    wanted: tuple[WantedBackbone, ...]
    chance: float
    points: tuple[BackbonePoint, ...]
    control: BackbonePoint | None
    failures: tuple[StudyFailure, ...]
    stopped: bool
    environment: Environment

    @property
    def chosen(self) -> BackbonePoint | None:
        """The most accurate on the validation images, of equals the fastest; None without a point.

        Not by the test images: whoever chooses by them has no honest number left for what was chosen.
        """
        best_first = sorted(self.points, key=lambda point: (-point.mean_val_accuracy, point.cost.ms_per_image))
        return best_first[0] if best_first else None

    @property
    def front(self) -> tuple[BackbonePoint, ...]:
        """The Pareto front, fastest first: no other backbone is as fast and as accurate, and better in one of both.

        Of the measured means: where intervals overlap, other images might draw it otherwise.
        """
        found: list[BackbonePoint] = []
        for point in sorted(self.points, key=lambda each: (each.cost.ms_per_image, -each.test_accuracy)):
            if not found or point.test_accuracy > found[-1].test_accuracy:
                found.append(point)
        return tuple(found)

    @property
    def imagenet_correlation(self) -> RankCorrelation | None:
        """Whether better ImageNet models transfer better here; None with fewer than 5 backbones, or all equal."""
        known = [(point.top1_pct, point.test_accuracy) for point in self.points if point.top1_pct is not None]
        if len(known) < FEWEST_RANKED:
            return None
        return rank_correlation([top1 for top1, _ in known], [measured for _, measured in known])

    def difference(self, first: BackbonePoint, second: BackbonePoint) -> PairedDifference:
        """Two backbones on the same test images, with the first seed."""
        right1, right2 = (np.array([each == "1" for each in point.answers[0]]) for point in (first, second))
        return pair_answers(right1, right2)

    @property
    def lines(self) -> tuple[str, ...]:
        """A line of figures for each backbone, the control last."""
        return _backbone_lines(self)

    @property
    def datasets(self) -> tuple[DatasetSummary, ...]:
        """The images that it was measured on."""
        return (self.dataset,)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was found, in plain words."""
        return _backbone_sentences(self)


def point_name(point: BackbonePoint) -> str:
    """What a backbone is called: its name, and its weights where they are random."""
    return f"{point.name} with random weights" if point.weights == "random" else point.name


def _backbone_lines(study: BackboneStudy) -> tuple[str, ...]:
    """A line of figures for each backbone, the control last.

    Args:
        study: whole or stopped.
    """
    points = (*study.points, *((study.control,) if study.control else ()))
    return tuple(_line(point) for point in points)


def _line(point: BackbonePoint) -> str:
    cost = point.cost
    parts = [
        f"{percent(point.test_accuracy)} of the test images right "
        f"(95% interval {interval_text(point.test_accuracy_ci95)})"
    ]
    seeds = point.over_seeds
    if seeds.ci95:
        parts.append(f"over {seeds.n} seeds {points_range(*seeds.ci95)}")
    parts += [
        f"{milliseconds_text(cost.ms_per_image)} an image",
        f"{cost.n_params:,} parameters",
        f"{cost.feature_width:,} features",
        f"memory {size_text(cost.memory_estimate)} (estimate for the backbone alone)",
    ]
    if cost.memory_peak is not None:
        parts.append(f"{size_text(cost.memory_peak)} (measured, the whole process)")
    if point.top1_pct is not None:
        parts.append(f"ImageNet {point.top1_pct:.1f}% (published)")
    return f"{point_name(point)}: {', '.join(parts)}."


def _backbone_sentences(study: BackboneStudy) -> tuple[str, ...]:
    """Which backbone to choose, how sure that is, and what it costs.

    Args:
        study: whole or stopped.
    """
    sentences: list[str] = []
    chosen = study.chosen
    if chosen is not None:
        sentences += [_choice(study, chosen), _others(study, chosen), _front(study, chosen), _floor(study, chosen)]
        sentences.append(_imagenet(study))
    sentences += _reservations(study)
    return tuple(sentence for sentence in sentences if sentence)


def _choice(study: BackboneStudy, chosen: BackbonePoint) -> str:
    found = (
        f"it answers {percent(chosen.test_accuracy)} of the {len(chosen.answers[0])} test images correctly "
        f"(95% interval {interval_text(chosen.test_accuracy_ci95)})"
    )
    if len(study.points) == 1:
        return f"Only {chosen.name} was measured, so that there is nothing to choose between: {found}."
    best = [point for point in study.points if point.mean_val_accuracy == chosen.mean_val_accuracy]
    of_equals = f", the fastest of {len(best)} that are equally good there" if len(best) > 1 else ""
    return f"By the validation images the choice is {chosen.name}{of_equals}: {found}."


def _others(study: BackboneStudy, chosen: BackbonePoint) -> str:
    """Each other backbone against the chosen one, image by image."""
    words: dict[str, list[str]] = {"too close to call": [], "clearly behind it": [], "clearly ahead of it": []}
    for point in study.points:
        if point is chosen:
            continue
        paired = study.difference(chosen, point)
        verdict = "too close to call"
        if paired.is_clear:
            verdict = "clearly behind it" if paired.difference > 0 else "clearly ahead of it"
        words[verdict].append(f"{point.name} ({percent(point.test_accuracy)})")
    said = []
    for verdict, names in words.items():
        if names:
            verb = "is" if len(names) == 1 else "are"
            said.append(f"{_listed(names)} {verb} {verdict}")
    return f"On the same test images {'; '.join(said)}." if said else ""


def _front(study: BackboneStudy, chosen: BackbonePoint) -> str:
    if len(study.points) == 1:
        return ""
    fastest = min(study.points, key=lambda point: point.cost.ms_per_image)
    milliseconds = f"{milliseconds_text(chosen.cost.ms_per_image)} an image"
    text = f"{chosen.name} is also the fastest, {milliseconds}."
    second = min((p for p in study.points if p is not chosen), key=lambda point: point.cost.ms_per_image)
    if chosen is fastest and second.cost.ms_per_image < 1.15 * chosen.cost.ms_per_image:
        # Another run may turn it round.
        text = f"{chosen.name} takes {milliseconds}, {second.name} about as long."
    if chosen is not fastest:
        times = chosen.cost.ms_per_image / fastest.cost.ms_per_image
        text = f"{chosen.name} takes {milliseconds}, {times:.1f} times as long as the fastest, {fastest.name}."
    front = [point.name for point in study.front]
    if len(front) == len(study.points):
        return f"{text} All are on the Pareto front: whoever wants more accuracy here pays with time."
    are = "is" if len(front) == 1 else "are"
    return f"{text} On the Pareto front {are} {_listed(front)}: nothing else is as accurate in as little time."


def _floor(study: BackboneStudy, chosen: BackbonePoint) -> str:
    if study.control is None:
        return ""
    paired = study.difference(chosen, study.control)
    name, reached = point_name(study.control), percent(study.control.test_accuracy)
    if paired.is_clear and paired.difference > 0:
        return f"{name} reaches {reached} (chance: {percent(study.chance)}): that is the floor without any pretraining."
    return f"{name} reaches {reached}, too: on these images no gain can be put down to the pretraining."


def _imagenet(study: BackboneStudy) -> str:
    n = sum(point.top1_pct is not None for point in study.points)
    question = "Whether better ImageNet models transfer better here"
    if n < FEWEST_RANKED:
        counted = "one backbone" if n == 1 else f"{n} backbones"
        need = f"it takes {FEWEST_RANKED} or more with a published ImageNet accuracy"
        return f"{question} cannot be told from {counted}: {need}."
    found = study.imagenet_correlation
    if found is None:
        return f"{question} cannot be told: all are equally good here."
    figures = f"rank correlation {found.rho:.2f} over {n} backbones, p = {found.p_value:.2f}"
    if found.p_value >= 0.05:
        return f"{question} is too close to call ({figures})."
    better = "better" if found.rho > 0 else "worse"
    return f"Better ImageNet models transfer {better} here ({figures})."


def _reservations(study: BackboneStudy) -> list[str]:
    said = []
    files = [point.name for point in study.points if point.weights not in ("imagenet", "random")]
    if files:
        said.append(
            f"The weights of {_listed(files)} came from a file: what is published of ImageNet holds only if they are "
            "the published ones."
        )
    if not all(point.cost.alone for point in study.points):
        said.append("Backbones were measured beside each other: their milliseconds are longer than alone.")
    if study.failures:
        told = "; ".join(f"{failure.point}: {failure.text}" for failure in study.failures)
        said.append(f"{len(study.failures)} could not be measured. {told}")
    if study.stopped:
        done = {point.name for point in study.points}
        left = [each.name for each in study.wanted if each.name not in done]
        rest = f"; not measured yet: {_listed(left)}" if left else ""
        said.append(f"Stopped before all were measured{rest}.")
    return said


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
