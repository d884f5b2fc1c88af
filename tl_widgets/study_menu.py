"""Every study as an app knows it: the command line and the panel in JupyterLab read it from here.

A further study is a function that measures it, one that draws it, and an entry in `STUDIES`. Nothing heavy is
imported before it is needed: every `--help` comes past here.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from tl_widgets.settings import Config

if TYPE_CHECKING:
    from pathlib import Path

    from tl_widgets.backbone_results import BackboneStudy
    from tl_widgets.data import ImageDataset
    from tl_widgets.events import Cancel, OnEvent


@dataclass(frozen=True)
class Study:
    """One study.

    Attributes:
        question: what it answers, as a learner would ask it.
        about: what is measured, a clause.
        record: name of the result's class, which stands in its record.
        measure: (what is asked, data set, on_event, cancel) to a result with `stopped` and `to_json()`. What is
            asked goes by the names of the options of `tl-widgets study NAME`.
        draw: a result to axes or a figure.
        chart: what the figure is, for those who do not see it: a sentence, before those of the result.
        sentences: what a result says.
    """

    question: str
    about: str
    record: str
    measure: Callable[[Namespace, ImageDataset, OnEvent, Cancel], Any]
    draw: Callable[[Any], Any]
    chart: str
    sentences: Callable[[Any], tuple[str, ...]] = attrgetter("sentences")

    def words(self, result: Any) -> str:
        """The text alternative of the figure of a result."""
        return " ".join((self.chart, *self.sentences(result)))


def _measure_data(args: Namespace, dataset: ImageDataset, on_event: OnEvent, cancel: Cancel) -> Any:
    from tl_widgets.learning_curve import learning_curve

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
    from tl_widgets.plot_studies import plot_learning_curve

    return plot_learning_curve(result)


def _measure_time(args: Namespace, dataset: ImageDataset, on_event: OnEvent, cancel: Cancel) -> Any:
    from tl_widgets.learning_curve import time_study

    config = Config(backbone=args.backbone, epochs=args.epochs, seed=args.seed, control=args.control)
    return time_study(dataset, target=args.target, config=config, on_event=on_event, cancel=cancel)


def _draw_time(result: Any) -> Any:
    from tl_widgets.plot_studies import plot_time

    return plot_time(result)


def _measure_fine_tuning(args: Namespace, dataset: ImageDataset, on_event: OnEvent, cancel: Cancel) -> Any:
    from tl_widgets.experiments import compare
    from tl_widgets.fine_tuning import fine_tune

    how: dict[str, Any] = {"on_event": on_event, "cancel": cancel}
    comparison = compare(dataset, backbone=args.backbone, epochs=args.epochs, seed=args.seed, **how)
    if comparison.stopped:
        return comparison
    more: dict[str, Any] = {"epochs": args.more_epochs, "learning_rate": args.low_rate, "n_blocks": args.blocks}
    return fine_tune(comparison, dataset, **more, **how)


def _draw_fine_tuning(result: Any) -> Any:
    from tl_widgets.plots import plot_comparison

    return plot_comparison(result)


def _measure_mistake(args: Namespace, dataset: ImageDataset | None, on_event: OnEvent, cancel: Cancel) -> Any:
    from tl_widgets.tensorflow_import import import_tensorflow

    import_tensorflow(on_event)
    from tl_widgets.mistakes import every_mistake, what_goes_wrong

    how: dict[str, Any] = {"epochs": args.epochs, "seed": args.seed, "on_event": on_event, "cancel": cancel}
    if args.mistake == "all":
        return every_mistake(dataset, backbone=args.backbone, **how)
    return what_goes_wrong(dataset, mistake=args.mistake, backbone=args.backbone, **how)


def _draw_mistake(result: Any) -> Any:
    from tl_widgets.plot_mistakes import plot_mistake, plot_mistakes

    return plot_mistakes(result) if hasattr(result, "studies") else plot_mistake(result)


def _measure_backbones(args: Namespace, dataset: ImageDataset, on_event: OnEvent, cancel: Cancel) -> Any:
    from tl_widgets.backbone_study import backbone_study

    return backbone_study(
        dataset,
        backbones=args.backbones,
        weights=args.weights,
        seeds=args.seeds,
        control=args.control,
        epochs=args.epochs,
        resume=_earlier(args.resume),
        n_jobs=args.jobs,
        on_event=on_event,
        cancel=cancel,
    )


def _earlier(path: Path | None) -> BackboneStudy | None:
    """The study whose record a file holds."""
    from tl_widgets.backbone_results import BackboneStudy
    from tl_widgets.errors import InputError

    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"The record to resume, {path}, cannot be read ({type(error).__name__}). Give the JSON file that "
            "`tl-widgets study backbones` wrote."
        ) from None
    return BackboneStudy.from_json(text)


def _draw_backbones(result: Any) -> Any:
    from tl_widgets.plot_backbones import plot_backbone_study

    return plot_backbone_study(result)


def _measure_inside(args: Namespace, dataset: ImageDataset, on_event: OnEvent, cancel: Cancel) -> Any:
    from tl_widgets.errors import CancelledError
    from tl_widgets.experiments import compare

    how: dict[str, Any] = {"on_event": on_event, "cancel": cancel}
    settings: dict[str, Any] = {"backbone": args.backbone, "epochs": args.epochs, "seed": args.seed}
    comparison = compare(dataset, control=args.control, **settings, **how)
    if comparison.stopped:
        raise CancelledError("stopped before there were models to look into")
    from tl_widgets.inside import look_inside

    return look_inside(comparison, dataset, n_images=args.images, **how)


def _draw_inside(result: Any) -> Any:
    from tl_widgets.plot_inside import plot_inside

    return plot_inside(result)


STUDIES = {
    "data": Study(
        "How much data?",
        "accuracy against images per class, over several seeds",
        "LearningCurve",
        _measure_data,
        _draw_data,
        "Line chart of test accuracy against training images per class.",
    ),
    "time": Study(
        "How much time?",
        "accuracy against seconds",
        "TimeStudy",
        _measure_time,
        _draw_time,
        "Line chart of accuracy on the validation images against seconds.",
    ),
    "backbones": Study(
        "Which backbone?",
        "accuracy, milliseconds and memory of every backbone whose weights are on this machine",
        "BackboneStudy",
        _measure_backbones,
        _draw_backbones,
        "Scatter charts of test accuracy, against milliseconds per image and against published ImageNet accuracy.",
        lambda result: (*result.lines, *result.sentences),
    ),
    "fine-tuning": Study(
        "Fine-tuning",
        "what unfreezing the backbone's last blocks brings",
        "Comparison",
        _measure_fine_tuning,
        _draw_fine_tuning,
        "Charts of accuracy by epoch, with a mark where fine-tuning starts, of parameters, seconds and recall.",
        lambda result: (result.verdict.text,),
    ),
    "mistake": Study(
        "What goes wrong?",
        "what a common mistake costs, beside the right way",
        "MistakeStudy",
        _measure_mistake,
        _draw_mistake,
        "Bar chart of the right way and the wrong one.",
    ),
    "inside": Study(
        "Look inside",
        "where both models look, their first filters, and how they lay the test images out",
        "LookInside",
        _measure_inside,
        _draw_inside,
        "Heat maps over test images, first filters as small pictures, and scatter charts of the test images.",
    ),
}
