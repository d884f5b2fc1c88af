"""What a student hands in: one small signed file with the answers and the record of the run, without images.

The signature shows accidental and naive edits, and nothing else: its key follows from what stands in the notebook, so
somebody who reads the notebook can forge it. What shows an invented run is running it again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from tl_widgets.assignments.marking import Given
from tl_widgets.assignments.plan import Plan
from tl_widgets.core.errors import InputError
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _
from tl_widgets.records.codec import FORMAT, from_plain, load, to_plain
from tl_widgets.records.comparison import Comparison
from tl_widgets.records.kinds import Text

KIND = "tl_widgets submission"
MOST_BYTES = 10_000_000  # three models on the 10,000 test images of cifar10 take about 3 MB
_MOST_NAME = 120


@dataclass(frozen=True)
class Submission:
    """The content of the file.

    Attributes:
        assignment: The assignment's name.
        digest: The hash of its plan.
        student: Name or number, as the student wrote it.
        made: When it was written, in ISO 8601.
        answers: One for each question that was answered.
        python, tl_widgets: Versions.
        folder: The fingerprint of the folder of images that the run was made with; "" without one.
        run: The record of the run; None without one.
    """

    assignment: Annotated[str, Text(80)]
    digest: Annotated[str, Text(80)]
    student: Annotated[str, Text(_MOST_NAME)]
    made: Annotated[str, Text(40)]
    answers: tuple[Given, ...]
    python: Annotated[str, Text(80)] = ""
    tl_widgets: Annotated[str, Text(80)] = ""
    folder: Annotated[str, Text(80)] = ""
    run: Comparison | None = field(default=None, compare=False)  # written by its own codec

    @property
    def file_name(self) -> str:
        """The name of the file, such as "frozen-ada-lovelace.json"."""
        return f"{self.assignment}-{file_stem(self.student)}.json"


def file_stem(student: str) -> str:
    """Return a student's name as part of a file name."""
    text = re.sub(r"[^\w]+", "-", unicodedata.normalize("NFKC", student).lower()).strip("-_")
    while len(text.encode()) > 120:
        text = text[:-1]
    return text or "student"


def require_student(student: object) -> str:
    """Return a student's name or number as it is kept.

    Raises:
        InputError: It's empty, too long, or isn't text.
    """
    advice = _("Write your name or student number between the quotes of STUDENT, and run that cell and the next one.")
    if isinstance(student, int) and not isinstance(student, bool):
        student = str(student)
    if not isinstance(student, str) or not student.strip():
        raise InputError(advice + " " + _("STUDENT is {value}.", value=shown(student, 60)))
    text = " ".join(student.split())
    if len(text) > _MOST_NAME or not text.isprintable():
        why = _("STUDENT has more than {most} letters, or letters that can't be shown.", most=_MOST_NAME)
        raise InputError(f"{advice} {why}")
    return text


def to_signed_json(submission: Submission, plan: Plan) -> str:
    """Return the file's text."""
    plain: dict[str, Any] = {"format": FORMAT, "kind": KIND, **to_plain(submission)}
    plain["run"] = json.loads(submission.run.to_json()) if submission.run is not None else None
    return json.dumps({**plain, "signature": _signature(plain, plan)}, allow_nan=False, separators=(",", ":"))


def from_signed_json(text: str, plan: Plan) -> tuple[Submission, bool]:
    """Read a file's text.

    Returns:
        (what it holds, whether its signature fits); without the signature, the run isn't read.

    Raises:
        InputError: It isn't the file of this assignment; the message is a sentence.
    """
    try:
        plain = load(text)
    except InputError as error:
        if KIND in text[:200]:
            raise InputError(_("It's cut off or damaged: {why}.", why=error)) from None
        raise InputError(_("This isn't a file that submit() wrote: {why}.", why=error)) from None
    if plain.get("kind") != KIND:
        raise InputError(_("This isn't a file that submit() wrote: it says nothing of tl_widgets."))
    if plain.get("format") != FORMAT:
        found = shown(plain.get("format"), 40)
        raise InputError(_("It has format {found}; this version reads format {known}.", found=found, known=FORMAT))
    if plain.get("assignment") != plan.name:
        found = shown(plain.get("assignment"), 60)
        raise InputError(_("It belongs to another assignment: {found}, not {name}.", found=found, name=plan.name))
    signature = plain.pop("signature", None)
    is_signed = isinstance(signature, str) and _is_signed(plain, signature, plan)
    fields = {name: value for name, value in plain.items() if name not in ("format", "kind", "run")}
    try:
        submission = from_plain(Submission, fields)
        require_student(submission.student)
        _require_time(submission.made)
        # The signature comes first: what doesn't have it isn't worth the work.
        has_run = is_signed and plain.get("run") is not None
        run = Comparison.from_json(json.dumps(plain["run"])) if has_run else None
    except (InputError, RecursionError) as error:
        why = str(error).partition(" Give the JSON")[0]
        raise InputError(_("It was changed or damaged, and can't be read: {why}.", why=why.rstrip("."))) from None
    return Submission(**{**vars(submission), "run": run}), is_signed


def _require_time(text: str) -> None:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise InputError(_("made is {value}, not a time.", value=shown(text, 40))) from None


def _is_signed(plain: dict[str, Any], signature: str, plan: Plan) -> bool:
    try:
        return hmac.compare_digest(_signature(plain, plan).encode(), signature.encode("utf-8", "replace"))
    except (ValueError, RecursionError):  # no program of ours wrote such numbers
        return False


def _signature(plain: dict[str, Any], plan: Plan) -> str:
    key = hashlib.sha256(f"tl_widgets assignment {plan.digest}".encode()).digest()
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
