"""The students' notebook, and the source version for nbgrader."""

from __future__ import annotations

import json
from typing import Any

from tl_widgets.assignments.description import Description, Question
from tl_widgets.assignments.plan import LETTERS
from tl_widgets.core.translation import _
from tl_widgets.records.codec import to_plain

_TRAIN_CODE = """dataset = tl.load_dataset(**task.images)
result = tl.compare(dataset, **task.settings)
task.record(result)"""
_LOOK_CODE = """for model in result.runs:
    print(f"{model.name}: {model.n_right} of {len(model.labels)} test images right ({model.test_accuracy:.4f}), "
          f"{model.params.trainable:,} trainable parameters, {model.seconds.total:.1f} s")"""


def to_notebook(description: Description, *, nbgrader: bool = False) -> str:
    """Return the notebook as JSON.

    Args:
        description: The assignment.
        nbgrader: Whether it is the source version for nbgrader: with autograded cells, whose tests hold the answers
            until `nbgrader generate_assignment` takes them out.
    """
    cells = _Cells(nbgrader)
    how = _(
        "Replace `...` with your answer and run the cell. It says what was kept, not whether it's right. You can "
        "change an answer as often as you like: the last one counts."
    )
    end = "" if nbgrader else _("At the end, `submit` writes one small file: hand that in.")
    cells.markdown("intro", f"# {description.title}\n\n{description.text.strip()}\n\n{how}\n\n{end}".rstrip())
    name = _("your name or number as your teacher knows it, such as {example}", example='"Ada Lovelace"')
    cells.code("student", f'STUDENT = ""  # {name}', role="answer")
    plan = description.plan.to_json()
    leave = _("Leave this cell as it is.")
    cells.code(
        "begin",
        f"# {leave}\n"
        f"import tl_widgets as tl\nfrom tl_widgets.assignments import begin\n\n"
        f"task = begin(STUDENT, r'''{plan}''')\ntask",
        role="locked",
        hidden=True,
    )
    runs_before = _first_after_run(description)
    for number, asked in enumerate(description.question):
        if number == runs_before:
            cells.run()
        cells.question(number + 1, asked)
    if runs_before == len(description.question):
        cells.run()
    if not nbgrader:
        heading, text = _("Hand in"), _("Run the next cell, and hand in the file that it names.")
        cells.markdown("hand-in", f"## {heading}\n\n{text}")
        cells.code("submit", "task.submit()", role="locked")
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
    """The cells of a notebook in the making."""

    def __init__(self, nbgrader: bool) -> None:
        self._nbgrader = nbgrader
        self._cells: list[dict[str, Any]] = []

    def markdown(self, name: str, source: str) -> None:
        self._cells.append({"cell_type": "markdown", "id": name, "metadata": {}, "source": source})

    def code(self, name: str, source: str, *, role: str, points: float | None = None, hidden: bool = False) -> None:
        """Add a cell; its role is "answer", "locked", "test" (graded by running) or "text" (graded by hand).

        A cell for an answer is an ordinary one: nbgrader would put an error in its place.
        """
        metadata: dict[str, Any] = {"jupyter": {"source_hidden": True}} if hidden else {}
        if self._nbgrader and role != "answer":
            metadata["nbgrader"] = {
                "schema_version": 3,
                "grade_id": name,
                "grade": role in ("test", "text"),
                "solution": role == "text",
                "locked": role in ("locked", "test"),
                "task": False,
                **({} if points is None else {"points": points}),
            }
        self._cells.append({"cell_type": "code", "id": name, "metadata": metadata, "execution_count": None,
                            "outputs": [], "source": source})  # fmt: skip

    def question(self, number: int, asked: Question) -> None:
        """Add a question, the cell for its answer and, for nbgrader, the one that grades it."""
        name = asked.name.replace("_", "-")
        worth = _("1 point") if asked.points == 1 else _("{n:g} points", n=asked.points)
        parts = [f"## {number}. {asked.name.replace('_', ' ').capitalize()} ({worth})", asked.text.strip()]
        parts += [_lettered([option.text for option in asked.options])] if asked.options else []
        parts += [_("Because"), _lettered([reason.text for reason in asked.reasons])] if asked.reasons else []
        if asked.kind == "prediction":
            parts.append(_("Answer before you train: afterwards it's no prediction."))
        self.markdown(f"question-{name}", "\n\n".join(parts))
        role, points = "answer", None
        because = ", because=..." if asked.reasons else ""
        hint = _('a letter for each, such as "a"') if because else _hint(asked)
        source = f'task.answer("{asked.name}", ...{because})  # {hint}'
        if asked.kind == "text" and self._nbgrader:
            role, points = "text", asked.points
            model = asked.model_answer.strip().replace('"""', "'''").replace("\\", "/") or "..."
            hint = _("write your text between the quotes")
            solution = f"### BEGIN SOLUTION\n{model}\n### END SOLUTION"
            source = f'task.answer("{asked.name}", """\n{solution}\n""")  # {hint}'
        self.code(f"answer-{name}", source, role=role, points=points)
        if self._nbgrader and asked.kind != "text":
            key = {key: value for key, value in to_plain(asked).items() if value not in ("", [], None)}
            graded = _("Graded by running. Leave this cell as it is.")
            # Imported here: a cell for an answer may have called something else `points`.
            test = f"from tl_widgets.assignments import points\npoints(task, {key!r})"
            source = f"# {graded}\n### BEGIN HIDDEN TESTS\n{test}\n### END HIDDEN TESTS"
            self.code(f"points-{name}", source, role="test", points=asked.points)

    def run(self) -> None:
        """Add the cells that train the models."""
        text = _("These are your own images and settings. Training takes a while; the answers so far are kept.")
        heading = _("Train")
        self.markdown("run", f"## {heading}\n\n{text}")
        self.code("train", _TRAIN_CODE, role="locked")
        self.code("look", _LOOK_CODE, role="locked")

    def to_json(self) -> str:
        """Return the notebook as JSON text."""
        kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
        metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
        notebook = {"cells": self._cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
        return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


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
