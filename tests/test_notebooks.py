"""The notebooks of the tutorial as files: complete, executed, honest about numbers. nbval runs them."""

import ast
import base64
import re
import runpy
import sys
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

from tl_widgets.assignments.questions.predictions import PREDICTIONS
from tl_widgets.assignments.questions.quizzes import QUESTIONS
from tl_widgets.teaching.exercises.catalogue import EXERCISES

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
NAMES = (
    "00_start_here",
    "01_how_a_network_learns",
    "02_convolutions",
    "03_overfitting",
    "04_frozen_backbone",
    "05_fair_comparison",
    "06_your_own_images",
    "07_how_much_data",
    "08_choosing_a_backbone",
    "09_fine_tuning",
    "10_what_goes_wrong",
    "11_look_inside",
    "12_is_it_any_good",
)
# Rewritten: no asserts in their cells, because `test_notebook_claims.py` holds what they say.
SECOND_EDITION = tuple(path.stem for path in sorted((ROOT / "tests" / "claims").glob("*.py")))
MOST_LINES = 14  # of a cell in the second edition
LOCAL = re.compile(r"\]\((?!https?:)([^)#]+)(?:#([^)]*))?\)")


def read(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", 4)


def code_of(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def text_of(notebook):
    return "\n".join(cell.source for cell in notebook.cells)


def anchors_of(page):
    """The anchors of a page's headings, as GitHub and MyST make them."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.M)
    }


def test_the_glossary_names_notebooks_that_exist_and_links_to_its_own_terms():
    text, page = (ROOT / "docs" / "glossary.md").read_text("utf-8"), ROOT / "docs" / "glossary.md"
    terms = re.findall(r"^## (.+)$", text, re.M)
    assert terms == sorted(terms, key=str.lower)
    assert set(re.findall(r"\]\(#([^)]*)\)", text)) <= anchors_of(page)
    for entry in text.split("\n## ")[1:]:
        assert re.findall(r"\]\(\.\./notebooks/\w+\.ipynb\)", entry), entry
    assert all((page.parent / target).exists() for target, _ in LOCAL.findall(text))


def test_the_teachers_guide_has_every_notebook_and_its_links_lead_somewhere():
    pages = sorted((ROOT / "docs" / "teaching").glob("*.md"))
    for page in pages:
        assert all((page.parent / target).exists() for target, _ in LOCAL.findall(page.read_text("utf-8"))), page
    text = (ROOT / "docs" / "teaching" / "notebooks.md").read_text("utf-8")
    sections = {section[:2]: section for section in text.split("\n## ")[1:]}
    assert {name[:2] for name in NAMES} <= set(sections)
    for section in sections.values():
        parts = ("**Aim.**", "**Minutes.**", "**What students get wrong**", "**To discuss**")
        assert all(part in section for part in parts), section


def test_all_notebooks_are_found():
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == sorted(NAMES)
    assert sorted(path.stem for path in (FOLDER / "solutions").glob("*.py")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
class TestEach:
    def test_is_short_and_valid(self, name):
        notebook = read(name)
        nbformat.validate(notebook)
        assert 12 <= len(notebook.cells) <= 18
        assert notebook.cells[0].source.startswith("# ")
        for cell in code_of(notebook):
            assert len(cell.source.splitlines()) <= 24, cell.source
            assert cell.source.strip()

    def test_was_run_from_top_to_bottom(self, name):
        counts = [cell.execution_count for cell in code_of(read(name))]
        assert counts == list(range(1, len(counts) + 1))
        for cell in code_of(read(name)):
            kinds = {output.output_type for output in cell.outputs}
            assert "error" not in kinds
            said = [output.text for output in cell.outputs if output.get("name") == "stderr"]
            assert not said, said

    def test_is_stripped_of_what_differs(self, name):
        notebook = read(name)
        assert set(notebook.metadata) == {"kernelspec", "language_info"}
        assert notebook.metadata.kernelspec.name == "python3"
        for cell in notebook.cells:
            assert set(cell.metadata) <= {"tags"}
            assert set(cell.metadata.get("tags", [])) <= {"nbval-ignore-output"}
            assert "widget-view" not in str(cell.get("outputs", ""))

    def test_words_come_before_code(self, name):
        """Text of 20 words or more before each piece of code that does more than ask a question."""
        cells = read(name).cells
        for i, cell in enumerate(cells):
            if cell.cell_type == "markdown" and i + 1 < len(cells) and not cell.source.startswith("# "):
                assert 20 <= len(cell.source.split()) <= 120, cell.source
        for before, cell in pairwise(cells):
            if cell.cell_type == "code" and before.cell_type == "code":
                asks = any(re.search(r"(Guess|Prediction|Quiz)\(", each.source) for each in (cell, before))
                assert asks or len(cell.source.splitlines()) <= 5, cell.source

    def test_every_figure_has_a_picture_and_words(self, name):
        n_figures = 0
        for cell in code_of(read(name)):
            n_shown = len(re.findall(r"^show\(|\b(?:Descent|Kernel)Slider\(", cell.source, re.M))
            pictures = [out for out in cell.outputs if "image/png" in out.get("data", {})]
            words = [
                out.data["text/html"] for out in cell.outputs if "<details>" in out.get("data", {}).get("text/html", "")
            ]
            assert len(pictures) == len(words) == n_shown, cell.source
            n_figures += n_shown
            for picture, said in zip(pictures, words, strict=True):
                png = base64.b64decode(picture.data["image/png"])
                assert png.startswith(b"\x89PNG")
                assert len(png) > 8_000  # a blank page of that size has some 3,000 bytes
                assert picture.metadata["image/png"]["alt"]
                assert len(re.sub("<[^>]+>", "", said).split()) >= 10
        assert n_figures >= 2

    def test_a_guess_comes_before_its_measurement_and_is_revealed(self, name):
        source = "\n".join(cell.source for cell in code_of(read(name)))
        asked = re.findall(r"^(\w+) = (?:Guess|Prediction)\(", source, re.M)
        revealed = re.findall(r"^ *(\w+)\.reveal\(", source, re.M)
        assert asked
        assert sorted(asked) == sorted(revealed)
        assert all(source.index(f"{each} = ") < source.index(f"{each}.reveal(") for each in asked)

    def test_exercises_are_asked_checked_and_hinted(self, name):
        number = name[:2]
        mine = {each for each in EXERCISES if each.startswith(f"{number}-")}
        notebook = read(name)
        assert 2 <= len(mine) <= 4
        assert set(re.findall(r'check\("(\d\d-[a-z])"', text_of(notebook))) == mine
        assert set(re.findall(r"\*\*Exercise (\d\d-[a-z])(?: \([\w ]+\))?\.\*\*", text_of(notebook))) == mine
        for cell in code_of(notebook):
            for each in re.findall(r'check\("(\d\d-[a-z])"', cell.source):
                said = "".join(output.get("text", "") for output in cell.outputs)
                assert f"{each}: no" in said  # "no answer yet" or "not yet": never solved in what is committed

    @pytest.mark.slow
    def test_the_solution_passes_its_checks(self, name, capsys):
        mine = {each for each in EXERCISES if each.startswith(f"{name[:2]}-")}
        runpy.run_path(str(FOLDER / "solutions" / f"{name}.py"))
        lines = [line for line in capsys.readouterr().out.splitlines() if re.match(r"\d\d-[a-z]: ", line)]
        assert {line[:4] for line in lines} == mine
        assert all(": right. " in line for line in lines), lines

    def test_large_numbers_in_the_text_stand_in_its_code_or_results(self, name):
        """A number in the prose is computed or asserted: the same digits stand in a code cell or its output."""
        notebook = read(name)
        known = "".join(
            cell.source + "".join(out.get("text", "") for out in cell.outputs) for cell in code_of(notebook)
        )
        known = re.sub(r"(?<=\d)[_,](?=\d)", "", known)
        for cell in notebook.cells:
            if cell.cell_type == "markdown" and "Exercise" not in cell.source:
                for number in re.findall(r"\d[\d,]*\d{2}", re.sub(r"\([^)]*\.ipynb\)", "", cell.source)):
                    digits = number.replace(",", "")
                    assert digits in ("100", "255", "000") or re.search(rf"(?<!\d){digits}(?!\d)", known), (
                        digits,
                        cell.source,
                    )

    def test_claims_are_held(self, name):
        """Where outputs are not compared, an assert holds what the text says; in the second edition, a test of ours."""
        if name in SECOND_EDITION:
            claims = (ROOT / "tests" / "test_notebook_claims.py").read_text()
            assert f'"{name}"' in claims  # with other numbers
            assert (ROOT / "tests" / "claims" / f"{name}.py").exists()
            for cell in code_of(read(name)):
                assert not any(isinstance(node, ast.Assert) for node in ast.walk(parsed(cell.source))), cell.source
                assert len(cell.source.splitlines()) <= MOST_LINES, cell.source
            return
        for cell in code_of(read(name)):
            is_app = "TransferLab(" in cell.source  # what it leaves on paper comes from a later run
            if "nbval-ignore-output" in cell.metadata.get("tags", []) and "check(" not in cell.source and not is_app:
                assert any(isinstance(node, ast.Assert) for node in ast.walk(parsed(cell.source))), cell.source

    def test_defines_no_function_and_downloads_nothing(self, name):
        for cell in code_of(read(name)):
            nodes = list(ast.walk(parsed(cell.source)))
            assert not any(isinstance(node, (ast.FunctionDef, ast.ClassDef)) for node in nodes), cell.source
            assert "imagenet" not in cell.source.replace("name_imagenet", ""), "weights must not be fetched"

    def test_links_lead_somewhere(self, name):
        for target, anchor in LOCAL.findall(text_of(read(name))):
            assert (FOLDER / target).exists(), target
            assert not anchor or anchor in anchors_of(FOLDER / target), (target, anchor)


def parsed(source):
    """Syntax tree of a cell, which may await at top level."""
    return compile(source, "cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_every_question_and_prediction_is_asked_somewhere():
    text = "".join(text_of(read(name)) for name in NAMES)
    assert sorted(re.findall(r'Quiz\("(\w+)"\)', text)) == sorted(QUESTIONS)
    assert sorted(re.findall(r'Prediction\("(\w+)"\)', text)) == sorted(PREDICTIONS)


def test_the_first_page_was_run_with_stamps():
    outputs = str([cell.outputs for cell in code_of(read("00_start_here"))])
    assert "birds, flowers, fruit and vegetables, mammals" in outputs
    assert "A common prediction is" in outputs  # not the choice of whoever ran it


def test_refresh_strips_what_differs():
    sys.path.insert(0, str(ROOT / "tests" / "notebooks"))
    try:
        from refresh import normalise
    finally:
        sys.path.pop(0)
    view = {"text/plain": "A lab", "application/vnd.jupyter.widget-view+json": {"model_id": "1"}}
    output = nbformat.v4.new_output("execute_result", view, execution_count=7)
    only_view = {"application/vnd.jupyter.widget-view+json": {"model_id": "2"}}  # what it leaves is the next output
    above = nbformat.v4.new_output("display_data", only_view)
    cell = nbformat.v4.new_code_cell(
        "lab", outputs=[above, output], execution_count=7, metadata={"collapsed": True, "tags": ["x"]}
    )
    notebook = nbformat.v4.new_notebook(
        cells=[cell], metadata={"widgets": {}, "language_info": {"name": "python", "version": "3"}}
    )
    done = normalise(notebook)
    assert done.cells[0].execution_count == done.cells[0].outputs[0].execution_count == 1
    assert done.cells[0].outputs[0].data == {"text/plain": "A lab"}
    assert done.cells[0].metadata == {"tags": ["x"]}
    assert "widgets" not in done.metadata
    assert nbformat.writes(done) == nbformat.writes(normalise(done))
