"""What `tl-widgets study` is told wrongly is refused first: before a folder is looked at, let alone a model trained."""

from inspect import signature

import pytest

from tl_widgets.cli import main as cli
from tl_widgets.core.errors import InputError
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.studies.learning_curve.measurement import learning_curve
from tl_widgets.studies.mistake.measurement import every_mistake
from tl_widgets.studies.registry import STUDIES

# Whatever comes to the data first says that there is no such folder.
NOWHERE = "no_such_folder"


@pytest.mark.parametrize(
    ("study", "options", "said"),
    [
        *((study, "--backbone Foo", 'no backbone "Foo"') for study in ("data", "time", "fine-tuning", "repeat")),
        *((study, "--backbone Foo", 'no backbone "Foo"') for study in ("mistake", "inside")),
        *((study, "--epochs 0", "epochs must be 1 to 10,000; received 0") for study in ("data", "mistake", "inside")),
        *((study, "--jobs 0", "--jobs is 0: give the number") for study in ("data", "backbones", "repeat")),
        *((study, "--seed -1", "seed must be 0 to 2,147,483,647") for study in ("time", "mistake")),
        ("data", "--sizes 0,4", "sizes must be 1 or more; received 0"),
        ("data", "--seeds 1,1", "seeds must all be different"),
        ("data", "--arms transfer,foo", "arms must be some of scratch, transfer, control"),
        ("time", "--target 80", "target must be at least 0 and at most 1; received 80"),
        ("time", "--target nan", "target must be at least 0 and at most 1; received nan"),
        ("backbones", "--backbones MobileNetV2,Foo", 'no backbone "Foo"'),
        ("backbones", "--weights Foo=a.h5", 'no backbone "Foo"'),
        ("backbones", "--weights MobileNetV2=a.weights.h5", "no weights file a.weights.h5"),
        ("backbones", "--resume a.json", "The record to resume, a.json, cannot be read"),
        ("fine-tuning", "--blocks 0", "blocks must be 1 or more"),
        ("fine-tuning", "--more-epochs 0", "more_epochs must be 1 to 10,000"),
        ("fine-tuning", "--low-rate 11", "low_rate must be above 0"),
        ("inside", "--images 13", "images must be 1 to 12 test images; received 13"),
        ("depth", "--backbone ConvNeXtTiny", "ConvNeXtTiny cannot be cut"),
        ("depth", "--blocks 0", "blocks must be 1 or more"),
        ("heads", "--others Resnet999", "There is no backbone"),
        ("noise", "--shares 0,90", "shares must be 0 to 80; received 90"),
        ("opponent", "--budget 0", "budget must be 1 to 100"),
        ("opponent", "--passes 3", "passes must be 4 to 10,000"),
        ("size", "--sizes 8,32", "sizes must be 16 to 512"),
        ("cures", "--few 0", "few must be 1 or more"),
        ("stress", "--images 0", "images must be 1 or more"),
        ("repeat", "--repeats 0", "repeats must be 2 to 100 seeds"),
    ],
)
def test_a_study_refuses_it_before_it_looks_for_the_images(tmp_path, monkeypatch, capsys, study, options, said):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["study", study, NOWHERE, *options.split()]) == cli.MISTAKE
    assert said in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.iterdir())


def test_every_study_gives_its_function_the_arguments_that_it_takes():
    for name, study in STUDIES.items():
        arguments = study.arguments()
        function = study.find(study.function)
        signature(function).bind(None, **arguments.inputs, on_event=print, cancel=None)
        figure = signature(study.find(study.figure)).parameters
        assert list(figure)[1:] in ([], ["narrow"], ["ax"], ["ax", "narrow"]), name


def test_a_mistake_that_there_is_not_is_no_option(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["study", "mistake", NOWHERE, "--mistake", "foo"])
    assert end.value.code == cli.MISTAKE
    assert "'foo' is not one of raw_pixels" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(("options", "said"), [("--backbone Foo", 'no backbone "Foo"'), ("--jobs 0", "--jobs is 0")])
def test_so_does_a_comparison(tmp_path, monkeypatch, capsys, options, said):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["compare", NOWHERE, *options.split()]) == cli.MISTAKE
    assert said in " ".join(capsys.readouterr().err.split())


def test_what_is_right_comes_as_far_as_the_images(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for study in STUDIES:
        assert cli.main(["study", study, NOWHERE]) == cli.MISTAKE
        assert f"no folder, zip file or data set called '{NOWHERE}'" in " ".join(capsys.readouterr().err.split())


def test_the_functions_try_no_point_with_a_backbone_that_cannot_be():
    dataset, heard = load_dataset("textures", image_size=32, n_per_class=2), []
    for how in ({"backbone": "Foo"}, {"backbone": "Xception"}):  # which wants 71 pixels
        with pytest.raises(InputError, match=r"^(There is no backbone|Xception needs images)"):
            learning_curve(dataset, arms=("scratch", "transfer"), epochs=1, on_event=heard.append, **how)
    with pytest.raises(InputError, match=r"^There is no backbone"):
        every_mistake(dataset, backbone="Foo", on_event=heard.append)
    assert not [event for event in heard if event.phase == "study"]
