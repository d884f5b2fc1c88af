"""Submissions without any training: runs with made-up answers, and a class of students with typical answers.

`python tests/submissions.py DESCRIPTION FOLDER` writes 200 of them, 20 of them broken in 20 ways.
"""

import contextlib
import io
import json
import random
import sys
import tempfile
import zipfile
from pathlib import Path

from tl_widgets.assignments.description import formula_names, read_description
from tl_widgets.assignments.formula import evaluate
from tl_widgets.assignments.plan import LETTERS
from tl_widgets.assignments.task import Task
from tl_widgets.records.comparison import Comparison, Environment
from tl_widgets.records.parameters import ParameterCount
from tl_widgets.records.run import History, RunResult, Seconds
from tl_widgets.records.verdict import judge

NAMES = ("Ada", "Björn", "Chloé", "Dmitri", "Eun-ji", "Fatima", "Grace", "Hedy", "Ines", "Jörg", "Katalin", "Lin")
HERE = Environment("3.11.7", "2.21.0", "3.15.1", "1.0", 2, onednn=True)


def made_up_run(variant, seed=0, accuracies=(0.7, 0.95, 0.6), environment=HERE):
    """Return a run that fits what a student was given, with as many right answers as one likes."""
    summary, config, rng = variant.summary, variant.config, random.Random(seed)
    n_classes = len(summary.class_names)
    labels = tuple(i % n_classes for i in range(summary.n_test))
    runs = {}
    for name, accuracy in zip(("scratch", "transfer", "control"), accuracies, strict=True):
        if name in config.model_names:
            answers = tuple(y if rng.random() < accuracy else (y + 1) % n_classes for y in labels)
            sure = [[0.1 / (n_classes - 1)] * n_classes for _ in labels]
            for row, answer in zip(sure, answers, strict=True):
                row[answer] = 0.9
            trainable = 148_675 if name == "scratch" else 1281 * n_classes
            params = ParameterCount(trainable, 0 if name == "scratch" else 3_413_024)
            backbone = "" if name == "scratch" else "EfficientNetLite0"
            history = History((1.0, 0.5), (0.6, 0.9), (1.0, 0.7), (0.6, 0.8), (1.0, 2.0))
            runs[name] = RunResult(name, summary.class_names, params, Seconds(0, 2.0, 0.1), history, labels, answers,
                                   tuple(map(tuple, sure)), backbone=backbone)  # fmt: skip
    verdict = judge(runs["scratch"], runs["transfer"], runs.get("control"), None)
    return Comparison(summary, config, runs["scratch"], runs["transfer"], runs.get("control"), verdict, environment)


def answered(description, student, rng=None, run=None):
    """Return the task of a student who answers everything, right or, with `rng`, with typical mistakes."""
    with contextlib.redirect_stdout(None):
        return _answered(description, student, rng, run)


def _answered(description, student, rng, run):
    task = Task(description.plan, student)
    if run is None and description.plan.has_run:
        run = made_up_run(task.variant, seed=student)
    before = [asked for asked in description.question if asked.kind == "prediction"]
    for asked in [*before, None, *(asked for asked in description.question if asked not in before)]:
        if asked is None:
            if run is not None:
                task.record(run)
            continue
        names = formula_names(task.variant, run)
        if asked.kind in ("number", "measured"):
            values = [evaluate(text, names) for text in (asked.right, *(wrong.value for wrong in asked.wrong))]
            value = values[0] if rng is None or rng.random() < 0.6 else rng.choice([*values, values[0] + 7])
            task.answer(asked.name, value)
        elif asked.kind == "text":
            task.answer(asked.name, f"I would take transfer; it is = better.\nSays {student}.")
        else:
            right = next((LETTERS[i] for i, option in enumerate(asked.options) if option.is_right), LETTERS[1])
            letter = right if rng is None or rng.random() < 0.6 else rng.choice(LETTERS[: len(asked.options)])
            task.answer(
                asked.name, letter, because=rng.choice(LETTERS[: len(asked.reasons)]) if rng and asked.reasons else "a"
            )
    return task


def text_of(task):
    """Return the text of the file that a task writes."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(None):
        task.submit(folder)
        (path,) = Path(folder).iterdir()
        return path.read_text("utf-8")


def broken(text, other):
    """Return 20 ways in which a file can be broken: {file name: bytes}.

    Args:
        text: A good file.
        other: A good file of another assignment.
    """
    plain = json.loads(text)

    def changed(**fields):
        return json.dumps({**plain, **fields}).encode()

    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.json", bytes(300_000_000))
    outside = io.BytesIO()
    with zipfile.ZipFile(outside, "w") as archive:
        archive.writestr("../../escaped.json", text)
    run = dict(plain["run"] or {}, config={"epochs": "many"})
    return {
        "edited answer.json": changed(answers=[{**given, "text": "b"} for given in plain["answers"]]),
        "edited name.json": changed(student="Somebody Else"),
        "formula.json": changed(student='=cmd|"/C calc"!A0'),
        "markup.json": changed(student="<script>alert(1)</script>"),
        "other assignment.json": other.encode(),
        "truncated.json": text[: len(text) // 2].encode(),
        "empty.json": b"",
        "notebook.ipynb": b'{"cells": [], "nbformat": 4}',
        "report.pdf": b"%PDF-1.7 \x00\xff\xfe",
        "photo.json": b"\xff\xd8\xff\xe0 a photograph",
        "utf16.json": text.encode("utf-16"),
        "huge.json": b'{"kind": "tl_widgets submission", "x": "' + b"x" * 11_000_000 + b'"}',
        "deep.json": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        "digits.json": b'{"kind": "tl_widgets submission", "format": ' + b"9" * 10_000 + b"}",
        "list.json": b"[1, 2, 3]",
        "no answers.json": changed(answers="all of them"),
        "wrong run.json": changed(run=run),
        "unsigned.json": json.dumps({k: v for k, v in plain.items() if k != "signature"}).encode(),
        "bomb.zip": bomb.getvalue(),
        "outside.zip": outside.getvalue(),
    }


def main(description_file, folder, n=200):
    """Write a class of students."""
    description, folder = read_description(description_file), Path(folder)
    folder.mkdir(parents=True)
    rng = random.Random(1)
    n_broken = 20
    for i in range(n - n_broken):
        student = f"{rng.choice(NAMES)} {1000 + i}"
        place = folder / (f"{student}_{i}_assignsubmission_file" if i % 3 else "")
        place.mkdir(exist_ok=True)
        variant = description.plan.variant(student)
        run = made_up_run(variant, i, (rng.uniform(0.4, 0.8), rng.uniform(0.8, 1), 0.5)) if variant.config else None
        text = text_of(answered(description, student, rng, run))
        if i % 10:
            (place / f"{student}.json").write_text(text, "utf-8")
        else:
            with zipfile.ZipFile(place / f"{student}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(f"{student}.json", text)
    other = next(
        path
        for path in sorted(Path(description_file).parent.glob("*.toml"))
        if path.name != Path(description_file).name
    )
    other = read_description(other)
    bad = broken(text_of(answered(description, "Broken")), text_of(answered(other, "Lost")))
    assert len(bad) == n_broken
    for name, data in bad.items():
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    main(*sys.argv[1:3])
