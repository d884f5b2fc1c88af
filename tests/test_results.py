"""Statistics and records: against hand arithmetic, published figures and simulation."""

import json
import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from tl_widgets.core.config import Config, ScratchSpec
from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import interval_text
from tl_widgets.records.comparison import (
    Comparison,
    DatasetSummary,
    Diagnosis,
    Environment,
    History,
    RunResult,
    Seconds,
)
from tl_widgets.records.parameters import ParameterCount
from tl_widgets.records.run import DeadUnits, diagnose, is_stuck
from tl_widgets.records.statistics import mcnemar_p_value, paired_difference_interval, wilson_interval
from tl_widgets.records.verdict import judge, paired_difference

CLASSES = ("brick", "grass", "gravel")


def run(name, predictions, labels, **changes):
    n = len(CLASSES)
    probabilities = tuple(tuple(float(c == p) for c in range(n)) for p in predictions)
    base = RunResult(
        name=name,
        class_names=CLASSES,
        params=ParameterCount(1000, 2000),
        seconds=Seconds(1.0, 2.0, 0.5),
        history=History((1.0, 0.5), (0.5, 0.9), (1.1, 0.6), (0.4, 0.8), (0.1, 0.2)),
        labels=tuple(labels),
        predictions=tuple(predictions),
        probabilities=probabilities,
        backbone="" if name == "scratch" else "EfficientNetLite0",
        weights="" if name == "scratch" else "imagenet",
    )
    return replace(base, **changes)


def comparison(scratch, transfer, control=None):
    return Comparison(
        DatasetSummary("textures", 96, CLASSES, 150, 60, 90),
        Config(scratch=ScratchSpec(dense_units=6), learning_rate=1e-2, control=control is not None),
        scratch,
        transfer,
        control,
        judge(scratch, transfer, control),
        Environment("3.11.7", "2.21.0", "3.15.1", "0.1.0", 2),
    )


def test_wilson_interval_agrees_with_scipy():
    for n_right, n in [(0, 10), (10, 10), (7, 10), (81, 90), (1, 3), (499, 1000)]:
        expected = binomtest(n_right, n).proportion_ci(method="wilson")
        assert wilson_interval(n_right, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_an_interval_in_words_keeps_its_width():
    assert interval_text((0.834, 0.954)) == "83 to 95"
    assert interval_text((0.9964, 1.0)) == "99.6 to 100.0", "100 to 100 would claim to be sure"


def test_fine_tuning_has_its_interval_both_ways():
    labels = [0, 1, 2] * 10
    wrong = [(x + 1) % 3 for x in labels]
    part = labels[:10] + wrong[10:]
    scratch = run("scratch", labels, labels)
    for frozen, tuned, word in ((part, labels, "more"), (labels, part, "fewer")):
        text = judge(scratch, run("transfer", frozen, labels), None, run("fine_tuned", tuned, labels)).text
        assert text.endswith(f": 66.7 points {word} than frozen (95% interval 45.5 to 80.8).")


def test_wilson_interval_of_nothing_says_nothing():
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_mcnemar_agrees_with_the_exact_binomial_test():
    for a, b in [(0, 0), (1, 0), (5, 0), (6, 0), (3, 9), (12, 12), (700, 800)]:
        expected = binomtest(a, a + b).pvalue if a + b else 1.0
        assert mcnemar_p_value(a, b) == pytest.approx(expected, abs=1e-9)


def test_paired_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    shares = np.array([0.6, 0.25, 0.05, 0.1])
    truth = shares[1] - shares[2]
    draws = rng.multinomial(60, shares, size=3000)
    hits = sum(low <= truth <= high for low, high in (paired_difference_interval(*map(int, row)) for row in draws))
    assert 0.93 < hits / 3000 < 0.975


def test_paired_interval_is_antisymmetric_and_in_range():
    low, high = paired_difference_interval(50, 12, 3, 5)
    assert paired_difference_interval(50, 3, 12, 5) == pytest.approx((-high, -low))
    assert -1 <= low < (12 - 3) / 70 < high <= 1
    assert paired_difference_interval(0, 0, 0, 0) == (-1.0, 1.0)


def test_verdict_names_the_winner_only_when_it_is_clear():
    labels = [0, 1, 2] * 10
    right, wrong = labels, [(x + 1) % 3 for x in labels]
    clear = judge(run("scratch", wrong, labels), run("transfer", right, labels))
    assert clear.winner == "transfer"
    assert "wins by 100.0 points" in clear.text
    assert clear.p_value == pytest.approx(2 / 2**30)
    close = judge(run("scratch", wrong[:2] + right[2:], labels), run("transfer", right, labels))
    assert close.winner == ""
    assert close.text.startswith("Too close to call")
    assert close.ci95[0] < 0 < close.ci95[1]
    lost = judge(run("scratch", right, labels), run("transfer", wrong, labels))
    assert lost.winner == "scratch"


def test_control_says_what_the_pretraining_is_worth():
    labels = [0, 1, 2] * 10
    right, wrong = labels, [(x + 1) % 3 for x in labels]
    verdict = judge(run("scratch", right, labels), run("transfer", right, labels), run("control", wrong, labels))
    assert "the pretraining itself is worth 100.0 points" in verdict.text
    verdict = judge(run("scratch", right, labels), run("transfer", right, labels), run("control", right, labels))
    assert "no gain can be put down to the pretraining" in verdict.text


def test_verdict_of_a_stopped_comparison_claims_nothing():
    verdict = judge(run("scratch", [], [], stopped=True), None)
    assert verdict.winner == ""
    assert verdict.accuracy_difference is None
    assert "Stopped" in verdict.text


def test_pairing_needs_the_same_test_images():
    with pytest.raises(InputError, match="same images"):
        paired_difference(run("scratch", [0], [0]), run("transfer", [0], [1]))


def test_confusion_and_class_figures():
    result = run("scratch", [0, 0, 1, 1], [0, 1, 1, 1])
    assert result.confusion_matrix.tolist() == [[1, 0, 0], [1, 2, 0], [0, 0, 0]]
    brick, grass, gravel = result.per_class
    assert (brick.n, brick.recall, brick.precision) == (1, 1.0, 0.5)
    assert (grass.n, grass.recall, grass.precision) == (3, 2 / 3, 1.0)
    assert (gravel.n, gravel.recall, gravel.precision) == (0, None, None)
    assert result.test_accuracy == 0.75


def test_json_round_trip_keeps_everything():
    labels = [0, 1, 2, 2]
    noted = run("scratch", [0, 1, 1, 2], labels, diagnoses=(Diagnosis("few_test_images", "Few.", "More."),))
    before = comparison(noted, run("transfer", labels, labels), run("control", [0, 0, 0, 0], labels))
    assert Comparison.from_json(before.to_json()) == before
    stopped = comparison(run("scratch", [], [], stopped=True), None)
    assert Comparison.from_json(stopped.to_json()) == stopped


def test_json_has_the_documented_fields():
    labels = [0, 1, 2, 2]
    record = json.loads(comparison(run("scratch", labels, labels), run("transfer", labels, labels)).to_json())
    assert {"dataset", "config", "scratch", "transfer", "control", "verdict", "environment"} <= set(record)
    assert {"name", "image_size", "class_names", "n_train", "n_validation", "n_test"} <= set(record["dataset"])
    fields = {
        "name",
        "test_accuracy",
        "test_accuracy_ci95",
        "trainable_params",
        "frozen_params",
        "total_params",
    }
    assert fields | {"seconds", "history", "predictions"} <= set(record["scratch"])
    assert {"backbone", "weights", "weights_sha256"} <= set(record["transfer"])
    assert record["scratch"]["seconds"]["total"] == 3.5
    assert {"text", "accuracy_difference", "ci95", "p_value"} <= set(record["verdict"])
    assert {"python", "tensorflow", "keras", "tl_widgets", "cpu_count"} <= set(record["environment"])


def test_json_survives_a_loss_that_is_not_a_number():
    bad = History((float("nan"), float("inf")), (0.3, 0.3), (float("inf"), 1.0), (0.3, 0.3), (1.0, 2.0))
    text = comparison(run("scratch", [0], [0], history=bad), run("transfer", [0], [0])).to_json()
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    loss = Comparison.from_json(text).scratch.history.loss
    assert np.isnan(loss[0])
    assert loss[1] == float("inf")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": 99}', "nonsense", "null"])
def test_other_json_is_refused_with_a_sentence(text):
    with pytest.raises(InputError, match="record"):
        Comparison.from_json(text)


def test_stuck_at_chance_is_told_from_learning():
    labels = [0, 1, 2] * 20
    assert is_stuck(History(accuracy=(0.33, 0.35)), labels)
    assert not is_stuck(History(accuracy=(0.33, 0.75)), labels)
    assert not is_stuck(History(accuracy=(0.58,)), [0, 1, 2] * 4)  # 12 images prove nothing, either way
    assert is_stuck(History(accuracy=(0.8,)), [0] * 48 + [1] * 12)  # the majority class alone gives 0.8


def found(train_accuracy, n_right, n_test, train_labels=(0, 1, 2) * 20, dead_units=()):
    labels = [i % 3 for i in range(n_test)]
    predictions = labels[:n_right] + [(x + 1) % 3 for x in labels[n_right:]]
    diagnoses = diagnose(
        History(accuracy=(train_accuracy,)),
        train_labels=train_labels,
        test_labels=labels,
        predictions=predictions,
        class_names=CLASSES,
        dead_units=dead_units,
    )
    return [diagnosis.kind for diagnosis in diagnoses]


def test_diagnoses():
    assert found(0.95, 285, 300) == []
    assert found(1.00, 210, 300) == ["overfitting"]
    assert found(0.33, 100, 300) == ["stuck_at_chance"]
    assert found(0.33, 100, 300, dead_units=(DeadUnits("Conv2D", 1, 32), DeadUnits("Dense", 6, 6))) == ["dead_units"]
    assert found(0.33, 100, 300, dead_units=(DeadUnits("Conv2D", 9, 32),)) == ["stuck_at_chance"]
    assert found(0.35, 180, 300) == [], "the test shows that it learned, whatever its last epoch's average"
    assert found(0.95, 10, 12) == ["few_test_images"]
    assert found(0.95, 285, 300, train_labels=[0] * 40 + [1] * 40 + [2] * 5) == ["imbalance"]


def test_a_training_that_diverged_is_a_diagnosis():
    kinds = {"train_labels": (0, 1, 2) * 20, "test_labels": (), "predictions": (), "class_names": CLASSES}
    for history in (
        History(loss=(1.0, math.nan), accuracy=(0.5, 0.33)),
        History(loss=(1.0, 2.0), accuracy=(0.5, 0.9), val_loss=(1.0, math.inf), val_accuracy=(0.5, 0.33)),
    ):
        (diverged,) = diagnose(history, **kinds)
        assert (diverged.kind, "from epoch 2 on" in diverged.text) == ("diverged", True)


def test_results_need_no_tensorflow():
    code = (
        "import sys, tl_widgets.records.comparison, tl_widgets.records.codec, tl_widgets.records.run;"
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'matplotlib', 'scipy', 'cattrs')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_interval_that_leaves_0_out_is_explained_where_the_exact_test_is_not_sure():
    labels = [0, 1] * 8
    wrong = [1 - label for label in labels[:5]] + labels[5:]
    verdict = judge(run("scratch", labels, labels), run("transfer", wrong, labels))
    assert verdict.ci95[1] < 0  # scratch is better in all of it
    assert verdict.p_value == pytest.approx(2 / 2**5)
    assert not verdict.winner
    assert "leaves 0 out, but the exact test (McNemar, p = 0.062) does not rule out chance" in verdict.text
    same = judge(run("scratch", labels, labels), run("transfer", labels, labels))
    assert "leaves 0 out" not in same.text
