"""Measure what the studies predict, and write docs/predictions.md.

    python docs/predictions.py                        # write the page from what was measured earlier
    python docs/predictions.py stress stamps          # measure as `tl-widgets study stress stamps` does, then write it
    python docs/predictions.py all                    # measure everything again

A measurement is kept in docs/predictions/, whatever came out.
"""

import json
import shlex
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from tl_widgets.cli.main import build_parser, main
from tl_widgets.core.settings import settings_of
from tl_widgets.studies.prediction import Prediction, declared_predictions
from tl_widgets.studies.registry import STUDIES, read_study

PAGE = Path(__file__).with_suffix(".md")
KEPT = Path(__file__).with_suffix("")
OUTCOMES = {"It held": "held", "It failed": "failed", "These numbers can't tell": "undecided"}


def measure(command: list[str]) -> None:
    """Run `tl-widgets study` with these arguments, and keep what became of the predictions.

    Raises:
        SystemExit: the command failed, or its result has no prediction.
    """
    with TemporaryDirectory() as folder:
        record = Path(folder) / "record.json"
        line = ["study", *command, "--json", str(record), "--figure", str(Path(folder) / "figure.png")]
        if status := main(line):
            raise SystemExit(status)
        name, result = read_study(record.read_text("utf-8"), [command[0]])
        facts = json.loads(record.read_text("utf-8"))
    found = {claim.text: claim.find_outcome(result.sentences) for claim in declared_predictions()}
    outcomes = {text: outcome for text, outcome in found.items() if outcome is not None}
    if not outcomes:
        raise SystemExit(f"The result of {shlex.join(command)} has no prediction.")
    args, machine = vars(build_parser().parse_args(line)), facts["environment"]
    cores = f"{machine['cpu_count']} CPU cores" + f" and {machine['device']}" * (machine["device"] != "CPU")
    kept = {
        "command": command,
        "data": "; ".join(
            f"{data.name}, {data.image_size} pixels, {data.n_train} training, {data.n_validation} validation, "
            f"{data.n_test} test images"
            for data in result.datasets
        ),
        "settings": "; ".join(
            f"{setting.replace('_', ' ')} {_text(args[setting])}".rstrip()
            for setting in settings_of(STUDIES[name].arguments)
            if setting not in ("dataset", "image_size", "n_per_class", "jobs")
            and args.get(setting) not in (None, False)
        ),
        "machine": f"{cores} with TensorFlow {machine['tensorflow']}, Keras {machine['keras']} and "
        f"tl_widgets {machine['tl_widgets']}",
        "outcomes": outcomes,
    }
    subject = "-".join(dict.fromkeys(data.name for data in result.datasets))
    KEPT.mkdir(exist_ok=True)
    (KEPT / f"{name}-{subject}.json").write_text(f"{json.dumps(kept, indent=2, ensure_ascii=False)}\n", "utf-8")


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else "" if value is True else str(value)


def kept_measurements() -> list[dict]:
    """Return all measurements, in the order of their files."""
    return [json.loads(path.read_text("utf-8")) for path in sorted(KEPT.glob("*.json"))]


def page() -> str:
    """Return the page as Markdown."""
    kept, claims = kept_measurements(), declared_predictions()
    measured = [outcome for claim in claims for _, outcome in _outcomes(claim, kept)]
    ends = Counter(OUTCOMES[outcome.partition(":")[0].rstrip(".")] for outcome in measured)
    counts = ", ".join(f"{ends[end]} {end}" for end in OUTCOMES.values())
    n_open = sum(not _outcomes(claim, kept) for claim in claims)
    head = f"""\
<!-- Written by docs/predictions.py -->
# Predictions

A study says what it expects before anything is measured, and which published finding that comes from. Afterwards it
says whether that held, failed, or is undecided because the numbers can't tell. All {len(claims)} predictions are
listed here, whatever came out. Of {len(measured)} measurements: {counts}. Not measured yet: {n_open}. The table at the
end says what each command measured.

A difference is given in points of accuracy on the test images. Unless a claim says otherwise, it held if the whole 95%
interval is above 0, and failed if it is below. The same command gives the same numbers on the same kind of machine.
"""
    rows = [f"| `{_command(facts)}` | {facts['data']} | {facts['settings']} | {facts['machine']} |" for facts in kept]
    table = [
        "",
        "## What was measured",
        "",
        "| Command | Images | Settings | Machine |",
        "|---|---|---|---|",
        *rows,
        "",
    ]
    return head + "".join(_section(claim, _outcomes(claim, kept)) for claim in claims) + "\n".join(table)


def _outcomes(claim: Prediction, kept: list[dict]) -> list[tuple[dict, str]]:
    return [(facts, facts["outcomes"][claim.text]) for facts in kept if claim.text in facts["outcomes"]]


def _section(claim: Prediction, measured: list[tuple[dict, str]]) -> str:
    work, _, paper = claim.source.partition(", arXiv ")
    source = f"[{work}](https://arxiv.org/abs/{paper})" if paper else work
    lines = ["", f"**{claim.text}** From {source}.", ""]
    lines += [f"- {outcome} `{_command(facts)}`" for facts, outcome in measured] or ["- Not measured yet."]
    return "\n".join([*lines, ""])


def _command(facts: dict) -> str:
    return shlex.join(["tl-widgets", "study", *facts["command"]])


if __name__ == "__main__":
    commands = [facts["command"] for facts in kept_measurements()] if sys.argv[1:] == ["all"] else [sys.argv[1:]]
    for command in filter(None, commands):
        measure(command)
    PAGE.write_text(page(), "utf-8")
