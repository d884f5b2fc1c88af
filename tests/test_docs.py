"""The pages of docs/ and the repository: what they name exists, their commands parse, and their code runs."""

import contextlib
import importlib
import os
import re
import runpy
import shlex
import tomllib
from collections import Counter
from pathlib import Path
from unittest import mock

import nbformat
import numpy as np
import pytest
import yaml
from PIL import Image
from test_house import PACKAGES

import tl_widgets
from tl_widgets.cli.main import build_parser
from tl_widgets.studies.prediction import declared_predictions

ROOT = Path(tl_widgets.__file__).parent.parent
DOCS = ROOT / "docs"
HOW_TO = sorted(path for path in (DOCS / "how-to").glob("*.md") if path.name != "index.md")
TOP = [ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY")]
PAGES = [*TOP, DOCS / "architecture.md", DOCS / "index.md", *sorted((DOCS / "teaching").glob("*.md")), *HOW_TO]


def page_id(path):
    return str(path.relative_to(ROOT))


def blocks(path, language):
    """The fenced blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def test_the_reference_has_every_public_name_once():
    text = "".join(path.read_text("utf-8") for path in (DOCS / "reference").glob("*.md"))
    names = Counter(re.findall(r"^\.\. auto\w+:: (\w+)$", text, re.MULTILINE))
    assert names == Counter(tl_widgets.__all__)


def test_the_page_of_predictions_has_all_of_them():
    script, text = runpy.run_path(DOCS / "predictions.py"), (DOCS / "predictions.md").read_text("utf-8")
    claims = {claim.text for claim in declared_predictions()}
    assert [claim for claim in claims if f"**{claim}**" not in text] == [], "run `python docs/predictions.py`"
    assert text == script["page"](), "run `python docs/predictions.py`"
    measured = {claim for kept in script["kept_measurements"]() for claim in kept["outcomes"]}
    assert measured <= claims, "a prediction that was measured stays as it is"


def test_the_tutorial_has_every_notebook():
    listed = re.findall(r"^(\d\d_\w+)$", (DOCS / "tutorial" / "index.md").read_text("utf-8"), re.MULTILINE)
    assert listed == sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", PAGES, ids=page_id)
def test_the_commands_of_a_page_parse(path):
    commands = [line for block in blocks(path, "bash") for line in block.splitlines() if line.startswith("tl-widgets ")]
    commands += re.findall(r"`(tl-widgets study [a-z-]+)`", path.read_text("utf-8"))
    for command in commands:
        with contextlib.suppress(SystemExit):
            build_parser().parse_args(shlex.split(command, comments=True)[1:])
            continue
        pytest.fail(f"{command!r} is not a command")


def exists(name):
    """Whether a dotted name is a module, or an attribute of one."""
    parts = name.split(".")
    for n in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:n]))
        except ModuleNotFoundError:
            continue
        for part in parts[n:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


@pytest.mark.parametrize("path", PAGES, ids=page_id)
def test_what_a_page_names_exists(path):
    text = path.read_text("utf-8")
    dotted = re.findall(r"`(tl_widgets(?:\.\w+)+)", text)
    public = [f"tl_widgets.{name}" for name in re.findall(r"\btl\.(\w+)", text)]
    imported = [
        f"{module}.{name}"
        for module, names in re.findall(r"^from (tl_widgets[\w.]*) import ([\w, ]+)$", text, re.MULTILINE)
        for name in names.split(", ")
    ]
    assert [name for name in {*dotted, *public, *imported} if not exists(name)] == []
    # A path has a slash or a file's ending; NAME and LANGUAGE stand for the reader's.
    paths = re.findall(r"`((?:tl_widgets|tests|docs|notebooks|\.ci|\.github)/[^`\s]*)`", text)
    paths = {name for name in paths if not re.search("NAME|LANGUAGE|_build", name)}
    assert [name for name in paths if not list(ROOT.glob(name.rstrip("/")))] == []


def test_the_links_outside_the_site_lead_to_files():
    for path in (*TOP, ROOT / "notebooks" / "README.md"):
        links = re.findall(r"\]\((?!https?:)([^)#\s]+)", path.read_text("utf-8"))
        assert links or path.stem == "SECURITY"
        assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_badge_for_colab_opens_a_notebook_of_what_exists():
    urls = [re.findall(r"colab\.research\S+/blob/main/([\w./]+)", path.read_text("utf-8"))
            for path in (ROOT / "README.md", DOCS / "how-to" / "colab.md")]  # fmt: skip
    assert urls == [["colab/start.ipynb"]] * 2
    notebook = nbformat.read(ROOT / "colab" / "start.ipynb", 4)
    install, *cells = (cell.source for cell in notebook.cells if cell.cell_type == "code")
    repository = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"]["Repository"]
    assert install == f'%pip install -q "tl_widgets @ git+{repository}"'
    code = "\n".join(cells)
    compile(code, "colab", "exec")
    names = [f"tl_widgets.{name}" for name in re.findall(r"\btl\.(\w+)", code)]
    assert [name for name in (*names, "tl_widgets.teaching.result_of") if not exists(name)] == []


def test_the_diagram_shows_the_packages_in_their_order():
    text = (DOCS / "architecture.md").read_text("utf-8")
    (diagram,) = re.findall(r"^```text\n(tl_widgets/\n.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert tuple(re.findall(r"^  (\w+)/ ", diagram, re.MULTILINE)) == PACKAGES


def test_the_workflows_run_every_python_that_the_package_allows():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    versions = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        for job in yaml.safe_load(path.read_text("utf-8"))["jobs"].values():
            assert job["strategy"]["matrix"]["python"] == versions


@pytest.mark.slow
@pytest.mark.usefixtures("tiny_default")
@pytest.mark.parametrize("path", HOW_TO, ids=page_id)
def test_the_code_of_a_how_to_page_runs(path, tmp_path, monkeypatch, home):
    code = "\n".join(blocks(path, "python"))
    if not code:
        pytest.skip("this page has no Python")
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    for name, low in (("cat", 0), ("dog", 120)):
        (tmp_path / "my_photos" / name).mkdir(parents=True)
        for i in range(10):
            pixels = random.integers(low, low + 120, (96, 96, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "my_photos" / name / f"{i}.png")
    with mock.patch.dict(os.environ):  # a page may set variables
        exec(compile(code, str(path), "exec"), {"__name__": "page"})
