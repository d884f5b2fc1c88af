"""A backbone family is one object: the one of tests/tiny.py is used everywhere that a family is used."""

import inspect

import numpy as np
import pytest
from tiny import TinyFamily, registered

from tl_widgets import Comparison, FineTuningSpec, compare, find_backbone, list_backbones, load_dataset, to_script
from tl_widgets.backbones.catalogue import register_family
from tl_widgets.cli.main import main
from tl_widgets.core.errors import InputError
from tl_widgets.export.report import to_report
from tl_widgets.export.script import save_backbone
from tl_widgets.models.builders import count_parameters

pytestmark = pytest.mark.usefixtures("tiny_backbone")


@pytest.fixture(scope="module")
def comparison():
    with registered():
        return compare(
            load_dataset("textures", image_size=32, n_per_class=8),
            backbone="tinynet",
            epochs=2,
            control=True,
            fine_tuning=FineTuningSpec(epochs=1),
        )


def test_the_catalogue_has_it_last_and_only_while_it_is_registered():
    assert [backbone.name for backbone in list_backbones()][-1] == "TinyNet"
    with pytest.raises(InputError, match="already has a backbone TinyNet"):
        register_family(TinyFamily())


def test_without_its_registration_there_is_no_such_backbone():
    from tl_widgets.backbones import catalogue

    family = find_backbone("TinyNet").family
    catalogue.unregister_family(family)
    with pytest.raises(InputError, match="no backbone"):
        find_backbone("TinyNet")


def test_it_learns_and_is_fine_tuned(comparison):
    transfer, control, tuned = comparison.transfer, comparison.control, comparison.fine_tuned
    backbone = find_backbone("TinyNet")
    assert (transfer.backbone, transfer.weights) == ("TinyNet", "imagenet")
    assert transfer.params.frozen == control.params.frozen == backbone.n_params
    assert transfer.params.trainable == backbone.feature_width * 3 + 3
    assert tuned.fine_tuning.first_block == "block3"
    assert tuned.params.trainable == transfer.params.trainable + 24 * 64 + 64  # its last convolution, by hand


def test_the_record_and_the_report_name_it(comparison):
    again = Comparison.from_json(comparison.to_json())
    assert (again.config.backbone, again.transfer.predictions) == ("TinyNet", comparison.transfer.predictions)
    assert "TinyNet" in to_report(again)


def test_the_script_builds_it_in_plain_keras(comparison, tmp_path, monkeypatch):
    script = to_script(comparison)
    assert "save_backbone('tinynet.keras', 'TinyNet')" in script
    assert 'keras.models.load_model("tinynet.keras", compile=False)' in script
    save_backbone(tmp_path / "tinynet.keras", "TinyNet")
    monkeypatch.chdir(tmp_path)
    found = {}
    exec(compile(script[: script.index("def train_and_test")], "script", "exec"), found)
    assert "tl_widgets" not in "".join(str(thing) for thing in found.values() if inspect.ismodule(thing))
    assert count_parameters(found["transfer"]) == comparison.transfer.params
    assert count_parameters(found["control"]) == comparison.control.params


def test_the_terminal_lists_it_and_compares_with_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["backbones"]) == 0
    assert "TinyNet" in capsys.readouterr().out
    arguments = ["compare", "textures", "--backbone", "tinynet", "--image-size", "32", "--images-per-class", "8"]
    assert main([*arguments, "--epochs", "1", "--script", "again.py"]) == 0
    assert (tmp_path / "tinynet.keras").exists()
    assert str(tmp_path / "tinynet.keras") in (tmp_path / "again.py").read_text()


def test_the_lab_offers_it():
    from tl_widgets.widgets.shared.backbone_choice import backbone_menu

    text = next(text for text, name in backbone_menu(32) if name == "TinyNet")
    assert text == "TinyNet · 12.5% · 0 MB"


def test_too_small_images_are_rejected():
    with pytest.raises(InputError, match="TinyNet needs images of at least 16 pixels; these have 8"):
        find_backbone("TinyNet").require_size(8)


def test_its_weights_are_always_the_same():
    from tl_widgets.backbones.loading import build_backbone
    from tl_widgets.backbones.weights import resolve_weights

    backbone = find_backbone("TinyNet")
    resolved = resolve_weights(backbone, "imagenet")
    first, second = (build_backbone(backbone, (32, 32, 3), resolved).get_weights() for _ in range(2))
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))
