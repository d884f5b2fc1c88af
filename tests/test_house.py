"""The house: which room may import which, what an import costs, and that names are where people look for them."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tl_widgets

PACKAGE = Path(tl_widgets.__file__).parent

# From the ground up: a module may import modules of its own row or of rows above it in this list, never below.
FLOORS = (
    (
        "errors",
        "events",
        "intervals",
        "origin",
        "settings",
        "scores",
        "ledger",
        "tensorflow_import",
        "machine",
        "mistake_words",
    ),
    ("seed_statistics", "repeat_results"),
    ("typed", "results", "record", "download", "torch_file", "store", "indexed_images", "sources"),
    ("study_record", "rank_correlation", "answers", "markup"),
    ("study_results", "study_words", "mistake_results"),
    ("verdict", "diagnosis", "data", "decode", "reading", "layout", "image_cache"),
    ("prediction", "class_choice", "image_edits", "gallery", "model_file"),
    ("backbone_results", "backbone_words"),
    ("inside_results", "inside_words"),
    ("components", "repack", "hosted", "folder", "builtin", "likeness", "dataset_checks", "augment", "head", "weights"),
    ("own_files",),
    ("own_incoming",),
    ("own_images",),
    ("own_edits", "own_uploads"),
    ("weight_loading", "efficientnet_lite", "backbones", "checkup"),
    ("models", "heat_maps"),
    ("features", "learners", "filters"),
    ("training",),
    ("workbench", "fine_tuning"),
    ("arms", "studies"),
    ("repeats", "experiments"),
    ("curves", "cost", "survey", "inside"),
    ("mistake_bench", "mistake_pixels", "mistake_scores", "mistake_training", "mistakes"),
    ("setup_data", "setup_trace"),
    ("setup_model",),
    ("setup_input", "setup_pixels", "setup_layers", "setup_training"),
    ("setup_check",),
    ("codegen_random", "codegen_tuning", "codegen_data", "codegen"),
)
PLOTS = "plot"
TOP = ("cli", "report", "saving", "study_menu", "__main__", "__init__")  # they may use all that is above, plots too


def module_name(path):
    return path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", ".")


def imports_of(path):
    """Modules of the package that a file imports anywhere, type checkers' imports left out."""
    tree = ast.parse(path.read_text())
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tl_widgets":
            yield from ([node.module[11:]] if node.module != "tl_widgets" else [])
        elif isinstance(node, ast.Import):
            yield from (alias.name[11:] for alias in node.names if alias.name.startswith("tl_widgets."))


def floor_of(name):
    return next((i for i, floor in enumerate(FLOORS) if name in floor), None)


def core_modules():
    return [path for path in sorted(PACKAGE.glob("*.py")) if not path.stem.startswith((*TOP, PLOTS))]


def test_every_module_of_the_core_has_its_floor():
    assert {path.stem for path in core_modules()} == {name for floor in FLOORS for name in floor}


def test_no_arrow_runs_backwards():
    wrong = [
        f"{path.stem} imports {name}"
        for path in core_modules()
        for name in imports_of(path)
        if floor_of(name) is None or floor_of(name) > floor_of(path.stem)
    ]
    assert not wrong


def test_plots_know_results_and_no_training():
    allowed = {
        "results",
        "verdict",
        "errors",
        "intervals",
        "ledger",
        "settings",
        "scores",
        "data",
        "indexed_images",
        "study_results",
        "mistake_results",
        "backbone_results",
        "inside_results",
    }
    for path in PACKAGE.glob("plot*.py"):
        others = {name for name in imports_of(path) if not name.startswith(PLOTS)}
        assert others <= allowed, path.name


def test_nothing_outside_imports_the_widgets():
    for path in PACKAGE.glob("*.py"):
        if path.stem != "__init__":  # which only names TransferLab for whoever asks for it
            assert not [name for name in imports_of(path) if name.split(".")[0] in ("widgets", "teaching")], path.name


def test_no_module_takes_the_place_of_a_public_name():
    """Python binds an imported module to its package: `tl_widgets.studies` must not hide a public name."""
    modules = {path.stem for path in PACKAGE.glob("*.py")} | {path.name for path in PACKAGE.iterdir() if path.is_dir()}
    assert not modules & set(tl_widgets.__all__)


def test_importing_the_package_imports_nothing_heavy():
    code = (
        "import sys, tl_widgets; dir(tl_widgets);"
        "heavy = {'tensorflow', 'keras', 'numpy', 'matplotlib', 'skimage', 'sklearn', 'PIL', 'ipywidgets', 'rich'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_public_names_are_seen_and_load():
    assert set(tl_widgets.__all__) <= set(dir(tl_widgets))
    named = [name for names in tl_widgets._HOMES.values() for name in names]
    assert sorted(named) == sorted(tl_widgets.__all__)
    for name in tl_widgets.__all__:
        value = getattr(tl_widgets, name)
        assert value.__doc__, f"{name} has no docstring"
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    seen = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.If)
        for inner in node.body
        if isinstance(inner, ast.ImportFrom)
        for alias in inner.names
    }
    assert seen == set(tl_widgets.__all__), "type checkers must see what is there"
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = tl_widgets.no_such_name


def test_the_start_of_tensorflow_is_silent():
    code = "import tl_widgets; print(tl_widgets.build_scratch((32, 32, 3), 2).name)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "scratch"
    assert done.stderr == ""


def test_no_icon_stands_in_the_name_that_a_screen_reader_says():
    folder = PACKAGE / "widgets"
    icons = {name for path in folder.rglob("*.py") for name in re.findall(r'icon="([a-z-]+)"', path.read_text())}
    assert icons
    style = (folder / "shared" / "lab.css").read_text()
    named = set(re.findall(r'\.fa-([a-z-]+)::before { content: "[^"]+" / ""; }', style))
    assert icons <= named, f"lab.css has no nameless icon for {icons - named}"
