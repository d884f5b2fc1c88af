"""The Lab's control `cut`: the backbone ends after one of its blocks, in everything that follows from the settings."""

import json

import keras
import numpy as np
import pytest
import tiny
from test_codegen import models_of

from tl_widgets import build_transfer, compare, count_parameters, load_dataset, plot_networks
from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.core.config import Config, FineTuningSpec
from tl_widgets.core.errors import InputError
from tl_widgets.core.model_name import ModelName
from tl_widgets.experiments.arms import RunCache
from tl_widgets.experiments.comparison import summarize
from tl_widgets.experiments.seconds import SCRATCH_DONE, Workload, comparison_seconds, typical_speed
from tl_widgets.export.networks import transfer_rows
from tl_widgets.export.script import save_backbone, script_for
from tl_widgets.records.comparison import Comparison
from tl_widgets.studies.depth.measurement import depth_study

pytestmark = pytest.mark.usefixtures("tiny_default")
CUT_PARAMS = 3 * 3 * 3 * 16 + 16 + 3 * 3 * 16 * 24 + 24  # of the first two of three blocks


@pytest.fixture(scope="module")
def small():
    return load_dataset("textures", image_size=32, n_per_class=6)


def test_a_comparison_with_a_cut_backbone_is_a_point_of_the_study_of_depth(small):
    cache, tuning = RunCache(), FineTuningSpec(n_blocks=1, epochs=1)
    result = compare(small, cut=2, epochs=2, control=True, fine_tuning=tuning, cache=cache)
    study = depth_study(small, blocks=(2,), seeds=(0,), epochs=2)
    for run in (result.transfer, result.control):
        right = tuple(a == b for a, b in zip(run.labels, run.predictions, strict=True))
        assert study.point(run.name, 2).answers[0] == right
    assert (result.transfer.params.trainable, result.transfer.params.frozen) == (24 * 3 + 3, CUT_PARAMS)
    # The last block of the two learns, too.
    assert result.fine_tuned.params.frozen == 3 * 3 * 3 * 16 + 16
    assert result.transfer.backbone == f"{Config.backbone}, 2 of 3 blocks"
    assert result.transfer.backbone in result.verdict.text + str(plot_networks(result))
    record = result.to_json()
    assert Comparison.from_json(record).config.cut == 2
    older = json.loads(record)
    del older["config"]["cut"]
    assert Comparison.from_json(json.dumps(older)).config.cut is None
    whole = compare(small, epochs=2, cache=cache)  # neither the run nor the features of the cut one
    assert whole.transfer.params.frozen == find_backbone(Config.backbone).n_params
    assert cache.backbones["transfer"][2].output_shape == (64,)


def test_the_ledger_the_estimate_and_the_script_follow_the_cut(small, tmp_path, monkeypatch):
    config = Config(cut=2, control=True, seed=3)
    rows = transfer_rows(config, 32, 3)
    assert (rows[1].layer, rows[1].n_params) == (f"{Config.backbone}, 2 of 3 blocks", CUT_PARAMS)
    assert (rows[1].output_shape, rows[-1].arithmetic) == ((24,), "24x3+3")
    drawing = plot_networks(small, config)
    assert drawing.facts.last_map == 32 // 8
    images, speed = Workload(32, 3, 10_000, 0, 0), typical_speed()
    seconds = [comparison_seconds(Config(cut=cut), images, speed, SCRATCH_DONE) for cut in (1, 2, None)]
    assert seconds == sorted(seconds)
    monkeypatch.chdir(tmp_path)
    save_backbone(find_backbone(Config.backbone).script_file)
    script = script_for(summarize(small), config)
    assert 'backbone = keras.Model(backbone.input, backbone.get_layer("block2_conv").output)' in script
    found = models_of(script)
    pixels = np.float32(small.test.images[:5])
    for name, weights in ((ModelName.TRANSFER, "imagenet"), (ModelName.CONTROL, None)):
        ours = build_transfer((32, 32, 3), 3, weights=weights, seed=3, cut=2)
        ours.layers[-1].set_weights(found[name].layers[-1].get_weights())
        np.testing.assert_allclose(np.asarray(found[name](pixels)), np.asarray(ours(pixels)), atol=1e-5)
        assert count_parameters(found[name]) == count_parameters(ours)
    ours.save(tmp_path / "cut.keras")
    again = keras.models.load_model(tmp_path / "cut.keras")
    np.testing.assert_allclose(np.asarray(again(pixels)), np.asarray(ours(pixels)), atol=1e-6)
    assert tiny._LAYERS[1][0] in {layer.name for layer in again.layers[-3].layers}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cut": 3}, "cut must be 1 to 2 for EfficientNetLite0, which has 3 blocks; received 3"),
        ({"cut": 2, "backbone": "ConvNeXtTiny"}, "ConvNeXtTiny cannot be cut"),
        ({"cut": 0}, "cut must be 1 or more"),
        (
            {"cut": 2, "fine_tuning": FineTuningSpec(n_blocks=2)},
            "cut after block 2 has 1 blocks to fine-tune.*received 2",
        ),
    ],
)
def test_a_cut_that_cannot_be_is_refused_before_anything_is_trained(small, settings, message):
    with pytest.raises(InputError, match=message):
        compare(small, **settings)


def test_the_field_of_the_lab(make_lab):
    lab = make_lab()
    field = lab.panel.control("cut")
    assert (field.value, field.max, field.top) == (3, 3, "all")
    field.value = 2
    assert lab.settings.config.cut == 2
    assert "2 of 3 blocks" in lab.screen.stage.networks.markup
    lab.panel.fields["cut"].widget._on_text("all")
    assert lab.settings.config.cut is None
    field.value = 1
    lab.panel.change({"fine_tune_blocks": 1})
    assert "0 blocks to fine-tune" in lab.panel.problem.value
    lab.panel.change({"backbone": "ConvNeXtTiny"})
    assert "ConvNeXtTiny cannot be cut" in lab.panel.problem.value
    lab.panel.control("backbone").value = "ConvNeXtTiny"  # a choice in the menu takes the whole backbone
    assert (lab.settings.config.backbone, lab.settings.config.cut) == ("ConvNeXtTiny", None)
    assert (field.min, field.max) == (1, 1)
