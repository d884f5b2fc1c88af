"""The "depth" study: features of models that are built by hand, and counts from hand arithmetic."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.backbones.weights import resolve_weights
from tl_widgets.core.config import Config
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import ignore
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.experiments.arms import RunCache, train_arm
from tl_widgets.studies.depth.blocks import chosen_blocks
from tl_widgets.studies.depth.figure import plot_depth
from tl_widgets.studies.depth.measurement import CutBackbone, depth_study
from tl_widgets.studies.depth.result import DepthPoint, DepthStudy
from tl_widgets.studies.registry import STUDIES

pytestmark = pytest.mark.usefixtures("tiny_default")
RECORD = Path(__file__).parent / "data" / "records" / "depth.json"


def test_features_of_all_cuts_are_those_of_models_built_by_hand():
    import keras

    dataset, entry = load_dataset("textures", image_size=32, n_per_class=4), find_backbone(Config.backbone)
    cut = CutBackbone.build(entry, (1, 2, 3), dataset.image_shape, resolve_weights(entry, "imagenet"), seed=0)
    found, arrays = cut.read(dataset, "transfer", ignore, None), list(tiny._arrays())
    for block in (1, 2, 3):
        layers = [
            keras.layers.Conv2D(filters, kernel, stride, "same", activation="relu")
            for _, kernel, stride, filters in tiny._LAYERS[:block]
        ]
        scaled = [keras.Input(dataset.image_shape), keras.layers.Rescaling(1 / 127.5, -1)]
        model = keras.Sequential([*scaled, *layers, keras.layers.GlobalAveragePooling2D()])
        model.set_weights(arrays[: 2 * block])
        for split, values in zip((dataset.train, dataset.validation, dataset.test), found[block], strict=True):
            np.testing.assert_allclose(np.asarray(model(np.float32(split.images))), values, atol=1e-5)
    depths = cut.depths(entry, dataset.image_shape, None)
    conv1, conv2, conv3 = 3 * 3 * 3 * 16 + 16, 3 * 3 * 16 * 24 + 24, 24 * 64 + 64
    assert [depth.n_params for depth in depths] == [conv1, conv1 + conv2, conv1 + conv2 + conv3]
    assert [depth.feature_width for depth in depths] == [16, 24, 64]
    times = [depth.ms_per_image for depth in depths]
    assert 0 < times[0] < times[1] < times[2]


def test_the_whole_backbone_is_the_transfer_model_of_a_comparison():
    dataset, points = load_dataset("textures", image_size=32, n_per_class=6), []
    study = depth_study(dataset, seeds=(0, 1), epochs=2, on_event=lambda e: e.point and points.append(e.point))
    assert tuple(points) == study.points
    assert [depth.block for depth in study.depths] == [1, 2, 3]
    for arm in ("transfer", "control"):
        run = train_arm(dataset, study.config, arm, cache=RunCache())
        right = tuple(a == b for a, b in zip(run.labels, run.predictions, strict=True))
        point = study.point(arm, 3)
        assert point.answers[0] == right
        assert point.val_accuracy[0] == run.history.val_accuracy[-1]
    best = max(point.mean_val_accuracy for point in study.points if point.arm == "transfer")
    assert study.chosen.mean_val_accuracy == best
    assert DepthStudy.from_json(study.to_json()) == study
    assert len(study.rows) == 4
    few = depth_study(dataset, blocks=(2,), control=False, seeds=(0,), epochs=1)
    assert [(point.arm, point.block) for point in few.points] == [("transfer", 2), ("transfer", 3)]


def test_stop_keeps_what_was_measured():
    dataset, cancel = load_dataset("textures", image_size=32, n_per_class=4), threading.Event()
    stop = lambda event: event.point is not None and cancel.set()  # noqa: E731
    study = depth_study(dataset, seeds=(0,), epochs=1, on_event=stop, cancel=cancel)
    assert (study.stopped, len(study.points)) == (True, 1)
    assert "Predicted" not in " ".join(study.sentences)
    assert "So far" in study.headline


def test_pretrained_features_that_fail_cost_only_their_own_points(monkeypatch):
    read = CutBackbone.read

    def failing_read(cut, dataset, arm, *how):
        if arm == "transfer":
            raise InputError("the memory is full")
        return read(cut, dataset, arm, *how)

    monkeypatch.setattr(CutBackbone, "read", failing_read)
    study = depth_study(load_dataset("textures", image_size=32, n_per_class=4), seeds=(0,), epochs=1)
    assert [depth.block for depth in study.depths] == [1, 2, 3]
    assert [(point.arm, point.block) for point in study.points] == [("control", 1), ("control", 2), ("control", 3)]
    assert (study.stopped, study.lost_arms, len(study.failures)) == (False, ("transfer",), 3)
    assert study.headline == "Failed before pretrained features were measured."


def test_a_deep_backbone_is_cut_at_even_steps():
    assert len(find_backbone("ResNet152").cuts) + 1 == 3 + 8 + 36 + 3
    numbers = chosen_blocks("ResNet152", None)
    assert (numbers[0], numbers[-1], len(numbers)) == (1, 50, 16)
    assert chosen_blocks("ResNet152", (7, 3)) == (3, 7, 50)
    with pytest.raises(InputError, match="blocks must be 1 to 50; received 51"):
        chosen_blocks("ResNet152", (51,))


def made_up(transfer, control):
    """A study of 40 test images with three cuts, of which so many are right."""
    study = DepthStudy.from_json(RECORD.read_text())
    points = [
        DepthPoint(arm, block, (n / 40,), ((True,) * n + (False,) * (40 - n),))
        for arm, numbers in (("transfer", transfer), ("control", control))
        for block, n in zip((1, 2, 3), numbers, strict=True)
    ]
    depths = tuple(replace(depth, block=i + 1) for i, depth in enumerate(study.depths[:3]))
    return replace(
        study, dataset=replace(study.dataset, n_test=40), seeds=(0,), depths=depths, points=tuple(points), failures=()
    )


@pytest.mark.parametrize(
    ("transfer", "control", "ends"),
    [
        ((12, 30, 38), (12, 14, 13), ("It held: +62.5", "It failed: the validation images choose the whole backbone")),
        ((12, 38, 25), (12, 14, 23), ("can't tell: +5.0", "It held: +32.5")),
        ((30, 38, 31), (5, 14, 30), ("It failed: −60.0", "It held: +17.5")),
        ((12, 37, 36), (12, 14, 13), ("It held: +57.5", "can't tell: +2.5")),
    ],
)
def test_predictions_are_judged_image_by_image(transfer, control, ends):
    study = made_up(transfer, control)
    for sentence, end in zip(study.sentences[-2:], ends, strict=True):
        assert end in sentence
    gain = (transfer[2] - transfer[0] - control[2] + control[0]) / 40
    assert study.more_gained.mean == pytest.approx(gain)
    assert study.chosen.block == max((1, 2, 3), key=lambda block: transfer[block - 1])


def test_a_tiny_share_of_the_parameters_is_not_nothing():
    study = made_up((12, 37, 36), (12, 14, 13))
    shares = (0.004, 0.02, 1)
    depths = tuple(replace(d, n_params=int(100_000 * s)) for d, s in zip(study.depths, shares, strict=True))
    assert " with 2% of its parameters" in replace(study, depths=depths).headline
    first = made_up((37, 30, 36), (12, 14, 13))
    assert " with 0.4% of its parameters" in replace(first, depths=depths).headline


@pytest.mark.parametrize("narrow", [False, True])
def test_the_figure_shows_accuracy_and_cost(narrow):
    study = DepthStudy.from_json(RECORD.read_text())
    accuracy, cost = plot_depth(study, narrow=narrow).axes
    for line, arm in zip(accuracy.containers, study.arms, strict=True):
        assert line.lines[0].get_ydata().tolist() == [study.point(arm, d.block).accuracy for d in study.depths]
    time, n_params = (line.get_ydata() for line in cost.lines)
    assert time[-1] == n_params[-1] == 1
    assert n_params[0] == study.depths[0].n_params / study.whole.n_params
    assert all(sentence in STUDIES["depth"].text(study) for sentence in study.sentences)
