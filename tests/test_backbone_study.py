"""The study of backbones: points against `compare`, cost, choice, Stop and resume, failures, figures."""

import math
import threading
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from tiny import mini_family, registered

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.backbones.family import memory_estimate
from tl_widgets.cli import main as cli
from tl_widgets.core.config import ScratchSpec
from tl_widgets.core.errors import InputError
from tl_widgets.core.resources import PeakMemory
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.data.dataset import subset
from tl_widgets.experiments.comparison import compare
from tl_widgets.records.statistics import rank_correlation, wilson_interval
from tl_widgets.studies.backbones.figure import plot_backbone_study, plot_backbones, plot_imagenet
from tl_widgets.studies.backbones.measurement import backbone_cost, backbone_study
from tl_widgets.studies.backbones.result import BackboneStudy, WantedBackbone
from tl_widgets.training.feature_store import store_path

pytestmark = pytest.mark.usefixtures("tiny_default", "mini")

FEW = {"epochs": 3, "batch_size": 8}
TINY = ScratchSpec(filters=(2,), kernel_sizes=(3,), head="global_average", dense_units=0)


@pytest.fixture(scope="module")
def textures():
    return load_dataset("textures", image_size=48, n_per_class=8)


@pytest.fixture(scope="module")
def mini(tiny_default):
    """A second backbone, smaller than the one that stands in for the default."""
    with registered(mini_family()):
        yield


@pytest.fixture(scope="module")
def random_file(mini, tmp_path_factory):
    """A weights file of the second backbone."""
    from tl_widgets.backbones.loading import build_backbone
    from tl_widgets.backbones.weights import resolve_weights

    entry = find_backbone("MiniNet")
    path = tmp_path_factory.mktemp("weights") / "mine.weights.h5"
    build_backbone(entry, (48, 48, 3), resolve_weights(entry, None), seed=5).save_weights(path)
    return path


@pytest.fixture(scope="module")
def study(textures, random_file, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TL_WIDGETS_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
        return backbone_study(textures, weights={"mininet": random_file}, seeds=(0, 3), **FEW)


def made_study(study, rows):
    """A study of given (name, milliseconds, share right on validation, right on test of 100, ImageNet)."""
    point = study.points[0]
    points = tuple(
        replace(
            point,
            name=name,
            weights="imagenet",
            top1_pct=top1,
            val_accuracy=(validation,),
            answers=((True,) * right + (False,) * (100 - right),),
            cost=replace(point.cost, name=name, ms_per_image=ms),
        )
        for name, ms, validation, right, top1 in rows
    )
    return replace(study, seeds=(0,), points=points, control=None, wanted=tuple(WantedBackbone(p.name) for p in points))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([1, 2, 3, 4, 5], [2, 1, 4, 3, 5]),
        ([71.3, 75.1, 79.0, 76.0, 70.9, 74.9], [0.9, 0.9, 0.95, 0.8, 0.8, 0.9]),
        ([3, 1, 2, 7, 5, 6, 4, 9, 8], [1, 2, 2, 3, 3, 5, 5, 7, 9]),
    ],
)
def test_the_rank_correlation_is_scipys(first, second):
    found = rank_correlation(first, second)
    assert found.rho == pytest.approx(stats.spearmanr(first, second).statistic)
    n_orders = math.factorial(len(first))
    expected = stats.permutation_test(
        (first,),
        lambda order: stats.spearmanr(order, second).statistic,
        permutation_type="pairings",
        n_resamples=min(n_orders, 3000),
        rng=1,
    )
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-9 if n_orders <= 3000 else 0.02)


def test_no_rank_correlation_of_equals():
    assert rank_correlation([1, 2, 3], [4, 4, 4]) is None
    assert rank_correlation([1], [2]) is None
    assert rank_correlation([], []) is None


def test_a_point_is_what_compare_gives(study, textures, random_file):
    names = [point.name for point in study.points]
    assert names == ["MiniNet", "EfficientNetLite0"]  # the smallest first
    for point, weights in zip(study.points, (random_file, "imagenet"), strict=True):
        for i, seed in enumerate(study.seeds):
            run = compare(textures, backbone=point.name, weights=weights, seed=seed, scratch=TINY, **FEW).transfer
            assert point.test_accuracies[i] == run.test_accuracy
            assert point.answers[i] == tuple(a == b for a, b in zip(run.labels, run.predictions, strict=True))
            assert point.val_accuracy[i] == run.history.val_accuracy[-1]
        assert point.weights_sha256 == run.weights_sha256
        assert (point.n_trainable, point.cost.n_params) == (run.params.trainable, run.params.frozen)


def test_the_control_is_that_of_compare(study, textures):
    control = compare(textures, backbone="MiniNet", weights=None, seed=3, scratch=TINY, **FEW).transfer
    assert study.control.weights == "random"
    assert study.control.name == "MiniNet"
    assert study.control.top1_pct is None
    assert study.control.test_accuracies[1] == control.test_accuracy
    assert study.control.cost.ms_per_image == study.points[0].cost.ms_per_image  # the arithmetic is the same


def test_intervals_are_over_test_images_and_over_seeds(study):
    point = study.points[1]
    n = len(point.answers[0])
    mean = np.mean(point.test_accuracies)
    assert point.test_accuracy == pytest.approx(mean)
    assert point.test_accuracy_ci95 == pytest.approx(wilson_interval(mean * n, n))
    assert point.over_seeds.n == 2


def test_costs_are_the_catalogues_and_the_machines(study):
    for point in study.points:
        entry = find_backbone(point.name)
        assert point.top1_pct == entry.top1_pct
        assert point.cost.n_params == entry.n_params
        assert point.cost.feature_width == entry.feature_width == {"MiniNet": 24}.get(point.name, 64)
        assert point.cost.memory_estimate == memory_estimate(entry, 48)
        assert point.cost.memory_peak is None or point.cost.memory_peak > 300_000_000  # TensorFlow alone is more
        assert 0 < point.cost.ms_per_image < 1000
        assert point.cost.alone


def test_the_record_is_read_back_and_nothing_else(study):
    assert BackboneStudy.from_json(study.to_json()) == study
    for text in ("{}", "no", study.to_json().replace('"BackboneStudy"', '"LearningCurve"')):
        with pytest.raises(InputError, match="not a record of a BackboneStudy"):
            BackboneStudy.from_json(text)


def test_the_choice_is_made_by_the_validation_images(study):
    made = made_study(study, [("A", 1.0, 0.9, 80, 70), ("B", 2.0, 0.95, 78, 75), ("C", 3.0, 0.95, 99, 80)])
    assert made.chosen.name == "B"
    said = made.sentences
    assert "the choice is B, the fastest of 2 that are equally good there: it answers 78.0% of the 100" in said[0]
    assert "A (80.0%) is too close to call; C (99.0%) is clearly ahead of it" in said[1]
    assert "B takes 2.0 ms an image, 2.0 times as long as the fastest, A" in said[2]
    for milliseconds, text in ((1.1, "A takes 1.0 ms an image, B about as long."), (1.3, "A is also the fastest")):
        near = made_study(study, [("A", 1.0, 0.9, 80, 70), ("B", milliseconds, 0.8, 78, 75)])
        assert text in " ".join(near.sentences)


def test_the_pareto_front_is_that_of_the_definition(study):
    rng = np.random.default_rng(4)
    rows = [(f"M{i}", float(ms), 0.5, int(right), 70) for i, (ms, right) in enumerate(rng.integers(1, 12, (30, 2)))]
    rows.append(("same", rows[0][1], 0.5, rows[0][3], 70))
    made = made_study(study, rows)

    def figures(point):
        return point.cost.ms_per_image, -point.test_accuracy

    expected = {
        figures(p)
        for p in made.points
        if not any(
            all(a <= b for a, b in zip(figures(q), figures(p), strict=True)) and figures(q) != figures(p)
            for q in made.points
        )
    }
    assert {figures(point) for point in made.front} == expected
    assert 1 < len(made.front) < 30


def test_whether_imagenet_tells_anything_is_said_only_where_it_can_be(study):
    rows = [(f"M{i}", 1.0 + i, 0.9, 60 + 5 * i, 70.0 + i) for i in range(6)]
    assert (
        "Better ImageNet models transfer better here (rank correlation 1.00 over 6"
        in made_study(study, rows).sentences[-1]
    )
    four = made_study(study, rows[:4]).sentences[-1]
    assert "cannot be told from 4 backbones: it takes 5 or more" in four
    assert four.startswith("The accuracies here are in the same order as on ImageNet. Whether")
    assert "significant" not in four
    for accuracies, words in (
        ((80, 70, 65, 60), "in the opposite order of those on ImageNet. "),
        ((60, 80, 70, 75), "in another order than on ImageNet. "),
        ((60, 60, 70, 75), "in the same order as on ImageNet except for ties. "),
        ((60, 60, 60, 60), ""),
    ):
        few = [(*row[:3], right, row[4]) for row, right in zip(rows[:4], accuracies, strict=True)]
        sentence = made_study(study, few).sentences[-1]
        assert sentence.startswith(f"The accuracies here are {words}Whether" if words else "Whether")
    backwards = [(name, ms, val, right, 90.0 - top1) for name, ms, val, right, top1 in rows]
    assert "transfer worse here" in made_study(study, backwards).sentences[-1]
    equal = [(name, ms, val, 90, top1) for name, ms, val, _, top1 in rows]
    assert "cannot be told: all are equally good" in made_study(study, equal).sentences[-1]
    mixed = [(*row[:3], right, row[4]) for row, right in zip(rows, (80, 70, 90, 75, 85, 72), strict=True)]
    assert "too close to call" in made_study(study, mixed).sentences[-1]


def test_the_floor_and_the_reservations_are_said(study):
    said = " ".join(study.sentences)
    assert "MiniNet with random weights reaches" in said
    assert "came from a file" in said
    one = replace(study, points=study.points[1:], control=None)
    assert "so there is nothing to compare it with: it answers" in one.sentences[0]
    beside = replace(study, points=tuple(replace(p, cost=replace(p.cost, alone=False)) for p in study.points))
    assert "milliseconds are longer than when measured alone" in " ".join(beside.sentences)
    assert len(study.lines) == 3
    assert "(estimate for the backbone alone)" in study.lines[0]


def test_one_failed_backbone_is_told_and_the_rest_go_on(textures):
    # Xception takes images of 71 pixels or more, and these have 48.
    found = backbone_study(textures, backbones=("Xception", "EfficientNetLite0"), control=False, **FEW)
    assert [point.name for point in found.points] == ["EfficientNetLite0"]
    assert [failure.point for failure in found.failures] == ["Xception"]
    assert "71" in found.failures[0].text
    assert any("1 could not be measured. Xception: " in each for each in found.sentences)
    assert not found.stopped


def test_a_stopped_study_is_resumed_and_measures_nothing_twice(textures, random_file, study):
    cancel, news = threading.Event(), []

    def on_event(event):
        news.append(event)
        if event.phase == "study" and event.n_done == 1:
            cancel.set()

    files = {"MiniNet": random_file}
    asked = {"weights": files, "seeds": (0, 3), **FEW}
    first = backbone_study(textures, on_event=on_event, cancel=cancel, **asked)
    assert first.stopped
    assert [point.name for point in first.points] == ["MiniNet"]
    assert first.control is None
    assert "not measured yet: EfficientNetLite0" in first.sentences[-1]
    assert {event.model for event in news if event.phase == "features"} == {"MiniNet"}

    read = BackboneStudy.from_json(first.to_json())
    measured = []
    rest = backbone_study(
        textures, resume=read, on_event=lambda e: measured.append((e.phase, e.n_total, e.text)), seeds=(0, 3), **FEW
    )
    assert not rest.stopped
    assert rest.points[0] == first.points[0]  # milliseconds and all: it was not measured again
    assert {total for phase, total, _ in measured if phase == "study"} == {2}
    assert [point.answers for point in rest.points] == [point.answers for point in study.points]
    assert rest.control.answers == study.control.answers

    store_path().unlink()
    again = backbone_study(textures, resume=rest, seeds=(0, 3), **FEW)
    assert again == replace(rest, environment=again.environment)
    assert not store_path().exists()  # nothing was read


def test_a_weights_file_that_changed_is_measured_again(textures, study, random_file, tmp_path):
    other = tmp_path / "other.weights.h5"
    other.write_bytes(random_file.read_bytes())
    moved = replace(
        study, wanted=tuple(replace(w, weights=str(other)) if w.name == "MiniNet" else w for w in study.wanted)
    )
    kept = backbone_study(textures, resume=moved, seeds=(0, 3), **FEW)
    assert kept.points == study.points
    other.write_bytes(b"no weights any more")
    changed = backbone_study(textures, resume=moved, seeds=(0, 3), **FEW)
    assert [point.name for point in changed.points] == ["EfficientNetLite0"]
    assert changed.failures[0].point == "MiniNet"


def test_what_cannot_be_resumed_is_refused(textures, study):
    other = load_dataset("textures", image_size=48, n_per_class=8, seed=1)
    with pytest.raises(InputError, match="made on other images"):
        backbone_study(other, resume=study, seeds=(0, 3), **FEW)
    with pytest.raises(InputError, match=r"epochs=3 there and 4 here.*seeds=\(0, 3\) there and \(0,\) here"):
        backbone_study(textures, resume=study, epochs=4, batch_size=8)
    elsewhere = replace(study, environment=replace(study.environment, cpu_count=64))
    with pytest.raises(InputError, match="cpu_count 64 there"):
        backbone_study(textures, resume=elsewhere, seeds=(0, 3), **FEW)
    with pytest.raises(InputError, match="resume must be a BackboneStudy"):
        backbone_study(textures, resume=study.to_json(), seeds=(0, 3), **FEW)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backbones": ("EfficientNetLite9",)}, "EfficientNetLite0"),
        ({"backbones": "EfficientNetLite0"}, "names in a list"),
        ({"backbones": ()}, "no backbone to measure"),
        ({"backbones": ("EfficientNetLite0", "efficientnetlite0")}, "more than once"),
        ({"backbones": ("EfficientNetLite0",), "weights": {"VGG16": "a.h5"}}, "VGG16, which backbones does not name"),
        ({"weights": "a.h5"}, "dictionary"),
        ({"seeds": ()}, "seeds"),
        ({"epochs": 0}, "epochs"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_trained(textures, arguments, message):
    with pytest.raises(InputError, match=message):
        backbone_study(textures, **arguments)


def test_cost_needs_no_weights_and_grows_with_the_image():
    small, large = (backbone_cost("MobileNetV2", image_size=size) for size in (32, 96))
    assert (small.n_params, small.feature_width) == (2_257_984, 1280)
    assert large.n_params == small.n_params
    # Nine times the pixels: the order holds, whatever else two cores do.
    assert large.ms_per_image > small.ms_per_image
    assert large.memory_estimate > small.memory_estimate
    with pytest.raises(InputError, match="image_size must be 71 to 1,024; received 70"):
        backbone_cost("Xception", image_size=70)


def test_the_peak_of_memory_is_seen():
    with PeakMemory() as without:
        pass
    with PeakMemory() as memory:
        block = np.ones(40_000_000)  # 320 MB
        del block
    assert memory.n_bytes - without.n_bytes > 250_000_000


def test_the_figures_show_what_was_measured(study):
    ax = plot_backbones(study)
    for point in (*study.points, study.control):
        assert any(
            np.allclose(line.get_xdata(), [point.cost.ms_per_image])
            and np.allclose(line.get_ydata(), [point.test_accuracy])
            for line in ax.lines
        ), point.name
    names = {text.get_text() for text in ax.texts}
    assert names == {"MiniNet", "EfficientNetLite0", "MiniNet, random"}
    low = min(point.test_accuracy_ci95[0] for point in (*study.points, study.control))
    assert ax.get_ylim()[0] <= low
    against = plot_imagenet(study)
    assert {text.get_text() for text in against.texts} == {"MiniNet", "EfficientNetLite0"}
    assert "from 2 backbones" in against.get_title().replace("\n", " ")
    assert len(plot_backbone_study(study).axes) == 2
    narrow = plot_backbone_study(study, narrow=True)
    narrow.draw_without_rendering()
    upper, lower = (ax.get_tightbbox() for ax in narrow.axes)
    assert upper.y0 > lower.y1
    assert max(upper.x1, lower.x1) <= narrow.bbox.width
    millions = plot_backbones(study, cost="parameters")
    assert millions.get_xlim()[0] < study.points[0].cost.n_params < millions.get_xlim()[1]
    with pytest.raises(InputError, match="cost must be milliseconds or parameters"):
        plot_backbones(study, cost="euros")
    with pytest.raises(InputError, match="stopped before the first"):
        plot_backbones(replace(study, points=()))


def test_no_two_names_cover_each_other(study):
    rows = [(f"SomeBackbone{i}", 1.0 + 0.1 * i, 0.9, 90 + i % 3, 75.0 + 0.3 * i) for i in range(6)]
    ax = plot_backbones(made_study(study, rows))
    ax.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert len(boxes) == 6
    for i, one in enumerate(boxes):
        for two in boxes[:i]:
            width = min(one.x1, two.x1) - max(one.x0, two.x0)
            height = min(one.y1, two.y1) - max(one.y0, two.y0)
            assert width <= 0 or height <= 0


def test_the_command_writes_a_record_and_goes_on_with_it(tmp_path, monkeypatch, capsys, random_file):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    small = ["study", "backbones", "faces", "--image-size", "32", "--images-per-class", "8", "--epochs", "2", "--quiet"]
    assert cli.main([*small, "--backbones", "EfficientNetLite0", "--no-control"]) == 0
    assert "Only EfficientNetLite0 was measured" in capsys.readouterr().out
    record = tmp_path / "tl-widgets-backbones-faces.json"
    first = BackboneStudy.from_json(record.read_text())
    assert first.control is None
    more = ["--resume", str(record), "--weights", f"MiniNet={random_file}", "--json", "more.json"]
    assert cli.main([*small, *more]) == 0
    out = capsys.readouterr().out
    assert "MiniNet with random weights: " in out
    second = BackboneStudy.from_json((tmp_path / "more.json").read_text())
    assert second.points[0] == first.points[0]
    assert [point.name for point in second.points] == ["EfficientNetLite0", "MiniNet"]
    assert (tmp_path / "tl-widgets-backbones-faces.png").read_bytes()[:4] == b"\x89PNG"
    assert cli.main([*small, "--resume", "nowhere.json"]) == 2
    assert "nowhere.json, cannot be read" in capsys.readouterr().err
    assert cli.main([*small, "--weights", "MiniNet"]) == 2
    assert "weights must be files by name" in capsys.readouterr().err


@pytest.mark.slow
def test_real_weights_from_files_are_measured(assets):
    weights = {
        "MobileNetV2": assets / "weights" / "mobilenet_v2_notop.weights.h5",
        "Xception": assets / "weights" / "xception_notop.weights.h5",
    }
    dataset = load_dataset("textures", image_size=71, n_per_class=8)
    few = subset(dataset.validation, np.arange(0, len(dataset.validation), 4))
    found = backbone_study(replace(dataset, validation=few), backbones=tuple(weights), weights=weights)
    assert [point.weights for point in found.points] == [path.name for path in weights.values()]
    assert all(point.test_accuracy > study_floor(found) for point in found.points)
    fast, slow = found.points
    assert fast.cost.ms_per_image < slow.cost.ms_per_image


def study_floor(study):
    return study.control.test_accuracy_ci95[1]
