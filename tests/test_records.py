"""Records that were written before records had one codec are read, shown and written as they were."""

import contextlib
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Literal

import pytest

from tl_widgets.core.config import Config
from tl_widgets.core.errors import InputError
from tl_widgets.plots.style import root_figure
from tl_widgets.records.codec import from_plain, load, to_plain
from tl_widgets.records.comparison import Comparison, StudyRecord
from tl_widgets.records.kinds import RightAnswers
from tl_widgets.studies.registry import STUDIES, read_study

RECORDS = sorted((Path(__file__).parent / "data" / "records").glob("*.json"))


def statistics_of(record):
    repeats = record.get("repeats") or {}
    return [repeats.pop(name, None) for name in ("means", "difference")]


def numbers(value):
    if isinstance(value, dict | list):
        items = value.values() if isinstance(value, dict) else value
        return [number for item in items for number in numbers(item)]
    return [] if value is None else [value]


def contains(new, old):
    """Whether all of a record is in a new one, which may have fields that were added since."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(name in new and contains(new[name], value) for name, value in old.items())
    if isinstance(old, list):
        if isinstance(new, str):  # right answers were lists before
            return [mark == "1" for mark in new] == old
        return isinstance(new, list) and len(new) == len(old) and all(map(contains, new, old))
    return new == old


def test_there_is_an_old_record_of_every_study():
    names = {read_study(path.read_text(), tuple(STUDIES))[0] for path in RECORDS}
    assert names == set(STUDIES)


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_an_old_record_is_read_shown_and_written_as_it_was(path):
    record = path.read_text()
    name, result = read_study(record, tuple(STUDIES))
    before, after = json.loads(record), json.loads(result.to_json())
    # The intervals over seeds are computed anew, from more digits of Student's t.
    assert numbers(statistics_of(after)) == pytest.approx(numbers(statistics_of(before)), rel=1e-6)
    assert contains(after, before)
    assert type(result).from_json(result.to_json()) == result
    assert all(sentence.endswith(".") for sentence in STUDIES[name].sentences(result))
    text = STUDIES[name].text(result)
    assert len(text) > 80
    for titles, cells in [(result.rows[0], row) for row in result.rows[1:]]:
        assert all(f"{title} {cell}" in text for title, cell in zip(titles[1:], cells[1:], strict=True) if cell)
    if isinstance(result, Comparison):
        assert result.verdict.text
        assert [run.test_accuracy for run in result.runs] == [
            json.loads(record)[run.name]["test_accuracy"] for run in result.runs
        ]


HUGE, HALF, LONG = 10**400, "half a character: \ud800", "x" * 30_000
HOSTILE = (
    None,
    True,
    -1,
    0,
    3,
    10**30,
    HUGE,
    1e308,
    -0.5,
    "nan",
    "inf",
    "",
    HALF,
    LONG,
    "\x1b[2J",
    [],
    {},
    [[1]],
    [-7],
)


def damaged(text, random):
    """A record with one value, list or name changed; every kind of place has the same chance."""
    record = json.loads(text)
    kinds = {}

    def visit(value, place):
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, item in items:
            kinds.setdefault((*place, key if isinstance(key, str) else "*"), []).append((value, key))
            visit(item, (*place, key if isinstance(key, str) else "*"))

    visit(record, ())
    parent, key = random.choice(kinds[random.choice(list(kinds))])
    old = parent[key]
    if isinstance(old, list) and random.random() < 0.5:  # a wrong length, or another order
        parent[key] = random.choice([old[:-1], old + old[-1:], old[::-1], old * 2])
    elif isinstance(parent, dict) and random.random() < 0.2:
        del parent[key]
    else:
        parent[key] = random.choice(HOSTILE)
    return json.dumps(record)


@pytest.mark.filterwarnings("ignore")  # of Matplotlib, about characters that no font has
@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_whatever_is_accepted_can_be_shown_drawn_and_written_again(path):
    random, text = Random(0), path.read_text()
    n_read = n_drawn = 0
    for _ in range(60):
        try:
            name, result = read_study(damaged(text, random), tuple(STUDIES))
        except InputError as error:
            assert len(str(error)) < 700  # noqa: PT017
            continue
        n_read += 1
        study = STUDIES[name]
        "".join([study.text(result), study.headline(result), *sum(result.rows, ())]).encode()
        assert type(result).from_json(result.to_json()).to_json() == result.to_json()
        if n_drawn < 3 and random.random() < 0.3:
            n_drawn += 1
            with contextlib.suppress(InputError):  # stopped before there was anything to draw
                figure = root_figure(study.draw(result))
                figure.savefig(io.BytesIO(), format="svg") if n_drawn == 1 else figure.draw_without_rendering()
    assert 5 < n_read < 50


@pytest.mark.parametrize("name", ["ms_per_image", "n_params"])
def test_what_stands_on_an_axis_with_a_log_scale_is_never_zero(name):
    record = json.loads((RECORDS[0].parent / "backbones.json").read_text())
    record["control"]["cost"][name] = 0
    with pytest.raises(InputError, match=f"control.cost.{name} is 0, not at least"):
        read_study(json.dumps(record), tuple(STUDIES))


@dataclass(frozen=True)
class Part:
    numbers: tuple[float, ...] = ()
    pair: tuple[float, float] | None = None
    kind: Literal["small", "large"] = "small"
    right: RightAnswers = ()
    left_out: Any = field(default=None, compare=False)

    def __post_init__(self):
        if len(self.numbers) > 3:
            raise ValueError("there are more than 3 numbers")


@dataclass(frozen=True)
class Whole(StudyRecord):
    name: str
    config: Config
    parts: tuple[Part, ...]
    count: int = 0
    is_done: bool = True


WHOLE = Whole(
    "é <b>",
    Config(epochs=3),
    (Part((1.5, float("inf")), right=(True, False)), Part(pair=(0.1, 0.2), left_out=object())),
    7,
)


def test_any_frozen_dataclass_of_such_parts_is_a_record():
    text = WHOLE.to_json()
    assert json.loads(text)["study"] == "Whole"
    assert json.loads(text)["parts"][0] == {"numbers": [1.5, "inf"], "pair": None, "kind": "small", "right": "10"}
    assert Whole.from_json(text) == WHOLE


def test_nan_is_kept_as_text_since_json_has_no_word_for_it():
    (number,) = from_plain(Part, json.loads(json.dumps(to_plain(Part((float("nan"),)))))).numbers
    assert number != number


def test_a_record_that_is_older_than_a_field_has_its_default():
    assert from_plain(Part, {}) == Part()
    assert from_plain(Part, {"right": [True, False]}) == Part(right=(True, False))
    assert from_plain(Whole, {"name": "x", "config": {}, "parts": []}) == Whole("x", Config(), ())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 3}, "name is 3, not text"),
        ({"count": 2.0}, "count is 2.0, not a whole number"),
        ({"count": True}, "count is True, not a whole number"),
        ({"is_done": 1}, "is_done is 1, not true or false"),
        ({"config": []}, "config is [], not an object"),
        ({"config": {"epochs": "many"}}, "config.epochs is 'many', not a whole number"),
        ({"config": {"epochs": 0}}, "epochs must be"),
        ({"config": {"colour": "red"}}, "config has unknown fields: colour"),
        ({"parts": "abc"}, "parts is 'abc', not a list"),
        ({"parts": [{"right": "012"}]}, "parts[0].right is '012', not a text of 0 and 1"),
        ({"parts": [{"right": [1]}]}, "parts[0].right is [1], not a text of 0 and 1"),
        ({"parts": {"0": {}}}, "not a list"),
        ({"parts": [{}, {"numbers": [1, "2"]}]}, r"parts[1].numbers[1] is '2', not a number"),
        ({"parts": [{"numbers": [1, 2, 3, 4]}]}, "there are more than 3 numbers"),
        ({"parts": [{"pair": [1]}]}, "parts[0].pair"),
        ({"parts": [{"kind": "huge"}]}, "parts[0].kind is 'huge', not one of 'small', 'large'"),
        ({"more": 1}, "it has unknown fields: more"),
    ],
)
def test_what_does_not_fit_is_said_with_its_place_and_its_value(change, message):
    with pytest.raises(InputError) as error:
        from_plain(Whole, to_plain(WHOLE) | change)
    assert message in str(error.value)
    with pytest.raises(InputError, match=r"not a record of a Whole.*Give the JSON that"):
        Whole.from_json(json.dumps(json.loads(WHOLE.to_json()) | change))


@pytest.mark.parametrize("name", ["name", "config", "parts"])
def test_what_is_missing_is_named(name):
    record = to_plain(WHOLE)
    del record[name]
    with pytest.raises(InputError, match=f"{name} is missing"):
        from_plain(Whole, record)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "isn't valid JSON"),
        ("[1]", "isn't a record"),
        ("[" * 100_000, "nested too deeply"),
        ("1" * 5_000, "digits"),
    ],
)
def test_text_that_holds_no_object_is_said_so(text, message):
    with pytest.raises(InputError, match=message):
        load(text)
