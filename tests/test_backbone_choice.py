"""The Lab's menu of backbones: what each costs, a question before one that does not fit, the smallest image."""

import pytest
from helpers import all_parts
from ipywidgets import HTML, Button, Widget

from tl_widgets import TransferLab, load_dataset
from tl_widgets.backbones.catalogue import list_backbones
from tl_widgets.widgets import ControlPanel, LabSettings
from tl_widgets.widgets.shared.backbone_choice import backbone_menu

SMALL = LabSettings(image_size=48, n_per_class=4)


@pytest.fixture
def free(monkeypatch):
    """A function that sets how much memory is free, in bytes, TensorFlow loaded."""

    def make(n_bytes):
        for place in ("core.resources", "widgets.shared.costs", "widgets.shared.backbone_choice"):
            monkeypatch.setattr(f"tl_widgets.{place}.memory_available", lambda: n_bytes)
        monkeypatch.setattr("tl_widgets.backbones.family.TENSORFLOW_BYTES", 0)

    make(8_000_000_000)
    return make


def shown(root):
    """The HTML and the buttons that can be seen, as texts."""
    if isinstance(root, Widget) and root.layout.display == "none":
        return []
    text = root.value if isinstance(root, HTML) else root.description if isinstance(root, Button) else ""
    return [text, *(each for child in getattr(root, "children", ()) for each in shown(child))]


def press(panel, text):
    (button,) = [each for each in all_parts(panel) if isinstance(each, Button) and each.description == text]
    button.click()


def test_the_menu_has_every_backbone_with_accuracy_size_and_memory(free):
    menu = {name: text for text, name in backbone_menu(96)}
    assert set(menu) == {backbone.name for backbone in list_backbones()}
    assert len(menu) == 44
    assert menu["Xception"] == "Xception · 79.0% · get 83 MB"
    assert menu["VGG16"].endswith(" · get 59 MB")  # without its top, which is 470 MB
    assert menu["MobileNetV3Large"].endswith(" · get 12 MB")
    assert menu["SqueezeNet"] == "SqueezeNet · 58.4% · 3 MB"
    assert menu["EfficientNetLite0"] == "EfficientNetLite0 · 75.1% · 14 MB"
    free(300_000_000)
    assert {name: text for text, name in backbone_menu(224)}["VGG16"] == "VGG16 · 71.3% · doesn't fit"
    marked = {name for text, name in backbone_menu(96) if "doesn't fit" in text}
    assert "Xception" not in marked
    assert {"VGG16", "ConvNeXtXLarge", "ResNet50"} <= marked
    free(0)  # the system does not say
    assert not [text for text, _ in backbone_menu(96) if "doesn't fit" in text]


def test_the_menu_counts_tensorflow_where_that_is_why_it_does_not_fit(free, monkeypatch):
    free(800_000_000)
    monkeypatch.setattr("tl_widgets.backbones.family.TENSORFLOW_BYTES", 600_000_000)
    monkeypatch.delitem(__import__("sys").modules, "tensorflow", raising=False)
    assert {name: text for text, name in backbone_menu(96)}["Xception"] == "Xception · 79.0% · doesn't fit"


def test_tensorflow_counts_where_it_is_not_loaded_yet(monkeypatch):
    from tl_widgets.backbones.catalogue import find_backbone
    from tl_widgets.backbones.family import TENSORFLOW_BYTES, memory_estimate, memory_needed

    entry = find_backbone("Xception")
    monkeypatch.setitem(__import__("sys").modules, "tensorflow", None)
    assert memory_needed(entry, 96) == memory_estimate(entry, 96)
    monkeypatch.delitem(__import__("sys").modules, "tensorflow")
    assert memory_needed(entry, 96) == memory_estimate(entry, 96) + TENSORFLOW_BYTES


def test_one_that_fits_is_chosen_at_once(free):
    free(300_000_000)
    panel, heard = ControlPanel(SMALL), []
    panel.follow(heard.append)
    panel.control("backbone").value = "VGG16"  # 174 MB for images of 48 pixels
    assert panel.settings.config.backbone == "VGG16"
    assert len(heard) == 2
    assert not [text for text in shown(panel) if text.startswith(("Choose ", "Keep "))]


@pytest.mark.parametrize("answer", ["yes", "no", "another setting", "training"])
def test_the_question(free, answer):
    free(300_000_000)
    panel = ControlPanel(SMALL)
    menu = panel.control("backbone")
    menu.value = "ConvNeXtLarge"
    assert menu.value == panel.settings.config.backbone == "EfficientNetLite0"
    text = "\n".join(shown(panel))
    assert "ConvNeXtLarge needs about 1.6 GB of memory for images of 48 pixels, but only 300 MB is free here" in text
    assert 'role="alert"' in text
    if answer == "yes":
        press(panel, "Choose ConvNeXtLarge")
    elif answer == "no":
        press(panel, "Keep EfficientNetLite0")
    elif answer == "another setting":
        panel.control("epochs").value = 3
    else:
        panel.enabled = False
    assert menu.value == panel.settings.config.backbone == ("ConvNeXtLarge" if answer == "yes" else "EfficientNetLite0")
    text = "\n".join(shown(panel))
    assert "Choose ConvNeXtLarge" not in text
    # If it is chosen anyway, a line next to the controls says that training would not start.
    assert ("training would not start. Choose smaller images" in text) == (answer == "yes")


def test_from_code_it_is_refused_in_words_when_it_trains(free):
    free(300_000_000)
    lab = TransferLab(settings=SMALL.with_values({"backbone": "ConvNeXtLarge"}))
    try:
        lab.run(wait=True)
        assert "Running ConvNeXtLarge on images of 48 pixels needs about" in lab.screen.message.value
    finally:
        lab.close()


def test_the_smallest_image_moves_the_fields_end_and_a_smaller_size_up(free):
    panel, heard = ControlPanel(SMALL), []
    panel.follow(heard.append)
    size, menu = panel.control("image_size"), panel.control("backbone")
    assert size.min == 32
    assert "needs images" not in "\n".join(shown(panel))  # every backbone takes 32 pixels
    menu.value = "Xception"
    assert (size.min, size.value, panel.settings.image_size) == (71, 71, 71)
    assert len(heard) == 2  # one change, not two
    text = "\n".join(shown(panel))
    assert "Xception needs images of at least 71 pixels, so the size went up from 48." in text
    size._on_message(size, {"text": "16"}, [])
    assert (size.value, panel.settings.image_size) == (71, 71)
    assert "Image size: Xception needs images of at least 71 pixels; received 16." in panel.problem.value
    size.value = 96
    assert "Xception needs images of at least 71 pixels." in "\n".join(shown(panel))
    menu.value = "MobileNetV2"
    assert (size.min, size.value) == (32, 96)
    menu.value = "InceptionV3"
    assert (size.min, size.value) == (75, 96)
    panel.settings = SMALL
    assert (size.min, size.value) == (32, 48)


def test_from_code_a_size_that_is_too_small_stays_and_is_said(free):
    panel = ControlPanel(SMALL.with_values({"backbone": "Xception"}))
    assert panel.settings.image_size == panel.control("image_size").value == 48
    assert "Xception needs images of at least 71 pixels; these have 48" in "\n".join(shown(panel))


@pytest.mark.parametrize("how", ["own data", "locked", "not shown"])
def test_a_size_that_cannot_move_does_not(free, how):
    if how == "own data":
        panel = TransferLab(load_dataset("textures", image_size=48, n_per_class=2)).panel
    elif how == "locked":
        panel = ControlPanel(SMALL, lock=["image_size"])
    else:
        panel = ControlPanel(SMALL, show=["backbone"])
    panel.control("backbone").value = "Xception"
    assert panel.settings.config.backbone == "Xception"
    assert panel.settings.image_size == 48
    assert "Xception needs images of at least 71 pixels; these have 48" in "\n".join(shown(panel))
