"""TransferLab and the images it learns from: which classes, and whose."""

import json
import re
import subprocess
import sys

import pytest
from helpers import (
    SMALL,
    fill,
    huge_png,
    own_dataset,
    page,
    png,
    type_in,
    wait_until,
    write_people,
    write_walks,
    zipped,
)
from PIL import Image

from tl_widgets import InputError, TransferLab, load_dataset
from tl_widgets.collections.collection import collection_of
from tl_widgets.core.numbers import rough_duration
from tl_widgets.data.archives import SourceFile
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.records.provenance import Columns
from tl_widgets.widgets import LabSettings
from tl_widgets.widgets.images.gallery import _Card
from tl_widgets.widgets.lab.class_fields import ClassFields

pytestmark = pytest.mark.usefixtures("tiny_default")


def ticks(lab):
    return {tick.description: tick for tick in lab.panel._classes.ticks}


# Which classes


def test_two_of_the_classes_are_trained_shown_and_written_into_script_and_record(make_lab):
    lab = make_lab()
    ticks(lab)["grass"].value = False
    assert lab.settings.classes == ("brick", "gravel")
    assert "<b>8 training images</b>, 40 for validation, 60 for the final test" in page(lab)
    wait_until(lambda: "gravel, training image" in lab.panel.thumbnails.value)
    assert "grass" not in lab.panel.thumbnails.value
    assert 'CHOSEN = ["brick", "gravel"]' in lab.screen.code.script
    lab.run(wait=True)
    assert lab.result.dataset.class_names == ("brick", "gravel")
    assert lab.result.dataset.origin.classes == ("brick", "gravel")
    assert lab.result.transfer.labels == tuple(load_dataset(classes=("brick", "gravel")).test.labels)
    ticks(lab)["grass"].value = True
    assert lab.settings.classes is None
    lab.run(wait=True)
    assert "<td >brick, gravel</td>" in page(lab)
    lab.restore(lab.runs[0].settings)
    assert not ticks(lab)["grass"].value


def test_one_class_alone_is_refused_and_the_ticks_come_back(make_lab):
    lab = make_lab()
    ticks(lab)["grass"].value = False
    ticks(lab)["brick"].value = False
    assert "2 or more names" in lab.panel.problem.value
    assert lab.settings.classes == ("brick", "gravel")
    assert ticks(lab)["brick"].value


def test_another_data_set_has_classes_of_its_own(make_lab):
    lab = make_lab()
    ticks(lab)["grass"].value = False
    lab.panel.control("dataset").value = "digits"
    assert lab.settings.classes is None
    assert list(ticks(lab)) == list("0123456789")
    type_in(lab.panel.control("n_per_class"), "79")  # more than the scarcest of all ten has, not of these two
    assert "The smallest class of digits has only 78 training images" in lab.panel.problem.value
    assert lab.settings.n_per_class == 4
    lab.settings = lab.settings.with_values({"classes": ("1", "3"), "n_per_class": 81})
    assert "<b>162 training images</b>" in page(lab)
    lab.panel.control("dataset").value = "cifar10"  # not here: the ticks are there before anything is fetched
    ticks(lab)["airplane"].value = False
    assert "<b>729 training images</b>, 9,000 for validation, 9,000 for the final test" in page(lab)


def test_classes_of_an_own_data_set_with_markup(make_lab):
    names = ("<img src=x onerror=alert(1)>", "b", "c")
    lab = make_lab(own_dataset(class_names=names[:2]), settings=None, lock=["classes"])
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
        with pytest.raises(InputError, match=r"classes must be (2 or more names|a name)"):
            LabSettings(classes=wrong)
    with pytest.raises(InputError, match="no class 'sand'"):
        TransferLab(settings=SMALL.with_values({"classes": ("brick", "sand")}))


# Whose images

MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture
def here(here):
    """The folder of the notebook, with a folder and a zip of pets in it."""
    for i, name in enumerate(("cat", "dog", "owl")):
        fill(here / "pets" / name, 10, start=20 * i)
    zipped(here / "pets", here / "animals.zip")
    return here


def upload(widget, *files):
    """What the browser's half of an UploadView sends."""
    begin = {"upload": "x-1", "number": "1", "step": "begin", "files": [[name, len(data)] for name, data in files]}
    widget._on_message(widget, begin, [])
    for i, (_, data) in enumerate(files):
        part = {"upload": "x-1", "number": "2", "step": "part", "file": i, "start": 0}
        widget._on_message(widget, part, [memoryview(data)])
    widget._on_message(widget, {"upload": "x-1", "number": "3", "step": "end"}, [])


def wait(lab):
    assert lab.images.last_run.finished.wait(60)


def open_pets(lab, name="pets"):
    intake = lab.images.intake
    intake.menu.value = next(path for _, path in intake.menu.options if path is not None and path.name == name)
    intake.open_button.click()
    wait(lab)


def use(lab):
    lab.images.use_button.click()
    wait(lab)


def look(lab, name):
    """Open the pictures of a class."""
    row_of(lab, name).look_button.click()
    return lab.images.gallery


def row_of(lab, name):
    return next(row for row in lab.images.classes.rows if row.name.value == name)


def test_a_folder_beside_the_notebook_is_looked_through_edited_used_and_trained_on(make_lab, here):
    lab = make_lab(settings=SMALL.with_values({"n_per_class": None}))
    (here / "pets" / "cat" / "page.jpg").write_bytes(b"<html>")
    open_pets(lab)
    assert "pets: 31 files in 3 classes" in page(lab)
    assert "Read 30 images." in page(lab)
    assert "cat/page.jpg: a web page, not an image" in page(lab)
    assert "Some classes have very few training images: cat has 6" in page(lab)
    use(lab)
    assert "The Lab now uses <b>pets</b>: 18 training images, 6 for validation, 6 for the final test" in page(lab)
    assert lab.settings.dataset == "pets"
    texts = dict(lab.panel.control("dataset").options)
    assert texts["pets · yours"] == "pets"
    assert "textures" in texts.values()
    row_of(lab, "cat").name.value = MARKUP
    row_of(lab, "owl").tick.value = False
    gallery = look(lab, MARKUP)
    assert gallery.menu.label == MARKUP
    gallery.cards[0].tick.value = False
    assert "Changed. Training reads the images again" in page(lab)
    use(lab)
    assert lab.settings.dataset == "pets"
    assert "Ignored classes: owl. Left out by hand: 1 image." in page(lab)
    assert [tick.description for tick in lab.panel._classes.ticks] == [MARKUP, "dog"]
    lab.run(wait=True)
    assert lab.result.dataset.class_names == (MARKUP, "dog")
    made = lab.result.dataset
    assert made.n_train + made.n_validation + made.n_test == 19
    assert "<img src=x" not in page(lab)
    assert collection_of(lab.result.dataset.origin) == lab.images.collection
    wait_until(lambda: "training image" in lab.panel.thumbnails.value)
    lab.panel.control("image_size").value = 48
    lab.run(wait=True)
    assert lab.result.dataset.image_size == 48
    assert lab.runs[-1].result.dataset.name == "pets"


def test_a_folder_that_is_gone_after_use_is_told_as_gone_and_what_was_read_stays(make_lab, here):
    lab = make_lab(settings=SMALL.with_values({"n_per_class": None, "weights": None, "epochs": 1}))
    open_pets(lab)
    use(lab)
    size = lab.settings.image_size
    (here / "pets").rename(here / "cats and dogs")
    lab.panel.control("image_size").value = 48
    lab.run(wait=True)
    gone = f"The images of pets are no longer at {here / 'pets'}: the folder or zip was deleted, moved or renamed"
    assert gone in page(lab)
    assert f"The images are still in memory: you can continue with Image size {size}." in page(lab)
    assert "spelling" not in page(lab)
    assert lab.settings.dataset == "pets"
    lab.images.use_button.click()
    wait(lab)
    assert gone in lab.images.message.value
    assert lab.images.collection.name == "pets"
    lab.panel.control("image_size").value = size
    lab.run(wait=True)
    assert lab.result.dataset.name == "pets"
    lab.panel.control("image_size").value = 48
    (here / "cats and dogs").rename(here / "pets")
    lab.run(wait=True)
    assert lab.result.dataset.image_size == 48


def test_near_duplicates_are_named_before_training(make_lab, here):
    for split, start in (("train", 0), ("test", 40)):
        for i, name in enumerate(("cat", "dog")):
            fill(here / "given" / split / name, 8, start=start + 100 * i)
    evil = "!<img src=x onerror=alert(1)>.png"
    for name in ("0.png", "1.png", "2.png", "3.png", "4.png"):
        with Image.open(here / "given" / "train" / "cat" / name) as picture:
            darker = picture.convert("RGB").point(lambda value: round(value * 0.9))
        darker.save(here / "given" / "test" / "cat" / name.replace("0.png", evil))
    lab = make_lab()
    open_pets(lab, "given")
    assert "test images look almost like a training image" in page(lab)
    assert "Alike: test/cat/!&lt;img src=x onerror=alert(1)&gt;.png (test) and train/cat/0.png (train)" in page(lab)
    assert "<img src=x" not in page(lab)


def shown(widget):
    return widget.layout.display != "none"


def test_pictures_that_look_alike_are_kept_together_or_left_out_by_one_press(make_lab, here):
    write_walks(here / "walks")
    lab = make_lab()
    open_pets(lab)
    together, report = lab.images.train.together, lab.images.train.report
    assert not any(map(shown, together.children))  # nothing applies
    open_pets(lab, "walks")
    assert "24 pictures look almost like another one." in page(lab)
    assert "load_folder" not in report.value
    (label,) = (text for text, groups in together.menu.options if groups)
    assert label == "by file name: 24 groups (cat00, cat01, cat02, …), as the look-alikes"
    together.together_button.click()
    wait(lab)
    assert "Kept together: 48 images in 24 groups." in report.value
    assert "almost like a training image" not in report.value
    assert not shown(together.out_button)
    lab.images.undo_button.click()
    assert not lab.images.collection.edits
    open_pets(lab, "walks")
    together.out_button.click()
    wait(lab)
    assert "Left out by hand: 24 images." in report.value
    assert not shown(together.out_button)
    use(lab)
    assert "14 training images" in lab.images.message.value
    open_pets(make_lab(), "walks")
    assert "Left out by hand: 24 images." in report.value


def test_groups_are_chosen_from_a_menu_and_taken_back(make_lab, here):
    write_walks(here / "walks")
    lab = make_lab()
    open_pets(lab, "walks")
    menu, report = lab.images.train.together.menu, lab.images.train.report
    menu.value = menu.options[1][1]
    wait(lab)
    assert "Kept together: 48 images in 24 groups." in report.value
    assert lab.images.collection.edits.groups == menu.value != ""
    menu.value = ""
    wait(lab)
    assert "Kept together" not in report.value
    assert "almost like a training image" in report.value


def test_unclear_columns_are_asked_for_in_the_tab(make_lab, here):
    root = here / "people"
    write_people(root)
    lab = make_lab()
    assert not shown(lab.images.columns)
    open_pets(lab, "people")
    menu, asked = lab.images.columns.menu, []
    while shown(lab.images.columns):
        asked.append([text for text, _ in menu.options])
        assert menu.index == 0
        menu.value = {"file": "file", "mood": "sex"}[menu.value]
        lab.images.columns.open_button.click()
        wait(lab)
    assert [text.partition(":")[0] for text in asked[0]] == ["file", "next"]
    assert asked[1:] == [["mood: glad, sad", "sex: f, m"]]
    assert lab.images.message.value == ""
    assert lab.images.collection.class_names == ("f", "m")
    use(lab)
    lab.run(wait=True)
    assert lab.result.dataset.origin.columns == Columns("file", "sex")
    zipped(root, here / "people.zip")
    upload(lab.images.intake.zip_upload, ("people.zip", (here / "people.zip").read_bytes()))
    wait(lab)
    assert "Which column of <b>people.csv</b> names" in lab.images.columns._question.value


def test_changes_are_there_again_in_another_lab_and_can_be_undone(make_lab, here):
    lab = make_lab()
    assert lab.images.intake.menu.label == "choose one"
    assert lab.images.intake.open_button.disabled
    open_pets(lab)
    lab.images.intake.refresh_button.click()
    assert lab.images.intake.menu.label == "pets"
    assert lab.images.undo_button.disabled
    row_of(lab, "cat").name.value = "lion"
    look(lab, "lion").cards[0].tick.value = False
    other = make_lab()
    open_pets(other)
    assert "Your changes from last time" in other.images.message.value
    assert other.images.collection == lab.images.collection
    other.images.undo_button.click()
    assert row_of(other, "cat").name.value == "cat"
    open_pets(make_lab())
    assert other.images.undo_button.disabled
    last = make_lab()
    open_pets(last)
    assert last.images.collection.class_names == ("cat", "dog", "owl")


def test_the_script_of_own_images_runs(make_lab, here):
    lab = make_lab(settings=SMALL.with_values({"n_per_class": None, "weights": None, "epochs": 1}))
    open_pets(lab, "animals.zip")
    row_of(lab, "cat").name.value = "lion"
    look(lab, "lion").cards[3].tick.value = False
    use(lab)
    script = lab.screen.code.script
    assert 'FOLDER_OF = {"lion": "cat"}' in script
    (left_out,) = lab.images.collection.edits.left_out
    assert f'LEFT_OUT = [\n    "{left_out}",' in script
    (here / "run.py").write_text(script.partition("# From scratch:")[0] + "print(x_train.shape, CLASSES)")
    done = subprocess.run([sys.executable, "run.py"], capture_output=True, text=True, check=True, cwd=here)
    dataset = lab.images._last_reading.dataset
    assert done.stdout.endswith(f"{dataset.train.images.shape} ['dog', 'lion', 'owl']\n")


def test_a_record_brings_own_images_back_with_their_edits(make_lab, here):
    settings = SMALL.with_values({"n_per_class": None, "weights": None, "epochs": 1})
    lab = make_lab(settings=settings)
    open_pets(lab)
    use(lab)
    row_of(lab, "cat").name.value = MARKUP
    look(lab, MARKUP).cards[0].tick.value = False
    use(lab)
    ticks(lab)["owl"].value = False
    lab.run(wait=True)
    record = lab.result.to_json().encode()
    other = make_lab()
    other.screen.save.load("record.json", record).wait(60)
    assert "not the same" not in page(other.screen.save)
    assert (other.settings.dataset, other.settings.classes) == ("pets", (MARKUP, "dog"))
    other.run(wait=True)
    assert other.result.dataset == lab.result.dataset
    (here / "pets").rename(here / "gone")
    last = make_lab()
    last.screen.save.load("record.json", record).wait(60)
    assert "are not built in, and this Lab does not have them" in page(last.screen.save)
    assert last.settings.dataset == "textures"
    far = record.replace(json.dumps(str(here / "pets"))[1:-1].encode(), b"//far/away")
    last.screen.save.load("record.json", far).wait(60)
    assert "is on another machine" in page(last.screen.save)


def test_pictures_uploaded_for_two_classes(make_lab, here):
    lab = make_lab(settings=SMALL.with_values({"n_per_class": None}))
    intake = lab.images.new_class
    assert intake.upload.missing == "Give the class a name first."
    intake.class_name.value = "red"
    assert intake.upload.missing == ""
    upload(intake.upload, *((f"{i}.png", png(i)) for i in range(4)))
    wait(lab)
    assert "Added 4 pictures to <b>red</b>" in page(lab)
    assert "Not ready to train on yet." in page(lab)
    assert not list((here / "my_images").glob(".uploading*"))
    use(lab)
    assert "only one class" in lab.images.message.value
    assert lab.settings.dataset == "textures"
    intake.class_name.value = "blue"
    files = [(f"{i}.png", png(i)) for i in range(10, 14)]
    upload(intake.upload, *files, ("notes.jpg", b"words"), ("huge.png", huge_png(50_000, 50_000)))
    wait(lab)
    assert "2 could not be used" in page(lab)
    assert "notes.jpg: not an image of a kind" in page(lab)
    assert "megapixels allowed" in page(lab)
    use(lab)
    assert lab.settings.dataset == "photos"
    assert sorted(path.name for path in (here / "my_images/photos").iterdir()) == ["blue", "red"]
    upload(intake.upload, ("notes.jpg", b"words"))
    wait(lab)
    assert "None of the 1 files could be used" in lab.images.message.value
    assert lab.images.collection.class_names == ("blue", "red")


def test_a_zip_is_kept_and_a_bad_one_leaves_the_last_good_images(make_lab, here):
    lab = make_lab()
    data = (here / "animals.zip").read_bytes()
    upload(lab.images.intake.zip_upload, ("animals.zip", data))
    wait(lab)
    assert "animals: 30 files in 3 classes" in page(lab)
    assert (here / "my_images/animals.zip").read_bytes() == data
    assert "my_images/animals.zip" in [text for text, _ in lab.images.intake.menu.options]
    for bad, said in ((b"no zip", "is not a zip archive"), (data[:-100], "is not a zip archive")):
        upload(lab.images.intake.zip_upload, (f"{MARKUP}.zip", bad))
        wait(lab)
        assert said in lab.images.message.value
        assert 'role="alert"' in lab.images.message.value
        assert lab.images.collection.name == "animals"
    assert "<img src=x" not in page(lab)
    use(lab)
    assert lab.settings.dataset == "animals"
    (here / "my_images/animals.zip").unlink()
    lab.panel.control("image_size").value = 48
    lab.run(wait=True)
    assert "the folder or zip was deleted, moved or renamed" in page(lab)
    assert not lab.is_running


def test_a_set_that_is_used_again_keeps_its_name_and_earlier_runs_their_images(make_lab, here):
    lab = make_lab(settings=SMALL.with_values({"n_per_class": None, "weights": None, "epochs": 1}))
    open_pets(lab)
    use(lab)
    lab.run(wait=True)
    assert "changes to the images" not in page(lab)
    row_of(lab, "cat").name.value = "lion"
    row_of(lab, "owl").tick.value = False
    look(lab, "lion").cards[0].tick.value = False
    use(lab)
    lab.run(wait=True)
    menu = [text for text, _ in lab.panel.control("dataset").options]
    assert [text for text in menu if "pets" in text] == ["pets · yours"]
    assert [run.settings.dataset for run in lab.runs] == ["pets", "pets"]
    assert [run.result.dataset.class_names for run in lab.runs] == [("cat", "dog", "owl"), ("dog", "lion")]
    assert "cat is called lion, without owl, 1 left out" in page(lab)
    first, second = (run.result for run in lab.runs)
    for run in lab.runs:  # first the earlier one, then again the later one
        lab.restore(run.settings)
        assert lab.settings.classes is None
        assert tuple(ticks(lab)) == run.result.dataset.class_names
        lab.run(wait=True)
    assert [run.result.dataset for run in lab.runs[2:]] == [first.dataset, second.dataset]
    assert [run.result.transfer.predictions for run in lab.runs[2:]] == [
        first.transfer.predictions,
        second.transfer.predictions,
    ]


def test_a_new_set_begins_empty_and_the_open_one_gets_no_more_pictures(make_lab, here):
    lab = make_lab()
    new = lab.images.new_class
    assert "in a new set" in page(new)
    for name, start in (("red", 0), ("blue", 10)):
        new.class_name.value = name
        upload(new.upload, *((f"{i}.png", png(i)) for i in range(start, start + 4)))
        wait(lab)
    assert "in photos" in page(new)
    row = row_of(lab, "red")
    assert (row.upload.label, row.upload.purpose) == ("Upload", "red")
    upload(row.upload, ("more.png", png(30)))
    wait(lab)
    assert "Added 1 picture to <b>red</b>" in page(lab)
    lab.images.intake.new_button.click()
    assert lab.images.collection is None
    assert lab.images.train.train_button.disabled
    assert [box.box.layout.display for box in lab.images.classes.rows] == ["none", "none"]
    new.class_name.value = "green"
    upload(new.upload, *((f"{i}.png", png(i)) for i in range(20, 24)))
    wait(lab)
    assert lab.images.collection.class_names == ("green",)
    sets = {folder.name: sorted(path.name for path in folder.iterdir()) for folder in (here / "my_images").iterdir()}
    assert sets == {"photos": ["blue", "red"], "photos-2": ["green"]}


def test_training_on_the_pictures_is_one_press_and_says_what_it_costs(make_lab, here):
    lab = make_lab(settings=SMALL.with_values({"epochs": 1, "weights": None}))
    train = lab.images.train
    assert train.train_button.disabled
    open_pets(lab)
    assert re.fullmatch(r"Train on these · \d+ s", train.train_button.description)
    assert "12 of 18 to train on; <b>Images per class</b> is 4. 6 for validation, 6 for the final test." in page(train)
    train.train_button.click()
    wait(lab)
    lab.last_run.wait(60)
    assert (lab.state, lab.result.dataset.name, lab.result.dataset.n_train) == ("done", "pets", 12)
    seconds = int(train.train_button.description.split()[-2])
    lab.panel.control("epochs").value = 10_000
    assert (
        rough_duration(lab._estimator.seconds_on(lab.settings, lab._source.facts(lab.settings)))
        in train.train_button.description
    )
    assert lab._estimator.seconds(lab.settings) > seconds
    row_of(lab, "owl").tick.value = False
    assert train.train_button.description == "Train on these"  # how many images are left, reading will show
    lab.images.try_button.click()
    assert lab.screen.tabs.titles[lab.screen.tabs.selected_index] == "Try a picture"


def test_a_small_test_is_named_and_cross_validation_is_one_click(make_lab, here):
    lab = make_lab()
    train = lab.images.train
    open_pets(lab)
    small = page(train)
    assert "<b>Only 6 test pictures:</b> one more right answer moves the result by 17 percentage points." in small
    assert "120 pictures in all would give 30." in small
    assert "each time without another fifth of the pictures" in page(train)
    train.folds_tick.value = True
    assert lab.settings.config.folds == 5
    train.train_button.click()
    wait_until(lambda: lab.state == "done" or lab.message)
    assert lab.message == ""
    assert len(lab.result.scratch.labels) > 6
    lab.panel.control("folds").value = 1
    assert not train.folds_tick.value
    for i, name in enumerate(("cat", "dog")):
        fill(here / "many" / name, 60, start=1000 + 100 * i)
    lab.images.intake.refresh_button.click()
    open_pets(lab, "many")
    assert "30 for the final test" in page(train)
    assert "Only" not in page(train)
    assert train.folds_tick.layout.display == "none"


def test_a_folder_that_cannot_be_used_is_listed_with_the_reason(make_lab, here):
    (here / "nothing").mkdir()
    fill(here / "flat", 3)
    fill(here / MARKUP[:4] / "only", 3)
    intake = make_lab().images.intake
    texts = [text for text, _ in intake.menu.options]
    assert texts[:3] == ["choose one", "animals.zip", "pets"]
    assert "flat (can’t be used)" in texts
    assert "<b>flat</b>: its 3 pictures lie directly in it, not in one sub-folder for each class" in page(intake)
    assert "3 folders or zips here can’t be used" in page(intake)
    assert "<b>&lt;img</b>: it has only one class, only; two are needed" in page(intake)
    intake.menu.value = here / "nothing"
    assert intake.open_button.disabled
    assert "<b>nothing</b> can’t be used: it is empty. Make one sub-folder for each class" in page(intake)
    fill(here / "nothing" / "a", 3)
    fill(here / "nothing" / "b", 3)
    intake.refresh_button.click()
    assert intake.menu.value == here / "nothing"
    assert not intake.open_button.disabled


def test_advice_about_few_images_leaves_two_classes(make_lab, here):
    for i, name in enumerate(("cat", "dog")):
        fill(here / "two" / name, 14, start=200 + 20 * i)
    lab = make_lab()
    open_pets(lab, "two")
    assert "cat has 8; dog has 8" in page(lab)
    assert "Add images; about 17 in a class give 10 to train on." in page(lab)
    assert "leave these classes out" not in page(lab)
    for i, name in enumerate(("cat", "dog")):
        fill(here / "three" / name, 20, start=300 + 20 * i)
    fill(here / "three" / "owl", 14, start=400)
    lab.images.intake.refresh_button.click()
    open_pets(lab, "three")
    assert "owl has 8" in page(lab)
    assert "Add images, or leave these classes out; about 17" in page(lab)


def test_a_photograph_is_answered_by_both_models_at_once(make_lab, here):
    lab = make_lab(settings=SMALL.with_values({"epochs": 1, "weights": None}))
    trial = lab.screen.trial
    lab.screen.strip.camera_button.click()
    assert trial.camera.layout.display == "none"  # no model could answer
    lab.run(wait=True)
    lab.screen.strip.camera_button.click()
    assert lab.screen.tabs.titles[lab.screen.tabs.selected_index] == "Try a picture"
    assert trial.camera.layout.display == ""
    assert not trial.camera.asks_class
    trial.camera._on_message(None, {"number": "1"}, [png(3)])
    wait_until(lambda: "Photograph 1" in page(trial))
    assert page(trial).count('<span class="tlw-share">') == 6  # three classes, two models
    trial.camera_button.click()
    assert trial.camera.layout.display == "none"
    assert trial.upload.layout.display == ""


def test_a_name_that_is_taken_is_refused_and_the_field_goes_back(make_lab, here):
    lab = make_lab()
    open_pets(lab)
    row = row_of(lab, "cat")
    row.name.value = "dog"
    assert "There is already a class &#39;dog&#39;" in lab.images.message.value
    assert row.name.value == "cat"
    assert lab.images.collection.class_names == ("cat", "dog", "owl")


def test_a_thousand_images_are_shown_page_by_page(make_lab, here):
    first = here / "many" / "a"
    first.mkdir(parents=True)
    for i in range(60):
        (first / f"{i:03}.png").write_bytes(png(i, 20))
    for i in range(60, 1000):
        (first / f"{i:03}.png").write_bytes(b"not read for the gallery")
    for j in range(20):
        fill(here / "many" / f"b{j:02}", 3, start=2000 + 10 * j)
    lab = make_lab()
    open_pets(lab, "many")
    classes = lab.images.classes
    assert "classes 1 to 8 of 21" in page(lab)
    gallery = look(lab, "a")
    assert "pictures 1 to 18 of 1,000" in page(lab)
    wait_until(lambda: all(card.picture.value for card in gallery.cards))
    assert len(page(lab)) < 1_000_000
    gallery.pages.next_button.click()
    assert "pictures 19 to 36 of 1,000" in page(lab)
    wait_until(lambda: 'alt="035.png"' in gallery.cards[-1].picture.value)
    classes.pages.next_button.click()
    assert classes.rows[0].name.value == "b07"
    classes.pages.next_button.click()
    assert [row.box.layout.display for row in classes.rows].count("none") == 3


def test_stop_while_images_are_read_changes_nothing(make_lab, here, monkeypatch):
    lab = make_lab()
    open_pets(lab)
    before = lab.images.collection

    def build(self, *, image_size, on_event, cancel, classes=None):
        lab.images.stop_button.click()
        assert cancel.wait(10)
        return real(self, image_size=image_size, on_event=on_event, cancel=cancel)

    real = type(before).build
    monkeypatch.setattr(type(before), "build", build)
    open_pets(lab, "animals.zip")
    assert "Stopped: nothing has changed" in lab.images.message.value
    assert lab.images.collection == before
    assert not lab.images.use_button.disabled


def test_nothing_is_brought_while_the_lab_trains(make_lab, here):
    lab = make_lab(settings=SMALL.with_values({"epochs": 5000}))
    open_pets(lab)
    run = lab.run()
    assert not lab.images.enabled
    assert lab.images.intake.open_button.disabled
    assert not lab.images.camera.enabled
    assert lab.images.open_path(here / "animals.zip") is None
    assert "busy" in lab.images.message.value
    row_of(lab, "cat").name.value = "lion"
    assert lab.images.collection.class_names == ("cat", "dog", "owl")
    run.stop()
    assert run.finished.wait(30)
    assert lab.images.enabled


def test_pictures_of_the_camera_are_added_one_by_one(make_lab, here):
    lab = make_lab()
    for name, start in (("red", 0), ("blue", 10)):
        for i in range(4):
            lab.images.camera._on_message(None, {"number": f"{name}{i}", "name": name}, [png(start + i)])
    assert lab.images.collection.class_names == ("blue", "red")
    assert "New pictures. Training reads them." in lab.images.train.report.value
    use(lab)
    assert lab.settings.dataset == "photos"
    assert lab.images.camera.class_names == ["blue", "red"]
    assert "New pictures" not in lab.images.train.report.value


def test_a_lesson_that_gives_the_data_set_has_no_tab_for_others(make_lab):
    for arguments in ({"lock": ["dataset"]}, {"show": ["epochs"]}):
        assert make_lab(**arguments).images is None
    lab = make_lab(own_dataset(), settings=None)
    assert lab.images is None
    assert "Images" not in lab.screen.tabs.titles
    assert isinstance(lab._source.own, ImageDataset)


def test_names_are_no_mathematics_in_the_labels_of_ticks():
    ticks = ClassFields(lambda names: None)
    ticks.show((r"$\href{javascript:alert(1)}{x}$", r"\(y\)", "plain"), None, disabled=False)
    labels = [tick.description for tick in ticks.ticks]
    assert labels[2] == "plain"
    assert not any(sign in label for label in labels for sign in "$\\")  # what MathJax looks for
    card = _Card(lambda edit: None)
    card.show(SourceFile("a/$x$.png", 1, ""), is_used=True)
    assert "$" not in card.tick.description
