"""The house: which package may import which, how large a room may be, and what an import costs."""

import ast
import re
import subprocess
import sys
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import tl_widgets

PACKAGE = Path(tl_widgets.__file__).parent

# A package may import those above it in this list, never those below.
PACKAGES = (
    "core",
    "records",
    "data",
    "collections",
    "backbones",
    "models",
    "training",
    "experiments",
    "setup_checks",
    "plots",
    "studies",
    "export",
    "assignments",
    "cli",
    "widgets",
    "teaching",
)
# Beyond their place in the list.
ONLY = {"plots": {"core", "records", "data"}, "widgets": set(PACKAGES[: PACKAGES.index("cli")])}
# The rooms inside `widgets`, in the same way: the two apps do not import each other.
WIDGETS = {
    "shared": set(),
    "images": {"shared"},
    "lab": {"shared", "images"},
    "studies": {"shared"},
}
MAX_LINES = 400
MAX_MODULES = 20
ROOTS = ("tl_widgets", "tl_widgets.__main__")  # they may import everything, and nothing imports them


def module_name(path):
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports_of(text, here=""):
    """Modules of tl_widgets that a text imports anywhere, for type checkers too."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "tl_widgets")
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:  # relative to the package of the module
                base = ".".join([*here.split(".")[: -node.level], *([base] if base else [])])
            if base.split(".")[0] == "tl_widgets":
                for alias in node.names:
                    inner = f"{base}.{alias.name}"
                    yield inner if inner in MODULES else base


def imports_at_the_top(path):
    """What a module imports as it loads: "keras", and modules of tl_widgets."""
    body = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in body if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in body if isinstance(node, ast.ImportFrom)}
    return {"keras" if name.split(".")[0] in ("keras", "tensorflow") else name for name in names} | {
        inner for node in body for inner in imports_of(ast.unparse(node))
    }


ARROWS = {name: set(imports_of(path.read_text(), name)) - {name} for name, path in MODULES.items()}


def room(name):
    return name.split(".")[1] if "." in name else ""


def may_import(name, other):
    """Whether one module may import another."""
    if name in ROOTS:
        return True
    here, there = room(name), room(other)
    if other in ROOTS or there not in PACKAGES:
        return False
    if here == there == "widgets" and name.count(".") > 1 and other.count(".") > 1:
        one, two = name.split(".")[2], other.split(".")[2]
        return one == two or two in WIDGETS[one]
    allowed = ONLY.get(here, set(PACKAGES[: PACKAGES.index(here)]))
    return here == there or there in allowed


def test_no_import_runs_upward():
    wrong = {
        f"{name} imports {other}" for name, others in ARROWS.items() for other in others if not may_import(name, other)
    }
    assert wrong == set()


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("import tl_widgets", False),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from tl_widgets.plots.style import INK", False),
        ("def later():\n    from tl_widgets.training.loop import train", False),
        ("from tl_widgets.core.errors import InputError", True),
        ("import tl_widgets.core.events", True),
    ],
)
def test_every_way_of_importing_is_seen(text, allowed):
    (found,) = imports_of(text)
    assert may_import("tl_widgets.data.dataset", found) is allowed


def test_no_imports_go_round_in_a_circle():
    try:
        TopologicalSorter({name: others for name, others in ARROWS.items() if name not in ROOTS}).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_every_room_is_small_enough_to_look_over():
    long = {name: n for name, path in MODULES.items() if (n := path.read_text().count("\n")) > MAX_LINES}
    counts = Counter(path.parent for path in MODULES.values() if path.name != "__init__.py")
    full = {str(folder.relative_to(PACKAGE)): n for folder, n in counts.items() if n > MAX_MODULES}
    assert (long, full) == ({}, {})


def test_every_package_says_what_lives_in_it():
    assert {room(name) for name in MODULES} - {"", "__main__"} == set(PACKAGES)
    assert not [name for name, path in MODULES.items() if not ast.get_docstring(ast.parse(path.read_text()))]


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


HELP = """
import contextlib, sys
from tl_widgets.cli.main import main
with contextlib.suppress(SystemExit):
    main(["--help"])
"""


def seconds(code, n=5):
    """The shortest of several runs of a process, in seconds of the processor: other processes disturb it little."""
    timed = f"import time; {code}; import sys; sys.stderr.write(str(time.process_time()))"
    runs = [subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True, check=True) for _ in range(n)]
    return min(float(run.stderr) for run in runs)


def test_the_import_and_the_help_stay_quick():
    """The limits are 0.3 s and 0.6 s where NumPy takes 0.11 s of the processor; a ratio holds on any machine."""
    numpy = seconds("import numpy")
    assert seconds("import tl_widgets") < numpy
    shown = (
        "import contextlib, tl_widgets.cli.main as cli\nwith contextlib.suppress(SystemExit): cli.main(['--help'])\n"
    )
    assert seconds(f"exec({shown!r})") < 2.5 * numpy


def test_the_help_loads_nothing_heavy():
    code = (
        "heavy = {'tensorflow', 'keras', 'numpy', 'scipy', 'sklearn', 'matplotlib', 'rich', 'ipywidgets', 'jinja2'}\n"
        "sys.stderr.write(str(sorted(heavy & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", f"{HELP}{code}"], capture_output=True, text=True, check=True)
    assert done.stderr == "[]"


def test_public_names_are_seen_and_load():
    assert set(tl_widgets.__all__) <= set(dir(tl_widgets))
    for name in tl_widgets.__all__:
        value = getattr(tl_widgets, name)
        assert value.__doc__, f"{name} has no docstring"
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = tl_widgets.no_such_name


def test_whatever_loads_keras_loads_tensorflow_quietly_first():
    """A public name whose module imports Keras as it loads stands in the list of those that need it, or TensorFlow."""
    heads = {name: set(imports_at_the_top(path)) for name, path in MODULES.items()}

    def loads_keras(module, seen=frozenset()):
        return "keras" in heads[module] or any(
            loads_keras(other, {*seen, module}) for other in heads[module] if other in heads and other not in seen
        )

    stub = ast.parse((PACKAGE / "__init__.pyi").read_text())
    homes = {
        alias.name: f"tl_widgets.{node.module}"
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    needing = {name for name, home in homes.items() if loads_keras(home)}
    assert needing == tl_widgets._NEED_KERAS | tl_widgets._NEED_TENSORFLOW


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
