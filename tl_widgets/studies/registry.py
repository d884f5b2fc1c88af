"""Every study as an app knows it: the command line and the panel in JupyterLab read it from here.

A further study is a function that measures it, one that draws it, and an entry in `STUDIES`. Nothing heavy is
imported before it is needed: every `--help` comes past here.
"""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from tl_widgets.core.config import Config, FineTuningSpec
from tl_widgets.core.errors import InputError
from tl_widgets.records.type_checks import why_no_record

if TYPE_CHECKING:
    from tl_widgets.core.events import Cancel, OnEvent
    from tl_widgets.data.dataset import ImageDataset


@dataclass(frozen=True)
class Study:
    """One study.

    Attributes:
        question: what it answers, as a learner would ask it.
        about: what is measured, a clause.
        records: module and name of each class that a result may be of; the class's name stands in its record.
        measure: (what is asked, data set, on_event, cancel) to a result with `stopped` and `to_json()`. What is
            asked goes by the names of the options of `tl-widgets study NAME`.
        draw: a result to axes or a figure.
        chart: what the figure is, for those who do not see it: a sentence, before those of the result.
        sentences: what a result says.
        owns: whether a result is of this study; others may have results of the same class.
        draw_narrow: the same figure for a page of half the width; None where it is not that wide.
    """

    question: str
    about: str
    records: tuple[str, ...]
    measure: Callable[[Namespace, ImageDataset, OnEvent, Cancel], Any]
    draw: Callable[[Any], Any]
    chart: str
    sentences: Callable[[Any], tuple[str, ...]] = attrgetter("sentences")
    owns: Callable[[Any], bool] = lambda _: True
    draw_narrow: Callable[[Any], Any] | None = None

    def words(self, result: Any) -> str:
        """The text alternative of the figure of a result."""
        rows = (": ".join(row) for row in getattr(result, "rows", ())[1:])
        return " ".join((self.chart, *self.sentences(result), *(f"{row}." for row in rows)))

    @property
    def record_names(self) -> tuple[str, ...]:
        """What records of this study call themselves."""
        return tuple(record.rpartition(".")[2] for record in self.records)

    def read(self, text: str, name: str) -> Any:
        """Read the record of a result.

        Args:
            text: the record.
            name: one of `record_names`.

        Raises:
            InputError: it is not one of that name.
        """
        module = self.records[self.record_names.index(name)].rpartition(".")[0]
        return getattr(import_module(f"tl_widgets.{module}"), name).from_json(text)


def read_study(text: str, names: Collection[str]) -> tuple[str, Any]:
    """Read a record of any study.

    Args:
        text: what `to_json()` wrote.
        names: of the studies that it may be of.

    Returns:
        (the study's name, the result).

    Raises:
        InputError: it is not the record of such a study.
    """
    try:
        found = json.loads(text)
        # A comparison's record, which is older than the studies, does not say its name.
        kind = found.get("study", "Comparison")
    except (ValueError, AttributeError, RecursionError) as error:
        raise InputError(f"This is not a record of a study ({why_no_record(error)}).") from None
    of_kind = [name for name in names if kind in STUDIES[name].record_names]
    result = STUDIES[of_kind[0]].read(text, kind) if of_kind else None
    name = next((name for name in of_kind if STUDIES[name].owns(result)), None)
    if name is None:
        questions = ", ".join(f"“{STUDIES[name].question}”" for name in names)
        raise InputError(f"This is a record of {kind!r:.60}; here only those of {questions} can be shown.")
    return name, result


def _measure_data(args: Namespace, dataset: ImageDataset, on_event: OnEvent, cancel: Cancel) -> Any:
    from tl_widgets.studies.learning_curve.measurement import learning_curve

    return learning_curve(
        dataset,
        n_per_class=args.sizes,
        seeds=args.seeds,
        arms=args.arms,
        backbone=args.backbone,
        epochs=args.epochs,
        n_jobs=args.jobs,
        on_event=on_event,
        cancel=cancel,
    )


def _draw_data(result: Any) -> Any:
    from tl_widgets.studies.learning_curve.figure import plot_learning_curve

    return plot_learning_curve(result)


def _measure_time(args: Namespace, dataset: ImageDataset, on_event: OnEvent, cancel: Cancel) -> Any:
    from tl_widgets.studies.time.measurement import time_study

    config = Config(backbone=args.backbone, epochs=args.epochs, seed=args.seed, control=args.control)
    return time_study(dataset, target=args.target, config=config, on_event=on_event, cancel=cancel)


def _draw_time(result: Any) -> Any:
    from tl_widgets.studies.time.figure import plot_time

    return plot_time(result)


def _measure_fine_tuning(args: Namespace, dataset: ImageDataset, on_event: OnEvent, cancel: Cancel) -> Any:
    from tl_widgets.experiments.comparison import compare

    return compare(
        dataset,
        backbone=args.backbone,
        epochs=args.epochs,
        seed=args.seed,
        fine_tuning=FineTuningSpec(args.blocks, args.more_epochs, args.low_rate),
        on_event=on_event,
        cancel=cancel,
    )


def _measure_repeat(args: Namespace, dataset: ImageDataset, on_event: OnEvent, cancel: Cancel) -> Any:
    from tl_widgets.experiments.comparison import compare

    return compare(
        dataset,
        backbone=args.backbone,
        epochs=args.epochs,
        seed=args.seed,
        control=args.control,
        repeats=args.repeats,
        n_jobs=args.jobs,
        on_event=on_event,
        cancel=cancel,
    )


def _draw_comparison(result: Any, *, narrow: bool = False) -> Any:
    from tl_widgets.plots.comparison import plot_comparison

    return plot_comparison(result, narrow=narrow)


def _measure_mistake(args: Namespace, dataset: ImageDataset | None, on_event: OnEvent, cancel: Cancel) -> Any:
    from tl_widgets.core.lazy_tensorflow import import_tensorflow

    import_tensorflow(on_event)
    from tl_widgets.studies.mistake.measurement import every_mistake, what_goes_wrong

    how: dict[str, Any] = {"epochs": args.epochs, "seed": args.seed, "on_event": on_event, "cancel": cancel}
    if args.mistake == "all":
        return every_mistake(dataset, backbone=args.backbone, **how)
    return what_goes_wrong(dataset, mistake=args.mistake, backbone=args.backbone, **how)


def _draw_mistake(result: Any) -> Any:
    from tl_widgets.studies.mistake.figure import plot_mistake, plot_mistakes

    return plot_mistakes(result) if hasattr(result, "studies") else plot_mistake(result)


def _measure_backbones(args: Namespace, dataset: ImageDataset, on_event: OnEvent, cancel: Cancel) -> Any:
    from tl_widgets.studies.backbones.measurement import backbone_study

    return backbone_study(
        dataset,
        backbones=args.backbones,
        weights=args.weights,
        seeds=args.seeds,
        control=args.control,
        epochs=args.epochs,
        resume=args.resume,
        n_jobs=args.jobs,
        on_event=on_event,
        cancel=cancel,
    )


def _draw_backbones(result: Any, *, narrow: bool = False) -> Any:
    from tl_widgets.studies.backbones.figure import plot_backbone_study

    return plot_backbone_study(result, narrow=narrow)


def _measure_inside(args: Namespace, dataset: ImageDataset, on_event: OnEvent, cancel: Cancel) -> Any:
    from tl_widgets.core.errors import CancelledError
    from tl_widgets.experiments.comparison import compare

    how: dict[str, Any] = {"on_event": on_event, "cancel": cancel}
    settings: dict[str, Any] = {"backbone": args.backbone, "epochs": args.epochs, "seed": args.seed}
    comparison = compare(dataset, control=args.control, **settings, **how)
    if comparison.stopped:
        raise CancelledError("stopped before there were models to look into")
    from tl_widgets.studies.inside.measurement import look_inside

    return look_inside(comparison, dataset, n_images=args.images, **how)


def _draw_inside(result: Any) -> Any:
    from tl_widgets.studies.inside.figure import plot_inside

    return plot_inside(result)


STUDIES = {
    "data": Study(
        "How much data?",
        "accuracy against images per class, over several seeds",
        ("studies.learning_curve.result.LearningCurve",),
        _measure_data,
        _draw_data,
        "Line chart of test accuracy against training images per class.",
    ),
    "time": Study(
        "How much time?",
        "accuracy against seconds",
        ("studies.time.result.TimeStudy",),
        _measure_time,
        _draw_time,
        "Line chart of accuracy on the validation images against seconds.",
    ),
    "backbones": Study(
        "Which backbone?",
        "accuracy, milliseconds and memory of every backbone whose weights are on this machine",
        ("studies.backbones.result.BackboneStudy",),
        _measure_backbones,
        _draw_backbones,
        "Scatter charts of test accuracy, against milliseconds per image and against published ImageNet accuracy.",
        lambda result: (*result.lines, *result.sentences),
        draw_narrow=partial(_draw_backbones, narrow=True),
    ),
    "fine-tuning": Study(
        "Fine-tuning",
        "what unfreezing the backbone's last blocks brings",
        ("records.comparison.Comparison",),
        _measure_fine_tuning,
        _draw_comparison,
        "Charts of accuracy by epoch, with a mark where fine-tuning starts, of parameters, seconds and recall.",
        lambda result: (result.verdict.text,),
        lambda result: result.repeats is None,
        partial(_draw_comparison, narrow=True),
    ),
    "repeat": Study(
        "Repeat",
        "the comparison with several seeds, on the same images",
        ("records.comparison.Comparison",),
        _measure_repeat,
        _draw_comparison,
        "Charts of accuracy by epoch and on the test images, with a dot for each seed, of parameters and seconds.",
        lambda result: (result.verdict.text,),
        lambda result: result.repeats is not None,
        partial(_draw_comparison, narrow=True),
    ),
    "mistake": Study(
        "What goes wrong?",
        "what a common mistake costs, beside the right way",
        ("studies.mistake.result.MistakeStudy", "studies.mistake.result.MistakeStudies"),
        _measure_mistake,
        _draw_mistake,
        "Chart of the right way beside the wrong one.",
    ),
    "inside": Study(
        "Look inside",
        "where both models look, their first filters, and how they lay the test images out",
        ("studies.inside.result.LookInside",),
        _measure_inside,
        _draw_inside,
        "Heat maps over test images, first filters as small pictures, and scatter charts of the test images.",
    ),
}
