"""Finished comparisons made by hand, for tests of figures: nothing is trained."""

import numpy as np

from tl_widgets.ledger import ParameterCount
from tl_widgets.results import (
    Comparison,
    DatasetSummary,
    Environment,
    History,
    RunResult,
    Seconds,
    judge,
)
from tl_widgets.settings import Config

PARAMS = {
    "scratch": ParameterCount(1_280_000, 0),
    "transfer": ParameterCount(3_843, 3_371_024),
    "control": ParameterCount(3_843, 3_371_024),
    "fine_tuned": ParameterCount(412_803, 2_962_064),
}
SECONDS = {
    "scratch": Seconds(0, 38.2, 0.6),
    "transfer": Seconds(2.9, 1.1, 1.4, saved=4.4),
    "control": Seconds(7.1, 1.2, 1.4),
    "fine_tuned": Seconds(2.9, 91.0, 1.6),
}
TARGETS = {"scratch": 0.66, "transfer": 0.93, "control": 0.48, "fine_tuned": 0.95}


def history_of(n_epochs: int, chance: float, target: float, seed: int = 0) -> History:
    rng = np.random.default_rng(seed)
    t = 1 - np.exp(-np.arange(1, n_epochs + 1) / max(1, n_epochs / 4))
    accuracy = np.clip(chance + (target + 0.05 - chance) * t + rng.normal(0, 0.01, n_epochs), 0, 1)
    val = np.clip(chance + (target - chance) * t + rng.normal(0, 0.03, n_epochs), 0, 1)
    loss = tuple(-np.log(np.clip(accuracy, 0.01, 1)))
    return History(loss, tuple(accuracy), loss, tuple(val), tuple(np.arange(1.0, n_epochs + 1)))


def make_run(name, class_names, *, n_test=90, n_epochs=10, target=None, seed=0, stopped=False, **changes) -> RunResult:
    n = len(class_names)
    target = TARGETS[name] if target is None else target
    target = max(target, 1 / n)
    rng = np.random.default_rng(seed + 100 * list(TARGETS).index(name))
    labels = np.arange(n_test) % n
    right = rng.random(n_test) < target
    answers = np.where(right, labels, (labels + 1 + rng.integers(0, n - 1, n_test)) % n)
    fields = {
        "params": PARAMS[name],
        "seconds": SECONDS[name],
        "history": history_of(n_epochs, 1 / n, target, seed),
        "labels": () if stopped else tuple(int(i) for i in labels),
        "predictions": () if stopped else tuple(int(i) for i in answers),
        "stopped": stopped,
        "backbone": "" if name == "scratch" else "EfficientNetLite0",
        "weights": {"scratch": "", "control": "random"}.get(name, "imagenet"),
    }
    return RunResult(name=name, class_names=tuple(class_names), **{**fields, **changes})


def make_comparison(
    names=("scratch", "transfer"), class_names=("brick", "grass", "gravel"), *, name="textures", **arguments
) -> Comparison:
    runs = {model: make_run(model, class_names, **arguments) for model in names}
    scratch, transfer, control = (runs.get(model) for model in ("scratch", "transfer", "control"))
    return Comparison(
        dataset=DatasetSummary(name, 96, tuple(class_names), 30, 30, arguments.get("n_test", 90), "by hand"),
        config=Config(epochs=max(1, arguments.get("n_epochs", 10))),
        scratch=scratch,
        transfer=transfer,
        control=control,
        verdict=judge(scratch, transfer, control),
        environment=Environment("3.11", "2.21", "3.15", "0.1.0", 2),
        fine_tuned=runs.get("fine_tuned"),
    )
