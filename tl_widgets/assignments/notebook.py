"""The students' notebook, and the source versions for nbgrader and otter-grader."""

from __future__ import annotations

import json
from typing import Any, Literal

from tl_widgets.assignments.description import Description, Question
from tl_widgets.assignments.plan import LETTERS
from tl_widgets.core.translation import _
from tl_widgets.records.codec import to_plain

_TRAIN_CODE = """dataset = tl.{load}(**task.images)
result = tl.compare(dataset, **task.settings)
task.record(result)"""
_LOOK_CODE = """for model in result.runs:
    print(f"{model.name}: {model.n_right} of {len(model.labels)} test images right ({model.test_accuracy:.4f}), "
          f"{model.params.trainable:,} trainable parameters, {model.seconds.total:.1f} s")"""

Grader = Literal["", "nbgrader", "otter"]
_OTTER_CONFIG = """# ASSIGNMENT CONFIG
init_cell: false
export_cell: false
run_tests: false
requirements:
  - tl_widgets @ git+https://github.com/tl-widgets/tl_widgets
tests:
  files: false
  ok_format: false"""
_OTTER_TEST = '''""" # BEGIN TEST CONFIG
hidden: true
points: {points}
""" # END TEST CONFIG
def test_{name}_{i}(task):
    from tl_widgets.assignments import points
    assert points(task, {key}) >= {least}'''


def to_notebook(description: Description, grader: Grader = "") -> str:
    """Return the notebook as JSON.

    Args:
        description: The assignment.
        grader: Another program that grades, which gets its source version: with cells that hold the answers until
            `nbgrader generate_assignment` or `otter assign` takes them out. "" for the students' notebook.
    """
    cells = {"": _Cells, "nbgrader": _NbgraderCells, "otter": _OtterCells}[grader](description.images.get("folder", ""))
    how = _(
        "Replace `...` with your answer and run the cell. It says what was kept, not whether it's right. You can "
        "change an answer as often as you like: the last one counts."
    )
    how += " " + _("After a restart of the kernel, run the cells again from the top.")
    end = "" if grader else _("At the end, `submit` writes one small file: hand that in.")
    cells.markdown("intro", f"# {description.title}\n\n{description.text.strip()}\n\n{how}\n\n{end}".rstrip())
    name = _("your name or number as your teacher knows it, such as {example}", example='"Ada Lovelace"')
    cells.code("student", f'STUDENT = ""  # {name}')
    plan = description.plan.to_json()
    leave = _("Leave this cell as it is.")
    cells.locked(
        "begin",
        f"# {leave}\n"
        f"import tl_widgets as tl\nfrom tl_widgets.assignments import begin\n\n"
        f"task = begin(STUDENT, r'''{plan}''')\ntask",
        hidden=True,
    )
    runs_before = _first_after_run(description)
    for number, asked in enumerate(description.question):
        if number == runs_before:
            cells.run()
        cells.question(number + 1, asked)
    if runs_before == len(description.question):
        cells.run()
    if not grader:
        heading, text = _("Hand in"), _("Run the next cell, and hand in the file that it names.")
        cells.markdown("hand-in", f"## {heading}\n\n{text}")
        cells.locked("submit", "task.submit()")
    return cells.to_json()


def _first_after_run(description: Description) -> int:
    """Return before which question the models are trained; -1 without a run."""
    if not description.plan.has_run:
        return -1
    kinds = [asked.kind for asked in description.question]
    if "measured" in kinds:
        return kinds.index("measured")
    return len(kinds) - kinds[::-1].index("prediction") if "prediction" in kinds else len(kinds)


class _Cells:
    """The cells of a students' notebook in the making."""

    def __init__(self, folder: str) -> None:
        self._folder = folder  # of images, beside the notebook; "" without one
        self._cells: list[dict[str, Any]] = []

    def markdown(self, name: str, source: str) -> None:
        self._cells.append({"cell_type": "markdown", "id": name, "metadata": {}, "source": source})

    def code(self, name: str, source: str, **metadata: Any) -> None:
        self._cells.append({"cell_type": "code", "id": name, "metadata": metadata, "execution_count": None,
                            "outputs": [], "source": source})  # fmt: skip

    def locked(self, name: str, source: str, *, hidden: bool = False) -> None:
        """Add a cell that students leave as it is."""
        self.code(name, source, **({"jupyter": {"source_hidden": True}} if hidden else {}))

    def question(self, number: int, asked: Question) -> None:
        """Add a question and the cell for its answer."""
        self.ask(number, asked)
        self.code(f"answer-{_cell_name(asked)}", _answer_code(asked))

    def ask(self, number: int, asked: Question) -> None:
        """Add the text of a question."""
        worth = _("1 point") if asked.points == 1 else _("{n:g} points", n=asked.points)
        title = " ".join(asked.title.split())
        heading = f"{number}. {title}" if title else _("Question {n}", n=number)
        parts = [f"## {heading} ({worth})", asked.text.strip()]
        parts += [_lettered([option.text for option in asked.options])] if asked.options else []
        parts += [_("Because"), _lettered([reason.text for reason in asked.reasons])] if asked.reasons else []
        if asked.kind == "prediction":
            parts.append(_("Answer before you train: afterwards it's no prediction."))
        self.markdown(f"question-{_cell_name(asked)}", "\n\n".join(parts))

    def run(self) -> None:
        """Add the cells that train the models."""
        text = _("These are your own images and settings. Training takes a while; the answers so far are kept.")
        heading = _("Train")
        self.markdown("run", f"## {heading}\n\n{text}")
        self.locked("train", _TRAIN_CODE.format(load="load_folder" if self._folder else "load_dataset"))
        self.locked("look", _LOOK_CODE)

    def to_json(self) -> str:
        """Return the notebook as JSON text."""
        kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
        metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
        notebook = {"cells": self._cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
        return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


class _NbgraderCells(_Cells):
    """Those of nbgrader's source version.

    A cell for an answer is an ordinary one: nbgrader would put an error in its place.
    """

    def locked(self, name: str, source: str, *, hidden: bool = False) -> None:
        more = {"jupyter": {"source_hidden": True}} if hidden else {}
        self.code(name, source, **more, nbgrader=_nbgrader(name, locked=True))

    def question(self, number: int, asked: Question) -> None:
        name = _cell_name(asked)
        if asked.kind == "text":
            self.ask(number, asked)
            metadata = _nbgrader(f"answer-{name}", grade=True, solution=True, points=asked.points)
            solution = f"### BEGIN SOLUTION\n{_model_answer(asked)}\n### END SOLUTION"
            return self.code(f"answer-{name}", _text_code(asked, solution), nbgrader=metadata)
        super().question(number, asked)
        # Imported here: a cell for an answer may have called something else `points`.
        test = f"from tl_widgets.assignments import points\npoints(task, {_key(asked)!r})"
        graded = _("Graded by running. Leave this cell as it is.")
        source = f"# {graded}\n### BEGIN HIDDEN TESTS\n{test}\n### END HIDDEN TESTS"
        metadata = _nbgrader(f"points-{name}", grade=True, locked=True, points=asked.points)
        return self.code(f"points-{name}", source, nbgrader=metadata)


class _OtterCells(_Cells):
    """Those of otter-grader's source version: raw cells say what `otter assign` does with the others."""

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self._raw("config", f"{_OTTER_CONFIG}\nfiles: {json.dumps([folder])}" if folder else _OTTER_CONFIG)

    def question(self, number: int, asked: Question) -> None:
        name = _cell_name(asked)
        is_text = asked.kind == "text"
        by_hand = f"manual: true\npoints: {asked.points:g}\n" if is_text else ""
        self._raw(f"{name}-begin", f"# BEGIN QUESTION\nname: '{asked.name}'\n{by_hand}check_cell: false")
        self.ask(number, asked)
        self._raw(f"{name}-begin-answer", "# BEGIN SOLUTION")
        solution = f"# BEGIN SOLUTION\n{_model_answer(asked)}\n# END SOLUTION"
        self.code(f"answer-{name}", _text_code(asked, solution) if is_text else _answer_code(asked))
        self._raw(f"{name}-end-answer", "# END SOLUTION")
        if not is_text:
            self._raw(f"{name}-begin-tests", "# BEGIN TESTS")
            # Each test asks for so many points, and is worth what they are more than those of the one before.
            before = 0.0
            for i, least in enumerate(sorted({asked.points, *(wrong.points for wrong in asked.wrong)} - {0.0}), 1):
                self.code(f"{name}-test-{i}", _OTTER_TEST.format(
                    name=asked.name, i=i, points=round(least - before, 6), least=least, key=repr(_key(asked))
                ))  # fmt: skip
                before = least
            self._raw(f"{name}-end-tests", "# END TESTS")
        self._raw(f"{name}-end", "# END QUESTION")

    def _raw(self, name: str, source: str) -> None:
        self._cells.append({"cell_type": "raw", "id": name, "metadata": {}, "source": source})


def _nbgrader(name: str, **more: Any) -> dict[str, Any]:
    """Return a cell's metadata for nbgrader."""
    defaults = {"grade": False, "solution": False, "locked": False, "task": False}
    return {"schema_version": 3, "grade_id": name, **defaults, **more}


def _cell_name(asked: Question) -> str:
    return asked.name.replace("_", "-")


def _key(asked: Question) -> dict[str, Any]:
    """Return a question with its answers, as `points` takes it."""
    return {key: value for key, value in to_plain(asked).items() if value not in ("", [], None)}


def _answer_code(asked: Question) -> str:
    because = ", because=..." if asked.reasons else ""
    hint = _('a letter for each, such as "a"') if because else _hint(asked)
    return f'task.answer("{asked.name}", ...{because})  # {hint}'


def _text_code(asked: Question, solution: str) -> str:
    hint = _("write your text between the quotes")
    return f'task.answer("{asked.name}", """\n{solution}\n""")  # {hint}'


def _model_answer(asked: Question) -> str:
    return asked.model_answer.strip().replace('"""', "'''").replace("\\", "/") or "..."


def _hint(asked: Question) -> str:
    """Return what kind of answer a question takes."""
    match asked.kind:
        case "number":
            return _("a number")
        case "measured":
            return _("a number from your run")
        case "text":
            return _('a text between quotes; """ for several lines')
    return _('a letter, such as "a"')


def _lettered(texts: list[str]) -> str:
    return "\n".join(f"- **{letter})** {text}" for letter, text in zip(LETTERS, texts, strict=False))
