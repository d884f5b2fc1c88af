"""Exported models: the files answer in the other program as the original does here, and the report says so."""

import shlex
import subprocess
import sys
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import files_in, own_dataset
from PIL import Image

from tl_widgets import Config, ExportReport, InputError, ScratchSpec, count_parameters, export_model, load_dataset
from tl_widgets.core.errors import CancelledError
from tl_widgets.data.dataset import ImageDataset, Split
from tl_widgets.experiments.comparison import environment, summarize
from tl_widgets.export.exporting import EXPORT_KINDS
from tl_widgets.export.programs import serve_command
from tl_widgets.export.saving import save_models
from tl_widgets.models.trained_on import read_trained_on
from tl_widgets.records.comparison import Comparison, RunResult, Verdict

pytestmark = pytest.mark.usefixtures("here", "tiny_default")


def needs(package):
    return pytest.importorskip(package, reason=f"{package} is missing: pip install 'tl_widgets[export]'")


def three_classes():
    """Noise in three brightnesses."""
    random = np.random.default_rng(0)

    def split(n_per_class):
        labels = np.repeat(np.arange(3), n_per_class)
        images = random.integers(0, 80, (3 * n_per_class, 32, 32, 3)) + 80 * labels[:, None, None, None]
        return Split(images.astype(np.uint8), labels.astype(np.int64))

    return ImageDataset("brightness", split(8), split(3), split(6), ("dark", "<b>gray</b>", "bright"))


def run_of(name, model, dataset):
    """A result with a model that wasn't trained: what is exported is the same."""
    return RunResult(name, dataset.class_names, count_parameters(model), model=model)


@pytest.fixture(scope="module")
def two():
    """Two classes and a network from scratch with one sigmoid unit, whose answers are far from one half."""
    from tl_widgets.models.builders import scratch_model

    dataset = own_dataset()
    model = scratch_model((32, 32, 3), 2, ScratchSpec((4,), (3,), dense_units=0, dropout=0.2))
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([np.abs(kernel), bias - np.median(model.predict(dataset.test.images, verbose=0))])
    return run_of("scratch", model, dataset), dataset


@pytest.fixture(scope="module")
def comparison(tiny_default):
    """A frozen backbone, and the first of its blocks alone, as models of a comparison."""
    from tl_widgets.models.builders import build_transfer

    dataset = three_classes()
    whole, cut = (build_transfer((32, 32, 3), 3, cut=cut, head_dropout=0.1) for cut in (None, 1))
    runs = {"transfer": run_of("transfer", whole, dataset), "fine_tuned": run_of("fine_tuned", cut, dataset)}
    parts = {"config": Config(), "verdict": Verdict("Made up."), "environment": environment()}
    return Comparison(summarize(dataset), scratch=None, control=None, **parts, **runs), dataset


def test_the_program_beside_a_tflite_file_answers_as_the_model_does_without_tensorflow(two, here):
    needs("ai_edge_litert")
    run, dataset = two
    report = export_model(run, "tflite", "out", dataset=dataset, anyway=True)
    assert files_in(here / "out") == ["README.txt", "classify.py", "export.json", "labels.txt", "model.tflite"]
    assert report == ExportReport.from_json((here / "out" / "export.json").read_text())
    assert report.largest_difference < 1e-5
    assert (report.n_equal, report.n_images) == (16, 16)
    assert "the same answer as the original on 16 of 16 test images (100.0%)" in report.headline
    readme = (here / "out" / "README.txt").read_text()
    assert report.headline in readme
    assert f"The export gets {report.n_right_after} of 16 test images right" in readme
    Image.fromarray(dataset.test.images[0]).save("out/picture.png")
    heavy = "{'tensorflow', 'keras', 'tl_widgets'} & {*sys.modules}"
    code = f"import runpy, sys; runpy.run_path('out/classify.py'); print(sorted({heavy}))"
    command = [sys.executable, "-c", code, "out/picture.png"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    second = run.model.predict(dataset.test.images[:1], verbose=0)[0, 0]
    assert answer.splitlines() == [f"<b>cats</b>: {1 - second:.1%}", f"dogs & co: {second:.1%}", "[]"]


@pytest.mark.parametrize(("kind", "int8"), [("onnx", False), ("onnx", True), ("tflite", True), ("saved_model", False)])
def test_every_format_answers_as_the_frozen_backbone_does(comparison, here, kind, int8):
    if kind != "saved_model":
        needs("ai_edge_litert" if kind == "tflite" else "tf2onnx")
    result, dataset = comparison
    events = []
    report = export_model(result, kind, "out", dataset=dataset, int8=int8, anyway=int8, on_event=events.append)
    assert (report.model, report.kind, report.int8) == ("transfer", kind, int8)
    assert report.n_calibration == (24 if int8 else 0)
    assert report.largest_difference < (0.1 if int8 else 1e-5)
    assert report.agreement >= (0.8 if int8 else 1)
    assert (here / "out" / EXPORT_KINDS[kind].file).exists()
    assert events[-1].n_done == events[-1].n_total == 18
    if int8:
        assert "calibrated with 24 training images, and no test image" in " ".join(report.sentences)


def test_an_export_that_disagrees_is_not_written_unless_it_is_asked_for(two, here):
    needs("ai_edge_litert")
    run, dataset = two
    # Probabilities that differ in the seventh digit, as no 8-bit number does.
    model = run.model.__class__.from_config(run.model.get_config())
    model.set_weights([*(w for w in run.model.get_weights()[:-2]), 1e-7 * run.model.get_weights()[-2], np.zeros(1)])
    unsure = replace(run, model=model)
    with pytest.raises(
        InputError, match=r"Nothing was written: on \d+ of 16 test images .* without 8-bit integers.*anyway=True"
    ):
        export_model(unsure, "tflite", "out", dataset=dataset, int8=True)
    assert files_in(here) == []
    report = export_model(unsure, "tflite", "out", dataset=dataset, int8=True, anyway=True)
    assert not report.agrees
    assert (
        "On more than 0.5% of the test images, the export and the original answer differently"
        in (here / "out" / "README.txt").read_text()
    )


def test_what_cannot_be_exported_gets_a_sentence_and_leaves_nothing(comparison, two, here, monkeypatch):
    result, dataset = comparison
    stop = threading.Event()
    splits = ("train", "validation", "test")
    smaller = replace(
        dataset, **{s: replace(getattr(dataset, s), images=getattr(dataset, s).images[:, :, :16]) for s in splits}
    )
    nothing = Split(dataset.test.images[:0], dataset.test.labels[:0])
    of_two = replace(result.transfer, class_names=two[1].class_names)
    for arguments, said in (
        ({"format": "pickle"}, "format must be one of web, tflite, onnx, saved_model; received 'pickle'"),
        ({"format": "saved_model", "int8": True}, "saved_model has no 8-bit integers"),
        ({"model": "scratch"}, r"model must be one of this comparison \(transfer, fine_tuned\)"),
        ({"result": result.without_models()}, "models of this result are gone"),
        ({"result": replace(result.transfer, model=None)}, "This result holds no model"),
        ({"dataset": two[1]}, "not the data set that the comparison was made on"),
        ({"result": result.transfer, "dataset": two[1]}, "dark; <b>gray</b>; bright, and <i>mine</i> has <b>cats</b>"),
        (
            {"result": result.transfer, "dataset": smaller},
            r"shape \(32, 32, 3\), and those of brightness have \(32, 16",
        ),
        ({"result": of_two, "dataset": two[1]}, "gives 3 probabilities for an image, and <i>mine</i> has 2 classes"),
        ({"result": result.transfer, "dataset": replace(dataset, test=nothing)}, "test split of brightness is empty"),
        ({"folder": "no/where"}, "There is no folder"),
    ):
        given = {"result": result, "format": "saved_model", "folder": "out", "dataset": dataset} | arguments
        with pytest.raises(InputError, match=said):
            export_model(**given, on_event=lambda _: stop.set())
    lost = result.transfer.model.__class__.from_config(result.transfer.model.get_config())
    lost.layers[-1].set_weights([np.full((64, 3), np.nan), np.zeros(3)])
    with pytest.raises(InputError, match="its training diverged"):
        export_model(replace(result.transfer, model=lost), "saved_model", "out", dataset=dataset)
    with pytest.raises(CancelledError):
        export_model(result, "saved_model", "out", dataset=dataset, on_event=lambda _: stop.set(), cancel=stop)
    broken = replace(EXPORT_KINDS["saved_model"], open=lambda _: ("a runtime", lambda _: np.full((1, 3), np.nan)))
    with monkeypatch.context() as patch:
        patch.setitem(EXPORT_KINDS, "saved_model", broken)
        with pytest.raises(InputError, match="The export answers with NaN where the original"):
            export_model(result, "saved_model", "out", dataset=dataset)
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(InputError, match=r"ONNX needs the package tf2onnx.*pip install 'tl_widgets\[export\]'"):
        export_model(result, "onnx", "out", dataset=dataset)
    assert files_in(here) == []


def test_the_command_exports_a_saved_model_and_knows_its_test_images(here, capsys):
    from tl_widgets.cli.main import main
    from tl_widgets.models.builders import build_transfer

    dataset = load_dataset("textures", image_size=32)
    model = build_transfer((32, 32, 3), 3)
    parts = {"config": Config(), "verdict": Verdict("Made up."), "environment": environment()}
    run = run_of("transfer", model, dataset)
    result = Comparison(summarize(dataset), scratch=None, transfer=run, control=None, **parts)
    save_models(result, "models", dataset)
    arguments = ["export", "models/transfer.keras", "textures", "--to", "saved_model"]
    assert main([*arguments, "--images-per-class", "5"]) == 0  # other training images, the same test images
    out = capsys.readouterr().out
    assert "the same answer as the original on 90 of 90 test images (100.0%)" in out
    assert "Export: tl-widgets-textures-saved_model" in out
    assert "labels.txt" in files_in(here / "tl-widgets-textures-saved_model")
    assert (here / "tl-widgets-textures-saved_model" / "labels.txt").read_text() == "brick\ngrass\ngravel\n"
    assert main(arguments) == 2
    assert "exists already" in capsys.readouterr().err
    # Models and images that don't belong together.
    other = replace(dataset, test=dataset.validation)
    save_models(replace(result, dataset=summarize(other)), "other", other)
    arguments = ["export", "other/transfer.keras", "textures", "--to", "saved_model", "--folder", "other/out"]
    assert main(arguments) == 2
    assert "transfer.keras was trained on textures and tested on other images than these" in capsys.readouterr().err
    assert main([*arguments, "--anyway"]) == 0
    assert "wasn't tested on these images when it was trained" in capsys.readouterr().out
    assert ExportReport.from_json((here / "other" / "out" / "export.json").read_text()).same_test is False
    assert main(["export", "other/transfer.keras", "--to", "../saved_model"]) == 2
    assert "format must be one of" in capsys.readouterr().err


def test_a_saved_model_says_which_images_it_learned_from_and_older_files_say_nothing(comparison, here):
    from tl_widgets.models.builders import save_model

    result, dataset = comparison
    save_model(result.transfer.model, here / "old.keras")
    assert read_trained_on(here / "old.keras") is None
    save_models(result, "models")  # the images aren't there
    known = read_trained_on(here / "models" / "transfer.keras")
    assert known.class_names == dataset.class_names
    assert known.has_same_test(replace(dataset, name="another folder"))
    assert not known.has_same_test(replace(dataset, test=dataset.validation))
    with zipfile.ZipFile("models/transfer.keras", "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("tl_widgets.json", '{"name": 3}')
    assert read_trained_on(here / "models" / "transfer.keras") is None


def test_the_printed_command_names_the_folder_as_the_shell_reads_it(monkeypatch):
    command = serve_command(Path("/tmp/my page's"))
    assert shlex.split(command)[-1] == "/tmp/my page's"
    monkeypatch.setattr("os.name", "nt")
    assert serve_command("C:\\my pages\\one").endswith(' "C:\\my pages\\one"')
    assert serve_command("pages").endswith(" pages")
