"""TransferLab and the images it learns from: which classes, and whose."""

import json

import pytest
from test_lab import SMALL, make_lab, own_dataset, page, wait_until

from tl_widgets import InputError, TransferLab, load_dataset
from tl_widgets.widgets import LabSettings

__all__ = ["make_lab"]  # a fixture


def ticks(lab):
    return {tick.description: tick for tick in lab.panel._classes.ticks}


# Which classes


def test_two_of_the_classes_are_trained_shown_and_written_into_script_and_record(make_lab):
    lab = make_lab()
    ticks(lab)["grass"].value = False
    assert lab.settings.classes == ("brick", "gravel")
    assert "<b>8 images</b> to learn from, 40 to watch, 60 for the test" in page(lab)
    wait_until(lambda: "gravel, training image" in lab.panel.thumbnails.value)
    assert "grass" not in lab.panel.thumbnails.value
    assert 'CHOSEN = ["brick", "gravel"]' in lab._screen.code.script
    lab.run(wait=True)
    assert lab.result.dataset.class_names == ("brick", "gravel")
    assert lab.result.dataset.origin.classes == ("brick", "gravel")
    assert lab.result.transfer.labels == tuple(load_dataset(classes=("brick", "gravel")).test.labels)
    ticks(lab)["grass"].value = True
    assert lab.settings.classes is None
    lab.run(wait=True)
    assert "<td >brick, gravel</td>" in page(lab)
    lab._restore(lab.runs[0].settings)
    assert not ticks(lab)["grass"].value


def test_one_class_alone_is_refused_and_the_ticks_come_back(make_lab):
    lab = make_lab()
    ticks(lab)["grass"].value = False
    ticks(lab)["brick"].value = False
    assert "choose at least two" in lab.panel.problem.value
    assert lab.settings.classes == ("brick", "gravel")
    assert ticks(lab)["brick"].value


def test_another_data_set_has_classes_of_its_own(make_lab):
    lab = make_lab()
    ticks(lab)["grass"].value = False
    lab.panel.control("dataset").value = "digits"
    assert lab.settings.classes is None
    assert list(ticks(lab)) == list("0123456789")
    lab.panel.control("n_per_class").value = 79  # more than the scarcest of all ten has, not of these two
    assert lab.settings.n_per_class is None
    lab.settings = lab.settings.with_values({"classes": ("1", "3"), "n_per_class": 81})
    assert "<b>162 images</b> to learn from" in page(lab)
    lab.panel.control("dataset").value = "cifar10"  # not here: the ticks are there before anything is fetched
    ticks(lab)["airplane"].value = False
    assert "<b>729 images</b> to learn from, 9,000 to watch, 9,000 for the test" in page(lab)


def test_classes_of_an_own_data_set_with_markup(make_lab):
    names = ("<img src=x onerror=alert(1)>", "b", "c")
    lab = make_lab(own_dataset(names=names[:2]), settings=None, lock=["classes"])
    assert [tick.disabled for tick in lab.panel._classes.ticks] == [True, True]
    assert not lab.panel._classes.ticks[0].description_allow_html
    assert "<img src=x" not in page(lab)


def test_classes_in_settings_are_checked_and_kept():
    settings = LabSettings(classes=["brick", "grass"])
    assert LabSettings.from_json(settings.to_json()) == settings
    old = json.loads(LabSettings().to_json())
    del old["classes"]  # as an earlier version wrote it
    assert LabSettings.from_json(json.dumps(old)) == LabSettings()
    for wrong in (("brick",), "brick", (1, 2), ()):
        with pytest.raises(InputError, match="choose at least two"):
            LabSettings(classes=wrong)
    with pytest.raises(InputError, match="no class 'sand'"):
        TransferLab(settings=SMALL.with_values({"classes": ("brick", "sand")}))
